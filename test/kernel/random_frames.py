"""Random frames, seeded: every field right most of the time and wrong now and then.

The generator knows the network it plays in (layout.py and SETUP) just well enough to leave out
what depends on chance or time instead of on the frame: neighbours that must be asked for,
redirects, and senders whose limit of route errors is used up (rule C10).  Fragments that would
have to be made or put together take part only when asked for.  Where routing is random too
(random_routes.py) it knows nothing of the destinations that this is about.
"""

import shutil
import struct

import random_routes
from lib import layout, packets

BATCH_FRAMES = 64
_ROUTE_ERRORS_PER_SENDER = 4        # five pass at once where rule C7 takes nothing
_LEAST_MTU = 600                    # of random routes

SETUP = tuple(
    ["sysctl net.ipv4.icmp_ratemask=0"]
    + [f"sysctl net.ipv4.conf.{name}.send_redirects=0" for name in ("all", *layout.PORTS)]
    + [f"route add 10.{64 + n}.0.0/16 via 10.0.{n}.254" for n in range(4)]
    + [f"neigh add 10.0.{n}.0 lladdr 02:00:00:00:0{n}:f0 dev p{n} nud permanent"
       for n in range(4)]
    + ["route add 20.0.0.0/8 via 10.0.1.254 mtu 1000",
       "route add 20.1.0.0/16 via 10.0.3.254",
       "route add throw 20.2.0.0/16"])

# Each chapter of a run plays under one of these, drawn by its seed: further commands, and the
# kind of sentinel that still gets through.
VARIATIONS = (
    ((), "routed"),
    ((), "routed"),
    (("sysctl net.ipv4.conf.all.rp_filter=1",), "routed"),
    (("sysctl net.ipv4.conf.all.rp_filter=2",), "routed"),
    (("sysctl net.ipv4.conf.p0.rp_filter=1", "sysctl net.ipv4.conf.p2.rp_filter=2"), "routed"),
    (("sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",), "routed"),
    (("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",), "routed"),
    (("sysctl net.ipv4.conf.all.drop_unicast_in_l2_multicast=1",), "routed"),
    (("sysctl net.ipv4.conf.p1.forwarding=0",), "echo"),
    (("sysctl net.ipv4.ip_forward=0",), "echo"),
    (("sysctl net.ipv4.conf.all.send_redirects=1",), "routed"),
    (("sysctl net.ipv4.conf.all.accept_local=1",), "routed"),
    (("sysctl net.ipv4.conf.all.bc_forwarding=1",)
     + tuple(f"sysctl net.ipv4.conf.{port}.bc_forwarding=1" for port in layout.PORTS), "routed"),
    (("sysctl net.ipv4.conf.all.accept_source_route=1",), "routed"),
    (("sysctl net.ipv4.conf.all.accept_source_route=1", "sysctl net.ipv4.conf.all.rp_filter=2",
      "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0"), "routed"),
    (("sysctl net.ipv4.ip_default_ttl=200", "route add default via 10.0.2.254"), "routed"),
) + ((
    (("sysctl net.millrace.defrag=1",), "routed"),
    (("sysctl net.millrace.defrag=1", "sysctl net.ipv4.conf.all.accept_source_route=1"), "routed"),
) if shutil.which("nft") else ())

_KNOWN_HOSTS = frozenset(packets.address(f"10.0.{n}.{h}")
                         for n in range(4) for h in (0, 1, 2, 3, 254, 255))
_OWN = frozenset(packets.address(f"10.0.{n}.1") for n in range(4))
_DIRECTED = frozenset(packets.address(f"10.0.{n}.255") for n in range(4))
# The kernel may have handlers for these loaded, or not.
_HANDLED_PROTOCOLS = frozenset((4, 33, 41, 46, 47, 50, 51, 94, 103, 108, 115, 132, 136))


class Generator:
    def __init__(self, rng, extras=frozenset(), random_routing=False, mtu=layout.MTU, setup=()):
        self._mtu = mtu
        self._own = _OWN | {packets.address(line.split()[2].partition("/")[0])
                            for line in setup if line.startswith("addr add ")}
        self._rng = rng
        self._extras = extras
        self._random_routing = random_routing
        self._route_errors = {}
        self._fragments = []

    def batch(self):
        """A port and the frames that go into it."""
        port = self._rng.choice(layout.PORTS)
        frames = []
        while len(frames) < BATCH_FRAMES:
            frame = self._frame(port)
            if self._playable(port, frame):
                frames.append(frame)
        return port, frames

    # How a frame comes about.

    def _frame(self, port):
        rng = self._rng
        if "fragments" in self._extras and rng.random() < 0.3:
            packet = self._fragment()
        else:
            packet = self._packet()
        if rng.random() < 0.25:
            packet = self._damaged(packet)
        if rng.random() < 0.06:
            packet = packet[:rng.choice((0, 1, 19, 20, 24, 27, 28, len(packet) // 2,
                                         max(0, len(packet) - 1)))]
        elif rng.random() < 0.1:
            packet += bytes(rng.choice((1, 2, 10, 18))) if rng.random() < 0.5 else \
                rng.randbytes(rng.randrange(1, 46))
        packet = packet[:self._mtu[port]]
        dst = layout.router_mac(port)
        if rng.random() < 0.1:
            dst = rng.choice((layout.BROADCAST_MAC, "01:00:5e:00:00:01", "01:00:5e:01:02:03",
                              layout.STRANGER_MAC, layout.router_mac(rng.choice(layout.PORTS))))
        ethertype = 0x86dd if rng.random() < 0.005 else packets.ETH_IP
        return packets.ethernet(dst, layout.host_mac(port), ethertype, packet)

    def _packet(self):
        rng = self._rng
        src, dst = self._source(), self._destination()
        fields = {"id": rng.randrange(65536), "ttl": self._ttl(), "flags": self._flags()}
        if rng.random() < 0.3:
            fields["tos"] = rng.randrange(256)
        if rng.random() < 0.08:
            fields["offset"] = rng.choice((1, 2, 185, rng.randrange(8192), 8191))
        if rng.random() < 0.02:
            fields["check"] = rng.choice((0, 0xffff, rng.randrange(65536)))
        if rng.random() < 0.2:
            fields["options"] = self._options()
        return rng.choice((self._udp, self._udp, self._tcp, self._icmp, self._icmp,
                           self._other))(src, dst, fields)

    def _fragment(self):
        """The next of the fragments of a few datagrams, in this order or that."""
        rng = self._rng
        while not self._fragments:
            for _ in range(rng.randrange(1, 4)):
                self._fragments += self._datagram_in_fragments()
            if rng.random() < 0.5:
                rng.shuffle(self._fragments)
        return self._fragments.pop(0)

    def _datagram_in_fragments(self):
        rng = self._rng
        src, dst = self._source(), self._destination()
        if rng.random() < 0.5:
            dst = f"10.0.{rng.randrange(4)}.1"
        whole = rng.choice((self._udp, self._tcp, self._icmp, self._icmp, self._other))(
            src, dst, {"id": rng.randrange(65536)})
        proto, message = whole[9], whole[20:]
        ident, size = rng.randrange(65536), 8 * rng.choice((1, 2, 3, 5, 16, 40, 100, 170))
        tos = [rng.choice((0, 0, 2, 2, rng.randrange(256)))] * 6 + [rng.randrange(256)]
        fragments = []
        for start in range(0, max(1, len(message)), size):
            end, at, more = start + size, start, start + size < len(message)
            for _ in range(2 if rng.random() < 0.05 else 1):
                fragments.append(packets.ipv4(
                    src, dst, proto, message[at:end], id=ident, offset=at // 8,
                    flags=(packets.MF if more else 0) | rng.choice((0, 0, packets.DF)),
                    tos=rng.choice(tos)))
                if rng.random() < 0.3:      # what comes twice need not be the same
                    at, end = max(0, at - 8), end + rng.choice((0, 4, 8))
        if rng.random() < 0.1:
            fragments.pop(rng.randrange(len(fragments)))
        if rng.random() < 0.3:
            fragments.reverse()
        return fragments

    def _source(self):
        rng, draw = self._rng, self._rng.random()
        n = rng.randrange(4)
        if self._random_routing and rng.random() < 0.2:
            return random_routes.address(rng)
        if draw < 0.55:
            return f"10.{64 + n}.{rng.randrange(256)}.{rng.randrange(256)}"
        if draw < 0.8:
            return f"10.0.{n}.{rng.choice((2, 3, 254))}"
        if draw < 0.97:
            return rng.choice((f"10.0.{n}.1", f"10.0.{n}.255", f"10.0.{n}.0", "0.0.0.0",
                               "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.2.3",
                               layout.EVERYONE, "240.0.0.1", layout.UNROUTED,
                               layout.UNREACHABLE, layout.PROHIBITED, layout.BLACKHOLED))
        return rng.randbytes(4)

    def _destination(self):
        rng, draw = self._rng, self._rng.random()
        n = rng.randrange(4)
        if self._random_routing and rng.random() < 0.4:
            return random_routes.address(rng)
        if draw < 0.3:
            return f"10.{64 + n}.{rng.randrange(256)}.{rng.randrange(256)}"
        if draw < 0.45:
            return f"10.0.{n}.{rng.choice((2, 3, 254))}"
        if draw < 0.65:
            return f"10.0.{n}.1"
        if draw < 0.72:
            return f"20.{rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(256)}"
        if draw < 0.97:
            return rng.choice((f"10.0.{n}.255", f"10.0.{n}.0", "0.0.0.0", "0.1.2.3",
                               "127.0.0.1", "127.255.255.255", "224.0.0.0", "224.0.0.1",
                               "224.0.0.2", "239.1.2.3", "240.0.0.1", "255.255.255.254",
                               layout.EVERYONE, layout.UNROUTED, layout.UNREACHABLE,
                               layout.PROHIBITED, layout.BLACKHOLED))
        return rng.randbytes(4)

    def _ttl(self):
        rng = self._rng
        return rng.choice((0, 1, 1, 2, 255)) if rng.random() < 0.2 else rng.randrange(2, 256)

    def _flags(self):
        rng = self._rng
        flags = packets.DF if rng.random() < 0.4 else 0
        if rng.random() < 0.06:
            flags |= packets.MF
        if rng.random() < 0.03:
            flags |= packets.RESERVED
        return flags

    def _data(self):
        rng, draw = self._rng, self._rng.random()
        if draw < 0.6:
            return rng.randbytes(rng.randrange(0, 64))
        if draw < 0.9:
            return rng.randbytes(rng.randrange(0, 600))
        return rng.randbytes(rng.choice((952, 972, 973, 1352, 1372, 1373, 1452, 1472)))

    def _options(self):
        """Some options that may be, one after another, and now and then spoilt."""
        rng = self._rng
        options = b""
        while len(options) < 40 and (not options or rng.random() < 0.5):
            options += self._option()
        options = bytearray(options[:40] + rng.choice((b"\0", b"\1")) * (-len(options[:40]) % 4))
        if rng.random() < 0.2:
            options[rng.randrange(len(options))] = rng.choice((0, 1, 2, 3, 4, 255, rng.randrange(
                256)))
        return bytes(options)

    def _option(self):
        rng = self._rng
        kind = rng.choice((0, 1, 1, 7, 7, 7, 68, 68, 68, 131, 131, 137, 148, 134, 130, 136,
                           rng.randrange(256)))
        if kind < 2:
            return bytes((kind,))
        if kind == 7:
            body = self._slots(4)
        elif kind == 68:
            body = self._slots(4)
            body = bytes(((body[0] + 1) % 256, rng.choice((0, 0, 1, 1, 3, 3, 2, 14, 15)) +
                          16 * rng.choice((0, 0, 0, 1, 14, 15)))) + body[1:]
        elif kind in (131, 137):
            body = self._slots(4, filled=True)
        elif kind == 148:
            body = rng.choice((b"\0\0", b"\0\0", b"\0\1", b"\0", b"\0\0\0"))
        else:
            body = rng.randbytes(rng.randrange(12))
        return bytes((kind, len(body) + 2)) + body

    def _slots(self, first, filled=False):
        """A pointer, and room for addresses: empty, used in part, full, ragged."""
        rng = self._rng
        slots = rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 8, 9))
        pointer = first + 4 * rng.choice((0, 0, 0, 1, 2, slots, slots))
        if rng.random() < 0.08:
            pointer = rng.choice((0, 3, 255, pointer + rng.randrange(1, 4)))
        room = b"".join(packets.address(self._hop()) if filled or rng.random() < 0.3 else bytes(4)
                        for _ in range(slots))
        if rng.random() < 0.08:
            room += bytes(rng.randrange(1, 4))
        return bytes((pointer,)) + room

    def _hop(self):
        rng = self._rng
        if rng.random() < 0.7:
            return f"10.0.{rng.randrange(4)}.{rng.choice((1, 1, 2, 3, 254))}"
        return self._destination()

    def _udp(self, src, dst, fields):
        rng = self._rng
        if rng.random() < 0.1:
            fields["udp_check"] = rng.choice((0, 0xffff, rng.randrange(65536)))
        if rng.random() < 0.08:
            fields["udp_length"] = rng.choice((0, 7, 8, 9, rng.randrange(65536)))
        return packets.udp(src, dst, self._data(), sport=rng.randrange(65536),
                           dport=rng.randrange(65536), **fields)

    def _tcp(self, src, dst, fields):
        rng = self._rng
        if rng.random() < 0.1:
            fields["tcp_check"] = rng.randrange(65536)
        if rng.random() < 0.05:
            fields["tcp_offset"] = rng.randrange(16)
        return packets.tcp(src, dst, rng.randrange(256), self._data()[:1400],
                           sport=rng.randrange(65536), dport=rng.randrange(65536),
                           seq=rng.randrange(1 << 32), ack=rng.randrange(1 << 32), **fields)

    def _icmp(self, src, dst, fields):
        rng = self._rng
        kind = rng.choice((8, 8, 8, 0, 3, 4, 5, 11, 12, 13, 14, 17, 30, rng.randrange(256)))
        if rng.random() < 0.1:
            fields["icmp_check"] = rng.randrange(65536)
        code = rng.randrange(256) if rng.random() < 0.2 else 0
        data = self._data()
        if rng.random() < 0.3:
            data = packets.udp(dst, src, data[:400])
        return packets.icmp(src, dst, kind, code, rng.randbytes(4), data, **fields)

    def _other(self, src, dst, fields):
        return packets.ipv4(src, dst, self._rng.randrange(256), self._data(), **fields)

    def _damaged(self, packet):
        """One field of the IP header replaced, the checksum made to fit again or not."""
        rng = self._rng
        header = bytearray(packet[:20])
        where, length = rng.choice(((0, 1), (1, 1), (2, 2), (2, 2), (4, 2), (6, 2), (8, 1),
                                    (9, 1), (12, 4), (16, 4)))
        old = int.from_bytes(header[where:where + length], "big")
        top = 1 << 8 * length
        new = rng.choice((0, top - 1, old ^ 1 << rng.randrange(8 * length), old + 1, old - 1,
                          rng.randrange(top)))
        header[where:where + length] = (new % top).to_bytes(length, "big")
        if rng.random() < 0.8:
            covered = bytearray(packet[:max(20, (header[0] & 15) * 4)])
            covered[:20] = header
            covered[10:12] = b"\0\0"
            header[10:12] = packets.checksum(bytes(covered)).to_bytes(2, "big")
        return bytes(header) + packet[20:]

    # What is left out.

    def _playable(self, port, frame):
        if len(frame) < 34:
            return True
        packet = bytes(frame[14:])
        (length, _, fragment, _, protocol, _, src, dst) = struct.unpack_from(
            "!HHHBBH4s4s", packet, 2)
        header_bytes = (packet[0] & 15) * 4
        hops = (packet[at:at + 4] for at in range(20, header_bytes - 3))
        if any(a[:2] == b"\x0a\0" and a[2:3] < b"\4" and a not in _KNOWN_HOSTS | self._own
               for a in (src, dst, *hops)):
            return False
        local = dst in self._own or dst in _DIRECTED or dst[0] >= 224 or dst == bytes(4)
        if local and protocol in _HANDLED_PROTOCOLS:
            return False
        if "fragments" not in self._extras:
            if local and fragment & 0x3fff:
                return False
            if length > self._way(dst)[1] and not fragment & packets.DF:
                return False
            if local and length > self._way(src)[1]:
                return False
        if self._way(dst)[0] in (port, _ANY) and _is_on_link(src, port):
            return False            # would be told of a better way, now and then (rule C9)
        return self._may_be_told(src, dst)

    def _way(self, address):
        """The port an address is routed to, _ANY, or None, and the least MTU of its way."""
        if self._random_routing and random_routes.is_random(address):
            return _ANY, _LEAST_MTU
        port, most = _way(address)
        return port, min(most, self._mtu[port or "p2"])

    def _may_be_told(self, src, dst):
        """Count what could be a route error; only so many for each sender."""
        if self._way(dst)[0] not in (None, _ANY):
            return True
        told = self._route_errors.get(src, 0)
        self._route_errors[src] = told + 1
        return told < _ROUTE_ERRORS_PER_SENDER


_ANY = "any"                        # nobody but the routers knows


def _is_on_link(address, port):
    """Whether a host on the port has this address, or may have it by a random route."""
    return address[:3] == bytes((10, 0, layout.number(port))) or random_routes.is_random(address)


def _way(address):
    """The port an address is routed to, or None, and the least MTU of its way."""
    port = None
    if address[0] == 10 and address[1] == 0 and address[2] < 4:
        port = f"p{address[2]}"
    elif address[0] == 10 and 64 <= address[1] < 68:
        port = f"p{address[1] - 64}"
    elif address[0] == 20 and address[1] != 2:
        return ("p3", 1500) if address[1] == 1 else ("p1", 1000)
    # What has no route may have a default route by p2.
    return port, layout.MTU[port or "p2"]
