"""What `show` and `flush` commands select: the same as iproute2's of the same words, of the same
routes, neighbours and addresses in a namespace. iproute2 leaves out of its lines what it was asked
for; all else of them must be the same."""

import json

import pytest

from netns import Namespace
from router import Router

COMMANDS = ["link set p0 up", "link set p1 up",
            "addr add 10.0.0.1/24 dev p0", "addr add 10.1.0.1/24 dev p1",
            "addr add 10.1.0.5/24 dev p1", "addr add 10.2.0.1/24 dev p2",
            "route add default via 10.0.0.2",
            "route add 10.0.0.0/8 via 10.0.0.3",
            "route add 10.9.0.0/16 via 10.1.0.3 proto static",
            "route add 10.9.0.0/16 via 10.1.0.3 tos AF11",
            "route add 10.9.0.0/16 via 10.0.0.4 metric 9",
            "route add 10.9.1.0/24 via 10.1.0.3 proto bird metric 5",
            "route add 10.9.1.0/25 via 10.1.0.4 mtu 1300",
            "route add 10.9.1.7 nexthop via 10.1.0.3 nexthop via 10.0.0.3 weight 2",
            "route add unreachable 10.10.0.0/16",
            "route add throw 10.10.1.0/24",
            "route add blackhole 10.11.0.0/16 table 100",
            "route add 10.9.2.0/24 via 10.1.0.3 table 100",
            "route add 10.12.0.0/16 dev p1 src 10.1.0.5",
            "route add 0.0.0.0/1 via 10.1.0.3"]
NEIGHBOURS = ["neigh add 10.0.0.5 lladdr 02:00:00:00:00:05 dev p0",
              "neigh add 10.0.0.6 lladdr 02:00:00:00:00:06 dev p0 nud stale",
              "neigh add 10.1.0.5 lladdr 02:00:00:00:00:07 dev p1 nud permanent",
              "neigh add 10.1.0.6 lladdr 02:00:00:00:00:08 dev p1 nud stale",
              "neigh add 10.1.0.7 lladdr 02:00:00:00:00:09 dev p1 nud reachable"]
KEY = {"dev": "dev", "oif": "dev", "via": "gateway", "type": "type", "proto": "protocol",
       "scope": "scope", "src": "prefsrc", "metric": "metric", "tos": "tos"}
ROUTES = ["", "root 10.9.0.0/16", "match 10.9.1.7", "match 10.9.1.0/24", "exact 10.9.0.0/16",
          "10.9.0.0/16", "to 10.9.0.0/16", "to root 10.9.0.0/16", "to match 10.9.1.7",
          "to exact 10.9.0.0/16", "root 10.9.1.0/24 match 10.9.1.7", "root 10/8 match 10.9.1.0/24",
          "match 10.9.1.0/24 root 10/8", "root 10.9.7.7/16", "match 10.9.1.7/16", "10.9.7.7/16",
          "root default", "match default", "default", "exact any", "root any", "match all",
          "match 0.0.0.0", "match 0/0", "root 0/1", "exact 0/1", "match 255.255.255.255", "10.9",
          "match 10.9", "10.99.0.0/16", "root 10.99.0.0/16",
          "dev p0", "dev p1", "dev p2", "dev lo", "via 10.1.0.3", "via 10.1/16", "via 10.1.7.7/16",
          "via 0.0.0.0", "via any", "via 10.0.0.99", "type unicast", "type unreachable",
          "type throw", "type blackhole", "type local", "proto static", "proto kernel",
          "proto boot", "protocol 12", "scope link", "scope global", "scope 253", "scope host",
          "src 10.1.0.5", "src 10.1.0.0/16", "src 0.0.0.0", "src 0/0", "metric 0", "metric 5",
          "tos 0", "tos AF11", "tos 0x28", "dsfield 0x20", "root 10.9/16 dev p1",
          "match 10.9.1.7 via 10.1.0.3", "root 10.9/16 proto static", "dev p0 metric 9",
          "root 10.9/16 type unicast via 10.0.0.4", "table local", "table local type local",
          "table local root 10/8", "table local match 10.1.0.1", "table 100",
          "table 100 root 10.9/16", "table all", "table all match 10.1.0.1", "table all dev lo",
          "table all type blackhole", "table all root 10.11/16", "table all 10.9.2.0/24",
          "table all proto kernel scope link"]
NEIGH = ["", "to 10.0.0.0/24", "10.0.0.5", "to 10.0.0.5", "10.1/16 nud reachable",
         "to 10.0.0.7/24", "to default", "to any", "nud permanent", "nud stale",
         "nud stale nud permanent", "nud reachable nud stale dev p1", "nud all", "nud none",
         "nud noarp", "nud failed", "nud incomplete nud delay nud probe", "dev p0",
         "dev p1 nud stale", "dev p1 to 10.0.0.0/24", "dev p2", "to 10.9.0.0/16"]
ADDR = ["", "to 10.0.0.0/8", "to 10.1.0.0/30", "to 10.1.0.1", "to 10.1.0.7/29", "to any", "up",
        "p1 to 10.1.0.5", "p1 to 10.7/16", "dev p1 up", "p2 up", "up to 10.2.0.0/16", "up p1",
        "up to 10/8", "to 127.0.0.0/8"]
LINK = ["up", "p1 up", "p2 up", "up dev p1", "up dev p2"]


@pytest.fixture(scope="module")
def linux():
    made = Namespace()
    made.quiet()
    for number in range(3):
        made.ip(f"link add p{number} type veth peer name q{number}", f"link set q{number} up")
    made.ip(*COMMANDS, *NEIGHBOURS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    made = Router(tmp_path_factory.mktemp("selectors"))
    try:
        yield made.start([f"link add p{n} type dpdk devargs net_null{n},no-rx=1" for n in range(3)]
                         + COMMANDS + NEIGHBOURS)
        made.stop()
    finally:
        made.kill()


def of_linux(linux, noun, words):
    """Records as JSON; empty ones are what iproute2 makes of those that it leaves out."""
    shown = linux.run("ip", "-4", "-j", noun, "show", *words.split()).stdout
    return [r for r in json.loads(shown or "[]") if r]


@pytest.mark.parametrize("words", ROUTES)
def test_routes(linux, router, words):
    theirs = of_linux(linux, "route", words)
    ours = router.show(f"route show {words}")
    if "all" not in words:        # in which order tables come is another matter
        assert [r["dst"] for r in ours] == [r["dst"] for r in theirs if "dst" in r]
    left_out = {KEY[word] for word in words.replace("protocol", "proto").replace("dsfield", "tos")
                .split() if word in KEY}
    for route in theirs:
        same = [r for r in ours if {k: v for k, v in r.items() if k not in left_out}
                == {k: v for k, v in route.items() if k not in left_out}]
        assert same, (route, ours)
        ours.remove(same[0])
    assert ours == []


@pytest.mark.parametrize("words", NEIGH)
def test_neighbours(linux, router, words):
    theirs = of_linux(linux, "neigh", words)
    ours = router.show(f"neigh show {words}")
    assert sorted((n["dst"], n["lladdr"], n["state"]) for n in ours) \
        == sorted((n["dst"], n["lladdr"], n["state"]) for n in theirs)
    assert len(router.ctl(f"neigh show {words}").splitlines()) == len(ours)


@pytest.mark.parametrize("words", ADDR)
def test_addresses(linux, router, words):
    def told(links):
        return sorted((link["ifname"], a["local"], a["prefixlen"], a.get("secondary", False))
                      for link in links for a in link["addr_info"] if a)

    ours = router.show(f"addr show {words}")
    assert told(ours) == told(of_linux(linux, "addr", words))
    assert all(link["addr_info"] for link in ours)
    assert router.ctl(f"addr show {words}").count(" inet ") == len(told(ours))


@pytest.mark.parametrize("words", LINK)
def test_links(linux, router, words):
    theirs = {link["ifname"] for link in of_linux(linux, "link", words)}
    ours = {link["ifname"] for link in router.show(f"link show {words}")}
    assert ours == {name for name in theirs if name[0] != "q"}


@pytest.mark.parametrize("line, word", [
    ("route show root", "root"), ("route show root nowhere", "nowhere"),
    ("route show match 10.0.0.0/33", "10.0.0.0/33"), ("route show to exact x", "x"),
    ("route show to root", "root"), ("route show root 10/8 root 11/8", "root"),
    ("route show 10.0.0.0/8 match 10.9.1.7", "match"), ("route show root 10/8 exact 10/8", "root"),
    ("route show via 10.0.0.0.1", "10.0.0.0.1"), ("route show type nat", "nat"),
    ("route show tos 0x100", "0x100"), ("route show scope 256", "256"),
    ("route show cache proto static", "proto"), ("route show dev p9", "p9"),
    ("route get 10.9.1.7/24", "10.9.1.7/24"), ("route get 10.9.1.7/33", "10.9.1.7/33"),
    ("neigh show nud happy", "happy"), ("neigh show nud", "nud"), ("neigh show p0", "p0"),
    ("neigh show to 10.0.0.0/40", "10.0.0.0/40"), ("neigh show nud stale nud happy", "happy"),
    ("addr show to nowhere", "nowhere"), ("addr show to", "to"), ("addr show up up", "up"),
    ("link show up down", "down"), ("link show up p9", "p9"),
])
def test_refused(router, line, word):
    assert word in router.refusal(line)


def test_a_single_address_may_say_so(router):
    assert router.show("route get 10.9.1.7/32") == router.show("route get 10.9.1.7")
    assert router.show("route get to 10.1/255.255.255.255") == router.show("route get 10.1.0.0")


# ---- flush ----

# What flush has taken away: links' own routes come back with their addresses.
RESTORE = ["route flush table all", "addr del 127.0.0.1/8 dev lo", "addr add 127.0.0.1/8 dev lo",
           "addr del 10.0.0.1/24 dev p0", "addr del 10.1.0.1/24 dev p1",
           "addr del 10.2.0.1/24 dev p2",
           *(command for command in COMMANDS if not command.startswith("link"))]


def both(linux, router, *lines):
    linux.ip(*lines)
    router.batch(lines)


def assert_same_routes(theirs, ours):
    assert len(ours) == len(theirs)
    assert [route for route in theirs if route not in ours] == []


@pytest.mark.parametrize("words", [*ROUTES[1:], "dev p1 via 10.1.0.3 metric 5", "type local",
                                   "table local type broadcast", "table all via 10.1.0.3"])
def test_routes_are_flushed(linux, router, words):
    before = router.show("route show table all")
    picked = router.show(f"route show {words}")
    linux.run("ip", "-4", "route", "flush", *words.split())
    router.ctl(f"route flush {words}")
    try:
        ours = router.show("route show table all")
        assert_same_routes(of_linux(linux, "route", "table all"), ours)
        assert len(ours) == len(before) - len(picked)
        assert router.show(f"route show {words}") == []
    finally:
        both(linux, router, *RESTORE)
    assert_same_routes(of_linux(linux, "route", "table all"), router.show("route show table all"))
    assert router.show("route show table all") == before


@pytest.mark.parametrize("words", [*NEIGH, "all"])
def test_neighbours_are_flushed(linux, router, words):
    linux.run("ip", "-4", "neigh", "flush", *(words or "all").split())
    router.ctl(f"neigh flush {words}")
    try:
        theirs, ours = ({(n["dst"], n["dev"]) for n in shown if "NOARP" not in n["state"]}
                        for shown in (of_linux(linux, "neigh", "nud all"),
                                      router.show("neigh show nud all")))
        assert ours == theirs
    finally:
        both(linux, router, *(line.replace(" add ", " replace ") for line in NEIGHBOURS))


@pytest.mark.parametrize("words", ["10.0.0.5 dev p0", "to 10.0.0.6 dev p0", "dev p1 10.1.0.6"])
def test_one_neighbour(linux, router, words):
    theirs = linux.run("ip", "neigh", "get", *words.split()).stdout
    assert router.ctl(f"neigh get {words}") == theirs
    [one] = router.show(f"neigh get {words}")
    assert one in router.show(f"neigh show dev {one['dev']}")
    assert "probes" in router.ctl(f"neigh get {words} -s")


@pytest.mark.parametrize("line, word", [
    ("route flush", "table"), ("route flush 10.0.0.0/8 root 10/8", "root"),
    ("route flush dev p9", "p9"), ("route flush proto", "proto"),
    ("neigh flush p0", "p0"), ("neigh flush nud happy", "happy"),
    ("neigh get 10.0.0.99 dev p0", "10.0.0.99"), ("neigh get 10.0.0.5 dev p1", "10.0.0.5"),
    ("neigh get 10.0.0.5", "dev"), ("neigh get dev p0", "ADDRESS"),
    ("neigh get 10.0.0.5/32 dev p0", "10.0.0.5/32"), ("route get 10.9.1.7 oif p9", "p9"),
])
def test_flush_and_get_refused(linux, router, line, word):
    def all_there_is():
        """As text, which has no ages that grow while the test looks."""
        return router.ctl("route show table all"), router.ctl("neigh show")
    both(linux, router, *(words.replace(" add ", " replace ") for words in NEIGHBOURS))
    before = all_there_is()
    assert "10.0.0.5" in before[1]
    assert word in router.refusal(line)
    assert all_there_is() == before
