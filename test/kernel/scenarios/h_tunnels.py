"""Rule H4: routes over several ways whose choice looks into tunnels: hash policies 2 and 3."""

import random
import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_options import padded, rr
from scenarios.h_groups import SEED, THREE

INNER = "sysctl net.ipv4.fib_multipath_hash_policy=2"
FIELDS = "sysctl net.ipv4.fib_multipath_hash_policy=3"
IPIP, IPV6, GRE, MPLS, AH = 4, 41, 47, 137, 51
EIGHT = "route add 20.0.0.0/8" + "".join(
    f" nexthop via 10.0.{1 + n % 3}.{10 + n}" for n in range(24))
SETUP = (SEED, EIGHT) + tuple(
    f"neigh add 10.0.{1 + n % 3}.{10 + n} lladdr 02:00:00:00:0{1 + n % 3}:{10 + n:02x}"
    f" dev p{1 + n % 3} nud permanent" for n in range(24))
RECORD = padded(rr(2))
SRC, DST = "198.51.100.1", "20.1.2.3"       # of the outer header: what differs lies within

TYPE_IPV4, TYPE_IPV6, TYPE_BRIDGED, TYPE_PPP = 0x0800, 0x86dd, 0x6558, 0x880b
TYPE_VLAN, TYPE_QINQ, TYPE_PPPOE, TYPE_BATMAN = 0x8100, 0x88a8, 0x8864, 0x4305
TYPE_HSR, TYPE_PRP, TYPE_TIPC, TYPE_MPLS, TYPE_FCOE = 0x892f, 0x88fb, 0x88ca, 0x8847, 0x8906
CHECKSUM, ROUTING, KEY, SEQUENCE, ACKNOWLEDGED = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080


def tunnel(proto, payload, **fields):
    return ipv4(SRC, DST, proto, payload, **fields)


def gre(type, payload, flags=0, version=0):
    """With the optional fields that the flags say; those of PPTP in version 1."""
    header = struct.pack("!HH", flags | version, type)
    for n, flag in enumerate((CHECKSUM, KEY, SEQUENCE, ACKNOWLEDGED if version else 0)):
        if flags & flag:
            header += bytes((n, 2, 3, 4))
    return header + payload


def ipv6(src, dst, proto, payload=b"", *, label=0, version=6, hops=64):
    return struct.pack("!IHBB", version << 28 | label, len(payload), proto, hops) + src + dst + \
        payload


def bridged(type, payload):
    return bytes(range(12)) + struct.pack("!H", type) + payload


def vlan(type, payload):
    return struct.pack("!HH", 7, type) + payload


def address6(n):
    return bytes.fromhex("20010db8") + bytes(8) + struct.pack("!I", n)


class Flows:
    """Packets that lie in tunnels, no two flows alike."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def four(self, **fields):
        r = self.rng
        src, dst = (f"192.0.{r.randrange(2, 4)}.{r.randrange(1, 255)}" for _ in range(2))
        sport, dport = r.randrange(1, 65536), r.randrange(1, 65536)
        return r.choice((udp, tcp))(src, dst, sport=sport, dport=dport, **fields)

    def six(self, proto=UDP, before=b"", label=None):
        r = self.rng
        ports = struct.pack("!HH", r.randrange(1, 65536), r.randrange(1, 65536))
        return ipv6(address6(r.randrange(100)), address6(r.randrange(100)), proto,
                    before + ports + bytes(8),
                    label=r.choice((0, 1, r.randrange(1 << 20))) if label is None else label)


def each_policy(s, packets):
    """Plays what packets(Flows) yields under policies 1 and 2 and by many sets of fields."""
    for seed in range(4):
        s.run(INNER if seed else "sysctl net.ipv4.fib_multipath_hash_policy=1")
        s.batches("p0", packets(Flows(seed)))
    s.run(FIELDS)
    for fields in (0x007, 0x030, 0x0c0, 0x1c0, 0x200, 0x3c0, 0xc00, 0xfff, 0x008, 0x007 | 0x0c0,
                   0x040, 0x080, 0x100, 0x400, 0x800, 0xfc0, 0x03f):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_fields={fields}")
        s.batches("p0", packets(Flows(fields)))


@scenario("IP in IP", "H4", setup=SETUP)
def ip_in_ip(s):
    def packets(flows):
        for _ in range(16):
            four, six = flows.four(), flows.six()
            yield tunnel(IPIP, four)
            yield tunnel(IPV6, six)
            yield tunnel(IPV6, ipv6(address6(1), address6(2), IPIP, flows.four()))
            yield tunnel(IPIP, ipv4(H1, H2, IPIP, flows.four()))
            yield tunnel(IPV6, ipv6(address6(1), address6(2), IPV6, flows.six()))
            yield four
    each_policy(s, packets)


@scenario("GRE and its fields", "H4", setup=SETUP)
def gre_fields(s):
    def packets(flows):
        for flags in range(0, 0x10000, 0x1000):
            yield tunnel(GRE, gre(TYPE_IPV4, flows.four(), flags))
            yield tunnel(GRE, gre(TYPE_IPV6, flows.six(), flags))
            yield tunnel(GRE, gre(TYPE_BRIDGED, bridged(TYPE_IPV4, flows.four()), flags))
        for bit in range(16):
            yield tunnel(GRE, gre(TYPE_IPV4, flows.four(), 1 << bit))
        for version in range(8):
            yield tunnel(GRE, gre(TYPE_IPV4, flows.four(), version=version))
    each_policy(s, packets)


@scenario("PPTP's GRE", "H4", setup=SETUP)
def pptp(s):
    def packets(flows):
        for flags in (0, KEY, KEY | SEQUENCE, KEY | ACKNOWLEDGED, KEY | SEQUENCE | ACKNOWLEDGED,
                      KEY | CHECKSUM, SEQUENCE, KEY | ROUTING):
            for kind, payload in ((0x21, flows.four()), (0x57, flows.six()), (0xc021, b""),
                                  (0x21, flows.four()[:10])):
                for type in (TYPE_PPP, TYPE_IPV4):
                    yield tunnel(GRE, gre(type, struct.pack("!HH", 0xff03, kind) + payload,
                                          flags, version=1))
    each_policy(s, packets)


@scenario("what GRE carries", "H4", setup=SETUP)
def gre_payloads(s):
    def packets(flows):
        four = flows.four()
        for type in (TYPE_MPLS, TYPE_FCOE, TYPE_TIPC, 0x0806, 0x8035, 0x88f7, 0x8902, 0, 0xffff,
                     TYPE_PPP):
            yield tunnel(GRE, gre(type, four))
            yield tunnel(GRE, gre(type, four[:15]))
            yield tunnel(GRE, gre(TYPE_BRIDGED, bridged(type, four)))
        for inner, payload in ((TYPE_IPV4, flows.four()), (TYPE_IPV6, flows.six())):
            for tag in (TYPE_VLAN, TYPE_QINQ):
                yield tunnel(GRE, gre(tag, vlan(inner, payload)))
                for _ in range(4):
                    payload, inner = vlan(inner, payload), tag
                    yield tunnel(GRE, gre(TYPE_BRIDGED, bridged(inner, payload)))
        for type in (TYPE_HSR, TYPE_PRP):
            yield tunnel(GRE, gre(type, bytes(4) + struct.pack("!H", TYPE_IPV4) + flows.four()))
            yield tunnel(GRE, gre(type, bytes(4) + struct.pack("!H", TYPE_IPV6) + flows.six()))
            yield tunnel(GRE, gre(type, bytes(5)))
        for first, code in ((0x11, 0), (0x11, 1), (0x12, 0), (0x21, 0)):
            start = bytes((first, code, 0, 1, 0, 40))
            for number, payload in ((b"\0\x21", flows.four()), (b"\0\x57", flows.six()),
                                    (b"\x21", flows.four()), (b"\x57", flows.six()),
                                    (b"\x02\x81", four), (b"\xc0\x21", four), (b"\x81", four)):
                yield tunnel(GRE, gre(TYPE_PPPOE, start + number + payload))
        for kind, version in ((0x40, 15), (0x40, 14), (0x41, 15)):
            frame = bytes((kind, version)) + bytes(8)
            yield tunnel(GRE, gre(TYPE_BATMAN, frame + bridged(TYPE_IPV4, flows.four())))
            yield tunnel(GRE, gre(TYPE_BATMAN, frame + bridged(TYPE_IPV6, flows.six())))
            yield tunnel(GRE, gre(TYPE_BATMAN, (frame + bridged(TYPE_IPV4, b""))[:-1]))
        yield tunnel(MPLS, b"\0\1\1\x40" + flows.four())
        yield tunnel(GRE, gre(TYPE_TIPC, bytes(16)))
        yield tunnel(IPIP, ipv4(H1, H2, GRE, gre(TYPE_TIPC, flows.four())))
        yield icmp(far("p2", 3), DST, 3, data=flows.four())
    each_policy(s, packets)


@scenario("tunnels that are cut off", "H4", setup=SETUP)
def cut_off(s):
    def packets(flows):
        four, six = flows.four(), flows.six()
        for proto, whole in ((IPIP, four), (IPV6, six), (GRE, gre(TYPE_IPV4, four)),
                             (GRE, gre(TYPE_IPV6, six)),
                             (GRE, gre(TYPE_BRIDGED, bridged(TYPE_IPV4, four),
                                       CHECKSUM | KEY | SEQUENCE))):
            for bytes_left in range(0, len(whole), 1 if len(whole) < 40 else 3):
                yield tunnel(proto, whole[:bytes_left])
        for ihl in range(16):
            yield tunnel(IPIP, flows.four(ihl=ihl))
        for version in (0, 5, 6, 15):
            yield tunnel(IPIP, flows.four(version=version))
            yield tunnel(IPV6, ipv6(address6(1), address6(2), UDP, four[20:28], version=version))
        yield tunnel(IPIP, flows.four(options=RECORD), options=RECORD)
    each_policy(s, packets)


@scenario("fragments in tunnels and of tunnels", "H4", setup=SETUP)
def fragments(s):
    def packets(flows):
        for flags, offset in ((0, 0), (MF, 0), (MF, 5), (0, 5), (DF, 0), (RESERVED, 0)):
            for _ in range(3):
                yield tunnel(IPIP, flows.four(flags=flags, offset=offset))
                yield tunnel(GRE, gre(TYPE_IPV4, flows.four(flags=flags, offset=offset)))
                if flags != RESERVED:
                    yield tunnel(IPIP, flows.four(), flags=flags, offset=offset)
                    yield tunnel(GRE, gre(TYPE_IPV4, flows.four()), flags=flags, offset=offset)
        for offset in (0, 1, 8, 9):
            header = struct.pack("!BBHI", UDP, 0, offset, 7)
            yield tunnel(IPV6, flows.six(44, header))
            yield tunnel(IPV6, flows.six(44, header[:5]))
    each_policy(s, packets)


@scenario("IPv6 with further headers in tunnels", "H4", setup=SETUP)
def extension_headers(s):
    def packets(flows):
        for number in (0, 43, 60, 50, 51, 44, 59, 58, 6, 132, 136, 33):
            for following in (UDP, 60, IPIP, GRE):
                header = struct.pack("!BB", following, 0) + bytes(6)
                yield tunnel(IPV6, flows.six(number, header))
                yield tunnel(IPV6, flows.six(number, struct.pack("!BB", following, 1) + bytes(14)))
            yield tunnel(number, flows.four()[20:28])
        for following, payload in ((IPIP, flows.four()), (IPV6, flows.six()),
                                   (GRE, gre(TYPE_IPV4, flows.four()))):
            yield tunnel(IPV6, ipv6(address6(1), address6(2), 0,
                                    struct.pack("!BB", following, 0) + bytes(6) + payload))
        for label in (0, 1, 0xfffff):
            yield tunnel(IPV6, flows.six(label=label))
            yield tunnel(IPV6, ipv6(address6(1), address6(2), IPV6, flows.six(label=0),
                                    label=label))
    each_policy(s, packets)


@scenario("tunnels in tunnels, as deep as is looked", "H4", setup=SETUP)
def deep(s):
    def packets(flows):
        for depth in range(12, 20):
            inner = flows.four()
            for n in range(depth):
                inner = ipv4(f"192.0.2.{n}", H1, IPIP, inner)
            yield tunnel(IPIP, inner)
            six = struct.pack("!BB", UDP, 0) + bytes(6) + b"\1\2\3\4" + bytes(4)
            for _ in range(depth):
                six = struct.pack("!BB", 60, 0) + bytes(6) + six
            yield tunnel(IPV6, ipv6(address6(3), address6(4), 60, six))
            frame, type = flows.four(), TYPE_IPV4
            for _ in range(depth):
                frame, type = vlan(type, frame), TYPE_VLAN
            yield tunnel(GRE, gre(type, frame))
    each_policy(s, packets)


@scenario("every single field", "H4", setup=(SEED, THREE, FIELDS))
def single_fields(s):
    for bit in range(12):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_fields={1 << bit}")
        flows = Flows(bit)
        s.batches("p0", [packet for _ in range(24) for packet in (
            udp(far("p2", flows.rng.randrange(1, 200)), f"20.0.0.{flows.rng.randrange(200)}",
                sport=flows.rng.randrange(1, 60000), dport=flows.rng.randrange(1, 60000)),
            tunnel(IPIP, flows.four()), tunnel(IPV6, flows.six()))])


@scenario("which sets of fields there are", "H4")
def sets_of_fields(s):
    s.refused(*(f"sysctl net.ipv4.fib_multipath_hash_{name}={value}" for name, value in (
        ("fields", 0), ("fields", 4096), ("fields", -1), ("policy", 4), ("policy", -1))))
    s.run("sysctl net.ipv4.fib_multipath_hash_fields=1",
          "sysctl net.ipv4.fib_multipath_hash_fields=4095",
          "sysctl net.ipv4.fib_multipath_hash_fields=0xfff")


@scenario("what the router sends of itself about tunnels", "H4", setup=SETUP + (
    "sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.icmp_msgs_per_sec=100000"))
def about_tunnels(s):
    """Errors go the way of what they are about, by what lies in it."""
    for setting in (INNER, FIELDS):
        s.run(setting)
        for fields in (0x007, 0x0c0, 0xfff):
            s.run(f"sysctl net.ipv4.fib_multipath_hash_fields={fields}")
            flows = Flows(fields)
            for n in range(16):
                src = f"20.3.0.{n}"
                for proto, payload in ((IPIP, flows.four()), (GRE, gre(TYPE_IPV4, flows.four())),
                                       (IPV6, flows.six()), (UDP, flows.four()[20:])):
                    s.send("p0", ipv4(src, H1, proto, payload, ttl=1),
                           ipv4(src, R0, proto, payload), ipv4(src, PROHIBITED, proto, payload),
                           ipv4(src, H2, proto, payload + bytes(1300), flags=DF), echo(src, R0))


@scenario("redirects that name a tunnel's packet", "H4, F redirects", setup=SETUP)
def redirects(s):
    for setting in (INNER, FIELDS):
        s.run(setting)
        flows = Flows(1)
        for n in range(12):
            dst = f"20.4.0.{n}"
            for way in range(24):
                s.send("p0", icmp(f"10.0.{1 + way % 3}.{10 + way}", R0, 5, 1, address(G0),
                                  tunnel(IPIP, flows.four())))
            s.send("p0", echo(dst, R0), udp(H0, dst))
