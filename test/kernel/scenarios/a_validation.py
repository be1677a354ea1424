"""Rule A: which frames are let in, in which order they are judged, and what is counted."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario


@scenario("frames for other stations are ignored", "A1")
def other_station(s):
    for dst in (STRANGER_MAC, router_mac("p1"), "02:00:00:00:0a:ff"):
        s.send("p0", udp(H0, H1), dst=dst)
        s.send("p0", echo(H0, R0), dst=dst)


@scenario("routed UDP, every byte of data kept", "A2")
def plain(s):
    for size in (0, 1, 17, 18, 19, 26, 100, 1000, 1472):
        s.send("p0", udp(H0, H1, bytes(i & 255 for i in range(size))))
    s.send("p1", udp(H1, H3))
    s.send("p3", udp(H3, H0))
    s.send("p0", udp(H0, far("p1", 9)))


@scenario("Ethernet padding is counted and cut off", "A2, A9")
def padding(s):
    packet = udp(H0, H1, b"x")
    for pad in (bytes(17), b"\xee" * 17, b"\xee" * 200, b"\0"):
        s.send("p0", packet + pad)
        s.send("p0", echo(H0, R0) + pad)
        s.send("p0", udp(H0, H1, ttl=1) + pad)


@scenario("frames shorter than a header", "A3")
def short(s):
    packet = udp(H0, H1)
    for size in (0, 1, 2, 8, 19):
        s.send("p0", packet[:size])


@scenario("wrong version or header length", "A3")
def version(s):
    for value in (0, 1, 3, 5, 6, 15):
        s.send("p0", udp(H0, H1, version=value))
    for value in range(5):
        s.send("p0", udp(H0, H1, ihl=value))
    s.send("p0", udp(H0, H1, version=6, ihl=0))


@scenario("ECN bits are counted, before the checksum is looked at", "A4")
def ecn(s):
    for tos in (0, 1, 2, 3, 0xfc, 0xff):
        s.send("p0", udp(H0, H1, tos=tos))
        s.send("p0", udp(H0, H1, tos=tos, check=0xdead))
        s.send("p0", udp(H0, H1, tos=tos, version=5))


@scenario("frame shorter than its header length", "A5")
def header_cut(s):
    for ihl in (6, 10, 15):
        s.send("p0", udp(H0, H1, ihl=ihl)[:20])
        s.send("p0", udp(H0, H1, ihl=ihl)[:ihl * 4 - 1])


@scenario("bad header checksum", "A6")
def bad_checksum(s):
    good = udp(H0, H1)
    right = int.from_bytes(good[10:12], "big")
    for wrong in (0, 0xffff, right ^ 1, right ^ 0x8000, (right + 0x100) & 0xffff):
        s.send("p0", udp(H0, H1, check=wrong))
        s.send("p0", udp(H0, R0, check=wrong))


@scenario("frame shorter than its total length", "A7")
def truncated(s):
    packet = udp(H0, H1, bytes(100))
    for size in (20, 21, 28, 127):
        s.send("p0", packet[:size])
    s.send("p0", udp(H0, R0, bytes(100))[:100])
    s.send("p0", udp(H0, H1, length=65535))
    s.send("p0", udp(H0, H1, bytes(30), length=59))
    s.send("p0", udp(H0, H1, bytes(30), length=58))


@scenario("total length shorter than the header", "A8")
def total_length(s):
    for length in (0, 1, 8, 19):
        s.send("p0", udp(H0, H1, length=length))
    for length in (20, 21, 27, 28, 30):
        s.send("p0", udp(H0, H1, length=length))


@scenario("each check comes before the next", "A")
def order(s):
    s.send("p0", udp(H0, H1, version=5, check=1))
    s.send("p0", udp(H0, H1, check=1, length=4000))
    s.send("p0", udp(H0, H1, length=4000, ttl=0))
    s.send("p0", udp(H0, H1, length=10, ttl=0))
    s.send("p0", udp(H0, "127.0.0.1", check=1))
    s.send("p0", udp(H0, H1, version=4, ihl=4, check=1, length=3))
    s.send("p0", udp(H0, H1, length=19, check=1))


@scenario("TTL is not looked at on the way in", "A")
def ttl_local(s):
    for ttl in (0, 1, 2, 255):
        s.send("p0", echo(H0, R0, ttl=ttl))
        s.send("p0", echo(H0, R2, ttl=ttl))


@scenario("the reserved flag bit does not matter", "A")
def reserved(s):
    for flags in (RESERVED, RESERVED | DF, DF):
        s.send("p0", udp(H0, H1, flags=flags))
        s.send("p0", echo(H0, R0, flags=flags))


@scenario("multicast destinations", "A class 1")
def multicast(s):
    for dst in (ALL_HOSTS, "224.0.0.2", "224.0.0.251", "239.1.2.3", "224.0.0.0",
                "239.255.255.255"):
        for packet in (udp(H0, dst), echo(H0, dst), udp("0.0.0.0", dst),
                       ipv4(H0, dst, 99, b"12345678")):
            s.send("p0", packet, dst="01:00:5e:00:00:01")
        s.send("p0", udp(H0, dst))


@scenario("sources for multicast", "A class 1")
def multicast_source(s):
    for src in (R0, R1, B0, B1, "127.0.0.1", EVERYONE, ALL_HOSTS, "0.1.2.3", "240.0.0.1",
                UNROUTED, UNREACHABLE):
        s.send("p0", udp(src, ALL_HOSTS), dst="01:00:5e:00:00:01")
        s.send("p0", udp(src, "224.0.0.9"), dst="01:00:5e:00:00:09")


@scenario("sources that no packet may have", "A class 2, 4, 5")
def bad_sources(s):
    for src in ("224.0.0.1", "239.9.9.9", EVERYONE, "0.0.0.0", "127.0.0.1", "127.255.255.255"):
        s.send("p0", udp(src, H1))
        s.send("p0", echo(src, R0))
        s.send("p0", udp(src, EVERYONE), dst=BROADCAST_MAC)
        s.send("p0", udp(src, B0), dst=BROADCAST_MAC)


@scenario("odd but ordinary sources are forwarded", "A class 4")
def odd_sources(s):
    for src in ("0.0.0.1", "0.255.255.255", "240.0.0.1", "255.255.255.254", "169.254.1.1",
                UNROUTED, H1, H3, G0, N0, N1, B0, B1, UNREACHABLE, PROHIBITED, BLACKHOLED):
        s.send("p0", udp(src, H1))
        s.send("p0", udp(src, far("p3", 1)))


@scenario("odd but ordinary sources are answered, or not", "A class 4")
def odd_sources_local(s):
    for src in ("0.0.0.1", "240.0.0.1", "255.255.255.254", UNROUTED, H1, H3, G0,
                UNREACHABLE, PROHIBITED, BLACKHOLED, far("p2", 1)):
        s.send("p0", echo(src, R0))
        s.send("p0", udp(src, R0))


@scenario("destinations that no packet may have", "A class 4, 5")
def bad_destinations(s):
    for dst in ("0.0.0.0", "127.0.0.1", "127.1.2.3"):
        s.send("p0", udp(H0, dst))
        s.send("p0", echo(H0, dst))
    for dst in ("0.0.0.1", "0.255.255.255", "240.0.0.1", "255.255.255.254"):
        s.send("p0", udp(far("p0", 1 + dst.count("5")), dst))
    s.send("p0", udp("0.0.0.0", "0.0.0.0"))
    s.send("p0", udp("0.0.0.0", "0.0.0.0"), dst=BROADCAST_MAC)


@scenario("route_localnet lets 127/8 in", "A class 5",
          setup=("sysctl net.ipv4.conf.p0.route_localnet=1",))
def localnet(s):
    s.send("p0", udp(H0, "127.0.0.1"))
    s.send("p0", echo(H0, "127.0.0.1"))
    s.send("p0", udp("127.0.0.1", H1))
    s.send("p1", udp("127.0.0.1", H0))


@scenario("limited broadcast", "A class 3")
def limited_broadcast(s):
    for dst in (BROADCAST_MAC, router_mac("p0")):
        s.send("p0", udp(H0, EVERYONE), dst=dst)
        s.send("p0", echo(H0, EVERYONE), dst=dst)
        s.send("p0", udp("0.0.0.0", EVERYONE, sport=68, dport=67), dst=dst)
        s.send("p0", udp("0.0.0.0", "0.0.0.0"), dst=dst)
        s.send("p0", udp(R0, EVERYONE), dst=dst)
        s.send("p0", udp(UNROUTED, EVERYONE), dst=dst)


@scenario("subnet broadcasts, ours and another port's, are delivered", "A class 6")
def directed_broadcast(s):
    for dst in (B0, B1, B2):
        s.send("p0", udp(H0, dst))
        s.send("p0", udp(H0, dst), dst=BROADCAST_MAC)
        s.send("p0", echo(H0, dst))
        s.send("p0", tcp(H0, dst))
        s.send("p0", ipv4(H0, dst, 99, b"12345678"))
        s.send("p0", udp(H0, dst, ttl=1))


@scenario("bc_forwarding forwards subnet broadcasts", "A class 6",
          setup=("sysctl net.ipv4.conf.all.bc_forwarding=1",
                 "sysctl net.ipv4.conf.p0.bc_forwarding=1"))
def bc_forwarding(s):
    s.send("p0", udp(H0, B1))
    s.send("p0", udp(H0, B0))
    s.send("p0", udp(H0, B1, ttl=1))
    s.send("p1", udp(H1, B0))
    s.send("p0", udp(H0, EVERYONE), dst=BROADCAST_MAC)


@scenario("the subnet's all-zeros address is a host", "A class 7",
          setup=(f"neigh add {N1} lladdr 02:00:00:00:01:77 dev p1 nud permanent",))
def all_zeros(s):
    s.send("p0", udp(H0, N1))
    s.send("p0", echo(H0, N1))


@scenario("every address answers on every port", "A class 6, weak host")
def weak_host(s):
    for dst in (R0, R1, R2, R3):
        s.send("p0", echo(H0, dst))
        s.send("p2", echo(H2, dst))
        s.send("p1", udp(far("p1", 1), dst))


@scenario("an address of a port that is down still answers", "A class 6, weak host",
          setup=("link set p1 down",), sentinel=None)
def weak_host_down(s):
    s.start("p0", echo(H0, R1))
    s.wait(0.2)
    s.start("p0", udp(H0, R1))
    s.wait(0.2)


@scenario("own addresses as source are refused", "A source checks")
def own_source(s):
    for src in (R0, R1, R3):
        s.send("p0", udp(src, H1))
        s.send("p0", echo(src, R0))
        s.send("p0", udp(src, B0), dst=BROADCAST_MAC)
        s.send("p0", udp(src, UNROUTED))
        s.send("p0", udp(src, H0))


MANY = [f"172.20.{number}" for number in range(100)]


@scenario("many own addresses as sources, fewer, and where tables are asked", "A source checks",
          setup=[f"addr add {network}.1/24 dev p{number % 4}"
                 for number, network in enumerate(MANY)])
def many_own_sources(s):
    frames = [udp(f"{network}.{host}", H1, id=host) for network in MANY for host in (1, 9, 255)]
    s.batches("p0", frames)
    s.run(*[f"addr del {network}.1/24 dev p{number % 4}"
            for number, network in enumerate(MANY) if number > 9])
    s.batches("p0", frames)
    s.run("rule add from 203.0.113.77 table main", *[f"addr add {network}.1/24 dev p2"
                                                     for network in MANY[10:]])
    s.batches("p0", frames)


@scenario("accept_local lets own addresses in as source", "A source checks",
          setup=("sysctl net.ipv4.conf.p0.accept_local=1",))
def accept_local(s):
    s.send("p0", udp(R1, H1))
    s.send("p0", udp(R0, H1))
    s.send("p0", udp(R1, far("p3", 1)))
    s.send("p1", udp(R0, H0))


@scenario("a subnet's broadcast address as source", "A source checks")
def broadcast_source(s):
    for src in (B0, B1):
        s.send("p0", udp(src, H1))
        s.send("p0", udp(src, H3))
        s.send("p0", udp(src, H0))
    s.send("p2", udp(B0, H1))
    s.send("p2", udp(B0, H2))


@scenario("answers to a broadcast source leave as broadcasts", "A source checks")
def broadcast_source_answered(s):
    s.send("p0", udp(B0, H1, ttl=1))
    s.send("p0", echo(B0, R0))
    s.send("p0", udp(B1, UNROUTED))
    s.send("p0", tcp(B0, R0))


@scenario("sources are checked in full where the packet leaves as it came", "A source checks")
def same_port_source(s):
    for src in (H1, B0, B1, R0, UNROUTED, UNREACHABLE, far("p0", 1), far("p1", 1)):
        s.send("p0", udp(src, J0))


@scenario("strict reverse path filter", "A rp_filter",
          setup=("sysctl net.ipv4.conf.p0.rp_filter=1",))
def rp_strict(s):
    for src in (H0, J0, far("p0", 1), H1, far("p1", 1), UNROUTED, R1, B0, B1, UNREACHABLE,
                PROHIBITED, BLACKHOLED, "0.0.0.1", N0):
        for dst in (H3, R0, J0):
            s.send("p0", udp(src, dst))
    s.send("p2", udp(H1, H3))
    s.send("p0", udp(H1, UNROUTED))
    s.send("p0", udp(H1, EVERYONE), dst=BROADCAST_MAC)
    s.send("p0", udp(H1, ALL_HOSTS), dst="01:00:5e:00:00:01")
    s.send("p0", udp(H1, H3, ttl=1))


@scenario("loose reverse path filter", "A rp_filter",
          setup=("sysctl net.ipv4.conf.all.rp_filter=2",))
def rp_loose(s):
    for src in (H0, far("p0", 1), H1, far("p1", 1), UNROUTED, R1, B1, UNREACHABLE, BLACKHOLED):
        for dst in (H3, R0, J0):
            s.send("p0", udp(src, dst))


@scenario("the stricter of all and the port counts", "A rp_filter",
          setup=("sysctl net.ipv4.conf.all.rp_filter=1", "sysctl net.ipv4.conf.p0.rp_filter=2"))
def rp_maximum(s):
    for src in (H1, UNROUTED, H0):
        s.send("p0", udp(src, H3))
        s.send("p1", udp(src, H3))


@scenario("a source that is off the port passes rp_filter by a route of its own", "A rp_filter",
          setup=("sysctl net.ipv4.conf.all.rp_filter=1",
                 "route add 203.0.113.0/24 dev p0", "route add 203.0.113.128/25 via 10.0.1.254"))
def rp_routes(s):
    s.send("p0", udp("203.0.113.5", H3))
    s.send("p0", udp("203.0.113.200", H3))
    s.send("p1", udp("203.0.113.200", H3))


@scenario("Ethernet broadcasts and multicasts are never forwarded", "A L2")
def l2_group(s):
    for dst in (BROADCAST_MAC, "01:00:5e:00:00:01", "03:00:00:00:00:01"):
        s.send("p0", udp(H0, H1), dst=dst)
        s.send("p0", udp(H0, H1, ttl=1), dst=dst)
        s.send("p0", udp(H0, UNROUTED), dst=dst)
        s.send("p0", udp(H0, UNREACHABLE), dst=dst)
        s.send("p0", udp(H0, H2, bytes(1450), flags=DF), dst=dst)
        s.send("p0", udp(H1, J0), dst=dst)


@scenario("Ethernet broadcasts to our address: delivered, errors held back", "A L2")
def l2_group_local(s):
    for dst in (BROADCAST_MAC, "01:00:5e:00:00:01"):
        s.send("p0", echo(H0, R0), dst=dst)
        s.send("p0", udp(H0, R0), dst=dst)
        s.send("p0", tcp(H0, R0), dst=dst)
        s.send("p0", ipv4(H0, R0, 99, b"12345678"), dst=dst)


@scenario("drop_unicast_in_l2_multicast", "A L2",
          setup=("sysctl net.ipv4.conf.p0.drop_unicast_in_l2_multicast=1",))
def l2_group_dropped(s):
    for dst in (BROADCAST_MAC, "01:00:5e:00:00:01"):
        s.send("p0", echo(H0, R0), dst=dst)
        s.send("p0", udp(H0, H1), dst=dst)
        s.send("p1", echo(H1, R1), dst=dst)
        s.send("p0", echo(H0, B0), dst=dst)


@scenario("other EtherTypes are none of IP's business", "A")
def other_types(s):
    for ethertype in (0x0000, 0x0040, 0x0801, 0x86dd, 0x88cc, 0x9000):
        s.send("p0", ethernet(router_mac("p0"), host_mac("p0"), ethertype, udp(H0, H1)))


@scenario("broadcast and multicast octets are counted", "A10, L")
def group_octets(s):
    for size in (0, 100, 1000):
        s.send("p0", udp(H0, EVERYONE, bytes(size)), dst=BROADCAST_MAC)
        s.send("p0", udp(H0, ALL_HOSTS, bytes(size)), dst="01:00:5e:00:00:01")
        s.send("p0", udp(H0, B0, bytes(size)) + b"\0\0\0", dst=BROADCAST_MAC)


@scenario("loopback sources to all hosts, with custom local routes and without", "A class 3")
def loopback_to_everyone(s):
    for setting in (None, "route add local 5.5.5.0/24 dev lo", "addr add 127.1.2.3/8 dev lo"):
        if setting:
            s.run(setting)
        for src in ("127.0.0.1", "127.74.248.190", "127.1.2.3", "5.5.5.5", "127.255.255.255"):
            s.send("p0", udp(src, EVERYONE), dst=BROADCAST_MAC)
            s.send("p0", udp(src, B0), dst=BROADCAST_MAC)
            s.send("p0", udp(src, R0))
            s.send("p0", udp(src, H1))


@scenario("PROBE replies to groups", "F")
def probe_to_groups(s):
    for type in (42, 43, 44):
        for dst in (R0, ALL_HOSTS, EVERYONE, B0):
            s.send("p0", icmp(H0, dst, type, data=bytes(28)), dst=BROADCAST_MAC)
