"""Frames and headers that are odd in several ways at once, under settings that bear on them."""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.a_every import tagged
from scenarios.b_options import LSRR, NOP, padded, rr, srr, ts
from scenarios.g_pmtu import reply_too_big
from scenarios.h_groups import BY_PORT, SEED, THREE
from scenarios.h_marks import QUIET
from scenarios.k_defrag import MISSING, ON, cut, data

MANY_MAC = "01:00:5e:00:00:01"
STATIONS = (None, BROADCAST_MAC, MANY_MAC)

SETTINGS = {
    "as it is": (),
    "options are followed": ("sysctl net.ipv4.conf.all.accept_source_route=1",),
    "sources are checked": ("sysctl net.ipv4.conf.all.rp_filter=1",
                            "route add default via 10.0.0.254"),
    "broadcasts are forwarded": ("sysctl net.ipv4.conf.all.bc_forwarding=1",
                                 "sysctl net.ipv4.conf.p0.bc_forwarding=1"),
    "broadcasts are answered": ("sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",
                                "sysctl net.ipv4.conf.p0.accept_local=1"),
    "unicast to many is dropped": ("sysctl net.ipv4.conf.p0.drop_unicast_in_l2_multicast=1",),
    "127/8 is let in": ("sysctl net.ipv4.conf.p0.route_localnet=1", "addr add 127.0.0.5/8 dev p0"),
    "the link's address answers": ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",
                                   "addr add 10.77.0.1/24 dev p0"),
}


def settled(name, rule):
    def register(story):
        for words, lines in SETTINGS.items():
            scenario(f"{name}: {words}", rule, setup=QUIET + lines)(story)
    return register


@settled("options in frames to one and to many", "A, B")
def options_to_many(s):
    for n, to in enumerate(STATIONS):
        for k, options in enumerate((padded(rr(2)), padded(ts(1, 4)), padded(srr(LSRR, H1)),
                                     padded(rr(1, 3)))):
            for dst in (H1, R0, R1, B0, B1, EVERYONE, ALL_HOSTS, "127.0.0.5"):
                src = far("p0", 1 + n * 40 + k * 8)
                for packet in (echo(src, dst, options=options),
                               udp(src, dst, ttl=1, options=options)):
                    s.send("p0", packet, dst=to)


@settled("times to live and fragments to one and to many", "A, C, E")
def pieces_to_many(s):
    for n, to in enumerate(STATIONS):
        for k, dst in enumerate((H1, R0, B0, B1, EVERYONE, ALL_HOSTS, "127.0.0.5")):
            for ttl in (0, 1, 255):
                src = far("p0", 1 + n * 60 + k * 6 + ttl % 3)
                ident = n * 100 + k * 10 + ttl % 3
                s.send("p0", *cut(echo(src, dst, data(500), id=ident), 200, 200, ttl=ttl), dst=to)
                s.send("p0", *cut(udp(src, dst, data(500), id=ident), 200, 200, ttl=ttl)[::-1],
                       dst=to)


@settled("tags, padding and lengths that lie", "A")
def tags_and_lengths(s):
    for to in (None, BROADCAST_MAC):
        for packet in (udp(far("p0", 1), H1, b"1"), echo(far("p0", 2), R0, b"12"),
                       udp(far("p0", 3), R1, b"123"), udp(far("p0", 4), H1, b"", ttl=1),
                       udp(far("p0", 5), B0, b"1")):
            for change in (lambda p: p, lambda p: p + b"\xff" * 7, lambda p: p[:-1],
                           lambda p: p + bytes(40)):
                s.send("p0", tagged((0x8100, 0xe000), payload=change(packet), dst=to))
                s.send("p0", tagged((0x88a8, 0), (0x8100, 0), payload=change(packet), dst=to))
                s.send("p0", change(packet), dst=to)
                s.send("p0", ethernet(to or router_mac("p0"), host_mac("p0"), len(packet) + 8,
                                      b"\xaa\xaa\x03\0\0\0\x08\0" + change(packet)))


@settled("every answer there is, by TOS", "C6, F")
def answers_by_tos(s):
    hosts = itertools.count(1)
    for tos in (0, 0x01, 0x02, 0x03, 0x10, 0x1e, 0xb8, 0xff):
        src = far("p0", next(hosts))
        for packet in (echo(src, R0, tos=tos), icmp(src, R0, 13, data=bytes(12), tos=tos),
                       tcp(src, R0, tos=tos), udp(src, R0, tos=tos), udp(src, H1, ttl=1, tos=tos),
                       ipv4(src, R0, 99, tos=tos), udp(src, H2, bytes(1440), flags=DF, tos=tos),
                       udp(src, PROHIBITED, tos=tos), echo(src, B0, tos=tos),
                       udp(src, H1, tos=tos, options=padded(rr(1, 3))),
                       echo(src, R0, tos=tos, options=padded(rr(2))),
                       udp(src, far("p0", 99), tos=tos), echo("127.0.0.9", R0, tos=tos),
                       udp("127.0.0.9", R0, tos=tos), udp(B1, R0, tos=tos)):
            s.send("p0", packet)


for policy in (0, 1, 2, 3):
    @scenario(f"large packets to groups whose ways have other MTUs, hash policy {policy}",
              "H4, D, C4", mtu={"p1": 1000, "p3": 600},
              setup=QUIET + (SEED, THREE, f"sysctl net.ipv4.fib_multipath_hash_policy={policy}"))
    def group_mtus(s):
        for n in range(8):
            for flags in (0, DF):
                for options in (b"", padded(rr(2))):
                    s.send("p0", udp(far("p0", n + 1), f"20.0.0.{n}", bytes(1300), sport=n,
                                     flags=flags, options=options))
            s.send("p0", *cut(udp(far("p0", n + 1), f"20.0.0.{n}", data(1900), sport=n), 1304))
            s.send("p0", echo(f"20.0.0.{n}", R0, bytes(1300)),
                   udp(f"20.0.0.{n}", R0, bytes(1300), sport=n))


for inbound in (0, 1):
    @scenario(f"errors by way of rules, groups and narrow paths, inbound address {inbound}",
              "C6, H2, H4, G2",
              setup=QUIET + (SEED, BY_PORT, "rule add to 198.18.0.0/15 priority 1 table main",
                             f"sysctl net.ipv4.icmp_errors_use_inbound_ifaddr={inbound}", THREE,
                             "addr add 10.0.0.9/32 dev p0", "addr add 10.9.9.9/32 dev lo",
                             "route add 21.0.0.0/8 via 10.0.2.254 table 10 src 10.9.9.9 mtu 300 "
                             "hoplimit 5",
                             "rule add to 21.0.0.0/8 iif lo priority 5 table 10",
                             "rule add from 10.0.0.1 to 22.0.0.0/8 priority 6 table 11",
                             "route add 22.0.0.0/8 via 10.0.3.254 table 11",
                             "route add 22.0.0.0/8 via 10.0.1.254"))
    def errors_elsewhere(s):
        reply_too_big(s, "p0", "20.0.0.1", 100)
        for n in range(6):
            for dst in (f"20.0.0.{n}", f"21.0.0.{n}", f"22.0.0.{n}"):
                for packet in (udp(dst, H1, bytes(600), ttl=1, sport=n),
                               udp(dst, R0, bytes(600), sport=n),
                               udp(dst, "10.0.0.9", bytes(600), sport=n),
                               udp(dst, H2, bytes(1440), flags=DF, sport=n),
                               udp(dst, UNREACHABLE, bytes(600), sport=n, options=NOP * 4),
                               echo(dst, R0, bytes(600)),
                               udp(dst, H1, bytes(600), sport=n, options=padded(rr(3, 3)))):
                    s.send("p0", packet)


@scenario("rejects of all that is odd", "FL, A, B, E", missing=MISSING, setup=QUIET + (
    "filter add prerouting ip saddr 198.18.0.0/15 accept",
    "filter add prerouting ip dscp cs1 counter reject",
    "filter add forward ip saddr 198.18.0.0/15 accept",
    "filter add forward ip dscp cs2 counter reject",
    "filter add input ip dscp cs2 counter reject with icmp host-prohibited", *ON))
def rejected(s):
    for tos in (0x20, 0x40):
        for to in STATIONS:
            for dst in (H1, R0, B0, EVERYONE):
                for packet in (udp(H0, dst, tos=tos), udp(H0, dst, tos=tos, options=padded(rr(2))),
                               udp(B1, dst, tos=tos), udp(H0, dst, tos=tos, udp_check=1),
                               udp(H0, dst, tos=tos, ttl=1),
                               icmp(H0, dst, 11, data=bytes(28), tos=tos),
                               ipv4(H0, dst, 99, tos=tos)):
                    s.send("p0", packet, dst=to)
                s.send("p0", *cut(udp(H0, dst, data(900), tos=tos), 400, 400,
                                  options=padded(rr(1))), dst=to)
    s.filter_counters()
