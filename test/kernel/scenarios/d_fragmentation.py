"""Rules D, C4 and G3: packets that are larger than the MTU leave in pieces."""

import random

from lib.layout import *
from lib.netns import missing_for_spread
from lib.packets import *
from lib.scenario import scenario

NO_SPREAD = missing_for_spread()
PAYLOAD = random.Random(791).randbytes(65535)


def sized(src, dst, size, **fields):
    """A packet of so many bytes whose payload shows where each byte belongs."""
    header = 20 + len(fields.get("options", b""))
    return ipv4(src, dst, 99, PAYLOAD[:size - header], **fields)


def sized_echo(src, dst, size, **fields):
    return echo(src, dst, PAYLOAD[:size - 28], **fields)


@scenario("sizes around the MTU, and around each boundary of the pieces", "D")
def sizes(s):
    s.each("p0", [sized(H0, H2, size) for size in range(1390, 1432)])
    s.each("p0", [sized(H0, far("p2", 1), size) for size in range(1488, 1501)])


@scenario("3000 bytes over an MTU of 1400", "D", mtu={"p0": 9000})
def three_pieces(s):
    for size in (2771, 2772, 2773, 2779, 2780, 2781, 2992, 3000, 4148, 4149, 9000):
        s.send("p0", sized(H0, H2, size))


@scenario("an odd MTU: the last piece may be longer than the others", "D",
          mtu={"p0": 9000, "p1": 1501})
def odd_mtu(s):
    s.each("p0", [sized(H0, H1, size) for size in (1500, 1501, 1502, 1503)])
    s.each("p0", [sized(H0, H1, size) for size in range(2975, 2990)])


@scenario("every remainder of an MTU divided by 8", "D", mtu={"p0": 9000})
def mtu_remainders(s):
    for mtu in range(1293, 1303):
        s.run(f"link set p1 mtu {mtu}")
        s.each("p0", [sized(H0, H1, size) for size in (mtu, mtu + 1, 2 * mtu - 20, 2 * mtu - 28,
                                                       2 * mtu - 19, 3 * mtu)])


@scenario("MTUs from 68 up", "D")
def narrow(s):
    for mtu in (68, 69, 75, 76, 77, 128, 296, 576, 1006, 1280, 1492):
        s.run(f"link set p1 mtu {mtu}")
        s.each("p0", [sized(H0, H1, size) for size in (mtu, mtu + 1, mtu + 8, 1500)])


@scenario("a narrow MTU of a route", "D",
          setup=("route add 203.0.113.0/25 via 10.0.1.254 mtu 68",
                 "route add 203.0.113.128/25 via 10.0.2.254 mtu 576"))
def route_mtu(s):
    for dst in ("203.0.113.1", "203.0.113.129"):
        s.each("p0", [sized(H0, dst, size) for size in (68, 69, 117, 576, 577, 1400, 1500)])


@scenario("a changed MTU counts at once", "D")
def changed_mtu(s):
    s.send("p0", sized(H0, H1, 1500))
    s.run("link set p1 mtu 700")
    s.send("p0", sized(H0, H1, 1500))
    s.run("link set p1 mtu 1500")
    s.send("p0", sized(H0, H1, 1500))


@scenario("what the header says goes into each piece", "D")
def header_fields(s):
    for fields in ({"tos": 0xff}, {"tos": 0x10}, {"id": 0}, {"id": 0xffff}, {"ttl": 2},
                   {"ttl": 255}, {"flags": RESERVED}, {"flags": RESERVED | MF},
                   {"flags": MF}):
        s.send("p0", sized(H0, H2, 1500, **fields))
    s.each("p0", [sized(H0, H2, 1500, id=value * 257) for value in range(0, 256, 5)])


@scenario("fragments of fragments", "D")
def fragments(s):
    for flags in (0, MF, RESERVED | MF):
        for offset in (1, 100, 185, 4000):
            for size in (1401, 1404, 1405, 1499, 1500):
                s.send("p0", sized(H0, H2, size, flags=flags, offset=offset))


@scenario("fragments of fragments of any length, as MF says nothing of it", "D",
          mtu={"p2": 100})
def ragged_fragments(s):
    for size in range(100, 120):
        s.send("p0", sized(H0, H2, size, flags=MF))
        s.send("p0", sized(H0, H2, size, flags=MF, offset=7))


@scenario("pieces behind the end of the offset's 13 bits", "D")
def offset_overflow(s):
    for offset in (8000, 8016, 8017, 8018, 8190, 8191):
        for flags in (0, MF):
            s.send("p0", sized(H0, H2, 1500, flags=flags, offset=offset))


@scenario("DF is answered, and what may be cut is cut", "C4, D")
def dont_fragment(s):
    for size in (1400, 1401, 1500):
        for flags in (0, DF, RESERVED, DF | RESERVED, DF | MF):
            s.send("p0", sized(H0, H2, size, flags=flags))
    s.send("p0", sized(H0, H2, 1500, flags=DF, offset=10))
    s.send("p0", sized(H0, H2, 1500, flags=DF, ttl=1))
    s.send("p0", sized(H0, H2, 1500, ttl=1))


@scenario("a burst keeps its order, cut or whole", "D")
def burst(s):
    s.send("p0", *[sized(H0, (H1, H2, H3)[i % 3], 1500 - 7 * (i % 19), id=i)
                   for i in range(120)])


@scenario("every protocol is cut", "D")
def protocols(s):
    s.send("p0", *[ipv4(H0, H2, protocol, PAYLOAD[:1480]) for protocol in range(0, 256, 7)])
    s.send("p0", udp(H0, H2, PAYLOAD[:1472]))
    s.send("p0", tcp(H0, H2, ACK, PAYLOAD[:1460]))
    s.send("p0", echo(H0, H2, PAYLOAD[:1472]))


@scenario("pieces for a neighbour that does not answer", "D, I", sentinel=None, slow=True)
def no_neighbour(s):
    s.start("p0", sized(far("p0", 1), "10.0.2.77", 1500))
    s.wait(4)


@scenario("a redirect comes before the pieces", "D, C9",
          setup=("route add 203.0.113.0/25 via 10.0.0.254 mtu 700",))
def redirect(s):
    s.send("p0", sized(H0, "203.0.113.1", 700))
    s.send("p0", sized(J0, "203.0.113.1", 701))
    s.send("p0", sized(J0, "203.0.113.1", 1500, flags=DF))


@scenario("jumbo frames into ordinary ones", "D", mtu={"p0": 9000})
def jumbo(s):
    for size in (1501, 2048, 2049, 2960, 2961, 4096, 4440, 8999, 9000):
        s.send("p0", sized(H0, H1, size))
        s.send("p0", sized(H0, H2, size, flags=MF, offset=77))
    s.send("p0", *[sized(H0, (H1, H2)[i % 2], 9000, id=i) for i in range(8)])


@scenario("jumbo frames into the narrowest", "D", mtu={"p0": 9000, "p1": 68})
def jumbo_narrow(s):
    for size in (69, 116, 117, 1500, 9000):
        s.send("p0", sized(H0, H1, size))


@scenario("the router's own answers", "G3, D")
def own_answers(s):
    for mtu in (68, 576, 1293, 1294, 1298, 1300, 1301):
        s.run(f"link set p1 mtu {mtu}")
        s.send("p1", sized_echo(H1, R1, mtu))
        s.each("p0", [sized_echo(H1, R0, size) for size in (mtu + 1, mtu + 9, 1499, 1500)])


@scenario("the router's own answers by a route of its own MTU", "G3, D",
          mtu={"p0": 9000, "p1": 1600},
          setup=("route add 203.0.113.0/25 via 10.0.1.254 mtu 1000",
                 "route add 203.0.113.128/25 via 10.0.1.254 mtu 1501"))
def own_answers_route(s):
    for src in ("203.0.113.1", "203.0.113.129"):
        s.each("p0", [sized_echo(src, R0, size)
                      for size in (1000, 1001, 1500, 1501, 1502, 1977, 2980, 2981, 2982, 2983,
                                   2990, 9000)])


# Record route (7) and timestamp (68) are for the first piece alone; router alert (148), the
# security option (130) and source routes (131, 137) for each.
RECORD_ROUTE = bytes((7, 11, 12)) + bytes(8)
ROUTER_ALERT = bytes((148, 4, 0, 0))
UNKNOWN = bytes((30, 6, 1, 2, 3, 4))
UNKNOWN_COPIED = bytes((158, 6, 1, 2, 3, 4))
NOP, END = b"\1", b"\0"


def padded(*options):
    joined = b"".join(options)
    return joined + bytes(-len(joined) % 4)


OPTIONS = (padded(ROUTER_ALERT), padded(RECORD_ROUTE), padded(NOP, RECORD_ROUTE),
           padded(UNKNOWN), padded(UNKNOWN_COPIED), padded(UNKNOWN, UNKNOWN_COPIED),
           padded(ROUTER_ALERT, UNKNOWN, NOP, NOP, UNKNOWN_COPIED), padded(UNKNOWN, END, UNKNOWN),
           padded(NOP, NOP, NOP, NOP), padded(END), padded(*[UNKNOWN] * 6, ROUTER_ALERT),
           padded(*[UNKNOWN_COPIED, UNKNOWN] * 3, NOP, NOP, NOP, NOP))


@scenario("options in the pieces", "D, B")
def options(s):
    for each in OPTIONS:
        s.send("p0", sized(H0, H2, 1500, options=each))
        s.send("p0", sized(H0, H2, 1500, options=each, flags=MF))
        s.send("p0", sized(H0, H2, 1500, options=each, flags=MF, offset=5))
        s.send("p0", sized(H0, H2, 1500, options=each, offset=9))
        s.send("p0", sized(H0, H2, 1500, options=each, flags=DF))


@scenario("pieces of 8 bytes, for all else is options", "D, B", mtu={"p1": 68})
def options_narrow(s):
    for each in OPTIONS:
        s.send("p0", sized(H0, H1, 300, options=each))
        s.send("p0", sized(H0, H1, 300, options=each, offset=3, flags=MF))


# A buffer of DPDK's, and so a received frame, has no room for 65535 bytes. Answers of the router's
# own, and datagrams put together here, do.
LONGEST_FRAME = 61000


@scenario("the longest frames into the narrowest", "D, C4", missing=NO_SPREAD,
          mtu={"p0": LONGEST_FRAME, "p1": 68, "p2": 68})
def longest_narrow(s):
    s.spread("p1")
    s.spread("p2")
    for out in (H1, far("p2", 1)):
        for size in (48000, LONGEST_FRAME - 1, LONGEST_FRAME):
            for options in (b"", b"\1" * 4, b"\x07\x0b\x04" + bytes(9), b"\x94\4\0\0" * 10,
                            b"\x44\x24\x05\0" + bytes(32) + b"\1\1\1\0"):
                s.send("p0", sized(H0, out, size, options=options))
            s.send("p0", sized(H0, out, size, flags=DF))
            s.send("p0", sized(H0, out, size, flags=MF))
            s.send("p0", sized(H0, out, size, offset=60))
            s.send("p0", sized(H0, out, size, offset=7777, flags=MF,
                               options=b"\x07\x07\4" + bytes(5)))
        s.check_counters()


@scenario("the longest datagrams into the narrowest: answers", "G3, D", missing=NO_SPREAD,
          mtu={"p1": 68},
          setup=("sysctl net.ipv4.ipfrag_high_thresh=100000000",))
def longest_answers(s):
    s.spread("p1")
    for size in (*range(3000, 30000, 1000), 40000, 65000, 65527, 65534, 65535):
        for options in (b"", b"\1" * 4, b"\x07\x07\x04\0\0\0\0\0"):
            if size + len(options) > 65535:
                continue
            message = echo(H1, R0, PAYLOAD[:size - 28])[20:]
            s.send("p0", *(ipv4(H1, R0, ICMP, message[at:at + 1448], offset=at // 8,
                                id=size, options=options,
                                flags=MF if at + 1448 < len(message) else 0)
                           for at in range(0, len(message), 1448)))
    s.check_counters()
