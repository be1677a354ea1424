"""Rule H2: tables, and the rules that choose among them."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

TABLES = ("route add default via 10.0.1.254 table 10",
          "route add default via 10.0.2.254 table 20",
          "route add default via 10.0.3.254 table 4294967294",
          "route add throw 20.2.0.0/16 table 10",
          "route add unreachable 20.7.0.0/16 table 10",
          "route add prohibit 20.8.0.0/16 table 10",
          "route add blackhole 20.9.0.0/16 table 10",
          "route add 20.0.0.0/8 via 10.0.3.254")
NETS = tuple(f"20.{net}.0.1" for net in range(1, 11))


def everywhere(s, destinations=NETS):
    for port, src in (("p0", H0), ("p0", J0), ("p1", far("p1", 1)), ("p2", H2),
                      ("p3", far("p3", 2))):
        for dst in destinations:
            s.send(port, udp(src, dst))


@scenario("each selector", "H2", setup=TABLES + (
    "rule add to 198.18.0.0/15 priority 50 table main",     # sentinels
    "rule add from 10.0.0.2 to 20.1.0.0/16 priority 100 table 10",
    "rule add from 10.0.0.0/24 to 20.2.0.0/15 priority 101 table 20",
    "rule add iif p2 to 20.4.0.0/14 priority 102 table 4294967294",
    "rule add not from 10.0.0.0/8 priority 103 table 10",
    "rule add not iif p3 to 20.5.0.0/16 priority 104 table 20",
    "rule add tos 0x10 priority 105 table 20"))
def selectors(s):
    everywhere(s)
    for tos in (0, 0x04, 0x10, 0x11, 0x13, 0x14, 0x30, 0x50, 0xf0, 0xff):
        s.send("p0", udp(H0, "20.9.0.1", tos=tos))
        s.send("p1", udp(far("p1", 3), "20.9.0.1", tos=tos))


@scenario("each action, and every kind of route behind a rule", "H2", setup=TABLES + (
    "rule add from 198.51.1.0/24 priority 10 table 10",
    "rule add to 20.4.0.0/16 priority 20 unreachable",
    "rule add to 20.5.0.0/16 priority 21 prohibit",
    "rule add to 20.6.0.0/16 priority 22 blackhole",
    "rule add to 20.3.0.0/16 priority 23 table 99"))
def actions(s):
    for index, dst in enumerate(NETS):
        s.send("p0", udp(far("p0", 10 + index), dst))
        s.send("p1", udp(far("p1", 10 + index), dst))
        s.send("p0", echo(far("p0", 30 + index), dst, ttl=1))
    s.sentinel = "echo"
    s.run("sysctl net.ipv4.ip_forward=0")
    for dst in NETS:
        s.send("p0", udp(H0, dst))


@scenario("equal priorities, and priorities left out", "H2", setup=TABLES)
def priorities(s):
    for command in ("rule add to 20.0.0.0/8 table 10", "rule add to 20.0.0.0/8 table 20",
                    "rule add to 20.0.0.0/8 priority 32764 table 4294967294",
                    "rule add to 20.0.0.0/8 priority 32764 table 10",
                    "rule add to 20.1.0.0/16 priority 32764 blackhole",
                    "rule del to 20.0.0.0/8 priority 32764", "rule del table 10",
                    "rule del priority 32764", "rule del to 20.0.0.0/8",
                    "rule add prohibit to 20.1.0.0/16", "rule del prohibit"):
        s.run(command)
        s.send("p0", udp(H0, "20.1.0.1"))
        s.send("p1", udp(far("p1", 2), "20.2.0.1"))


# Own addresses are asked for by ARP while local is not looked up; once, whatever the time it takes.
@scenario("the rules of the start can go and come back", "H2", sentinel=None,
          setup=(*TABLES, *(f"sysctl net.ipv4.neigh.{port}.retrans_time_ms=60000"
                            for port in PORTS)))
def presets(s):
    def probe():
        for dst in (R0, R1, H1, "20.1.0.1", B1, UNROUTED):
            s.start("p0", echo(H0, dst))
            s.wait(0.05)
    for command in ("rule add table local priority 40", "rule del priority 0",
                    "rule add from 10.0.0.2 to 10.0.1.0/24 priority 30 table main",
                    "rule add from 10.0.0.2 to 10.0.0.1 priority 35 blackhole",
                    "rule del priority 35", "rule del priority 32766",
                    "rule add table main priority 32766", "rule del priority 40",
                    "rule add table local priority 0"):
        s.run(command)
        probe()


@scenario("table default where main has nothing", "H2")
def default_table(s):
    for command in ("route add default via 10.0.3.254 table default",
                    "route add throw 20.1.0.0/16", "route add unreachable 20.2.0.0/16",
                    "route add 20.3.0.0/16 via 10.0.1.254 table default",
                    "rule add from 10.0.0.3 priority 5 table 77",
                    "route del default table default"):
        s.run(command)
        for index, dst in enumerate(("20.1.0.1", "20.2.0.1", "20.3.0.1", UNROUTED, UNREACHABLE,
                                     H1, R1)):
            s.send("p0", udp(H0, dst) if dst not in (UNROUTED, UNREACHABLE)
                   else udp(far("p0", 1 + index), dst))


@scenario("local and main are one table until there is a rule", "H2",
          setup=("route add local 20.2.0.0/16 dev lo", "route add 20.2.1.0/24 via 10.0.1.254",
                 "route add broadcast 20.3.0.0/16 dev p1 table local",
                 "route add 20.3.1.1/32 via 10.0.2.254",
                 "route add throw 20.4.0.0/16 table local",
                 "route add 20.4.0.0/16 via 10.0.3.254"))
def merged(s):
    def probe(host):
        for dst in ("20.2.0.1", "20.2.1.1", "20.3.0.1", "20.3.1.1", "20.4.1.1"):
            s.send("p0", echo(far("p0", host), dst))
    probe(1)
    s.run("rule add from 1.2.3.4 priority 9 table 10")
    probe(2)
    s.run("rule del priority 9")
    probe(3)
    s.run("route add local 20.4.1.0/24 dev lo")
    probe(4)


@scenario("the router's own packets follow rules too", "H2", setup=TABLES + (
    "sysctl net.ipv4.icmp_ratemask=0",
    "rule add iif lo to 20.1.0.0/16 priority 10 table 10",
    "rule add from 10.0.0.1 to 20.3.0.0/16 priority 11 table 20",
    "rule add iif lo tos 0x10 priority 12 table 20",
    "rule add iif p0 to 198.51.3.0/24 priority 13 table 10",
    "rule add iif lo to 20.4.0.0/16 priority 14 prohibit",
    "rule add iif lo to 20.5.0.0/16 priority 15 unreachable"))
def own_packets(s):
    for src in ("20.1.0.9", "20.3.0.9", "20.4.0.9", "20.5.0.9", "20.10.0.9"):
        for tos in (0, 0x10, 0x12):
            s.send("p0", echo(src, R0, tos=tos), udp(src, R0, tos=tos), tcp(src, R0, tos=tos))
            s.send("p0", udp(src, H1, ttl=1, tos=tos))
            s.send("p0", udp(src, B0, tos=tos))
    s.send("p0", udp(H0, far("p3", 1)))
    s.send("p1", udp(H1, far("p3", 1)))


@scenario("source validation goes by the rules", "H2", setup=TABLES + (
    "sysctl net.ipv4.conf.p0.rp_filter=1", "sysctl net.ipv4.conf.p1.rp_filter=2",
    "route add 20.6.0.0/16 via 10.0.0.254 table 30",
    "rule add to 20.6.0.0/16 priority 10 table 30",
    "rule add from 10.0.1.0/24 to 20.1.0.0/16 priority 11 table 10",
    "rule add iif p1 to 20.2.0.0/16 priority 12 table 20",
    "rule add to 20.3.0.0/16 priority 13 blackhole",
    "rule add iif p2 to 20.5.0.0/16 priority 14 prohibit"))
def source_validation(s):
    for src in ("20.6.0.9", "20.1.0.9", "20.2.0.9", "20.3.0.9", "20.5.0.9", "20.10.0.9", H1, R1,
                B1, UNROUTED):
        for port in ("p0", "p1", "p2"):
            for dst in (H1, H2, R3, B3, EVERYONE, ALL_HOSTS):
                s.send(port, udp(src, dst))


@scenario("own addresses as sources, without rp_filter", "H2", setup=(
    "rule add to 1.2.3.4 priority 10 table 10",))
def own_sources(s):
    for src in (R0, R1, B1, "127.0.0.1", "10.0.1.9", UNROUTED):
        for dst in (H2, R0, B0):
            s.send("p0", udp(src, dst))
    s.run("rule del priority 0", "rule add table local priority 100")
    s.sentinel = None
    for src in (R0, R1, H1):
        s.start("p0", udp(src, H2))
        s.wait(0.05)


def told_by_source(s):
    """Sources that the tables may refuse, and destinations that local and main may both have."""
    for src in (R0, R1, "10.0.1.77", "10.0.1.127", B0, N0, B1, "20.2.0.1", "20.2.1.1", "20.3.0.255",
                "20.5.0.9", "127.0.0.1", H0):
        for dst in (H1, R2):
            s.send("p0", udp(src, dst, ttl=9))
    for dst in (R1, B1, N1, "10.0.1.77", "10.0.1.127", "20.2.1.1", "20.3.0.255", "20.5.0.9"):
        s.send("p0", *((tcp(H0, dst),) * 2 if dst == "20.5.0.9" else (udp(H0, dst),) * 2))


# Answers of hosts that are not there are of no interest, but who is asked for is.
_AFTER_RULES = ("route add 10.0.1.1/32 via 10.0.2.254", "route add 20.2.0.0/16 via 10.0.3.254",
                "route add 10.0.1.127/32 via 10.0.3.254", "route add 20.5.0.0/24 via 10.0.3.254",
                "sysctl net.ipv4.icmp_ratemask=0",
                *(f"sysctl net.ipv4.neigh.{port}.retrans_time_ms=60000" for port in PORTS))


@scenario("when the rules have gone again", "H2, A", setup=_AFTER_RULES)
def rules_gone(s):
    told_by_source(s)
    s.run("rule add from 1.2.3.4 priority 9 table 10", "rule del priority 9")
    told_by_source(s)
    s.run("addr add 10.0.1.77/25 dev p1", "route add broadcast 20.3.0.255 dev p1")
    told_by_source(s)
    s.run("addr del 10.0.1.77/25 dev p1", "route del broadcast 20.3.0.255 dev p1")
    told_by_source(s)


@scenario("when the rules have gone again, and local routes come and go", "H2, A",
          setup=_AFTER_RULES)
def rules_gone_local(s):
    s.run("rule add from 1.2.3.4 priority 9 table 10", "rule del priority 9",
          "route add local 20.2.0.0/16 dev lo", "route add 20.2.1.0/24 via 10.0.1.254")
    told_by_source(s)
    s.run("route del local 20.2.0.0/16 dev lo")
    told_by_source(s)
    s.run("addr add 20.5.0.1/24 dev lo", "route add 20.5.0.8/30 via 10.0.1.254")
    told_by_source(s)
    s.run("rule add from 1.2.3.4 priority 9 table 10", "addr del 20.5.0.1/24 dev lo",
          "rule del priority 9")
    told_by_source(s)


@scenario("when a local route has gone again", "H1, A", setup=_AFTER_RULES)
def local_gone(s):
    s.run("route add local 20.2.1.0/24 dev lo")
    told_by_source(s)
    s.run("route del local 20.2.1.0/24 dev lo")
    told_by_source(s)
    s.run("route add broadcast 20.2.0.0/24 dev p1", "addr add 10.0.1.77/25 dev p1")
    told_by_source(s)
    s.run("route del broadcast 20.2.0.0/24 dev p1")
    told_by_source(s)


@scenario("ways that are asked for after the rules have gone", "H2, H5", setup=_AFTER_RULES)
def ways_after_rules(s):
    questions = tuple(f"{dst} from {src} iif p0" for dst in (H1, R1, B1, "20.2.0.1", "20.5.0.9")
                      for src in (H0, B1)) + (H1, R1, "20.2.0.1", "20.5.0.9")
    s.ways(*questions)
    s.run("rule add from 1.2.3.4 priority 9 table 10", "rule del priority 9")
    s.ways(*questions)
    s.run("route add local 20.2.0.0/24 dev lo", "route add unreachable 10.0.1.2/32 table local")
    s.ways(*questions)
    s.run("route del local 20.2.0.0/24 dev lo", "route del unreachable 10.0.1.2/32 table local")
    s.ways(*questions)


@scenario("ARP asks for the way too", "H2, I", setup=(
    "sysctl net.ipv4.conf.p0.proxy_arp=1", "sysctl net.ipv4.neigh.p0.proxy_delay=0",
    "route add default via 10.0.3.254 table 10", "rule add from 10.0.0.2 priority 10 table 10",
    "rule add from 10.0.0.3 to 20.1.0.0/16 priority 11 blackhole"), sentinel=None)
def arp_and_rules(s):
    for host in (2, 3):
        for target in ("20.1.0.1", "20.2.0.1", H1, R0, R1, f"10.0.0.{host}"):
            s.start("p0", arp(1, host_mac("p0", host), f"10.0.0.{host}", "00:00:00:00:00:00",
                              target, dst=BROADCAST_MAC))
            s.wait(0.1)


@scenario("a hundred tables", "H2", setup=tuple(
    line for n in range(1, 101) for line in (
        f"route add 20.0.0.0/8 via 10.0.{1 + n % 3}.254 table {1000 + n}",
        f"route add 20.{n}.0.0/16 via 10.0.{(n // 3) % 3 + 1}.3 table {1000 + n}",
        f"rule add from 198.51.0.{n} priority {n} table {1000 + n}")))
def many_tables(s):
    for n in range(1, 101, 3):
        s.send("p0", udp(far("p0", n), "20.200.0.1"), udp(far("p0", n), f"20.{n}.0.1"),
               udp(far("p0", n), f"20.{n + 1}.0.1"))
    s.run(*(f"rule del priority {n}" for n in range(1, 101, 2)))
    for n in range(1, 101, 3):
        s.send("p0", udp(far("p0", n), "20.200.0.1"), udp(far("p0", n), f"20.{n}.0.1"))


@scenario("every prefix length in a table of its own", "H2", setup=tuple(
    f"route add {'20.170.170.170' if length == 32 else prefix}/{length} table 10 via 10.0."
    f"{length % 4}.{(2, 3, 254)[length % 3]}"
    for length, prefix in ((n, ".".join(str(0x14aaaaaa >> (32 - n) << (32 - n) >> shift & 255)
                                        for shift in (24, 16, 8, 0))) for n in range(1, 33)))
    + ("rule add priority 1 iif p0 table 10",))
def prefix_lengths(s):
    def probe():
        for length in range(33):
            flipped = 0x14aaaaaa ^ (1 << (31 - length) if length < 32 else 0)
            dst = ".".join(str(flipped >> shift & 255) for shift in (24, 16, 8, 0))
            s.send("p0", udp(far("p3", 1), dst))
    probe()
    s.run(*(f"route del {'20.170.170.170' if n == 32 else prefix}/{n} table 10" for n, prefix in (
        (n, ".".join(str(0x14aaaaaa >> (32 - n) << (32 - n) >> shift & 255)
                     for shift in (24, 16, 8, 0))) for n in range(1, 33, 2))))
    probe()


@scenario("prefixes with bits beyond their length, and in other spellings", "H2", setup=TABLES + (
    "rule add to 198.18.0.0/15 priority 50 table main",     # sentinels
    "rule add from 10.0.0.77/24 priority 100 table 10",
    "rule add from 10.0.0.0/24 priority 101 table 20",
    "rule add to 20.3.4.5/0 iif p3 priority 102 table 10",
    "rule add from 198.51.1/24 to 20/255.0.0.0 priority 103 table 4294967294",
    "rule add to 024.4/016 priority 104 table 20",
    *(f"sysctl net.ipv4.conf.{name}.send_redirects=0" for name in ("all",) + PORTS)))
def spellings(s):
    everywhere(s)
    s.refused("rule add from 10.0.0.77/24 priority 100 table 10",
              "rule del from 10.0.0.78/24 priority 100", "rule add from 10.0.0.0/33",
              "rule add from 10.0.0.0/255.0.255.0 table 10", "rule add from 10.08/16 table 10",
              "rule add from 10..1 table 10")
    everywhere(s)
    for command in ("rule add from 10.0.0.78/24 priority 100 table 20",
                    "rule del from 10.0.0.77/24", "rule del from 10.0.0.0/24",
                    "rule del from 10.0.0.78/24", "rule del from 198.51.1.0/24",
                    "rule flush to 20.4.99.1/14"):
        s.run(command)
        everywhere(s)
    s.refused("route add 20.20.0.1/16 via 10.0.3.254", "route add 20.20.0.1/0 via 10.0.3.254",
              "route del 20.0.0.1/8", "route replace 20.0.0.1/8 via 10.0.3.3",
              "route change 20.0.0.1/8 via 10.0.3.3", "route append 20.0.0.1/8 via 10.0.3.3",
              "route add 20.0.0.0/255.0.255.0 via 10.0.3.3", "addr add 10.9.9.9/33 dev p0",
              "addr add 10.9.9.9/255.0.255.0 dev p0", "addr del 10.0.0.1/25 dev p0")
    s.run("route add 20.20/16 via 10.0.3.3", "route add 20.21.0.0/255.255.0.0 via 012.0.3.0x3",
          "route add 20.22.1 via 10.0.3.3", "addr add 10.9.1.1/255.255.255.0 dev p1",
          "addr add 10.9.2.1 dev p1", "addr add 10.9.3.1/27 dev p1",
          "neigh add 012.011.1.7 lladdr 02:00:00:00:00:07 dev p1 nud permanent")
    s.ways("20.20.1.1", "20.21.1.1", "20.22.1", "20.22.1.1", "10.9.1.7", "10.9.1.1", "10.9.2.1",
           "10.9.3.9", "024.025.1")
    s.send("p0", udp(J0, "10.9.1.7"), udp(J0, "20.20.1.1"), udp(J0, "20.21.1.1"))
    s.run("addr del 10.9.1.1 dev p1", "addr del 10.9.3.1 dev p1")
    s.ways("10.9.1.7", "10.9.1.1", "10.9.3.9", "10.9.2.1")


QUIET = ("sysctl net.ipv4.icmp_ratemask=0",
         *(f"sysctl net.ipv4.conf.{name}.send_redirects=0" for name in ("all",) + PORTS))


def mixed(s, port="p0"):
    """Batches in which a rule is for some packets only."""
    s.batches(port, [udp(far(port, 1 + n % 40), f"20.{1 + n % 9}.{n}.1", id=n,
                         tos=0 if n % 5 else 0x10) for n in range(96)])


@scenario("batches that rules divide", "H2", slow=True, setup=TABLES + QUIET + (
    "route add 20.3.0.0/16 via 10.0.2.254", "route add 20.6.0.0/16 via 10.0.1.254 mtu 600"))
def divided(s):
    for command in ("rule add to 198.18.0.0/15 priority 1 table main",      # sentinels
                    "rule add from 198.51.0.8/29 priority 100 table 10",
                    "rule add to 20.3.0.0/16 priority 101 table 20",
                    "rule add not to 20.0.0.0/13 priority 102 table 4294967294",
                    "rule add iif p0 tos 0x10 priority 103 table 10",
                    "rule add not iif p1 to 20.4.0.0/14 priority 104 table 20",
                    "rule add fwmark 7 priority 105 blackhole",
                    "rule add from 198.51.0.16/28 to 20.1.0.0/16 priority 99 table main",
                    "rule add from 198.51.0.32/30 priority 98 prohibit",
                    "rule add priority 106 table 20", "rule del priority 32766",
                    "rule del priority 106", "rule add priority 32766 table main",
                    "rule add table local priority 97", "rule del priority 0",
                    "rule add priority 0 table local"):
        s.run(command)
        mixed(s)
        mixed(s, "p1")
        s.pause(3.2)        # until as many errors as these may go to one sender again


@scenario("sources that a rule's table has as local or broadcast", "H2, A", setup=TABLES + QUIET + (
    "rule add to 198.18.0.0/15 priority 1 table main",      # sentinels
    "rule add from 198.51.0.8/29 priority 100 table 10",
    "rule add to 198.51.0.16/28 priority 101 table 20"))
def sources_elsewhere(s):
    for command in ("route add local 198.51.0.17/32 table 20 dev lo",
                    "route add broadcast 198.51.0.24/29 table 20 dev p1",
                    "route del local 198.51.0.17/32 table 20",
                    "route add local 20.3.0.0/16 table 10 dev lo",
                    "rule del priority 101", "rule add to 198.51.0.16/28 priority 101 table 20",
                    "route del broadcast 198.51.0.24/29 table 20",
                    "route del local 20.3.0.0/16 table 10"):
        s.run(command)
        mixed(s)
