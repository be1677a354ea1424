"""Rule A, densely: all kinds of sources to all kinds of destinations in all kinds of frames under
many settings, frames of every length, tags and other encapsulations."""

import itertools
import random
import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_every import WAYS, sender

UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0",
    "sysctl net.ipv4.conf.all.send_redirects=0",
    "sysctl net.ipv4.conf.p0.send_redirects=0",
     "sysctl net.ipv4.conf.p1.send_redirects=0") + WAYS
ZEROS = tuple(f"neigh add 10.0.{n}.0 lladdr 02:00:00:00:0{n}:f0 dev p{n} nud permanent"
              for n in range(4))
MULTICAST_MAC = "01:00:5e:00:00:01"
SOURCES = (H0, J0, R0, R1, B0, B1, N0, N1, H1, H3, "0.0.0.0", "0.0.0.1", "0.255.255.255",
           "127.0.0.0", "127.0.0.1", "127.255.255.255", "128.0.0.1", "191.255.255.255",
            "223.255.255.255",
           "224.0.0.0", "224.0.0.1", "239.255.255.255", "240.0.0.0", "240.0.0.1", "255.255.255.254",
           EVERYONE, "169.254.1.1", "192.0.0.8", UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED,
           far("p0", 9), far("p1", 9))
DESTINATIONS = SOURCES + ("224.0.0.2", "224.0.0.251", "224.0.1.1", "239.1.2.3", R2, R3, B3, H2, G1)
UNANSWERED = 4      # of the route errors that a source gets at once


class Ration:
    """Leaves out what the limit of route errors would let through or not by the clock."""

    def __init__(self, least=UNANSWERED):
        self._told = {}
        self._least = least

    def allows(self, src, dst):
        key = address(src)
        if address(dst)[:2] == b"\x0a\0" and dst not in ("0.0.0.0",):
            return True
        self._told[key] = self._told.get(key, 0) + 1
        return self._told[key] <= self._least


def kinds(src, dst):
    yield udp(src, dst)
    yield echo(src, dst)
    yield udp(src, dst, ttl=1)
    yield ipv4(src, dst, 2, bytes(8))
    yield tcp(src, dst)


VARIANTS = {
    "by default": (),
    "a default route": ("route add default via 10.0.3.254",),
    "rp_filter 2": ("sysctl net.ipv4.conf.p0.rp_filter=2",),
    "rp_filter 1, a default route": ("sysctl net.ipv4.conf.all.rp_filter=1",
                                     "route add default via 10.0.0.254"),
    "accept_local": ("sysctl net.ipv4.conf.p0.accept_local=1",),
    "route_localnet": ("sysctl net.ipv4.conf.all.route_localnet=1",),
    "route_localnet, accept_local": ("sysctl net.ipv4.conf.all.route_localnet=1",
                                     "sysctl net.ipv4.conf.all.accept_local=1"),
    "bc_forwarding, rp_filter 1": ("sysctl net.ipv4.conf.all.bc_forwarding=1",
                                   "sysctl net.ipv4.conf.p0.bc_forwarding=1",
                                   "sysctl net.ipv4.conf.all.rp_filter=1"),
    "drop_unicast_in_l2_multicast": ("sysctl net.ipv4.conf.p0.drop_unicast_in_l2_multicast=1",
                                     "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0"),
    "no forwarding": ("sysctl net.ipv4.conf.p0.forwarding=0",),
    "rp_filter 2, no forwarding": ("sysctl net.ipv4.conf.p0.forwarding=0",
                                   "sysctl net.ipv4.conf.p0.rp_filter=2"),
    "inbound address": ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",),
    "a rule, rp_filter 1": ("rule add from 10.0.0.2 table 100", 
                            "rule add iif p0 tos 0x10 blackhole",
                            "route add default via 10.0.1.254 table 100",
                            "sysctl net.ipv4.conf.all.rp_filter=1"),
    "local routes": ("route add local 5.5.5.0/24 dev lo", "route add local 203.0.113.0/24 dev lo"),
    "broadcast routes": ("route add broadcast 203.0.113.1 dev p1",
                         "route add broadcast 198.51.1.9 dev p0"),
    "multicast routes": ("route add 224.0.0.0/4 via 10.0.1.254",),
}
for name, settings in VARIANTS.items():
    @scenario(f"every source to every destination: {name}", "A", setup=UNLIMITED + ZEROS + settings,
              sentinel="echo" if "no forwarding" in name else "routed")
    def every_address(s, settings=settings):
        ration = Ration()
        lo = "accept_local" in str(settings)        # what goes round by lo comes in its own time

        def frames(to):
            for src, dst in itertools.product(SOURCES, DESTINATIONS):
                for packet in kinds(src, dst) if to is None else list(kinds(src, dst))[:3]:
                    if ration.allows(src, dst):
                        yield packet
        for to in (None, BROADCAST_MAC, MULTICAST_MAC):
            s.batches("p0", frames(to), 1 if lo else 16, dst=to)


@scenario("every source to the wrong station", "A")
def other_station(s):
    s.batches("p0", (udp(src, dst) for src, dst in itertools.product(
        SOURCES, (R0, H1, B0, EVERYONE))), dst=STRANGER_MAC)


def tagged(*tags, payload, ethertype=ETH_IP, dst=None, port="p0"):
    head = b"".join(struct.pack("!HH", kind, tag) for kind, tag in tags)
    return Frame(mac(dst or router_mac(port)) + mac(host_mac(port)) + head
                 + struct.pack("!H", ethertype) + payload)


@scenario("tagged frames", "A")
def tags(s):
    for kind in (0x8100, 0x88a8, 0x9100):
        for tag in (0, 1, 5, 0x0fff, 0x1000, 0x2000, 0xe000, 0xe001, 0xffff):
            for payload in (udp(H0, H1), udp(H0, R0), echo(H0, R0), udp(H0, H1, ttl=1),
                            udp(H0, B0), echo(H0, R0)[:30]):
                s.send("p0", tagged((kind, tag), payload=payload))
                s.send("p0", tagged((kind, tag), payload=payload, dst=BROADCAST_MAC))
                s.send("p0", tagged((kind, tag), payload=payload, dst=STRANGER_MAC))
    for first, second in itertools.product((0, 1, 0xe000), repeat=2):
        for kinds_ in ((0x8100, 0x8100), (0x88a8, 0x8100), (0x8100, 0x88a8)):
            s.send("p0", tagged((kinds_[0], first), (kinds_[1], second), payload=echo(H0, R0)))
            s.send("p0", tagged((kinds_[0], first), (kinds_[1], second), payload=udp(H0, H1)))
    s.send("p0", tagged((0x8100, 0), payload=b"\0\1\x08\0\6\4\0\1" + mac(host_mac("p0")) + \
           address(H0) + bytes(6) + address(R0), ethertype=ETH_ARP, dst=BROADCAST_MAC))
    s.send("p0", tagged((0x8100, 7), payload=b"\0\1\x08\0\6\4\0\1" + mac(host_mac("p0")) + \
           address(H0) + bytes(6) + address(R0), ethertype=ETH_ARP, dst=BROADCAST_MAC))
    for size in range(2, 16):
        s.send("p0", Frame(tagged((0x8100, 0), payload=udp(H0, H1))[:12 + size]))


@scenario("lengths in place of a type, and what stands behind them", "A")
def lengths_802_3(s):
    packet = udp(H0, H1)
    for llc in (b"", b"\xaa\xaa\x03\0\0\0\x08\0", b"\x06\x06\x03", b"\xff\xff", b"\x42\x42\x03"):
        for length in (0, 1, 20, 46, len(packet) + len(llc), 1500, 1501, 1535, 1536):
            s.send("p0", ethernet(router_mac("p0"), host_mac("p0"), length, llc + packet))
            s.send("p0", ethernet(BROADCAST_MAC, host_mac("p0"), length, llc + packet))
    for ethertype in range(0x07f8, 0x0810):
        if ethertype not in (ETH_ARP, ):
            s.send("p0", ethernet(router_mac("p0"), host_mac("p0"), ethertype, packet))


def samples():
    yield udp(H0, H1, b"x" * 20)
    yield udp(H0, H1, b"x" * 20, options=b"\1" * 8)
    yield echo(H0, R0, b"y" * 20)
    yield tcp(H0, R0, tcp_options=b"\2\4\5\xb4")
    yield udp(H0, R0, b"z" * 3, options=b"\x07\x0b\x04" + bytes(9))
    yield udp(H0, H1, b"x" * 20, ttl=1)
    yield echo(H0, R0, b"y" * 33, options=b"\x44\x0c\x05\0" + bytes(8))
    yield udp(H0, B0, b"b" * 9)


@scenario("frames of every length", "A3 A5 A7", setup=UNLIMITED)
def frame_lengths(s):
    for packet in samples():
        s.batches("p0", (packet[:size] for size in range(len(packet))))
        s.batches("p0", (packet + bytes(pad) for pad in range(1, 60)))
        s.batches("p0", (packet + b"\xff" * pad for pad in range(1, 60, 3)))
    whole = ethernet(router_mac("p0"), host_mac("p0"), ETH_IP, udp(H0, H1))
    s.batches("p0", (Frame(whole[:size]) for size in range(14, 40)))


@scenario("every total length", "A7 A8", setup=UNLIMITED)
def every_total_length(s):
    for src, dst in ((H0, H1), (H0, R0), (H0, B0)):
        for options in (b"", b"\1" * 8, b"\x07\x0b\x04" + bytes(9)):
            for build in (udp, echo):
                made = [build(sender(), dst, b"d" * 17, options=options, length=length)
                        for length in (*range(0, 90), 1500, 1501, 32768, 65535)]
                s.batches("p0", made)


@scenario("every version and header length", "A3 A5", setup=UNLIMITED)
def every_version(s):
    for version, ihl in itertools.product(range(16), range(16)):
        for dst in (H1, R0):
            s.send("p0", udp(sender(), dst, b"\1" * 60, version=version, ihl=ihl),
                   ipv4(sender(), dst, UDP, b"\1" * 8, version=version, ihl=ihl),
                   ipv4(sender(), dst, UDP, b"\1" * 60, version=version, ihl=ihl, length=ihl * 4))
    for ihl in range(5, 16):
        for filling in (b"\1", b"\0", b"\x07", b"\x44", b"\x83", b"\x94"):
            s.send("p0", *(ipv4(sender(), dst, ICMP, b"", options=filling * (ihl * 4 - 20))
                           for dst in (H1, R0, UNROUTED)))


@scenario("TTL, DF, ECN and size together", "A C", setup=UNLIMITED)
def together(s):
    rng = random.Random(4)
    for size in (28, 60, 1399, 1400, 1401, 1499, 1500):
        for ttl, flags, tos in itertools.product(
                (0, 1, 2, 3, 255), (0, DF, RESERVED, DF | RESERVED, MF, DF | MF), (0, 1, 2, 3)):
            dst = rng.choice((H1, H2, H3, far("p2", 1), far("p1", 1)))
            s.start("p0", udp(sender(), dst, bytes(size - 28), ttl=ttl, flags=flags, tos=tos))
            if flags & MF == 0:
                s.start("p0", echo(sender(), R0, bytes(size - 28), ttl=ttl, flags=flags, tos=tos))
        s.send("p0", udp(H0, H1))


@scenario("header checksums, all wrong by one bit, and those that are zero", "A6")
def checksum_bits(s):
    right = int.from_bytes(udp(H0, H1)[10:12], "big")
    s.batches("p0", (udp(H0, dst, check=right ^ 1 << bit)
                     for bit in range(16) for dst in (H1, R0, B0)))
    rng = random.Random(5)
    s.batches("p0", (ipv4(H0, H1, 99, rng.randbytes(20), id=rng.randrange(65536),
                          tos=rng.randrange(256), check=check)
                     for check in (0, 0xffff) for _ in range(50)))
    for _ in range(400):
        ident = rng.randrange(65536)
        good = udp(H0, H1, id=ident)
        flipped = bytearray(good)
        flipped[rng.randrange(20)] ^= 1 << rng.randrange(8)
        s.start("p0", bytes(flipped))
    s.send("p0", udp(H0, H1))
