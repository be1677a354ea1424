"""Several rules at once, which by themselves are tested elsewhere: options, source validation, what
was learned of paths, groups, marks, fragments."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_options import LSRR, NOP, RA, SSRR, option, padded, rr, srr, ts
from scenarios.f_redirects import ACCEPT, NEW, redirect
from scenarios.g_pmtu import frag_needed, reply_too_big, sized_echo
from scenarios.h_groups import BY_PORT, SEED, THREE, flow
from scenarios.h_marks import QUIET, SENTINELS
from scenarios.k_defrag import MISSING, ON, cut, data

ROUTED = QUIET + ("sysctl net.ipv4.conf.all.accept_source_route=1",)
STRICT = tuple(f"sysctl net.ipv4.conf.{port}.rp_filter=1" for port in PORTS)
TWO = "nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 3"


def behind(dst, **fields):
    """From many hosts behind p0's gateway, so that no limit is met."""
    for n in range(1, 9):
        yield udp(far("p0", n), dst, sport=n, **fields)


# Source routes and what else may decide over a packet.

@scenario("a source route, a narrow path and strict validation", "B, G2, A", setup=ROUTED + STRICT)
def narrow_and_strict(s):
    for mtu in (100, 1000):
        reply_too_big(s, "p1", H1, mtu)
        for use in (0, 1):
            s.run(f"sysctl net.ipv4.ip_forward_use_pmtu={use}")
            for kind in (LSRR, SSRR):
                for src in (H0, far("p0", 1), H2, far("p1", 1)):
                    for flags in (0, DF):
                        s.send("p0", udp(src, R0, bytes(1200), flags=flags,
                                         options=padded(srr(kind, H1))))


@scenario("a source route into a group, with a record of the route", "B, H4", setup=ROUTED + (
    SEED, BY_PORT, f"route add 20.0.0.0/8 {TWO}",
    "route add 21.0.0.0/8 src 10.0.3.1 nexthop via 10.0.1.254 nexthop via 10.0.1.3 "
    "nexthop via 10.0.2.3"))
def routed_into_group(s):
    for n in range(10):
        for hop in (f"20.0.0.{n}", f"21.0.0.{n}"):
            for kind in (LSRR, SSRR):
                s.send("p0", udp(H0, R0, sport=n, options=padded(srr(kind, hop, H3), rr(2))),
                       udp(J0, R3, sport=n, options=padded(rr(2), srr(kind, R1, hop))),
                       udp(J0, R3, sport=n, options=padded(srr(kind, hop), ts(1, 4))))


@scenario("a source route that leads back, and redirects", "B, C9", setup=ROUTED + ACCEPT)
def routed_back(s):
    for kind in (LSRR, SSRR):
        for hops in ((J0,), (R1, J0), (G0, H1), (far("p0", 4),), (H1, H0)):
            s.send("p0", udp(H0, R0, options=padded(srr(kind, *hops))))
    redirect(s, NEW, far("p0", 4))
    for kind in (LSRR, SSRR):
        s.send("p1", udp(H1, R1, options=padded(srr(kind, far("p0", 4)), rr(1))))


@scenario("a source route whose hops a rule refuses", "B, H2", setup=ROUTED + SENTINELS + (
    "rule add to 10.0.1.2 priority 5 unreachable", "rule add to 10.0.1.3 priority 6 blackhole",
    "rule add from 10.0.0.3 to 10.0.2.2 priority 7 prohibit",
    "rule add iif p0 to 10.0.3.0/24 priority 8 table 9",
    "route add default via 10.0.2.254 table 9 mtu 700"))
def refused_hops(s):
    for kind in (LSRR, SSRR):
        for hop in (H1, J1, H2, H3, R3, UNREACHABLE, UNROUTED, B1, "127.0.0.1", EVERYONE,
                    "0.0.0.0"):
            for src in (H0, J0):
                s.send("p0",
                       udp(src, R0, bytes(800), flags=DF, options=padded(srr(kind, hop), rr(1))))


@scenario("options in every kind of route", "B, H1", setup=ROUTED + (
    "route add 20.0.0.0/8 via 10.0.1.254 mtu 100 src 10.0.3.1 hoplimit 3",
    "route add 21.0.0.0/8 dev p2",
    "neigh add 21.0.0.1 lladdr 02:00:00:00:02:21 dev p2 nud permanent",
    "route add 22.0.0.0/8 via 192.0.2.1 dev p3 onlink",
    "neigh add 192.0.2.1 lladdr 02:00:00:00:03:92 dev p3 nud permanent",
    "route add local 23.0.0.0/8 dev lo", "route add broadcast 24.0.0.1 dev p1",
    "addr add 10.5.0.0/31 dev p1",
    "neigh add 10.5.0.1 lladdr 02:00:00:00:01:51 dev p1 nud permanent",
    "addr add 10.6.0.1/32 dev p2", "route add 10.6.0.9/32 dev p2 src 10.6.0.1",
    "neigh add 10.6.0.9 lladdr 02:00:00:00:02:69 dev p2 nud permanent"))
def kinds_of_routes(s):
    for dst in ("20.0.0.1", "21.0.0.1", "22.0.0.1", "23.0.0.1", "24.0.0.1", "10.5.0.1", "10.5.0.0",
                "10.6.0.9", "10.6.0.1"):
        for options in (rr(3), ts(0, 2), ts(1, 4), ts(3, 4, data=address("10.5.0.0") + bytes(4)
                                                         + address("10.6.0.1"))):
            s.send("p0", udp(H0, dst, bytes(40), options=padded(options)))
            s.send("p0", echo(dst, R0, bytes(40), options=padded(options)))
            s.send("p0", udp(dst, H1, ttl=1, options=padded(options)))
        s.send("p0", udp(H0, R0, options=padded(srr(LSRR, dst))),
               echo(dst, B0, options=padded(rr(2))))


@scenario("tables of times that fill on the way through, and in what is answered", "B", setup=QUIET)
def full_tables(s):
    for kind, words in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 4), (3, 2), (3, 4)):
        for used in range(0, words + 1, 1 if kind == 0 else 2):
            for overflow in (0, 13, 14, 15):
                field = b"".join(address(own) + bytes(4) for own in (R0, R1)) if kind == 3 else b""
                options = padded(ts(kind, words, 5 + 4 * used, overflow, data=field[:4 * words]))
                s.send("p0", echo(far("p0", used + 1), R0, options=options),
                       udp(far("p0", used + 11), H1, options=options),
                       udp(far("p0", used + 21), H1, ttl=1, options=options))


@scenario("options in fragments, quoted in errors", "B, C6, D", setup=QUIET)
def fragments_quoted(s):
    for options in (padded(rr(2)), padded(ts(1, 4)), padded(NOP, option(130, bytes(9)), rr(1)),
                    NOP * 40, padded(option(RA, 0, 0))):
        for dst, ttl in ((H1, 1), (UNROUTED, 64), (PROHIBITED, 64), (R0, 64), (H0, 64)):
            pieces = cut(udp(far("p0", 3), dst, data(900)), 400, 400, ttl=ttl, options=options)
            s.send("p0", *pieces)
            s.send("p0", *cut(udp(far("p0", 4), dst, data(900)), 400, 400, ttl=ttl,
                              first_options=options)[::-1])
        s.send("p0", *cut(udp(far("p0", 5), H2, data(1360), id=9), 1376 - len(options) // 8 * 8 - 8,
                          keep=DF, options=options))


@scenario("options of the router's own pieces, over a narrow path to the sender", "B, G2, G3",
          setup=QUIET)
def narrow_answers(s):
    for host, mtu in ((1, 1000), (2, 600), (3, 60)):
        reply_too_big(s, "p0", far("p0", host), mtu)
        for options in (padded(rr(9)), padded(ts(0, 9)), padded(rr(2), ts(1, 4)),
                        padded(srr(LSRR, G0, H0))):
            for size in (552, 580, 1200, 1400):
                s.send("p0", echo(far("p0", host), R0, bytes(size - 28 - len(options)),
                                  options=options))
            s.send("p0", udp(far("p0", host), R0, bytes(1300), options=options),
                   udp(far("p0", host), H1, bytes(1300), ttl=1, options=options))


@scenario("large answers with options to broadcast addresses, heard by the router itself",
          "B, A, G3", setup=QUIET)
def spoilt_copies(s):
    for src in (B2, B1):
        for options in (b"", padded(rr(3)), padded(ts(1, 6)), padded(NOP * 8),
                        padded(option(130, bytes(6)))):
            for size in (60, 1300, 1400, 1430):
                s.send("p0", echo(src, R0, bytes(size), options=options))
                s.check_counters()


@scenario("a record by way of a group whose ways have addresses of their own", "B, H4",
          setup=QUIET + (
              SEED, BY_PORT, "addr add 10.9.2.1/24 dev p2",
              "neigh add 10.9.2.9 lladdr 02:00:00:00:02:99 dev p2 nud permanent",
              "route add 20.0.0.0/8 nexthop via 10.9.2.9 nexthop via 10.0.2.254 "
              "nexthop via 10.0.1.254"))
def recorded_ways(s):
    for n in range(12):
        s.send("p0", udp(H0, f"20.0.0.{n}", sport=n, options=padded(rr(2))),
               udp(H0, f"20.0.0.{n}", sport=n, options=padded(ts(1, 4))),
               echo(f"20.0.0.{n}", R0, options=padded(rr(3))),
               echo(f"20.0.0.{n}", B0, options=padded(rr(3))))


@scenario("a mark put on after the way was chosen, and what is recorded", "B, H2", missing=MISSING,
          setup=QUIET + SENTINELS + (
              "filter add forward ip dscp cs1 mark set 1",
              "filter add prerouting ip dscp cs2 mark set 2",
              "route add 10.0.1.0/24 dev p1 src 10.0.3.1 table 10",
              "rule add fwmark 1 priority 5 table 10", "rule add fwmark 2 priority 6 table 11",
              "route add 10.0.1.0/24 dev p1 src 10.0.2.1 table 11"))
def recorded_by_mark(s):
    for tos in (0, 0x20, 0x40):
        for options in (rr(3), ts(1, 4), srr(LSRR, J1, H1)):
            s.send("p0", udp(H0, H1, tos=tos, options=padded(options)), echo(H0, R1, tos=tos,
                                                                        options=padded(options)),
                   echo(H1, R1, tos=tos, options=padded(options)))


# What is routed to lo goes round until its time is over.

@scenario("a gateway that is an address on lo sends packets round", "H1, C1", setup=QUIET + (
    "addr add 10.9.9.9/32 dev lo", "route add 20.0.0.0/8 via 10.9.9.9",
    "route add 21.0.0.0/8 dev lo"))
def round_by_lo(s):
    for dst in ("20.0.0.1", "21.0.0.1"):
        for ttl in (1, 2, 3, 64, 255):
            for options in (b"", padded(rr(3)), padded(rr(9)), NOP * 8):
                s.send("p0", udp(H0, dst, ttl=ttl, options=options))
                s.check_counters()
        s.send("p0", udp(H0, dst, bytes(1400), flags=DF, ttl=3))
        s.send("p0", *cut(udp(H0, dst, data(900)), 400, 400, ttl=2)[:1])
        s.send("p0", udp(H0, R0, options=padded(srr(LSRR, dst)), ttl=3))
        s.send("p0", udp(H0, R0, options=padded(srr(SSRR, dst)), ttl=3))
        s.send("p0", echo(dst, R0), dst=BROADCAST_MAC)


@scenario("packets that go round by lo pass filters each time", "H1, FL", missing=MISSING,
          setup=QUIET + (
              "addr add 10.9.9.9/32 dev lo", "route add 20.0.0.0/8 via 10.9.9.9",
              "filter add prerouting iifname lo ip ttl 60 counter mark set 5",
              "filter add prerouting counter", "filter add forward iifname lo counter",
              "filter add forward mark 5 ip ttl 50 counter reject",
              "filter add postrouting oifname lo counter"))
def filtered_round(s):
    for ttl in (3, 49, 55, 64):
        s.send("p0", udp(H0, "20.0.0.1", ttl=ttl))
    s.filter_counters()


# Validation of sources.

@scenario("who may be told of a better way, by a way that is not the best", "A, C9", setup=QUIET + (
    "addr add 20.1.1.5/24 dev p0", "route add 20.1.1.128/25 via 10.0.1.254",
    "route add 20.1.1.2/32 via 10.0.0.3", "route add 20.1.1.3/32 via 10.0.1.3",
    "route add prohibit 20.1.1.4/32",
    "neigh add 20.1.1.3 lladdr 02:00:00:00:00:23 dev p0 nud permanent",
    "neigh add 20.1.1.9 lladdr 02:00:00:00:00:29 dev p0 nud permanent"))
def better_way(s):
    for rp_filter in (0, 2, 1):
        s.run(f"sysctl net.ipv4.conf.p0.rp_filter={rp_filter}")
        for n, src in enumerate(("20.1.1.129", "20.1.1.2", "20.1.1.3", "20.1.1.4", "20.1.1.9", H1,
                                 far("p1", 1))):
            s.send("p0", udp(src, J0 if rp_filter else far("p0", 9)))
        s.pause(1.3)            # so that nobody has been told lately


@scenario("validation follows routes that come and go", "A, H1", setup=QUIET + STRICT + (SEED,))
def validation_changes(s):
    def probe():
        for port in ("p0", "p1"):
            s.send(port,
                   *(udp(src, H3) for src in (H0, "20.1.1.1", "20.2.0.1", UNROUTED, far("p1", 1))),
                   udp("20.1.1.1", H3, tos=0x10), echo("20.1.1.1", R0), echo(UNROUTED, B0))
    for command in ("route add 20.0.0.0/8 via 10.0.0.254", "route add 20.1.0.0/16 via 10.0.1.254",
                    "route add 20.1.0.0/16 via 10.0.0.254 tos 0x10",
                    "route add blackhole 20.1.1.0/24", "route replace throw 20.1.1.0/24",
                    "route del throw 20.1.1.0/24",
                    "route replace 20.1.0.0/16 nexthop via 10.0.1.254 nexthop via 10.0.0.254",
                    "route add default via 10.0.0.3", "sysctl net.ipv4.conf.p1.rp_filter=2",
                    "sysctl net.ipv4.conf.all.rp_filter=1", "route add local 20.2.0.0/24 dev lo",
                    "sysctl net.ipv4.conf.p0.accept_local=1", "route del local 20.2.0.0/24 dev lo",
                    "addr add 20.2.0.1/32 dev lo",
                    "rule add from 20.1.0.0/16 priority 9 unreachable", "rule del priority 9"):
        s.run(command)
        probe()


@scenario("rules that came and went, and sources that are broadcast addresses", "A, H2",
          setup=QUIET)
def rules_gone(s):
    def probe():
        for src in (B0, B1, R1, H1, "127.0.0.1"):
            s.send("p0", udp(src, H3), udp(src, J0), udp(src, H1, ttl=1))
            s.send("p0", udp(src, R0), echo(src, R2))
            s.check_counters()
    probe()
    for command in ("rule add from 9.9.9.9 priority 9 table 9", "rule del priority 9",
                    "route add local 9.9.9.9/32 dev lo", "route del local 9.9.9.9/32 dev lo"):
        s.run(command)
        probe()


@scenario("a link without an address: what comes in, and what it is answered", "A, C6",
          setup=QUIET + (
              "addr add 10.9.9.9/32 dev lo", "route add 20.0.0.0/8 dev p1 src 10.9.9.9"),
          sentinel=None)
def unnumbered(s):
    s.run("addr del 10.0.1.1/24 dev p1", "route add 10.0.1.2/32 dev p1",
          f"neigh replace 10.0.1.2 lladdr {host_mac('p1')} dev p1 nud permanent",
          f"neigh replace 20.0.0.1 lladdr {host_mac('p1', 20)} dev p1 nud permanent")
    for rp_filter in (0, 1, 2):
        s.run(f"sysctl net.ipv4.conf.p1.rp_filter={rp_filter}")
        for inbound in (0, 1):
            s.run(f"sysctl net.ipv4.icmp_errors_use_inbound_ifaddr={inbound}")
            for src in (H1, "20.0.0.1", H2, UNROUTED):
                for packet in (udp(src, H0), udp(src, H0, ttl=1), udp(src, R0), echo(src, R0),
                               udp(src, H0, ttl=1, options=padded(rr(2))), echo(src, ALL_HOSTS)):
                    s.start("p1", packet)
                s.wait(0.02)
            s.start("p0", udp(H0, "20.0.0.1", options=padded(rr(2))), echo("20.0.0.1", B0),
                    udp("20.0.0.1", H0, ttl=1), udp(H0, H1, options=padded(ts(1, 4))))
            s.wait(0.02)


# Groups.

@scenario("a group with a dead way, behind TOS and rules, and answers to what came so",
          "H4, H1, H2",
          sentinel=None, setup=QUIET + SENTINELS + (
              SEED, BY_PORT, THREE.replace("20.0.0.0/8", "20.0.0.0/8 tos 0x10"),
              THREE.replace("20.0.0.0/8", "20.0.0.0/8 table 10 mtu 800"),
              "route add 20.0.0.0/8 via 10.0.3.3",
              "rule add from 198.51.0.0/30 priority 5 table 10"))
def dead_in_groups(s):
    def probe():
        for n in range(8):
            for tos in (0, 0x10):
                s.start("p0", udp(far("p0", n + 1), f"20.0.0.{n}", bytes(900), sport=n, tos=tos),
                        echo(f"20.0.0.{n}", R0, tos=tos), udp(f"20.0.0.{n}", H3, ttl=1, tos=tos))
        s.wait(0.1)
    probe()
    for command in ("link set p2 down", "link set p1 down", "link set p2 up"):
        s.run(command)
        s.pause(0.1)
        if command.endswith("up"):
            s.run(f"neigh replace 10.0.2.254 lladdr {host_mac('p2', 254)} dev p2 nud permanent")
        probe()


@scenario("redirects for what is behind a group, then a way dies", "H4, F redirects", sentinel=None,
          setup=ACCEPT + (SEED, f"route add 203.0.113.0/24 nexthop via {G0} nexthop via {G1}"))
def redirected_group(s):
    def probe():
        s.start("p3", *(echo(f"203.0.113.{host}", R0) for host in range(8)),
                *(udp(H3, f"203.0.113.{host}", bytes(1200), flags=DF) for host in range(8)))
        s.wait(0.1)
    for host in range(8):
        dst = f"203.0.113.{host}"
        s.start("p0", icmp(G0, R0, 5, 1, address(NEW), icmp(R0, dst, 0, data=bytes(8))))
        s.start("p1", icmp(G1, R0, 5, 1, address("10.0.1.77"), icmp(R0, dst, 0, data=bytes(8))))
        s.start("p3", icmp(H3, R0, 3, 4, b"\0\0\4\0", icmp(R0, dst, 0, data=bytes(8))))
    s.wait(0.1)
    probe()
    s.run("sysctl net.ipv4.ip_forward_use_pmtu=1")
    probe()
    s.run("link set p1 down")
    s.pause(0.1)
    probe()
    s.run("route replace 203.0.113.0/24 nexthop via 10.0.0.3 nexthop via 10.0.0.254")
    probe()


@scenario("a group in the table of a mark, reject and fragments", "H4, H2, FL", missing=MISSING,
          setup=QUIET + SENTINELS + ON + (
              SEED, BY_PORT, THREE.replace("20.0.0.0/8", "default table 10 mtu 700"),
              "filter add prerouting ip saddr 198.51.0.0/25 counter mark set 1",
              "filter add forward mark 1 udp dport 5009 counter reject",
              "filter add forward mark 1 udp dport 5010 counter reject with icmp admin-prohibited",
              "filter add forward ip daddr 198.18.0.0/15 accept",
              "filter add forward fragment counter", "rule add fwmark 1 priority 5 table 10",
              "route add 20.0.0.0/8 via 10.0.3.3", "sysctl net.ipv4.fwmark_reflect=1"))
def marked_fragments(s):
    for n, dport in enumerate((5000, 5009, 5010)):
        for host in (1, 2, 3, 200):
            for keep in (0, DF):
                pieces = cut(udp(far("p0", host), f"20.0.0.{n}", data(1100), dport=dport), 400, 400,
                             keep=keep)
                s.send("p0", *pieces)
                s.send("p0", *pieces[::-1])
            s.send("p0", udp(far("p0", host), f"20.0.0.{n}", data(1100), dport=dport, flags=DF))
            s.send("p0", *cut(udp(far("p0", host), f"20.0.0.{n}", data(1100), dport=dport), 400,
                              ttl=1))
    s.filter_counters()


@scenario("answers over groups, sources of their own, and a path that is narrow on one way",
          "H4, G2, G3",
          setup=QUIET + (SEED, BY_PORT, f"route add 20.0.0.0/8 {TWO}",
                         "sysctl net.millrace.udp_echo=1", "addr add 10.9.9.9/32 dev lo"))
def narrow_way(s):
    for host in range(6):
        dst = f"20.0.0.{host}"
        frag_needed(s, "p0", dst, 900, udp(R0, dst, sport=7, dport=4000 + host), src=G1)
        for own in (R0, R1, R2, "10.9.9.9"):
            s.send("p0", udp(dst, own, bytes(1200), sport=4000 + host, dport=7))
            s.send("p0", echo(dst, own, bytes(1200)),
                   udp(dst, own, bytes(1200), sport=4000 + host))
        s.send("p0", udp(H0, dst, bytes(1200), sport=host, flags=DF))


@scenario("weights change, and ways are added and removed, while fragments are underway", "H4, K",
          missing=MISSING, setup=QUIET + ON + (SEED, BY_PORT, THREE))
def groups_and_pieces(s):
    for way in ("nexthop via 10.0.1.254 weight 9 nexthop via 10.0.2.254", "via 10.0.3.3",
                "nexthop via 10.0.1.254 nexthop via 10.0.1.3 nexthop via 10.0.1.2"):
        started = [cut(udp(H0, f"20.0.0.{n}", data(1000), sport=n, id=n), 400, 400)
                   for n in range(6)]
        s.send("p0", *(pieces[0] for pieces in started))
        s.run(f"route replace 20.0.0.0/8 {way}")
        s.send("p0", *(piece for pieces in started for piece in pieces[:0:-1]))


# Paths, settings and errors.

@scenario("an MTU that was learned, a route of its own MTU and hoplimit, and echoes", "G2, C6, G4",
          setup=QUIET + (
              "route add 20.0.0.0/8 via 10.0.0.254 mtu 1200 hoplimit 9",
              "route add 21.0.0.0/8 via 10.0.0.254 mtu lock 700",
              "route add 22.0.0.0/8 via 10.0.0.254 mtu 300 hoplimit 255"))
def own_mtus(s):
    for dst in ("20.0.0.1", "21.0.0.1", "22.0.0.1"):
        for mtu in (0, 1400, 1000, 650, 100):
            if mtu:
                reply_too_big(s, "p0", dst, mtu)
            for size in (280, 560, 660, 1100, 1300):
                s.send("p3", sized_echo(dst, R0, size))
            s.send("p3", udp(dst, R0, bytes(1000)), udp(dst, H1, bytes(1000), ttl=1), tcp(dst, R0),
                   icmp(dst, R0, 13, data=bytes(12)))
            s.send("p3", udp(H3, dst, bytes(1272), flags=DF), udp(H3, dst, bytes(1272)))


@scenario("errors about errors, in fragments, to many, with options", "C5, B, D", setup=QUIET)
def errors_about_errors(s):
    for kind in (0, 3, 4, 5, 8, 11, 12, 13, 18, 19, 40):
        for packet in (icmp(far("p0", 1), H1, kind, data=udp(H1, H0), ttl=1),
                       icmp(far("p0", 2), UNROUTED, kind, data=udp(H1, H0)),
                       icmp(far("p0", 3), H2, kind, data=bytes(1440), flags=DF),
                       icmp(far("p0", 4), H1, kind, data=udp(H1, H0), options=padded(rr(2, 3))),
                       icmp(far("p0", 5), R0, kind, data=udp(H1, H0),
                            options=padded(option(RA, 1, length=3)))):
            s.send("p0", packet)
        s.send("p0", *cut(icmp(far("p0", 6), UNROUTED, kind, data=data(400)), 8, 200))
        s.send("p0", *cut(icmp(far("p0", 7), H1, kind, data=data(400)), 200, ttl=1,
                          options=NOP * 4))
        s.send("p0", ipv4(far("p0", 8), H1, ICMP, bytes((kind,)), ttl=1),
               ipv4(far("p0", 8), H1, ICMP, b"", ttl=1))


@scenario("datagrams of nothing", "A, C, F", setup=QUIET + (
    "sysctl net.millrace.udp_echo=1", "sysctl net.millrace.udp_discard=1"))
def nothing(s):
    for dst in (H1, R0, R1, B0, EVERYONE, ALL_HOSTS, UNROUTED, UNREACHABLE, H2):
        for n, proto in enumerate((ICMP, TCP, UDP, 99, 2, 4, 136, 255, 0)):
            src = far("p0", 10 * n + 1)
            for packet in (ipv4(src, dst, proto), ipv4(src, dst, proto, options=NOP * 40),
                           ipv4(src, dst, proto, ttl=1, options=padded(rr(1))),
                           ipv4(src, dst, proto, flags=MF)):
                if proto not in (4, 136) or packet[20:] or dst not in (R0, R1):
                    s.send("p0", packet)
        s.each("p0", (udp(H0, dst, b"", dport=7), udp(H0, dst, b"", dport=9), udp(H0, dst, b""),
                      udp(H0, dst, b"", udp_check=0, dport=7), echo(H0, dst, b""),
                      icmp(H0, dst, 13)))


@scenario("settings that are flipped between two packets of a kind", "A, C6, F, G", setup=QUIET)
def flipped(s):
    def probe():
        s.send("p0", udp(H0, H1), udp(H0, H1, ttl=1), udp(far("p0", 1), H1, ttl=1), udp(H0, R1),
               echo(H0, R0), echo(H0, B0), echo(H0, ALL_HOSTS), icmp(H0, R0, 13, data=bytes(12)),
               tcp(H0, R0), udp(R1, H1), udp(H0, "127.0.0.1"), echo(H0, R0, options=padded(rr(3))),
               udp(H0, R0, options=padded(srr(LSRR, H1))))
        s.send("p0", udp(H0, H1), echo(H0, R0), udp(H0, R0), dst=BROADCAST_MAC)
    for line in ("icmp_echo_ignore_all=1", "icmp_echo_ignore_all=0",
                 "icmp_echo_ignore_broadcasts=0", "ip_default_ttl=7",
                 "icmp_errors_use_inbound_ifaddr=1", "conf.p0.accept_local=1",
                 "conf.all.route_localnet=1", "conf.p0.drop_unicast_in_l2_multicast=1",
                 "conf.all.accept_source_route=1", "conf.p0.accept_source_route=0",
                 "icmp_echo_ignore_broadcasts=1", "conf.p0.drop_unicast_in_l2_multicast=0",
                 "conf.all.rp_filter=1", "conf.p0.rp_filter=2", "conf.all.route_localnet=0",
                 "conf.p0.accept_local=0", "conf.p0.accept_source_route=1", "ip_default_ttl=255",
                 "conf.all.bc_forwarding=1", "conf.all.rp_filter=0"):
        s.run("sysctl net.ipv4." + line)
        probe()


@scenario("an address of 127/8 on a link: scope, order and route_localnet", "C6, A", setup=QUIET + (
    "addr add 127.0.0.5/8 dev p1", "addr add 10.77.1.1/24 dev p1"))
def loopback_address(s):
    for inbound in (0, 1):
        s.run(f"sysctl net.ipv4.icmp_errors_use_inbound_ifaddr={inbound}")
        for localnet in (0, 1):
            s.run(f"sysctl net.ipv4.conf.p1.route_localnet={localnet}")
            for src in (H1, far("p1", 1), "127.0.0.9"):
                s.send("p1", udp(src, H0, ttl=1), udp(src, R0), echo(src, B1),
                       echo(src, "127.0.0.5"), udp(src, H0, options=padded(rr(2))),
                       udp(src, UNREACHABLE))
    s.ways("127.0.0.9", "127.0.0.5", "20.0.0.1", "127.0.0.9 from 10.0.1.1",
           "127.0.0.1 from 10.0.1.2 iif p1")


@scenario("what is reported of UDP answers: by the socket's TOS and the flow's way",
          "G2, F redirects, H1",
          setup=ACCEPT + (SEED, BY_PORT, "sysctl net.millrace.udp_echo=1",
                          "route add 20.0.0.0/8 via 10.0.0.254",
                          "route add 20.0.0.0/8 via 10.0.1.254 tos 0x10",
                          "route add 21.0.0.0/8 nexthop via 10.0.0.254 nexthop via 10.0.1.254"))
def of_udp_answers(s):
    def probe(dst):
        for tos in (0, 0x10):
            s.send("p3", echo(dst, R0, bytes(1300), tos=tos))
            s.send("p3", udp(dst, R0, bytes(1300), dport=7, tos=tos))
            s.send("p3", udp(H3, dst, tos=tos))
    for host, tos in enumerate((0, 0x10, 0xff)):
        for dst in (f"20.0.0.{host}", f"21.0.0.{host}"):
            frag_needed(s, "p3", dst, 1000, udp(R0, dst, sport=7, dport=4000, tos=tos), src=H3)
            probe(dst)
        for dst in (f"20.0.1.{host}", *(f"21.0.{n}.{host}" for n in range(1, 7))):
            redirect(s, NEW, dst, quoted=udp(R0, dst, sport=7, dport=4000, tos=tos))
            probe(dst)
        dst = f"20.0.2.{host}"
        redirect(s, "10.0.1.77", dst, port="p1", src=G1,
                 quoted=icmp(R0, dst, 0, data=bytes(8), tos=tos))
        probe(dst)


# Limits.

@scenario("a sender's limit is spent by errors of all kinds, by fragments and by what has options",
          "C7, B, D")
def spent(s):
    for host in range(1, 6):
        src = far("p0", host)
        for packet in (udp(src, H1, ttl=1), udp(src, R0), udp(src, H1, options=padded(rr(1, 3))),
                       *cut(udp(src, H1, data(500)), 200, ttl=1), ipv4(src, R0, 99),
                       udp(src, H2, bytes(1440), flags=DF),
                       udp(src, H1, ttl=1, options=padded(rr(2))), tcp(src, R0), echo(src, R0),
                       udp(src, R1), udp(src, H1, ttl=1), udp(src, R0)):
            s.send("p0", packet)


@scenario("limits of types that are seldom limited", "C7",
          setup=("sysctl net.ipv4.icmp_ratemask=65343",))
def seldom(s):
    for kind in range(4):
        for _ in range(8):
            src = far("p0", kind + 1)
            s.send("p0", (echo(src, R0), icmp(src, R0, 13, data=bytes(12)),
                          udp(src, H2, bytes(1440), flags=DF),
                          udp(src, H1, options=padded(rr(1, 3))))[kind])
