"""Rule E: fragments as they are made to deceive or to harm.

What a firewall or an intrusion detection system makes of overlapping fragments and what the host
makes of them need not be the same (Ptacek, Newsham: Insertion, Evasion, and Denial of Service,
1998; Shankar, Paxson: Active Mapping, 2003; Novak: Target-Based Fragmentation Reassembly, 2005; RFC
1858, RFC 3128). The attacks of the nineties that bear names are here, too.
"""

import itertools
import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

_UNITS = 12
_UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_max_dist=0")


def message(units=_UNITS, letter=None):
    """An echo request of so many units with a right checksum. With a letter, all after the first
    unit is made of it; as a unit sums up to the same whatever its letter, any mixture of such
    messages has a right checksum, and the answer tells which bytes were taken."""
    data = bytes(range(8 * units - 8))
    if letter is not None:
        data = bytes([letter, 255 - letter, 255 - letter, letter]) * 2 * (units - 1)
    return icmp(H0, R0, 8, rest=b"\0\7\0\1", data=data)[20:]


def part(start, end, more=True, *, of, id=1, proto=ICMP, src=H0, dst=R0, flags=0, **fields):
    """Units start to end of a message as a fragment."""
    return ipv4(src, dst, proto, of[8 * start:8 * end], id=id, offset=start,
                flags=flags | (MF if more else 0), **fields)


def lettered(spans, units=_UNITS, **fields):
    """Fragments of which each says something else: (start, end) in units."""
    return [part(start, end, end < units, of=message(units, 65 + index), **fields)
            for index, (start, end) in enumerate(spans)]


@scenario("two pieces that lie to each other in every way, and then the rest", "E",
          setup=_UNLIMITED)
def every_pair(s):
    spans = list(itertools.combinations(range(6), 2))
    id = 0
    for first in spans:
        group = []
        for second in spans:
            id += 1
            group += lettered([first, second, (0, 6)], 6, id=id)
            covered = {unit for span in (first, second) for unit in range(*span)}
            group += [part(unit, unit + 1, unit < 5, of=message(6, 90), id=id)
                      for unit in range(6) if unit not in covered]
        s.send("p0", *group)


_SHANKAR_PAXSON = [(0, 3), (4, 6), (6, 9), (1, 5), (6, 9), (9, 12)]
_NOVAK = [(0, 3), (4, 6), (6, 9), (1, 5), (6, 9), (9, 12), (12, 15), (15, 18), (18, 21), (12, 15),
          (15, 17), (18, 22), (22, 24)]


@scenario("the overlaps that tell operating systems apart", "E", setup=_UNLIMITED)
def active_mapping(s):
    rng = random.Random(31)
    for spans, units in ((_SHANKAR_PAXSON, 12), (_NOVAK, 24)):
        group = lettered(spans, units)
        s.send("p0", *group)
        s.send("p0", *group[::-1])
        for id in range(2, 120):
            group = lettered(spans, units, id=id)
            rng.shuffle(group)
            s.send("p0", *group)
        for left_out in range(len(spans)):
            rest = lettered(spans, units, id=1000 + left_out)
            del rest[left_out]
            s.send("p0", *rest)


@scenario("the old word is kept, or the new one", "E", setup=_UNLIMITED)
def favour(s):
    """As fragrouter's frag-1 to frag-7 and frag-old, frag-new of later tools."""
    good, bad = message(), message(letter=88)
    id = 0
    for size in (1, 3):
        starts = range(0, _UNITS, size)
        for order in (list(starts), list(starts)[::-1], [*starts[1:], starts[0]],
                      [starts[-1], *starts[:-1]], [*starts[::2], *starts[1::2]]):
            for lie in (None, *order):
                sent = []
                for before, wide in itertools.product((True, False), (0, 1)):
                    id += 1
                    for start in order:
                        true = part(start, start + size, start + size < _UNITS, of=good, id=id)
                        false = part(start, min(start + size + wide, _UNITS), True, of=bad, id=id)
                        pair = [false, true] if before else [true, false]
                        sent += pair if start == lie else [true]
                s.send("p0", *sent)


@scenario("duplicates with other bytes, and everything in between", "E", setup=_UNLIMITED)
def interleaved_duplicates(s):
    rng = random.Random(32)
    for id in range(60):
        group = []
        for start in range(0, _UNITS, 2):
            group += [part(start, start + 2, start + 2 < _UNITS, of=message(letter=letter), id=id)
                      for letter in (65, 66)]
        if id % 3:
            rng.shuffle(group)
        whole = echo(H0, R0, b"whole", id=id)
        group.insert(rng.randrange(len(group)), whole)
        s.send("p0", *group)


@scenario("what headers of fragments say that are duplicates, overlap or come late", "E",
          setup=_UNLIMITED)
def differing_headers(s):
    words = ({"ttl": 1}, {"ttl": 255}, {"tos": 0x10}, {"tos": 1}, {"tos": 2}, {"tos": 3},
             {"flags": DF}, {"flags": RESERVED}, {"tos": 3, "ttl": 2, "flags": DF})
    text = message()
    for id, (word, which, twice) in enumerate(itertools.product(words, range(3), (0, 1, 2))):
        group = []
        for index, start in enumerate((0, 4, 8)):
            plain = part(start, start + 4, start < 8, of=text, id=id, tos=2)
            other = part(start, start + 4, start < 8, of=text, id=id, **{"tos": 2, **word})
            if index != which:
                group.append(plain)
            else:
                group += ([other], [plain, other], [other, plain])[twice]
        s.send("p0", *group)
        s.send("p0", *group[::-1])


@scenario("pieces so small that the upper header is in several", "E", setup=_UNLIMITED)
def tiny(s):
    """RFC 1858 and 3128: the flags of TCP in the second piece, or written over by it."""
    for id, (flags, lie) in enumerate(itertools.product((SYN, ACK, FIN, SYN | ACK, 0), repeat=2)):
        true, false = (tcp(H0, R0, word, bytes(12), id=id)[20:] for word in (flags, lie))
        pieces = [part(0, 1, of=true, proto=TCP, id=id), part(1, 4, False, of=true, proto=TCP,
                                                              id=id)]
        s.send("p0", *pieces)
        s.send("p0", *pieces[::-1])
        s.send("p0", pieces[0], part(1, 2, of=false, proto=TCP, id=id), pieces[1])
        s.send("p0", part(0, 3, of=false, proto=TCP, id=id), part(1, 3, of=true, proto=TCP, id=id),
               part(3, 4, False, of=true, proto=TCP, id=id))
        s.send("p0", part(0, 3, of=true, proto=TCP, id=id), part(0, 3, of=false, proto=TCP, id=id),
               part(3, 4, False, of=true, proto=TCP, id=id))
        s.send("p0", part(1, 4, False, of=true, proto=TCP, id=id),
               part(1, 4, False, of=false, proto=TCP, id=id), pieces[0])


def _bytes_at(offset, size, more, *, proto=UDP, id=242, content=b"\0", **fields):
    return ipv4(H0, R0, proto, content * size, id=id, offset=offset // 8,
                flags=MF if more else 0, **fields)


@scenario("attacks that bear names", "E", setup=_UNLIMITED)
def named(s):
    long = [(at, 1480, True) for at in range(0, 65120, 1480)]
    stories = {
        "teardrop": [(0, 36, True), (24, 4, False)],
        "newtear": [(0, 28, True), (24, 4, False)],
        "syndrop": [(0, 40, True), (16, 24, False)],
        "bonk": [(0, 28, True), (32, 4, False)],
        "boink": [(0, 28, False), (32, 4, False), (24, 4, True)],
        "nestea": [(0, 18, True), (48, 116, False), (0, 264, True)],
        "jolt2": [(65520, 9, False)] * 20,
        "ping of death": [*long, (65120, 1000, False)],
        "just below": [*long, (65120, 395, False)],
        "rose": [(0, 32, True), (64800, 32, False)] * 5,
        "rose, rewritten": [(0, 32, True), (64800, 32, False), (64800, 40, False),
                            (32, 1480, True), (64800, 32, False)],
        "the end alone": [(65528, 7, False), (65528, 8, True), (65528, 1, False)],
        "the last is first": [(0, 8, False), (0, 8, True), (8, 8, False)],
    }
    for id, story in enumerate(stories.values()):
        for proto in (UDP, ICMP, 99):
            group = [_bytes_at(*piece, proto=proto, id=id) for piece in story]
            s.send("p0", *group)
            s.send("p0", *group[::-1])
            s.send("p0", *group, *group)


@scenario("last pieces that do not agree", "E", setup=_UNLIMITED)
def last_conflict(s):
    text = message()
    ends = [(start, end, more) for start in (4, 6, 8) for end in (8, 10, 12)
            for more in (False, True) if start < end]
    for id, (one, two) in enumerate(itertools.permutations(ends, 2)):
        s.send("p0", *[part(start, end, more, of=text, id=id) for start, end, more in (one, two)],
               part(0, 4, of=text, id=id), part(4, 8, of=text, id=id),
               part(8, 12, False, of=text, id=id))


@scenario("the same patterns, passing through", "E, D", setup=_UNLIMITED)
def forwarded(s):
    s.run("link set p1 mtu 68")
    for spans, units in ((_SHANKAR_PAXSON, 12), (_NOVAK, 24)):
        s.send("p0", *lettered(spans, units, dst=H1))
        s.send("p0", *lettered(spans, units, dst=H1, flags=DF))
    for at in (0, 8, 65120, 65528):
        for more in (True, False):
            for size in (1, 7, 8, 47, 48, 49, 100, 407):
                s.send("p0", ipv4(H0, H1, UDP, bytes(size), offset=at // 8, id=at,
                                  flags=MF if more else 0))


@scenario("options in some pieces and not in others", "E, B", setup=_UNLIMITED)
def options(s):
    text = message()
    for id, (option, which) in enumerate(itertools.product(
            (b"\1\1\1\0", b"\x07\x07\x04\0\0\0\0\0", b"\x94\4\0\0", b"\x83\x07\x04\x0a\0\0\2\0",
             b"\x82\x0b" + bytes(10)), range(4))):
        group = [part(start, start + 4, start < 8, of=text, id=id,
                      **({"options": option} if which in (index, 3) else {}))
                 for index, start in enumerate((0, 4, 8))]
        s.send("p0", *group)
        s.send("p0", *group[::-1])


_SEEDS = range(5)


def _spans(rng, units):
    """A datagram cut at random, with what else comes: duplicates, overlaps, other ends."""
    edges = sorted({0, units, *rng.sample(range(1, units), rng.randrange(0, min(9, units)))})
    spans = [(start, end, end < units) for start, end in zip(edges, edges[1:])]
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4))):
        start, end, more = rng.choice(spans)
        kind = rng.randrange(5)
        if kind == 1:
            start = max(0, start - rng.randrange(3))
        elif kind == 2:
            end = end + rng.randrange(3)
        elif kind == 3:
            start, end = sorted(rng.sample(range(units + 3), 2))
            more = end < units
        elif kind == 4:
            more = not more
        spans.append((start, end, more))
    if rng.random() < 0.08:
        spans.pop(rng.randrange(len(spans)))
    order = rng.randrange(5)
    if order < 2:
        rng.shuffle(spans)
    elif order == 2:
        spans.reverse()
    elif order == 3:
        spans = spans[1::2] + spans[::2]
    return spans


def _datagram(rng, id, dst=R0, src=H0):
    """Its fragments, each with a header of its own mind."""
    units = rng.choice((2, 3, 5, 9, 20, 32))
    proto = rng.choice((ICMP, ICMP, ICMP, UDP, 99))
    texts = [message(units), message(units, 65)] if rng.random() < 0.2 else [message(units)]
    ecn = rng.choice(((0,), (0,), (2,), (1, 2), (2, 3), (0, 1, 2, 3)))
    flags = rng.choice(((0,), (0,), (DF,), (0, DF), (0, RESERVED)))
    options = rng.choice(((b"",),) * 6 + ((b"", b"\1\1\1\0"), (b"\x94\4\0\0",),
                                          (b"", b"\x07\x07\x04\0\0\0\0\0"),
                                          (b"\x82\x0b" + bytes(10),)))
    pieces = []
    for start, end, more in _spans(rng, units):
        body = (rng.choice(texts) + bytes(64))[8 * start:8 * end]
        if rng.random() < 0.04:
            body = body[:max(0, len(body) - rng.randrange(9))]
        pieces.append(ipv4(src, dst, proto, body, id=id, offset=start,
                           tos=rng.choice(ecn) | rng.choice((0, 0, 0x10)),
                           ttl=rng.choice((64, 64, 64, 1, 255)),
                           flags=rng.choice(flags) | (MF if more else 0),
                           options=rng.choice(options)))
    return pieces


def _interleaved(rng, datagrams):
    """All pieces, each datagram's in order, some behind one another and some mixed."""
    if rng.random() < 0.4:
        return [piece for datagram in datagrams for piece in datagram]
    turns = [i for i, datagram in enumerate(datagrams) for _ in datagram]
    rng.shuffle(turns)
    left = [iter(datagram) for datagram in datagrams]
    return [next(left[i]) for i in turns]


def _register_random(seed):
    @scenario(f"two thousand datagrams at random, {seed}", "E",
              setup=("sysctl net.ipv4.icmp_ratemask=0",
                     f"sysctl net.ipv4.ipfrag_max_dist={(64, 0, 64, 3, 64)[seed]}"))
    def datagrams(s):
        rng = random.Random(900 + seed)
        for group in range(200):
            # identifications that come again, with another protocol or another text
            s.send("p0", *_interleaved(rng, [_datagram(rng, rng.randrange(40), src=rng.choice(
                (H0, H0, J0)), dst=rng.choice((R0, R0, R1))) for _ in range(10)]))

    @scenario(f"datagrams at random of which each comes by two ports, {seed}", "E",
              setup=_UNLIMITED)
    def two_ports(s):
        rng = random.Random(950 + seed)
        for id in range(120):
            # what is no fragment comes alone: it may overtake fragments that one worker of several
            # hands over to another
            for (port, _), pieces in itertools.groupby(
                    _datagram(rng, id, src=far("p0", 1 + id)),
                    lambda piece: (rng.choice(("p0", "p1")), not any(piece[6:8]))):
                s.send(port, *pieces)


for number in _SEEDS:
    _register_random(number)
