"""What `config save` writes leads to the same state again."""

import pytest

BASE = (["sysctl millrace.mbufs=4096"]
        + [f"link add p{n} type dpdk devargs net_null{n},no-rx=1 address 02:00:00:00:00:0{n}"
           for n in range(3)]
        + ["addr add 10.0.0.1/24 dev p0", "addr add 10.0.1.1/24 dev p1",
           "addr add 10.0.1.77/24 dev p1", "addr add 10.0.2.1/24 dev p2",
           "link set p0 up", "link set p1 up", "link set p2 up"])
def state(router):
    """All that is to survive."""
    links = router.show("link show")
    for link in links:
        del link["stats64"]
    return {"config": router.show("config show"), "links": links,
            "routes": router.show("route show table all"), "rules": router.show("rule show"),
            "addresses": router.show("addr show"), "filter": router.show("filter show"),
            "sysctls": router.show("sysctl -a"),
            "neighbours": [(n["dev"], n["dst"], n["lladdr"]) for n in router.show("neigh show")
                           if n["state"] == ["PERMANENT"]]}


def survives(router):
    """Save, start from what is saved, and compare; the lines of it."""
    saved = router.directory / "saved.conf"
    router.ctl(f"config save {saved}")
    before = state(router)
    router.stop()
    router.start((), "-c", str(saved))
    after = state(router)
    for key in before:
        assert after[key] == before[key], key
    return before["config"]


def start(router, *commands, words=()):
    """A router with three links to which these commands were given one by one."""
    router.start(BASE, *words)
    router.batch(commands)
    return router


# ---- routes that are found otherwise now, or not at all ----

def test_as_many_ways_as_there_can_be(router):
    ways = " ".join(f"nexthop via 10.0.0.{2 + i} dev p0 weight {i + 2} onlink" for i in range(128))
    start(router, f"route add 10.5.0.0/16 {ways}", "addr add 10.0.0.20/32 dev lo",
          "addr add 10.1.0.1/24 dev p0")
    assert survives(router)[-1].count("nexthop") == 128
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
