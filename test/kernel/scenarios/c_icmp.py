"""Rules C6 to C10: the form of ICMP errors, their limits in number, and redirects."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario


@scenario("TOS of an error", "C6")
def error_tos(s):
    for tos in range(256):
        sender = far("p0" if tos < 128 else "p1", 1 + tos % 128)
        s.send("p0", udp(sender, H3, ttl=1, tos=tos))


@scenario("how much is quoted", "C6")
def quote_size(s):
    for index, size in enumerate((0, 1, 7, 8, 9, 100, 519, 520, 521, 528, 529, 548, 600, 1472)):
        data = bytes(i & 255 for i in range(size))
        s.send("p0", udp(far("p0", 1 + index), H1, data, ttl=1))
        s.send("p0", udp(far("p0", 51 + index), UNROUTED, data))
        s.send("p0", udp(far("p0", 101 + index), R0, data))
        s.send("p0", ipv4(far("p0", 151 + index), R0, 99, data))


@scenario("the route's MTU to the sender limits the quote", "C6", setup=tuple(
    f"route replace 198.51.0.{16 * i}/28 via 10.0.0.254 mtu {mtu}"
    for i, mtu in enumerate((68, 69, 76, 77, 100, 300, 575, 577))))
def quote_mtu(s):
    for index in range(8):
        s.send("p0", udp(far("p0", 16 * index + 1), H1, bytes(600), ttl=1))
        s.send("p0", udp(far("p0", 16 * index + 2), H1, bytes(10), ttl=1))


@scenario("an error is sent from the address toward the sender", "C6")
def error_source(s):
    for sender in (H0, far("p0", 1), H1, far("p1", 1), far("p2", 1), H3):
        s.send("p0", udp(sender, H1, ttl=1))
        s.send("p2", udp(sender, H1, ttl=1))
        s.send("p0", udp(sender, UNROUTED))


@scenario("an error about a packet to us is sent from that address", "C6")
def error_source_local(s):
    for dst in (R0, R1, R2, R3):
        s.send("p0", udp(H0, dst))
        s.send("p0", ipv4(H0, dst, 99, b"12345678"))


@scenario("preferred source of a route, and second addresses", "C6",
          setup=("addr add 10.0.0.77/24 dev p0", "addr add 10.7.0.1/24 dev p0",
                 "addr add 10.8.0.1/32 dev p1",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:72 dev p0 nud permanent",
                 "route add 203.0.113.0/25 via 10.0.0.254 src 10.8.0.1",
                 "route add 203.0.113.128/25 via 10.7.0.2"))
def preferred_source(s):
    for sender in (H0, "10.7.0.2", "203.0.113.5", "203.0.113.200", far("p0", 1)):
        s.send("p0", udp(sender, H1, ttl=1))
        s.send("p0", udp(sender, "10.0.0.77"))
        s.send("p0", echo(sender, "10.8.0.1"))
        s.send("p1", udp(sender, H3, ttl=1))


@scenario("icmp_errors_use_inbound_ifaddr", "C6",
          setup=("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",
                 "addr add 10.7.0.1/24 dev p0",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:72 dev p0 nud permanent"))
def inbound_address(s):
    for sender in (H0, "10.7.0.2", H1, far("p1", 1), far("p0", 1)):
        s.send("p0", udp(sender, H3, ttl=1))
        s.send("p2", udp(sender, H3, ttl=1))
        s.send("p0", udp(sender, R1))
        s.send("p0", udp(sender, UNROUTED))


@scenario("a port without address answers with 192.0.0.8", "C6", sentinel="echo",
          setup=("addr del 10.0.0.1/24 dev p0", "addr del 10.0.1.1/24 dev p1",
                 "addr del 10.0.2.1/24 dev p2", "addr del 10.0.3.1/24 dev p3",
                 "route add 198.51.0.0/24 dev p0", "route add 192.0.2.0/24 dev p1",
                 "neigh add 198.51.0.1 lladdr 02:00:00:00:00:51 dev p0 nud permanent"))
def no_address(s):
    s.sentinel = None
    s.start("p0", udp(far("p0", 1), "192.0.2.1", ttl=1))
    s.wait(0.2)
    s.start("p0", udp(far("p0", 1), UNROUTED))
    s.wait(0.2)


@scenario("what is not in an error's way to its sender", "C6")
def error_unroutable(s):
    for sender in (UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED):
        s.send("p0", udp(sender, H1, ttl=1))
        s.send("p0", udp(sender, UNROUTED))
        s.send("p0", udp(sender, R0))
        s.send("p0", echo(sender, R0))


@scenario("six at once for each sender", "C7")
def host_limit(s):
    s.each("p0", [udp(H0, H1, ttl=1, id=i) for i in range(9)])
    s.send("p0", udp(J0, H1, ttl=1))
    s.each("p0", [udp(far("p0", 1), R0, id=i) for i in range(9)])
    s.send("p0", udp(far("p0", 1), H1, ttl=1))
    s.send("p0", udp(far("p0", 1), H2, bytes(1472), flags=DF))
    s.send("p0", echo(far("p0", 1), R0))
    s.each("p0", [ipv4(far("p0", 2), R0, 99, b"12345678") for _ in range(8)])


@scenario("then one a second", "C7", slow=True)
def host_limit_refill(s):
    s.each("p0", [udp(H0, H1, ttl=1) for _ in range(8)])
    for seconds in (0.5, 0.7, 0.4, 0.8, 2.5):
        s.pause(seconds)
        s.each("p0", [udp(H0, H1, ttl=1) for _ in range(3)])


# Each time half way between two moments at which one more may be sent.
@scenario("a shorter icmp_ratelimit", "C7", setup=("sysctl net.ipv4.icmp_ratelimit=400",),
          slow=True)
def host_limit_short(s):
    s.send("p0", *(udp(H0, H1, ttl=1) for _ in range(8)))
    for seconds in (0.2, 0.4, 1.2):
        s.pause(seconds)
        s.send("p0", *(udp(H0, H1, ttl=1) for _ in range(8)))


@scenario("icmp_ratelimit off", "C7", setup=("sysctl net.ipv4.icmp_ratelimit=0",))
def host_limit_off(s):
    s.each("p0", [udp(H0, H1, ttl=1) for _ in range(20)])


@scenario("the mask of limited types", "C7")
def rate_mask(s):
    s.run("sysctl net.ipv4.icmp_ratemask=8")        # 3 only
    s.each("p0", [udp(far("p0", 1), H1, ttl=1) for _ in range(8)])
    s.each("p0", [udp(far("p0", 1), R0) for _ in range(8)])
    s.run("sysctl net.ipv4.icmp_ratemask=2049")     # 0 and 11
    s.each("p0", [echo(far("p0", 2), R0) for _ in range(8)])
    s.each("p0", [udp(far("p0", 3), R0) for _ in range(8)])
    s.run("sysctl net.ipv4.icmp_ratemask=0")
    s.each("p0", [udp(far("p0", 4), R0) for _ in range(8)])


@scenario("the global limit lets a random number through", "C8",
          setup=("sysctl net.ipv4.icmp_msgs_per_sec=1000", "sysctl net.ipv4.icmp_msgs_burst=50"),
          ignored_counters=("Ip.OutRequests", "Ip.OutTransmits", "IpExt.OutOctets",
                            "Icmp.OutMsgs", "Icmp.OutTimeExcds", "IcmpMsg.OutType11",
                            "Icmp.OutRateLimitGlobal"))
def global_limit(s):
    frames = [udp(far(port, host), H3, ttl=1) for port in ("p0", "p1") for host in range(1, 251)]
    s.count_between("p0", frames[:250], "p0", 25, 130)
    s.count_between("p0", frames[250:], "p1", 0, 80)


@scenario("a global limit of nothing", "C8",
          setup=("sysctl net.ipv4.icmp_msgs_per_sec=0", "sysctl net.ipv4.icmp_msgs_burst=0"))
def global_limit_zero(s):
    s.send("p0", udp(H0, H1, ttl=1))
    s.send("p0", udp(H0, H2, bytes(1472), flags=DF))
    s.send("p0", echo(H0, R0))


@scenario("no-route errors pay twice: two for a new sender", "C10")
def route_error_limit(s):
    for index, dst in enumerate((UNROUTED, UNREACHABLE, PROHIBITED)):
        s.each("p0", [udp(far("p0", 1 + index), dst) for _ in range(4)])
        s.send("p0", udp(far("p0", 1 + index), H1, ttl=1))
    s.each("p0", [udp(far("p0", 9), H1, ttl=1) for _ in range(3)])
    s.each("p0", [udp(far("p0", 9), UNROUTED) for _ in range(3)])
    s.each("p0", [udp(far("p0", 10), H1, ttl=1) for _ in range(5)])
    s.each("p0", [udp(far("p0", 10), UNROUTED) for _ in range(2)])


@scenario("with icmp_ratelimit off another error empties the bucket of no-route errors", "C10",
          setup=("sysctl net.ipv4.icmp_ratelimit=0",))
def route_error_emptied(s):
    s.send("p0", udp(H0, UNROUTED))
    s.pause(0.05)
    s.send("p0", udp(H0, H1, ttl=1))
    s.each("p0", [udp(H0, UNROUTED) for _ in range(3)])


@scenario("no-route errors without C7 at all", "C10",
          setup=("sysctl net.ipv4.icmp_ratemask=0",))
def route_error_unmasked(s):
    s.each("p0", [udp(H0, UNROUTED) for _ in range(7)])
    s.send("p0", udp(H0, H1, ttl=1))
    s.send("p0", udp(H0, UNROUTED))


@scenario("no-route errors at 2.1 s", "C10", slow=True)
def route_error_slow(s):
    for _ in range(4):
        s.each("p0", [udp(H0, UNROUTED)])
        s.pause(2.1)


@scenario("no-route errors at 1.5 s", "C10", slow=True)
def route_error_medium(s):
    for _ in range(8):
        s.each("p0", [udp(H0, UNROUTED)])
        s.pause(1.5)


@scenario("no-route errors: some at once, then every other one", "C10", slow=True)
def route_error_steady(s):
    # never less than 300 ms from what is just enough
    for seconds in (0, 0, 0, 0, 0, 0, 0.5, 0.8, 0.3, 0.7, 0.3, 0.7, 0.3, 0.7):
        s.pause(seconds)
        s.each("p0", [udp(H0, UNROUTED)])


@scenario("a redirect goes ahead of the packet", "C9")
def redirect(s):
    s.send("p0", udp(H0, far("p0", 1)))
    s.send("p0", udp(J0, H0))
    s.send("p1", tcp(H1, J1))
    s.send("p3", echo(H3, far("p3", 1)))
    s.send("p2", udp(H2, J2, ttl=2))


@scenario("who is not sent a redirect", "C9")
def no_redirect(s):
    s.send("p0", udp(far("p0", 1), J0))
    s.send("p0", udp(UNROUTED, J0))
    s.send("p0", udp(H0, J0, ttl=1))
    s.send("p0", udp(H0, far("p0", 1)), dst=BROADCAST_MAC)
    s.send("p0", udp(H1, J0))
    s.send("p0", icmp(J0, far("p0", 1), 3, data=bytes(28)))
    s.send("p0", ipv4(G0, far("p0", 1), UDP, bytes(64), offset=8))


@scenario("redirects switched off", "C9",
          setup=("sysctl net.ipv4.conf.all.send_redirects=0",
                 "sysctl net.ipv4.conf.p0.send_redirects=0"))
def redirect_off(s):
    s.send("p0", udp(H0, far("p0", 1)))
    s.send("p0", udp(H0, J0))
    s.send("p1", udp(H1, J1))


@scenario("redirects need all or the port", "C9",
          setup=("sysctl net.ipv4.conf.p0.send_redirects=0",))
def redirect_or(s):
    s.send("p0", udp(H0, far("p0", 1)))


@scenario("redirects without shared media", "C9",
          setup=("sysctl net.ipv4.conf.all.shared_media=0",
                 "sysctl net.ipv4.conf.p0.shared_media=0", "addr add 10.7.0.1/24 dev p0",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:72 dev p0 nud permanent"))
def redirect_not_shared(s):
    s.send("p0", udp(H0, far("p0", 1)))
    s.send("p0", udp(J0, "10.7.0.2"))
    s.send("p0", udp("10.7.0.2", far("p0", 1)))


@scenario("redirects become rarer", "C9", slow=True)
def redirect_limit(s):
    # from 40 ms on the time doubles; what is to be too early is so by 100 ms and more
    for seconds in (0, 0.1, 0.2, 0, 0.03, 0.4, 0.1, 0.5, 0.2, 1.0, 0.5, 2.0):
        s.pause(seconds)
        s.each("p0", [udp(H0, J0)])
    s.send("p0", udp(J0, H0))


@scenario("a redirect leaves a new sender without errors for a while", "C9, C7")
def redirect_and_errors(s):
    s.send("p0", udp(H0, J0))
    s.each("p0", [udp(H0, H1, ttl=1) for _ in range(8)])


@scenario("the quoted packet is as received, padding and all left out", "C6")
def quote_contents(s):
    s.send("p0", udp(H0, H1, b"abc", ttl=1, tos=0x28, id=0xbeef, flags=DF) + b"\xaa" * 5)
    s.send("p0", udp(H0, UNROUTED, b"abc", ttl=9, id=0xbeef, flags=RESERVED) + b"\xaa" * 5)
    s.send("p0", udp(J0, H2, bytes(1472), ttl=9, id=0xbeef, flags=DF))
    s.send("p0", udp(J0, R0, b"abcdef", ttl=9, udp_length=10) + b"\xaa" * 5)
    s.send("p0", udp(J0, R0, b"abcdef", ttl=9))
    s.send("p0", udp(J0, J0, ttl=9))


@scenario("route errors about what would also be too old or too big", "C1, H3")
def precedence(s):
    for index, dst in enumerate((UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED)):
        s.send("p0", udp(far("p0", 1 + index), dst, ttl=1))
        s.send("p0", udp(far("p0", 11 + index), dst, ttl=0))
        s.send("p0", udp(far("p0", 21 + index), dst, bytes(1472), flags=DF))
