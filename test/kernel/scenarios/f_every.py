"""Rule F, densely: every ICMP message, quotes of everything, UDP and TCP with every field wrong."""

import itertools
import random
import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_every import WAYS, random_options, sender
from scenarios.k_defrag import cut

UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0",) + WAYS
LEARN_SECONDS = 0.05
TARGETS = ((R0, None), (R1, None), (B0, BROADCAST_MAC), (B1, None), (EVERYONE, BROADCAST_MAC),
           (ALL_HOSTS, "01:00:5e:00:00:01"), (R0, BROADCAST_MAC))


@scenario("every type and code, to one and to many", "F", setup=UNLIMITED)
def every_code(s):
    for dst, to in TARGETS:
        for kind in (*range(0, 20), 30, 37, 40, 41, 42, 43, 44, 253, 255):
            s.batches("p0", (icmp(sender(), dst, kind, code, data=bytes(size))
                             for code in (*range(17), 255) for size in (0, 20)), dst=to)


@scenario("every type in every length, the checksum right, wrong, none", "F", setup=UNLIMITED)
def every_length(s):
    for dst, to in TARGETS:
        for kind in (*range(0, 20), 42, 43, 255):
            whole = icmp(H0, dst, kind, data=bytes(range(40)))[20:]
            made = []
            for size in (*range(0, 33), 40):
                message = bytearray(whole[:size])
                if size >= 4:
                    message[2:4] = bytes(2)
                    made.append(ipv4(sender(), dst, ICMP, bytes(message)))
                    message[2:4] = checksum(bytes(message)).to_bytes(2, "big")
                made.append(ipv4(sender(), dst, ICMP, bytes(message)))
                if size >= 4:
                    message[3] ^= 1
                    made.append(ipv4(sender(), dst, ICMP, bytes(message)))
            s.batches("p0", made, dst=to)


def quoted_packets(dst=H1):
    yield udp(R0, dst, sport=7, dport=7)
    yield udp(R0, dst, sport=9, dport=9)
    yield udp(R0, dst)
    yield udp(R0, dst, bytes(600))
    yield tcp(R0, dst)
    yield ipv4(R0, dst, 99, bytes(8))
    yield ipv4(R0, dst, 136, bytes(8))
    yield ipv4(R0, dst, 255, bytes(8))
    yield ipv4(R0, dst, 2, bytes(8))
    for kind in (0, 3, 5, 8, 11, 13, 14, 42):
        yield icmp(R0, dst, kind, data=bytes(8))
    yield icmp(R0, dst, 8, rest=bytes(4), data=bytes(8))
    yield udp(H0, dst)
    yield udp(dst, R0)
    yield udp("0.0.0.0", dst)
    yield udp(R0, "0.0.0.0")
    yield udp(R0, B0)
    yield udp(R0, EVERYONE)
    yield udp(R0, ALL_HOSTS)
    yield udp(R0, R1)
    yield udp("127.0.0.1", dst)
    yield udp(R0, "127.0.0.1")
    for options in (b"\1" * 4, b"\1" * 40, b"\x07\x0b\x04" + bytes(9), b"\x07\x01\x04\0"):
        yield udp(R0, dst, options=options, sport=7)
        yield icmp(R0, dst, 0, data=bytes(8), options=options)
    for offset, flags in ((0, MF), (1, MF), (5, 0), (8191, 0), (0, DF), (0, RESERVED)):
        yield ipv4(R0, dst, UDP, b"\0\7\0\7\0\20\0\0", offset=offset, flags=flags)
        yield ipv4(R0, dst, ICMP, bytes(8), offset=offset, flags=flags)
    for version in (0, 3, 6, 15):
        yield udp(R0, dst, version=version, sport=7)
    for ihl in (0, 1, 4, 6, 10, 15):
        yield udp(R0, dst, ihl=ihl, sport=7)
    for length in (0, 19, 20, 27, 28, 65535):
        yield udp(R0, dst, length=length, sport=7)
    for check in (0, 1, 0xffff):
        yield udp(R0, dst, check=check, sport=7)
    for ttl in (0, 1, 255):
        yield udp(R0, dst, ttl=ttl, tos=255, sport=7)


ERRORS = ((3, 0), (3, 1), (3, 2), (3, 3), (3, 5), (3, 6), (3, 9), (3, 13), (3, 15), (3, 16),
          (3, 255),
          (4, 0), (4, 1), (11, 0), (11, 1), (11, 2), (11, 255), (12, 0), (12, 1), (12, 2),
          (12, 255),
          (5, 0), (5, 1), (5, 2), (5, 3), (5, 4), (5, 255), (3, 4))


for name, settings in (("closed", ()), ("open", ("sysctl net.millrace.udp_echo=1",
                                                 "sysctl net.millrace.udp_discard=1")),
                       ("no discovery 1", ("sysctl net.ipv4.ip_no_pmtu_disc=1",)),
                       ("no discovery 2", ("sysctl net.ipv4.ip_no_pmtu_disc=2",)),
                       ("no discovery 3", ("sysctl net.ipv4.ip_no_pmtu_disc=3",)),
                       ("bogus ones told",
                        ("sysctl net.ipv4.icmp_ignore_bogus_error_responses=0",)),
                       ("redirects taken", ("sysctl net.ipv4.conf.all.accept_redirects=1",
                                            "sysctl net.ipv4.conf.p0.accept_redirects=1"))):
    @scenario(f"errors that quote everything: {name}", "F", setup=UNLIMITED + settings)
    def errors(s):
        for kind, code in ERRORS:
            for dst, to in TARGETS[:3] + TARGETS[5:]:
                s.batches("p0", (icmp(H0, dst, kind, code, b"\0\0\5\0", quoted)
                                 for quoted in quoted_packets()), dst=to)
        s.pause(LEARN_SECONDS)
        for host in (H0, H1, J0, "0.0.0.0", B0):
            s.send("p0", echo(host, R0, bytes(1400)))

    @scenario(f"quotes cut at every byte: {name}", "F", setup=UNLIMITED + settings)
    def cut_quotes(s):
        for kind, code in ((3, 1), (3, 4), (4, 0), (5, 1), (11, 0), (12, 0)):
            for quoted in (udp(R0, H1, sport=7), icmp(R0, H1, 0, data=bytes(8)), tcp(R0, H1),
                           udp(R0, H1, options=b"\1" * 8), icmp(R0, H1, 0, options=b"\1" * 40)):
                s.batches("p0", (icmp(H0, R0, kind, code, b"\0\0\5\0", quoted[:size])
                                 for size in range(len(quoted) + 1)))
                s.batches("p0", (icmp(H0, R0, kind, code, b"\0\0\5\0", quoted[:size],
                                      options=b"\1" * 4)
                                 for size in range(0, len(quoted) + 1, 5)))


SERVED = ("sysctl net.millrace.udp_echo=1", "sysctl net.millrace.udp_discard=1")
for name, settings in (("closed", ()), ("open", SERVED),
                       ("open, no discovery", ("sysctl net.ipv4.ip_no_pmtu_disc=1",) + SERVED)):
    # A program that answers does so in its own time, so that the order in a group says nothing.
    group = 1 if settings else 32

    @scenario(f"UDP with each length, checksum and size: {name}", "F", setup=UNLIMITED + settings)
    def udp_fields(s, group=group):
        def made(dst):
            for size in (0, 1, 3, 8, 17, 18, 49, 67, 68, 69, 600):
                data = bytes((3 * i) & 255 for i in range(size))
                for length in (None, 0, 7, 8, 9, size, size + 7, size + 9, size + 8 - size // 2,
                               65535):
                    for check in (None, 0, 1):
                        for dport in (5000, 7, 9) if group == 1 else (5000,):
                            yield udp(sender(), dst, data, dport=dport, udp_length=length,
                                      udp_check=check) + b"\0" * (size % 5)
        for dst, to in TARGETS:
            s.batches("p0", made(dst), group, dst=to)
        s.pause(0.3)                    # until a program has read all

    @scenario(f"UDP from everywhere to every port: {name}", "F", setup=UNLIMITED + settings)
    def udp_ports(s, group=group):
        for port in ("p0", "p2"):
            s.batches(port, (udp(sender(p), dst, sport=sport, dport=dport, tos=dport & 255, ttl=ttl,
                                 flags=flags)
                             for p in ("p0", "p1", "p2") for dst in (R0, R2)
                             for sport in (0, 7, 9, 13, 17, 19, 37, 53, 65535)
                             for dport in (0, 1, 7, 9, 13, 65535)
                             for ttl, flags in ((64, 0), (1, DF))), group)
        for src in (UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED, "0.0.0.1", "240.0.0.1", B0, B1):
            for dport in (7, 9, 5000):
                s.send("p0", udp(src, R0, dport=dport))
                s.send("p0", udp(src, R1, bytes(1400), dport=dport))
        s.pause(0.3)                    # until a program has read all


@scenario("TCP with every combination of flags", "F", setup=UNLIMITED)
def tcp_flags(s):
    for size in (0, 1, 3):
        for dst, to in ((R0, None), (R1, None)):
            s.batches("p0", (tcp(H0, dst, flags, bytes(size), seq=0xffffffff - size,
                                 ack=0x80000000 + flags, sport=flags, tos=flags)
                             for flags in range(256)), dst=to)
    for dst, to in TARGETS[2:]:
        s.batches("p0", (tcp(H0, dst, flags) for flags in range(64)), dst=to)


@scenario("TCP with every offset, size and checksum", "F", setup=UNLIMITED)
def tcp_fields(s):
    def made(dst):
        for offset in range(16):
            for size in (0, 1, 4, 20, 39, 40, 41, 100):
                for flags in (SYN, ACK, SYN | FIN):
                    for check in (None, 0, 1, 0xffff):
                        yield tcp(H0, dst, flags, b"\1" * size, tcp_offset=offset, tcp_check=check)
                        yield tcp(H0, dst, flags, bytes(size), tcp_offset=offset, tcp_check=check)
    for dst, to in ((R0, None), (B0, BROADCAST_MAC)):
        s.batches("p0", made(dst), dst=to)
    whole = tcp(H0, R0)[20:]
    s.batches("p0", (ipv4(H0, R0, TCP, whole[:size], options=options)
                     for size in range(21) for options in (b"", b"\1" * 4)))


@scenario("TCP with options at random", "F", setup=UNLIMITED)
def tcp_options(s):
    rng = random.Random(11)

    def some():
        options = b""
        while len(options) < rng.randrange(41):
            kind = rng.choice((0, 1, 1, 2, 3, 4, 5, 8, 19, 29, 34, rng.randrange(256)))
            size = rng.choice((0, 1, 2, 3, 4, 10, 16, 18, rng.randrange(41)))
            options += bytes((kind,))
            if kind > 1:
                options += bytes((size,)) + rng.randbytes(max(0, size - 2))
        options = options[:40]
        return options + bytes(-len(options) % 4)
    s.batches("p0", (tcp(H0, R0, rng.choice((SYN, ACK, FIN, 0, RST, SYN | ACK)),
                         rng.randbytes(rng.randrange(4)), tcp_options=some(),
                         seq=rng.randrange(1 << 32), ack=rng.randrange(1 << 32))
                     for _ in range(1500)))


@scenario("resets to all kinds of sources, with all kinds of options", "F", setup=UNLIMITED + (
    "sysctl net.ipv4.conf.all.accept_source_route=1",))
def tcp_resets(s):
    rng = random.Random(12)
    for src in (H0, H1, far("p2", 1), B0, B1, UNROUTED, UNREACHABLE,
                PROHIBITED, BLACKHOLED, "240.0.0.1", "0.0.0.1", N0):
        if src == N0:
            s.run(f"neigh add {N0} lladdr 02:00:00:00:00:f0 dev p0 nud permanent")
        for dst in (R0, R1):
            for options in (b"", b"\1" * 4, b"\x07\x0b\x04" + bytes(9),
                            b"\x44\x0c\x05\x01" + bytes(8),
                            b"\x83\x07\x08" + address(J0) + b"\0",
                            b"\x89\x07\x08" + address(R1) + b"\0", b"\x94\4\0\0"):
                for tos in (0, 0x1c, 0xff):
                    s.send("p0", tcp(src, dst, SYN, options=options, tos=tos,
                                     sport=rng.randrange(65536), dport=rng.randrange(65536)))


@scenario("answers larger than the MTU, whatever ip_no_pmtu_disc says",
          "F G3", mtu={"p0": 3000, "p1": 9000}, setup=UNLIMITED + SERVED)
def large(s):
    for mode in range(4):
        s.run("sysctl net.millrace.udp_echo=0", f"sysctl net.ipv4.ip_no_pmtu_disc={mode}",
              "sysctl net.millrace.udp_echo=1", f"sysctl net.ipv4.ip_no_pmtu_disc={3 - mode}")
        for src in (H2, H3, H0):
            for options in (b"", b"\x07\x0b\x04" + bytes(9), b"\1" * 8):
                for size in (1340, 1352, 1360, 1371, 1372, 1373, 1380, 1452, 1472, 1473, 1480,
                             2000, 2744, 2745, 2752, 2760, 2900):
                    if size + 28 + len(options) <= 3000:
                        s.send("p0", echo(src, R0, bytes(size), options=options, flags=DF))
                        s.send("p0", udp(src, R0, bytes(size), dport=7, options=options))
        for size in (4000, 5000, 8900):
            s.send("p1", echo(H2, R0, bytes(size)), echo(H3, R0, bytes(size)),
                   echo(H1, R0, bytes(size)), udp(H3, R0, bytes(size)))
            s.send("p1", udp(H2, R0, bytes(size), dport=7))


@scenario("timestamps, address masks, solicitations and IGMP of every length", "F", setup=UNLIMITED)
def old_messages(s):
    for dst, to in TARGETS + (("224.0.0.2", "01:00:5e:00:00:02"),):
        for kind in (9, 10, 13, 14, 15, 16, 17, 18):
            s.batches("p0", (icmp(src, dst, kind, code, data=bytes(range(size)), ttl=ttl, tos=tos)
                             for src in (H0, far("p1", 1), B0) for code in (0, 1)
                             for size in (0, 3, 4, 5, 8, 11, 12, 13, 16, 100)
                             for ttl, tos in ((1, 0), (255, 0xff))), dst=to)
        for kind in (0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x22, 0x30, 0xff):
            made = []
            for size in range(8, 17):
                message = bytearray((bytes((kind, 100)) + bytes(30))[:size])
                message[2:4] = checksum(bytes(message)).to_bytes(2, "big")
                made.append(ipv4(H0, dst, IGMP, bytes(message), ttl=1))
                made.append(ipv4(H0, dst, IGMP, bytes(message), ttl=1, options=b"\x94\4\0\0"))
            if dst != ALL_HOSTS or kind != 0x11:        # a query may be answered
                s.batches("p0", made, dst=to)


@scenario("fragments of everything for the router", "F E", setup=UNLIMITED + SERVED)
def in_fragments(s):
    rng = random.Random(13)
    for ident in range(400):
        src, dst = sender(rng.choice(("p0", "p2"))), rng.choice((R0, R0, R1, B0, ALL_HOSTS))
        size = rng.choice((9, 40, 100, 300, 1300, 1400))
        bad = {} if rng.random() < 0.8 else {"udp_check": 1}
        packet = rng.choice((
            lambda: udp(src, dst, rng.randbytes(size), dport=rng.choice((7, 9, 5000)), id=ident,
                        **bad),
            lambda: echo(src, dst, rng.randbytes(size), id=ident),
            lambda: tcp(src, dst, SYN, rng.randbytes(size), id=ident),
            lambda: icmp(src, dst, rng.choice((3, 11, 13, 17, 40)), data=rng.randbytes(size),
                         id=ident),
            lambda: icmp(src, dst, 3, 1, data=udp(dst, src, bytes(size)), id=ident),
            lambda: ipv4(src, dst, 99, rng.randbytes(size), id=ident)))()
        options = random_options(rng)
        pieces = cut(packet, *(8 * rng.randrange(1, 20) for _ in range(rng.randrange(1, 6))),
                     first_options=options if rng.random() < 0.3 and len(packet) < 1300 else None,
                     keep=rng.choice((0, 0, DF)), tos=rng.choice((0, 2, 3, 0xfc)))
        if max(map(len, pieces)) > 1500:
            continue
        if rng.random() < 0.4:
            rng.shuffle(pieces)
        s.send("p0", *pieces)


@scenario("every protocol in frames to many, short and with options", "F", setup=UNLIMITED)
def protocols(s):
    known = (4, 33, 41, 46, 47, 50, 51, 94, 103, 108, 115, 132)
    for dst, to in TARGETS:
        s.batches("p0", (ipv4(sender(), dst, protocol, bytes(size), options=options)
                         for protocol in range(256) if protocol not in known
                         for size in (0, 8) for options in (b"", b"\x07\x0b\x04" + bytes(9))),
                  dst=to)
