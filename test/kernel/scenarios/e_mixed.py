"""Rules D, E, K at random, all at once: each fragment with a mind of its own about everything, from
two ports, for the router, through it and for many, under settings that change meanwhile.
"""

import itertools
import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.a_every import tagged
from scenarios.k_defrag import MISSING, data

GROUPS, DATAGRAMS = 70, 8
PORTS_IN = ("p0", "p3")
MTUS = (68, 69, 75, 76, 77, 84, 100, 296, 552, 576, 1006, 1400, 1500)
OUT = ("p1", "p2")

SETUP = (
    "sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_time=3000",
    "sysctl net.ipv4.ipfrag_low_thresh=0", "sysctl net.ipv4.fib_multipath_hash_seed=5",
    *(f"sysctl net.ipv4.conf.{port}.send_redirects=0" for port in ("all", *PORTS)),
    "route add 203.0.113.0/25 nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 2",
    "route add 203.0.113.128/25 via 10.0.1.254 mtu 68", "addr add 10.9.9.9/32 dev p2")
SETTINGS = {                        # the first is the default
    "net.millrace.defrag": (0, 1, 1),
    "net.ipv4.ipfrag_max_dist": (64, 64, 0, 1, 3, 20),
    "net.ipv4.ipfrag_high_thresh": (4194304, 4194304, 4194304, 60000, 9000, 0),
    "net.ipv4.conf.all.accept_source_route": (0, 1),
    "net.ipv4.conf.all.rp_filter": (0, 0, 0, 1, 2),
    "net.ipv4.conf.p3.rp_filter": (0, 0, 1),
    "net.ipv4.conf.all.accept_local": (0, 0, 1),
    "net.ipv4.conf.all.drop_unicast_in_l2_multicast": (0, 0, 1),
    "net.ipv4.icmp_echo_ignore_broadcasts": (1, 0),
    "net.ipv4.icmp_errors_use_inbound_ifaddr": (0, 0, 1),
    "net.ipv4.ip_forward_use_pmtu": (0, 1),
    "net.ipv4.ip_no_pmtu_disc": (0, 0, 1, 2, 3),
    "net.ipv4.conf.all.bc_forwarding": (0, 1),
    "net.ipv4.conf.p1.bc_forwarding": (0, 1),
    "net.ipv4.fib_multipath_hash_policy": (0, 1),
    "net.ipv4.fwmark_reflect": (0, 1),
}
FILTERS = (
    "prerouting ip ttl 32 mark set 1", "prerouting ip ttl 33 mark set 2",
    "prerouting fragment counter", "input fragment counter", "input mark 1 counter",
    "input iifname p0 counter", "input iifname p3 counter", "input pkttype != host counter",
    "input ip frag-off & 0x4000 != 0 counter", "input meta length > 600 counter",
    "forward fragment counter", "forward mark 1 counter", "forward mark 2 reject",
    "forward ip frag-off & 0x1fff != 0 counter", "forward udp dport 5000 counter",
    "forward iifname p3 ip saddr 198.51.0.0/25 counter drop",
    "forward meta length > 700 ip ttl 40 reject with icmp admin-prohibited",
    "input ip ttl 41 reject with icmp host-prohibited", "input tcp dport 80 reject with tcp reset",
    "output fragment counter", "postrouting meta length > 500 counter",
    "postrouting fragment counter", "output mark 1 counter")
OPTIONS = (
    b"\1\1\1\0", b"\x94\4\0\0", b"\x07\x07\x04\0\0\0\0\0", b"\x07\x0f\x08" + bytes(13),
    b"\x07\x27\x04" + bytes(36) + b"\0", b"\x82\x0b" + bytes(9) + b"\0", b"\x1e\6\1\2\3\4\1\1",
    b"\x9e\6\1\2\3\4\0\7", b"\x94\4\0\0" * 10, b"\x07\x03\0\0", b"\x07\x02\x04\0",
    b"\x83\x07\x04\x0a\0\2\2\0", b"\x83\x07\x04\x0a\0\0\1\0", b"\x89\x07\x04\x0a\0\1\2\0",
    b"\x83\x0b\x08\x0a\0\1\2\x0a\0\2\2\0", b"\x07\x07\x04\0\0\0\0\x82\x05\1\2\3",
    b"\x44\x0c\x05\3\x0a\0\0\x63\0\0\0\0")
SPECIAL = (B0, B1, B3, EVERYONE, ALL_HOSTS, "224.0.0.9", "127.0.0.1", "0.0.0.0")


class Mind:
    """Draws datagrams and commands."""

    def __init__(self, seed, ports):
        self.rng = random.Random(seed)
        self.ports = ports
        self.told = itertools.count()
        self.was = {key: values[0] for key, values in SETTINGS.items()}

    def commands(self, chance):
        rng, lines = self.rng, []
        for key, values in SETTINGS.items():
            if key.endswith("high_thresh") and len(self.ports) > 1:
                continue        # which of several workers comes to the limit first is chance
            value = rng.choice(values)
            if rng.random() < chance and value != self.was[key]:
                self.was[key] = value
                lines.append(f"sysctl {key}={value}")
        if rng.random() < 2 * chance:
            lines += [f"link set {port} mtu {rng.choice(MTUS)}" for port in OUT]
        return lines

    def _ends(self):
        rng, draw = self.rng, self.rng.random()
        src = rng.choice((H0, J0, H3, far("p0", rng.randrange(4)), far("p3", rng.randrange(4)), H2,
                          far("p1", rng.randrange(250))))
        if draw < 0.4:
            return src, rng.choice((R0, R0, R1, R3, "10.9.9.9"))
        if draw < 0.75:
            return src, rng.choice((H1, H1, H2, J1, J2, far("p1", 9), far("p2", 9)))
        if draw < 0.9:
            return src, f"203.0.113.{rng.randrange(1, 255)}"
        if draw < 0.98:
            return rng.choice((src, src, src, R1, B1, "127.0.0.1")), rng.choice(SPECIAL)
        number = next(self.told) % 1000         # C10: two errors for each sender
        return f"198.51.{number // 250}.{1 + number % 250}", rng.choice(
            ("203.0.112.1", UNREACHABLE, PROHIBITED, BLACKHOLED))

    def _message(self, src, dst):
        rng = self.rng
        size = rng.choice((0, 1, 8, 20, 40, 64, 100, 300, 600, 1200, 1480, 2000, 4000))
        body = data(size, rng.randrange(9))
        quoted = rng.choice((icmp(dst, src, 0, data=b"12345678"), udp(dst, src, body[:600]),
                             tcp(dst, src, data=body[:300])))
        kind = rng.randrange(12)
        if kind < 4:
            whole = echo(src, dst, body)
        elif kind < 6:
            whole = udp(src, dst, body, dport=rng.choice((53, 5000)),
                        **rng.choice(({}, {}, {"udp_check": 0}, {"udp_check": 1},
                                      {"udp_length": 9 + size // 2, "udp_check": 0})))
        elif kind < 8:
            whole = tcp(src, dst, rng.choice((SYN, ACK, SYN, RST)), body, ack=7,
                        tcp_options=rng.choice((b"", b"\1" * 20)))
        elif kind < 9:
            whole = icmp(src, dst, 3, rng.choice((1, 3)),
                         b"\0\0" + rng.choice((552, 600, 1000, 0)).to_bytes(2, "big"), quoted)
        elif kind < 10:
            whole = icmp(src, dst, rng.choice((11, 12, 13, 5, 17, 30)), data=quoted)
        else:
            whole = ipv4(src, dst, rng.choice((99, 2, 255)), body)
        return whole[9], whole[20:]

    def _spans(self, length):
        rng = self.rng
        units = max(1, -(-length // 8))
        step = rng.choice((1, 2, 3, 10, 50, 150, 180))
        step = max(step, units // 40 + 1)
        edges = [*range(0, units, step), units]
        if rng.random() < 0.4 and units > 2:
            edges = sorted({0, units, *rng.sample(range(1, units), min(units - 1, rng.randrange(
                1, 6)))})
            if max(b - a for a, b in zip(edges, edges[1:])) > 180:
                edges = sorted({*edges, *range(0, units, 180)})
        spans = [(8 * a, min(8 * b, length), b < units) for a, b in zip(edges, edges[1:])]
        for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))):
            start, end, more = rng.choice(spans)
            kind = rng.randrange(8)
            if kind == 1:
                start = max(0, start - 8)
            elif kind == 2:
                end += rng.choice((1, 7, 8, 9))
            elif kind == 3:
                end = max(start, end - rng.choice((1, 7, 8, 9)))
            elif kind == 4:
                more = not more
            elif kind == 5:
                start += 8
                end = max(start, end)
            elif kind == 6:
                start = rng.choice((65528, 65520, 65000))
                end = start + rng.choice((0, 7, 8, 600))
            elif kind == 7:
                end = start
            spans.insert(rng.randrange(len(spans) + 1), (start, min(end, start + 1400), more))
        if rng.random() < 0.1:
            spans.pop(rng.randrange(len(spans)))
        order = rng.randrange(6)
        if order < 2:
            rng.shuffle(spans)
        elif order == 2:
            spans.reverse()
        elif order == 3:
            spans = spans[1:] + spans[:1]
        return spans

    def _frame(self, port, packet, kinds, tag_chance):
        rng = self.rng
        if rng.random() < 0.1:
            packet += bytes(min(rng.choice((1, 18, 30)), 1500 - len(packet)))
        tags = ((0x8100, rng.randrange(8) << 13),) if rng.random() < tag_chance else ()
        return tagged(*tags, payload=packet, dst=rng.choice(kinds), port=port)

    def datagram(self):
        """(port, frame) of each of its pieces."""
        rng = self.rng
        src, dst = self._ends()
        proto, message = self._message(src, dst)
        false = bytes(byte ^ 0x55 for byte in message) if rng.random() < 0.1 else message
        tos = rng.choice(((0,), (0,), (0,), (2,), (1, 2), (2, 3), (0x10, 0xb8), (0, 1, 2, 3)))
        flags = rng.choice(((0,), (0,), (DF,), (DF,), (0, DF), (0, RESERVED)))
        ttls = rng.choice(((64,), (64,), (64,), (40, 41), (32, 33, 64), (1, 64), (1, 2, 3),
                           (32, 64), (32,)))
        options = rng.choice((*((b"",),) * 5, (b"", rng.choice(OPTIONS)), (rng.choice(OPTIONS),),
                              (b"", rng.choice(OPTIONS), rng.choice(OPTIONS))))
        kinds = rng.choice((*((None,),) * 6, (None, BROADCAST_MAC), (BROADCAST_MAC,),
                            (None, None, "01:00:5e:00:00:01")))
        # A tag leaves Linux room for four more bytes of header where a driver does not take it off,
        # so that the boundaries of fragments with less header than the first may be kept.
        tag_chance = rng.choice((0, 0, 0.3)) if len(options) == 1 else 0
        port, ident = rng.choice(self.ports), rng.randrange(60)
        pieces = []
        for start, end, more in self._spans(len(message)):
            body = rng.choice((message, false))[start:end]
            body += bytes(max(0, end - start - len(body)))
            if rng.random() < 0.15:
                port = rng.choice(self.ports)
            packet = ipv4(src, dst, proto, body, id=ident, offset=start // 8,
                          flags=rng.choice(flags) | (MF if more else 0), tos=rng.choice(tos),
                          ttl=rng.choice(ttls), options=rng.choice(options),
                          **({"check": 5} if rng.random() < 0.01 else {}))
            pieces.append((port, self._frame(port, packet, kinds, tag_chance)))
        return pieces

    def group(self):
        rng = self.rng
        datagrams = [self.datagram() for _ in range(DATAGRAMS)]
        if rng.random() < 0.4:
            return list(itertools.chain(*datagrams))
        turns = [n for n, pieces in enumerate(datagrams) for _ in pieces]
        rng.shuffle(turns)
        left = [iter(pieces) for pieces in datagrams]
        return [next(left[n]) for n in turns]


def _is_fragment(frame):
    at = 18 if frame[12:14] == b"\x81\0" else 14
    return bool(int.from_bytes(frame[at + 6:at + 8], "big") & 0x3fff)


def register(seed):
    two = seed % 2
    mind = Mind(seed, PORTS_IN if two else PORTS_IN[:1])
    filters = tuple(f"filter add {rule}" for rule in FILTERS if mind.rng.random() < 0.4) \
        if seed % 4 < 2 else ()

    # By two ports: what is no fragment may overtake what one worker hands over to another.
    @scenario(f"all at once, {seed}", "E, D, K", missing=MISSING, setup=SETUP + filters,
              sequence=(lambda frame: frame.hex()) if two else None)
    def story(s):
        mind = Mind(seed, PORTS_IN if two else PORTS_IN[:1])
        mind.rng.seed(f"{seed} anew")
        s.run(*mind.commands(0.6), "link set p1 mtu 1500")
        for _ in range(GROUPS):
            lines = mind.commands(0.08)
            if lines:
                s.run(*lines)
            for (port, _), pieces in itertools.groupby(mind.group(), lambda piece: (
                    piece[0], two and _is_fragment(piece[1]))):
                pieces = [frame for _, frame in pieces]
                for at in range(0, len(pieces), 48):
                    s.send(port, *pieces[at:at + 48])
            s.check_counters()
            if filters:
                s.filter_counters()


for number in range(6):
    register(number)
