"""Rule F: what is addressed to the router: echo, timestamps, UDP, TCP and unknown protocols."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario


@scenario("echo: TOS, code and data come back", "F")
def echo_reply(s):
    for tos in range(256):
        s.send("p0", echo(H0, R0, tos=tos, id=tos))
    for size in (0, 1, 2, 3, 55, 56, 1000, 1471, 1472):
        s.send("p0", echo(H0, R0, bytes((7 * i) & 255 for i in range(size))))
    for code in (1, 2, 255):
        s.send("p0", icmp(H0, R0, 8, code, b"\1\2\3\4", b"data"))
    s.send("p0", echo(H0, R0, flags=DF, ttl=1))
    s.send("p0", echo(H0, R0, flags=RESERVED))


@scenario("echo is not limited in number", "F, C7")
def echo_many(s):
    s.send("p0", *[echo(H0, R0, sequence=i) for i in range(100)])


@scenario("echo from other ports and over gateways", "F")
def echo_routes(s):
    for src in (H0, H1, far("p2", 1), J3, far("p0", 9)):
        for dst in (R0, R1, R3):
            s.send("p0", echo(src, dst))


@scenario("icmp_echo_ignore_all", "F", setup=("sysctl net.ipv4.icmp_echo_ignore_all=1",))
def echo_ignored(s):
    s.send("p0", echo(H0, R0))
    s.send("p0", icmp(H0, R0, 13, data=bytes(12)))
    s.send("p0", echo(H0, H1))


@scenario("echo to broadcasts and multicasts", "F")
def echo_group(s):
    for dst in (EVERYONE, B0, B1, ALL_HOSTS):
        for type in (8, 13, 0, 3, 5, 14, 17, 18, 19, 42, 255):
            s.send("p0", icmp(H0, dst, type, data=bytes(28)), dst=BROADCAST_MAC)


@scenario("echo to broadcasts, where that is answered", "F",
          setup=("sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",))
def echo_group_answered(s):
    for dst in (EVERYONE, B0, B1, ALL_HOSTS):
        for type in (8, 13, 0, 3, 17):
            s.send("p0", icmp(H0, dst, type, data=bytes(28)), dst=BROADCAST_MAC)
    s.send("p0", echo(far("p1", 1), EVERYONE), dst=BROADCAST_MAC)
    s.send("p0", echo("0.0.0.0", EVERYONE), dst=BROADCAST_MAC)
    s.send("p0", echo("0.0.0.0", ALL_HOSTS), dst="01:00:5e:00:00:01")


@scenario("timestamps", "F")
def timestamp(s):
    for size in range(0, 21, 2):
        s.send("p0", icmp(H0, R0, 13, rest=b"\1\2\3\4", data=bytes(range(size))))
    for code in (0, 1, 255):
        s.send("p0", icmp(H0, R1, 13, code, data=bytes(12), tos=0xff))
    s.send("p0", icmp(H0, R0, 14, data=bytes(12)))


@scenario("every ICMP type, bare and with something quoted", "F")
def icmp_types(s):
    quoted = udp(R0, H1, b"12345678")
    for type in range(256):
        s.send("p0", icmp(H0, R0, type))
        s.send("p0", icmp(H0, R0, type, data=quoted))


@scenario("ICMP with a bad checksum", "F")
def icmp_checksum(s):
    for type in (0, 3, 8, 11, 13, 17, 40, 255):
        s.send("p0", icmp(H0, R0, type, data=bytes(28), icmp_check=0x1234))
        s.send("p0", icmp(H0, EVERYONE, type, data=bytes(28), icmp_check=0x1234))
    s.send("p0", icmp(H0, R0, 8, icmp_check=0))
    s.send("p0", icmp(H0, R0, 8, icmp_check=0xffff))
    s.send("p0", icmp(H0, R0, 8, rest=b"\xf7\xff\0\0", icmp_check=0))
    s.send("p0", icmp(H0, R0, 8, rest=b"\xf7\xff\0\0", icmp_check=0xffff))


@scenario("echo checksums at their edges", "F")
def echo_checksum(s):
    for ident in (0x0000, 0x0001, 0xf7fe, 0xf7ff, 0xf800, 0xfffe, 0xffff):
        for sequence in (0, 1, 0xffff):
            s.send("p0", echo(H0, R0, b"", ident=ident, sequence=sequence))


@scenario("ICMP shorter than its header", "F")
def icmp_short(s):
    for type in (0, 3, 8, 13, 200):
        whole = icmp(H0, R0, type)[20:]
        for size in range(9):
            s.send("p0", ipv4(H0, R0, ICMP, whole[:size]))
        s.send("p0", ipv4(H0, R0, ICMP, bytes([type, 0]) + checksum(bytes([type, 0])).to_bytes(
            2, "big")))


@scenario("errors sent to the router", "F")
def errors_received(s):
    for quoted in (udp(R0, H1, sport=7, dport=7), udp(H0, H1), tcp(R0, H1),
                   ipv4(R0, H1, 99, b"12345678"), icmp(R0, H0, 0, data=b"1234"),
                   icmp(R0, H0, 8, data=b"1234"), icmp(R0, H0, 3, data=bytes(28)),
                   udp(R0, H1, version=5), udp(R0, H1, ihl=4), udp(R0, H1)[:24],
                   udp(R0, H1)[:19], ipv4(R0, H0, 99, b""), ipv4(R0, EVERYONE, UDP, bytes(8))):
        for type, code in ((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (3, 15), (3, 16), (4, 0),
                           (11, 0), (11, 1), (12, 0), (12, 2), (5, 0), (5, 1), (5, 4)):
            s.send("p0", icmp(H0, R0, type, code, b"\0\0\5\0", quoted))


@scenario("UDP to a closed port", "F")
def udp_closed(s):
    for index, size in enumerate((0, 1, 2, 8, 100, 520, 1472)):
        s.send("p0", udp(far("p0", 1 + index), R0, bytes(size)))
    for index, dst in enumerate((R0, R1, R2, R3)):
        s.send("p0", udp(far("p0", 21 + index), dst, dport=index, sport=0, tos=0xff, ttl=1))
    for index, dport in enumerate((0, 53, 67, 68, 520, 65535)):
        s.send("p0", udp(far("p0", 31 + index), R0, dport=dport))


@scenario("UDP checksums", "F")
def udp_checksums(s):
    for index, check in enumerate((0, 1, 0xffff, None)):
        s.send("p0", udp(far("p0", 1 + index), R0, udp_check=check))
        s.send("p0", udp(far("p0", 1 + index), R0, b"", udp_check=check))
        s.send("p0", udp(H0, EVERYONE, udp_check=check), dst=BROADCAST_MAC)
        s.send("p0", udp(H0, ALL_HOSTS, udp_check=check))
        s.send("p0", udp(H0, R0, b"odd", udp_check=check) + b"\0" * 11)


@scenario("UDP lengths", "F")
def udp_lengths(s):
    for index, length in enumerate((0, 1, 7, 8, 9, 15, 16, 17, 24, 25, 100, 65535)):
        s.send("p0", udp(far("p0", 1 + index), R0, b"12345678" * 2, udp_length=length))
        s.send("p0", udp(far("p0", 51 + index), R0, b"12345678" * 2, udp_length=length,
                         udp_check=0))
        s.send("p0", udp(far("p0", 101 + index), EVERYONE, b"12345678" * 2, udp_length=length,
                         udp_check=0))
    for length in range(20, 29):
        s.send("p0", udp(far("p0", 200 + length), R0, b"", length=length))


@scenario("UDP to groups", "F")
def udp_group(s):
    for dst in (EVERYONE, B0, B2, ALL_HOSTS):
        for dport in (0, 53, 67, 5000):
            s.send("p0", udp(H0, dst, dport=dport), dst=BROADCAST_MAC)
            s.send("p0", udp(H0, dst, dport=dport, udp_check=1), dst=BROADCAST_MAC)


@scenario("TCP to a closed port: a reset for everything but a reset", "F")
def tcp_closed(s):
    for flags in range(64):
        s.send("p0", tcp(H0, R0, flags, seq=0xfffffff0, ack=77))
    for flags in (SYN, ACK, FIN | ACK, PSH | ACK):
        for size in (1, 5, 100, 1460):
            s.send("p0", tcp(H0, R0, flags, bytes(size), seq=5, ack=6))
    for dport in (0, 1, 80, 65535):
        s.send("p0", tcp(H0, R0, dport=dport, sport=0))
    s.send("p0", tcp(H0, R0, 0xc0 | SYN))


@scenario("TCP: TOS of a reset, and its way", "F")
def tcp_tos(s):
    for tos in range(0, 256, 5):
        s.send("p0", tcp(H0, R0, tos=tos))
    for src in (H1, far("p2", 1), UNROUTED, BLACKHOLED, UNREACHABLE):
        s.send("p0", tcp(src, R1))


@scenario("TCP damaged", "F")
def tcp_damaged(s):
    s.send("p0", tcp(H0, R0, tcp_check=1))
    s.send("p0", tcp(H0, R0, tcp_check=0))
    for offset in (0, 1, 4, 6, 15):
        s.send("p0", tcp(H0, R0, tcp_offset=offset))
    whole = tcp(H0, R0)[20:]
    for size in (0, 1, 13, 19):
        s.send("p0", ipv4(H0, R0, TCP, whole[:size]))
    s.send("p0", tcp(H0, R0, tcp_options=b"\2\4\5\xb4"))
    s.send("p0", tcp(H0, R0, tcp_options=b"\2\4\5\xb4" * 10))
    s.send("p0", tcp(H0, R0, tcp_options=b"\2\0\0\0"))
    s.send("p0", tcp(H0, R0, ttl=0) + b"\0" * 6)


@scenario("TCP to groups", "F")
def tcp_group(s):
    for dst in (EVERYONE, B0, ALL_HOSTS):
        for flags in (SYN, ACK):
            s.send("p0", tcp(H0, dst, flags), dst=BROADCAST_MAC)
            s.send("p0", tcp(H0, dst, flags))


@scenario("protocols nobody knows", "F",
          setup=("sysctl net.ipv4.icmp_ratemask=0",))
def unknown_protocols(s):
    # IPv6, GRE, ESP and their like may or may not be loaded in the kernel that is asked.
    known = (ICMP, IGMP, 4, TCP, UDP, 33, 41, 46, 47, 50, 51, 94, 103, 108, 115, 132, 136)
    for protocol in range(256):
        if protocol not in known:
            s.send("p0", ipv4(H0, R0, protocol, b"12345678"))
    s.send("p0", ipv4(H0, R0, 99, b""))
    s.send("p0", ipv4(H0, R0, 255, b"x"))
    s.send("p0", ipv4(H0, EVERYONE, 99, b"12345678"), dst=BROADCAST_MAC)
    s.send("p0", ipv4(H0, ALL_HOSTS, 99, b"12345678"))


@scenario("IGMP to the router", "F")
def igmp(s):
    query = b"\x11\x64\0\0\0\0\0\0"
    query = query[:2] + checksum(query).to_bytes(2, "big") + query[4:]
    report = b"\x16\0\0\0\xe0\1\1\1"
    report = report[:2] + checksum(report).to_bytes(2, "big") + report[4:]
    for message in (query, report, query[:7], b"\x11\x64\0\0\0\0\0\0"):
        s.send("p0", ipv4(H0, ALL_HOSTS, IGMP, message, ttl=1), dst="01:00:5e:00:00:01")
        s.send("p0", ipv4(H0, R0, IGMP, message, ttl=1))


@scenario("an address that is added answers, one that is removed does not", "F")
def addresses_change(s):
    s.send("p0", echo(H0, "10.9.0.1"))
    s.run("addr add 10.9.0.1/24 dev p1")
    s.send("p0", echo(H0, "10.9.0.1"))
    s.send("p0", udp(H0, "10.9.0.255"))
    s.send("p0", udp("10.9.0.1", H3))
    s.run("addr del 10.9.0.1/24 dev p1")
    s.send("p0", echo(far("p0", 1), "10.9.0.1"))
    s.send("p0", udp(far("p0", 2), "10.9.0.255"))
    s.send("p0", udp("10.9.0.1", H3))


@scenario("two addresses in one subnet", "F",
          setup=("addr add 10.0.0.9/24 dev p0", "addr add 10.0.0.10/25 dev p0"))
def secondary_addresses(s):
    for dst in (R0, "10.0.0.9", "10.0.0.10", "10.0.0.127", B0, "10.0.0.128"):
        s.send("p1", echo(H1, dst, ttl=2))
    s.send("p0", udp(H0, H1, ttl=1))
    s.run("addr del 10.0.0.9/24 dev p0")
    s.send("p1", echo(H1, R0))
    s.send("p0", udp(H0, H1, ttl=1))


@scenario("point-to-point prefixes have no broadcast", "F, A class 7",
          setup=("addr add 10.5.0.0/31 dev p0", "addr add 10.6.0.1/32 dev p0",
                 "addr add 10.7.0.1/30 dev p0",
                 "neigh add 10.5.0.1 lladdr 02:00:00:00:00:51 dev p0 nud permanent",
                 "neigh add 10.7.0.3 lladdr 02:00:00:00:00:73 dev p0 nud permanent",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:72 dev p0 nud permanent",
                 "neigh add 10.7.0.0 lladdr 02:00:00:00:00:70 dev p0 nud permanent"))
def small_subnets(s):
    for dst in ("10.5.0.0", "10.5.0.1", "10.6.0.1", "10.7.0.0", "10.7.0.1", "10.7.0.2",
                "10.7.0.3"):
        s.send("p1", echo(H1, dst))
        s.send("p1", udp(H1, dst))


@scenario("TCP segments with options good and bad", "F")
def tcp_options(s):
    md5 = bytes((19, 18)) + bytes(16)
    for options in (md5 + bytes(2), bytes((1, 1)) + md5, bytes((19, 17)) + bytes(18),
                    bytes((29, 16)) + bytes(18), bytes((29, 3)) + bytes(18),
                    bytes((8, 1)) + bytes(18), bytes((8, 30)) + bytes(18), bytes((0, 9)) + md5,
                    bytes((8, 40, 1, 1)), bytes((8, 0)) + bytes(10), bytes((8, 0)) + bytes(14),
                    bytes((1, 1, 8, 0)) + bytes(16), bytes((2, 4, 5, 180)) + bytes((8, 0)) + md5,
                    bytes((1,) * 20), bytes((1,) * 3) + md5 + bytes(3), b""):
        options += bytes(-len(options) % 4)
        s.send("p0", tcp(H0, R0, SYN, tcp_options=options))
        s.send("p0", tcp(H0, R0, ACK, b"data", ack=77, tcp_options=options))


@scenario("every protocol number", "F")
def every_protocol(s):
    for protocol in range(256):
        s.send("p0", ipv4(far("p0", 1 + protocol % 200), R0, protocol, bytes(28)))
        s.send("p0", ipv4(far("p1", 1 + protocol % 200), H1, protocol, bytes(28)))


@scenario("UDP-Lite: coverage and checksums", "F")
def udplite(s):
    for dst, to in ((R0, None), (B0, BROADCAST_MAC)):
        for size in (0, 8, 60, 200):
            data = bytes(range(size))
            for coverage in (0, 1, 7, 8, 12, 8 + size, 9 + size, 65535):
                covered = min(coverage or 8 + size, 8 + size)
                for wrong in (0, 1):
                    head = struct.pack("!HHHH", 4000, 5000, coverage, 0)
                    body = (head + data)[:covered]
                    check = checksum(pseudo_header(H0, dst, 136, 8 + size) + body) ^ wrong
                    frame = ipv4(H0, dst, 136, head[:6] + struct.pack("!H", check) + data)
                    s.send("p0", frame, dst=to) if to else s.send("p0", frame)
            s.send("p0", ipv4(H0, dst, 136, struct.pack("!HHHH", 4000, 5000, 0, 0) + data))
    s.send("p0", ipv4(H0, R0, 136, bytes(7)))
