"""Rule H1: routes for some TOS only, several routes to one prefix, and what routes say besides."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

SOME_TOS = (0, 1, 2, 3, 0x04, 0x08, 0x0c, 0x10, 0x12, 0x14, 0x18, 0x1c, 0x20, 0x30, 0x50, 0x90,
            0xe0, 0xf0, 0xff)


def probe(s, *destinations, port="p0", src=far("p2", 1)):
    for dst in destinations:
        s.send(port, *[udp(src, dst, tos=tos) for tos in SOME_TOS])


@scenario("a route for its TOS, else the one for any", "H1",
          setup=("route add 20.0.0.0/8 via 10.0.1.254",
                 "route add 20.0.0.0/8 via 10.0.2.254 tos 0x10",
                 "route add 20.0.0.0/8 via 10.0.3.254 tos 0x08 metric 50",
                 "route add 20.0.0.0/8 via 10.0.1.3 tos 0x20",
                 "route add unreachable 20.0.0.0/8 tos 0x04",
                 "route add 20.0.0.0/8 via 10.0.3.3 metric 7"))
def by_tos(s):
    probe(s, "20.1.1.1")
    for command in ("route del 20.0.0.0/8 tos 0x10", "route del 20.0.0.0/8",
                    "route del 20.0.0.0/8 tos 0x08", "route del 20.0.0.0/8 tos 0x04",
                    "route del 20.0.0.0/8", "route del 20.0.0.0/8 tos 0x20"):
        s.run(command)
        probe(s, "20.1.1.1")


@scenario("a TOS that the longest prefix has nothing for", "H1",
          setup=("route add default via 10.0.1.254",
                 "route add 20.0.0.0/8 via 10.0.1.3 tos 0x08",
                 "route add 20.1.0.0/16 via 10.0.2.254 tos 0x10",
                 "route add 20.1.1.0/24 via 10.0.3.254 tos 0x04",
                 "route add 20.1.1.128/25 via 10.0.3.3 tos 0x10",
                 "route add 20.1.1.128/26 via 10.0.2.3 tos 0x18",
                 "route add 20.1.1.129/32 via 10.0.1.2 tos 0x0c",
                 "route add default via 10.0.2.2 tos 0x0c"))
def falls_back(s):
    destinations = ("20.1.1.129", "20.1.1.130", "20.1.1.200", "20.1.1.1", "20.1.2.1", "20.2.0.1",
                    "21.0.0.1")
    probe(s, *destinations)
    s.run("route add 20.0.0.0/8 via 10.0.3.2", "route del default")
    probe(s, *destinations)
    s.run("route add throw 20.1.0.0/16 tos 0x18", "route del 20.1.1.128/25 tos 0x10",
          "route add 20.1.1.128/25 via 10.0.3.3", "route del 20.0.0.0/8")
    probe(s, *destinations)


@scenario("TOS in a table of its own", "H1, H2",
          setup=("route add 20.0.0.0/8 via 10.0.1.254 table 10",
                 "route add 20.1.0.0/16 via 10.0.2.254 tos 0x10 table 10",
                 "route add 20.1.1.0/24 via 10.0.3.254 tos 0x04 table 10",
                 "route add throw 20.1.2.0/24 tos 0x08 table 10",
                 "route add 20.0.0.0/8 via 10.0.3.3 tos 0x10",
                 "rule add iif p0 priority 9 table 10"))
def by_tos_in_table(s):
    probe(s, "20.1.1.1", "20.1.2.1", "20.1.3.1", "20.2.0.1")
    probe(s, "20.1.1.1", "20.2.0.1", port="p1", src=far("p1", 1))


@scenario("TOS around own addresses and subnets", "H1",
          setup=("route add local 20.0.0.1/32 dev lo tos 0x10",
                 "route add 20.0.0.1/32 via 10.0.1.254",
                 "route add 10.0.1.0/24 via 10.0.3.254 tos 0x08",
                 "route add 10.0.1.1/32 via 10.0.3.254 tos 0x04",
                 "sysctl net.ipv4.icmp_ratemask=0"))
def by_tos_local(s):
    for dst in ("20.0.0.1", H1, R1):
        for tos in SOME_TOS:
            s.send("p0", echo(H0, dst, tos=tos))


@scenario("answers take the way of their TOS", "H1, C6",
          setup=("sysctl net.ipv4.icmp_ratemask=0", "route add 20.0.0.0/8 via 10.0.1.254",
                 "route add 20.0.0.0/8 via 10.0.2.254 tos 0x10",
                 "route add 20.0.0.0/8 via 10.0.3.254 tos 0x08 src 10.0.3.1"))
def answers(s):
    for tos in SOME_TOS:
        s.send("p0", echo("20.1.1.1", R0, tos=tos), udp("20.1.1.1", R0, tos=tos))
        s.send("p0", tcp("20.1.1.1", R0, tos=tos), udp("20.1.1.1", H1, tos=tos, ttl=1))
        s.send("p0", echo("20.1.1.1", B0, tos=tos))


@scenario("source validation for each TOS", "H1, A",
          setup=("sysctl net.ipv4.conf.p0.rp_filter=1", "route add 20.0.0.0/8 via 10.0.0.254",
                 "route add 20.0.0.0/8 via 10.0.2.254 tos 0x10",
                 "route add blackhole 20.0.0.0/8 tos 0x08"))
def validation(s):
    for tos in SOME_TOS:
        s.send("p0", udp("20.1.1.1", H1, tos=tos))


@scenario("append, prepend, change and replace", "H1")
def several(s):
    for command in ("route append 20.0.0.0/8 via 10.0.1.254",
                    "route append 20.0.0.0/8 via 10.0.2.254",
                    "route prepend 20.0.0.0/8 via 10.0.3.254",
                    "route prepend 20.0.0.0/8 via 10.0.3.3 metric 5",
                    "route append unreachable 20.0.0.0/8",
                    "route change 20.0.0.0/8 via 10.0.1.3",
                    "route replace 20.0.0.0/8 via 10.0.2.3 metric 5",
                    "route del 20.0.0.0/8", "route del 20.0.0.0/8 via 10.0.2.254",
                    "route change 20.0.0.0/8 via 10.0.1.254 mtu 600",
                    "route del unreachable 20.0.0.0/8",
                    "route del 20.0.0.0/8 via 10.0.2.3", "route del 20.0.0.0/8"):
        s.run(command)
        s.send("p0", udp(far("p2", 1), "20.1.1.1"), udp(far("p2", 1), "20.1.1.1", bytes(700)))


@scenario("hoplimit is the TTL of what the router sends", "C6, G4",
          setup=("sysctl net.ipv4.icmp_ratemask=0",
                 "route add 20.0.0.0/8 via 10.0.1.254 hoplimit 7",
                 "route add 21.0.0.0/8 hoplimit 33 nexthop via 10.0.1.254 nexthop via 10.0.2.254",
                 "route add 22.0.0.0/8 via 10.0.3.254 hoplimit 255 mtu 700",
                 "sysctl net.ipv4.fib_multipath_hash_seed=77"))
def hoplimit(s):
    for src in ("20.1.1.1", "21.1.1.1", "21.1.1.2", "21.1.1.3", "22.1.1.1", H1):
        s.send("p0", echo(src, R0), udp(src, R0), tcp(src, R0), udp(src, H1, ttl=1),
               udp(src, H1, bytes(900)), echo(src, R0, bytes(1000)))
        s.send("p0", udp(H0, src, ttl=64), udp(H0, src, ttl=1))


@scenario("scopes given by hand", "H1",
          setup=("route add 20.0.0.0/8 dev p1 scope global",
                 "route add 21.0.0.0/8 via 10.0.1.254 scope global",
                 "neigh add 20.1.1.1 lladdr 02:00:00:00:01:77 dev p1 nud permanent",
                 "route add 22.0.0.0/8 via 10.0.1.254 proto 99 metric 8 src 10.0.2.1"))
def scopes(s):
    for dst in ("20.1.1.1", "21.1.1.1", "22.1.1.1"):
        s.send("p0", udp(H0, dst), udp(H0, dst, ttl=1))
        s.send("p0", echo(dst, R0))
