"""Rules D, E, K: what a datagram that was put together remembers of its fragments besides bytes."""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.a_every import tagged
from scenarios.b_options import LSRR, SSRR, padded, rr, srr, ts
from scenarios.g_pmtu import LEARN_SECONDS
from scenarios.k_defrag import MISSING, ON, cut, data

QUIET = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_max_dist=0")
INBOUND = ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",)
RECORD, TIMES, ROUTE = padded(rr(2)), ts(1), padded(srr(LSRR, R1))
ORDERS = tuple(itertools.permutations(range(3)))


def both(name, *setup, rule="E", **details):
    """With and without fragments put together before they are routed."""
    def register(story):
        scenario(name, rule, missing=MISSING, setup=(*QUIET, *setup), **details)(story)
        scenario(f"{name}, put together first", rule, missing=MISSING,
                 setup=(*QUIET, *ON, *setup), **details)(story)
        return story
    return register


def by_ports(s, pieces, ports, order):
    for at in order:
        s.send(ports[at], pieces[at])


PORTSETS = (("p0", "p1", "p1"), ("p1", "p0", "p0"), ("p1", "p3", "p0"), ("p0", "p3", "p1"))


@both("unicast in frames to many, dropped or not",
      "sysctl net.ipv4.conf.all.drop_unicast_in_l2_multicast=1")
def drop_unicast(s):
    for ident, (kinds, order) in enumerate(itertools.product(range(8), ORDERS)):
        for dst in (R0, H1, B0):
            pieces = cut(udp(H0, dst, data(900), id=ident), 304, 304)
            for at in order:
                s.send("p0", pieces[at], dst=BROADCAST_MAC if kinds >> at & 1 else None)


@both("marks of some fragments", "sysctl net.ipv4.fwmark_reflect=1",
      "filter add prerouting ip ttl 11 mark set 1", "filter add prerouting ip ttl 12 mark set 2",
      "filter add prerouting ip ttl 13 mark set 3", "filter add input mark 1 counter",
      "filter add input mark 2 counter", "filter add input mark 3 counter",
      "filter add output mark 1 counter", "filter add output mark 2 counter",
      "filter add input iifname p0 counter", "filter add input iifname p1 counter",
      "filter add input pkttype broadcast counter", "filter add input pkttype host counter",
      "rule add fwmark 1 table 100 priority 100", "rule add fwmark 3 prohibit priority 101",
      "route add default via 10.0.3.254 table 100")
def marks(s):
    senders = itertools.cycle(far("p2", host) for host in range(1, 201))    # within their limits
    for ident, (ports, order) in enumerate(itertools.product(PORTSETS, ORDERS)):
        for ttls in ((11, 12, 9), (12, 11, 11), (9, 11, 12), (13, 9, 9), (9, 9, 13)):
            for dst in (R0, H1):
                packet = echo(next(senders), dst, data(900), id=ident)
                pieces = [cut(packet, 304, 304, ttl=ttl)[n] for n, ttl in enumerate(ttls)]
                by_ports(s, pieces, ports, order)
            s.filter_counters()


@both("options of what is told that time ran out", "sysctl net.ipv4.ipfrag_time=1",
      "sysctl net.ipv4.conf.all.accept_source_route=1", slow=True, sentinel=None)
def options_expired(s):
    for ident, options in enumerate((RECORD, TIMES, ROUTE, padded(srr(LSRR, R0)), RECORD + ROUTE,
                                     padded(rr(1, 5)))):
        for n, dst in enumerate((R0, R1)):
            s.start("p0", cut(echo(H0, dst, data(900), id=2 * ident + n), 304, options=options)[0])
            s.pause(0.15)       # several slots of their timers (ticks.py): never two in one
    s.wait(2, tolerance=0.6)


@both("of several ways", "sysctl net.ipv4.fib_multipath_hash_seed=77",
      "route add 203.0.113.0/24 nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 2 "
      "nexthop via 10.0.3.254", rule="E, H4")
def multipath(s):
    ident = 0
    for policy in (0, 1):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for host in range(1, 25):
            dst = f"203.0.113.{host}"
            quoted = udp(dst, far("p3", host), data(64), sport=9 * host)
            for packet in (udp(H0, dst, data(100), sport=host), tcp(H0, dst, data=data(60)),
                           ipv4(H0, dst, 50, data(100, host)), ipv4(H0, dst, 51, data(100, host)),
                           ipv4(H0, dst, 132, data(100, host)), echo(H0, dst, data(100)),
                           icmp(H0, dst, 3, 1, data=quoted), icmp(H0, dst, 11, data=quoted),
                           icmp(H0, dst, 3, 1, data=quoted, options=RECORD)):
                ident += 1
                for sizes in ((8, 8, 8), (16,), (24,), (32,)):
                    pieces = cut(packet, *sizes, id=ident)
                    s.start("p0", *pieces)
                    s.send("p0", *pieces[::-1])


@scenario("what is collected while it is switched on and off", "K", missing=MISSING,
          setup=QUIET[:1])
def toggled(s):
    was, ident = 0, 0

    def switch(on):
        nonlocal was
        if on != was:
            s.run(f"sysctl net.millrace.defrag={on}")
        was = on
    for dst in (R0, H1):
        for order in ORDERS:
            for plan in itertools.product((0, 1), repeat=3):
                ident += 1
                pieces = cut(echo(H0, dst, data(900), id=ident), 304, 304)
                for at, on in zip(order, plan):
                    switch(on)
                    s.send("p0", pieces[at])
                for at in order:
                    s.send("p0", pieces[at])
    s.run("sysctl net.ipv4.ipfrag_max_dist=3")
    for between in (2, 3, 4, 5):
        for first, then in ((0, 1), (1, 0)):
            ident += 1
            pieces = cut(echo(H0, R0, data(900), id=ident), 304, 304)
            switch(first)
            s.send("p0", pieces[0])
            switch(then)
            s.send("p0", *[cut(echo(H0, R0, data(90), id=5000 + ident * 10 + n), 48)[0]
                           for n in range(between)])
            switch(first)
            s.send("p0", *pieces[1:])
            s.send("p0", pieces[0])


@both("by lo, again and again", "route add 203.0.113.0/25 dev lo",
      "route add 203.0.113.128/25 dev lo mtu 200", rule="K, H")
def by_lo(s):
    for dst in ("203.0.113.1", "203.0.113.200"):
        for ttl in (1, 2, 3, 9):
            for keep in (0, DF):
                for size in (100, 304):
                    for k in (slice(None), slice(None, None, -1)):
                        s.send("p0", *cut(udp(H0, dst, data(900), id=ttl, ttl=ttl), size, size,
                                          keep=keep)[k])
                        s.check_counters()


@both("with and without a tag of VLAN 0")
def some_tagged(s):
    for ident, (tags, order) in enumerate(itertools.product(range(8), ORDERS)):
        for dst in (R0, H1):
            pieces = cut(echo(H0, dst, data(900), id=ident), 304, 304)
            s.send("p0", *[tagged(*[(0x8100, 0xe000 * at & 0xe000)] * (tags >> at & 1),
                                  payload=pieces[at]) for at in order])


@both("a better way than the last fragment's port",
      "route add 203.0.113.0/24 via 10.0.0.254", "route add 203.0.114.0/24 via 10.0.1.254")
def redirects(s):
    for src, dst, ports in ((H0, "203.0.113.1", "p0 p1 p1"), (J0, "203.0.113.1", "p1 p1 p0"),
                            (H1, "203.0.114.1", "p1 p0 p0"), (J1, "203.0.114.1", "p0 p1 p1"),
                            (G0, "203.0.113.1", "p3 p0 p0"), (G1, "203.0.114.1", "p1 p1 p0")):
        by_ports(s, cut(udp(src, dst, data(900)), 304, 304), ports.split(), (1, 0, 2))


@both("rules by the port", "sysctl net.ipv4.conf.all.send_redirects=0",
      *(f"sysctl net.ipv4.conf.{port}.send_redirects=0" for port in PORTS),
      "rule add iif p1 table 100 priority 100", "route add 203.0.113.0/24 via 10.0.0.254",
      "route add 203.0.113.0/24 via 10.0.1.254 table 100",
      "rule add iif p3 to 10.0.2.0/24 unreachable priority 101",
      *(f"neigh add 10.0.{n}.{host} lladdr {host_mac(f'p{n}', host)} dev p{n} nud permanent"
        for n in range(2) for host in range(10, 30)))
def rules_by_port(s):
    for ident, (ports, order) in enumerate(itertools.product(PORTSETS, ORDERS)):
        host = 10 + ident % 20          # each within its limits
        for src in (f"10.0.0.{host}", f"10.0.1.{host}", far("p2", host)):
            for dst in ("203.0.113.5", H2):
                by_ports(s, cut(udp(src, dst, data(900), id=ident), 304, 304), ports, order)
                s.check_counters()


@both("source routes in some fragments", "sysctl net.ipv4.conf.all.accept_source_route=1")
def source_routes(s):
    ident = 0
    for kind, hops in itertools.product((LSRR, SSRR), ((R0,), (R1,), (H1,), (R1, H1), (H1, R1),
                                                     (R0, R1, R2), (UNROUTED,))):
        options = padded(srr(kind, *hops))
        for which in range(8):
            for order in (ORDERS[0], ORDERS[-1], ORDERS[3]):
                ident += 1
                packet = echo(H0, R0, data(900), id=ident)
                pieces = [cut(packet, 304, 304, options=options if which >> n & 1 else b"")[n]
                          for n in range(3)]
                s.send("p0", *[pieces[at] for at in order])


@both("a report of an MTU in fragments, and what forwarding makes of it",
      "sysctl net.ipv4.ip_forward_use_pmtu=1", rule="G2, E")
def pmtu_fragmented(s):
    for ident, mtu in enumerate((1000, 600, 552, 500)):
        host = far("p1", 10 + ident)
        s.send("p1", echo(host, R1, data(1400)))
        quoted = icmp(R1, host, 0, rest=b"\0\7\0\1", data=data(1400))[:200]
        report = icmp(host, R1, 3, 4, rest=b"\0\0" + mtu.to_bytes(2, "big"), data=quoted, id=ident)
        s.send("p1", *cut(report, 8, 8, 8))
        s.pause(LEARN_SECONDS)
        s.send("p1", echo(host, R1, data(1400)))
        for keep in (0, DF):
            for size in (400, 984, 1200):
                s.send("p0", udp(H0, host, data(1300), flags=keep))
                s.send("p0", *cut(udp(H0, host, data(1300), id=size), size, keep=keep))


@both("pieces of pieces for a neighbour that does not answer", rule="D, I", slow=True,
      sentinel=None, mtu={"p2": 300})
def no_neighbour(s):
    for n, options in enumerate((b"", RECORD, b"\x94\4\0\0")):
        dst = f"10.0.2.{70 + n}"
        s.start("p0", *cut(ipv4(far("p0", n + 1), dst, 99, data(900), options=options), 304, 304,
                           options=options))
        s.start("p0", ipv4(far("p0", n + 20), dst, 99, data(900), options=options))
        s.pause(0.1)
    s.wait(4, tolerance=0.5)


@scenario("resets that carry back more options than fit", "F, B", setup=QUIET[:1])
def long_resets(s):
    for mtu in (68, 72, 76, 79, 80, 84):
        s.run(f"link set p1 mtu {mtu}", f"route replace 203.0.113.0/24 via 10.0.2.254 mtu {mtu}")
        for slots in range(10):
            options = padded(rr(slots))
            for src in (H1, "203.0.113.9"):
                s.send("p0", tcp(src, R0, options=options))
                s.send("p0", *cut(tcp(src, R0, data=data(90)), 24, options=options))
        s.check_counters()


@scenario("the port whose address an error comes from is that of the first fragment", "K",
          missing=MISSING, setup=(*QUIET, *ON, *INBOUND, "filter add forward ip ttl 33 reject"))
def inbound(s):
    ident = 0
    for ports, order in itertools.product(PORTSETS, ORDERS):
        for dst, ttl in ((H2, 1), (UNROUTED, 9), (PROHIBITED, 9), (UNREACHABLE, 9), (H2, 33),
                         (R3, 9)):
            ident += 1
            src = far("p2", 1 + ident % 200)
            by_ports(s, cut(udp(src, dst, data(900), id=ident, ttl=ttl), 304, 304), ports, order)


@scenario("the port whose address an error comes from when time runs out", "E", slow=True,
          sequence=lambda frame: frame.hex(),
          missing=MISSING, setup=(*QUIET, *INBOUND, "sysctl net.ipv4.ipfrag_time=1",
                                  "addr add 10.9.0.1/32 dev p3"))
def inbound_expired(s):
    for ident, (ports, order) in enumerate(itertools.product(PORTSETS, ORDERS)):
        pieces = cut(echo(far("p2", 1), "10.9.0.1", data(900), id=ident), 304, 304)
        for at in order[:2]:
            s.start(ports[at], pieces[at])
            s.pause(0.002)
    s.sentinel = None
    s.run("addr del 10.9.0.1/32 dev p3", "route add 10.9.0.1/32 via 10.0.3.2")
    s.wait(1.3, tolerance=0.6)
