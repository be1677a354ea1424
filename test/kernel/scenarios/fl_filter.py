"""Filter rules against nft: which packets they take, what they count, and how they reject.

Commands are millrace's; lib/router_linux.py gives the same words to nft. Each scenario counts with
rules before and behind those that it is about, and compares all counters at its end.
"""

import ipaddress
import random
import shutil

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.k_defrag import cut, data

MISSING = "" if shutil.which("nft") else "nft is not installed"
POINTS = ("prerouting", "input", "forward", "output", "postrouting")
QUIET = ("sysctl net.ipv4.icmp_ratemask=0",)


def filtered(name, *rules, **details):
    """A scenario under these rules; its counters are compared."""
    setup = QUIET + tuple(details.pop("setup", ())) + rules

    def register(story):
        def with_counters(s):
            story(s)
            s.filter_counters()
        return scenario(name, "FL", missing=MISSING, setup=setup, **details)(with_counters)
    return register


def assorted():
    """Packets of many kinds, through the router and to it."""
    found = []
    for dst in (H1, H2, R0, far("p3", 9)):
        found += [udp(H0, dst), udp(J0, dst, dport=53), udp(H0, dst, sport=1024, dport=6000),
                  tcp(H0, dst, dport=22), tcp(H0, dst, sport=22), tcp(H0, dst, ACK),
                  tcp(H0, dst, RST), echo(H0, dst), echo(H0, dst, ttl=9),
                  icmp(H0, dst, 13, data=bytes(12)), icmp(H0, dst, 0), icmp(H0, dst, 3),
                  ipv4(H0, dst, 99, data(50)), ipv4(H0, dst, 132, data(50)),
                  ipv4(H0, dst, TCP, b"\0\x16"), ipv4(H0, dst, UDP, b"\0\x35\0"),
                  ipv4(H0, dst, ICMP), ipv4(H0, dst, TCP, b"\0"), udp(H0, dst, udp_check=0),
                  udp(H0, dst, udp_check=1), tcp(H0, dst, tcp_check=1),
                  echo(H0, dst, icmp_check=1), udp(H0, dst, options=b"\1\1\1\1"),
                  udp(H0, dst, options=b"\x07\x07\x04" + bytes(5)), udp(H0, dst, ttl=2)]
        if dst != R0:
            found += cut(udp(H0, dst, data(900)), 400, 400)
            found += [ipv4(H0, dst, proto, b"\0\x16\0\x35"[at:], offset=9)
                      for at in range(4) for proto in (TCP, UDP, ICMP)]
            found += cut(tcp(H0, dst, data=data(900)), 8, 400)
            found += cut(ipv4(H0, dst, 99, data(900)), 8, 400)
    return found


for point in POINTS:
    @filtered(f"every point counts: {point}", f"filter add {point} counter")
    def every_point(s):
        s.each("p0", assorted())
        s.send("p0", udp(H0, UNROUTED), udp(H0, H1, ttl=1), udp(H0, B0), udp(H0, EVERYONE))
        s.send("p0", udp(H0, H0), udp(R0, H1), udp(H0, "127.0.0.1"), udp(H0, H1, check=1))
        s.send("p0", udp(H0, H2, data(1400), flags=DF), udp(H0, H2, data(1400)))
        s.send("p0", *cut(echo(H0, R0, data(1800)), 600, 600))
        s.send("p0", echo(H0, ALL_HOSTS), echo(H0, R1), udp("0.0.0.0", EVERYONE))

    @filtered(f"dropped at {point}", f"filter add {point} udp dport 5000 counter drop",
              f"filter add {point} icmp type echo-reply counter drop",
              f"filter add {point} counter")
    def dropped(s):
        s.each("p0", assorted())
        s.send("p0", udp(H0, UNROUTED), udp(H0, H1, ttl=1), udp(H0, H1, udp_check=1, ttl=1))

    for verdict in ("reject", "reject with tcp reset", "reject with icmp admin-prohibited"):
        if point != "postrouting":
            tcp_only = "ip protocol tcp " if "tcp" in verdict else ""

            @filtered(f"{verdict} at {point}", f"filter add {point} ip saddr != 198.18.0.0/15 "
                      f"{tcp_only}counter {verdict}", sentinel="routed")
            def rejected(s):
                s.each("p0", assorted())
                s.send("p0", udp(H0, B0), udp(H0, EVERYONE), udp("0.0.0.0", EVERYONE))
                s.send("p0", udp(UNROUTED, H1), tcp(UNROUTED, H1), udp(R0, H1), tcp(B0, H1))
                s.send("p0", tcp(H0, B1), tcp(H0, B0), tcp(H0, R1, FIN | SYN | PSH, b"12345"))
                s.send("p0", tcp(H0, H1, SYN, tcp_offset=15), tcp(H0, H1, ACK, ack=77, tos=255))
                s.send("p0", tcp(H0, H1), udp(H0, H1), dst=BROADCAST_MAC)


@filtered("addresses and links",
          "filter add forward ip saddr 10.0.0.0/31 counter",
          "filter add forward ip saddr 10.0.0.2 counter",
          "filter add forward ip saddr != 10.0.0.2 counter",
          "filter add forward ip daddr 10.0.1.0/24 counter",
          "filter add forward ip daddr 0.0.0.0/0 counter",
          "filter add forward ip daddr != 10.0.2.0/30 counter",
          "filter add forward iif p0 counter", "filter add forward iif != p0 counter",
          "filter add forward oif p1 counter", "filter add forward iif p1 oif p0 counter",
          "filter add postrouting iif p0 counter", "filter add postrouting iif != p0 counter",
          "filter add postrouting oif != p0 counter", "filter add output oif p0 counter",
          "filter add prerouting iif p0 counter", "filter add input iif p0 counter",
          "filter add input iif lo counter")
def addresses(s):
    s.each("p0", assorted())
    s.each("p1", [udp(H1, H0), udp(H1, H2), echo(H1, R0), udp(H1, R1)])
    s.send("p0", udp(R1, R0))


@filtered("ports, protocols and ICMP types",
          *(f"filter add {point} {match} counter" for point in ("forward", "input") for match in (
              "tcp dport 22", "tcp sport 22", "tcp dport != 22", "udp dport 53", "udp dport 50-60",
              "udp sport 1000-1100", "udp dport != 50-60", "ip protocol tcp", "ip protocol != tcp",
              "ip protocol 99", "ip protocol sctp", "icmp type echo-request", "icmp type 13",
              "icmp type != echo-request", "udp sport 1024 udp dport 6000", "fragment",
              "ip ttl 9", "ip ttl < 10", "ip ttl >= 63", "ip ttl != 63", "ip ttl > 63",
              "ip ttl <= 9", "ip saddr 10.0.0.3 udp dport 53")))
def ports(s):
    s.each("p0", assorted())


@filtered("with fragments put together first",
          *(f"filter add forward {match} counter" for match in (
              "tcp dport 80", "udp dport 5000", "fragment", "ip protocol 99")),
          "filter add forward tcp dport 80 reject", "filter add forward udp dport 5000 reject",
          setup=("sysctl net.millrace.defrag=1",))
def defragmented(s):
    for packet in (udp(H0, H1, data(900)), tcp(H0, H1, data=data(900)),
                   ipv4(H0, H1, 99, data(900)), udp(H0, H1, data(900), udp_check=1),
                   tcp(H0, H1, data=data(901)), udp(H0, R0, data(900))):
        s.send("p0", *cut(packet, 400, 400))
        s.send("p0", *reversed(cut(packet, 400, 400)))


@filtered("the first verdict counts; the order of counters and matches",
          "filter add forward ip daddr 198.18.0.0/15 accept",
          "filter add forward counter ip saddr 10.0.0.3 accept",
          "filter add forward udp dport 53 counter drop",
          "filter add forward counter tcp dport 22 drop",
          "filter add forward ip saddr 10.0.0.2 accept", "filter add forward counter drop")
def order(s):
    s.each("p0", assorted())
    s.send("p1", udp(H1, H0), udp(J1, H0))


@filtered("a policy",
          "filter policy forward drop",
          "filter add forward ip daddr 198.18.0.0/15 accept",
          "filter add forward udp dport 53 counter accept", "filter policy input drop",
          "filter add input ip protocol icmp counter accept")
def policy(s):
    s.each("p0", assorted())
    s.run("filter policy forward accept")
    s.each("p0", assorted())
    s.run("filter policy forward drop", "filter flush forward", "filter policy forward accept")
    s.each("p0", assorted())


@filtered("limits", "filter add forward udp dport 5000 limit rate 1/hour counter drop",
          "filter add forward udp dport 53 limit rate 1/day burst 2 packets counter drop",
          "filter add forward icmp type echo-request limit rate 3/week burst 7 packets accept",
          "filter add forward icmp type echo-request counter drop")
def limits(s):
    for _ in range(10):
        s.send("p0", udp(H0, H1), udp(H0, H1, dport=53), echo(H0, H1))


@filtered("a limit fills again",
          "filter add forward udp dport 5000 limit rate 2/second burst 1 packets accept",
          "filter add forward udp dport 5000 counter drop", slow=True)
def refilled(s):
    for pause in (0, 0.1, 0.7, 0.1, 0.7, 0.7):
        s.pause(pause)
        s.send("p0", udp(H0, H1))


def prefix(host, lengths, rng):
    return ipaddress.ip_network(f"{host}/{rng.choice(lengths)}", strict=False)


def random_match(rng):
    found = []
    if rng.random() < 0.5:
        found.append(f"ip saddr {prefix(f'10.0.0.{rng.randrange(4)}', (24, 30, 31, 32), rng)}")
    if rng.random() < 0.5:
        host = f"10.0.{rng.randrange(4)}.{rng.randrange(4)}"
        found.append(f"ip daddr {prefix(host, (23, 24, 32), rng)}")
    if rng.random() < 0.3:
        found.append(f"oif p{rng.randrange(4)}")
    if rng.random() < 0.3:
        found.append("iif p0")
    if rng.random() < 0.1:
        found.append(f"ip ttl {rng.choice(('<', '>', '!='))} {rng.randrange(2, 70)}")
    kind = rng.randrange(5)
    if kind < 2:
        low = rng.randrange(200)
        found.append(f"{rng.choice(('tcp', 'udp'))} {rng.choice(('sport', 'dport'))}"
                     f" {low}-{low + rng.randrange(60)}")
    elif kind == 2:
        found.append(f"icmp type {rng.choice((0, 8, 13))}")
    elif kind == 3:
        found.append(f"ip protocol {rng.choice(('tcp', 'udp', 'icmp', '99'))}")
    elif not found:
        found.append("fragment")
    return " ".join(found)


def random_packet(rng):
    src, dst = f"10.0.0.{rng.randrange(2, 4)}", f"10.0.{rng.randrange(1, 4)}.{rng.randrange(2, 4)}"
    ports = {"sport": rng.randrange(256), "dport": rng.randrange(256)}
    ttl = rng.randrange(2, 80)
    return rng.choice((lambda: udp(src, dst, ttl=ttl, **ports),
                       lambda: tcp(src, dst, ttl=ttl, **ports),
                       lambda: icmp(src, dst, rng.choice((0, 8, 13)), ttl=ttl),
                       lambda: ipv4(src, dst, 99, data(20), ttl=ttl),
                       lambda: ipv4(src, dst, UDP, data(24), flags=MF, offset=rng.choice((0, 9)),
                                    ttl=ttl)))()


for count, seed in ((10, 1), (40, 2), (120, 3), (300, 4)):
    rules_rng = random.Random(seed)

    @filtered(f"{count} random rules", "filter add forward ip daddr 198.18.0.0/15 accept",
              *(f"filter add forward {random_match(rules_rng)} counter"
                f" {rules_rng.choice(('accept', 'drop', 'drop', ''))}".rstrip()
                for _ in range(count)))
    def random_rules(s, seed=seed):
        rng = random.Random(seed)
        for _ in range(8):
            s.send("p0", *(random_packet(rng) for _ in range(32)))
