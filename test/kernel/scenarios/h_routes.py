"""Rule H: which route a packet takes, and what the kinds of routes do."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

SPECIAL = (UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED)


@scenario("kinds of routes, forwarding on", "H3")
def kinds(s):
    for index, dst in enumerate(SPECIAL):
        s.send("p0", udp(far("p0", 1 + index), dst))
        s.send("p0", echo(far("p0", 11 + index), dst))
        s.send("p0", icmp(far("p0", 21 + index), dst, 3, data=bytes(28)))
        s.send("p0", tcp(far("p1", 31 + index), dst, RST))


@scenario("kinds of routes, forwarding off", "H3", sentinel="echo",
          setup=("sysctl net.ipv4.ip_forward=0",))
def kinds_off(s):
    for dst in SPECIAL + (H1, far("p1", 1), J0, B1, R1, "0.0.0.1", "240.0.0.1", "127.0.0.1",
                          "0.0.0.0", "239.1.1.1", EVERYONE):
        s.send("p0", udp(H0, dst))
        s.send("p0", udp(H0, dst, ttl=1))
        s.send("p0", udp(UNROUTED, dst))
        s.send("p0", udp(R1, dst))


@scenario("forwarding switched off and on", "H3")
def forwarding_toggled(s):
    s.send("p0", udp(H0, H1))
    s.sentinel = "echo"
    s.run("sysctl net.ipv4.ip_forward=0")
    s.send("p0", udp(H0, H1))
    s.send("p0", udp(H0, UNROUTED))
    s.run("sysctl net.ipv4.ip_forward=1")
    s.send("p0", udp(H0, H1))
    s.send("p0", udp(H0, UNROUTED))


@scenario("throw ends the table", "H3", setup=("route add throw 172.16.4.0/24",
                                               "route add throw 10.0.1.128/25"))
def throw(s):
    s.send("p0", udp(H0, "172.16.4.1"))
    s.send("p0", udp(H0, "10.0.1.200"))
    s.send("p0", udp(H0, H1))


@scenario("the longest prefix wins", "H1",
          setup=("route add default via 10.0.1.254", "route add 20.0.0.0/8 via 10.0.2.254",
                 "route add 20.1.0.0/16 via 10.0.3.254", "route add 20.1.1.0/24 via 10.0.0.254",
                 "route add unreachable 20.1.1.128/25", "route add 20.1.1.129/32 via 10.0.1.3",
                 "route add 20.1.1.254/31 via 10.0.2.3", "route add 128.0.0.0/1 via 10.0.3.3"))
def longest_prefix(s):
    for dst in ("8.8.8.8", "20.0.0.1", "20.255.255.255", "20.1.0.1", "20.1.1.1", "20.1.1.127",
                "20.1.1.128", "20.1.1.129", "20.1.1.130", "20.1.1.253", "20.1.1.254",
                "20.1.1.255", "20.1.2.0", "20.2.0.0", "21.0.0.0", "19.255.255.255",
                "127.255.255.255", "128.0.0.0", "223.255.255.255", "240.0.0.1", "0.0.0.1"):
        s.send("p0", udp(far("p2", 1), dst))
        s.send("p1", udp(far("p3", 1), dst))


@scenario("every prefix length", "H1", setup=tuple(
    f"route add {'20.170.170.170' if length == 32 else prefix}/{length} via 10.0.{length % 4}."
    f"{(2, 3, 254)[length % 3]}"
    for length, prefix in ((n, ".".join(str(0x14aaaaaa >> (32 - n) << (32 - n) >> shift & 255)
                                        for shift in (24, 16, 8, 0))) for n in range(1, 33))))
def prefix_lengths(s):
    for length in range(33):
        flipped = 0x14aaaaaa ^ (1 << (31 - length) if length < 32 else 0)
        dst = ".".join(str(flipped >> shift & 255) for shift in (24, 16, 8, 0))
        s.send("p0", udp(far("p3", 1), dst))


@scenario("a default route", "H1")
def default_route(s):
    s.send("p0", udp(H0, UNROUTED))
    s.run("route add default via 10.0.3.254")
    s.send("p0", udp(H0, UNROUTED))
    s.send("p0", udp(H0, "240.1.1.1"))
    s.send("p0", udp(H0, "0.1.1.1"))
    s.send("p0", udp(H0, UNREACHABLE))
    s.send("p1", udp(UNROUTED, H0, ttl=1))
    s.run("route del default")
    s.send("p0", udp(H0, UNROUTED))


@scenario("the lowest metric wins", "H1")
def metrics(s):
    for command in ("route add 20.0.0.0/8 via 10.0.1.254 metric 100",
                    "route add 20.0.0.0/8 via 10.0.2.254 metric 50",
                    "route add 20.0.0.0/8 via 10.0.3.254 metric 200",
                    "route add 20.0.0.0/8 via 10.0.0.254",
                    "route del 20.0.0.0/8 via 10.0.0.254",
                    "route del 20.0.0.0/8 metric 50",
                    "route add unreachable 20.0.0.0/8 metric 10",
                    "route del unreachable 20.0.0.0/8 metric 10",
                    "route del 20.0.0.0/8",
                    "route del 20.0.0.0/8"):
        s.run(command)
        s.send("p0", udp(far("p2", 1), "20.1.1.1"))


@scenario("replacing and deleting falls back", "H1")
def replace(s):
    for command in ("route add 20.0.0.0/8 via 10.0.1.254",
                    "route add 20.1.0.0/16 via 10.0.2.254",
                    "route replace 20.1.0.0/16 via 10.0.3.254",
                    "route replace blackhole 20.1.0.0/16",
                    "route replace prohibit 20.1.0.0/16",
                    "route replace 20.1.0.0/16 dev p1",
                    "route replace 20.1.0.0/16 via 10.0.1.3",
                    "route del 20.1.0.0/16",
                    "route replace 20.0.0.0/8 via 10.0.2.3 mtu 600",
                    "route del 20.0.0.0/8"):
        s.run(command)
        s.send("p0", udp(far("p2", 1), "20.1.1.1"))


@scenario("a host route inside a subnet, and around our own address", "H1",
          setup=("route add 10.0.1.2/32 via 10.0.3.254", "route add 10.0.1.128/25 via 10.0.2.254",
                 "route add 10.0.0.1/32 via 10.0.3.254", "route add unreachable 10.0.1.3/32",
                 "route add 10.0.2.255/32 via 10.0.3.254"))
def inside_subnet(s):
    for dst in (H1, J1, G1, R0, B1, B2, R1):
        s.send("p0", udp(far("p0", int(dst.split(".")[3]) % 250 + 1), dst))


@scenario("local and broadcast routes of one's own making", "H1",
          setup=("route add local 20.0.0.1/32 dev p1 table local",
                 "route add local 20.2.0.0/24 dev lo table local",
                 "route add broadcast 20.1.0.255/32 dev p1 table local"))
def local_routes(s):
    for dst in ("20.0.0.1", "20.2.0.0", "20.2.0.99", "20.1.0.255", "20.1.0.254"):
        s.send("p0", echo(far("p0", 1), dst))
        s.send("p0", udp(far("p0", 2), dst))


@scenario("onlink gateways and routes to a link", "H1",
          setup=("neigh add 192.0.2.9 lladdr 02:00:00:00:01:99 dev p1 nud permanent",
                 "route add 20.0.0.0/8 via 192.0.2.9 dev p1 onlink",
                 "route add 192.0.2.0/24 dev p1",
                 "route add 21.0.0.0/8 via 192.0.2.9"))
def onlink(s):
    for dst in ("20.1.1.1", "21.1.1.1", "192.0.2.9"):
        s.send("p0", udp(H0, dst))
        s.send("p0", udp(H0, dst, ttl=1))


@scenario("a gateway's MAC address changes", "H, I")
def neighbour_change(s):
    s.send("p0", udp(H0, far("p1", 1)))
    s.run(f"neigh replace {G1} lladdr 02:00:00:00:01:fd dev p1 nud permanent")
    s.send("p0", udp(H0, far("p1", 1)))
    s.send("p0", udp(H0, G1))


@scenario("a link that goes down takes its routes along", "H1", sentinel=None)
def link_down(s):
    s.run("route add 20.0.0.0/8 via 10.0.1.254", "route add 20.0.0.0/8 via 10.0.3.254 metric 9")
    s.start("p0", udp(H0, "20.1.1.1"))
    s.wait(0.2)
    s.run("link set p1 down")
    for dst in ("20.1.1.1", H1, B1, R1, far("p1", 1)):
        s.start("p0", udp(H0, dst))
        s.wait(0.1)
    s.run("link set p1 up")
    s.wait(0.5)
    for dst in ("20.1.1.1", B1, R1, far("p1", 1)):
        s.start("p0", udp(H0, dst))
        s.wait(0.1)


@scenario("deleting an address takes its routes along", "H1", sentinel="echo")
def address_removed(s):
    s.run("route add 20.0.0.0/8 via 10.0.1.254")
    s.send("p0", udp(H0, "20.1.1.1"))
    s.sentinel = None
    s.run("addr del 10.0.1.1/24 dev p1")
    for dst in ("20.1.1.1", H1, B1, R1, far("p1", 1)):
        s.start("p0", udp(H0, dst))
        s.wait(0.1)


@scenario("rules choose the table", "H2",
          setup=("route add default via 10.0.1.254 table 10",
                 "route add default via 10.0.2.254 table 20",
                 "route add throw 20.2.0.0/16 table 10",
                 "route add 20.0.0.0/8 via 10.0.3.254",
                 "rule add from 10.0.0.2 priority 100 table 10",
                 "rule add from 10.0.0.3 to 20.3.0.0/16 priority 101 table 20",
                 "rule add iif p3 to 20.0.0.0/8 priority 102 table 20",
                 "rule add to 20.4.0.0/16 priority 103 unreachable",
                 "rule add to 20.5.0.0/16 priority 104 prohibit",
                 "rule add to 20.6.0.0/16 priority 105 blackhole"))
def rules(s):
    for port, src in (("p0", H0), ("p0", J0), ("p1", far("p1", 1)), ("p3", far("p3", 2))):
        for net in range(1, 7):
            s.send(port, udp(src, f"20.{net}.0.1"))


@scenario("flows over two gateways", "H4",
          setup=("sysctl net.ipv4.fib_multipath_hash_seed=12345",
                 "route add 20.0.0.0/8 nexthop via 10.0.1.254 weight 1"
                 " nexthop via 10.0.2.254 weight 2 nexthop via 10.0.3.254 weight 1"))
def multipath(s):
    for index in range(120):
        s.send("p0", udp(far("p0", 1 + index), f"20.1.{index}.1", sport=1000 + index))


@scenario("flows told apart by port", "H4",
          setup=("sysctl net.ipv4.fib_multipath_hash_seed=12345",
                 "sysctl net.ipv4.fib_multipath_hash_policy=1",
                 "route add 20.0.0.0/8 nexthop via 10.0.1.254 weight 1"
                 " nexthop via 10.0.3.254 weight 1"))
def multipath_ports(s):
    for index in range(60):
        s.send("p0", udp(H0, "20.1.1.1", sport=1000 + index))
        s.send("p0", tcp(H0, "20.1.1.1", dport=1 + index))
        s.send("p0", ipv4(H0, "20.1.1.1", UDP, bytes([0, index, 1, 2] * 4), flags=MF))


@scenario("a thousand routes", "H1", setup=tuple(
    f"route add 30.{i // 64}.{i % 64 * 4}.0/{22 + i % 3} via 10.0.{1 + i % 3}.254"
    for i in range(1000)))
def many_routes(s):
    s.send("p0", *[udp(far("p0", 1), f"30.{i // 64}.{i % 64 * 4 + 1}.1") for i in range(0, 500)])
    for i in range(0, 500, 17):
        s.send("p0", udp(far("p0", 1 + i // 4), f"30.{i // 64}.{i % 64 * 4}.200"))
