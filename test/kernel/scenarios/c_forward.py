"""Rules C1 to C5: forwarding, and what is done to a packet on its way."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario


def with_checksum(target, ttl):
    """A packet whose right header checksum is `target`, by choice of its ID."""
    without = int.from_bytes(udp(H0, H1, ttl=ttl, id=0)[10:12], "big")
    return udp(H0, H1, ttl=ttl, id=(without - target) % 0xffff)


@scenario("TTL is counted down", "C2")
def ttl(s):
    for value in (2, 3, 63, 64, 65, 128, 254, 255):
        s.send("p0", udp(H0, H1, ttl=value))
        s.send("p2", tcp(H2, H3, ttl=value))


@scenario("TTL 0 and 1 are answered", "C1")
def ttl_exceeded(s):
    for value in (0, 1):
        s.send("p0", udp(H0, H1, ttl=value))
        s.send("p1", tcp(far("p1", 1), far("p3", 1), ttl=value))
        s.send("p2", echo(H2, H0, ttl=value))
        s.send("p0", ipv4(J0, H1, 99, b"", ttl=value))
    s.send("p0", udp(UNROUTED, H1, ttl=1))
    s.send("p0", udp(far("p0", 3), J0, ttl=1))


@scenario("the header checksum at its edges", "C2")
def checksum_edges(s):
    for target in (0x0000, 0x0001, 0x00ff, 0x0100, 0x7fff, 0xfe00, 0xfefe, 0xfeff, 0xff00,
                   0xff01, 0xfffe):
        for value in (2, 64, 255):
            s.send("p0", with_checksum(target, value))
    zero = bytearray(with_checksum(0, 64))
    zero[10:12] = b"\xff\xff"
    s.send("p0", bytes(zero))
    minus = bytearray(with_checksum(0, 1))
    minus[10:12] = b"\xff\xff"
    s.send("p0", bytes(minus))


@scenario("every TOS is forwarded as it is", "C1")
def tos(s):
    s.each("p0", [udp(H0, H1, tos=value) for value in range(256)])


@scenario("every protocol is forwarded", "C1")
def protocols(s):
    s.send("p0", *[ipv4(H0, H1, protocol, b"\x45" * 24) for protocol in range(256)])


@scenario("the order of a burst is kept", "C1")
def burst(s):
    s.send("p0", *[udp(H0, H1 if i % 3 else H3, sport=i + 1, ttl=1 + (i % 7 > 0))
                   for i in range(100)])
    s.send("p0", *[udp(H0, H1, id=i) if i % 5 else echo(H0, R0, id=i) for i in range(100)])


@scenario("damaged data above IP is none of the router's business", "C1")
def upper_damage(s):
    s.send("p0", udp(H0, H1, udp_check=1))
    s.send("p0", udp(H0, H1, udp_length=3))
    s.send("p0", tcp(H0, H1, tcp_offset=1, tcp_check=1))
    s.send("p0", icmp(H0, H1, 8, icmp_check=1))
    s.send("p0", icmp(H0, H1, 200))
    s.send("p0", ipv4(H0, H1, ICMP, b""))


@scenario("fragments that fit pass unchanged", "C1, D")
def fragments(s):
    for flags, offset in ((MF, 0), (MF, 1), (0, 1), (0, 8191), (MF, 8191), (DF | MF, 0),
                          (DF, 100), (RESERVED | MF, 5)):
        for size in (0, 1, 8, 17, 1480):
            s.send("p0", ipv4(H0, H1, UDP, bytes(size), flags=flags, offset=offset))


@scenario("TTL of fragments", "C5")
def fragments_ttl(s):
    s.send("p0", ipv4(H0, H1, UDP, bytes(64), flags=MF, ttl=1))
    s.send("p0", ipv4(H0, H1, UDP, bytes(64), flags=MF, offset=8, ttl=1))
    s.send("p0", ipv4(H0, H1, UDP, bytes(64), offset=16, ttl=1))
    s.send("p0", ipv4(H0, UNROUTED, UDP, bytes(64), offset=16))
    s.send("p0", ipv4(H0, UNROUTED, UDP, bytes(64), flags=MF))


@scenario("too big with DF", "C3, C4")
def too_big(s):
    for size in (1400, 1401, 1499, 1500):
        s.send("p0", udp(H0, H2, bytes(size - 28), flags=DF))
        s.send("p0", tcp(H0, far("p2", 1), ACK, bytes(size - 40), flags=DF))
    s.send("p0", udp(H0, H2, bytes(1400 - 28)))
    s.send("p0", udp(H0, H2, bytes(1472), flags=DF, ttl=1))
    s.send("p0", udp(H0, H2, bytes(1472), flags=DF, ttl=2))
    s.send("p0", udp(H0, H2, bytes(1472), flags=DF | RESERVED, tos=0xff))


@scenario("too big with DF is answered for each, not as C7 limits others", "C4, C7")
def too_big_often(s):
    s.each("p0", [udp(H0, H2, bytes(1472), flags=DF, id=i) for i in range(20)])


@scenario("too big with DF, of fragments", "C4")
def too_big_fragments(s):
    s.send("p0", ipv4(H0, H2, UDP, bytes(1480), flags=DF | MF))
    s.send("p0", ipv4(H0, H2, UDP, bytes(1480), flags=DF | MF, offset=185))
    s.send("p0", ipv4(H0, H2, UDP, bytes(1480), flags=DF, offset=370))


@scenario("the MTU of a route", "C3",
          setup=("route add 203.0.113.0/25 via 10.0.1.254 mtu 1000",
                 "route add 203.0.113.128/25 via 10.0.2.254 mtu 576",
                 "route add 192.0.2.0/24 dev p1 mtu 1300",
                 "neigh add 192.0.2.9 lladdr 02:00:00:00:01:99 dev p1 nud permanent"))
def route_mtu(s):
    for size in (1000, 1001, 1500):
        s.send("p0", udp(H0, "203.0.113.1", bytes(size - 28), flags=DF))
    for size in (576, 577, 1400, 1401):
        s.send("p0", udp(H0, "203.0.113.129", bytes(size - 28), flags=DF))
    for size in (1300, 1301):
        s.send("p0", udp(H0, "192.0.2.9", bytes(size - 28), flags=DF))


@scenario("a change of a link's MTU counts at once", "C3")
def link_mtu(s):
    s.send("p0", udp(H0, H1, bytes(1372), flags=DF))
    s.run("link set p1 mtu 1300")
    s.send("p0", udp(H0, H1, bytes(1272), flags=DF))
    s.send("p0", udp(H0, H1, bytes(1273), flags=DF))
    s.run("link set p1 mtu 1400")
    s.send("p0", udp(H0, H1, bytes(1372), flags=DF))
    s.send("p0", udp(H0, H1, bytes(1373), flags=DF))


@scenario("jumbo frames", "C3", mtu={"p0": 9000, "p1": 9000})
def jumbo(s):
    for size in (1501, 2048, 4000, 9000):
        s.send("p0", udp(H0, H1, bytes(size - 28), flags=DF))
        s.send("p0", udp(H0, H1, bytes(size - 28)))
        s.send("p1", udp(H1, H3, bytes(size - 28), flags=DF))
        s.send("p0", udp(H0, H1, bytes(size - 28), ttl=1))
        s.send("p0", echo(H0, R0, bytes(size - 28)))


@scenario("ICMP that must not be answered", "C5")
def icmp_unanswered(s):
    for type in range(256):
        s.send("p0", icmp(far("p0" if type < 128 else "p1", 1 + type % 128), H3, type, ttl=1))


@scenario("ICMP too short to tell its type", "C5")
def icmp_short(s):
    for size in range(9):
        s.send("p0", ipv4(far("p0", 1 + size), H1, ICMP, b"\x08\0\0\0\0\0\0\0"[:size], ttl=1))
        s.send("p0", ipv4(far("p0", 20 + size), H1, ICMP, b"\x03\0\0\0\0\0\0\0"[:size],
                          ttl=1))


@scenario("never an error about a broadcast or multicast", "C5")
def group_unanswered(s):
    for dst in (EVERYONE, B0, B1, ALL_HOSTS, "224.0.0.2"):
        for packet in (udp(H0, dst), udp(H0, dst, ttl=1), ipv4(H0, dst, 99, b"12345678")):
            s.send("p0", packet)
    for src in (EVERYONE, "0.0.0.0", "224.0.0.5", "127.0.0.1"):
        s.send("p0", udp(src, H1, ttl=1))
        s.send("p0", udp(src, UNROUTED))


@scenario("forwarding off on one port only", "A class 6",
          setup=("sysctl net.ipv4.conf.p1.forwarding=0",))
def forwarding_one_port(s):
    s.send("p0", udp(H0, H1))
    s.send("p0", udp(H0, UNROUTED))
    s.sentinel = "echo"
    s.send("p1", udp(H1, H0))
    s.send("p1", udp(H1, UNROUTED))
    s.send("p1", udp(H1, R0))
    s.send("p1", udp(H1, B0))


@scenario("default TTL is for what the router sends", "C6",
          setup=("sysctl net.ipv4.ip_default_ttl=17",))
def default_ttl(s):
    s.send("p0", udp(H0, H1))
    s.send("p0", udp(H0, H1, ttl=1))
    s.send("p0", echo(H0, R0))
    s.send("p0", tcp(H0, R0))


@scenario("a port that has no cable loses packets in silence", "H1", sentinel=None, slow=True)
def no_carrier(s):
    s.plug("p1", False)
    s.wait(1.5)
    s.start("p0", udp(H0, H1))
    s.wait(0.2)
    s.start("p0", udp(H0, H3), udp(H0, H1), udp(H0, R1))
    s.wait(0.2)
    s.plug("p1", True)
    s.wait(1.5)
    s.start("p0", udp(H0, H1))
    s.wait(0.2)


@scenario("a port without cable is no route, if so set", "H1", sentinel=None, slow=True,
          setup=("sysctl net.ipv4.conf.p1.ignore_routes_with_linkdown=1",
                 "sysctl net.ipv4.conf.p0.ignore_routes_with_linkdown=1"))
def ignore_linkdown(s):
    s.plug("p1", False)
    s.wait(1.5)
    s.start("p0", udp(H0, H1))
    s.wait(0.2)
    s.start("p0", udp(H0, far("p1", 1)))
    s.wait(0.2)
