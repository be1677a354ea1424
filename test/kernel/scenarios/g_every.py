"""Rules G2 and C9, densely: reports of MTUs and redirects at random, under changing settings."""

import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_every import WAYS

LEARN_SECONDS = 0.05
NEW, OTHER = "10.0.0.77", "10.0.0.78"
SETUP = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.conf.all.send_redirects=0",
         "sysctl net.ipv4.conf.p0.send_redirects=0",
         f"neigh add {NEW} lladdr {host_mac('p0', 0x77)} dev p0 nud permanent",
         f"neigh add {OTHER} lladdr {host_mac('p0', 0x78)} dev p0 nud permanent") + WAYS
MTUS = (0, 1, 67, 68, 69, 100, 296, 551, 552, 553, 576, 600, 1000, 1006,
        1280, 1399, 1400, 1401, 1492, 1499, 1500, 1501, 9000, 65535)
PLACES = (H0, J0, far("p0", 1), far("p0", 2), "10.64.0.1", "10.64.0.2", H1, far("p1", 1), H2)


def report(rng, dst, mtu):
    """An ICMP 3/4 about an answer of ours to dst, by itself or another, whole or not."""
    quoted = icmp(rng.choice((R0, R0, R0, R1)), dst, 0, data=bytes(8), flags=rng.choice((0, DF)),
                  tos=rng.choice((0, 0, 0x10)))
    if rng.random() < 0.1:
        quoted = rng.choice((udp(R0, dst), tcp(R0, dst), quoted[:27], icmp(
            H3, dst, 0, data=bytes(8)), udp(R0, dst, sport=7, dport=4000)))
    return icmp(rng.choice((dst, dst, G0, H3)), quoted[12:16] if rng.random() < 0.95 else R2, 3, 4,
                b"\0\0" + mtu.to_bytes(2, "big"), quoted)


def ask(s, rng, dst):
    """What the router now thinks of the way to dst."""
    for size in (40, 552, 553, 600, 1001, 1281, 1400, 1500):
        s.start("p3", echo(dst, rng.choice((R0, R0, R1, R3)), bytes(size - 28),
                           tos=rng.choice((0, 0x10))))
        s.start("p3", udp(H3, dst, bytes(size - 28), flags=DF))
        s.start("p3", udp(H3, dst, bytes(size - 28)))
    s.send("p3", udp(dst, R0, bytes(1000)), udp(dst, H1, bytes(700), ttl=1))


CHANGES = (
    lambda r: f"sysctl net.ipv4.ip_forward_use_pmtu={r.randrange(2)}",
    lambda r: f"sysctl net.ipv4.ip_no_pmtu_disc={r.choice((0, 0, 0, 1, 2, 3))}",
    lambda r: f"sysctl net.ipv4.route.min_pmtu={r.choice((552, 552, 68, 300, 1000))}",
    lambda r: f"link set p0 mtu {r.choice((1500, 1500, 1400, 1280))}",
    lambda r: f"link set p1 mtu {r.choice((1500, 1280))}",
    lambda r: f"route replace 198.51.0.0/24 via {r.choice((G0, G0, NEW))}"
              f" mtu {r.choice((1280, 1200, 570))}",
    lambda r: f"route replace 10.64.0.0/16 via {G0} mtu lock {r.choice((1280, 1200, 570))}",
    lambda r: f"route replace 10.64.0.0/16 via {r.choice((G0, OTHER))}",
    lambda r: f"route replace 10.64.0.1/32 via {G0}",
    lambda r: f"route replace 198.51.1.0/24 via {r.choice((G1, H1))}",
)
for seed in range(4):
    @scenario(f"MTUs reported and settings changed at random, {seed}", "G2", setup=SETUP)
    def reports(s, seed=seed):
        rng = random.Random(seed)
        for _ in range(30):
            for _ in range(rng.randrange(1, 4)):
                dst = rng.choice(PLACES)
                s.send("p3", report(rng, dst, rng.choice(MTUS)))
            s.pause(LEARN_SECONDS)
            if rng.random() < 0.5:
                s.run(rng.choice(CHANGES + (lambda r: "route flush cache",))(rng))
            for dst in rng.sample(PLACES, 4):
                ask(s, rng, dst)

    @scenario(f"MTUs and redirects at random, {seed}", "G2 F redirects", setup=SETUP + (
        "sysctl net.ipv4.conf.all.accept_redirects=1",
        "sysctl net.ipv4.conf.p0.accept_redirects=1"))
    def redirected(s, seed=seed):
        rng = random.Random(100 + seed)
        for _ in range(30):
            for _ in range(rng.randrange(1, 4)):
                dst = rng.choice(PLACES)
                if rng.random() < 0.5:
                    s.send("p3", report(rng, dst, rng.choice(MTUS)))
                else:
                    quoted = rng.choice((icmp(R0, dst, 0, data=bytes(8)),
                                         icmp(R1, dst, 0, data=bytes(8)), udp(R0, dst),
                                         icmp(R0, dst, 8, data=bytes(8))))
                    s.send("p0", icmp(rng.choice((G0, G0, NEW, OTHER, dst)), quoted[12:16], 5,
                                      rng.randrange(4),
                                      address(rng.choice((NEW, OTHER, G0, J0, R0, B0))),
                                      quoted))
                s.pause(LEARN_SECONDS)
            if rng.random() < 0.4:
                s.run(rng.choice(CHANGES + (
                    lambda r: "route flush cache",
                    lambda r: f"sysctl net.ipv4.conf.p0.accept_redirects={r.randrange(2)}",
                    lambda r: f"sysctl net.ipv4.conf.all.secure_redirects={r.randrange(2)}",
                    lambda r: f"sysctl net.ipv4.conf.p0.shared_media={r.randrange(2)}"))(rng))
            for dst in rng.sample(PLACES, 4):
                ask(s, rng, dst)


@scenario("MTUs of routes, locked and not, at every size", "G2 C3", setup=SETUP)
def locked_routes(s):
    rng = random.Random(3)
    for lock in ("", "lock "):
        for mtu in (68, 300, 552, 576, 1000, 1499, 1500, 1501, 9000):
            s.run(f"route replace 203.0.113.0/24 via {G1} mtu {lock}{mtu}")
            for size in sorted({max(28, mtu + d) for d in (-1, 0, 1, 8)} | {28, 200, 1500}):
                if size > 1500:
                    continue
                for flags in (0, DF):
                    s.start("p0", udp(H0, UNROUTED, bytes(size - 28), flags=flags))
                s.start("p0", echo(UNROUTED, R0, bytes(size - 28)))
                s.start("p0", udp(UNROUTED, R0, bytes(size - 28)))
                s.start("p0", tcp(UNROUTED, R0, SYN))
            s.send("p0", icmp(UNROUTED, R0, 3, 4, b"\0\0\2\x58",
                              icmp(R0, UNROUTED, 0, data=bytes(8))))
            s.pause(LEARN_SECONDS)
            for size in (500, 600, 601, 1000, 1500):
                s.start("p0", echo(UNROUTED, R0, bytes(size - 28)))
            s.send("p0", udp(H0, UNROUTED, bytes(1400), flags=DF))


def group_of_redirects(seed):
    rng = random.Random(seed)
    hosts = [f"10.0.0.{20 + i}" for i in range(6)]
    return rng, hosts


for seed in range(3):
    @scenario(f"redirects and errors to the same hosts in random time, {seed}", "C9 C7", slow=True,
              setup=tuple(f"neigh add 10.0.0.{20 + i} lladdr {host_mac('p0', 20 + i)}"
                          " dev p0 nud permanent"
                          for i in range(6)))
    def paced(s, seed=seed):
        rng, hosts = group_of_redirects(seed)
        for _ in range(40):
            host = rng.choice(hosts)
            kind = rng.randrange(6)
            if kind < 3:
                s.send("p0", udp(host, rng.choice((J0, far("p0", 1)))))
            elif kind == 3:
                s.send("p0", udp(host, H1, ttl=1))
            elif kind == 4:
                s.send("p0", udp(host, UNROUTED))
            else:
                s.send("p0", udp(host, R0))
            # far from the limits themselves
            s.pause(rng.choice((0, 0, 0.03, 0.25, 0.55, 1.3)))


for limit, mask, seed in ((1000, 0x1818, 1), (300, 0x1818, 2), (300, 0x1808, 3),
                          (2500, 0x1819, 5)):
    @scenario(f"errors in random time, icmp_ratelimit {limit} of {mask:#x}", "C7 C10", slow=True,
              setup=(f"sysctl net.ipv4.icmp_ratelimit={limit}",
                     f"sysctl net.ipv4.icmp_ratemask={mask}"))
    def limited(s, seed=seed, limit=limit):
        rng = random.Random(seed)
        hosts = [far("p0", 1), far("p0", 2), H0]
        for _ in range(25):
            host = rng.choice(hosts)
            make = rng.choice((lambda: udp(host, H1, ttl=1), lambda: udp(host, UNROUTED),
                               lambda: udp(host, UNREACHABLE), lambda: udp(host, R0),
                               lambda: ipv4(host, R0, 99, bytes(8)),
                               lambda: udp(host, H1, options=b"\7\3\1\0"), lambda: echo(host, R0),
                               lambda: udp(host, H2, bytes(1472), flags=DF),
                               lambda: icmp(host, R0, 13, data=bytes(12))))
            for _ in range(rng.choice((1, 1, 2, 7))):
                s.send("p0", make())
            s.pause(rng.choice((0, 0.0, 0.37 * limit / 1000, 1.43 * limit / 1000, 0.66)))
