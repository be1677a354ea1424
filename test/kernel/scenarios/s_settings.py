"""Settings of links: how `all` and the link's own go together, each of the four ways; and values of
those for ARP."""

import itertools

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0",)


def each_way(s, name, values, story, links=("all", "p0")):
    for chosen in itertools.product(values, repeat=len(links)):
        s.run(*(f"sysctl net.ipv4.conf.{link}.{name}={value}"
                for link, value in zip(links, chosen)))
        story()


@scenario("accept_local", "A settings", setup=UNLIMITED)
def accept_local(s):
    def story():
        s.send("p0", udp(R1, H1))
        s.send("p0", udp(R0, far("p3", 1)))
        s.send("p1", udp(R0, H3))
    each_way(s, "accept_local", (0, 1), story)


@scenario("route_localnet", "A settings", setup=UNLIMITED)
def route_localnet(s):
    def story():
        s.send("p0", udp("127.0.0.1", H1))
        s.send("p0", echo(H0, "127.0.0.1"))
        s.send("p1", echo(H1, "127.0.0.1"))
        s.send("p1", udp("127.0.0.1", H0))
        s.send("p0", udp("127.0.0.1", B0), dst=BROADCAST_MAC)
        s.send("p0", udp("127.0.0.1", ALL_HOSTS))
    each_way(s, "route_localnet", (0, 1), story)


@scenario("rp_filter", "A settings", setup=UNLIMITED)
def rp_filter(s):
    def story():
        for port in ("p0", "p1"):
            for src in (H0, H1, UNROUTED, BLACKHOLED):
                s.send(port, udp(src, H3))
                s.send(port, udp(src, R0))
    each_way(s, "rp_filter", (0, 1, 2), story)


@scenario("bc_forwarding", "A settings", setup=UNLIMITED)
def bc_forwarding(s):
    def story():
        for port, host in (("p0", H0), ("p1", H1)):
            for dst in (B0, B1, B2):
                s.send(port, udp(host, dst))
                s.send(port, udp(host, dst, ttl=1))
                s.send(port, udp(host, dst, bytes(1460), flags=DF))
                s.send(port, udp(host, dst), dst=BROADCAST_MAC)
    each_way(s, "bc_forwarding", (0, 1), story)


@scenario("drop_unicast_in_l2_multicast", "A settings", setup=UNLIMITED)
def drop_unicast(s):
    def story():
        for port, host in (("p0", H0), ("p1", H1)):
            for dst in (BROADCAST_MAC, "01:00:5e:00:00:01"):
                s.send(port, echo(host, R0), dst=dst)
                s.send(port, echo(host, R0, options=b"\x07\x03\x01\x00"), dst=dst)
                s.send(port, udp(host, H3), dst=dst)
                s.send(port, udp(host, UNROUTED), dst=dst)
    each_way(s, "drop_unicast_in_l2_multicast", (0, 1), story)


@scenario("accept_source_route", "B settings", setup=UNLIMITED)
def accept_source_route(s):
    def story():
        for port, host in (("p0", H0), ("p1", H1)):
            for kind in (131, 137):
                route = bytes((kind, 7, 4)) + address(H3) + b"\0"
                s.send(port, udp(host, R0, options=route))
                s.send(port, udp(host, H3, options=route))
                s.send(port, udp(host, R0, options=route[:2] + b"\3" + route[3:]))
    each_way(s, "accept_source_route", (0, 1), story)


@scenario("send_redirects and shared_media", "C9 settings", setup=UNLIMITED + tuple(
    f"neigh add 10.0.0.{host} lladdr {host_mac('p0', host)} dev p0 nud permanent"
    for host in range(100, 120)) + (
    "addr add 10.7.0.1/24 dev p0",
    f"neigh add 10.7.0.2 lladdr {host_mac('p0', 72)} dev p0 nud permanent"))
def send_redirects(s):
    hosts = (f"10.0.0.{host}" for host in range(100, 120))

    def story():
        s.send("p0", udp(next(hosts), J0))
        s.send("p0", udp(next(hosts), "10.7.0.2"))
    each_way(s, "send_redirects", (0, 1), story)
    each_way(s, "shared_media", (0, 1), story)


@scenario("forwarding of a link, of all and of those to come", "H3 settings", sentinel="echo",
          setup=UNLIMITED)
def forwarding(s):
    for key, value in (("p0.forwarding", 0), ("all.forwarding", 0), ("p0.forwarding", 1),
                       ("all.forwarding", 1), ("p1.forwarding", 0), ("default.forwarding", 0),
                       ("all.forwarding", 1), ("all.forwarding", 0)):
        s.run(f"sysctl net.ipv4.conf.{key}={value}")
        for port, host in (("p0", H0), ("p1", H1)):
            s.send(port, udp(host, H3))
            s.send(port, udp(host, UNROUTED))
            s.send(port, udp(host, R3))


@scenario("icmp_ignore_bogus_error_responses", "F settings")
def bogus(s):
    for value in (0, 1):
        s.run(f"sysctl net.ipv4.icmp_ignore_bogus_error_responses={value}")
        for dst in (B0, B1, EVERYONE, "0.0.0.0", ALL_HOSTS, N0, H1):
            for quoted in (udp(R0, dst), icmp(R0, dst, 0, data=bytes(8)), ipv4(R0, dst, 99, b""),
                           tcp(R0, dst)):
                for kind, code in ((3, 1), (3, 4), (11, 0), (12, 0), (4, 0), (5, 1)):
                    s.send("p0", icmp(H0, R0, kind, code, b"\0\0\5\xdc", quoted))


# ARP.

def asks(sender, target, *, port="p0", host=2):
    return arp(1, host_mac(port, host), sender, "00:00:00:00:00:00", target, dst=BROADCAST_MAC)


@scenario("arp_ignore", "I settings", setup=(
    "addr add 10.0.0.9/24 dev p0", "addr add 10.9.9.9/32 dev lo", "addr add 10.8.0.1/24 dev p0"))
def arp_ignore(s):
    for everything, port in (*((0, value) for value in range(9)), (1, 0), (2, 1), (8, 0)):
        s.run(f"sysctl net.ipv4.conf.all.arp_ignore={everything}",
              f"sysctl net.ipv4.conf.p0.arp_ignore={port}")
        for sender in (H0, "10.8.0.7", "10.1.1.1", "0.0.0.0"):
            for target in (R0, "10.0.0.9", "10.8.0.1", R1, "10.9.9.9", H0):
                s.send("p0", asks(sender, target, host=9))


@scenario("arp_filter", "I settings", ignored_counters=("TcpExt.ArpFilter",))
def arp_filter(s):
    def story():
        for sender in (H0, H1, far("p0", 1), far("p1", 1), UNROUTED, UNREACHABLE, "0.0.0.0"):
            for target in (R0, R1):
                s.send("p0", asks(sender, target, host=9))
                s.send("p1", asks(sender, target, port="p1", host=9))
    each_way(s, "arp_filter", (0, 1), story)


@scenario("arp_announce", "I settings", setup=("addr add 10.8.0.1/24 dev p0",))
def arp_announce(s):
    hosts = iter(range(150, 250))

    def story():
        for own in (R0, R1, "10.8.0.1"):
            for net in ("10.0.0", "10.8.0"):
                s.send("p3", echo(f"{net}.{next(hosts)}", own))
    each_way(s, "arp_announce", (0, 1, 2), story)


@scenario("drop_gratuitous_arp and arp_accept", "I settings")
def gratuitous(s):
    hosts = iter(range(20, 100))

    def story():
        for operation in (1, 2):
            host = next(hosts)
            ip = f"10.0.0.{host}"
            mac_ = host_mac("p0", host)
            s.send("p0", arp(operation, mac_, ip, "00:00:00:00:00:00", ip, dst=BROADCAST_MAC))
            s.neighbours("p0")
            s.send("p0", arp(operation, mac_, f"10.77.0.{host}", mac_, f"10.77.0.{host}",
                             dst=BROADCAST_MAC))
            s.neighbours("p0")
    each_way(s, "drop_gratuitous_arp", (0, 1), story)
    s.run("sysctl net.ipv4.conf.all.drop_gratuitous_arp=0",
          "sysctl net.ipv4.conf.p0.drop_gratuitous_arp=0")
    each_way(s, "arp_accept", (0, 1, 2), story)


@scenario("proxy_arp and proxy_arp_pvlan", "I settings", setup=(
    "sysctl net.ipv4.neigh.p0.proxy_delay=0", "sysctl net.ipv4.neigh.p1.proxy_delay=0"))
def proxy(s):
    def story():
        for target in (H1, far("p1", 1), J0, far("p0", 1), UNROUTED, UNREACHABLE, BLACKHOLED, R1):
            s.send("p0", asks(H0, target))
        s.send("p1", asks(H1, H0, port="p1"))
    each_way(s, "proxy_arp", (0, 1), story)
    s.run("sysctl net.ipv4.conf.all.proxy_arp=0", "sysctl net.ipv4.conf.p0.proxy_arp=0")
    each_way(s, "proxy_arp_pvlan", (0, 1), story)
    s.run("sysctl net.ipv4.conf.p0.proxy_arp=1", "sysctl net.ipv4.conf.p0.forwarding=0")
    s.sentinel = "echo"
    story()


@scenario("arp_notify", "I settings", sentinel=None, slow=True,
          setup=("addr add 10.8.0.1/24 dev p0", "addr add 10.0.0.9/24 dev p0"))
def arp_notify(s):
    for everything, port in ((0, 0), (0, 1), (1, 0)):
        s.run(f"sysctl net.ipv4.conf.all.arp_notify={everything}",
              f"sysctl net.ipv4.conf.p0.arp_notify={port}")
        s.run("link set p0 address 02:00:00:00:0a:77")
        s.wait(0.5)
        s.run(f"link set p0 address {router_mac('p0')}")
        s.wait(0.5)
        s.run("link set p0 down")
        s.wait(0.5)
        s.run("link set p0 up")
        s.wait(1.5)


@scenario("arp_evict_nocarrier", "I settings", sentinel=None, slow=True)
def evict(s):
    s.run("neigh add 10.0.0.50 lladdr 02:00:00:00:00:50 dev p0 nud stale")
    for everything, port in ((1, 0), (0, 1), (0, 0), (1, 1)):
        s.run(f"sysctl net.ipv4.conf.all.arp_evict_nocarrier={everything}",
              f"sysctl net.ipv4.conf.p0.arp_evict_nocarrier={port}")
        s.plug("p0", False)
        s.wait(1.5)
        s.neighbours("p0")
        s.plug("p0", True)
        s.wait(1.5)
        s.neighbours("p0")
