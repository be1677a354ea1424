"""Filter rules against nft: which packets they take, what they count, and how they reject.

Commands are millrace's; lib/router_linux.py gives the same words to nft. Each scenario counts with
rules before and behind those that it is about, and compares all counters at its end.
"""

import ipaddress
import random
import shutil

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.k_defrag import cut, data

MISSING = "" if shutil.which("nft") else "nft is not installed"
POINTS = ("prerouting", "input", "forward", "output", "postrouting")
QUIET = ("sysctl net.ipv4.icmp_ratemask=0",)


def filtered(name, *rules, **details):
    """A scenario under these rules; its counters are compared."""
    setup = QUIET + tuple(details.pop("setup", ())) + rules

    def register(story):
        def with_counters(s):
            story(s)
            s.filter_counters()
        return scenario(name, "FL", missing=MISSING, setup=setup, **details)(with_counters)
    return register


def assorted():
    """Packets of many kinds, through the router and to it."""
    found = []
    for dst in (H1, H2, R0, far("p3", 9)):
        found += [udp(H0, dst), udp(J0, dst, dport=53), udp(H0, dst, sport=1024, dport=6000),
                  tcp(H0, dst, dport=22), tcp(H0, dst, sport=22), tcp(H0, dst, ACK),
                  tcp(H0, dst, RST), echo(H0, dst), echo(H0, dst, ttl=9),
                  icmp(H0, dst, 13, data=bytes(12)), icmp(H0, dst, 0), icmp(H0, dst, 3),
                  ipv4(H0, dst, 99, data(50)), ipv4(H0, dst, 132, data(50)),
                  ipv4(H0, dst, TCP, b"\0\x16"), ipv4(H0, dst, UDP, b"\0\x35\0"),
                  ipv4(H0, dst, ICMP), ipv4(H0, dst, TCP, b"\0"), udp(H0, dst, udp_check=0),
                  udp(H0, dst, udp_check=1), tcp(H0, dst, tcp_check=1),
                  echo(H0, dst, icmp_check=1), udp(H0, dst, options=b"\1\1\1\1"),
                  udp(H0, dst, options=b"\x07\x07\x04" + bytes(5)), udp(H0, dst, ttl=2)]
        if dst != R0:
            found += cut(udp(H0, dst, data(900)), 400, 400)
            found += [ipv4(H0, dst, proto, b"\0\x16\0\x35"[at:], offset=9)
                      for at in range(4) for proto in (TCP, UDP, ICMP)]
            found += cut(tcp(H0, dst, data=data(900)), 8, 400)
            found += cut(ipv4(H0, dst, 99, data(900)), 8, 400)
    return found


for point in POINTS:
    @filtered(f"every point counts: {point}", f"filter add {point} counter")
    def every_point(s):
        s.each("p0", assorted())
        s.send("p0", udp(H0, UNROUTED), udp(H0, H1, ttl=1), udp(H0, B0), udp(H0, EVERYONE))
        s.send("p0", udp(H0, H0), udp(R0, H1), udp(H0, "127.0.0.1"), udp(H0, H1, check=1))
        s.send("p0", udp(H0, H2, data(1400), flags=DF), udp(H0, H2, data(1400)))
        s.send("p0", *cut(echo(H0, R0, data(1800)), 600, 600))
        s.send("p0", echo(H0, ALL_HOSTS), echo(H0, R1), udp("0.0.0.0", EVERYONE))

    @filtered(f"dropped at {point}", f"filter add {point} udp dport 5000 counter drop",
              f"filter add {point} icmp type echo-reply counter drop",
              f"filter add {point} counter")
    def dropped(s):
        s.each("p0", assorted())
        s.send("p0", udp(H0, UNROUTED), udp(H0, H1, ttl=1), udp(H0, H1, udp_check=1, ttl=1))

    for verdict in ("reject", "reject with tcp reset", "reject with icmp admin-prohibited"):
        if point != "postrouting":
            tcp_only = "ip protocol tcp " if "tcp" in verdict else ""

            @filtered(f"{verdict} at {point}", f"filter add {point} ip saddr != 198.18.0.0/15 "
                      f"{tcp_only}counter {verdict}", sentinel="routed")
            def rejected(s):
                s.each("p0", assorted())
                s.send("p0", udp(H0, B0), udp(H0, EVERYONE), udp("0.0.0.0", EVERYONE))
                s.send("p0", udp(UNROUTED, H1), tcp(UNROUTED, H1), udp(R0, H1), tcp(B0, H1))
                s.send("p0", tcp(H0, B1), tcp(H0, B0), tcp(H0, R1, FIN | SYN | PSH, b"12345"))
                s.send("p0", tcp(H0, H1, SYN, tcp_offset=15), tcp(H0, H1, ACK, ack=77, tos=255))
                s.send("p0", tcp(H0, H1), udp(H0, H1), dst=BROADCAST_MAC)


@filtered("addresses and links",
          "filter add forward ip saddr 10.0.0.0/31 counter",
          "filter add forward ip saddr 10.0.0.2 counter",
          "filter add forward ip saddr != 10.0.0.2 counter",
          "filter add forward ip daddr 10.0.1.0/24 counter",
          "filter add forward ip daddr 0.0.0.0/0 counter",
          "filter add forward ip daddr != 10.0.2.0/30 counter",
          "filter add forward iif p0 counter", "filter add forward iif != p0 counter",
          "filter add forward oif p1 counter", "filter add forward iif p1 oif p0 counter",
          "filter add postrouting iif p0 counter", "filter add postrouting iif != p0 counter",
          "filter add postrouting oif != p0 counter", "filter add output oif p0 counter",
          "filter add prerouting iif p0 counter", "filter add input iif p0 counter",
          "filter add input iif lo counter")
def addresses(s):
    s.each("p0", assorted())
    s.each("p1", [udp(H1, H0), udp(H1, H2), echo(H1, R0), udp(H1, R1)])
    s.send("p0", udp(R1, R0))


@filtered("ports, protocols and ICMP types",
          *(f"filter add {point} {match} counter" for point in ("forward", "input") for match in (
              "tcp dport 22", "tcp sport 22", "tcp dport != 22", "udp dport 53", "udp dport 50-60",
              "udp sport 1000-1100", "udp dport != 50-60", "ip protocol tcp", "ip protocol != tcp",
              "ip protocol 99", "ip protocol sctp", "icmp type echo-request", "icmp type 13",
              "icmp type != echo-request", "udp sport 1024 udp dport 6000", "fragment",
              "ip ttl 9", "ip ttl < 10", "ip ttl >= 63", "ip ttl != 63", "ip ttl > 63",
              "ip ttl <= 9", "ip saddr 10.0.0.3 udp dport 53")))
def ports(s):
    s.each("p0", assorted())


@filtered("with fragments put together first",
          *(f"filter add forward {match} counter" for match in (
              "tcp dport 80", "udp dport 5000", "fragment", "ip protocol 99")),
          "filter add forward tcp dport 80 reject", "filter add forward udp dport 5000 reject",
          setup=("sysctl net.millrace.defrag=1",))
def defragmented(s):
    for packet in (udp(H0, H1, data(900)), tcp(H0, H1, data=data(900)),
                   ipv4(H0, H1, 99, data(900)), udp(H0, H1, data(900), udp_check=1),
                   tcp(H0, H1, data=data(901)), udp(H0, R0, data(900))):
        s.send("p0", *cut(packet, 400, 400))
        s.send("p0", *reversed(cut(packet, 400, 400)))


@filtered("the first verdict counts; the order of counters and matches",
          "filter add forward ip daddr 198.18.0.0/15 accept",
          "filter add forward counter ip saddr 10.0.0.3 accept",
          "filter add forward udp dport 53 counter drop",
          "filter add forward counter tcp dport 22 drop",
          "filter add forward ip saddr 10.0.0.2 accept", "filter add forward counter drop")
def order(s):
    s.each("p0", assorted())
    s.send("p1", udp(H1, H0), udp(J1, H0))


@filtered("a policy",
          "filter policy forward drop",
          "filter add forward ip daddr 198.18.0.0/15 accept",
          "filter add forward udp dport 53 counter accept", "filter policy input drop",
          "filter add input ip protocol icmp counter accept")
def policy(s):
    s.each("p0", assorted())
    s.run("filter policy forward accept")
    s.each("p0", assorted())
    s.run("filter policy forward drop", "filter flush forward", "filter policy forward accept")
    s.each("p0", assorted())


@filtered("limits", "filter add forward udp dport 5000 limit rate 1/hour counter drop",
          "filter add forward udp dport 53 limit rate 1/day burst 2 packets counter drop",
          "filter add forward icmp type echo-request limit rate 3/week burst 7 packets accept",
          "filter add forward icmp type echo-request counter drop")
def limits(s):
    for _ in range(10):
        s.send("p0", udp(H0, H1), udp(H0, H1, dport=53), echo(H0, H1))


@filtered("a limit fills again",
          "filter add forward udp dport 5000 limit rate 2/second burst 1 packets accept",
          "filter add forward udp dport 5000 counter drop", slow=True)
def refilled(s):
    for pause in (0, 0.1, 0.7, 0.1, 0.7, 0.7):
        s.pause(pause)
        s.send("p0", udp(H0, H1))


FLAGS = (SYN, ACK, SYN | ACK, FIN, RST, FIN | ACK, 0, 0xff, PSH | ACK, 0x40, 0x80)


def odd_packets(dst=H1):
    """What the fields of headers can be, one at a time."""
    found = [tcp(H0, dst, flags) for flags in FLAGS]
    found += [udp(H0, dst, tos=tos) for tos in (0, 1, 2, 3, 0x20, 0x28, 0xb8, 0xbb, 0xff)]
    found += [udp(H0, dst, id=number) for number in (0, 1, 7, 0xffff)]
    found += [udp(H0, dst, bytes(size)) for size in (0, 1, 72, 73, 972, 1000)]
    found += [udp(H0, dst, options=bytes((1,)) * size) for size in (4, 8, 40)]
    found += [udp(H0, dst, flags=flags) for flags in (0, DF, RESERVED, DF | RESERVED)]
    found += [icmp(H0, dst, kind, code, data=bytes(30)) for kind in (0, 3, 8, 11, 13)
              for code in (0, 1, 3, 4, 13)]
    if dst != R0:
        found += cut(udp(H0, dst, data(900)), 400, 400)
        found += cut(udp(H0, dst, data(900)), 400, 400, keep=DF)
        found += [ipv4(H0, dst, TCP, data(13)), ipv4(H0, dst, TCP, data(14)),
                  ipv4(H0, dst, ICMP, b"\3"), ipv4(H0, dst, TCP, data(20), offset=3)]
    return found


@filtered("sets and ranges", *(f"filter add forward {match} counter" for match in (
    "ip saddr { 10.0.0.2, 10.0.0.3 }", "ip saddr 10.0.0.1-10.0.0.2",
    "ip saddr != 10.0.0.3-10.0.0.9", "ip daddr { 10.0.1.0/31, 10.0.2.2, 10.0.3.1-10.0.3.9 }",
    "ip daddr != { 10.0.1.2, 10.0.2.2 }", "tcp dport { 22, 80, 1000-2000 }",
    "tcp sport != { 22, 80 }", "udp dport { 53, 5000 }", "udp dport {53,54,5000-5002}",
    "ip protocol { tcp, udp }", "ip protocol != { tcp, 99 }", "ip protocol { 6-17, 99 }",
    "icmp type { echo-request, echo-reply, 13 }", "icmp type != { 8, 0 }", "ip ttl { 2, 9, 60-64 }",
    "iifname { p0, p1 }", "iifname { p1, p3 }", "oifname != { p1, p3 }", "oifname \"p*\"",
    "oifname q*", "ip protocol { tcp, udp } th dport { 22, 53 }",
    "meta l4proto { tcp, udp } th sport 1024", "meta l4proto != icmp",
    "tcp dport 1-100 ip saddr { 10.0.0.2 } ip daddr { 10.0.1.0/24, 10.0.3.0/24 }",
    "ip saddr & 255.255.255.254 == 10.0.0.2", "ip daddr & 0.0.0.255 != 0.0.0.2")))
def sets(s):
    s.each("p0", assorted())
    s.each("p2", [udp(H2, H1), tcp(H2, H0, dport=22)])


@filtered("other fields of the headers", *(
    f"filter add {point} {match} counter" for point in ("forward", "input") for match in (
        "ip length 28", "ip length > 1000", "ip length { 48, 100-1000 }", "meta length < 60",
        "meta length >= 1000", "ip id 7", "ip id != 0-6", "ip dscp cs1", "ip dscp af11",
        "ip dscp 0x2e", "ip dscp != cs0", "ip dscp { ef, af11 }", "ip ecn not-ect", "ip ecn ce",
        "ip ecn != ect0", "ip hdrlength 5", "ip hdrlength > 5", "ip frag-off 0", "ip frag-off != 0",
        "ip frag-off & 0x1fff != 0", "ip frag-off & 0x4000 == 0x4000",
        "ip frag-off & 0xe000 == 0x8000", "ip frag-off & 0x2000 != 0 ip frag-off & 0x1fff == 0",
        "ip frag-off 0x2000", "ip ttl < 65", "icmp code 0", "icmp code != 0",
        "icmp code port-unreachable", "icmp type 3 icmp code { 1, 3, 13 }", "icmp code < 4",
        "tcp flags syn", "tcp flags syn,ack", "tcp flags & (fin|syn|rst|ack) == syn",
        "tcp flags & (syn|ack) != syn", "tcp flags == syn", "tcp flags != syn",
        "tcp flags & fin != 0", "tcp flags & (fin|syn) == 0", "tcp flags syn / syn,ack",
        "tcp flags & 0xff == 0", "tcp flags == 0x12", "meta pkttype host", "meta pkttype broadcast",
        "meta pkttype != multicast", "meta pkttype { broadcast, multicast }")))
def fields(s):
    for dst in (H1, R0):
        s.each("p0", odd_packets(dst))
    s.send("p0", udp(H0, B0), udp(H0, EVERYONE), udp(H0, R0, dport=7), dst=BROADCAST_MAC)
    s.send("p0", udp(H0, ALL_HOSTS), dst="01:00:5e:00:00:01")


# Fields with few values that come up among random ones, by protocol. (Of bits that lie in two
# bytes, nft 1.0.6 shifts the wrong ones when a mask follows.)
BITS = (
    "ip version 4", "ip version != 4", "ip checksum < 0x8000", "ip checksum != 0",
    "icmp checksum > 0x7fff", "icmp id 0-0x7fff", "icmp id != { 7, 9 }", "icmp sequence < 300",
    "icmp type echo-request icmp sequence & 0x1 == 1", "icmp mtu < 1280",
    "icmp mtu { 0, 1000-1400 }", "icmp gateway & 0xff != 1", "icmp gateway 0x0a0001fe",
    "icmp code 1 icmp gateway > 0x0a000000", "igmp type membership-query",
    "igmp type { leave-group, membership-report-v2 } igmp mrt 0", "igmp checksum >= 0x8000",
    "igmp group & 0xf0000000 == 0xe0000000", "tcp sequence 1000", "tcp sequence > 0x80000000",
    "tcp ackseq != 0", "tcp doff > 5", "tcp doff 5", "tcp reserved 0",
    "tcp reserved != 0 tcp doff { 5-7, 9 }", "tcp window < 4096", "tcp window 8192",
    "tcp checksum < 0x8000", "tcp urgptr != 0", "tcp urgptr 0 tcp flags syn", "udp length 8-20",
    "udp length > 1000", "udp checksum 0", "udp checksum != 0 udp dport 5000",
    "udplite csumcov < 9", "udplite checksum & 0xff == 7", "sctp vtag > 0x7fffffff",
    "sctp checksum & 1 == 1", "dccp type request", "dccp type { response, data, ack, reset }",
    "esp spi < 0x80000000", "esp sequence & 0x3 == 0x3", "ah spi > 1000", "ah sequence != 5",
    "ah hdrlength 0-99", "comp cpi < 0x4000", "@nh,8,8 0xb8", "@nh,64,8 < 10", "@th,0,8 0-127",
    "@th,3,9 0x20-0xff", "@th,3,5 & 0x11 == 0x10", "@th,24,32 > 0x40000000", "@th,24,16 < 0x8000",
    "@th,0,24 > 0x400000", "meta l4proto { tcp, udp } @th,16,16 { 22, 53 }", "@th,13,1 1")


def random_headers(dst, protocols):
    """What comes behind an IP header, of any length, in fragments and not."""
    rng = random.Random(11)
    found = [udp(H0, dst, bytes(size)) for size in (0, 1, 12, 13, 999)] + [
        udp(H0, dst, udp_check=0), tcp(H0, dst, seq=0xffffffff, window=100), tcp(H0, dst, ack=7),
        tcp(H0, dst, tcp_options=b"\1" * 8), tcp(H0, dst, tcp_offset=4),
        echo(H0, dst, sequence=299), echo(H0, dst, ident=9),
        echo(H0, dst, ident=0x8000, sequence=300)]
    for proto in protocols:
        for size in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 19, 20, 20, 20, 24, 24, 40):
            payload = rng.randbytes(size)
            if proto == ICMP and size:      # types that nobody answers or obeys, mostly
                payload = bytes((rng.choice((0, 3, 4, 5, 8, 12)),
                                 rng.choice((0, 1, 4)))) + payload[2:]
            found.append(ipv4(H0, dst, proto, payload[:size], ttl=rng.choice((5, 9, 64)),
                              tos=rng.choice((0, 0xb8))))
            found.append(ipv4(H0, dst, proto, rng.randbytes(size), offset=rng.choice((0, 0, 3)),
                              flags=MF if size % 8 == 0 else 0, id=size))
    return found


for point in ("prerouting", "forward", "postrouting"):
    @filtered(f"bits of every header at {point}", *(f"filter add {point} {match} counter"
                                                    for match in BITS))
    def bits(s):
        for dst in (H1, far("p3", 9)):
            s.each("p0", random_headers(dst, (ICMP, 2, TCP, UDP, 33, 50, 51, 99, 108, 132, 136)))


@filtered("bits of headers of what is for the router, and of its answers", *(
    f"filter add {point} {match} counter" for match in BITS for point in ("input", "output")
    if point == "input" or "checksum" not in match))
def bits_here(s):
    s.each("p0", [p for p in random_headers(R0, (TCP, UDP, 99)) if not (p[6] & 0x3f or p[7])])


@filtered("numbers, prefixes and operators as nft takes them", *(
    f"filter add forward {match} counter" for match in (
        "ip ttl 011", "ip ttl 0x9", "ip saddr 10.0.0.2/24", "ip daddr { 10.0.1.7/24, 10.0.2.2/32 }",
        "ip saddr 0x0a000002", "ip saddr 167772162-167772163", "ip daddr 0.0.0.0/0",
        "ip saddr and 255.255.255.254 == 10.0.0.2", "ip frag-off and (0x2000 | 0x1fff) != 0",
        "ip dscp lephb", "ip dscp va", "ip dscp df", "tcp dport ssh", "tcp dport www",
        "udp dport { domain, ntp }", "ip protocol ipencap", "ip protocol TCP",
        "ip protocol { udp, pim }", "meta protocol ip", "pkttype host", "tcp flags ! syn",
        "tcp flags ! syn,ack", "tcp flags { syn, ack, syn | ack }", "tcp flags != { syn, rst }",
        "tcp flags & (fin|syn|rst|ack) == { syn, ack }", "tcp flags and syn == syn",
        "tcp flags syn or rst", "continue", "iif p0", "iif { p0, p2 } oif != { p1, p3 }")),
    "filter add forward ip saddr 10.0.0.2 counter packets 100 bytes 5000 accept",
    "filter add forward counter bytes 7")
def as_nft_reads(s):
    s.each("p0", assorted())
    s.each("p0", odd_packets())
    s.each("p0", [udp(H0, H1, tos=tos) for tos in (4, 0xb0, 0xb8)] + [ipv4(H0, H1, 4, bytes(30))])


@filtered("what asks for a protocol or a type by itself",
          "filter add forward counter reject with tcp reset",
          "filter add input ip ttl > 1 counter reject with tcp reset", *(
    f"filter add prerouting {match} counter" for match in (
        "ip protocol 6-17 tcp dport 22", "ip protocol != udp tcp dport 22",
        "ip protocol { tcp } tcp dport 22", "icmp type 3-8 icmp id 1",
        "icmp type { 0, 8 } icmp id 1", "icmp type { 8 } icmp id 1", "icmp type != 13 icmp id 1",
        "icmp type 0-13 icmp mtu 0", "icmp type & 8 == 8 icmp id 1", "icmp id 1 icmp sequence 1",
        "icmp mtu 0 icmp type 3")))
def protocols_implied(s):
    s.each("p0", assorted())
    s.each("p0", odd_packets())


@filtered("what nft does not take", "filter add forward counter")
def refused(s):
    s.refused(*(f"filter add forward {rule}" for rule in (
        "limit rate 10/second burst 20", "limit rate 10 bytes/second burst 20",
        "limit rate 10 bytes/second burst 20 packets", "limit rate until 10/second",
        "limit rate 0/second", "limit rate 1/month", "meta nfproto ipv4", "meta mark set 5 or mark",
        "ip saddr 0x0a.0.0.1", "ip protocol { tcp, udp } tcp dport 22",
        "ip protocol { tcp, udp } reject with tcp reset", "udp dport 5 reject with tcp reset",
        "tcp flags & (syn,ack) == syn", "tcp flags & syn,ack == syn", "tcp flags (syn,ack)",
        "tcp flags syn / syn", "tcp flags syn / syn|ack", "tcp flags syn / (syn|ack)",
        "icmp type { 3, 8 } icmp mtu 5", "icmp type { 8, 0, 13 } icmp id 5", "icmp id 5 icmp mtu 5",
        "icmp type 3 icmp type 8 icmp mtu 5", "accept counter", "accept accept", "counter drop log",
        "tcp dport 5-2", "tcp dport 22,80", "ip ttl 256", "ip saddr 10.0.0.1/33",
        "log level warning", "reject with icmp 255", "comment x", "accept comment a accept",
        "iifname *", "th flags syn")))
    s.each("p0", assorted())


@filtered("marks that are made of marks", "filter add prerouting mark set 0x33",
          "filter add prerouting ip saddr 10.0.0.3 mark set mark or 0x100",
          "filter add prerouting tcp dport 22 meta mark set meta mark and 0xf0",
          "filter add prerouting ip protocol udp mark set mark xor 0xffffffff",
          "filter add forward mark set (mark & 0xffffff00) | 0x7",
          "filter add forward ip protocol icmp mark set mark ^ 0x5 | 0x10000 & 0x10001",
          "filter add postrouting mark set mark and 0xfff0ff or 8 counter",
          *(f"filter add {point} mark {value} counter" for point in ("input", "forward",
                                                                     "postrouting")
            for value in ("0x33", "0x133", "0x30", "0x130", "& 0x3 == 0", "0xffffffcc", "7",
                          "0x107", "0x10002", "8", "> 0xff", "0xfff0cf", "0x10000a", "0x100a",
                          "0xf")))
def marks_made(s):
    s.each("p0", assorted())


@filtered("marks go along", "filter add prerouting ip saddr 10.0.0.3 meta mark set 0x10 counter",
          "filter add prerouting tcp dport 22 mark set 7", "filter add prerouting mark 7 counter",
          "filter add forward mark 0x10 counter", "filter add forward meta mark & 0x1 == 1 counter",
          "filter add forward mark != 0 counter", "filter add forward mark { 1-7, 16 } mark set 99",
          "filter add postrouting mark 99 counter", "filter add postrouting mark > 15 counter",
          "filter add input mark 7 counter", "filter add output mark != 0 counter",
          "filter add output icmp type echo-reply mark set 5",
          "filter add postrouting mark 5 counter",
          "filter add output udp sport 7 mark set 0xffffffff",
          "filter add input iif lo mark 0xffffffff counter")
def marks(s):
    s.each("p0", assorted())
    s.send("p0", *cut(echo(H0, R0, data(900)), 400, 400), *cut(udp(J0, H1, data(900)), 400, 400))
    s.send("p0", udp(B0, R0), echo(B0, R0), udp(J0, H1, ttl=1))


@filtered("marks of fragments put together", "filter add prerouting ip saddr 10.0.0.3 mark set 3",
          "filter add forward mark 3 counter", "filter add input mark 3 counter",
          "filter add postrouting mark 3 counter", setup=("sysctl net.millrace.defrag=1",))
def marks_defragmented(s):
    for packet in (udp(J0, H1, data(900)), echo(J0, R0, data(900)), udp(H0, H1, data(900))):
        s.send("p0", *cut(packet, 400, 400))
        s.send("p0", *reversed(cut(packet, 400, 400)))


@filtered("rules come, go and change places", "filter add forward counter",
          "filter add forward ip daddr 198.18.0.0/15 accept")
def places(s):
    probe = (udp(H0, H1), tcp(J0, H1, dport=22), echo(H0, H2), udp(H0, R0))

    for command in ("add forward udp dport 5000 counter accept",
                    "insert forward tcp dport 22 counter", "insert forward index 2 counter",
                    "add forward index 0 ip saddr 10.0.0.2 counter", "add forward handle 1 counter",
                    "insert forward handle 1 icmp type 8 counter drop", "add forward counter drop",
                    "add forward counter", "replace forward handle 7 counter accept",
                    "del forward handle 3", "replace forward handle 8 icmp type 8 counter drop",
                    "replace forward handle 8 tcp dport 22 counter reject with tcp reset",
                    "delete forward handle 8", "add input udp dport 5000 counter drop",
                    "replace input handle 1 udp dport 5001 counter drop", "flush input",
                    "add input counter reject", "flush forward", "add forward counter"):
        s.run("filter " + command)
        s.send("p0", *probe)
        s.filter_counters()


@filtered("return and policies", "filter policy forward drop",
          "filter add forward ip daddr 198.18.0.0/15 accept",
          "filter add forward ip saddr 10.0.0.3 counter return",
          "filter add forward counter accept", "filter add input ip saddr 10.0.0.3 counter return",
          "filter add input counter drop")
def returns(s):
    s.each("p0", assorted())
    s.run("filter policy forward accept")
    s.each("p0", assorted())


@filtered("limits the other way, and of bytes",
          "filter add forward udp dport 5000 limit rate over 1/hour burst 3 packets counter drop",
          "filter add forward udp dport 53 limit rate over 2/day counter reject",
          "filter add forward icmp type echo-request limit rate 2 kbytes/day counter drop",
          "filter add forward udp dport 7 limit rate 1000 bytes/day burst 500 bytes counter drop",
          "filter add forward udp dport 19 limit rate over 1 kbytes/week burst 2 kbytes counter "
          "drop",
          "filter add forward ip daddr 198.18.0.0/15 accept", "filter add forward counter")
def limits_over(s):
    rng = random.Random(9)
    for _ in range(30):
        size = rng.randrange(1, 300)
        s.send("p0", udp(H0, H1), udp(H0, H1, dport=53), echo(H0, H1, bytes(size)),
               udp(H0, H1, bytes(size), dport=7), udp(H0, H1, bytes(size), dport=19))


CODES = ("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable",
         "net-prohibited", "host-prohibited", "admin-prohibited")

for point in POINTS[:4]:
    @filtered(f"rejects that have no name at {point}", *(
        f"filter add {point} ip ttl {40 + n} counter reject with icmp {code}"
        for n, code in enumerate(("frag-needed", "type 4", 5, 6, 14, 15, 16, 254, 13, 0))))
    def unnamed_rejects(s):
        for n in range(10):
            for dst in (H1, R0):
                s.send("p0", udp(H0, dst, ttl=40 + n), tcp(H0, dst, ttl=40 + n, flags=DF),
                       ipv4(H0, dst, 99, data(1400), ttl=40 + n))


for point in POINTS[:4]:
    @filtered(f"each kind of reject at {point}", *(
        f"filter add {point} ip saddr 10.0.0.{20 + n} counter reject with icmp type {code}"
        for n, code in enumerate(CODES)), f"filter add {point} ip daddr 10.0.0.{20} counter reject",
        setup=tuple(f"neigh add 10.0.0.{20 + n} lladdr 02:00:00:00:00:{20 + n:02x} dev p0 "
                    "nud permanent"
                    for n in range(len(CODES))))
    def each_reject(s):
        for n in range(len(CODES)):
            src = f"10.0.0.{20 + n}"
            for dst in (H1, R0):
                s.send("p0", udp(src, dst, options=b"\x07\x0b\x04" + bytes(9)),
                       udp(src, dst, data(1400), tos=0x13), tcp(src, dst, SYN), echo(src, dst),
                       icmp(src, dst, 3, data=udp(dst, src)), icmp(src, dst, 11, data=bytes(40)),
                       icmp(src, dst, 5, data=bytes(28)), icmp(src, dst, 13, data=bytes(12)),
                       ipv4(src, dst, 47, data(30)), ipv4(src, dst, 50, data(30)),
                       ipv4(src, dst, 2, data(8)), udp(src, dst, ttl=1),
                       udp(src, dst, options=b"\x44\x0c\x05\x01" + bytes(8)),
                       udp(src, dst, options=b"\x94\x04\0\0\x82\x0b" + bytes(9) + b"\0"))
                s.send("p0", *cut(udp(src, dst, data(600), id=n), 200, 200))


@filtered("rejected datagrams that were put together, with options",
          "filter add forward udp dport 5000 counter reject with icmp admin-prohibited",
          "filter add forward tcp dport 80 counter reject with tcp reset",
          "filter add forward ip protocol 99 limit rate 1/week burst 2 packets counter reject",
          "filter add forward icmp type echo-request limit rate over 1/week burst 2 packets "
          "counter reject with icmp host-prohibited", setup=("sysctl net.millrace.defrag=1",))
def rejected_whole(s):
    for options in (None, b"\x07\x0b\x04" + bytes(9), b"\x44\x0c\x05\0" + bytes(8), b"\1" * 4,
                    b"\x82\x0b" + bytes(9) + b"\0", b"\x94\x04\0\0"):
        for packet in (udp(H0, H1, data(900)), tcp(H0, H1, SYN, data(900)), echo(H0, H1, data(900)),
                       ipv4(H0, H1, 99, data(900)), udp(H0, H1, data(900), udp_check=1)):
            for keep in (0, DF):
                pieces = cut(packet, 400, 400, first_options=options, keep=keep)
                s.send("p0", *pieces)
                s.send("p0", *reversed(pieces))


@filtered("the type of what the router makes", *(
    f"filter add {point} meta pkttype {kind} counter" for point in POINTS
    for kind in ("host", "broadcast", "multicast", "!= host")))
def types(s):
    s.each("p0", [echo(H0, R0), udp(B0, R0), echo(H0, B0), udp(H0, H1, ttl=1), tcp(H0, R0),
                  udp(H0, H1)])
    s.send("p0", echo(B0, R0), udp(H0, H1), echo(H0, R0), dst=BROADCAST_MAC)


@filtered("what of a broadcast comes back is no packet that was not sent",
          "filter add postrouting ip daddr != 198.18.0.0/15 counter drop",
          "filter add output counter")
def broadcast_back(s):
    for src in (B0, B1, H0):
        s.send("p1", udp(src, R0), echo(src, R0), udp(src, H2, ttl=1), udp(src, UNREACHABLE))


@filtered("what is answered without a checksum",
          "filter add forward ip daddr 10.0.1.2 counter reject",
          "filter add input ip saddr 10.0.0.2 counter reject")
def without_checksum(s):
    for dst in (H1, R0):
        s.send("p0", *(ipv4(H0, dst, proto, data(30, proto)) for proto in range(256)
                       if proto not in (ICMP, TCP, UDP)))


@filtered("reject where the way back is odd",
          "filter add forward ip saddr != 198.18.0.0/15 counter reject",
          "filter add input ip saddr != 198.18.0.0/15 counter reject with icmp net-prohibited",
          "filter add prerouting ip ttl 77 counter reject with icmp host-unreachable",
          setup=("route add 20.0.0.0/8 via 10.0.2.254 mtu 600 hoplimit 9",
                 "route add 21.0.0.0/8 via 10.0.3.254 src 10.0.2.1", "route add throw 22.0.0.0/8",
                 "sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1"))
def odd_ways(s):
    for src in ("20.1.1.1", "21.1.1.1", "22.1.1.1", UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED,
                R1, B0, B1, "0.0.0.0", "127.0.0.1", "224.0.0.1", EVERYONE, "240.0.0.1"):
        for dst in (H1, R0, B0, EVERYONE, UNROUTED, "224.0.0.1"):
            s.send("p0", udp(src, dst, data(700)), udp(src, dst, ttl=77))
            s.send("p1", tcp(src, dst, ttl=77))


def prefix(host, lengths, rng):
    return ipaddress.ip_network(f"{host}/{rng.choice(lengths)}", strict=False)


def random_match(rng):
    found = []
    if rng.random() < 0.5:
        found.append(f"ip saddr {prefix(f'10.0.0.{rng.randrange(4)}', (24, 30, 31, 32), rng)}")
    if rng.random() < 0.5:
        host = f"10.0.{rng.randrange(4)}.{rng.randrange(4)}"
        found.append(f"ip daddr {prefix(host, (23, 24, 32), rng)}")
    if rng.random() < 0.3:
        found.append(f"oif p{rng.randrange(4)}")
    if rng.random() < 0.3:
        found.append("iif p0")
    if rng.random() < 0.1:
        found.append(f"ip ttl {rng.choice(('<', '>', '!='))} {rng.randrange(2, 70)}")
    kind = rng.randrange(5)
    if kind < 2:
        low = rng.randrange(200)
        found.append(f"{rng.choice(('tcp', 'udp'))} {rng.choice(('sport', 'dport'))}"
                     f" {low}-{low + rng.randrange(60)}")
    elif kind == 2:
        found.append(f"icmp type {rng.choice((0, 8, 13))}")
    elif kind == 3:
        found.append(f"ip protocol {rng.choice(('tcp', 'udp', 'icmp', '99'))}")
    elif not found:
        found.append("fragment")
    return " ".join(found)


def random_packet(rng):
    src, dst = f"10.0.0.{rng.randrange(2, 4)}", f"10.0.{rng.randrange(1, 4)}.{rng.randrange(2, 4)}"
    ports = {"sport": rng.randrange(256), "dport": rng.randrange(256)}
    ttl = rng.randrange(2, 80)
    return rng.choice((lambda: udp(src, dst, ttl=ttl, **ports),
                       lambda: tcp(src, dst, ttl=ttl, **ports),
                       lambda: icmp(src, dst, rng.choice((0, 8, 13)), ttl=ttl),
                       lambda: ipv4(src, dst, 99, data(20), ttl=ttl),
                       lambda: ipv4(src, dst, UDP, data(24), flags=MF, offset=rng.choice((0, 9)),
                                    ttl=ttl)))()


for count, seed in ((10, 1), (40, 2), (120, 3), (300, 4)):
    rules_rng = random.Random(seed)

    @filtered(f"{count} random rules", "filter add forward ip daddr 198.18.0.0/15 accept",
              *(f"filter add forward {random_match(rules_rng)} counter"
                f" {rules_rng.choice(('accept', 'drop', 'drop', ''))}".rstrip()
                for _ in range(count)))
    def random_rules(s, seed=seed):
        rng = random.Random(seed)
        for _ in range(8):
            s.send("p0", *(random_packet(rng) for _ in range(32)))
