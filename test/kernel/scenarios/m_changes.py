"""What changes between packets: addresses, links, routes, rules and filters, with what was learned
before and what is underway."""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_options import LSRR, padded, rr, srr, ts
from scenarios.f_redirects import ACCEPT, NEW, redirect
from scenarios.g_pmtu import reply_too_big, sized_echo
from scenarios.h_groups import BY_PORT, SEED, THREE
from scenarios.h_marks import QUIET, SENTINELS
from scenarios.k_defrag import MISSING, ON, cut, data

# Whether a redirect is sent depends on when the last one was (rule C9).
STILL = tuple(f"sysctl net.ipv4.conf.{name}.send_redirects=0" for name in ("all", *PORTS))
# So that no link is without an address.
SPARE = tuple(f"addr add 10.77.{n}.1/24 dev p{n}" for n in range(4))


def neighbours(port, *addresses):
    return tuple(f"neigh replace {ip} lladdr {host_mac(port, 100 + k)} dev {port} nud permanent"
                 for k, ip in enumerate(addresses))


# Addresses.

@scenario("secondary addresses go with their primary, and become primaries in their order",
          "H1, C6",
          setup=QUIET + SPARE + ("addr add 10.0.0.9/24 dev p0", "addr add 10.0.0.10/24 dev p0",
                                 "addr add 10.0.0.11/25 dev p0", "addr add 10.0.0.12/25 dev p0")
          + neighbours("p0", "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12", R0))
def secondaries(s):
    def probe():
        for own in (R0, "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12"):
            s.send("p1", echo(H1, own), udp(H1, own))
        s.send("p0", udp(H0, H1, ttl=1), udp(G0, H1, ttl=1), udp(far("p0", 1), H1, ttl=1),
               echo(H0, ALL_HOSTS), udp(H0, H1, options=padded(rr(2))),
               udp(H1, H0, options=padded(rr(2))))
        s.send("p1", udp(H1, H0, options=padded(rr(2))), udp(H1, G0, options=padded(ts(1, 4))))
    probe()
    for command in ("addr del 10.0.0.9/24 dev p0", "addr del 10.0.0.11/25 dev p0",
                    "addr add 10.0.0.9/24 dev p0", "addr del 10.0.0.1/24 dev p0",
                    "addr add 10.0.0.9/24 dev p0", "addr add 10.0.0.1/24 dev p0",
                    "addr add 10.0.0.11/25 dev p0", "addr del 10.0.0.9/24 dev p0",
                    "addr add 10.0.0.1/24 dev p0"):
        s.attempt(command)
        probe()


@scenario("addresses are flushed by link and by prefix", "H1, A", setup=QUIET + (SEED,) + tuple(
    f"addr add 20.{net}.0.{host}/24 dev p{net}" for net in (1, 2) for host in (1, 2, 3)) + (
        "addr add 20.1.7.1/32 dev p2", "addr add 20.1.0.9/25 dev p2")
    + tuple(f"sysctl net.ipv4.neigh.p{net}.retrans_time_ms=60000" for net in (1, 2)))
def addresses_flushed(s):
    def probe():
        for net in (1, 2):
            for address in [f"20.{net}.0.{host}" for host in (0, 1, 2, 3, 9, 127, 255)]:
                s.send("p0", echo(H0, address))
                s.ways(address)
        s.ways("20.1.7.1", R1, R2, B2, H2)
    probe()
    for words in ("dev p2 to 20.1.0.0/16", "to 20.1.0.0/30", "to 20.1.0.1", "to 20.2.0.2/31",
                  "dev p1 to 20.0.0.0/8"):
        s.run(f"addr flush {words}")
        probe()
    s.run("addr add 20.2.0.9/24 dev p2", "addr flush dev p2 up")
    s.ways("20.2.0.1", "20.2.0.9", R2, B2, H2, far("p2", 1))
    s.refused("addr flush", "addr flush dev none", "addr flush to none")


@scenario("connected subnets that overlap on two links", "H1, A", setup=QUIET + STILL + (
    "addr add 10.0.0.129/25 dev p1",) + neighbours("p1", "10.0.0.130", "10.0.0.254", "10.0.0.2",
                                                   "10.0.0.128", "10.0.0.129")
    + neighbours("p0", "10.0.0.130", "10.0.0.128", "10.0.0.129"))
def overlapping(s):
    def probe():
        for port, src in (("p0", H0), ("p1", H1), ("p1", "10.0.0.130"), ("p0", "10.0.0.130"),
                          ("p0", G0)):
            for dst in (H0, "10.0.0.130", G0, "10.0.0.129", B0, "10.0.0.128", H2):
                s.send(port, udp(src, dst, options=padded(rr(1))), udp(src, dst, ttl=1),
                       echo(src, dst))
    probe()
    for command in ("sysctl net.ipv4.conf.all.rp_filter=1", "sysctl net.ipv4.conf.p1.rp_filter=2",
                    "addr add 10.0.0.3/32 dev p1", "route replace 10.0.0.128/25 dev p0 metric 5",
                    "addr del 10.0.0.129/25 dev p1"):
        s.run(command)
        probe()


@scenario("prefixes of 29 to 32 bits", "H1, A", setup=QUIET + (
    "addr add 10.5.0.1/29 dev p1", "addr add 10.5.1.1/30 dev p1", "addr add 10.5.2.0/31 dev p1",
    "addr add 10.5.3.1/32 dev p1", "addr add 10.5.4.255/31 dev p2", "addr add 10.5.5.255/32 dev p2",
    "addr add 10.5.6.0/32 dev lo", "addr add 10.5.7.1/30 dev lo")
    + neighbours("p1", "10.5.0.2", "10.5.1.2", "10.5.2.1", "10.5.0.0", "10.5.1.0", "10.5.3.0")
    + neighbours("p2", "10.5.4.254", "10.5.5.254"))
def small_subnets(s):
    for dst in ("10.5.0.0", "10.5.0.2", "10.5.0.7", "10.5.1.0", "10.5.1.2", "10.5.1.3", "10.5.2.0",
                "10.5.2.1", "10.5.3.0", "10.5.3.1", "10.5.4.254", "10.5.4.255", "10.5.5.254",
                "10.5.5.255", "10.5.6.0", "10.5.7.0", "10.5.7.1", "10.5.7.2", "10.5.7.3"):
        if not dst.startswith("10.5.7."):
            s.send("p0", udp(H0, dst), echo(far("p0", 1), dst), udp(far("p0", 2), dst, ttl=1))
        s.send("p0", udp(dst, H3), echo(dst, R0), udp(dst, UNREACHABLE))
        s.ways(dst, f"{dst} from {H0} iif p0", f"{H3} from {dst} iif p1")


@scenario("addresses on lo: many, overlapping, and taken away", "H1, A", setup=QUIET)
def on_lo(s):
    def probe():
        for dst in ("10.9.9.9", "10.9.9.10", "10.9.0.1", "127.0.0.1", H1, "20.0.0.1", B1):
            s.send("p0", echo(H0, dst), udp(H0, dst, options=padded(rr(2))), udp(dst, H3))
        s.send("p0", echo(UNREACHABLE, B0), udp(UNREACHABLE, H1, ttl=1))
    for command in ("addr add 10.9.9.9/32 dev lo", "addr add 10.9.9.10/24 dev lo",
                    "addr add 10.9.0.1/16 dev lo", f"addr add {H1}/32 dev lo",
                    "addr add 20.0.0.1/8 dev lo", "addr del 10.9.9.10/24 dev lo",
                    f"addr del {H1}/32 dev lo", "addr del 20.0.0.1/8 dev lo",
                    "addr del 10.9.0.1/16 dev lo"):
        s.run(command)
        probe()


@scenario("an address that moves from one link to another", "H1, G2",
          setup=QUIET + SPARE + ("addr add 10.8.0.1/24 dev p0",)
          + neighbours("p0", "10.8.0.2") + neighbours("p1", "10.8.0.2"))
def moved_address(s):
    def probe():
        s.send("p3", sized_echo("10.8.0.2", "10.8.0.1", 1300),
               udp(H3, "10.8.0.2", bytes(1300), flags=DF), udp("10.8.0.2", "10.8.0.1"),
               sized_echo("20.0.0.1", "10.8.0.1", 1300), udp(H3, "20.0.0.1"))
    s.run("route add 20.0.0.0/8 via 10.8.0.2", "addr add 10.8.0.1/32 dev p2")
    reply_too_big(s, "p0", "10.8.0.2", 1000, own="10.8.0.1")
    reply_too_big(s, "p0", "20.0.0.1", 100, own="10.8.0.1")
    probe()
    for command in ("addr del 10.8.0.1/24 dev p0", "addr add 10.8.0.1/24 dev p1",
                    "route replace 20.0.0.0/8 via 10.8.0.2", "addr del 10.8.0.1/32 dev p2",
                    "addr del 10.8.0.1/24 dev p1"):
        s.run(command)
        probe()


@scenario("the source that routes ask for goes away", "H1, C6", setup=QUIET + SPARE + (SEED,
    "addr add 10.9.9.9/32 dev lo", "route add 20.0.0.0/8 via 10.0.1.254 src 10.9.9.9",
    "route add 20.1.0.0/16 src 10.9.9.9 nexthop via 10.0.1.254 nexthop via 10.0.2.254",
    "route add 21.0.0.0/8 via 10.0.1.254 src 10.9.9.9 table 10",
    "route add 20.0.0.0/8 via 10.0.2.254 metric 9", "route add 21.0.0.0/8 via 10.0.3.254"))
def source_gone(s):
    def probe():
        for dst in ("20.0.0.1", "20.1.0.1", "21.0.0.1"):
            s.send("p0", echo(dst, B0), udp(dst, H1, ttl=1), udp(H0, dst, options=padded(rr(1))))
            s.ways(dst, f"{dst} from {H0} iif p0")
    probe()
    s.run("rule add to 21.0.0.0/8 priority 7 table 10")
    probe()
    s.run("addr del 10.9.9.9/32 dev lo")
    probe()
    s.refused("route add 22.0.0.0/8 via 10.0.1.254 src 10.9.9.9")
    s.run("addr add 10.9.9.9/32 dev p3")
    probe()


@scenario("an address that is there twice", "H1", setup=QUIET + STILL + SPARE + (
    "addr add 10.8.0.1/24 dev p0", "addr add 10.8.0.1/24 dev p1", "addr add 10.8.0.1/32 dev lo")
    + neighbours("p0", "10.8.0.2") + neighbours("p1", "10.8.0.2"))
def twice(s):
    def probe():
        s.send("p0", echo("10.8.0.2", "10.8.0.1"), udp("10.8.0.1", H3), udp(H0, "10.8.0.2"),
               udp(H0, "10.8.0.255"))
        s.send("p1", echo("10.8.0.2", "10.8.0.1"), udp("10.8.0.2", H0, options=padded(rr(2))))
        s.ways("10.8.0.1", "10.8.0.2", "10.8.0.255", "10.8.0.2 from 10.0.2.2 iif p2")
    probe()
    for command in ("addr del 10.8.0.1/24 dev p0", "addr add 10.8.0.1/24 dev p0",
                    "addr del 10.8.0.1/32 dev lo", "addr del 10.8.0.1/24 dev p1",
                    "addr del 10.8.0.1/24 dev p0"):
        s.run(command)
        probe()


# Routes.

@scenario("what is appended, prepended, replaced and deleted, between packets", "H1",
          setup=QUIET + (SEED,))
def order(s):
    ways = {"a": "via 10.0.1.254", "b": "via 10.0.2.254", "c": "via 10.0.3.254",
            "d": "via 10.0.1.3 mtu 700", "e": "nexthop via 10.0.1.2 nexthop via 10.0.2.2",
            "f": "dev p3"}
    for step in ("add a", "append b", "prepend c", "append d", "replace e", "del a", "append a",
                 "add b", "append b", "prepend b", "change d", "del b", "append f", "replace f",
                 "change f", "del f", "del c", "del d", "change a", "append c", "prepend a",
                 "del e", "del", "del", "del", "del"):
        verb, _, name = step.partition(" ")
        for more in ("", " tos 0x10", " metric 4"):
            s.attempt(f"route {verb} 20.0.0.0/8{more} {ways.get(name, '')}".strip())
        s.ways(*(f"20.0.0.1 from {H0} iif p0 tos {tos}" for tos in ("0", "0x10")), "20.0.0.1")
        s.send("p0", udp(H0, far("p1", 1)))


@scenario("routes that differ in metric, protocol and table do not share what was learned",
          "G2, H1", setup=QUIET + SENTINELS + (SEED, "route add 20.0.0.0/8 via 10.0.0.254",
                                               "route add 20.0.0.0/8 via 10.0.0.254 table 10"))
def not_shared(s):
    def probe():
        for host in (1, 2):
            s.send("p3", sized_echo(f"20.0.0.{host}", R0, 1300),
                   udp(H3, f"20.0.0.{host}", bytes(1000), flags=DF))
    reply_too_big(s, "p0", "20.0.0.1", 1000)
    reply_too_big(s, "p0", "20.0.0.2", 100)
    probe()
    for command in ("route add 20.0.0.0/24 via 10.0.0.254",
                    "route replace 20.0.0.0/24 via 10.0.0.254 metric 5", "route del 20.0.0.0/24",
                    "route del 20.0.0.0/24 metric 5",
                    "route add 20.0.0.0/24 via 10.0.0.254 proto static", "route del 20.0.0.0/24",
                    "route add 20.0.0.0/24 via 10.0.0.254 hoplimit 64", "route del 20.0.0.0/24",
                    "rule add to 20.0.0.0/8 priority 9 table 10", "rule del priority 9",
                    "route add 20.0.0.0/24 nexthop via 10.0.0.254 nexthop via 10.0.0.3",
                    "route del 20.0.0.0/24", "route add 20.0.0.0/24 via 10.0.0.254 tos 0x10",
                    "route append 20.0.0.0/8 via 10.0.0.3", "route add 20.0.0.0/24 via 10.0.0.254",
                    "route del 20.0.0.0/8 via 10.0.0.254"):
        s.attempt(command)
        probe()


@scenario("groups that have ways in common do not share what was learned", "G2, F redirects, H4",
          setup=ACCEPT + (
              SEED, f"route add 20.0.0.0/24 nexthop via {G0} nexthop via {G0} weight 2",
              f"route add 20.0.1.0/24 nexthop via {G0} nexthop via {G0} weight 2"))
def groups_not_shared(s):
    def probe():
        for dst in ("20.0.0.1", "20.0.1.1", "20.0.0.2"):
            s.send("p3", sized_echo(dst, R0, 1300), udp(H3, dst), udp(J3, dst))
    redirect(s, NEW, "20.0.0.1")
    reply_too_big(s, "p0", "20.0.0.2", 1000)
    probe()
    for command in (f"route add 20.0.0.0/28 nexthop via {G0} nexthop via {G0} weight 2",
                    f"route replace 20.0.0.0/28 nexthop via {G0} weight 2 nexthop via {G0}",
                    f"route replace 20.0.0.0/28 nexthop via {G0} nexthop via {J0}",
                    f"route replace 20.0.0.0/28 via {G0}", "route del 20.0.0.0/28",
                    f"route replace 20.0.0.0/24 nexthop via {G0} nexthop via {G0} weight 3"):
        s.run(command)
        probe()


@scenario("a gateway is looked for as the rules say", "H1, H2", setup=QUIET + SENTINELS + (SEED,))
def gateways_by_rules(s):
    for rule in ("to 10.0.1.254 unreachable", "to 10.0.2.254 blackhole", "to 10.0.3.254 prohibit",
                 "iif lo to 10.0.1.3 table 9", "iif p0 to 10.0.1.2 unreachable",
                 "from 10.0.0.2 to 10.0.1.2 unreachable", "not to 10.0.0.0/8 table 9",
                 "tos 0x10 to 10.0.1.2 unreachable"):
        s.run(f"rule add {rule} priority 9")
        for way in ("via 10.0.1.254", "via 10.0.2.254 table 10", "via 10.0.3.254 dev p3",
                    "via 10.0.1.3", "via 10.0.1.2", "nexthop via 10.0.1.254 nexthop via 10.0.2.254",
                    "via 10.0.1.254 dev p1 onlink"):
            s.attempt(f"route add 20.0.0.0/8 {way}")
            s.send("p0", udp(H0, "20.0.0.1"))
            s.attempt("route del 20.0.0.0/8" + (" table 10" if "table" in way else ""))
        s.run("rule del priority 9")


@scenario("throw routes of every length before a default", "H2, H3", setup=QUIET + SENTINELS + (
    "route add default via 10.0.1.254 table 10", "route add default via 10.0.2.254",
    "rule add to 20.0.0.0/6 priority 9 table 10", "route add default via 10.0.3.254 table default"))
def throw_lengths(s):
    for length in (0, 1, 6, 8, 15, 16, 17, 24, 25, 31, 32):
        prefix = ("default" if length == 0 else
                  f"{'0.0.0.0' if length == 1 else '20.0.0.0'}/{length}")
        s.run(f"route {'replace' if length == 0 else 'add'} throw {prefix} table 10")
        for dst in ("20.0.0.0", "20.0.0.1", "20.0.0.127", "20.0.0.128", "20.0.255.1", "20.1.0.1",
                    "23.0.0.1"):
            s.send("p0", udp(H0, dst))
        s.run(f"route add throw {prefix} metric 1" if length
              else f"route add throw {prefix} metric 0 tos 0x10")
        s.send("p0", udp(H0, "20.0.0.0"), udp(H0, "20.0.0.1", tos=0x10),
               udp(far("p3", 1), "9.9.9.9", tos=0x10))
        s.run(f"route del {prefix} table 10",
              "route add default via 10.0.1.254 table 10" if length == 0 else "route flush cache")


@scenario("routes are flushed by all that can be said of them", "H1, H2",
          setup=QUIET + SENTINELS + neighbours("p3", "20.1.1.1") + (
    SEED, "route add 20.0.0.0/8 via 10.0.1.254", "route add 20.0.0.0/8 via 10.0.2.254 metric 5",
    "route add 20.1.0.0/16 via 10.0.3.254 proto static",
    "route add 20.1.1.0/24 dev p3 src 10.0.0.1",
    "route add 20.2.0.0/16 via 10.0.2.254 tos 0x10", "route add unreachable 20.3.0.0/16",
    "route add 20.4.0.0/16 nexthop via 10.0.1.254 nexthop via 10.0.2.254",
    "route add 20.5.0.0/16 via 10.0.3.254 table 10", "route add prohibit 20.6.0.0/16 table 10",
    "route add local 20.7.0.0/16 dev lo", "rule add to 20.0.0.0/7 priority 9 table 10"))
def routes_flushed(s):
    senders = itertools.cycle(far("p0", number) for number in range(1, 200))

    def probe():
        for n in range(9):
            for host in ("0.1", "1.1"):
                sender = next(senders)      # each is told of few errors in a while
                s.send("p0", *(udp(sender, f"20.{n}.{host}", tos=tos) for tos in (0, 0x10)))
                s.ways(f"20.{n}.{host}", f"20.{n}.{host} from {H0} iif p0")
        s.send("p0", udp(H0, H1), echo(H0, R2), udp(H0, B3), echo(H0, B0))
    probe()
    for words in ("root 20.1.0.0/16 proto static", "src 10.0.0.1 scope link root 20.0.0.0/8",
                  "tos 0x10", "type unreachable root 20.0.0.0/8", "metric 5",
                  "dev p1 root 20.0.0.0/7", "20.4.0.0/16", "table 10 type prohibit", "table 10",
                  "cache", "table local root 20.0.0.0/8", "table local 10.0.2.1",
                  "via 10.0.3.254 match 20.1.1.1", "match 20.0.0.1 proto boot",
                  "table all proto kernel type broadcast dev p3", "root 10.0.0.0/14"):
        s.run(f"route flush {words}")
        probe()
    s.refused("route flush", "route flush dev none", "route flush proto")


@scenario("gateways behind what refuses packets, by a link that is given", "H1", setup=QUIET + (
    "route add unreachable 10.0.1.128/25", "route add blackhole 10.0.1.64/26",
    "route add throw 10.0.1.32/27", "route add 30.0.0.0/8 via 10.0.2.254",
    "route add 30.0.0.0/8 via 10.0.1.254 metric 7"))
def gateways_refused(s):
    for gateway in ("10.0.1.200", "10.0.1.70", "10.0.1.40", "10.0.1.2", "30.0.0.1"):
        for words in ("", " dev p1", " dev p2"):
            s.attempt(f"route add 20.0.0.0/8 via {gateway}{words}")
            s.send("p0", udp(H0, "20.0.0.1"))
            s.attempt("route del 20.0.0.0/8")


# Rules and filters that change.

@scenario("rules are added and deleted while fragments wait", "H2, E, K", missing=MISSING,
          setup=QUIET + SENTINELS + ON + (
              "route add default via 10.0.3.254 table 10",))
def rules_and_pieces(s):
    for ident, (rule, dst) in enumerate((("to 10.0.1.2 priority 9 table 10", H1),
                                         ("to 10.0.1.2 priority 9 prohibit", H1),
                                        ("from 10.0.0.2 priority 9 blackhole", H1),
                                        ("from 10.0.0.2 to 10.0.0.1 priority 9 table 10", R0))):
        for order in (slice(None), slice(None, None, -1)):
            pieces = cut(echo(H0, dst, data(1000), id=ident), 400, 400)[order]
            s.send("p0", *pieces[:2])
            s.run(f"rule add {rule}")
            s.send("p0", *pieces[2:])
            s.send("p0", *pieces[:2])
            s.run("rule del priority 9")
            s.send("p0", *pieces[2:])


@scenario("filters change while packets are of a mark", "FL, H2", missing=MISSING,
          setup=QUIET + SENTINELS + (
              "route add default via 10.0.3.254 table 10",
              "rule add fwmark 1/3 priority 9 table 10",
              "filter add output ip daddr 198.18.0.0/15 accept"))
def filters_change(s):
    def probe():
        s.send("p0", udp(H0, H1), udp(H0, UNREACHABLE), tcp(H0, H1, dport=22), echo(H0, R0),
               udp(H0, H1, ttl=1))
        s.send("p0", *cut(udp(H0, H1, data(500)), 200, 200), udp(H0, R0),
               udp(H0, H2, bytes(1440), flags=DF))
    for command in ("filter add prerouting udp dport 5000 counter mark set 1",
                    "sysctl net.ipv4.fwmark_reflect=1",
                    "filter insert prerouting fragment counter accept",
                    "filter add forward mark 1 counter reject", "filter add output mark 1 counter",
                    "filter flush prerouting",
                    "filter add prerouting ip ttl < 2 counter mark set 5",
                    "rule add fwmark 5 priority 8 blackhole", "rule del priority 8",
                    "filter policy output drop", "filter flush forward", "rule del priority 9",
                    "filter policy output accept"):
        s.run(command)
        probe()
    s.filter_counters()


# Links.

@scenario("an MTU that changes under what was learned, and under routes", "G2, D, C3",
          setup=QUIET + (
              "route add 20.0.0.0/8 via 10.0.1.254 mtu 1300",
              "route add 21.0.0.0/8 via 10.0.1.254 mtu lock 1200",
              "route add 22.0.0.0/8 via 10.0.1.254"))
def link_mtu(s):
    for n in (20, 21, 22):
        reply_too_big(s, "p1", f"{n}.0.0.1", 1100)
        reply_too_big(s, "p1", f"{n}.0.0.2", 80)
    for mtu in (1500, 1300, 1000, 600, 1500):
        s.run(f"link set p1 mtu {mtu}")
        for n in (20, 21, 22):
            for host in (1, 2, 3):
                dst = f"{n}.0.0.{host}"
                if mtu >= 1300 or n == 22:
                    s.send("p0", udp(H0, dst, bytes(1270)), udp(H0, dst, bytes(1270), flags=DF))
                s.send("p0", udp(dst, R0, bytes(1000)), echo(dst, R0, bytes(500)))


@scenario("a link that goes down and comes back, with all that stood on it", "H1, G2, F redirects",
          sentinel=None,
          setup=ACCEPT + ("route add 20.0.0.0/8 via 10.0.0.254",
                          "route add 20.0.0.0/8 via 10.0.1.254 metric 7",
                          "route add 21.0.0.0/8 nexthop via 10.0.0.254 nexthop via 10.0.1.254",
                          SEED, "rule add to 22.0.0.0/8 priority 9 table 10",
                          "route add 22.0.0.0/8 via 10.0.0.254 table 10",
                          "addr add 10.9.9.9/32 dev p0", "addr add 10.0.0.9/24 dev p0",
                          "route add unreachable 20.0.0.0/7"))
def down_and_up(s):
    def probe():
        for dst in ("20.0.0.1", "21.0.0.1", "22.0.0.1", H0, far("p0", 1)):
            s.start("p3", udp(far("p3", 1), dst, bytes(1000), flags=DF), sized_echo(dst, R3, 1300),
                    udp(dst, H1, ttl=1), udp(far("p3", 2), dst, ttl=1), echo(H3, "10.9.9.9"),
                    echo(H3, "10.0.0.9"))
            s.wait(0.03)
    for dst in ("20.0.0.1", "21.0.0.1", "22.0.0.1"):
        s.start("p3", icmp(H3, R0, 3, 4, b"\0\0\4\0", icmp(R0, dst, 0, data=bytes(8))))
        s.start("p0", icmp(G0, R0, 5, 1, address(NEW), icmp(R0, dst, 0, data=bytes(8))))
    s.wait(0.05)
    probe()
    s.run("link set p0 down")
    s.pause(0.1)
    probe()
    s.run("link set p0 up", *(f"neigh replace {ip} lladdr {host_mac('p0', 99)} dev p0 nud permanent"
                              for ip in (H0, G0, NEW)))
    s.pause(0.2)
    probe()
    s.run("route add 20.0.0.0/8 via 10.0.0.254", f"route add 198.51.0.0/24 via {G0}",
          "route add 22.0.0.0/8 via 10.0.0.254 table 10")
    probe()


# A neighbour that stands for a broadcast address, or one that is none any more.

@scenario("a neighbour that is entered for a broadcast address", "I, A", setup=QUIET + (
    f"neigh add {B1} lladdr 02:00:00:00:01:55 dev p1 nud permanent",))
def broadcast_neighbour(s):
    s.send("p0", echo(B1, R0), udp(B1, H2, ttl=1), udp(B1, UNREACHABLE))
    s.run("sysctl net.ipv4.conf.all.bc_forwarding=1", "sysctl net.ipv4.conf.p0.bc_forwarding=1")
    s.send("p0", udp(H0, B1))
    s.run(f"neigh del {B1} dev p1")
    s.send("p0", udp(H0, B1))
    s.send("p0", echo(B1, R0))
