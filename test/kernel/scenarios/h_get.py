"""Rule H: what `route get` says of packets that are only thought of."""

import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

WAYS = ("route add 20.0.0.0/8 nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 3 "
        "nexthop via 10.0.3.254",
        "route add 21.0.0.0/8 nexthop via 10.0.0.254 weight 2 nexthop via 10.0.2.2 "
        "nexthop via 10.0.3.3 weight 100")


def flows(rng, n, own):
    """Questions about random flows: of packets that the router sends, or that come in by a port."""
    for _ in range(n):
        words = [f"{rng.choice((20, 20, 21))}.{rng.randrange(256)}.0.{rng.randrange(256)}"]
        port = rng.randrange(4)
        if own:
            words += rng.choice(([], [], [f"from 10.0.{port}.1"]))
        else:
            words.append(f"from 10.0.{port}.{rng.randrange(2, 250)} iif p{port}")
        if rng.random() < 0.7:
            words.append(f"ipproto {rng.choice(('udp', 'tcp', 'icmp'))}")
        for word in ("sport", "dport"):
            if rng.random() < 0.8:
                words.append(f"{word} {rng.randrange(1, 65536)}")
        if rng.random() < 0.2:
            words.append(f"mark {rng.choice(('1', '15', '16', '0x100', '0xffffffff'))}")
        yield " ".join(words)


for policy in (0, 1, 2, 3):
    @scenario(f"the way of several that a flow takes: policy {policy}", "H4", setup=WAYS + (
        f"sysctl net.ipv4.fib_multipath_hash_policy={policy}",
        "sysctl net.ipv4.fib_multipath_hash_seed=4711"))
    def flows_of_groups(s):
        rng = random.Random(policy)
        for seed in (4711, 1, 0x7fffffff):
            s.run(f"sysctl net.ipv4.fib_multipath_hash_seed={seed}")
            s.ways(*flows(rng, 400, True), *flows(rng, 400, False))

    @scenario(f"packets take the way that was told of them: policy {policy}", "H4", setup=WAYS + (
        f"sysctl net.ipv4.fib_multipath_hash_policy={policy}",
        "sysctl net.ipv4.fib_multipath_hash_seed=99"))
    def told_and_taken(s):
        for host in range(4, 40):
            s.ways(f"20.1.0.{host} from 10.0.0.2 iif p0 sport 4000 dport {5000 + host}")
            s.send("p0", udp(H0, f"20.1.0.{host}", dport=5000 + host))


@scenario("the way of several with what is known of neighbours", "H4", setup=WAYS + (
    "sysctl net.ipv4.fib_multipath_use_neigh=1", "sysctl net.ipv4.fib_multipath_hash_policy=1",
    "sysctl net.ipv4.fib_multipath_hash_seed=5"))
def known_neighbours(s):
    rng = random.Random(7)
    s.ways(*flows(rng, 100, True), *flows(rng, 100, False))


DESTINATIONS = (R0, R1, H0, H1, G2, B0, B1, N1, EVERYONE, ALL_HOSTS, "224.0.0.5", "127.0.0.1",
                "0.0.0.0", "0.0.0.5", "240.0.0.1", UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED,
                far("p1", 9), "30.0.0.1", "31.0.0.1", "32.0.0.1", "33.0.0.1", "34.0.0.1",
                "35.0.0.1", "36.0.0.1")
SOURCES = (H0, J0, H1, R0, R1, B0, "127.0.0.1", EVERYONE, ALL_HOSTS, UNROUTED, far("p0", 3),
           "0.0.0.1")
SETUP = ("route add 30.0.0.0/8 via 10.0.1.254 mtu 1300 src 10.0.3.1 hoplimit 9",
         "route add throw 31.0.0.0/8", "rule add to 32.0.0.0/8 unreachable priority 10",
         "rule add to 33.0.0.0/8 prohibit priority 11",
         "rule add to 34.0.0.0/8 blackhole priority 12",
         "route add default via 10.0.2.254 table 10",
         "rule add to 35.0.0.0/8 fwmark 5 priority 13 table 10",
         "rule add to 36.0.0.0/8 tos 0x10 priority 14 table 10",
         "rule add to 36.0.0.0/8 iif p0 priority 15 table 10",
         "rule add to 36.0.0.0/8 from 10.0.0.1 priority 16 table 10")
QUESTIONS = (tuple(DESTINATIONS)
             + tuple(f"{dst} from {src}" for dst in DESTINATIONS for src in SOURCES)
             + tuple(f"{dst} iif {port}" for dst in DESTINATIONS for port in ("p0", "lo"))
             + tuple(f"{dst} from {src} iif {port}" for dst in DESTINATIONS for src in SOURCES
                     for port in ("p0", "p1", "lo"))
             + tuple(f"{dst} mark 5" for dst in DESTINATIONS)
             + tuple(f"{dst} tos 0x10 from {H0} iif p0" for dst in DESTINATIONS)
             + tuple(f"{dst} mark 5 from {H0} iif p0" for dst in DESTINATIONS))

for name, lines in (("as it is", ()),
                    ("with a default route", ("route add default via 10.0.3.254",)),
                    ("rp_filter 1", ("sysctl net.ipv4.conf.all.rp_filter=1",)),
                    ("rp_filter 2", ("sysctl net.ipv4.conf.p0.rp_filter=2",)),
                    ("accept_local", ("sysctl net.ipv4.conf.all.accept_local=1",)),
                    ("route_localnet", ("sysctl net.ipv4.conf.p0.route_localnet=1",)),
                    ("without forwarding on p0", ("sysctl net.ipv4.conf.p0.forwarding=0",)),
                    ("without redirects", tuple(f"sysctl net.ipv4.conf.{port}.send_redirects=0"
                                                for port in ("all", "p0")))):
    @scenario(f"every kind of address, source and link: {name}", "H", setup=SETUP + lines)
    def kinds(s):
        s.ways(*QUESTIONS)

    @scenario(f"every kind of address, without rules: {name}", "H",
              setup=tuple(line for line in SETUP if not line.startswith("rule")) + lines)
    def kinds_merged(s):
        s.ways(*QUESTIONS)


BY_LINK = (tuple(f"{dst} oif {port}" for dst in DESTINATIONS for port in (*PORTS, "lo"))
           + tuple(f"{dst} oif {port} from {src}" for dst in DESTINATIONS for src in SOURCES
                   for port in ("p0", "p1", "lo"))
           + tuple(f"{dst} dev p1 mark 5" for dst in DESTINATIONS)
           + tuple(f"{dst} oif p2 tos 0x10" for dst in DESTINATIONS)
           + tuple(f"{dst} from {H0} iif p0 oif p3" for dst in DESTINATIONS))

for name, lines in (("as it is", ()),
                    ("with a default route", ("route add default via 10.0.3.254",)),
                    ("with rules and groups", SETUP + WAYS),
                    ("route_localnet", SETUP + ("sysctl net.ipv4.conf.p0.route_localnet=1",)),
                    ("multicast routes", ("route add 224.0.0.0/4 via 10.0.1.3",
                                          "route add 239.1.0.0/16 dev p2",
                                          "route add default via 10.0.3.254"))):
    @scenario(f"the way by a link that is given: {name}", "H", setup=lines)
    def by_link(s):
        s.ways(*BY_LINK, *(f"{dst} oif {port}" for port in PORTS for dst in (
            "20.0.0.1", "21.0.0.1", "239.1.0.1", "239.2.0.1")))


MANY = ("route add 224.0.0.0/4 via 10.0.1.254 mtu 1300",
        "route add 239.1.0.0/16 nexthop via 10.0.0.254 nexthop via 10.0.3.254",
        "route add 239.3.0.0/16 via 10.0.0.254 src 10.0.1.1", "route add 239.4.0.0/16 dev p2",
        "route add broadcast 239.5.0.0/16 dev p0 table main",
        "route add unreachable 239.6.0.0/16", "route add 239.7.0.0/16 via 10.0.2.254 tos 0x10",
        "route add 239.7.0.0/16 via 10.0.3.3 metric 7",
        "sysctl net.ipv4.fib_multipath_hash_seed=99")
TO_MANY = ("239.2.0.1", "239.1.0.1", "239.1.0.2", "239.1.0.3", "239.3.0.1", "239.4.0.1",
           "239.5.0.1", "239.6.0.1", "239.7.0.1", "224.0.0.5", ALL_HOSTS, EVERYONE)
WORLD = {
    "no other": (),
    "a default route": ("route add default via 10.0.2.254 mtu 1200",),
    "broadcasts too": ("route add 255.255.255.255/32 via 10.0.1.254 mtu 1200",),
    "by rules": ("rule add to 239.3.0.0/16 priority 9 table 10",
                 "route add 239.0.0.0/8 via 10.0.2.3 table 10",
                 "route add 224.0.0.0/3 via 10.0.2.254 table 11",
                 "rule add to 239.4.0.0/16 priority 10 table 11"),
}

for name, lines in WORLD.items():
    for routes in (MANY, ("route add 224.0.0.0/3 via 10.0.1.254 mtu 1300",)):
        shown = "groups by gateways" if routes is MANY else "groups among others"

        @scenario(f"the way to many: {shown}, {name}", "H, G", setup=routes + lines)
        def to_many(s):
            s.ways(*TO_MANY, *(f"{dst} {words}" for dst in TO_MANY for words in (
                "oif p0", "oif p1", "oif p2", "from 10.0.0.1", "tos 0x10", "ipproto udp dport 9")))

        @scenario(f"packets to many: {shown}, {name}", "H, G", slow=True, setup=routes + lines,
                  ignored_counters=("Ip.OutNoRoutes",))     # ping's connect() counts there
        def pings_to_many(s):
            s.ping(*TO_MANY, *(f"{dst} -I {R0}" for dst in TO_MANY[::3]))


@scenario("pings whose source is looked for with themselves as it", "H, G", slow=True, setup=(
    "route add local 239.5.0.0/16 dev lo", "route add local 239.7.0.0/16 dev p1",
    "route add 239.6.0.0/16 dev lo", "route add local 20.5.0.0/16 dev lo metric 9",
    "route add local 255.255.255.255/32 dev lo metric 8",
    "rule add from 10.0.1.1 to 20.0.0.0/8 priority 7 unreachable",
    "rule add from 10.0.2.1 to 20.0.0.0/8 priority 8 prohibit",
    "route add 20.1.0.0/16 via 10.0.1.254", "route add 20.2.0.0/16 via 10.0.2.254",
    "route add 20.3.0.0/16 via 10.0.3.254", "route add 20.4.0.0/16 via 10.0.3.254 src 10.0.1.1"),
    ignored_counters=("Ip.OutNoRoutes",))
def pings_of_themselves(s):
    """Metrics keep Linux from sharing one next hop, which remembers if it led to a group before."""
    for dst in ("239.5.0.1", "239.6.0.1", "239.7.0.1", "255.255.255.255", *(
            f"20.{n}.0.1" for n in range(1, 6))):
        s.ping(dst, f"{dst} -I {R0}")
        s.ways(dst, f"{dst} from {R0}")


@scenario("what is learned of the way to many", "H, G2", setup=MANY)
def learned_to_many(s):
    for own in (R0, R1):
        for dst in ("239.2.0.1", "239.4.0.1", "239.1.0.1", "224.0.0.5", "239.6.0.1"):
            quoted = icmp(own, dst, 8, data=b"12345678")
            s.send("p3", icmp(H3, own, 3, 4, (700).to_bytes(4, "big"), quoted))
    s.pause(0.1)
    s.ways(*TO_MANY, *(f"{dst} oif p1" for dst in TO_MANY))


@scenario("the way by a link that is down, or of which something is known", "H, G2", setup=(
    "route add 20.0.0.0/8 via 10.0.0.254", "route add 20.0.0.0/8 via 10.0.1.254 metric 5"))
def by_known_link(s):
    questions = [f"{dst} oif {port}" for dst in ("20.0.0.1", "20.0.0.2", H0, H1, R1, UNROUTED)
                 for port in PORTS]
    s.ways(*questions)
    s.run("link set p1 down")
    s.ways(*questions)


@scenario("gateways that are the destination, ways over lo, broadcasts that go on", "H", setup=(
    "route add 40.0.0.1/32 via 40.0.0.1 dev p1 onlink",
    "route add 40.0.1.0/24 via 40.0.1.9 dev p2 onlink",
    "route add 40.0.2.0/24 nexthop via 40.0.2.1 dev p1 onlink "
    "nexthop via 40.0.2.2 dev p2 onlink",
    "route add 50.0.0.0/8 dev lo", "route add 51.0.0.0/8 dev lo src 10.0.3.1",
    "sysctl net.ipv4.fib_multipath_hash_seed=5",
    "sysctl net.ipv4.conf.all.bc_forwarding=1", "sysctl net.ipv4.conf.p0.bc_forwarding=1"))
def own_gateways(s):
    to = ("40.0.0.1", "40.0.1.9", "40.0.1.8", "40.0.2.1", "40.0.2.2", "40.0.2.3", "50.0.0.1",
          "51.0.0.1", B0, B1, H1, R1, EVERYONE, ALL_HOSTS)
    questions = [f"{dst}{words}" for dst in to for words in (
        "", f" from {R0}", f" from {H0} iif p0", " oif p1", " oif lo", f" from {H3} iif p3")]
    s.ways(*questions)
    for dst in ("40.0.0.1", "40.0.1.9", "40.0.2.3"):            # redirected to itself
        for gateway in ("40.0.0.1", "40.0.1.9", "40.0.2.1", "40.0.2.2"):
            s.send("p1", icmp(gateway, R1, 5, 1, bytes(map(int, dst.split("."))),
                              icmp(R1, dst, 8, data=b"12345678")))
    s.pause(0.1)
    s.ways(*questions)


@scenario("what can not be asked", "H")
def not_asked(s):
    s.refused("route get 20.0.0.1 ipproto sctp", "route get 20.0.0.1 ipproto 99",
              "route get 20.0.0.1 sport 65536", "route get 20.0.0.1 mark 1/1",
              "route get 20.0.0.1 mark x", "route get 20.0.0.1 iif none",
              "route get 20.0.0.1 ipproto udp", "route get 20.0.0.1 oif none",
              "route get 20.0.0.1 oif")
