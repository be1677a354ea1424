"""Rule G2: what hosts report of a path's MTU, and what the router then sends there."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

LEARN_SECONDS = 0.05        # until the control thread has it


def frag_needed(s, port, dst, mtu, quoted, src=None):
    s.send(port, icmp(src or dst, quoted[12:16], 3, 4, b"\0\0" + mtu.to_bytes(2, "big"), quoted))
    s.pause(LEARN_SECONDS)


def reply_too_big(s, port, dst, mtu, own=R0, **fields):
    """An echo reply of ours did not fit on the way."""
    frag_needed(s, port, dst, mtu, icmp(own, dst, 0, data=b"12345678", **fields))


def sized_echo(src, dst, size):
    return echo(src, dst, bytes((i * 7) & 255 for i in range(size - 28)))


def probe(s, port, src, dst=R0):
    """Echo replies of several sizes, and an error with much to quote. The port is where it goes in;
    the answers go where the source is."""
    for size in (300, 551, 552, 553, 576, 1000, 1280, 1400, 1500):
        s.send(port, sized_echo(src, dst, size))
    s.send(port, udp(src, dst, bytes(1000)))


UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0",)


@scenario("a reported MTU is kept to, and never raised", "G2", setup=UNLIMITED)
def learned(s):
    probe(s, "p0", H0)
    for mtu in (1400, 1000, 1200, 600, 576, 552):
        reply_too_big(s, "p0", H0, mtu)
        probe(s, "p0", H0)
    probe(s, "p0", J0)
    reply_too_big(s, "p0", J0, 1500)
    reply_too_big(s, "p0", J0, 9000)
    probe(s, "p0", J0)


@scenario("less than min_pmtu is 552, and locked", "G2", setup=UNLIMITED)
def locked(s):
    for host, mtu in ((1, 0), (2, 1), (3, 68), (4, 500), (5, 551)):
        dst = far("p0", host)
        reply_too_big(s, "p0", dst, mtu)
        probe(s, "p0", dst)
        for flags in (0, DF):
            s.send("p1", udp(H1, dst, bytes(1000), flags=flags))
        s.send("p1", udp(H1, dst, bytes(500), flags=DF))
        s.send("p1", udp(H1, far("p0", 100 + host), bytes(1000), flags=DF))


@scenario("forwarding does not heed what is not locked", "G2, C3", setup=UNLIMITED)
def not_forwarded(s):
    reply_too_big(s, "p0", H0, 1000)
    for flags in (0, DF):
        s.send("p1", udp(H1, H0, bytes(1300), flags=flags))
    s.run("sysctl net.ipv4.ip_forward_use_pmtu=1")
    for flags in (0, DF):
        s.send("p1", udp(H1, H0, bytes(1300), flags=flags))
        s.send("p1", udp(H1, J0, bytes(1300), flags=flags))
    reply_too_big(s, "p0", J0, 900)
    s.send("p1", udp(H1, J0, bytes(1300), flags=DF))
    s.run("sysctl net.ipv4.ip_forward_use_pmtu=0")
    s.send("p1", udp(H1, H0, bytes(1300), flags=DF))
    s.send("p1", udp(H1, J0, bytes(1300), flags=DF))


@scenario("who may report", "G2, F", setup=UNLIMITED)
def reporters(s):
    quoted = icmp(R0, H0, 0, data=b"12345678")
    for packet in (quoted[:27], icmp(R0, H0, 8, data=b"12345678"), icmp(R0, H0, 3, data=bytes(28)),
                   udp(R0, H0), tcp(R0, H0), ipv4(R0, H0, 99, bytes(8)),
                   icmp(H1, H0, 0, data=b"12345678"), icmp(R0, UNROUTED, 0, data=b"12345678"),
                   icmp("10.0.0.77", H0, 0, data=b"12345678")):
        s.send("p0", icmp(H0, R0, 3, 4, b"\0\0\3\xe8", packet))
    s.pause(LEARN_SECONDS)
    probe(s, "p0", H0)
    frag_needed(s, "p3", H0, 1200, quoted, src=H3)
    probe(s, "p0", H0)
    frag_needed(s, "p0", H0, 1100, quoted[:28])
    probe(s, "p0", H0)


@scenario("an MTU is another's on another way, and other sources share it", "G2", setup=UNLIMITED)
def ways(s):
    dst = far("p0", 1)
    reply_too_big(s, "p0", dst, 1000)
    probe(s, "p0", dst, R1)
    probe(s, "p0", far("p0", 2))
    s.run(f"route add {dst}/32 via {G1}")
    probe(s, "p1", dst, R1)
    s.run(f"route del {dst}/32 via {G1}")
    probe(s, "p0", dst)


@scenario("route flush cache, and changes of routes and links", "G2", setup=UNLIMITED)
def forgotten(s):
    dst = far("p0", 1)
    reply_too_big(s, "p0", dst, 1000)
    reply_too_big(s, "p0", H0, 1000)
    s.run("route flush cache")
    probe(s, "p0", dst)
    probe(s, "p0", H0)
    reply_too_big(s, "p0", dst, 1000)
    reply_too_big(s, "p0", H0, 1000)
    s.run("link set p0 mtu 1300")
    probe(s, "p1", H0)
    s.run("link set p0 mtu 900")
    probe(s, "p1", H0)
    s.run("link set p0 mtu 1500")
    probe(s, "p1", H0)
    probe(s, "p1", dst)
    s.run("route flush cache")
    probe(s, "p1", H0)


@scenario("a locked MTU, and the link's changes", "G2", setup=UNLIMITED)
def locked_link(s):
    reply_too_big(s, "p0", H0, 100)
    s.run("link set p0 mtu 800")
    probe(s, "p1", H0)
    s.run("link set p0 mtu 500")
    probe(s, "p1", H0)
    s.run("link set p0 mtu 1500")
    probe(s, "p1", H0)


@scenario("mtu_expires", "G2", slow=True, setup=UNLIMITED)
def expires(s):
    s.run("sysctl net.ipv4.route.mtu_expires=2")
    reply_too_big(s, "p0", H0, 1000)
    probe(s, "p0", H0)
    s.pause(1)
    probe(s, "p0", H0)
    s.pause(1.5)
    probe(s, "p0", H0)


@scenario("a route with an MTU of its own", "G2",
          setup=UNLIMITED + ("route add 203.0.113.0/24 via 10.0.0.254 mtu 700",))
def route_mtu(s):
    probe(s, "p0", UNROUTED)
    reply_too_big(s, "p0", UNROUTED, 1000)
    probe(s, "p0", UNROUTED)
    reply_too_big(s, "p0", UNROUTED, 600)
    probe(s, "p0", UNROUTED)
    reply_too_big(s, "p0", UNROUTED, 80)
    probe(s, "p0", UNROUTED)


@scenario("UDP echo heeds it too, and drops DF where it is locked", "G2",
          setup=UNLIMITED + ("sysctl net.millrace.udp_echo=1",))
def udp_learns(s):
    for mtu in (1000, 300):
        frag_needed(s, "p0", H0, mtu, udp(R0, H0, sport=7, dport=4000))
        for size in (100, 523, 524, 525, 972, 973, 1300):
            s.send("p0", udp(H0, R0, bytes(size), dport=7))


@scenario("what is locked stays so", "G2", setup=UNLIMITED)
def locked_again(s):
    reply_too_big(s, "p0", H0, 100)
    for mtu in (552, 551, 400, 1000, 0):
        reply_too_big(s, "p0", H0, mtu)
        probe(s, "p0", H0)
    s.run("sysctl net.ipv4.route.min_pmtu=300")
    for mtu in (400, 300, 200):
        reply_too_big(s, "p0", H0, mtu)
        probe(s, "p0", H0)
    reply_too_big(s, "p0", J0, 200)
    probe(s, "p0", J0)


@scenario("when a report is repeated", "G2", slow=True, setup=UNLIMITED)
def repeated(s):
    s.run("sysctl net.ipv4.route.mtu_expires=4")
    for dst, again in ((H0, 1.0), (J0, 3.0)):
        reply_too_big(s, "p0", dst, 1000)
        s.pause(again)
        reply_too_big(s, "p0", dst, 1000)       # too early to say anything new, or not
        s.pause(3.5 - again)
        probe(s, "p0", dst)
        s.pause(1.0)
        probe(s, "p0", dst)


@scenario("of several ways all are narrow", "G2, H4", setup=UNLIMITED + (
    f"route add 203.0.113.0/24 nexthop via {G0} nexthop via {G1}",
    "sysctl net.ipv4.fib_multipath_hash_seed=77"))
def several_ways(s):
    for host, mtu in ((1, 1000), (2, 300)):
        dst = f"203.0.113.{host}"
        reply_too_big(s, "p0", dst, mtu)
        for own in (R0, R1, R2, R3):
            s.send("p3", sized_echo(dst, own, 1400))
        for host in (H3, J3, far("p3", 1), far("p3", 2)):
            s.send("p3", udp(host, dst, bytes(1000), flags=DF))


@scenario("the MTU of a path to a broadcast address", "G2", setup=UNLIMITED + (
    "route add broadcast 192.0.2.1 dev p0 mtu 700 hoplimit 5",))
def of_broadcasts(s):
    for dst in (B0, "192.0.2.1"):
        s.send("p3", sized_echo(dst, R0, 1400))
        s.send("p3", udp(dst, R0, bytes(800)))
        reply_too_big(s, "p3", dst, 1000)
        s.send("p3", sized_echo(dst, R0, 1400))


@scenario("ip_no_pmtu_disc", "G2", setup=UNLIMITED)
def no_discovery(s):
    for mode in (*range(6), 255):
        s.run("route flush cache", f"sysctl net.ipv4.ip_no_pmtu_disc={mode}")
        for host, mtu in ((1, 1000), (2, 100), (3, 1500)):
            reply_too_big(s, "p0", far("p0", host), mtu)
            probe(s, "p0", far("p0", host))
            s.send("p1", udp(H1, far("p0", host), bytes(1000), flags=DF))
        for packet in (udp(R0, H0), tcp(R0, H0), ipv4(R0, H0, 99, bytes(8)), udp(R0, H0)[:20],
                       udp(R0, H0)[:27], udp(R0, H0, ihl=4), ipv4(R0, B0, 132, bytes(8))):
            frag_needed(s, "p0", H0, 1000, packet)


@scenario("ip_no_pmtu_disc and UDP", "G2", setup=UNLIMITED + (
    "sysctl net.ipv4.ip_no_pmtu_disc=1", "sysctl net.millrace.udp_echo=1"))
def no_discovery_udp(s):
    s.send("p0", udp(H0, R0, dport=7))
    frag_needed(s, "p0", H0, 1000, udp(R0, H0, sport=7, dport=4000))
    s.send("p0", udp(H0, R0, bytes(900), dport=7))


@scenario("ip_no_pmtu_disc: what heeds it at once, and who keeps to what it was", "G2 C3 F", setup=(
    UNLIMITED + ("filter add input tcp dport 98 reject with tcp reset",)))
def no_discovery_kept(s):
    for opened in (0, 1, 2, 3, 4):
        s.run("route flush cache", "sysctl net.millrace.udp_echo=0",
              f"sysctl net.ipv4.ip_no_pmtu_disc={opened}", "sysctl net.millrace.udp_echo=1")
        for now in (opened, 0, 1, 2, 3, 4, 0):
            s.run("route flush cache", f"sysctl net.ipv4.ip_no_pmtu_disc={now}")
            reply_too_big(s, "p0", far("p0", 1), 1000)
            for mtu in (1200, 800):
                frag_needed(s, "p0", H0, mtu, udp(R0, H0, sport=7, dport=4000))
                for dst in (H0, J0, far("p0", 1)):
                    for size in (40, 900, 1300):
                        s.send("p0", udp(dst, R0, bytes(size), dport=7))
                        s.send("p0", echo(dst, R0, bytes(size), flags=DF))
                    s.send("p0", udp(dst, R0, bytes(900), flags=DF))
                    s.send("p0", tcp(dst, R0, SYN, flags=DF), tcp(dst, R0, SYN, dport=98))
            s.send("p0", udp(H0, H2, bytes(1472), flags=DF), udp(H0, H2, bytes(1472)))
            # on its way through, and of a way that is too narrow
            s.send("p1", icmp(H1, H0, 3, 4, b"\0\0\3\xe8", icmp(H0, H1, 0, data=bytes(8))))
            s.send("p1", udp(H1, H0, bytes(1300), flags=DF))


@scenario("a source route's hops have MTUs of their own", "G2, B", setup=UNLIMITED + (
    "sysctl net.ipv4.conf.all.accept_source_route=1",))
def source_routed(s):
    reply_too_big(s, "p0", H0, 100)
    reply_too_big(s, "p0", R0, 100)
    for hop in (H0, J0):
        route = bytes((131, 7, 4)) + address(hop) + b"\0"
        for flags in (0, DF):
            s.send("p1", udp(H1, R0, bytes(1000), flags=flags, options=route))


@scenario("what the report itself is like", "G2, F", setup=UNLIMITED)
def odd_reports(s):
    quoted = lambda dst: icmp(R0, dst, 0, data=b"12345678")
    s.send("p0", icmp(H0, R0, 3, 4, b"\1\1\3\xe8", quoted(H0)), dst=BROADCAST_MAC)
    s.send("p0", icmp(J0, B0, 3, 4, b"\0\0\3\xe8", quoted(J0)))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", quoted(far("p0", 1)), options=b"\x94\4\0\0"))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", icmp(
        R0, far("p0", 2), 0, data=b"12345678", options=bytes((7, 7, 4, 0, 0, 0, 0, 0)), tos=0xff,
        flags=DF, offset=3, check=0)))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", icmp("0.0.0.0", far("p0", 3), 0, data=bytes(8))))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", icmp(B0, far("p0", 4), 0, data=bytes(8))))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", icmp(R0, B0, 0, data=bytes(8))))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", quoted(R1)))
    s.send("p0", icmp(J0, R0, 3, 4, b"\0\0\3\xe8", quoted(far("p0", 5)), icmp_check=1))
    whole = icmp(J0, R0, 3, 4, b"\0\0\3\xe8", quoted(far("p0", 6)))[20:]
    s.send("p0", ipv4(J0, R0, ICMP, whole[32:], offset=4), ipv4(J0, R0, ICMP, whole[:32], flags=MF))
    s.pause(LEARN_SECONDS)
    for dst in (H0, J0, *(far("p0", host) for host in range(1, 7)), B0):
        s.send("p3", sized_echo(dst, R0, 1400))


@scenario("the MTU of the way to an own address", "G2", setup=UNLIMITED + (
    "sysctl net.ipv4.conf.all.accept_local=1", "sysctl net.ipv4.conf.all.route_localnet=1",
    "addr add 10.9.9.1/32 dev lo"))
def of_own_addresses(s):
    for dst in (R1, "10.9.9.1", "127.0.0.1"):
        for mtu in (1000, 100):
            reply_too_big(s, "p0", dst, mtu)
            s.send("p3", sized_echo(dst, R1, 1300))
            s.send("p3", udp(dst, R0, bytes(1300)))
            s.check_counters()
