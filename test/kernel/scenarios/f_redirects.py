"""Rule F's last line: redirects that others send, which are believed and how long."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

LEARN_SECONDS = 0.05        # until the control thread has it

NEW = "10.0.0.77"           # a gateway that is known
FAR = far("p0", 1)          # what is behind G0

ACCEPT = (
    *(f"sysctl net.ipv4.conf.{name}.accept_redirects=1" for name in ("all", "p0", "p1")),
    "sysctl net.ipv4.icmp_ratemask=0",
    f"neigh add {NEW} lladdr {host_mac('p0', 0x77)} dev p0 nud permanent",
    f"neigh add 10.0.1.77 lladdr {host_mac('p1', 0x77)} dev p1 nud permanent")


def redirect(s, gateway, dst=FAR, *, port="p0", src=G0, own=R0, code=1, quoted=None, **fields):
    """A gateway says that another one is nearer; it quotes an echo reply unless told otherwise."""
    quoted = quoted or icmp(own, dst, 0, data=b"12345678")
    s.send(port, icmp(src, own, 5, code, address(gateway), quoted, **fields))
    s.pause(LEARN_SECONDS)


def probe(s, dst=FAR, own=R0):
    """What goes where is seen by its MAC address: an answer, an error, and what is forwarded."""
    s.send("p3", echo(dst, own))
    s.send("p3", udp(dst, own))
    s.send("p1", udp(H1, dst))
    s.send("p1", udp(H1, dst, ttl=1))
    s.send("p1", udp(H1, dst, bytes(1472), flags=DF))
    s.send("p0", udp(far("p0", 9), dst))


@scenario("from the gateway in use: believed", "F redirects", setup=ACCEPT)
def believed(s):
    probe(s)
    redirect(s, NEW)
    probe(s)
    probe(s, far("p0", 2))
    probe(s, own=R1)
    redirect(s, G0)                             # the old one is not asked any more
    probe(s)
    redirect(s, J0, src=NEW)
    probe(s)
    s.run("route flush cache")
    probe(s)


@scenario("they are not believed by themselves", "F redirects",
          setup=(f"neigh add {NEW} lladdr {host_mac('p0', 0x77)} dev p0 nud permanent",))
def refused(s):
    redirect(s, NEW)
    probe(s)


@scenario("accept_redirects: all and the port where it forwards", "F redirects", setup=ACCEPT)
def settings_and(s):
    for everything, port in ((0, 0), (0, 1), (1, 0), (1, 1)):
        s.run(f"sysctl net.ipv4.conf.all.accept_redirects={everything}",
              f"sysctl net.ipv4.conf.p0.accept_redirects={port}")
        redirect(s, NEW)
        probe(s)


@scenario("accept_redirects: all or the port where it does not", "F redirects", sentinel="echo",
          setup=ACCEPT + ("sysctl net.ipv4.conf.p0.forwarding=0",))
def settings_or(s):
    for everything, port in ((0, 0), (0, 1), (1, 0), (1, 1)):
        s.run("route flush cache", f"sysctl net.ipv4.conf.all.accept_redirects={everything}",
              f"sysctl net.ipv4.conf.p0.accept_redirects={port}")
        redirect(s, NEW)
        s.send("p1", udp(H1, FAR))
        s.send("p3", echo(FAR, R0))


@scenario("ip_forward sets accept_redirects of all", "F redirects", sentinel="echo", setup=ACCEPT)
def forwarding_sets(s):
    for forwarding in (0, 1, 0, 1):
        s.run("route flush cache", f"sysctl net.ipv4.ip_forward={forwarding}",
              "sysctl net.ipv4.conf.p0.accept_redirects=1")
        redirect(s, NEW)
        s.send("p3", echo(FAR, R0))
        s.run("sysctl net.ipv4.conf.p0.accept_redirects=0")
        redirect(s, J0)
        redirect(s, J0, src=NEW)
        s.send("p3", echo(FAR, R0))


@scenario("codes", "F redirects", setup=ACCEPT)
def codes(s):
    for code in (*range(17), 128, 131, 132, 255):
        s.run("route flush cache")
        redirect(s, NEW, code=code)
        s.send("p3", echo(FAR, R0))


@scenario("senders that are not the gateway in use", "F redirects", setup=ACCEPT)
def senders(s):
    for src in (H0, NEW, G1, R1, FAR, UNROUTED):
        redirect(s, NEW, src=src)
        s.send("p3", echo(FAR, R0))
    redirect(s, NEW, port="p3")                 # from the right address, but elsewhere
    s.send("p3", echo(FAR, R0))
    redirect(s, NEW, port="p1")
    s.send("p3", echo(FAR, R0))


@scenario("gateways that no redirect may name", "F redirects", setup=ACCEPT)
def gateways(s):
    for new in (G0, "0.0.0.0", EVERYONE, ALL_HOSTS, R0, R1, B0, B1, "127.0.0.1", "240.0.0.1"):
        redirect(s, new)
        s.send("p3", echo(FAR, R0))


@scenario("gateways that are off the link, and on another", "F redirects", setup=ACCEPT + (
    f"neigh add {UNROUTED} lladdr {host_mac('p0', 0x66)} dev p0 nud permanent",
    f"neigh add {UNREACHABLE} lladdr {host_mac('p0', 0x67)} dev p0 nud permanent",
    f"neigh add {FAR} lladdr {host_mac('p0', 0x68)} dev p0 nud permanent",
    f"neigh add 10.0.1.77 lladdr {host_mac('p0', 0x69)} dev p0 nud permanent"))
def gateways_off_link(s):
    for new in (UNROUTED, UNREACHABLE, "10.0.1.77", FAR):
        s.run("route flush cache")
        redirect(s, new)
        probe(s)


@scenario("without shared media: on the link, and known", "F redirects", setup=ACCEPT + (
    "sysctl net.ipv4.conf.all.shared_media=0", "sysctl net.ipv4.conf.p0.shared_media=0",
    "addr add 10.8.0.1/24 dev p0", "route add 192.0.2.0/24 via 10.0.0.3",
    f"neigh add 10.8.0.9 lladdr {host_mac('p0', 0x69)} dev p0 nud permanent"))
def secure(s):
    for settings in ((0, 0), (0, 1), (1, 0), (1, 1)):
        s.run("route flush cache", *(f"sysctl net.ipv4.conf.{name}.secure_redirects={value}"
                                     for name, value in zip(("all", "p0"), settings)))
        for new in (NEW, J0, "10.8.0.9", G1, B0):
            redirect(s, new)
            s.send("p3", echo(FAR, R0))
            s.run("route flush cache")
    s.run("route del 192.0.2.0/24 via 10.0.0.3")
    redirect(s, J0)
    s.send("p3", echo(FAR, R0))


@scenario("without shared media the router asks for its own address", "F redirects, I",
          setup=ACCEPT + ("sysctl net.ipv4.conf.all.shared_media=0",
                          "sysctl net.ipv4.conf.p0.shared_media=0",
                          "sysctl net.ipv4.conf.p0.secure_redirects=0",
                          "sysctl net.ipv4.conf.all.secure_redirects=0"))
def own_address(s):
    redirect(s, R0)
    s.send("p3", echo(FAR, R0))


@scenario("shared media of all or the port", "F redirects", setup=ACCEPT + (
    "sysctl net.ipv4.conf.all.shared_media=0",))
def shared_or(s):
    redirect(s, NEW)
    s.send("p3", echo(FAR, R0))


@scenario("what must be quoted", "F redirects", setup=ACCEPT)
def quoted(s):
    for packet in (udp(R0, FAR), tcp(R0, FAR), icmp(R0, FAR, 8, data=b"12345678"),
                   ipv4(R0, FAR, 99, bytes(8)), icmp(R0, FAR, 0)[:27], icmp(R0, FAR, 0)[:19],
                   icmp(H1, FAR, 0, data=b"12345678"), icmp(R0, FAR, 3, data=bytes(28)),
                   icmp(R0, FAR, 5, data=bytes(28))):
        redirect(s, NEW, quoted=packet)
        s.send("p3", echo(FAR, R0))
    for dst, packet in enumerate((
            lambda d: icmp(R1, d, 0, data=b"12345678"),
            lambda d: icmp(R0, d, 0, data=b"12345678", options=b"\x94\4\0\0"),
            lambda d: icmp(R0, d, 0, data=b"12345678", check=1),
            lambda d: icmp("0.0.0.0", d, 0, data=b"12345678"),
            lambda d: icmp(R0, d, 0, 7, data=b"", offset=9, length=3, ttl=0),
            lambda d: icmp(R0, d, 0, version=6), lambda d: icmp(R0, d, 0, ihl=4)), 20):
        redirect(s, NEW, quoted=packet(far("p0", dst)))
        s.send("p3", echo(far("p0", dst), R0))
    for options in (b"\7\7\4\0\0\0\0\1", b"\x94\4\0\0"):
        s.run("route flush cache")
        redirect(s, NEW, options=options)
        s.send("p3", echo(FAR, R0))


@scenario("in frames to all", "F redirects", setup=ACCEPT)
def in_broadcasts(s):
    packet = icmp(G0, R0, 5, 1, address(NEW), icmp(R0, FAR, 0, data=b"12345678"))
    s.send("p0", packet, dst=BROADCAST_MAC)
    s.pause(LEARN_SECONDS)
    s.send("p3", echo(FAR, R0))
    s.run("route flush cache")
    s.send("p0", icmp(G0, B0, 5, 1, address(NEW), icmp(R0, FAR, 0, data=b"12345678")))
    s.pause(LEARN_SECONDS)
    s.send("p3", echo(FAR, R0))


@scenario("in fragments", "F redirects", setup=ACCEPT)
def in_fragments(s):
    whole = icmp(G0, R0, 5, 1, address(NEW), icmp(R0, FAR, 0, data=b"12345678"))[20:]
    s.send("p0", ipv4(G0, R0, ICMP, whole[24:], offset=3),
           ipv4(G0, R0, ICMP, whole[:24], flags=MF))
    s.pause(LEARN_SECONDS)
    probe(s)


@scenario("destinations that have no gateway", "F redirects", setup=ACCEPT)
def no_gateway(s):
    for dst in (H0, UNROUTED, UNREACHABLE, R1, B0, ALL_HOSTS, "127.0.0.1"):
        for src in (G0, dst):
            redirect(s, NEW, dst, src=src)
    s.send("p3", echo(H0, R0))
    s.send("p1", udp(H1, H0))


@scenario("an MTU that was learned of a neighbour makes it its own gateway", "F redirects, G2",
          setup=ACCEPT)
def own_gateway(s):
    for dst in (H0, J0):
        if dst == H0:
            s.send("p0", icmp(dst, R0, 3, 4, b"\0\0\4\0", icmp(R0, dst, 0, data=b"12345678")))
            s.pause(LEARN_SECONDS)
        redirect(s, NEW, dst, src=dst)
        probe(s, dst)
        s.send("p3", echo(dst, R0, bytes(1300)))


@scenario("a gateway and an MTU beside each other", "F redirects, G2", setup=ACCEPT)
def beside_mtu(s):
    too_big = icmp(FAR, R0, 3, 4, b"\0\0\4\0", icmp(R0, FAR, 0, data=b"12345678"))
    large = echo(FAR, R0, bytes(1300))
    redirect(s, NEW)
    s.send("p0", too_big)
    s.pause(LEARN_SECONDS)
    s.send("p3", large)
    s.run("route flush cache")
    s.send("p0", too_big)
    s.pause(LEARN_SECONDS)
    redirect(s, NEW)
    s.send("p3", large)
    s.send("p3", udp(H3, FAR, bytes(1300), flags=DF))
    s.run("sysctl net.ipv4.ip_forward_use_pmtu=1")
    s.send("p3", udp(H3, FAR, bytes(1300), flags=DF))
    redirect(s, J0, src=NEW)
    s.send("p3", udp(H3, FAR, bytes(1300), flags=DF))
    s.send("p3", udp(H3, FAR))
    s.run("sysctl net.ipv4.ip_forward_use_pmtu=0")
    s.send("p3", udp(H3, FAR, bytes(1300), flags=DF))
    s.run("link set p0 mtu 900")
    s.send("p3", large)
    s.send("p3", udp(H3, FAR, bytes(1300), flags=DF))


@scenario("the new gateway is asked by ARP first", "F redirects, I", setup=ACCEPT, slow=True)
def asked(s):
    new = "10.0.0.88"
    redirect(s, new)
    s.send("p3", echo(FAR, R0))
    redirect(s, new)
    s.send("p0", arp(2, host_mac("p0", 0x88), new, router_mac("p0"), R0, dst=router_mac("p0")))
    s.send("p3", echo(FAR, R0))
    s.neighbours("p0")
    redirect(s, new)
    probe(s)
    redirect(s, "10.0.0.89", src=new)           # who never answers
    s.wait(3.5)
    s.neighbours("p0")
    redirect(s, "10.0.0.89", src=new)
    s.wait(3.5)
    probe(s)


@scenario("a gateway that goes away is kept to, as one that was configured", "F redirects, I",
          setup=ACCEPT, slow=True)
def lost(s):
    redirect(s, NEW)
    s.send("p3", echo(FAR, R0))
    s.run(f"neigh del {NEW} dev p0")
    s.send("p3", echo(FAR, R0))
    s.wait(3.5)
    s.send("p1", udp(H1, FAR))
    s.wait(3.5)


@scenario("routes change below a redirect", "F redirects", setup=ACCEPT + tuple(
    f"sysctl net.ipv4.conf.{name}.send_redirects=0" for name in ("all", "p0")))
def routes_change(s):
    redirect(s, NEW)
    s.run(f"route add {FAR}/32 via {G1}")
    probe(s)
    redirect(s, "10.0.1.77", port="p1", src=G1)
    probe(s)
    s.run(f"route del {FAR}/32 via {G1}")
    probe(s)
    s.run("link set p0 down", "link set p0 up", f"route add 198.51.0.0/24 via {G0}",
          f"neigh replace {G0} lladdr {host_mac('p0', 254)} dev p0 nud permanent")
    s.sentinel = None
    s.start("p3", udp(H3, FAR))
    s.wait(0.2)


@scenario("a redirect to the destination itself, and strict source routes", "F redirects, B",
          setup=ACCEPT + (f"neigh add {FAR} lladdr {host_mac('p0', 0x68)} dev p0 nud permanent",
                          "sysctl net.ipv4.conf.all.accept_source_route=1"))
def source_routes(s):
    for kind in (131, 137):
        route = bytes((kind, 7, 4)) + address(FAR) + b"\0"
        record = bytes((7, 7, 4, 0, 0, 0, 0, 0))
        s.run("route flush cache")
        s.send("p1", udp(H1, R1, options=route))
        redirect(s, FAR)
        s.send("p1", udp(H1, R1, options=route))
        s.send("p1", udp(H1, FAR, options=record))
        s.send("p3", echo(FAR, R0, options=record))


@scenario("the router's own redirects name what it was told", "F redirects, C9", setup=ACCEPT)
def passed_on(s):
    redirect(s, NEW)
    s.send("p0", udp(H0, FAR))
    s.send("p0", udp(J0, far("p0", 2)))


@scenario("of several ways the one in use is changed", "F redirects, H4", setup=ACCEPT + (
    "sysctl net.ipv4.fib_multipath_hash_seed=77",
    f"route add 203.0.113.0/24 nexthop via {G0} nexthop via {G1}"))
def several_ways(s):
    for policy in (0, 1, 2, 3):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for host in range(1, 9):
            dst = f"203.0.113.{host + 20 * policy}"
            redirect(s, NEW, dst)
            redirect(s, "10.0.1.77", dst, port="p1", src=G1)
            s.send("p3", echo(dst, R0))
            s.send("p3", udp(H3, dst), udp(J3, dst))
            s.send("p3", udp(dst, R1))


@scenario("UDP's echo service is redirected, too", "F redirects",
          setup=ACCEPT + ("sysctl net.millrace.udp_echo=1",))
def of_udp(s):
    redirect(s, NEW, quoted=udp(R0, FAR, sport=7, dport=4000))
    s.send("p3", udp(FAR, R0, dport=7))


@scenario("rules and tables", "F redirects, H2", setup=ACCEPT + (
    f"rule add from {R0} table 100 priority 50", f"rule add iif p1 table 100 priority 60",
    f"route add 198.51.0.0/24 via {J0} table 100"))
def tables(s):
    redirect(s, NEW)
    probe(s)
    redirect(s, NEW, src=J0)
    probe(s)
    probe(s, own=R1)


@scenario("a broadcast address that was given an MTU, then a gateway", "F redirects, G2",
          setup=ACCEPT)
def of_broadcasts(s):
    s.send("p0", icmp(B0, R0, 3, 4, b"\0\0\4\0", icmp(R0, B0, 0, data=b"12345678")))
    s.pause(LEARN_SECONDS)
    s.send("p3", echo(B0, R0, bytes(1100)))
    redirect(s, NEW, B0, src=B0)
    s.send("p3", echo(B0, R0, bytes(1100)))
    s.send("p3", udp(B0, R0))


@scenario("a source route's hop that has several ways", "B, H4", setup=(
    "sysctl net.ipv4.conf.all.accept_source_route=1",
    "sysctl net.ipv4.fib_multipath_hash_seed=77",
    f"route add 203.0.113.0/24 nexthop via {G0} nexthop via {G1}"))
def several_ways_of_hops(s):
    for policy in (0, 1, 2, 3):
        s.run(f"sysctl net.ipv4.fib_multipath_hash_policy={policy}")
        for host in range(8):
            for hops in ((f"203.0.113.{host}",), (R0, R1, f"203.0.113.{host}")):
                route = bytes((131, 3 + 4 * len(hops), 4)) + b"".join(map(address, hops)) + b"\0"
                s.send("p3", udp(H3, R3, sport=host, options=route))
                s.send("p3", udp(J3, R2, sport=host, options=route))


def too_big(s, dst, mtu=1024, own=R0, port="p0", quoted=None):
    """Somebody on the way says that an echo reply of ours does not fit."""
    s.send(port, icmp(dst, own, 3, 4, b"\0\0" + mtu.to_bytes(2, "big"),
                      quoted or icmp(own, dst, 0, data=b"12345678")))
    s.pause(LEARN_SECONDS)


@scenario("of what is flushed the destination remains, its own gateway", "F redirects, G2",
          setup=ACCEPT)
def flushed(s):
    for dst, before in ((H0, (too_big,)), (J0, ()), ("10.0.0.254", (too_big,)),
                        (FAR, (too_big,)), (far("p0", 2), (redirect,))):
        for learn in before:
            learn(s, dst=dst) if learn is too_big else redirect(s, NEW, dst)
        s.run("route flush cache")
        s.ways(dst)
        s.send("p3", echo(dst, R0, bytes(1300)))
        for src in (NEW, dst, G0):
            redirect(s, NEW if src != NEW else J0, dst, src=src)
            s.ways(dst)
            probe(s, dst)
            s.send("p3", echo(dst, R0, bytes(1300)))
        s.run("route flush cache", "route flush cache")
        redirect(s, G0, dst, src=dst)
        s.ways(dst)
        probe(s, dst)
        too_big(s, dst, 1100)
        s.ways(dst)
        probe(s, dst)


@scenario("what is flushed is as it was for a way that nothing has asked for since",
          "F redirects, G2, H4", setup=ACCEPT + (
              "sysctl net.ipv4.fib_multipath_hash_seed=77",
              f"route add 203.0.113.0/24 nexthop via {G0} nexthop via {G1}"))
def flushed_of_several(s):
    new = {"p0": NEW, "p1": "10.0.1.77"}
    for host in range(1, 13):
        dst = f"203.0.113.{host}"
        for own in (R0, R1, R2, R3):        # each way has one or the other
            for port, gateway in (("p0", G0), ("p1", G1)):
                redirect(s, new[port], dst, port=port, src=gateway, own=own)
        if host & 1:
            too_big(s, dst, 300 if host & 2 else 1300)
        s.run("route flush cache")
        if host & 4:
            s.send("p3", udp(H3, dst))
        if host & 8:
            for own in (R0, R1, R2):
                redirect(s, new["p0"], dst, own=own)
        else:
            too_big(s, dst, 1200)
        for own in (R0, R1, R2, R3):
            s.send("p3", echo(dst, own, bytes(1400)))
        for src in (H3, J3, *(far("p3", n) for n in range(8))):
            s.send("p3", udp(src, dst, bytes(1400), flags=DF))


@scenario("what is flushed goes in its time, unless something has asked for it", "F redirects, G2",
          slow=True, setup=ACCEPT + ("sysctl net.ipv4.route.mtu_expires=2",))
def flushed_expires(s):
    dsts = (H0, J0, "10.0.0.20", "10.0.0.21", "10.0.0.22")
    s.run(*(f"neigh add {dst} lladdr {host_mac('p0', n)} dev p0 nud permanent"
            for n, dst in enumerate(dsts[2:], 0x20)))
    for dst in dsts:
        too_big(s, dst)
    redirect(s, NEW, dsts[4], src=dsts[4])
    s.run("route flush cache")
    s.send("p3", echo(dsts[1], R0))
    s.send("p1", udp(H1, dsts[2]))
    s.ways(dsts[3])
    s.pause(2.5)
    s.send("p3", echo(dsts[4], R0))
    s.pause(1)
    for dst in dsts:
        redirect(s, NEW, dst, src=dst)
        s.send("p3", echo(dst, R0))
    s.pause(3.5)
    for dst in dsts:
        s.ways(dst)
        redirect(s, NEW, dst, src=dst)
        s.send("p3", echo(dst, R0))
