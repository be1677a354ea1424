"""Everything at once, densely: addresses, routes, rules, filters, settings and what hosts report
change at random while packets of all kinds come in."""

import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_every import WAYS
from scenarios.b_options import LSRR, SSRR, option, padded, rr, srr, ts
from scenarios.f_redirects import LEARN_SECONDS
from scenarios.h_marks import SENTINELS
from scenarios.k_defrag import MISSING, cut

OWN = (R0, R1, R2, R3)
HOSTS = tuple(f"10.0.{n}.{h}" for n in range(4) for h in (2, 3, 254))
NETS = ("20.0.0.0/8", "20.1.0.0/16", "20.1.1.0/24", "20.1.1.128/25", "20.1.1.1/32", "20.0.0.0/7",
        "20.2.0.0/15", "21.0.0.0/8")
FAR = ("20.0.0.1", "20.1.0.1", "20.1.1.1", "20.1.1.2", "20.1.1.129", "20.2.0.1", "20.3.0.1",
       "21.0.0.1")
MORE = ("10.0.0.9/24 dev p0", "10.0.0.10/24 dev p0", "10.0.0.11/25 dev p0", "10.0.1.9/32 dev p1",
        "10.0.1.9/26 dev p0", "10.5.0.0/31 dev p1", "10.5.0.2/32 dev p2", "10.5.0.3/32 dev lo",
        "20.1.1.1/32 dev lo", "20.1.1.5/24 dev p3", "10.0.3.33/32 dev lo", "127.0.0.5/8 dev p1",
        "10.77.0.9/24 dev p0", "10.0.2.33/28 dev p2", "10.0.2.34/28 dev p2")
BASE = tuple(f"10.0.{n}.1/24 dev p{n}" for n in range(4))
NEIGHBOURS = tuple(
    f"neigh add {host} lladdr 02:00:00:0{n}:0{host[5]}:{int(host.split('.')[3]) % 100:02} dev p{n}"
    " nud permanent" for n in range(4) for host in HOSTS if int(host[5]) != n) + tuple(
    f"neigh add {host} lladdr 02:00:00:1{n}:{k:02}:01 dev p{n} nud permanent" for n in range(4)
    for k, host in enumerate(FAR + ("10.5.0.1", "10.5.0.2", "10.5.0.3", "10.0.0.9", "10.0.0.10",
                                    "10.0.0.11", "10.0.1.9", "20.1.1.5", "10.0.2.33",
                                    "10.0.2.34", "10.77.0.9", "10.0.2.32", "10.0.0.128"))) + tuple(
    f"neigh add 10.0.{n}.{h} lladdr {host_mac(f'p{n}', h)} dev p{n} nud permanent"
    for n in range(4) for h in range(150, 250)) + tuple(
    f"neigh add {own} lladdr 02:00:00:2{n}:00:0{own[5]} dev p{n} nud permanent"
    for n in range(4) for own in OWN) + tuple(
    f"neigh add 10.0.{k}.{h} lladdr 02:00:00:3{n}:0{k}:{h % 100:02} dev p{n} nud permanent"
    for n in range(4) for k in range(4) for h in (0,))
SETUP = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.fib_multipath_hash_seed=4711") + tuple(
    f"addr add 10.77.{n}.1/24 dev p{n}" for n in range(4)) + WAYS + NEIGHBOURS


class Storm:
    def __init__(self, s, seed, rules, filters):
        self.s, self.rng = s, random.Random(seed)
        self.rules, self.filters = rules, filters
        self.addresses = set(BASE)
        self.routes = []
        self.set_rules = []
        self.points = {}
        self.senders = {n: iter(range(150, 250)) for n in range(4)}
        self.count = seed * 1000
        self.most = dict(MTU)
        self.groups = seed % 3 == 0

    # Commands.

    def address(self):
        r = self.rng
        which = r.choice(MORE + BASE)
        verb = "del" if which in self.addresses or r.random() < 0.1 else "add"
        if which in BASE and verb == "del" and r.random() < 0.5:
            return []
        (self.addresses.discard if verb == "del" else self.addresses.add)(which)
        return [f"addr {verb} {which}"]

    def base_back(self):
        return [f"addr add {which}" for which in BASE if which not in self.addresses
                and not self.addresses.add(which)]

    def route(self):
        r = self.rng
        if self.routes and r.random() < 0.3:
            return ["route del " + self.routes.pop(r.randrange(len(self.routes)))]
        kind = r.choice(("", "", "", "", "", "unreachable ", "prohibit ", "blackhole ", "throw ",
                         "local "))
        what = kind + r.choice(NETS)
        if r.random() < 0.2:
            what += f" tos {r.choice(('0x04', '0x08', '0x10', '0x1c'))}"
        if self.rules and r.random() < 0.4:
            what += f" table {r.choice((10, 20))}"
        if r.random() < 0.2:
            what += f" metric {r.choice((1, 2, 5))}"
        self.routes.append(what)
        if kind == "local ":
            what += " dev lo"
        elif not kind:
            if r.random() < 0.2:
                what += f" mtu {r.choice(('', 'lock '))}{r.choice((600, 1000, 1300))}"
            if r.random() < 0.15:
                what += f" hoplimit {r.choice((1, 9, 255))}"
            if r.random() < 0.15:
                what += f" src {r.choice(OWN + ('10.0.0.9', '10.5.0.3'))}"
            way = lambda: r.choice((f"via {r.choice(HOSTS)}",) * 5 + (f"dev p{r.randrange(4)}",
                                    f"via {r.choice(HOSTS)} dev p{r.randrange(4)} onlink"))
            if self.groups and r.random() < 0.35:
                what += "".join(f" nexthop {way()} weight {r.choice((1, 1, 3, 200))}"
                                for _ in range(r.randrange(2, 5)))
            else:
                what += " " + way()
        verb = r.choice(("add", "replace", "replace", "append", "prepend", "change"))
        return [f"route {verb} {what}"]

    def rule(self):
        r = self.rng
        if self.set_rules and r.random() < 0.45:
            return ["rule del " + self.set_rules.pop(r.randrange(len(self.set_rules)))]
        what = f"priority {r.choice((5, 6, 7, 8, 32766, 40000))}"
        for chance, word in ((0.3,
                              lambda: f"from {r.choice(NETS + HOSTS + OWN + ('10.64.0.0/14',))}"),
                             (0.5, lambda: f"to {r.choice(NETS + HOSTS[:3] + OWN)}"),
                             (0.3, lambda: f"iif {r.choice(PORTS + ('lo',))}"),
                             (0.2, lambda: f"tos {r.choice(('0x10', '0x08'))}"),
                             (0.2, lambda: f"fwmark {r.choice(('1', '2/2', '0/3'))}")):
            if r.random() < chance:
                what += " " + word()
        if what.count(" ") == 1:
            what += f" to {r.choice(NETS)}"
        what += " " + r.choice(("table 10", "table 10", "table 20", "table 20", "table main",
                                "unreachable", "prohibit", "blackhole"))
        if r.random() < 0.2:
            what = "not " + what if r.random() < 0.3 and " table " in what else what
        self.set_rules.append(what)
        return ["rule add " + what]

    def filter(self):
        r = self.rng
        point = r.choice(("prerouting", "prerouting", "input", "forward", "output", "postrouting"))
        if self.points.get(point) and r.random() < 0.35:
            self.points[point] = 0
            return [f"filter flush {point}"]
        self.points[point] = self.points.get(point, 0) + 1
        if self.points[point] == 1:
            first = [f"filter add {point} ip saddr 198.18.0.0/15 accept",
                     f"filter add {point} ip daddr 198.18.0.0/15 accept"]
        else:
            first = []
        match = r.choice(("udp dport 5000", "icmp type echo-request", "ip ttl 1",
                          "ip daddr 20.1.0.0/16", "fragment", "ip length > 900",
                          f"ip saddr 10.64.0.0/15", "tcp dport 80", "mark 1", "iifname p0",
                          "ip hdrlength > 5", "ip dscp != cs0", "icmp type { 3, 11 }"))
        verdicts = ["counter", "counter", "counter drop", "counter mark set 1",
                    "counter mark set 2"]
        if point in ("prerouting", "input", "forward", "output"):
            verdicts += ["counter reject", "counter reject with icmp admin-prohibited"]
        return first + [f"filter add {point} {match} {r.choice(verdicts)}"]

    def setting(self):
        r = self.rng
        name, values = r.choice((
            ("ip_forward_use_pmtu", (0, 1)), ("icmp_errors_use_inbound_ifaddr", (0, 1)),
            ("icmp_echo_ignore_broadcasts", (0, 1)), ("icmp_echo_ignore_all", (0, 0, 1)),
            ("fib_multipath_hash_policy", (0, 1, 2, 3)), ("fwmark_reflect", (0, 1)),
            ("ip_default_ttl", (64, 1, 255)), ("ip_no_pmtu_disc", (0, 0, 1, 2)),
            ("fib_multipath_use_neigh", (0, 1)), ("route.min_pmtu", (552, 300)),
            ("conf.all.rp_filter", (0, 0, 0, 1, 2)),
            *((f"conf.p{n}.rp_filter", (0, 0, 1, 2)) for n in range(4)),
            *((f"conf.{n}.{name}", (0, 1)) for n in ("all", "p0", "p1") for name in (
                "accept_local", "route_localnet", "bc_forwarding", "drop_unicast_in_l2_multicast",
                "send_redirects", "accept_source_route", "src_valid_mark", "accept_redirects",
                "shared_media", "secure_redirects")),
            ("ignored", ())))
        return [f"sysctl net.ipv4.{name}={r.choice(values)}"] if values else []

    def mtu(self):
        r = self.rng
        port, most = r.choice(PORTS), r.choice((1500, 1500, 1400, 1300))
        self.most[port] = most
        return [f"link set {port} mtu {most}"]

    # Packets.

    def sender(self, port):
        r, n = self.rng, number(port)
        if r.random() < 0.4:
            host = next(self.senders[n], None)
            if host:
                return f"10.0.{n}.{host}"
        self.count += 1
        net = n if r.random() < 0.8 else r.randrange(4)
        return f"10.{64 + net}.{self.count >> 8 & 255}.{self.count & 255}"

    def target(self):
        r = self.rng
        draw = r.random()
        if draw < 0.45:
            return r.choice(FAR)
        if draw < 0.6:
            return r.choice(HOSTS)
        if draw < 0.8:
            return r.choice(OWN + tuple(a.split("/")[0] for a in sorted(self.addresses)))
        many = tuple(f"10.0.{n}.255" for n in range(4) if BASE[n] in self.addresses)
        return r.choice(many + (N0, EVERYONE, ALL_HOSTS, "10.5.0.1", "127.0.0.5", far("p1", 3),
                                UNREACHABLE))

    def options(self):
        r = self.rng
        draw = r.random()
        if draw < 0.6:
            return b""
        hops = [r.choice(FAR + HOSTS + OWN) for _ in range(r.randrange(1, 4))]
        return padded(r.choice((
            rr(r.randrange(1, 6)), rr(2, 8, H0), ts(0, r.randrange(1, 5)), ts(1, 4),
            ts(1, 4, overflow=14), ts(3, 4, data=address(hops[0]) + bytes(4) + address(R0)),
            option(148, 0, 0), srr(LSRR, *hops), srr(SSRR, *hops), srr(LSRR, *hops, pointer=8),
            rr(2) + ts(0, 2), rr(1) + srr(LSRR, hops[0]), rr(1, 3))))

    def packets(self, port):
        r = self.rng
        src, dst = self.sender(port), self.target()
        if r.random() < 0.08:
            src = r.choice(FAR + OWN + tuple(
                f"10.0.{n}.255" for n in range(4) if BASE[n] in self.addresses) + ("127.0.0.1",))
        fields = {"tos": r.choice((0, 0, 0, 0x10, 0x08, 0xb9)),
                  "ttl": r.choice((64, 64, 64, 1, 2, 255)), "flags": r.choice((0, 0, DF)),
                  "options": self.options()}
        size = r.choice((0, 8, 8, 100, 560, 972, 1390, 1440))
        limit = 1500
        payload = bytes(min(size, limit - 60 - 20))
        kind = r.randrange(9)
        if kind < 3:
            return [udp(src, dst, payload, dport=r.choice((5000, 7)), sport=r.randrange(4000, 4100),
                        **fields)]
        if kind < 5:
            return [echo(src, dst, payload, **fields)]
        if kind == 5:
            return [tcp(src, dst, r.choice((SYN, ACK, SYN)), payload, **fields)]
        if kind == 6:
            return [icmp(src, dst, r.choice((13, 0, 3, 11)), 0, data=udp(dst, src, bytes(20)),
                         **fields)]
        if kind == 7:
            self.count += 1
            whole = udp(src, dst, bytes(900), id=self.count & 0xffff, tos=fields["tos"])
            return cut(whole, 400, 400, ttl=fields["ttl"])
        return [ipv4(src, dst, 99, payload, **fields)]

    def report(self):
        r, s = self.rng, self.s
        dst = r.choice(FAR + HOSTS)
        if r.random() < 0.6:
            mtu = r.choice((0, 100, 552, 600, 1000, 1400))
            s.send(r.choice(PORTS), icmp(dst, R0, 3, 4, b"\0\0" + mtu.to_bytes(2, "big"),
                                         icmp(r.choice((R0, R1)), dst, 0, data=bytes(8))))
        else:
            n = r.randrange(2)
            s.send(f"p{n}", icmp(r.choice((G0, G1, H0, H1)), r.choice((R0, R1)), 5, 1,
                                 address(r.choice(HOSTS)),
                                 icmp(r.choice((R0, R1)), dst, 0, data=bytes(8))))
        s.pause(LEARN_SECONDS)

    def play(self, rounds):
        s, r = self.s, self.rng
        # what address a link prefers is found out in Linux when one is asked for
        verbs = [self.route if self.groups else self.address, self.route, self.route, self.route,
                 self.setting, self.setting, self.mtu]
        if self.rules:
            verbs += [self.rule] * 3
        if self.filters:
            verbs += [self.filter] * 2
        for turn in range(rounds):
            for _ in range(r.randrange(1, 4)):
                s.attempt(*r.choice(verbs)())
            if turn % 10 == 9:
                s.run(*self.base_back())
            if r.random() < 0.2:
                self.report()
            for _ in range(8):      # one by one, as what goes round by lo comes in its own time
                port = r.choice(PORTS)
                packets = self.packets(port)
                s.send(port, *[p for p in packets if len(p) <= self.most[port]],
                       dst=BROADCAST_MAC if r.random() < 0.05 else None)
        if self.filters:
            s.filter_counters()


for number_, (rules, filters) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1)) * 2):
    @scenario(f"everything changes at random, {number_}", "M", missing=MISSING, setup=SETUP + (
        SENTINELS if rules else ()))
    def storm(s, seed=number_, rules=rules, filters=filters):
        Storm(s, seed, rules, filters).play(40)
