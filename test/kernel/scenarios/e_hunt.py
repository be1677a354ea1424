"""Rules D, E and K at random, where others look: fragments that pass through with all that
e_evasion does to those for the router, cut once more or put together first, and the limits on the
way.
"""

import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.e_evasion import _datagram, _interleaved, lettered
from scenarios.k_defrag import MISSING, ON, cut, data

_UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_max_dist=0")
_MTUS = (68, 69, 75, 76, 77, 100, 296, 552, 576, 1006, 1400, 1500)


def _pieces(rng, id, dst):
    """A datagram for someone else: as for the router, but for options that ask for much."""
    return _datagram(rng, id, dst=dst, src=rng.choice((H0, H0, J0)))


def _register(seed):
    @scenario(f"fragments at random over links of random MTUs, {seed}", "D, E", setup=_UNLIMITED)
    def passing(s):
        rng = random.Random(1000 + seed)
        for _ in range(12):
            s.run(f"link set p1 mtu {rng.choice(_MTUS)}", f"link set p2 mtu {rng.choice(_MTUS)}")
            for _ in range(6):
                s.send("p0", *_interleaved(rng, [_pieces(rng, id, rng.choice((H1, H2, J1)))
                                                 for id in range(8)]))

    @scenario(f"datagrams at random put together on their way, {seed}", "K", missing=MISSING,
              setup=ON + _UNLIMITED)
    def through(s):
        rng = random.Random(1100 + seed)
        for group in range(60):
            if group % 5 == 4:
                s.run(f"link set p1 mtu {rng.choice(_MTUS)}",
                      f"link set p2 mtu {rng.choice(_MTUS)}")
            s.send("p0", *_interleaved(rng, [_pieces(rng, rng.randrange(30), rng.choice(
                (H1, H1, H2, J1, R0))) for _ in range(10)]))

    @scenario(f"large datagrams at random, put together and cut, {seed}", "K", missing=MISSING,
              mtu={"p0": 9000}, setup=ON + _UNLIMITED)
    def large(s):
        rng = random.Random(1200 + seed)
        for id in range(60):
            s.run(f"link set p1 mtu {rng.choice(_MTUS)}")
            size = rng.choice((600, 1500, 3000, 9000, 20000))
            sizes = [8 * rng.randrange(1, rng.choice((10, 100, 185, 1000)))
                     for _ in range(size // 100)]
            pieces = cut(udp(H0, H1, data(size, id), id=id), *sizes,
                         keep=rng.choice((0, 0, DF)))
            if rng.random() < 0.3:
                other = cut(udp(H0, H1, data(size, id), id=id), *sizes, keep=DF)
                pieces = [rng.choice(pair) for pair in zip(pieces, other)]
            if rng.random() < 0.5:
                rng.shuffle(pieces)
            s.send("p0", *pieces[:300])


for number in range(3):
    _register(number)


@scenario("pieces of one datagram in frames to us and to all, put together on their way", "K",
          missing=MISSING, setup=ON + _UNLIMITED)
def frames_of_all_kinds(s):
    for id, kinds in enumerate((1, 2, 4, 3, 5, 6, 7)):
        for dst in (H1, R0, B1, EVERYONE):
            for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)):
                pieces = cut(udp(H0, dst, data(900), id=id), 304, 304)
                for index in order:
                    s.send("p0", pieces[index],
                           dst=BROADCAST_MAC if kinds >> index & 1 else None)


# A thousand frames at a time is what the hosts' ends of the cables take.

@scenario("a long datagram over the narrowest way, in large pieces and in small", "D, K",
          missing=MISSING, mtu={"p0": 9000},
          setup=(*ON, *_UNLIMITED, "route add 203.0.113.0/25 via 10.0.1.254 mtu 68"))
def long_to_narrowest(s):
    for size in (40000, 9000):
        s.send("p0", *cut(udp(H0, "203.0.113.1", data(size)), *(8000,) * 8))
        # not more at a time than the router's ring takes, should it be slow to begin
        s.batches("p0", cut(udp(H0, "203.0.113.1", data(size)), *(48,) * 1400), size=400)


@scenario("how long an echo is answered over narrow ways", "F, G3", alone=True,
          setup=(*_UNLIMITED, "route add 203.0.113.0/25 via 10.0.0.254 mtu 68"))
def longest_answer(s):
    """The pieces of an answer must fit into the memory that its socket may use. Linux has one
    socket for ICMP a CPU, for all namespaces: what others have on the way takes from that."""
    for mtu in (68, 76, 220, 227, 228, 232, 248, 300, 332, 340, 500):
        s.run(f"route replace 203.0.113.0/25 via 10.0.0.254 mtu {mtu}")
        part = (mtu - 20) & ~7
        for pieces in (2, 206, 207, 208, 317, 318, 319):
            for size in (pieces * part - 8, pieces * part - 7):
                if size <= 65507:
                    s.send("p0", *cut(echo("203.0.113.1", R0, data(size)), *(1480,) * 50))
        s.send("p0", *cut(echo("203.0.113.1", R0, data(65507)), *(1480,) * 50))


@scenario("an MTU of a route that is larger than its link's", "C3, D", mtu={"p0": 9000},
          setup=("route add 203.0.113.0/25 via 10.0.1.254 mtu 1504",))
def route_mtu_larger(s):
    """No piece is larger than the link's, as net_af_packet would not send it."""
    for size in (1472, 1477, 2000, 2952, 6000):
        for flags in (0, DF):
            s.send("p0", udp(H0, "203.0.113.1", data(size), flags=flags))


@scenario("fragments for the router by way of a source route", "E, B",
          setup=(*_UNLIMITED, "sysctl net.ipv4.conf.all.accept_source_route=1"))
def source_routes(s):
    for kind in (131, 137):
        for hops in ((R1,), (H1,), (R1, H1), (R1, R2)):
            options = bytes((kind, 3 + 4 * len(hops), 4)) + b"".join(map(address, hops)) + b"\0"
            for first in (True, False):
                pieces = cut(echo(H0, R0, data(900)), 304, 304, first_options=options) if first \
                    else cut(echo(H0, R0, data(900)), 304, 304, options=options)
                s.send("p0", *pieces)
                s.send("p0", *pieces[::-1])


@scenario("record route and timestamps in every fragment", "E, B", setup=_UNLIMITED)
def records(s):
    for options in (b"\x07\x0b\x04" + bytes(8) + b"\0", b"\x44\x0c\x05\1" + bytes(8),
                    b"\x07\x27\x04" + bytes(36) + b"\0", b"\x07\x07\x08\1\2\3\4\0"):
        for dst in (R0, H1):
            pieces = cut(echo(H0, dst, data(900)), 304, 304, options=options)
            plain = cut(echo(H0, dst, data(900)), 304, 304)
            s.send("p0", *pieces)
            s.send("p0", *pieces[::-1])
            s.send("p0", pieces[0], *plain[1:])
            s.send("p0", plain[2], pieces[1], plain[0])


@scenario("ECN of four fragments that overlap, repeat and contradict", "E", setup=_UNLIMITED)
def ecn_and_duplicates(s):
    id = 0
    spans = [(0, 4), (4, 8), (8, 12)]
    for a in range(4):
        for b in range(4):
            group = []
            for twin in range(3):
                id += 1
                pieces = lettered(spans, id=id, tos=a)
                pieces.insert(2, lettered([spans[twin]], id=id, tos=b)[0])
                group += pieces
                id += 1
                pieces = lettered(spans, id=id, tos=a)
                pieces.insert(0, lettered([spans[twin]], id=id, tos=b)[0])
                group += pieces[:4] if twin else pieces[::-1]
            s.send("p0", *group)


@scenario("max_dist at random, complete and incomplete datagrams of few senders", "E",
          setup=("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_max_dist=5"))
def distances(s):
    rng = random.Random(44)
    for _ in range(120):
        group = []
        for _ in range(16):
            src, id = rng.choice((H0, H0, J0)), rng.randrange(6)
            pieces = cut(echo(src, R0, data(200, id), id=id), 64, 64)
            group += pieces if rng.random() < 0.3 else [rng.choice(pieces)]
        s.send("p0", *group)
