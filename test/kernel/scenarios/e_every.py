"""Rules D, E, K: dense ones. Every triple of pieces; fragments whose upper headers are in several
pieces, under filter rules; time that runs out while things change.

Each plays to the router, through it, and where fragments are put together before they are routed.
Many are in one scenario: the identification tells answers apart, and a counter, or the sender, the
rules.
"""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.k_defrag import MISSING, ON, cut, data

QUIET = ("sysctl net.ipv4.icmp_ratemask=0",)
NARROW = {"p2": 68}
WAYS = {"to the router": (R0, ()), "through it": (H1, ()), "over a narrow link": (H2, ()),
        "put together, to the router": (R0, ON), "put together, through it": (H1, ON),
        "put together, over a narrow link": (H2, ON)}
TOGETHER = [way for way, (dst, more) in WAYS.items() if dst == R0 or more]


def each_way(name, rule, ways=WAYS, setup=(), missing="", **details):
    """The scenario of a story that takes the destination, for each way."""
    def register(story):
        for way in ways:
            dst, more = WAYS[way]
            scenario(f"{name}, {way}", rule, setup=(*setup, *more),
                     missing=missing or (MISSING if more else ""), **details)(
                lambda s, dst=dst: story(s, dst))
        return story
    return register


# Every three pieces of three units, with and without MF, and then all that is needed, in either
# order. What is put together shows whose bytes and whose header were taken: by itself where it is
# sent on, quoted by an error (no such protocol) where it is for the router.

UNITS, ALL_UNITS = 3, 10
SPANS = [(start, end, more) for start in range(UNITS) for end in range(start, UNITS + 1)
         for more in (False, True)]
PARTS = 5
BATCH = 40
MESSAGES = [bytes(byte ^ mask for byte in data(8 * ALL_UNITS)) for mask in (0, 0x55, 0xaa)]


def _span(message, start, end, more, **fields):
    return ipv4(proto=99, payload=message[8 * start:8 * end], offset=start, flags=MF if more else 0,
                **fields)


def _triples(part):
    def story(s, dst):
        stories = list(itertools.product(SPANS, SPANS, SPANS, (1, -1)))[part::PARTS]
        for first in range(0, len(stories), BATCH):
            frames = []
            for ident, (*triple, order) in enumerate(stories[first:first + BATCH], first):
                fields = {"src": far("p0", 1 + ident % 200), "dst": dst, "id": ident}
                frames += [_span(MESSAGES[k], *span, tos=4 * k, ttl=10 + k, **fields)
                           for k, span in enumerate(triple)]
                frames += [_span(MESSAGES[0], *span, tos=0x20, **fields)
                           for span in ((0, UNITS, True), (UNITS, ALL_UNITS, False))[::order]]
            s.send("p0", *frames)
            s.check_counters()
    return story


for _part in range(PARTS):
    each_way(f"every three pieces, {_part + 1} of {PARTS}", "E", TOGETHER, mtu=NARROW, setup=(
        *QUIET, "sysctl net.ipv4.ipfrag_max_dist=0",
        "sysctl net.ipv4.ipfrag_high_thresh=100000000"))(_triples(_part))


# What a rule looks at may be in the second piece, or in several.

POINTS = ("prerouting", "input", "forward", "output", "postrouting")
RULES = ("tcp flags syn counter", "tcp doff 5 counter", "tcp window 8192 counter",
         "tcp checksum != 0 counter", "udp dport 5000 counter", "udp length 50-2000 counter",
         "udp checksum != 0 counter", "icmp type echo-request counter", "icmp sequence 1 counter",
         "icmp checksum != 0 counter", "th sport 4000 counter", "@th,64,32 0 counter",
         "@th,100,17 != 3 counter", "@th,160,32 != 7 counter",
         "ip frag-off & 0x1fff != 0 counter", "ip frag-off & 0x4000 != 0 counter",
         "fragment counter", "ip length > 1500 counter", "meta l4proto tcp counter")
SIZES = (8, 16, 24, 32, 104, 1400)
REJECTS = ("counter reject", "counter reject with icmp admin-prohibited",
           "meta l4proto tcp counter reject with tcp reset")
REJECTED = {far("p0", 100 + n): (point, reject) for n, (point, reject) in enumerate(
    itertools.product(("prerouting", "input", "forward"), REJECTS))}


def _in_pieces(s, packet, ident):
    """A packet in pieces of one size, of each size, from the first and from the last."""
    frames = []
    for size in SIZES:
        n = -(-(len(packet) - 20) // size)
        if 1 < n < 60:
            for step in (1, -1):
                frames += cut(packet, *[size] * n, id=next(ident))[::step]
    if len(packet) < 1400:      # the first piece, and all that is left; DF on both
        for size in (8, 16):
            frames += cut(packet, size, keep=DF, id=next(ident))
    s.send("p0", *frames)


def _packets(src, dst):
    yield udp(src, dst, data(100))
    yield udp(src, dst, data(40), udp_check=0)
    yield echo(src, dst, data(100))
    yield ipv4(src, dst, 132, data(100))
    yield echo(src, dst, data(2500), ident=9)
    yield udp(src, dst, data(2500))


@each_way("small pieces under rules at every point", "E, FL", missing=MISSING, setup=(
    *QUIET, *(f"filter add {point} tcp dport {22 + n} counter drop"
              for n, point in enumerate(POINTS)),
    *(f"filter add {point} {rule}" for point in POINTS for rule in RULES)))
def under_rules(s, dst):
    ident = itertools.count(1)
    tcps = (tcp(H0, dst, flags, data(100), dport=dport)
            for dport in range(21, 27) for flags in (SYN, ACK))
    for packet in (*tcps, *_packets(H0, dst)):
        _in_pieces(s, packet, ident)
        s.filter_counters()


@each_way("small pieces that rules refuse", "E, FL", missing=MISSING, setup=(
    *QUIET, *(f"filter add {point} ip saddr {src} {reject}"
              for src, (point, reject) in REJECTED.items())))
def refused(s, dst):
    ident = itertools.count(1)
    for src in REJECTED:
        for packet in (tcp(src, dst, SYN, data(100)), tcp(src, dst, ACK, data(40), ack=5),
                       *_packets(src, dst)):
            _in_pieces(s, packet, ident)
        s.filter_counters()


# Who is told that time ran out, and how, is decided when it does; and what becomes of a datagram,
# when its last piece comes.

SENDERS = (H0, far("p0", 9), far("p1", 9), far("p2", 7), B1, R0, "127.0.0.1", "0.0.0.0", UNROUTED,
           PROHIBITED)
CHANGES = {     # commands, and those that take them back, which are played as well
    "the ingress link's address": (("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",),
                                   ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=0",)),
    "no forwarding": (("sysctl net.ipv4.ip_forward=0",), ("sysctl net.ipv4.ip_forward=1",)),
    "no forwarding where they came in": (("sysctl net.ipv4.conf.p0.forwarding=0",),
                                         ("sysctl net.ipv4.conf.p0.forwarding=1",)),
    "more addresses, one of them a sender's": (
        ("addr add 10.0.0.99/24 dev p0", "addr add 10.0.88.1/24 dev p0",
         "addr add 198.51.0.9/32 dev p1"),
        ("addr del 10.0.0.99/24 dev p0", "addr del 10.0.88.1/24 dev p0",
         "addr del 198.51.0.9/32 dev p1")),
    "another way back": (("route replace 198.51.0.0/24 via 10.0.3.254",
                          "route add 10.0.0.2/32 via 10.0.2.2"),
                         ("route replace 198.51.0.0/24 via 10.0.0.254", "route del 10.0.0.2/32")),
    "sources validated": (("sysctl net.ipv4.conf.all.rp_filter=1",),
                          ("sysctl net.ipv4.conf.all.rp_filter=0",)),
    "sources validated loosely": (("sysctl net.ipv4.conf.all.rp_filter=2",),
                                  ("sysctl net.ipv4.conf.all.rp_filter=0",)),
    "own addresses taken": (("sysctl net.ipv4.conf.all.accept_local=1",),
                            ("sysctl net.ipv4.conf.all.accept_local=0",)),
    "loopback addresses taken": (("sysctl net.ipv4.conf.all.route_localnet=1",
                                  "sysctl net.ipv4.conf.all.accept_local=1"),
                                 ("sysctl net.ipv4.conf.all.route_localnet=0",
                                  "sysctl net.ipv4.conf.all.accept_local=0")),
    "a rule that prohibits": (("rule add from 198.51.0.0/16 prohibit priority 100",),
                              ("rule del from 198.51.0.0/16 prohibit priority 100",)),
    "a rule on the way back": (("rule add to 198.51.0.0/16 blackhole priority 100",),
                               ("rule del to 198.51.0.0/16 blackhole priority 100",)),
    "senders unreachable": (("route add blackhole 198.51.0.9/32",
                             "route add unreachable 10.0.0.2/32"),
                            ("route del blackhole 198.51.0.9/32",
                             "route del unreachable 10.0.0.2/32")),
    "filters": (("filter add output drop",), ("filter flush output",)),
    "a narrow link": (("link set p0 mtu 200",), ("link set p0 mtu 1500",)),
    "a narrow way back": (("route replace 198.51.0.0/24 via 10.0.0.254 mtu 100",),
                          ("route replace 198.51.0.0/24 via 10.0.0.254",)),
    "the address is gone": (("addr del 10.0.0.1/24 dev p0",), None),
    "the address is a host's": (("addr del 10.0.0.1/24 dev p0", "route add 10.0.0.0/24 dev p0"),
                                None),
    "the link down and up": (("link set p0 down", "link set p0 up"), None),
}
ONCE = [name for name, (_, back) in CHANGES.items() if back is None]
AGAIN = [name for name in CHANGES if name not in ONCE]


def _expire(s, targets, ident, change):
    """Half of the datagrams are never completed, the others when the change is made."""
    lasts = []
    for dst, src, options in itertools.product(targets, SENDERS, (b"", b"\x94\x04\0\0")):
        packet = echo(src, dst, data(250))      # whose pieces pass a narrow link
        s.start("p0", cut(packet, 176, id=next(ident), options=options)[0])
        first, last = cut(packet, 176, id=next(ident), options=options)
        s.start("p0", first)
        lasts.append(last)
    s.send("p0")        # both have dealt with them
    s.sentinel = None
    s.run(*change)
    s.start("p0", *lasts)
    s.wait(1.25, tolerance=0.4)
    s.check_counters()


def _expiry(names, targets):
    def story(s):
        ident = itertools.count(1)
        for name in names:
            change, back = CHANGES[name]
            s.sentinel = "routed"
            _expire(s, targets, ident, change)
            if back:
                s.sentinel = "echo" if "no forwarding" in name else "routed"
                _expire(s, targets, ident, back)
    return story


def _unordered(frame):
    """Timers that run out together do so in no order."""
    return frame.hex()


for _name, _names in (*((f"while things change, {n + 1} of 3", AGAIN[n::3]) for n in range(3)),
                      *((name, [name]) for name in ONCE)):
    for _way, (_targets, _more) in {"to the router": ((R0,), ()),
                                    "put together": ((R0, H1), ON)}.items():
        scenario(f"time runs out: {_name}, {_way}", "E", slow=True, missing=MISSING,
                 sequence=_unordered, setup=(*QUIET, *_more, "sysctl net.ipv4.ipfrag_time=1"))(
            _expiry(_names, _targets))
