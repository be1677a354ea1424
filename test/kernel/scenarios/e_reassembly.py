"""Rule E: datagrams for the router that come in fragments."""

import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.a_every import tagged

_PING = icmp(H0, R0, 8, rest=b"\0\7\0\1", data=bytes((7 * i) & 255 for i in range(120)))[20:]


def piece(start, end=None, more=True, *, message=_PING, proto=ICMP, src=H0, dst=R0, id=1,
          **fields):
    """The bytes of `message` from start to end as a fragment; without end, all that are left."""
    if end is None:
        end, more = len(message), False
    flags = fields.pop("flags", 0) | (MF if more else 0)
    return ipv4(src, dst, proto, message[start:end], id=id, offset=start // 8, flags=flags,
                **fields)


def pieces(size, **fields):
    """A message in pieces of one size, in order."""
    message = fields.get("message", _PING)
    starts = range(0, len(message), size)
    return [piece(at, at + size, **fields) if at + size < len(message) else piece(at, **fields)
            for at in starts]


def long_echo(size, src=H0, dst=R0, seed=1):
    """An echo request with so many bytes of data, without its IP header."""
    return icmp(src, dst, 8, rest=b"\0\7\0\1", data=random.Random(seed).randbytes(size))[20:]


def long_udp(size, src=H0, dst=R0, seed=1):
    return udp(src, dst, random.Random(seed).randbytes(size))[20:]


def held(s, *frames, port="p0", **ethernet):
    """Fragments that are to expire by themselves: timers that begin close together run out
    together, and the last first."""
    s.send(port, *frames, **ethernet)
    s.pause(0.1)


@scenario("two fragments, in order and the other way round", "E")
def two(s):
    for id in range(8):
        first, last = piece(0, 64, id=id), piece(64, id=id)
        s.send("p0", first)
        s.send("p0", last)
        s.send("p0", last, first)
        s.send("p0", last)
        s.send("p0", first)


@scenario("many fragments, in any order", "E")
def shuffled(s):
    rng = random.Random(5)
    for size in (8, 16, 24, 40, 64, 120):
        for round in range(12):
            group = pieces(size, id=round)
            rng.shuffle(group)
            s.send("p0", *group)


@scenario("hundreds of fragments: in order, backwards, odd ones first, shuffled", "E")
def hundreds(s):
    message = long_echo(1472)
    rng = random.Random(6)
    for size in (8, 16, 48):
        group = pieces(size, message=message)
        for order in (group, group[::-1], group[1::2] + group[::2],
                      group[::2] + group[1::2], rng.sample(group, len(group))):
            s.send("p0", *order)


@scenario("the longest datagrams", "E", setup=("sysctl net.ipv4.ipfrag_high_thresh=100000000",))
def longest(s):
    for size in (65535 - 20 - 8, 65000, 60000):
        group = pieces(1480, message=long_echo(size))
        s.send("p0", *group)
        s.send("p0", *group[::-1])
    s.send("p0", *pieces(1480, message=long_udp(65535 - 20 - 8), proto=UDP))
    group = pieces(64, message=long_echo(65000))
    for order in (group, group[1::2] + group[::2]):
        for at in range(0, len(order), 100):        # no more than the port's buffers hold
            s.send("p0", *order[at:at + 100])


@scenario("more than 65535 bytes", "E")
def oversize(s):
    message = bytes(70000)
    for length in (65515, 65516, 65520, 65535, 66000):
        start = (length - 1) // 1480 * 1480
        group = [piece(at, at + 1480, message=message, proto=99) for at in
                 range(0, start, 1480)]
        group.append(ipv4(H0, R0, 99, message[start:length], id=1, offset=start // 8))
        s.send("p0", *group)
        s.send("p0", *group[::-1])
        s.send("p0", piece(0, 8, message=message, proto=99))
        s.send("p0", *group[1:])
        s.run("sysctl net.ipv4.icmp_ratemask=0")


@scenario("the end of the offset field", "E")
def offset_end(s):
    for offset in (8189, 8190, 8191):
        for size in (1, 7, 8, 9, 600, 1480):
            for flags in (0, MF):
                s.send("p0", ipv4(H0, R0, ICMP, bytes(size), id=offset, offset=offset,
                                  flags=flags))
                s.send("p0", ipv4(H0, R0, ICMP, bytes(8), id=offset, offset=offset, flags=MF))
                s.send("p0", ipv4(H0, R0, ICMP, bytes(16), id=offset, offset=8190, flags=MF))
                s.send("p0", ipv4(H0, R0, ICMP, bytes(16), id=offset, offset=8188, flags=MF))
                s.send("p0", ipv4(H0, R0, ICMP, b"", id=offset, flags=MF))     # kills it


@scenario("several datagrams at once: what tells them apart", "E")
def keys(s):
    groups = [pieces(40), pieces(40, id=2), pieces(40, src=J0), pieces(40, dst=R1),
              pieces(40, message=long_udp(112), proto=UDP), pieces(40, proto=99),
              pieces(40, id=0x100), pieces(40, src=R0), pieces(40, src=H1)]
    mixed = [p for step in zip(*groups) for p in step]
    s.send("p0", *mixed)
    s.send("p0", *mixed[::-1])
    random.Random(1).shuffle(mixed)
    s.send("p0", *mixed)


@scenario("fragments of one datagram come in by two ports", "E")
def two_ports(s):
    group = pieces(40)
    for first in range(len(group)):
        for at, frame in enumerate(group):
            s.send("p1" if at == first else "p0", frame)


@scenario("to a broadcast: which fragment's frame and port count", "E",
          setup=("sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",))
def broadcast(s):
    for dst in (B0, EVERYONE, ALL_HOSTS):
        for to in (None, BROADCAST_MAC):
            message = long_echo(112, dst=dst)
            for frame in pieces(40, message=message, dst=dst):
                s.send("p0", frame, dst=to)
            group = pieces(40, message=message, dst=dst)
            s.send("p0", group[0], dst=BROADCAST_MAC)
            s.send("p1", *group[1:])
            s.send("p1", group[0])
            s.send("p0", *group[1:], dst=BROADCAST_MAC)
    for to in ("p0", "p1"):
        message = long_udp(112)
        group = pieces(40, message=message, proto=UDP, src=far("p0", 9))
        s.send("p0", group[0], dst=BROADCAST_MAC)       # no error about what came to all
        s.send(to, *group[1:])
        s.send(to, *group[1:])
        s.send("p0", group[0])
        s.send("p0", *group[1:], dst=BROADCAST_MAC)
        s.send("p0", group[0])


@scenario("what the upper protocols make of datagrams in fragments", "E, F")
def protocols(s):
    s.run("sysctl net.ipv4.icmp_ratemask=0")
    for size in (8, 16, 40):
        for message, proto in ((long_udp(100), UDP), (long_udp(1), UDP),
                               (tcp(H0, R0, SYN, bytes(60))[20:], TCP),
                               (tcp(H0, R0, ACK, bytes(60), ack=9,
                                    tcp_options=b"\1" * 40)[20:], TCP),
                               (icmp(H0, R0, 13, data=bytes(40))[20:], ICMP),
                               (icmp(H0, R0, 13, data=bytes(12))[20:], ICMP),
                               (icmp(H0, R0, 3, 3, data=udp(R0, H0, bytes(40)))[20:], ICMP),
                               (icmp(H0, R0, 8, data=bytes(40), icmp_check=1)[20:], ICMP),
                               (udp(H0, R0, bytes(60), udp_check=1)[20:], UDP),
                               (udp(H0, R0, bytes(60), udp_length=30, udp_check=0)[20:], UDP),
                               (bytes(100), 99), (bytes(100), IGMP)):
            group = pieces(size, message=message, proto=proto)
            s.send("p0", *group)
            s.send("p0", *group[::-1])


@scenario("errors quote the datagram as it was put together", "E, C6")
def quoted(s):
    s.run("sysctl net.ipv4.icmp_ratemask=0")
    for flags in ([0, 0, 0], [DF, DF, DF], [DF, 0, 0], [0, DF, 0], [0, 0, DF], [DF, DF, 0],
                  [RESERVED, 0, 0], [RESERVED | DF] * 3):
        for sizes in ((40, 40, 40), (80, 40, 8), (8, 40, 80), (40, 80, 8)):
            message = long_udp(sum(sizes) - 8)
            group, start = [], 0
            for index, (flag, size) in enumerate(zip(flags, sizes)):
                group.append(piece(start, start + size, index < 2, message=message, proto=UDP,
                                   flags=flag, ttl=64 + index, tos=4 * index))
                start += size
            for order in (group, group[::-1], [group[1], group[0], group[2]]):
                s.send("p0", *order)
    s.send("p0", *pieces(200, message=long_udp(1400), proto=UDP))
    s.send("p0", *pieces(1480, message=long_udp(30000), proto=UDP))


@scenario("header fields come from the first fragment", "E")
def header_fields(s):
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)):
        group = [piece(0, 40, ttl=9, tos=0x10), piece(40, 80, ttl=1, tos=0x20),
                 piece(80, ttl=200, tos=0x40)]
        s.send("p0", *[group[i] for i in order])


@scenario("ECN bits of three fragments, every combination", "E")
def ecn(s):
    for combination in range(64):
        tos = [combination >> shift & 3 for shift in (0, 2, 4)]
        for order in ((0, 1, 2), (2, 0, 1)):
            group = [piece(0, 40, id=combination, tos=tos[0]),
                     piece(40, 80, id=combination, tos=tos[1] | 0x20),
                     piece(80, id=combination, tos=tos[2])]
            s.send("p0", *[group[i] for i in order])


@scenario("the tail of a fragment with MF is cut to 8 bytes", "E")
def tails(s):
    for extra in range(1, 9):
        s.send("p0", piece(0, 64 + extra - 1, id=extra), piece(64, id=extra))
        s.send("p0", piece(64, id=extra), piece(0, 64 + extra - 1, id=extra))
        s.send("p0", piece(0, 64, id=extra), piece(64, 64 + extra, id=extra),
               piece(64, id=extra))
        s.send("p0", piece(0, extra, id=extra), piece(0, 64, id=extra), piece(64, id=extra))
        s.send("p0", piece(0, id=extra))


@scenario("empty fragments", "E")
def empty(s):
    for start, more in ((0, True), (64, True), (64, False), (8, False), (128, False)):
        s.send("p0", piece(0, 64))
        s.send("p0", piece(start, start, more))
        s.send("p0", piece(64))
        s.send("p0", piece(0, 64))
        s.send("p0", piece(64, 64, False))
        s.send("p0", piece(64))


@scenario("fragments that contradict each other about the end", "E")
def ends(s):
    stories = (
        [(64, 120, False), (64, 128, True)],
        [(64, 120, False), (120, 128, True)],
        [(64, 120, False), (120, 128, False)],
        [(64, 120, False), (64, 112, False)],
        [(64, 120, False), (64, 120, True)],
        [(0, 120, True), (64, 112, False)],
        [(0, 120, True), (64, 120, False)],
        [(0, 120, True), (112, 120, False)],
        [(0, 64, True), (64, 120, True), (64, 120, False)],
        [(0, 64, True), (64, 120, True), (120, 128, False)],
        [(0, 64, True), (80, 120, False), (64, 80, False)],
        [(0, 64, True), (80, 120, False), (64, 80, True)],
    )
    for id, story in enumerate(stories):
        for start, end, more in story:
            s.send("p0", piece(start, end, more, id=id))
        s.send("p0", *pieces(64, id=id))
        s.send("p0", *pieces(64, id=id))


def _play_spans(s, spans, **fields):
    for start, end in spans:
        s.send("p0", piece(start, end, end < len(_PING), **fields))


@scenario("duplicates are dropped by themselves", "E")
def duplicates(s):
    for id, spans in enumerate((
            [(0, 64), (0, 64), (64, 128)],
            [(0, 64), (0, 8), (8, 64), (56, 64), (64, 128)],
            [(64, 128), (64, 128), (0, 64)],
            [(0, 16), (16, 32), (0, 32), (8, 24), (32, 128)],
            [(0, 16), (32, 48), (0, 16), (32, 48), (16, 32), (16, 32), (48, 128)],
            [(0, 32), (64, 128), (64, 128), (72, 80), (32, 64)],
            [(0, 64), (64, 128), (0, 64), (64, 128)])):
        _play_spans(s, spans, id=id)


@scenario("overlaps", "E")
def overlaps(s):
    for id, spans in enumerate((
            [(16, 32), (0, 16), (0, 32), (0, 64), (64, 128)],
            [(0, 64), (56, 72), (64, 128), (0, 64), (64, 128)],
            [(64, 128), (0, 72), (0, 64), (64, 128)],
            [(32, 64), (24, 40), (0, 32), (32, 64), (64, 128)],
            [(0, 16), (32, 48), (8, 40), (0, 32), (32, 128)],
            [(0, 16), (32, 48), (16, 48), (0, 32), (32, 128)],
            [(0, 8), (16, 24), (32, 40), (8, 16), (0, 24), (0, 128)],
            [(0, 8), (16, 24), (32, 40), (8, 16), (8, 16), (24, 32), (40, 128)],
            [(0, 128), (0, 64)],
            [(8, 128), (0, 16), (0, 8)])):
        _play_spans(s, spans, id=id)


@scenario("random spans, some of which overlap", "E")
def random_spans(s):
    rng = random.Random(11)
    for id in range(150):
        frames = []
        for _ in range(rng.randrange(3, 30)):
            start = 8 * rng.randrange(16)
            end = start + 8 * rng.choice((1, 1, 1, 2, 2, 3, 5))
            frames.append(piece(start, min(end, 128), end < 128 or rng.random() < 0.1, id=id))
        s.send("p0", *frames)


@scenario("random spans of a long datagram, hardly any of which overlap", "E")
def random_long_spans(s):
    rng = random.Random(12)
    message = long_echo(2040)
    for id in range(60):
        group = pieces(8, message=message, id=id)
        rng.shuffle(group)
        for _ in range(rng.randrange(4)):
            start = 8 * rng.randrange(250)
            group.insert(rng.randrange(len(group)),
                         piece(start, start + 8 * rng.randrange(1, 4), id=id, message=message))
        s.send("p0", *group)


def _others(n, **fields):
    return [piece(0, 8, id=1000 + i, **fields) for i in range(n)]


@scenario("max_dist: how many other fragments may come between", "E")
def max_dist(s):
    for id, between in enumerate((62, 63, 64, 65, 200)):
        s.send("p0", piece(0, 64, id=id), *_others(between), piece(64, id=id))
        s.send("p0", *pieces(64, id=id))


@scenario("max_dist: it is counted by sender, since the latest", "E")
def max_dist_senders(s):
    s.send("p0", piece(0, 64), *_others(200, src=J0), piece(64))
    s.send("p0", piece(0, 40), *_others(40), piece(40, 80), *_others(40), piece(80))
    s.send("p0", piece(0, 40), *_others(40), piece(0, 40), *_others(40), piece(40, 80),
           piece(80))
    s.send("p0", piece(0, 64), *_others(40), *_others(30, dst=R1), piece(64))
    s.send("p0", piece(0, 64), *_others(40, proto=99), *_others(30, proto=17), piece(64))
    s.send("p0", piece(0, 64))
    s.send("p1", *_others(70))
    s.send("p0", piece(64), piece(0, 64))
    whole = [p for id in range(35) for p in pieces(64, id=2000 + id)]
    s.send("p0", piece(0, 64), *whole, piece(64))


@scenario("max_dist: sizes are remembered when all else is forgotten", "E")
def max_dist_sizes(s):
    s.run("sysctl net.ipv4.icmp_ratemask=0")
    message = long_udp(112)
    for flags, later in ((DF, 0), (0, DF), (DF, DF)):
        s.send("p0", piece(0, 80, message=message, proto=UDP, flags=flags), *_others(70),
               piece(80, message=message, proto=UDP, flags=later),
               piece(40, 80, message=message, proto=UDP, flags=later),
               piece(0, 40, message=message, proto=UDP, flags=later))
    s.send("p0", piece(0, 40, tos=1), *_others(70), piece(40, tos=2), piece(0, 40, tos=2))
    s.send("p0", piece(0, 40), *_others(70), piece(80, 80))


@scenario("max_dist: set to other values", "E")
def max_dist_set(s):
    for value in (0, 1, 2, 10, 100):
        s.run(f"sysctl net.ipv4.ipfrag_max_dist={value}")
        for between in (0, 1, 2, 9, 10, 99, 100, 300):
            s.send("p0", piece(0, 64), *_others(between), piece(64), piece(0, 64))
            s.send("p0", piece(64, 64, False))
    s.run("sysctl net.ipv4.ipfrag_max_dist=0")
    s.send("p0", piece(0, 64, id=7))
    s.run("sysctl net.ipv4.ipfrag_max_dist=5")
    s.send("p0", *_others(70), piece(64, id=7))
    s.send("p0", piece(0, 64, id=8))
    s.run("sysctl net.ipv4.ipfrag_max_dist=0")
    s.send("p0", *_others(70))
    s.run("sysctl net.ipv4.ipfrag_max_dist=5")
    s.send("p0", piece(64, id=8))


@scenario("max_dist: a new start has the full time", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=2", "sysctl net.ipv4.ipfrag_max_dist=3"))
def max_dist_time(s):
    s.send("p0", piece(0, 64, src=far("p0", 1)))
    s.pause(1.2)
    for frame in _others(4, src=far("p0", 1)):
        held(s, frame)
    s.send("p0", piece(0, 24, src=far("p0", 1)))
    s.wait(2.4)


@scenario("memory: how many fragments fit", "E",
          setup=("sysctl net.ipv4.ipfrag_low_thresh=0",
                 "sysctl net.ipv4.ipfrag_high_thresh=100000",
                 "sysctl net.ipv4.ipfrag_max_dist=0"))
def memory(s):
    for size in (8, 200, 208, 656, 664, 1480):
        message = bytes(200 * 8 + size)
        s.send("p0", *[p for i in range(130) for p in (
            piece(8 * i, 8 * i + 8, message=message, proto=99, id=size),
            piece(0, size, message=message, proto=99, id=5000 + i))])
        s.send("p0", *pieces(64))
        s.send("p0", ipv4(H0, R0, 99, b"", id=size, flags=MF))
        s.send("p0", *[ipv4(H0, R0, 99, b"", id=5000 + i, flags=MF) for i in range(130)])
        s.run("sysctl net.ipv4.ipfrag_high_thresh=10000000")
        s.send("p0", ipv4(H0, R0, 99, b"", id=size, flags=MF))
        s.send("p0", *[ipv4(H0, R0, 99, b"", id=5000 + i, flags=MF) for i in range(130)])
        s.send("p0", *pieces(64))
        s.run("sysctl net.ipv4.ipfrag_high_thresh=100000")


@scenario("memory: no threshold, no fragments", "E",
          setup=("sysctl net.ipv4.ipfrag_low_thresh=0",
                 "sysctl net.ipv4.ipfrag_high_thresh=0"))
def memory_none(s):
    s.send("p0", *pieces(64))
    s.run("sysctl net.ipv4.ipfrag_high_thresh=1")
    s.send("p0", *pieces(64))
    s.send("p0", *pieces(40))


@scenario("memory: the default threshold", "E")
def memory_default(s):
    for chunk in range(52):
        s.send("p0", *[piece(8 * i, 8 * i + 8, message=bytes(60000), proto=99, id=chunk)
                       for i in range(1, 101)])
    s.send("p0", *pieces(64))


@scenario("memory: thresholds as large as can be", "E")
def memory_large(s):
    for bits in (31, 32, 62, 63, 64):
        for value in (2**bits - 1, 2**bits):
            s.attempt(f"sysctl net.ipv4.ipfrag_high_thresh={value}")
            s.send("p0", *pieces(64))
            s.attempt(f"sysctl net.ipv4.ipfrag_low_thresh={value}",
                      f"sysctl net.ipv4.ipfrag_low_thresh={value + 1}",
                      "sysctl net.ipv4.ipfrag_high_thresh=4194304",
                      "sysctl net.ipv4.ipfrag_low_thresh=0")
            s.send("p0", *pieces(40))
    for value in ("-1", "+5000000", "-18446744073709551615", "5000000x", "0x500000"):
        s.attempt(f"sysctl net.ipv4.ipfrag_high_thresh={value}")
        s.send("p0", *pieces(64))


@scenario("fragments of what the router itself is asked by lo", "E")
def from_far(s):
    for src in (far("p0", 1), far("p1", 1), far("p3", 1), H1):
        s.send("p0", *pieces(40, src=src))


@scenario("answers stay in order between whole datagrams and fragments", "E")
def order(s):
    first, last = pieces(64)
    s.send("p0", first, echo(H0, R0), last, echo(H0, R0, b"x"), udp(H0, far("p0", 9)),
           last, first, udp(H0, far("p0", 9)), *pieces(8, id=3), echo(H0, R0),
           ipv4(H0, far("p0", 9), UDP, bytes(24), flags=MF, id=9), first, last,
           ipv4(H0, far("p0", 9), UDP, bytes(24), offset=3, id=9))


@scenario("fragments with Ethernet padding", "E")
def padding(s):
    for size in (8, 16, 24):
        s.send("p0", *[p + bytes(max(0, 46 - len(p))) for p in pieces(size)])


@scenario("memory: what follows a packet in its frame counts", "E",
          setup=("sysctl net.ipv4.ipfrag_low_thresh=0",
                 "sysctl net.ipv4.ipfrag_high_thresh=60000",
                 "sysctl net.ipv4.ipfrag_max_dist=0"))
def memory_trailers(s):
    message = bytes(200 * 8)
    for round, behind in enumerate((0, 18, 197, 198, 199, 645, 646, 647, 1400)):
        for i in range(80):
            s.start("p0", piece(8 * i, 8 * i + 8, message=message, proto=99, id=round)
                    + bytes(behind))
        s.send("p0", *pieces(64))
        s.check_counters()
        # makes room for the next
        s.send("p0", ipv4(H0, R0, 99, b"", id=round, flags=MF))
        s.run("sysctl net.ipv4.ipfrag_high_thresh=10000000")
        s.send("p0", ipv4(H0, R0, 99, b"", id=round, flags=MF))
        s.send("p0", *pieces(64))
        s.run("sysctl net.ipv4.ipfrag_high_thresh=60000")
        s.check_counters()


@scenario("a tag of VLAN 0 takes memory, too", "E",
          setup=("sysctl net.ipv4.ipfrag_low_thresh=0", "sysctl net.ipv4.ipfrag_high_thresh=1100",
                 "sysctl net.ipv4.ipfrag_time=1", "sysctl net.ipv4.icmp_ratemask=0"))
def tag_counts(s):
    for number, size in enumerate((201, 202, 203, 204, 206, 207, 650, 651, 655)):
        message = bytes(range(8)) + bytes(size)
        later = ipv4(H0, R0, 99, message[8:], offset=1, id=number)
        s.send("p0", tagged((0x8100, 0), payload=later),
               ipv4(H0, R0, 99, message[:8], flags=MF, id=number))
        s.wait(1.2)
