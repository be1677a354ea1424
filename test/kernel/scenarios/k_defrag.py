"""Rule K: fragments put together before they are routed, and cut again where they leave.

Linux does so while it tracks connections, for which nft must ask (lib/router_linux.py).
"""

import random
import shutil

from lib.layout import *
from lib.netns import missing_for_spread
from lib.packets import *
from lib.scenario import scenario

ON = ("sysctl net.millrace.defrag=1",)
WIDE = {"p0": 9000}
MISSING = "" if shutil.which("nft") else "nft is not installed"


def cut(packet, *sizes, keep=0, first_options=None, **fields):
    """A packet in fragments with so many bytes of payload, the last one as many as are left.

    `keep` is the part of the flags that every fragment has.
    """
    header = (packet[0] & 15) * 4
    src, dst, proto, ident, ttl = packet[12:16], packet[16:20], packet[9], packet[4:6], packet[8]
    message = packet[header:]
    fields = {"id": int.from_bytes(ident, "big"), "ttl": ttl, "tos": packet[1], **fields}
    pieces, at = [], 0
    for size in (*sizes, len(message)):
        part = message[at:at + size]
        options = {"options": first_options} if first_options and not at else {}
        pieces.append(ipv4(src, dst, proto, part, offset=at // 8,
                           flags=keep | (MF if at + len(part) < len(message) else 0),
                           **{**fields, **options}))
        at += len(part)
        if at == len(message):
            return pieces


def data(size, seed=1):
    return random.Random(seed).randbytes(size)


def kscenario(name, missing="", **details):
    details["setup"] = ON + tuple(details.get("setup", ()))
    return scenario(name, "K", missing=MISSING or missing, **details)


@kscenario("fragments that fit leave as they came, but for DF")
def as_they_came(s):
    for keep in (0, DF):
        for sizes in ((8,), (800,), (1480,), (400, 800), (800, 400), (16,) * 20):
            s.send("p0", *cut(udp(H0, H1, data(1450), id=len(sizes)), *sizes, keep=keep))


@kscenario("in any order")
def any_order(s):
    rng = random.Random(3)
    for id in range(20):
        pieces = cut(udp(H0, H1, data(1400, id), id=id), *(8 * rng.randrange(1, 40)
                                                          for _ in range(8)))
        rng.shuffle(pieces)
        s.send("p0", *pieces)


@kscenario("one by one: nothing leaves before all are there")
def one_by_one(s):
    s.each("p0", cut(udp(H0, H1, data(1500)), 400, 400, 400))
    s.each("p0", reversed(cut(udp(H0, H1, data(1500)), 400, 400, 400)))


@kscenario("a datagram that fits the MTU is cut all the same")
def small(s):
    for size in (16, 100, 500, 1200):
        s.send("p0", *cut(udp(H0, H2, data(size)), 8))
        s.send("p0", *cut(udp(H0, H2, data(size)), 8, keep=DF))


@kscenario("fragments that are too large for the way out", mtu=WIDE)
def too_large(s):
    for sizes in ((1480,), (1400,), (1376,), (1380,), (4000,), (1400, 8), (8, 1400)):
        for keep in (0, DF):
            s.send("p0", *cut(udp(H0, H2, data(4200)), *sizes, keep=keep))
            s.send("p0", *cut(udp(H0, H2, data(1560)), *sizes, keep=keep))


@kscenario("DF on some of the fragments", mtu=WIDE)
def some_df(s):
    for size in (1200, 1376, 1384, 2000):
        for order in (slice(None), slice(None, None, -1)):
            for marked in range(3):
                pieces = cut(udp(H0, H2, data(2 * size + 100), id=marked), size, size)
                again = cut(udp(H0, H2, data(2 * size + 100), id=marked), size, size, keep=DF)
                pieces[marked] = again[marked]
                s.send("p0", *pieces[order])


@kscenario("a TCP header in several fragments")
def tcp_header(s):
    """Where DF was on the largest only, the way that a datagram is cut again can be seen."""
    id = 0
    for sizes in ((8, 8), (8, 11), (8, 12), (16, 3), (16, 4), (16, 8), (8, 8, 8), (8, 8, 24),
                  (8, 16, 16), (16, 16, 1), (24, 24, 1), (8, 8, 8, 8, 8)):
        for protocol in (TCP, UDP, 99):
            for marked in range(len(sizes)):
                id += 1
                packet = ipv4(H0, H1, protocol, data(sum(sizes), id), id=id)
                pieces = cut(packet, *sizes[:-1])
                pieces[marked] = cut(packet, *sizes[:-1], keep=DF)[marked]
                s.send("p0", *pieces)
                s.send("p0", *reversed(pieces))


@kscenario("a TCP header in several fragments, one of them to everybody on the link")
def tcp_header_multicast(s):
    for id, odd in enumerate(range(3)):
        for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            packet = ipv4(H0, H1, TCP, data(40), id=id)
            pieces = [cut(packet, 16, 16, keep=DF)[0], *cut(packet, 16, 16)[1:]]
            s.send("p0", *[Frame(ethernet("01:00:5e:00:00:01" if n == odd else router_mac("p0"),
                                          host_mac("p0"), ETH_IP, pieces[n])) for n in order])


@kscenario("whole datagrams with and without DF pass as ever", mtu=WIDE)
def whole(s):
    for size in (100, 1372, 1373, 1472, 3000):
        for flags in (0, DF):
            s.send("p0", udp(H0, H2, data(size), flags=flags))


@kscenario("options in the first fragment")
def options_first(s):
    for options in (b"\x07\x27\x04" + bytes(36) + b"\0", b"\x94\x04\0\0", b"\1\1\1\1",
                    b"\x44\x0c\x05\0" + bytes(8), b"\x82\x0b" + bytes(9) + b"\0"):
        for keep in (0, DF):
            for size in (400, 1352, 1400, 1440):
                pieces = cut(ipv4(H0, H1, 99, data(2 * size + 50), options=b""), size, size,
                             keep=keep, first_options=options)
                if len(pieces[0]) <= 1500:
                    s.send("p0", *pieces)
                    s.send("p0", *reversed(pieces))


@kscenario("options in every fragment, and in the later ones only")
def options_later(s):
    security = b"\x82\x0b" + bytes(9) + b"\0"
    route = b"\x07\x0b\x04" + bytes(8) + b"\0"
    for options in (security, route, route + security):
        for size in (400, 1400):
            pieces = cut(ipv4(H0, H1, 99, data(2 * size + 50)), size, size, options=options)
            s.send("p0", *pieces)
            plain = cut(ipv4(H0, H1, 99, data(2 * size + 50)), size, size)
            s.send("p0", plain[0], *pieces[1:])


@kscenario("a broken option shows once the datagram is whole")
def options_broken(s):
    for options in (b"\x07\x03\0\0", b"\x44\x08\4\0" + bytes(4), b"\x83\7\3" + bytes(5)):
        s.send("p0", *cut(ipv4(H0, H1, 99, data(900)), 400, first_options=options))


@kscenario("the time to live of the first fragment counts, and is told once")
def ttl(s):
    for first, second in ((1, 64), (64, 1), (1, 1), (0, 5), (2, 2)):
        a = cut(udp(H0, H1, data(900)), 400, ttl=first)
        b = cut(udp(H0, H1, data(900)), 400, ttl=second)
        s.send("p0", a[0], b[1])
        s.send("p0", b[1], a[0])


@kscenario("no way, told once")
def no_way(s):
    for dst in (UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED):
        s.send("p0", *cut(udp(H0, dst, data(900)), 400))
        s.send("p0", *reversed(cut(udp(H0, dst, data(900)), 400)))


@kscenario("a better way is told once")
def redirect(s):
    s.send("p0", *cut(udp(H0, far("p0", 1), data(900)), 400))


@kscenario("for the router itself")
def local(s):
    for size in (600, 1700):
        s.send("p0", *cut(echo(H0, R0, data(size)), 400))
        s.send("p0", *reversed(cut(echo(H0, R0, data(size)), 400)))
        s.send("p0", *cut(udp(H0, R0, data(size)), 400))
    s.send("p0", *cut(tcp(H0, R0, data=data(600)), 400))
    s.send("p0", *cut(echo(H0, R1, data(600)), 400, keep=DF))


@kscenario("large answers of the router", mtu=WIDE)
def large_answers(s):
    for size in (1400, 3000, 8000):
        s.send("p0", echo(H0, R0, data(size)))
        s.send("p0", echo(H2, R0, data(size)))


@kscenario("to many")
def to_many(s):
    for dst in (B0, EVERYONE, ALL_HOSTS, "224.0.0.9"):
        s.send("p0", *cut(udp(H0, dst, data(600)), 400))
        s.send("p0", *cut(udp(H0, dst, data(600)), 400), dst=BROADCAST_MAC)
    s.send("p0", *cut(udp(H0, H1, data(600)), 400), dst=BROADCAST_MAC)


@kscenario("impossible addresses")
def martians(s):
    for src, dst in (("127.0.0.1", H1), (H0, "127.0.0.1"), (R0, H1), ("0.0.0.0", H1),
                     ("224.0.0.1", H1), (H0, "0.0.0.0")):
        s.send("p0", *cut(udp(src, dst, data(600)), 400))


@kscenario("duplicates and overlaps")
def overlaps(s):
    a = cut(udp(H0, H1, data(900)), 400)
    b = cut(udp(H0, H1, data(900)), 408)
    s.send("p0", a[0], a[0], a[1], *a[2:])
    s.send("p0", b[0], a[1])
    s.send("p0", *a)
    s.send("p0", a[1], b[0])
    s.send("p0", *b)


@kscenario("fragments of the same identification by two ports come together")
def two_ports(s):
    pieces = cut(udp(far("p0", 1), H2, data(900)), 400, 400)
    s.send("p0", pieces[0])
    s.send("p1", *pieces[1:])
    s.send("p1", pieces[0])
    s.send("p0", *pieces[1:])


@kscenario("ECN bits")
def ecn(s):
    for first in range(4):
        for second in range(4):
            a = cut(udp(H0, H1, data(900), id=first * 4 + second), 400, tos=first)
            b = cut(udp(H0, H1, data(900), id=first * 4 + second), 400, tos=second)
            s.send("p0", a[0], *b[1:])


@kscenario("an end that is no multiple of eight, empty fragments")
def odd(s):
    s.send("p0", ipv4(H0, H1, 99, data(405), flags=MF), ipv4(H0, H1, 99, data(100), offset=50))
    s.send("p0", ipv4(H0, H1, 99, flags=MF))
    s.send("p0", ipv4(H0, H1, 99, offset=8))
    s.send("p0", ipv4(H0, H1, 99, data(7), flags=MF))
    s.send("p0", ipv4(H0, H1, 99, data(64), offset=8190, flags=MF))


@kscenario("broadcast UDP with a wrong checksum is ignored unread, whole or in fragments")
def wrong_checksum(s):
    for dst in (EVERYONE, B0, R0):
        for size in (20, 60, 445):
            packet = udp(H0, dst, data(size), udp_check=0x1234)
            s.send("p0", packet)
            s.send("p0", *cut(packet, 16))


@kscenario("first fragments without a whole header of their protocol")
def short_first(s):
    ident = 0
    for make in (tcp, udp, lambda src, dst, data, id: ipv4(src, dst, 99, data, id=id)):
        for sizes in ((8,), (16,), (24,), (8, 8), (8, 8, 8), (16, 8, 40), (8, 16)):
            for size in (0, 4, 12, 30, 200):
                for dst, to in ((H1, None), (R0, None), (H1, BROADCAST_MAC)):
                    ident += 1
                    packet = make(H0, dst, data=data(size), id=ident)
                    for order in (slice(None), slice(None, None, -1)):
                        s.send("p0", *cut(packet, *sizes)[order], dst=to)
    for options in (b"\1" * 4, b"\1" * 40):
        for sizes in ((8,), (16,), (8, 8)):
            s.send("p0", *cut(tcp(H0, H1, data=data(99)), *sizes, first_options=options))


@kscenario("the largest datagram", mtu={"p0": 9000, "p1": 9000})
def largest(s):
    for size in (65507, 65500, 65000):
        s.send("p0", *cut(udp(H0, H1, data(size)), *(8000,) * 8))
        s.send("p0", *cut(udp(H0, H2, data(size)), *(8000,) * 8))
        s.send("p0", *cut(udp(H0, H1, data(size)), *(1480,) * 50))


@kscenario("a narrow way", setup=("route add 203.0.113.0/25 via 10.0.1.254 mtu 68",
                                 "route add 203.0.113.128/25 via 10.0.2.254 mtu 576"))
def narrow(s):
    for dst in ("203.0.113.1", "203.0.113.129"):
        for keep in (0, DF):
            for sizes in ((48,), (556,), (552,), (40,), (1000,), (48,) * 40):
                s.send("p0", *cut(udp(H0, dst, data(1200)), *sizes, keep=keep))


@kscenario("reassembly switched on and off", mtu=WIDE)
def switched(s):
    pieces = cut(udp(H0, H1, data(900)), 400)
    s.send("p0", *reversed(pieces))
    s.run("sysctl net.millrace.defrag=0")
    s.send("p0", udp(H0, H1))
    s.run("sysctl net.millrace.defrag=1")
    s.send("p0", *reversed(pieces))


@kscenario("what is not completed is told only if it was for the router", slow=True,
          sentinel=None, setup=("sysctl net.ipv4.ipfrag_time=1",))
def expiry(s):
    for dst in (R0, R1, H1, UNROUTED, B0, EVERYONE):
        s.start("p0", cut(udp(H0, dst, data(900)), 400)[0])
        s.pause(0.1)
    s.wait(3, tolerance=1)
    s.start("p0", cut(udp(H0, R0, data(900)), 400)[1])
    s.wait(3, tolerance=1)


@kscenario("options filled in, with the source route of a whole datagram",
          setup=("sysctl net.ipv4.conf.all.accept_source_route=1",))
def source_route(s):
    for kind in (131, 137):
        options = bytes((kind, 7, 4)) + address(H1) + b"\0"
        s.send("p0", *cut(ipv4(H0, R0, 99, data(900)), 400, first_options=options))
        s.send("p0", *cut(ipv4(H0, R0, 99, data(900)), 400, options=options))


@kscenario("the longest datagrams into the narrowest", missing=missing_for_spread(),
           mtu={"p1": 68, "p2": 69})
def longest_narrow(s):
    s.run("sysctl net.ipv4.ipfrag_high_thresh=100000000")
    s.spread("p1")
    s.spread("p2")
    for dst in (H1, H2):
        for size in (65000, 65534, 65535):
            for options in (b"", b"\x07\x0b\x04" + bytes(9), b"\x94\4\0\0" * 10):
                for keep in (0, DF):
                    packet = ipv4(H0, dst, 99, data(size - 20 - len(options)), id=size,
                                  options=options)
                    s.send("p0", *cut(packet, *(1440,) * 46, keep=keep, options=options))
                    s.send("p0", *cut(packet, *(1440,) * 46, keep=keep, options=options)[::-1])
    s.check_counters()
