"""Own addresses that are broadcast addresses of another subnet as well, gateways that are none, and
what the router sends to itself."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.i_neighbours import reply
from scenarios.m_changes import QUIET, STILL

BOTH = ("addr add 10.5.0.1/25 dev p1", "addr add 10.5.0.127/24 dev p3")
OWN = ("addr add 10.5.0.1/25 dev p1", "addr add 10.5.0.127/32 dev p3")
ROUTE = ("route add broadcast 10.5.0.9/32 dev p1", "addr add 10.5.0.9/32 dev p3")
FORWARDED = ("addr add 10.77.1.1/24 dev p1",
             *(f"sysctl net.ipv4.conf.{name}.bc_forwarding=1" for name in ("all", *PORTS)))
HOST, HOST_MAC = "10.5.0.255", "02:00:00:00:01:55"


def to_and_from(s, address):
    s.send("p0", echo(H0, address), udp(H0, address), tcp(H0, address))
    s.send("p0", udp(address, H3))
    s.send("p2", udp(address, H3, ttl=1), echo(address, R2))


@scenario("own addresses that were a subnet's broadcast address before", "A source checks, H1",
          setup=QUIET + STILL + OWN)
def broadcast_before(s):
    to_and_from(s, "10.5.0.127")
    s.run("addr del 10.5.0.1/25 dev p1")
    to_and_from(s, "10.5.0.127")
    s.run("addr add 10.5.0.1/25 dev p1")
    to_and_from(s, "10.5.0.127")


@scenario("the same with rp_filter, and after a rule", "A source checks, H1, H2",
          setup=QUIET + STILL + OWN + ROUTE)
def broadcast_before_elsewhere(s):
    for commands in ((), ("sysctl net.ipv4.conf.all.rp_filter=2",),
                     ("sysctl net.ipv4.conf.all.rp_filter=0",
                      "rule add from 203.0.113.77 table main")):
        s.run(*commands)
        for address in ("10.5.0.127", "10.5.0.9"):
            to_and_from(s, address)


@scenario("the subnet of an own address that is a broadcast address", "H1", setup=QUIET + STILL)
def no_subnet(s):
    for commands in (BOTH, BOTH[::-1],
                     tuple(command.replace("p3", "p1") for command in BOTH)):
        s.run(*commands)
        for address in ("10.5.0.200", "10.5.0.255", "10.5.0.127", "10.5.0.3"):
            s.ways(address)
        s.send("p0", udp(H0, "10.5.0.200"))
        to_and_from(s, "10.5.0.127")
        s.run(*(command.replace("addr add", "addr del") for command in commands))


@scenario("gateways by routes of host scope, on lo, and own ones", "H1", setup=QUIET + STILL + (
    "route add 10.5.0.0/24 dev p1 scope host", "route add 20.0.0.0/8 via 10.5.0.2",
    "addr add 10.6.0.1/24 dev lo", "route add 21.0.0.0/8 via 10.6.0.2"))
def no_gateways(s):
    for net in (20, 21):
        s.send("p0", udp(H0, f"{net}.0.0.1"))
        s.send("p0", udp(f"{net}.0.0.1", R0), echo(f"{net}.0.0.1", R0))
    for words in ("22.0.0.0/8 via 10.0.1.1", "23.0.0.0/8 via 10.0.1.1 dev p1",
                  "24.0.0.0/8 via 127.0.0.1", "25.0.0.0/8 via 10.0.1.1 dev lo",
                  "26.0.0.0/8 via 10.0.1.255", "27.0.0.0/8 via 10.0.1.1 onlink dev p1"):
        s.attempt(f"route add {words}")
        s.send("p0", udp(H0, f"{words[:2]}.0.0.1"), udp(f"{words[:2]}.0.0.1", R0))


@scenario("the router's own packets over a route on lo", "H1, F", setup=QUIET + (
    "route add 20.0.0.0/8 dev lo", "addr add 10.9.9.9/32 dev lo"))
def over_lo(s):
    s.ping("20.0.0.1")
    s.ping("20.0.0.1 -I 10.9.9.9", "20.0.0.2 -I 10.0.0.1")
    s.send("p0", echo("20.0.0.1", R0), udp("20.0.0.1", R0), tcp("20.0.0.1", R0),
           udp("20.0.0.1", H1, ttl=1))
    s.send("p0", udp(H0, "20.0.0.1", ttl=5))


@scenario("scopes that a route's type can have", "H1")
def scopes(s):
    for kind in ("local", "broadcast", "unicast", "blackhole", "unreachable", "prohibit", "throw"):
        for scope in ("global", "site", "link", "nowhere", 100, 252) + (
                () if kind == "broadcast" else ("host",)):
            link = " dev p1" if kind in ("local", "broadcast", "unicast") else ""
            s.attempt(f"route add {kind} 30.0.0.0/8{link} scope {scope}")
            s.attempt(f"route del {kind} 30.0.0.0/8")


@scenario("an address that is asked for becomes a broadcast address", "I, A",
          setup=QUIET + STILL + FORWARDED)
def becomes_broadcast(s):
    s.run("addr add 10.5.0.1/23 dev p1")
    s.send("p0", udp(H0, HOST))
    s.run("addr add 10.5.0.2/24 dev p1")
    s.send("p0", udp(H0, HOST, id=7))
    s.neighbours("p1")
    s.send("p1", reply("p1", HOST, HOST_MAC))
    s.send("p0", udp(H0, HOST, id=9))


@scenario("neighbours that are entered for broadcast addresses, and stale", "I, A",
          setup=QUIET + STILL + FORWARDED)
def entered(s):
    for address, port in ((B1, "p1"), (B0, "p0")):
        for words in (f"lladdr {HOST_MAC} dev {port} nud permanent",
                      "lladdr 02:00:00:00:01:56 dev %s nud stale" % port):
            s.run(f"neigh replace {address} {words}")
            s.send("p0", echo(address, R0), udp(H0, address))
            s.neighbours(port)


@scenario("addresses and neighbours that are replaced and changed", "H1, I",
          setup=QUIET + STILL + ("addr add 10.77.1.1/24 dev p1",))
def replaced(s):
    for command in ("addr change 10.5.0.1/24 dev p1", "addr replace 10.5.0.1/24 dev p1",
                    "addr replace 10.5.0.2/24 dev p1", "addr change 10.5.0.1/25 dev p1",
                    "addr add 10.5.0.1/24 dev p1", "neigh change 10.5.0.9 lladdr %s dev p1",
                    "neigh replace 10.5.0.9 lladdr %s dev p1",
                    "neigh add 10.5.0.9 lladdr %s dev p1",
                    "neigh change 10.5.0.9 lladdr 02:00:00:00:01:56 dev p1 nud stale"):
        s.attempt(command % HOST_MAC if "%" in command else command)
        s.ways("10.5.0.1", "10.5.0.9", "10.5.0.200")
        s.neighbours("p1")
    s.send("p0", udp(H0, "10.5.0.9"), echo(H0, "10.5.0.2"))
    s.neighbours("p1")
