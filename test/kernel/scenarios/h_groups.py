"""Rule H4: routes over several ways, and which flow takes which."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

SEED = "sysctl net.ipv4.fib_multipath_hash_seed=12345"
BY_PORT = "sysctl net.ipv4.fib_multipath_hash_policy=1"
THREE = ("route add 20.0.0.0/8 nexthop via 10.0.1.254 nexthop via 10.0.2.254"
         " nexthop via 10.0.3.254")
FLOWS = 600
SCTP, DCCP, UDPLITE, ESP, AH, GRE = 132, 33, 136, 50, 51, 47


def flow(n):
    """Addresses and ports of one of many flows, no two alike."""
    return (f"198.51.{n % 4}.{1 + n % 250}", f"20.{n % 7}.{n % 251}.{n * 31 % 256}",
            1024 + n * 7919 % 60000, 1 + n * 104729 % 65000)


def six_hundred(s):
    for start in range(0, FLOWS, 50):
        s.send("p0", *[udp(src, dst, sport=sport, dport=dport) if n % 3 else
                       tcp(src, dst, ACK, sport=sport, dport=dport)
                       for n, (src, dst, sport, dport) in
                       ((n, flow(n)) for n in range(start, start + 50))])


@scenario("600 flows by address", "H4", setup=(SEED, THREE))
def by_address(s):
    six_hundred(s)


@scenario("600 flows by port", "H4", setup=(SEED, BY_PORT, THREE))
def by_port(s):
    six_hundred(s)


@scenario("other seeds", "H4", setup=(THREE,))
def seeds(s):
    for seed in (1, 2, 77777, 2147483647):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_seed={seed}")
        s.send("p0", *[udp(src, dst, sport=sport, dport=dport)
                       for src, dst, sport, dport in map(flow, range(60))])


@scenario("weights", "H4", setup=(
    SEED, BY_PORT,
    "route add 20.0.0.0/8 nexthop via 10.0.1.254 weight 1 nexthop via 10.0.2.254 weight 256"
    " nexthop via 10.0.3.254 weight 17 nexthop via 10.0.1.3 weight 100"
    " nexthop via 10.0.3.3 weight 3"))
def weights(s):
    six_hundred(s)
    s.run("route replace 20.0.0.0/8 nexthop via 10.0.1.254 weight 2"
          " nexthop via 10.0.1.254 weight 3 nexthop dev p3 weight 5",
          *(f"neigh add 20.{n}.0.{h} lladdr 02:00:00:00:03:99 dev p3 nud permanent"
            for n in range(2) for h in range(50)))
    s.send("p0", *[udp(far("p0", h + 1), f"20.{n}.0.{h}", sport=n * 100 + h)
                   for n in range(2) for h in range(50)])


@scenario("thirty-two ways", "H4", setup=(SEED, BY_PORT) + tuple(
    f"neigh add 10.0.{1 + n % 3}.{10 + n} lladdr 02:00:00:00:0{1 + n % 3}:{10 + n:02x}"
    f" dev p{1 + n % 3} nud permanent" for n in range(32)) + (
    "route add 20.0.0.0/8" + "".join(f" nexthop via 10.0.{1 + n % 3}.{10 + n} weight {1 + n}"
                                     for n in range(32)),))
def many_ways(s):
    six_hundred(s)


def _kinds(src, dst, sport, dport):
    """A flow in every protocol that has ports, or something instead, or nothing."""
    ports = struct.pack("!HH", sport, dport)
    yield udp(src, dst, sport=sport, dport=dport)
    yield tcp(src, dst, sport=sport, dport=dport)
    for proto in (SCTP, DCCP, UDPLITE, ESP, AH, GRE, 89, 41, 4, 200):
        yield ipv4(src, dst, proto, ports + struct.pack("!HH", dport, sport) + bytes(24))
        yield ipv4(src, dst, proto, ports[:3])
        yield ipv4(src, dst, proto, ports)
        yield ipv4(src, dst, proto)
    yield echo(src, dst, ident=sport, sequence=dport)
    yield udp(src, dst, sport=sport, dport=dport, flags=DF, tos=7, ttl=9)


@scenario("protocols and what they have for ports", "H4", setup=(SEED, THREE))
def protocols(s):
    for policy in (1, 0, 2, 3):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for n in range(12):
            s.send("p0", *_kinds(*flow(n)))


@scenario("fragments have no ports", "H4", setup=(SEED, THREE))
def fragments(s):
    for policy in (1, 0, 2, 3):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for n in range(20):
            src, dst, sport, dport = flow(n)
            whole = udp(src, dst, bytes(120), sport=sport, dport=dport)[20:]
            s.send("p0", ipv4(src, dst, UDP, whole[:64], flags=MF, id=n),
                   ipv4(src, dst, UDP, whole[64:], offset=8, id=n),
                   ipv4(src, dst, UDP, whole))


def _errors(src, dst, inner, kinds=(0, 3, 4, 5, 8, 11, 12, 13, 30)):
    for kind in kinds:
        yield icmp(src, dst, kind, data=inner)


@scenario("ICMP errors go with the flow that they are about", "H4", setup=(SEED, THREE))
def icmp_errors(s):
    for policy in (0, 1, 2, 3):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for n in range(24):
            src, dst, sport, dport = flow(n)
            router = far("p2", 1 + n)
            inner = udp(dst, src, sport=dport, dport=sport)
            s.send("p0", *_errors(router, dst, inner))
            s.send("p0", *_errors(router, dst, inner[:20]), *_errors(router, dst, inner[:19]),
                   *_errors(router, dst, b""), udp(src, dst, sport=sport, dport=dport))
            s.send("p0", icmp(router, dst, 3, data=inner, flags=MF),
                   icmp(router, dst, 3, data=inner, offset=1),
                   ipv4(router, dst, ICMP, b"\3"), ipv4(router, dst, ICMP))


@scenario("what the router itself sends over several ways", "H4", setup=(
    SEED, THREE, "sysctl net.ipv4.icmp_ratemask=0"))
def own(s):
    for policy, fields in ((0, 7), (1, 7), (2, 7), (3, 7), (3, 0x3f), (3, 0xfc8)):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}",
              f"sysctl net.ipv4.fib_multipath_hash_fields={fields}")
        for n in range(40 if fields == 7 else 20):
            _, src, sport, dport = flow(n)
            s.send("p0", echo(src, R0, ident=n), echo(src, R1),
                   tcp(src, R0, sport=sport, dport=dport), udp(src, R0, sport=sport, dport=dport),
                   udp(src, R2, sport=sport, dport=dport),
                   udp(src, H1, ttl=1, sport=sport, dport=dport), echo(src, B0),
                   icmp(src, R3, 13, data=bytes(12)))
            s.send("p1", tcp(src, H0, ttl=1, sport=sport, dport=dport),
                   udp(src, H2, bytes(1390), flags=DF, sport=sport, dport=dport),
                   # as many such errors as there may be at once
                   *([icmp(src, UNREACHABLE, 8)] if fields != 0xfc8 else []))


@scenario("own addresses of the ways as sources", "H4", setup=(
    SEED, "route add 20.0.0.0/8 nexthop via 10.0.1.254 nexthop via 10.0.2.254 weight 9"
    " nexthop via 10.0.3.254", "addr add 10.0.3.77/24 dev p3", "addr add 10.9.9.9/32 dev p2"))
def own_sources(s):
    s.run("route add 21.0.0.0/8 src 10.0.1.1 nexthop via 10.0.1.254 nexthop via 10.0.2.254")
    for n in range(24):
        s.send("p0", echo(f"21.0.{n}.1", R1), echo(f"21.0.{n}.1", R2), echo(f"21.0.{n}.1", R0),
               echo(f"21.0.{n}.1", B0))
        for own_address in (R0, R1, R2, R3, "10.0.3.77", "10.9.9.9"):
            s.send("p0", echo(f"20.0.{n}.1", own_address))


@scenario("a way that is down leaves its share to the others", "H4", sentinel=None,
          setup=(SEED, THREE.replace("via 10.0.2.254", "via 10.0.2.254 weight 3")))
def dead(s):
    def probe():
        s.start("p0", *[udp(src, dst, sport=sport) for src, dst, sport, _ in map(flow, range(80))])
        s.wait(0.3)
    probe()
    for command in ("link set p2 down", "link set p1 down", "link set p2 up", "link set p1 up",
                    "addr del 10.0.3.1/24 dev p3", "addr add 10.0.3.1/24 dev p3",
                    "link set p3 down", "link set p2 down", "link set p1 down",
                    "link set p1 up", "link set p2 up", "link set p3 up"):
        s.run(command)
        s.pause(0.3)
        s.run(*(f"neigh replace 10.0.{n}.254 lladdr {host_mac(f'p{n}', 254)} dev p{n} nud permanent"
                for n in (1, 2, 3) if command.split()[-1] == f"p{n}" and " up" in command
                or command.startswith("addr add") and n == 3))
        probe()


@scenario("gateways that do not answer", "H4", slow=True, setup=(
    SEED, "sysctl net.ipv4.icmp_ratemask=0",
    "route add 20.0.0.0/8 nexthop via 10.0.1.77 nexthop via 10.0.2.254 nexthop via 10.0.3.77"))
def use_neigh(s):
    def probe():
        s.start("p0", *[udp(f"198.51.0.{1 + n}", f"20.0.{n}.1", sport=n) for n in range(40)])
        s.wait(0.3, tolerance=0.3)
    s.start("p0", udp(far("p0", 100), "10.0.1.77"))
    s.wait(0.5)
    s.run("sysctl net.ipv4.fib_multipath_use_neigh=1")
    probe()
    s.wait(4, tolerance=0.3)
    probe()
    s.run("neigh replace 10.0.1.77 lladdr 02:00:00:00:01:77 dev p1 nud stale",
          "neigh replace 10.0.3.77 lladdr 02:00:00:00:03:77 dev p3 nud permanent")
    probe()
    s.run("sysctl net.ipv4.fib_multipath_use_neigh=0")


@scenario("validation of sources with several ways back", "H4, A", setup=(
    SEED, THREE, "sysctl net.ipv4.conf.p1.rp_filter=1", "sysctl net.ipv4.conf.p2.rp_filter=2",
    "sysctl net.ipv4.conf.p0.rp_filter=1",
    "route add 21.0.0.0/8 nexthop via 10.0.0.254 nexthop dev p1"))
def validation(s):
    for port in PORTS:
        for n in range(8):
            s.send(port, udp(f"20.0.{n}.1", H0), udp(f"20.0.{n}.1", H3), udp(f"21.0.{n}.1", H2),
                   udp(f"20.0.{n}.1", R0), udp(f"20.0.{n}.1", f"21.{n}.0.1", ttl=1))


@scenario("redirects with several ways", "H4, C9", setup=(
    SEED, "route add 20.0.0.0/8 nexthop via 10.0.0.254 nexthop via 10.0.1.254"))
def redirects(s):
    for n in range(16):
        s.send("p0", udp(J0 if n % 2 else H0, f"20.0.{n}.1"))
        s.pause(0.6)


@scenario("each way has the route's MTU and source", "H4, C3", setup=(
    SEED, "sysctl net.ipv4.icmp_ratemask=0",
    "route add 20.0.0.0/8 mtu 700 src 10.0.3.1 nexthop via 10.0.1.254 nexthop via 10.0.2.254",
    "route add 21.0.0.0/8 nexthop via 10.0.1.254 nexthop via 10.0.2.254"))
def mtus(s):
    for n in range(8):
        for net in (20, 21):
            s.send("p0", udp(H0, f"{net}.0.{n}.1", bytes(900)),
                   udp(H0, f"{net}.0.{n}.1", bytes(1390)),
                   udp(H0, f"{net}.0.{n}.1", bytes(1390), flags=DF), echo(f"{net}.0.{n}.1", B0),
                   udp(f"{net}.0.{n}.1", H1, ttl=1), echo(f"{net}.0.{n}.1", R0, bytes(1000)))


@scenario("groups behind rules and TOS", "H4, H2, H1", setup=(
    SEED, THREE.replace("20.0.0.0/8", "20.0.0.0/8 tos 0x10"),
    THREE.replace("20.0.0.0/8", "20.0.0.0/8 table 10"), "route add 20.0.0.0/8 via 10.0.3.3",
    "rule add from 198.51.1.0/24 priority 5 table 10"))
def behind_rules(s):
    for n in range(30):
        src, dst, sport, _ = flow(n)
        s.send("p0", udp(src, dst, sport=sport), udp(src, dst, sport=sport, tos=0x10))


@scenario("deleting and replacing groups", "H4", setup=(SEED,))
def changing(s):
    two = "nexthop via 10.0.1.254 nexthop via 10.0.2.254"
    for command in (f"route add 20.0.0.0/8 {two}", f"route append 20.0.0.0/8 {two} nexthop dev p3",
                    "route replace 20.0.0.0/8 nexthop via 10.0.2.254 weight 4 "
                    "nexthop via 10.0.3.254",
                    "route add 20.0.0.0/8 via 10.0.1.3 metric 9",
                    "route del 20.0.0.0/8 nexthop via 10.0.2.254 nexthop via 10.0.3.254",
                    f"route del 20.0.0.0/8 {two} nexthop dev p3",
                    f"route add 20.0.0.0/8 {two}", "route del 20.0.0.0/8 via 10.0.1.254",
                    "route add 20.0.0.0/8 nexthop via 10.0.2.3"):
        s.run(command)
        s.send("p0", *[udp(src, f"20.0.0.{n}", sport=sport)
                       for n, (src, _, sport, _) in ((n, flow(n)) for n in range(20))])


@scenario("pings over several ways", "H4", slow=True, setup=(SEED, THREE))
def pings(s):
    for policy, fields in ((1, 7), (2, 7), (3, 7), (3, 0x3f)):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}",
              f"sysctl net.ipv4.fib_multipath_hash_fields={fields}")
        s.ping(*(f"20.0.{policy}.{n} -I {R0}" for n in range(1, 4)))
        if policy != 1 and fields != 0x3f:      # else connect() draws a port, and so the source
            s.ping(*(f"20.0.{policy}.{n}" for n in range(10, 12)))
