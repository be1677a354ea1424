"""Rule H1: the routes of a prefix behind the first. A packet that must leave by a certain link may
go by one of these, which counts where a source is asked whether it is a neighbour of the port that
it came in by (rule C9), and where the router's address by a link is entered (rule B)."""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_options import ALLOWED, LSRR, fresh, padded, rr, srr, ts
from scenarios.h_groups import BY_PORT, SEED

QUIET = "sysctl net.ipv4.icmp_ratemask=0"
NETS = ("20.0.0", "20.1.0", "20.1.1", "20.2.0", "20.3.3", "21.0.0")
BEST = "route add 20.0.0.0/8 dev p1"


def known(hosts):
    """So many hosts of each net are neighbours on every port: who is sent a redirect hears it."""
    return tuple(f"neigh add {net}.{host} lladdr 02:00:00:00:{port:02x}:{n:x}{host & 15:x}"
                 f" dev p{port} nud permanent" for n, net in enumerate(NETS)
                 for host in range(1, hosts + 1) for port in range(4))


KNOWN = known(8)


def from_all(s, hosts, ports=("p0", "p2"), tos=(0,)):
    """Back out of the port that they come in by, where a redirect would follow, and by another.
    Nobody does it twice, as redirects become rarer."""
    for port, value in itertools.product(ports, tos):
        host = next(hosts)
        for n, net in enumerate(NETS):
            target = f"10.0.{number(port)}.3" if (host + n) % 2 else far(port, 9)
            s.send(port, udp(f"{net}.{host}", target, tos=value))
            s.send(port, udp(f"{net}.{host}", H3, tos=value))


SECONDS = {
    "on the link": ("route add 20.0.0.0/8 dev p0 metric 5",),
    "behind a gateway": ("route add 20.0.0.0/8 via 10.0.0.254 metric 5",),
    "both, the gateway first": ("route add 20.0.0.0/8 via 10.0.0.254 metric 5",
                                "route add 20.0.0.0/8 dev p0 metric 6"),
    "both, the gateway last": ("route add 20.0.0.0/8 via 10.0.0.254 metric 6",
                               "route add 20.0.0.0/8 dev p0 metric 5"),
    "of the same metric": ("route append 20.0.0.0/8 dev p0", "route append 20.0.0.0/8 dev p2"),
    "many": tuple(f"route add 20.0.0.0/8 dev p{n % 2 * 3} metric {n + 10}" for n in range(9))
            + ("route add 20.0.0.0/8 dev p2 metric 50", "route add 20.0.0.0/8 dev p0 metric 51"),
    "an error between": ("route add unreachable 20.0.0.0/8 metric 4",
                         "route add 20.0.0.0/8 dev p0 metric 5"),
    "an error behind": ("route add 20.0.0.0/8 dev p0 metric 5",
                        "route add prohibit 20.0.0.0/8 metric 6",
                        "route add 20.0.0.0/8 dev p2 metric 7"),
    "throw between, a default table behind": (
        "route add throw 20.0.0.0/8 metric 4", "route add 20.0.0.0/8 dev p0 metric 5",
        "route add 20.0.0.0/8 dev p2 table default"),
    "of shorter prefixes": ("route add 20.0.0.0/7 dev p3", "route add 20.0.0.0/7 dev p0 metric 5",
                            "route add default via 10.0.3.254",
                            "route add default dev p2 metric 9"),
    "of longer prefixes": (
        "route add 20.0.0.0/8 dev p2 metric 9", "route add 20.1.0.0/16 dev p3",
        "route add 20.1.0.0/16 dev p0 metric 5", "route add 20.1.1.0/24 dev p1",
        "route add 20.1.1.0/24 via 10.0.0.254 metric 5", "route add 20.2.0.1/32 dev p1",
        "route add 20.2.0.1/32 dev p0 metric 1"),
    "a local one": ("route add local 20.0.0.0/8 dev lo table main metric 5",
                    "route add 20.0.0.0/8 dev p0 metric 6"),
    "a broadcast": ("route add broadcast 20.0.0.0/8 dev p0 table main metric 5",
                    "route add 20.0.0.0/8 dev p2 metric 6"),
    "by TOS": ("route add 20.0.0.0/8 dev p0 tos 0x10", "route add 20.0.0.0/8 dev p3 tos 0x08",
               "route add 20.0.0.0/8 dev p0 tos 0x08 metric 5",
               "route add 20.0.0.0/8 dev p2 metric 5",
               "route add 20.0.0.0/8 via 10.0.2.254 tos 0x10 metric 9"),
    "an error by TOS": ("route add unreachable 20.0.0.0/8 tos 0x10 metric 9",
                        "route add 20.0.0.0/8 dev p3 tos 0x10",
                        "route add 20.0.0.0/8 dev p0 tos 0x10 metric 10",
                        "route add 20.0.0.0/8 dev p0 metric 5"),
    "groups": ("route add 20.0.0.0/8 metric 5 nexthop via 10.0.0.254 nexthop dev p2",
               "route add 20.0.0.0/8 metric 6 nexthop dev p0 nexthop via 10.0.2.254"),
    "a group with two ways by the port": (
        "route add 20.0.0.0/8 metric 5 nexthop dev p3 nexthop dev p0 nexthop via 10.0.0.254",
        "route add 20.0.0.0/8 dev p2 metric 6"),
}

for name, lines in SECONDS.items():
    for settings in ((), ("sysctl net.ipv4.conf.all.rp_filter=2",)):
        shown = f", {settings[0].split('.')[-1]}" if settings else ""

        @scenario(f"the second way to a source: {name}{shown}", "H1, C9",
                  setup=(QUIET, SEED, BEST, *KNOWN, *settings, *lines))
        def second(s, tos=(0, 0x08, 0x10, 0x15) if "TOS" in name else (0,)):
            from_all(s, itertools.count(1), tos=tos)

for value in (0, 1, 2):
    @scenario(f"the second way to a source, rp_filter {value}", "H1, C9, A rp_filter", setup=(
        QUIET, BEST, *KNOWN, "route add 20.0.0.0/8 dev p0 metric 5",
        "route add 20.0.0.0/8 via 10.0.2.254 metric 6",
        f"sysctl net.ipv4.conf.p0.rp_filter={value}", f"sysctl net.ipv4.conf.p2.rp_filter={value}"))
    def filtered(s):
        from_all(s, itertools.count(1), ("p0", "p1", "p2", "p3"))


@scenario("the second way to a source without shared media", "H1, C9", setup=(
    QUIET, BEST, *KNOWN, "route add 20.0.0.0/8 dev p0 metric 5", "addr add 20.1.0.77/16 dev p0",
    "sysctl net.ipv4.conf.all.shared_media=0", "sysctl net.ipv4.conf.p0.shared_media=0"))
def not_shared(s):
    from_all(s, itertools.count(1))


@scenario("the first way is a group", "H1, H4, C9", setup=(
    QUIET, SEED, BY_PORT, *KNOWN,
    "route add 20.0.0.0/8 nexthop dev p1 nexthop via 10.0.3.254 weight 3",
    "route add 20.0.0.0/8 dev p0 metric 5", "route append 20.0.0.0/8 via 10.0.2.254 metric 5",
    "route add 20.1.0.0/16 nexthop via 10.0.1.254 nexthop via 10.0.0.254",
    "route add 20.1.0.0/16 dev p0 metric 8", "route append 20.1.0.0/16 dev p2 metric 8"))
def first_is_group(s):
    from_all(s, itertools.count(1))


TABLES = (
    "route add 20.0.0.0/8 dev p1 table 10", "route add 20.0.0.0/8 dev p0 metric 5 table 10",
    "route add throw 20.1.0.0/16 table 10", "route add 20.1.0.0/16 dev p0 metric 5 table 10",
    "route add 20.0.0.0/8 dev p3 table 20", "route add 20.0.0.0/8 dev p0 metric 5 table 20",
    "route add 20.0.0.0/8 dev p2 tos 0x10 metric 5 table 20",
    "route add 20.0.0.0/7 dev p1", "route add 20.0.0.0/7 dev p2 metric 7",
    "route add local 20.2.0.0/16 dev lo", "route append local 20.2.0.0/16 dev p0",
    "rule add to 20.1.0.0/16 priority 9 table 20", "rule add to 20.0.0.0/8 priority 10 table 10",
    "rule add iif p2 priority 11 table 20")


@scenario("the second way to a source in tables that rules choose", "H1, H2, C9",
          setup=(QUIET, *known(12), *TABLES))
def tables(s):
    hosts = itertools.count(1)
    from_all(s, hosts, tos=(0, 0x10))
    s.run("rule del priority 9")
    from_all(s, hosts, tos=(0, 0x10))
    s.run("rule del priority 10", "rule del priority 11")
    from_all(s, hosts)


@scenario("the second way to a source in table local, as one with main and apart", "H1, H2, C9",
          setup=(QUIET, *KNOWN, "route add unicast 20.0.0.0/8 dev p0 metric 5 table local",
                 "route add 20.0.0.0/8 dev p1", "route add 20.0.0.0/8 dev p2 metric 5",
                 "route add 20.1.0.0/16 dev p1", "route add 20.1.0.0/16 dev p2 metric 5",
                 "route add 20.1.1.0/24 dev p1 table local", "route add 20.1.1.0/24 dev p0"))
def in_local(s):
    hosts = itertools.count(1)
    from_all(s, hosts)
    s.run("rule add to 99.0.0.0/8 priority 9 table 10")
    from_all(s, hosts)
    s.run("rule del priority 9")
    from_all(s, hosts)
    s.run("route del 20.0.0.0/8 table local", "route del 20.1.1.0/24 table local")
    from_all(s, hosts)


@scenario("the second way to a source comes and goes", "H1, C9",
          setup=(QUIET, SEED, BEST, *known(40)))
def changes(s):
    hosts = itertools.count(1)
    for command in ("route add 20.0.0.0/8 dev p0 metric 5", "route add 20.0.0.0/8 dev p2 metric 5",
                    "route append 20.0.0.0/8 dev p2 metric 5",
                    "route add 20.0.0.0/8 via 10.0.0.254 metric 4",
                    "route del 20.0.0.0/8 metric 4",
                    "route change 20.0.0.0/8 via 10.0.0.254 metric 5",
                    "route replace 20.0.0.0/8 dev p0 metric 5",
                    "route add 20.1.0.0/16 dev p1", "route add 20.1.0.0/16 dev p0 metric 1",
                    "route del 20.0.0.0/8 dev p1", "route del 20.1.0.0/16 dev p1",
                    "route add unreachable 20.0.0.0/8 metric 3",
                    "route add 20.0.0.0/8 dev p1 metric 1", "route add 20.1.0.0/16 dev p1 tos 0x10",
                    "route del unreachable 20.0.0.0/8", "route del 20.0.0.0/8 dev p0",
                    "route del 20.0.0.0/8 metric 5", "route del 20.0.0.0/8 metric 1"):
        s.attempt(command)
        from_all(s, hosts)


# Neighbours are asked for once: when it is done again is for the letter I, and hangs on slots.
@scenario("the second way to a source, and links that go down", "H1, C9", sentinel=None, setup=(
    *(f"sysctl net.ipv4.neigh.{port}.retrans_time_ms=60000" for port in PORTS),
    QUIET, SEED, BEST, *known(16), "route add 20.0.0.0/8 dev p0 metric 5",
    "route add 20.0.0.0/8 metric 6 nexthop dev p2 nexthop via 10.0.3.254",
    "route add 20.1.0.0/16 metric 2 nexthop via 10.0.1.254 nexthop dev p0",
    "route add 20.1.0.0/16 dev p2 metric 4", "route add 20.0.0.0/7 dev p2 metric 9"))
def links(s):
    hosts = itertools.count(1)
    for command in ("link set p1 down", "link set p1 up", "route add 20.0.0.0/8 dev p1",
                    "link set p3 down", "link set p0 down", "link set p0 up", "link set p3 up"):
        s.run(command)
        s.pause(0.1)
        for port in ("p2",) if command == "link set p0 down" else ("p0", "p2"):
            host = next(hosts)
            for net in NETS[:3]:
                s.start(port, udp(f"{net}.{host}", f"10.0.{number(port)}.3"))
                s.wait(0.05)


@scenario("which of the router's addresses is entered by the second way", "H1, B", setup=ALLOWED + (
    "addr add 20.0.0.77/32 dev p3", "addr add 10.0.2.9/24 dev p2", "addr add 10.0.1.9/24 dev p1",
    "route add 20.0.0.0/8 via 10.0.1.254",
    "route add 20.0.0.0/8 via 10.0.2.254 metric 5 src 10.0.2.9",
    "route add 20.0.0.0/24 dev p0", "route add 20.0.0.0/24 dev p1 metric 5 src 10.0.1.9",
    "route add 20.0.0.0/24 dev p1 tos 0x10 src 10.0.3.1 metric 7",
    "route add unreachable 20.0.0.0/24 metric 9"))
def entered(s):
    for hop in (H1, H2, J2, H3, far("p1", 1), far("p2", 1), H0):
        for tos in (0, 0x10):
            for options in (padded(srr(LSRR, hop), rr(3)), padded(srr(LSRR, hop), ts(1, 4))):
                for target in ("20.0.0.77", R1):
                    s.send("p0", udp(fresh(), target, options=options, tos=tos))


@scenario("which of the router's addresses is entered, with rules", "H1, H2, B", setup=ALLOWED + (
    "addr add 10.0.2.9/24 dev p2", "addr add 10.0.1.9/24 dev p1",
    "route add 20.0.0.0/8 via 10.0.1.254 table 10",
    "route add 20.0.0.0/8 via 10.0.2.254 metric 5 src 10.0.2.9 table 10",
    "route add 20.0.0.0/8 via 10.0.2.254 metric 7 src 10.0.1.1 table 20",
    "route add 20.0.0.0/8 via 10.0.1.254 src 10.0.1.9", "rule add tos 0x10 priority 10 table 10",
    "rule add tos 0x08 priority 11 table 20"))
def entered_with_rules(s):
    for tos in (0, 0x08, 0x10):
        for options in (padded(rr(3)), padded(ts(1, 4)), padded(srr(LSRR, "20.0.0.1"), rr(3))):
            for target in ("20.0.0.1", R1):
                s.send("p0", udp(fresh(), target, options=options, tos=tos))
