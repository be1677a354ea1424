"""Rule H2: the mark that filter rules put on packets, and the ways that rules choose by it."""

import shutil

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.k_defrag import cut, data

MISSING = "" if shutil.which("nft") else "nft is not installed"
TABLES = ("route add default via 10.0.1.254 table 10",
          "route add default via 10.0.2.254 table 20",
          "route add default via 10.0.3.254 table 30",
          "route add 20.0.0.0/8 via 10.0.3.3")
SENTINELS = ("rule add to 198.18.0.0/15 priority 1 table main",)
QUIET = ("sysctl net.ipv4.icmp_ratemask=0",)


def marked(name, *setup, **details):
    def register(story):
        def with_counters(s):
            story(s)
            s.filter_counters()
        return scenario(name, "H2", missing=MISSING, setup=TABLES + SENTINELS + QUIET + setup,
                        **details)(with_counters)
    return register


MARKS = (0, 1, 2, 3, 0x10, 0x11, 0x1f, 0x110, 0x80000000, 0xffffffff)


def by_port(point="prerouting"):
    """A filter rule for each mark, which packets to ports from 6000 on get."""
    return tuple(f"filter add {point} udp dport {6000 + index} counter mark set {mark:#x}"
                 for index, mark in enumerate(MARKS))


def with_marks(s, src=H0, dst="20.1.0.1", port="p0", **details):
    s.send(port, *(udp(src, dst, dport=6000 + index, **details)
                   for index in range(len(MARKS) + 1)))


RULES = (("fwmark 0x10",), ("fwmark 16",), ("fwmark 020",), ("fwmark 0x10/0xff",),
         ("fwmark 0x10/0x10",), ("fwmark 0/0xf",), ("fwmark 0",), ("fwmark 0x10/0",),
         ("fwmark 0x110/0xff",), ("not fwmark 0x10",), ("not fwmark 0/0xf0",),
         ("fwmark 0xffffffff",), ("fwmark 0x80000000/0x80000000",),
         ("fwmark 0x11 from 10.0.0.2",), ("fwmark 0x11 from 10.0.0.3",),
         ("fwmark 1 iif p0", "fwmark 2 iif p1"), ("fwmark 3 tos 0x10",),
         ("fwmark 1/1 unreachable", "fwmark 2/2 prohibit"), ("fwmark 0x1f blackhole",))

for several in RULES:
    @marked("a mark chooses the table: " + ", ".join(several), *by_port(), *(
        f"rule add {rule} to 20.0.0.0/8 priority {10 + index}"
        + ("" if rule.endswith(("able", "it", "hole")) else f" table {10 + 10 * index}")
        for index, rule in enumerate(several)))
    def selector(s):
        with_marks(s)
        with_marks(s, tos=0x10)
        with_marks(s, J0, "20.2.0.1")
        with_marks(s, far("p1", 1), port="p1")


@marked("rules with marks are found and deleted as others are", *by_port())
def changed(s):
    for command in ("rule add fwmark 0x10/0xff to 20.0.0.0/8 table 10 priority 10",
                    "rule add fwmark 0x10 to 20.0.0.0/8 table 20 priority 10",
                    "rule add fwmark 0/0xf to 20.0.0.0/8 table 30 priority 20",
                    "rule del fwmark 0x10", "rule del fwmark 0x10/0xff",
                    "rule add fwmark 1 to 20.0.0.0/8 table 10",
                    "rule add fwmark 1/0xffffffff to 20.0.0.0/8 table 20 priority 19",
                    "rule del fwmark 0/0xf", "rule del fwmark 1"):
        s.run(command)
        with_marks(s)
    s.refused("rule add fwmark 1/0xffffffff to 20.0.0.0/8 table 20 priority 19",
              "rule del fwmark 5", "rule del fwmark 1/1", "rule add fwmark x table 10",
              "rule add fwmark 1/ table 10", "rule add fwmark 0x100000000 table 10",
              "rule add fwmark 1/2/3 table 10", "rule add fwmark 08 table 10",
              "rule add fwmark -1/ table 10")


@marked("rules are flushed", *by_port(),
        "rule add fwmark 1 to 20.0.0.0/8 priority 10 table 10",
        "rule add fwmark 2 to 20.0.0.0/8 priority 11 table 20",
        "rule add fwmark 3/0xff to 20.0.0.0/8 priority 12 table 30",
        "rule add from 10.0.0.2 to 20.0.0.0/8 priority 13 table 10",
        "rule add from 10.0.0.0/24 to 20.2.0.0/16 priority 14 table 20",
        "rule add not from 10.0.0.0/8 to 20.0.0.0/8 priority 15 table 10",
        "rule add iif p1 to 20.0.0.0/8 tos 0x10 priority 16 prohibit")
def flushed(s):
    for command in ("rule flush fwmark 2", "rule flush fwmark 3/0xf", "rule flush fwmark 3/0xff",
                    "rule flush from 10.0.0.0/25", "rule flush table 20",
                    "rule flush not to 20.0.0.0/6", "rule flush tos 0x10",
                    "rule flush priority 10", "rule flush iif p2"):
        s.run(command)
        with_marks(s)
        with_marks(s, J0, "20.2.0.1")
        with_marks(s, far("p1", 1), port="p1", tos=0x10)


@marked("all rules are flushed but those of priority 0", *by_port(),
        "rule add fwmark 1 to 20.0.0.0/8 priority 10 table 10", sentinel=None)
def flushed_all(s):
    def probe():
        for dst in (R0, H1, "20.1.0.1"):
            for dport in (6000, 6001):
                s.start("p0", udp(H0, dst, dport=dport))
                s.wait(0.05)
    for command in ("rule flush", "rule add table main priority 32766",
                    "rule add fwmark 1 table 20", "rule flush table 99",
                    "rule add from 10.0.0.2 priority 0 table 30", "rule flush"):
        s.run(command)
        probe()


@scenario("what flushes nothing leaves local and main one table", "H2", setup=(
    "route add local 20.2.0.0/16 dev lo", "route add 20.2.1.0/24 via 10.0.1.254"))
def nothing_flushed(s):
    for command in ("rule flush table 99", "rule flush priority 0", "rule flush fwmark 1"):
        s.run(command)
        s.send("p0", echo(H0, "20.2.1.1"), echo(H0, "20.2.0.1"))


@marked("a mark at output does not change the way any more", *by_port("output"),
        "filter add output icmp type { echo-reply, destination-unreachable, time-exceeded } "
        "counter mark set 0x10", "filter add output tcp flags rst counter mark set 0x10",
        "filter add postrouting mark 0x10 counter", "filter add postrouting mark 0 counter",
        "rule add fwmark 0x10 priority 10 table 10")
def at_output(s):
    s.send("p0", echo(H0, R0), tcp(H0, R0), udp(H0, R0), udp(H0, H1, ttl=1), udp(H0, UNREACHABLE))
    s.send("p0", echo("20.1.0.1", R0), tcp("20.1.0.1", R0), udp("20.1.0.1", R0))


@marked("a mark at forward comes too late", *by_port("forward"),
        "filter add postrouting mark 0x10 counter", "filter add postrouting mark != 0 counter",
        "rule add fwmark 0x10 priority 10 table 10")
def at_forward(s):
    with_marks(s)


for everywhere in (0, 1):
    for on_link in (0, 1):
        for rp_filter in (0, 1, 2):
            @marked(f"source validation by the mark: {everywhere}{on_link}, rp_filter {rp_filter}",
                    *by_port(), f"sysctl net.ipv4.conf.all.src_valid_mark={everywhere}",
                    f"sysctl net.ipv4.conf.p0.src_valid_mark={on_link}",
                    f"sysctl net.ipv4.conf.p0.rp_filter={rp_filter}",
                    f"sysctl net.ipv4.conf.p1.rp_filter={rp_filter}",
                    "route add default via 10.0.0.254 table 40",
                    "route add local 20.0.0.0/8 dev lo table 50",
                    "rule add fwmark 0x10/0x10 to 20.0.0.0/8 priority 10 table 40",
                    "rule add fwmark 1 to 20.0.0.0/8 priority 11 table 20",
                    "rule add fwmark 2 to 20.0.0.0/8 priority 12 prohibit",
                    "rule add fwmark 3 to 20.0.0.0/8 priority 12 table 50")
            def source_validation(s):
                for port in ("p0", "p1"):
                    for dst in (H2, R3, H0, H1, "20.2.0.1", B2, EVERYONE, ALL_HOSTS):
                        with_marks(s, "20.1.0.1", dst, port)


for reflect in (0, 1):
    @marked(f"answers with the mark of what they answer: fwmark_reflect {reflect}",
            f"sysctl net.ipv4.fwmark_reflect={reflect}",
            "filter add prerouting ip ttl 9 counter mark set 0x10",
            "filter add prerouting ip ttl 1 counter mark set 0x11",
            "filter add prerouting ip ttl 7 counter mark set 0x12",
            *(f"filter add {point} mark {mark} counter" for point in ("output", "postrouting")
              for mark in (0, 0x10, 0x11, 0x12)),
            "filter add input ip ttl 7 tcp dport 23 counter reject with tcp reset",
            "filter add input ip ttl 7 udp dport 23 counter reject",
            "filter add forward ip ttl 6 tcp dport { 23, 25 } counter reject with tcp reset",
            "filter add forward ip ttl 6 udp dport 23 counter reject",
            "filter add prerouting ip ttl 7 tcp dport 24 counter reject with tcp reset",
            "filter add prerouting ip ttl 7 udp dport 24 counter reject",
            "rule add fwmark 0x10 priority 10 table 10",
            "rule add fwmark 0x11 priority 11 table 20",
            "rule add fwmark 0x12 from 10.0.0.1 priority 12 table 10",
            "rule add fwmark 0x12 from 10.0.1.2 priority 12 table 20",
            "rule add fwmark 0x12 to 20.0.0.0/8 priority 13 table 30")
    def reflected(s):
        for src in (H0, "20.1.0.1"):
            for ttl in (8, 9, 7):
                s.send("p0", echo(src, R0, ttl=ttl), tcp(src, R0, ttl=ttl), udp(src, R0, ttl=ttl))
                s.send("p0", icmp(src, R0, 13, data=bytes(12), ttl=ttl),
                       ipv4(src, R0, 99, data(20), ttl=ttl), echo(src, B0, ttl=ttl))
                s.send("p0", udp(src, B0, ttl=ttl), tcp(src, B0, ttl=ttl))
                s.send("p0", udp(src, UNREACHABLE, ttl=ttl), udp(src, UNROUTED, ttl=ttl))
                s.send("p0", udp(src, H2, data(1450), flags=DF, ttl=ttl))
                s.send("p0", udp(src, H0, ttl=ttl))
                s.send("p0", udp(src, H1, ttl=ttl, options=b"\x07\x07\x03" + bytes(5)),
                       echo(src, R0, ttl=ttl, options=b"\x07\x07\x04" + bytes(5)),
                       echo(src, R0, data(2000)[:1400], ttl=ttl))
            s.send("p0", udp(src, H1, ttl=1), tcp(src, H1, ttl=1))
            for dst in (R0, H1, "20.3.0.1"):
                s.send("p0", tcp(src, dst, dport=23, ttl=7), udp(src, dst, dport=23, ttl=7))
                s.send("p0", tcp(src, dst, dport=24, ttl=7), udp(src, dst, dport=24, ttl=7))

    @marked(f"a redirect with the mark of the packet: fwmark_reflect {reflect}",
            f"sysctl net.ipv4.fwmark_reflect={reflect}",
            "filter add prerouting ip saddr 10.0.0.3 counter mark set 0x10",
            "filter add output mark 0 counter", "filter add output mark 0x10 counter",
            "rule add iif lo fwmark 0x10 priority 10 table 20")
    def redirected(s):
        s.send("p0", udp(H0, far("p0", 1)), udp(J0, far("p0", 1)))

    @marked(f"the MTU of a path by the mark: fwmark_reflect {reflect}",
            f"sysctl net.ipv4.fwmark_reflect={reflect}",
            "filter add prerouting ip ttl 9 counter mark set 0x10",
            "rule add fwmark 0x10 priority 10 table 10")
    def pmtu(s):
        def report(src, ttl, mtu):
            quoted = icmp(R0, "20.1.0.1", 0, data=data(60))
            s.send("p0", icmp(src, R0, 3, 4, rest=mtu.to_bytes(4, "big"), data=quoted[:60],
                              ttl=ttl))
            s.pause(0.05)
        for ttl, mtu in ((9, 1000), (8, 800)):
            report(H0, ttl, mtu)
            for asked in (8, 9):
                s.send("p0", echo("20.1.0.1", R0, data(1200), ttl=asked))

    @marked(f"fragments have the mark of the first: fwmark_reflect {reflect}",
            f"sysctl net.ipv4.fwmark_reflect={reflect}",
            "filter add prerouting ip frag-off & 0x1fff == 0 counter mark set 1",
            "filter add prerouting ip frag-off & 0x1fff > 100 counter mark set 3",
            *(f"filter add {point} mark {mark} counter" for point in ("input", "output")
              for mark in (0, 1, 2, 3)), "rule add fwmark 1 to 20.0.0.0/8 priority 10 table 10")
    def fragments(s):
        for src in (H0, "20.1.0.1"):
            whole = echo(src, R0, data(1800), ident=7)
            for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)):
                pieces = cut(whole, 600, 600)
                s.send("p0", *(pieces[index] for index in order))
            s.send("p0", *cut(udp(src, R0, data(1800)), 600, 600))


@marked("what is put together before it is routed takes the way of its mark",
        "sysctl net.millrace.defrag=1", *by_port(),
        "rule add fwmark 0x10/0x10 priority 10 table 10",
        "rule add fwmark 0/0xf0 to 20.0.0.0/8 priority 11 table 20")
def defragmented(s):
    for index in range(len(MARKS)):
        s.send("p0", *cut(udp(H0, "20.1.0.1", data(1000), dport=6000 + index), 400, 400))


@marked("answers from the address that the way back has, by the mark", *by_port(),
        "filter add prerouting icmp type echo-request counter mark set 0x10",
        "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",
        "rule add fwmark 0x10 to 20.0.0.0/8 priority 10 table 10")
def specific_destination(s):
    for valid in (0, 1):
        s.run(f"sysctl net.ipv4.conf.p0.src_valid_mark={valid}")
        s.send("p0", echo("20.1.0.1", B0), echo("20.1.0.1", R0), echo("20.1.0.1", EVERYONE))
        s.send("p0", echo("20.1.0.1", H1, options=b"\x07\x0b\x04" + bytes(9)))
        s.send("p0", echo("20.1.0.1", H1, options=b"\x44\x0c\x05\x01" + bytes(8)))


@marked("a source route's next hop by the mark", *by_port(),
        "sysctl net.ipv4.conf.all.accept_source_route=1",
        "rule add fwmark 0x10 priority 10 table 10",
        "rule add fwmark 0x11 to 20.0.0.0/8 priority 11 table 20")
def source_route(s):
    for dport in (6000, 6004, 6005):
        for kind in (0x83, 0x89):
            for hop in ("20.1.0.1", H1, J2):
                s.send("p0", udp(H0, R0, dport=dport,
                                options=bytes((kind, 7, 4)) + address(hop) + b"\0"))


@marked("groups and TOS behind a mark", *by_port(),
        "sysctl net.ipv4.fib_multipath_hash_seed=77", "sysctl net.ipv4.fib_multipath_hash_policy=1",
        "route add 20.0.0.0/8 table 40 nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 2 "
        "nexthop via 10.0.3.254", "route add 20.0.0.0/8 tos 0x10 via 10.0.3.2 table 40",
        "rule add fwmark 0x10/0x10 priority 10 table 40")
def groups(s):
    for host in range(4, 20):
        with_marks(s, f"10.0.0.{host}")
    with_marks(s, tos=0x10)


@marked("ports of services answer without a mark", "sysctl net.millrace.udp_echo=1",
        "sysctl net.ipv4.fwmark_reflect=1", "filter add prerouting ip ttl 9 counter mark set 0x10",
        "filter add output mark 0 counter", "filter add output mark 0x10 counter",
        "rule add fwmark 0x10 priority 10 table 10", "rule add to 20.0.0.0/8 priority 11 table 20")
def services(s):
    for src in (H0, "20.1.0.1"):
        for ttl in (8, 9):
            s.send("p0", udp(src, R0, data(30), dport=7, ttl=ttl))
