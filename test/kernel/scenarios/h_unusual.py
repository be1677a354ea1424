"""Rule H: what is seldom set up together: rules, TOS, throw, metrics, groups, and changes."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.h_groups import BY_PORT, SEED, THREE, flow

QUIET = "sysctl net.ipv4.icmp_ratemask=0"
TOS = (0, 0x02, 0x04, 0x08, 0x10, 0x1c, 0x20, 0x28, 0xb8, 0xff)
ADDRESSES = ("20.0.0.1", "20.1.0.1", "20.1.1.1", "20.1.1.130", "20.2.0.1", "20.3.3.3", "21.0.0.1")


def everywhere(s, destinations=ADDRESSES, tos=(0,)):
    """Forwarded from two ports; not more errors a sender than are told (rule C10)."""
    for port, src in (("p0", 100), ("p1", 100)):
        for n, dst in enumerate(destinations):
            for k, value in enumerate(tos):
                s.send(port, udp(far(port, src + n * len(tos) % 150 + k % 4), dst, tos=value))


@scenario("overlapping rules whose tables throw", "H2", setup=(
    QUIET, "route add 20.0.0.0/8 via 10.0.1.254 table 10", "route add throw 20.1.0.0/16 table 10",
    "route add 20.1.1.0/24 via 10.0.1.3 table 10", "route add throw 20.1.1.128/25 table 10",
    "route add 20.1.0.0/16 via 10.0.2.254 table 20", "route add throw 20.1.1.0/24 table 20",
    "route add unreachable 20.1.1.128/26 table 20", "route add 20.0.0.0/6 via 10.0.3.254",
    "route add throw 20.3.0.0/16", "route add default via 10.0.2.3 table default",
    "rule add from 198.51.0.0/24 priority 10 table 10",
    "rule add to 20.0.0.0/7 priority 11 table 20",
    "rule add from 198.51.0.0/16 to 20.1.0.0/16 priority 12 table 10"))
def throws(s):
    everywhere(s)
    s.run("rule add to 20.1.1.0/24 priority 5 unreachable",
          "rule add to 20.1.1.1 priority 4 table 20")
    everywhere(s)
    s.run("rule del priority 5", "rule add to 20.1.0.0/16 priority 9 prohibit")
    everywhere(s)


@scenario("rules by TOS in front of routes by TOS", "H1, H2", setup=(
    QUIET, "route add 20.0.0.0/8 via 10.0.1.254 tos 0x10 table 10",
    "route add 20.0.0.0/8 via 10.0.2.254 table 10",
    "route add 20.1.0.0/16 via 10.0.3.254 tos 0x08 table 10",
    "route add throw 20.1.1.0/24 tos 0x10 table 10",
    "route add blackhole 20.2.0.0/16 tos 0x04 table 10", "route add 20.0.0.0/8 via 10.0.3.3",
    "route add prohibit 20.2.0.0/16 tos 0x1c", "rule add tos 0x10 priority 100 table 10",
    "rule add tos 0x08 to 20.1.0.0/16 priority 101 table 10",
    "rule add not tos 0x04 iif p1 priority 102 table 10",
    "rule add tos 0x1c priority 103 blackhole"))
def tos_rules(s):
    everywhere(s, ADDRESSES[:6], TOS)


@scenario("metrics, kinds and the link that goes down", "H1", sentinel=None, setup=(
    QUIET, "route add 20.0.0.0/8 via 10.0.1.254 metric 10",
    "route add 20.0.0.0/8 via 10.0.2.254 metric 20", "route add unreachable 20.0.0.0/8 metric 30",
    "route add 20.1.0.0/16 via 10.0.2.254", "route add throw 20.1.1.0/24 metric 5",
    "route add 20.1.1.0/24 via 10.0.1.254 metric 1", "route add 20.2.0.0/16 dev p1",
    "route add 20.2.0.0/15 nexthop via 10.0.1.254 nexthop via 10.0.2.254", SEED))
def link_down(s):
    def probe():
        for n, dst in enumerate(ADDRESSES[:-1]):
            s.start("p0", udp(far("p0", 1 + n), dst), udp(far("p0", 1 + n), dst, ttl=1))
            s.wait(0.06)
    for command in ("link set p1 down", "link set p2 down", "link set p1 up", "link set p2 up"):
        s.run(command)
        probe()


@scenario("a group that has one way, two, none", "H4", sentinel=None, setup=(
    SEED, BY_PORT, QUIET,
    "route add 20.0.0.0/8 nexthop via 10.0.1.254 weight 200 nexthop via 10.0.2.254"
    " nexthop dev p3 weight 3", "route add 20.0.0.0/7 via 10.0.3.254",
    "neigh add 20.0.0.7 lladdr 02:00:00:00:03:77 dev p3 nud permanent"))
def dead_ways(s):
    for command in ("link set p1 down", "link set p3 down", "link set p2 down", "link set p3 up",
                    "link set p1 up"):
        s.run(command)
        s.pause(0.2)
        if command.endswith("up"):
            port = command.split()[2]
            n = number(port)
            s.run(f"neigh replace 10.0.{n}.254 lladdr {host_mac(port, 254)} dev {port} "
                  "nud permanent",
                  *(["neigh replace 20.0.0.7 lladdr 02:00:00:00:03:77 dev p3 nud permanent"]
                    if n == 3 else []))
        s.start("p0", *[udp(far("p0", 1 + n), "20.0.0.7", sport=1000 + n) for n in range(40)])
        s.wait(0.3)


@scenario("policy and seed change while packets flow", "H4", setup=(SEED, THREE, QUIET))
def changes(s):
    for seed in (1, 99, 12345):
        for policy in (0, 1, 0):
            s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}",
                  f"sysctl net.ipv4.fib_multipath_hash_seed={seed}")
            s.send("p0", *[udp(src, dst, sport=sport, dport=dport)
                           for src, dst, sport, dport in map(flow, range(40))])
            s.send("p1", *[echo(dst, R1, ident=n) for n, (_, dst, _, _) in
                           ((n, flow(n)) for n in range(12))],
                   *[udp(dst, H0, ttl=1, sport=n) for n, (_, dst, _, _) in
                     ((n, flow(n)) for n in range(12))])


@scenario("a group whose ways are one and the same, and with great weights", "H4", setup=(
    SEED, BY_PORT,
    "route add 20.0.0.0/8 nexthop via 10.0.1.254 weight 256 nexthop via 10.0.1.254 weight 256"
    " nexthop via 10.0.2.254 weight 1",
    "route add 20.3.0.0/16 nexthop via 10.0.1.2 nexthop via 10.0.1.3"
    " nexthop via 10.0.1.254 weight 255"))
def heavy(s):
    for n in range(0, 200, 25):
        s.send("p0",
               *[tcp(*flow(k)[:2], sport=flow(k)[2], dport=flow(k)[3]) for k in range(n, n + 25)])
        s.send("p0", *[udp(flow(k)[0], f"20.3.{k}.1", sport=k) for k in range(n, n + 25)])


@scenario("fragments and ICMP errors by rules, TOS and groups", "H4, H2", setup=(
    SEED, QUIET, THREE.replace("20.0.0.0/8", "20.0.0.0/8 tos 0x08"),
    THREE.replace("20.0.0.0/8", "20.0.0.0/8 table 10 mtu 600"), "route add 20.0.0.0/8 via 10.0.3.3",
    "rule add from 198.51.0.0/25 priority 5 table 10"))
def pieces(s):
    for policy in (0, 1):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for n in range(16):
            src, dst, sport, dport = flow(4 * n)
            for tos in (0, 0x08):
                whole = udp(src, dst, bytes(1100), sport=sport, dport=dport)[20:]
                s.send("p0", ipv4(src, dst, UDP, whole, tos=tos, id=n),
                       ipv4(src, dst, UDP, whole, tos=tos, flags=DF),
                       ipv4(src, dst, UDP, whole[:800], tos=tos, flags=MF, id=n),
                       ipv4(src, dst, UDP, whole[800:], tos=tos, offset=100, id=n),
                       icmp(far("p2", n + 1), dst, 3, 4,
                            data=udp(dst, src, sport=dport, dport=sport), tos=tos),
                       icmp(src, dst, 11, data=ipv4(dst, src, UDP, whole[:8], options=b"\1" * 4),
                            tos=tos))


@scenario("source validation under rules, throw and TOS", "H2, A", setup=(
    QUIET, "sysctl net.ipv4.conf.p0.rp_filter=1", "sysctl net.ipv4.conf.p1.rp_filter=2",
    "route add 20.0.0.0/8 via 10.0.0.254 table 10", "route add throw 20.1.0.0/16 table 10",
    "route add 20.2.0.0/16 via 10.0.1.254 tos 0x10 table 10",
    "route add blackhole 20.3.0.0/16 table 10", "route add 20.1.0.0/16 via 10.0.1.254",
    "rule add iif p0 priority 5 table 10", "rule add to 20.0.0.0/8 iif p1 priority 6 table 10",
    "rule add to 20.1.1.1 priority 4 unreachable",
    "rule add to 198.18.0.0/15 priority 1 table main",
    "rule add from 198.18.0.0/15 priority 2 table main"))
def validation(s):
    for port in ("p0", "p1", "p2"):
        for src in ADDRESSES:
            for tos in (0, 0x10):
                s.send(port, udp(src, H3, tos=tos), echo(src, R2, tos=tos))


@scenario("what is refused, and what that leaves", "H1", setup=(QUIET,))
def refusals(s):
    s.run("route add 20.0.0.0/8 via 10.0.1.254", "route add 20.0.0.0/8 via 10.0.2.254 metric 5",
          "route add 20.0.0.0/8 via 10.0.3.254 tos 0x10")
    s.refused("route add 20.0.0.0/8 via 10.0.3.254", "route add blackhole 20.0.0.0/8",
              "route add 20.0.0.0/8 via 10.0.3.3 metric 5",
              "route add 20.0.0.0/8 via 10.0.1.254 tos 0x10",
              "route change 20.0.0.0/9 via 10.0.3.254",
              "route change 20.0.0.0/8 via 10.0.3.254 metric 9",
              "route change 20.0.0.0/8 via 10.0.3.254 tos 0x08",
              "route append 20.0.0.0/8 via 10.0.1.254", "route prepend 20.0.0.0/8 via 10.0.1.254",
              "route add 20.0.0.1/8 via 10.0.1.254", "route del 20.0.0.0/8 via 10.0.3.3",
              "route del 20.0.0.0/8 metric 6", "route del 20.0.0.0/8 table 9",
              "route del unreachable 20.0.0.0/8", "route add 22.0.0.0/8 via 192.0.2.1",
              "route add 22.0.0.0/8 via 10.0.1.254 dev p2", "route add 22.0.0.0/8 via 10.0.1.255",
              "route add 22.0.0.0/8 via 10.0.1.254 src 10.0.9.9",
              "route add 22.0.0.0/8 via 10.0.1.254 tos 0x11",
              "route add 22.0.0.0/8 nexthop via 10.0.1.254 nexthop via 192.0.2.1",
              "route add 22.0.0.0/8 nexthop via 10.0.1.254 weight 257", "route add 22.0.0.0/8",
              "route add blackhole 22.0.0.0/8 via 10.0.1.254", "rule del priority 77",
              "rule del to 20.0.0.0/8", "rule add priority 5 table 10 tos 0x03")
    for tos in (0, 0x10):
        s.send("p0", udp(H0, "20.1.1.1", tos=tos))
    s.run("route replace 20.0.0.0/8 via 10.0.1.3", "route replace 20.0.0.0/8 via 10.0.3.3 tos 0x10",
          "route append 20.0.0.0/8 via 10.0.2.3", "route prepend 20.0.0.0/8 via 10.0.2.254")
    s.refused("route replace 20.0.0.0/8 via 192.0.2.1", "route append 20.0.0.0/8 via 10.0.2.3",
              "rule add from 10.0.0.2 priority 5 table 10 nonsense")
    for tos in (0, 0x10):
        s.send("p0", udp(H0, "20.1.1.1", tos=tos))
    s.run("rule add from 10.0.0.2 priority 5 table 10")
    s.refused("rule add from 10.0.0.2 priority 5 table 10")
    for command in ("route del 20.0.0.0/8", "route del 20.0.0.0/8",
                    "route del 20.0.0.0/8 tos 0x10"):
        s.run(command)
        for tos in (0, 0x10):
            s.send("p0", udp(H0, "20.1.1.1", tos=tos))


@scenario("mtu, src and hoplimit behind rules and groups", "H, G4", setup=(
    QUIET, SEED, "sysctl net.ipv4.conf.all.send_redirects=0",
    "sysctl net.ipv4.conf.p0.send_redirects=0", "sysctl net.ipv4.conf.p1.send_redirects=0",
    "route add 20.0.0.0/8 via 10.0.1.254 table 10 mtu 700 src 10.0.3.1 hoplimit 3",
    "route add 20.1.0.0/16 table 10 hoplimit 200 mtu 1200 nexthop via 10.0.1.254 "
    "nexthop via 10.0.2.254",
    "route add 20.0.0.0/8 via 10.0.2.254 src 10.0.1.1",
    "route add 20.2.0.0/16 via 10.0.3.254 tos 0x10 mtu 600",
    "route add 20.2.0.0/16 via 10.0.3.3 hoplimit 77",
    "rule add to 20.0.0.0/9 iif lo priority 7 table 10", "rule add iif p1 priority 8 table 10"))
def metrics(s):
    for dst in ("20.0.0.1", "20.1.0.1", "20.1.0.2", "20.2.0.1", "20.200.0.1"):
        for tos in (0, 0x10):
            s.send("p0", echo(dst, R0, bytes(900), tos=tos), udp(dst, R0, tos=tos),
                   tcp(dst, R1, tos=tos), udp(dst, H1, ttl=1, tos=tos), echo(dst, B0, tos=tos))
            s.send("p1", udp(H1, dst, bytes(900), tos=tos),
                   udp(H1, dst, bytes(900), tos=tos, flags=DF))
            s.send("p0", udp(H0, dst, bytes(900), tos=tos),
                   udp(H0, dst, bytes(900), tos=tos, flags=DF))


@scenario("a gateway that is an address of the router's own", "H1", setup=(
    QUIET, "route add 22.0.0.0/8 via 10.0.1.1", "route add 23.0.0.0/8 via 10.0.1.1 dev p1"),
    sentinel=None)
def own_gateway(s):
    for dst in ("22.0.0.1", "23.0.0.1"):
        s.ways(dst, f"{dst} from {H0} iif p0", f"{dst} from {H1} iif p1")
