"""What `config save` writes leads to the same state again: in cases where what routes were found by
has changed since, and after commands drawn by chance."""

import random

import pytest

from saved import survives

BASE = (["sysctl millrace.mbufs=4096"]
        + [f"link add p{n} type dpdk devargs net_null{n},no-rx=1 address 02:00:00:00:00:0{n}"
           for n in range(3)]
        + ["addr add 10.0.0.1/24 dev p0", "addr add 10.0.1.1/24 dev p1",
           "addr add 10.0.1.77/24 dev p1", "addr add 10.0.2.1/24 dev p2",
           "link set p0 up", "link set p1 up", "link set p2 up"])
SEEDS = 40
COMMANDS = 60


def start(router, *commands, words=()):
    """A router with three links to which these commands were given one by one."""
    router.start(BASE, *words)
    router.batch(commands)
    return router


# ---- routes that are found otherwise now, or not at all ----

def test_a_gateway_whose_subnet_has_gone(router):
    start(router, "addr add 10.1.0.1/24 dev p0", "route add default via 10.0.0.2",
          "route add 10.5.0.0/16 via 10.1.0.2", "addr del 10.0.0.1/24 dev p0")
    lines = survives(router)
    assert "route add default via 10.0.0.2 dev p0 resolved gateway" in lines
    assert "route add 10.5.0.0/16 via 10.1.0.2 dev p0" in lines
    router.stop()


def test_a_gateway_that_a_rule_leads_to(router):
    start(router, "route add 10.9.0.0/16 dev p0 table 100", "rule add to 10.9.0.0/16 table 100",
          "route add default via 10.9.0.1")
    lines = survives(router)
    assert lines[-1] == "route add default via 10.9.0.1 dev p0"
    router.stop()


def test_a_gateway_that_a_rule_led_to(router):
    start(router, "route add 10.9.0.0/16 dev p0 table 100", "rule add to 10.9.0.0/16 table 100",
          "route add default via 10.9.0.1", "rule del table 100")
    assert "route add default via 10.9.0.1 dev p0 resolved gateway" in survives(router)
    router.stop()


def test_a_gateway_that_a_rule_hides(router):
    start(router, "route add default via 10.0.0.2", "rule add prohibit to 10.0.0.0/24 priority 5")
    lines = survives(router)
    assert "route add default via 10.0.0.2 dev p0" in lines
    assert lines[-1] == "rule add to 10.0.0.0/24 priority 5 prohibit"
    router.stop()


def test_a_gateway_that_was_an_own_address(router):
    start(router, "addr add 10.0.0.9/32 dev p0", "route add 10.5.0.0/16 via 10.0.0.9",
          "addr del 10.0.0.9/32 dev p0", "route add 10.6.0.0/16 via 10.0.0.1",
          "route add 10.7.0.0/16 via 10.0.0.8", "addr add 10.0.0.8/32 dev p0")
    lines = survives(router)
    assert "route add 10.5.0.0/16 via 10.0.0.9 dev p0 resolved direct" in lines
    assert "route add 10.6.0.0/16 via 10.0.0.1 dev p0" in lines
    assert "route add 10.7.0.0/16 via 10.0.0.8 dev p0 resolved gateway" in lines
    assert router.show("route show 10.7.0.0/16")[0]["gateway"] == "10.0.0.8"
    assert router.show("route show 10.5.0.0/16")[0]["gateway"] == "10.0.0.9"
    assert "gateway" not in router.show("route get 10.5.0.1")[0]
    router.stop()


def test_a_source_that_has_gone(router):
    start(router, "addr add 10.8.0.1/32 dev lo",
          "route add 10.5.0.0/16 dev p0 src 10.8.0.1 table 100",
          "route add 10.6.0.0/16 via 10.0.0.2 src 10.8.0.1 table 100",
          "route add 10.7.0.0/16 via 10.0.0.2 src 10.8.0.1",
          "route add 10.8.0.0/16 dev p0 src 10.0.0.1", "addr del 10.8.0.1/32 dev lo")
    lines = survives(router)
    assert "route add 10.5.0.0/16 dev p0 table 100 src 10.8.0.1 resolved direct" in lines
    assert ("route add 10.6.0.0/16 via 10.0.0.2 dev p0 table 100 src 10.8.0.1 resolved gateway"
            in lines)
    assert "route add 10.8.0.0/16 dev p0 src 10.0.0.1" in lines
    assert not any("10.7.0.0" in line for line in lines)
    router.stop()


def test_sources_among_local_routes(router):
    start(router, "route add local 10.7.0.0/16 dev lo", "route add local 10.6.0.1 dev lo",
          "route add 10.5.0.0/16 dev p0 src 10.7.0.1", "route add 10.4.0.0/16 dev p0 src 10.6.0.1",
          "route add 10.3.0.0/16 via 10.0.0.2 src 10.6.0.1", "route add 10.7.0.0/24 via 10.0.0.2",
          "route add 10.2.0.0/16 via 10.0.0.2 src 127.0.0.1")
    lines = survives(router)
    assert "route add 10.3.0.0/16 via 10.0.0.2 dev p0 src 10.6.0.1" in lines
    assert "route add 10.2.0.0/16 via 10.0.0.2 dev p0 src 127.0.0.1" in lines
    router.stop()


def test_onlink(router):
    start(router, "route add 10.5.0.0/16 via 192.0.2.1 dev p0 onlink",
          "route add 10.6.0.0/16 via 192.0.2.2 dev p0 onlink", "addr add 192.0.2.2/32 dev lo",
          "route add 10.7.0.0/16 nexthop via 192.0.2.3 dev p0 onlink nexthop via 10.0.1.2")
    lines = survives(router)
    assert "route add 10.5.0.0/16 via 192.0.2.1 dev p0 onlink" in lines
    assert "route add 10.6.0.0/16 via 192.0.2.2 dev p0 onlink resolved gateway" in lines
    assert ("route add 10.7.0.0/16 nexthop via 192.0.2.3 dev p0 onlink nexthop via 10.0.1.2 dev p1"
            in lines)
    router.stop()


def test_several_ways_of_which_some_are_dead(router):
    start(router, "route add 10.5.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.1.2",
          "route add 10.6.0.0/16 nexthop dev p1 nexthop dev p2",
          "link set p1 down", "addr del 10.0.2.1/24 dev p2",
          "route add 10.7.0.0/16 nexthop dev p0 nexthop dev p2")
    lines = survives(router)
    assert ("route add 10.5.0.0/16 nexthop via 10.0.0.2 dev p0 weight 3"
            " nexthop via 10.0.1.2 dev p1 resolved gateway dead" in lines)
    ways = router.show("route show 10.5.0.0/16")[0]["nexthops"]
    assert [way["flags"] for way in ways] == [[], ["dead", "linkdown"]]
    router.ctl("link set p1 up")
    ways = router.show("route show 10.5.0.0/16")[0]["nexthops"]
    assert [way["flags"] for way in ways] == [[], []]
    router.stop()


def test_a_way_that_is_dead_while_its_link_is_up(router):
    start(router, "route add 10.5.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.2.2",
          "addr del 10.0.2.1/24 dev p2")
    survives(router)
    assert (router.show("route show 10.5.0.0/16")[0]["nexthops"][1]["flags"]
            == ["dead", "linkdown"])
    router.ctl("addr add 10.0.2.1/24 dev p2")
    assert router.show("route show 10.5.0.0/16")[0]["nexthops"][1]["flags"] == []
    router.stop()


def test_as_many_ways_as_there_can_be(router):
    ways = " ".join(f"nexthop via 10.0.0.{2 + i} dev p0 weight {i + 2} onlink" for i in range(128))
    start(router, f"route add 10.5.0.0/16 {ways}", "addr add 10.0.0.20/32 dev lo",
          "addr add 10.1.0.1/24 dev p0")
    assert survives(router)[-1].count("nexthop") == 128
    router.stop()


def test_links_without_carrier(router):
    start(router, f"link add m type dpdk devargs net_memif0,role=server,"
          f"socket={router.directory}/m,socket-abstract=no address 02:00:00:00:07:01",
          "addr add 10.7.0.1/24 dev m", "link set m up", "route add 10.5.0.0/16 via 10.7.0.2",
          "route add 10.6.0.0/16 nexthop via 10.7.0.2 nexthop via 10.0.0.2",
          "sysctl net.ipv4.conf.m.ignore_routes_with_linkdown=1")
    lines = survives(router)
    assert router.show("route show 10.5.0.0/16")[0]["flags"] == ["linkdown"]
    assert "route add 10.5.0.0/16 via 10.7.0.2 dev m" in lines
    assert "route add 10.6.0.0/16 nexthop via 10.7.0.2 dev m nexthop via 10.0.0.2 dev p0" in lines
    router.stop()


def test_neighbours(router):
    start(router, "link set p2 down",
          *(f"neigh add 10.0.{n}.5 lladdr 02:00:00:00:00:05 dev p{n}" for n in range(3)),
          "neigh add 10.0.0.6 lladdr 02:00:00:00:00:06 dev p0 nud stale")
    assert sum("neigh add" in line for line in survives(router)) == 3
    router.stop()


def test_what_is_refused(router):
    start(router)
    for line, word in (
            ("route add 10.5.0.0/16 via 10.0.0.2 resolved gateway", "dev NAME"),
            ("route add 10.5.0.0/16 dev p0 resolved gateway", "via ADDR"),
            ("route add 10.5.0.0/16 dev p0 resolved maybe", '"maybe"'),
            ("route add unreachable 10.5.0.0/16 resolved direct", "unreachable"),
            ("route add local 10.5.0.1 via 10.0.0.2 dev p0 resolved gateway", "host scope"),
            ("route add 10.5.0.0/16 resolved direct nexthop dev p0 nexthop dev p1", "resolved"),
            ("route add 10.5.0.0/16 nexthop dev p0 dead", "dead"),
            ("route add 10.5.0.0/16 nexthop dev p0 dead nexthop dev p1 dead", "dead")):
        assert word in router.refusal(line), line
    router.ctl("link set p0 down")
    assert "p0" in router.refusal("route add 10.5.0.0/16 via 10.9.9.9 dev p0 resolved gateway")
    router.stop()


# ---- routes that come by themselves ----

def test_the_operators_routes_of_the_protocol_kernel(router):
    start(router, "route add 10.77.0.0/16 via 10.0.1.2 proto kernel",
          "route add local 10.78.0.1 dev lo proto kernel",
          "route append 10.0.0.0/24 via 10.0.1.2 proto kernel")
    lines = survives(router)
    assert lines[-3:] == ["route add local 10.78.0.1 dev lo proto kernel",
                          "route append 10.0.0.0/24 via 10.0.1.2 dev p1 proto kernel",
                          "route add 10.77.0.0/16 via 10.0.1.2 dev p1 proto kernel"]
    router.stop()


def test_connected_routes_that_were_deleted(router):
    start(router, "route del 10.0.1.0/24", "route del local 10.0.0.1",
          "route del broadcast 10.0.2.255", "route replace 10.0.2.0/24 via 10.0.0.2")
    lines = survives(router)
    assert "route del 10.0.1.0/24 dev p1 proto kernel src 10.0.1.1" in lines
    assert "route del local 10.0.0.1 dev p0 proto kernel src 10.0.0.1" in lines
    assert "route add 10.0.2.0/24 via 10.0.0.2 dev p0" in lines
    router.stop()


def test_the_order_of_routes_to_the_same_subnet(router):
    start(router, "addr add 10.3.0.1/24 dev p1", "addr add 10.3.0.2/24 dev p0",
          "route prepend 10.0.0.0/24 dev p1", "route prepend 10.0.0.0/24 dev p2",
          "route append 10.0.0.0/24 via 10.0.1.2", "route add 10.4.0.0/16 dev p2",
          "route append 10.4.0.0/16 via 10.0.0.2", "route append 10.4.0.0/16 dev p1",
          "route append unreachable 10.5.0.0/16", "route prepend 10.5.0.0/16 via 10.0.0.2")
    before = [(r["dst"], r["dev"]) for r in router.show("route show 10.3.0.0/24")]
    lines = survives(router)
    assert before == [("10.3.0.0/24", "p1"), ("10.3.0.0/24", "p0")]
    assert "route del 10.3.0.0/24 dev p0 proto kernel src 10.3.0.2" in lines
    assert "route append 10.3.0.0/24 dev p0 proto kernel src 10.3.0.2" in lines
    router.stop()


def test_the_order_of_addresses(router):
    start(router, "addr add 10.0.0.9/24 dev p0", "addr add 10.2.0.1/24 dev p0",
          "addr add 10.0.0.8/24 dev p0", "addr add 127.1.0.1/16 dev p0",
          "addr add 127.2.0.1/16 dev p0", "addr add 10.2.0.2/24 dev p0",
          "addr add 10.0.0.1/24 dev p1", "addr add 10.0.0.1/25 dev p0")
    survives(router)
    router.stop()


@pytest.mark.parametrize("commands", [
    ["addr del 127.0.0.1/8 dev lo"],
    ["addr add 127.0.0.1/32 dev lo", "addr del 127.0.0.1/8 dev lo"],
    ["addr del 127.0.0.1/8 dev lo", "addr add 127.0.0.2/8 dev lo", "addr add 127.0.0.1/8 dev lo"],
    ["addr add 10.9.0.1/24 dev lo", "link set lo down"],
    ["link set lo down", "addr add 10.9.0.1/24 dev lo", "addr add 10.0.0.1/32 dev lo"],
    ["link set lo down", "link set lo up", "addr add 10.9.0.1/24 dev lo"]])
def test_lo(router, commands):
    start(router, *commands)
    survives(router)
    router.stop()


# ---- rules, limits, queues ----

def test_a_rule_before_one_of_the_start(router):
    start(router, "rule del priority 32766", "rule add from 10.0.0.0/8 table 5 priority 32766",
          "rule add table main priority 32766", "rule del priority 32767", "rule del priority 0",
          "rule add table local priority 10")
    survives(router)
    router.stop()


def test_rules_that_were_changed_and_are_no_more(router):
    start(router, "route add local 10.5.0.0/16 dev lo", "route add 10.5.1.0/24 via 10.0.0.2")
    assert "gateway" in router.show("route get 10.5.1.1")[0]
    router.batch(["rule add to 10.9.0.0/16 table 100", "rule del to 10.9.0.0/16"])
    assert router.show("route get 10.5.1.1")[0]["type"] == "local"
    survives(router)
    assert router.show("route get 10.5.1.1")[0]["type"] == "local"
    router.stop()


def test_settings_of_neighbours(router):
    start(router, "sysctl net.ipv4.neigh.default.locktime=7",
          "sysctl net.ipv4.neigh.p1.locktime=100", "sysctl net.ipv4.neigh.p2.locktime=7",
          "sysctl net.ipv4.neigh.default.locktime=8")
    assert [line for line in survives(router) if "locktime" in line] == [
        "sysctl net.ipv4.neigh.default.locktime=8", "sysctl net.ipv4.neigh.p1.locktime=100",
        "sysctl net.ipv4.neigh.p2.locktime=7"]
    router.ctl("sysctl net.ipv4.neigh.default.locktime=9")
    assert router.show("sysctl net.ipv4.neigh.p0.locktime") == {"net.ipv4.neigh.p0.locktime": 9}
    router.stop()


def test_limits_below_what_there_is(router):
    limits = ["sysctl net.millrace.filter_rules_max=1", "sysctl net.millrace.route_tables_max=3",
              "sysctl net.millrace.rules_max=4"]
    start(router, "rule add to 10.9.0.0/16 table 100", "rule add to 10.10.0.0/16 table 101",
          "route add 10.9.0.0/16 dev p0 table 102", "filter add forward ip ttl 5 drop",
          "filter add input ip ttl 5 drop", "filter add input ip ttl 6 drop", *limits)
    assert survives(router)[-3:] == limits
    router.stop()


def test_limits_above_what_there_is(router):
    limits = ["sysctl net.millrace.filter_rules_max=2", "sysctl net.millrace.route_tables_max=4",
              "sysctl net.millrace.rules_max=5"]
    start(router, "rule add to 10.9.0.0/16 table 100", "rule add to 10.10.0.0/16 table 100",
          "filter add input ip ttl 5 drop", "filter add input ip ttl 6 drop", *limits)
    assert survives(router)[1:4] == limits
    router.stop()


def test_queues_after_links_were_deleted(router):
    def owners():
        return {(q["dev"], q["queue"]): w["id"] for w in router.show("worker show")
                for q in w["queues"]}

    start(router, "link del p0", "link add p3 type dpdk devargs net_null3,no-rx=1 rxq 3",
          "link add p4 type dpdk devargs net_null4,no-rx=1", "worker set 1 dev p4 rxq 0",
          words=("-w", "3"))
    before = owners()
    router.ctl(f"config save {router.directory}/saved.conf")
    router.stop()
    router.start((), "-w", "3", "-c", f"{router.directory}/saved.conf")
    assert owners() == before
    router.stop()


# ---- by chance ----

class Chance:
    """Commands of which many are refused, and some change what those before were found by."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.random.random()

    def one(self, *choices):
        return self.random.choice(choices)

    def maybe(self, probability, word):
        return " " + word if self.random.random() < probability else ""

    def prefix(self):
        return self.one(f"10.{self.random.randrange(20, 26)}.0.0/16", "10.20.1.128/25", "default",
                        f"10.20.{self.random.randrange(4)}.0/24", "10.0.1.0/24", "10.0.0.0/24",
                        f"10.20.1.{self.random.randrange(4)}", "10.0.2.1", "10.0.7.0/24")

    def address(self):
        return self.one(f"10.0.{self.random.randrange(3)}.{self.one(1, 1, 9, 77)}",
                        f"10.0.7.{self.random.randrange(1, 4)}", "127.0.0.1", "10.20.1.1")

    def gateway(self):
        return self.one(f"10.0.{self.random.randrange(3)}.{self.random.randrange(2, 6)}",
                        f"10.20.1.{self.random.randrange(4)}", "10.0.7.2", self.address())

    def dev(self):
        return f"dev p{self.random.randrange(3)}"

    def options(self):
        return (self.maybe(.3, f"metric {self.one(1, 5, 4294967295)}")
                + self.maybe(.2, f"mtu {self.one('', 'lock ')}{self.one(68, 1400, 65535)}")
                + self.maybe(.1, f"hoplimit {self.one(1, 255)}")
                + self.maybe(.25, f"src {self.address()}")
                + self.maybe(.2, f"tos {self.one('0x10', 'AF11', '0x04')}")
                + self.maybe(.35, f"table {self.one(100, 101, 'default', 'local', 4000000000)}")
                + self.maybe(.3, f"proto {self.one('static', 'kernel', 99)}")
                + self.maybe(.15, f"scope {self.one('global', 'link', 'host', 200)}"))

    def way(self):
        return (f" nexthop{self.maybe(.8, f'via {self.gateway()}')}{self.maybe(.6, self.dev())}"
                f"{self.maybe(.3, f'weight {self.random.randrange(1, 257)}')}"
                f"{self.maybe(.2, 'onlink')}")

    def route(self):
        verb = self.one("add", "replace", "append", "prepend", "change", "add", "append")
        to = self.random.choices([
            f"{self.prefix()} via {self.gateway()}{self.maybe(.4, self.dev())}"
            f"{self.maybe(.2, 'onlink')}",
            f"{self.prefix()} {self.dev()}",
            f"{self.one('unreachable', 'blackhole', 'prohibit', 'throw')} {self.prefix()}",
            f"{self.one('local', 'broadcast')} {self.prefix()} dev {self.one('lo', 'p0', 'p1')}",
        ], [8, 4, 2, 2])[0]
        if self.random.random() < .2:
            ways = "".join(self.way() for _ in range(self.random.randrange(1, 4)))
            return f"route {verb} {self.prefix()}{self.options()}{ways}"
        return f"route {verb} {to}{self.options()}"

    def less(self):
        return self.one(f"route del {self.prefix()}", f"route del {self.prefix()} table local",
                        f"route del {self.prefix()} table 100",
                        f"rule del priority {self.one(0, 32766, 32767, 100, 5)}",
                        f"route flush table {self.one('local', 100, 'default')} {self.dev()}")

    def rule(self):
        what = self.one("", "from 10.20.0.0/16", "to 10.0.7.0/24", "to 10.20.0.0/16",
                        "not to 10.21.0.0/16", "iif p0", "iif nolink", "tos 0x10",
                        "fwmark 0x10/0xf0")
        place = self.maybe(.5, f"priority {self.one(0, 1, 100, 32766, 32767, 4294967295)}")
        return (f"rule add {what}{place} "
                + self.one("table 100", "table main", "table local", "prohibit", "blackhole",
                           "table 101"))

    def addr(self):
        return (f"addr {self.one('add', 'add', 'del')} {self.address()}/{self.one(24, 24, 32, 25)}"
                f" dev {self.one('p0', 'p1', 'p2', 'lo')}")

    def link(self):
        return (f"link set {self.one('p0', 'p1', 'p2', 'p0', 'p1', 'p2', 'lo')} "
                + self.one("up", "up", "down", "mtu 9000", "address 02:00:00:00:77:01",
                           "promisc on"))

    def neigh(self):
        return (f"neigh {self.one('add', 'replace')} {self.gateway()} lladdr 02:00:00:00:00:07 "
                f"{self.dev()} nud {self.one('permanent', 'stale')}")

    def sysctl(self):
        key = self.one("ipv4.conf.p0.rp_filter", "ipv4.conf.all.forwarding", "ipv4.ip_forward",
                       "ipv4.conf.default.forwarding", "ipv4.conf.p1.forwarding",
                       "ipv4.neigh.p0.locktime", "ipv4.neigh.default.locktime",
                       "ipv4.ipfrag_low_thresh", "ipv4.conf.p1.ignore_routes_with_linkdown",
                       "millrace.rules_max", "millrace.route_tables_max",
                       "millrace.filter_rules_max")
        return f"sysctl net.{key}={self.one(0, 1, 2, 3, 5, 300)}"

    def filter(self):
        where = self.one("prerouting", "input", "forward", "output", "postrouting")
        what = self.one("ip saddr 10.0.0.0/8", "tcp dport { 22, 80-90 }", 'iifname != "p*"',
                        "icmp type echo-request", "limit rate 5/second", "meta mark & 0xff == 7")
        return self.one(f"filter add {where} {what} {self.one('accept', 'drop', 'counter')}",
                        f"filter policy {where} {self.one('drop', 'accept')}")

    def command(self):
        kinds = {self.route: 50, self.less: 9, self.rule: 8, self.addr: 12, self.link: 6,
                 self.neigh: 5, self.sysctl: 6, self.filter: 4}
        return self.random.choices(list(kinds), list(kinds.values()))[0]()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_commands_by_chance(router, seed):
    chance = Chance(seed)
    router.start(BASE)
    commands = [chance.command() for _ in range(COMMANDS)]
    router.ctl_raw("-f", "-b", "-", stdin="\n".join(commands) + "\n")
    survives(router)
    router.stop()
