"""Hosts that people could sit at, around one router: where everyday tools are run.

    hosts .10, .11, ... --- bridge --- p0  router  p1 ------------------- B 10.0.1.2
    10.0.0.0/24              |                     p2 --- G 10.0.2.254 --- C 198.51.2.2
    neighbour .2 ------------+                     p3 --- bridge --- hosts 10.0.3.10, ...

Ports and addresses are those of layout.py, but the neighbours are real and found by ARP.  The way
to C gets narrower twice: 1400 bytes from p2 on, where the router must say so, and 1300 behind G,
where it only passes on what G says.  Each tool gets a host of its own, which nobody has sent
errors to and which has learned nothing of any path.  Source routes are let in at p0 and not at p3.
Behind the neighbour on p0 lies 192.0.2.0/24: who asks the router for that is redirected.
"""

import contextlib
import json
import socket
import threading
import time

from . import layout
from .layout import G2, H1, MTU, PORTS
from .netns import Namespace
from .router_linux import LinuxRouter
from .router_millrace import MillraceRouter

C, GATEWAY_FAR, NARROW_MTU = "198.51.2.2", "198.51.2.1", 1300
NEIGHBOUR, BEHIND_NEIGHBOUR = "10.0.0.2", "192.0.2.1"
OPEN_TCP_PORT = 80
_FIRST_HOST = 10
_CABLE_SECONDS = 5.0

# What a new namespace copies from the machine is not trusted.  The limit on all ICMP errors of a
# machine together is random (rule C8); it must not be reached by tools that run at once.  Hosts
# answer everything: with a limit to each asker, the order of frames that another CPU carried on
# half way would decide which of a traceroute's probes goes unanswered.  The router has its limit.
_HOST_SYSCTLS = {
    "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1,
    "net.ipv4.ip_forward": 0, "net.ipv4.icmp_msgs_per_sec": 1000000,
    "net.ipv4.icmp_msgs_burst": 1000000, "net.ipv4.icmp_ratelimit": 0,
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.all.accept_redirects": 1, "net.ipv4.conf.default.accept_redirects": 1,
    "net.ipv4.conf.all.accept_source_route": 1, "net.ipv4.conf.default.accept_source_route": 1,
    "net.ipv4.conf.default.rp_filter": 0,
}


def router_commands():
    lines = ["sysctl net.ipv4.icmp_msgs_per_sec=1000000",
             "sysctl net.ipv4.icmp_msgs_burst=1000000",
             "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",
             "sysctl net.ipv4.conf.all.accept_source_route=1"]
    for port in PORTS:
        lines.append(f"addr add 10.0.{layout.number(port)}.1/24 dev {port}")
        lines.append(f"sysctl net.ipv4.conf.{port}.accept_source_route={int(port != 'p3')}")
    return lines + [f"route add 198.51.2.0/24 via {G2}",
                    f"route add 192.0.2.0/24 via {NEIGHBOUR}",
                    "route add unreachable 172.16.1.0/24",
                    "route add prohibit 172.16.2.0/24",
                    "route add blackhole 172.16.3.0/24"]


def await_up(*ends):
    """What is sent before the kernel has noticed that a cable is in is lost."""
    deadline = time.monotonic() + _CABLE_SECONDS
    for namespace, name in ends:
        while json.loads(namespace.ip_json("link", "show", "dev", name))[0]["operstate"] != "UP":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not come up")
            time.sleep(0.01)


class Host:
    """A namespace with one interface, eth0, on a cable whose other end is `peer` elsewhere."""

    def __init__(self, elsewhere, peer, address, gateway, mtu=1500):
        self.namespace = Namespace()
        self.address = address
        for key, value in _HOST_SYSCTLS.items():
            self.namespace.sysctl(key, str(value))
        octets = ":".join(f"{int(octet):02x}" for octet in address.split("."))
        self.namespace.ip([
            "link set dev lo up",
            f"link add eth0 address 02:01:{octets} mtu {mtu} type veth peer name {peer} mtu {mtu}"
            f" netns {elsewhere.path}"])
        self.namespace.checksums_in_software("eth0")
        self.namespace.ip(["link set dev eth0 up", f"addr add {address}/24 dev eth0",
                           f"route add default via {gateway}"])

    def close(self):
        self.namespace.close()


class Network:
    """One router and what is around it."""

    def __init__(self, router):
        self.router = router
        self.name = router.name
        self.hosts = []
        self._lock = threading.Lock()
        self.switch = Namespace()
        self._listener = None

    def build(self, start):
        """`start` starts the router with the commands it is given."""
        self.router.prepare()
        self._cables()
        start(router_commands())
        await_up(*((self.switch, port) for port in PORTS))
        self._surroundings()

    def _cables(self):
        router = self.router.namespace
        for scope in ("all", "default"):
            self.switch.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", "1")
        for port in PORTS:
            self.switch.ip([f"link add {port} type veth peer name {port} mtu {MTU[port]}"
                            f" address {layout.router_mac(port)} netns {router.path}"])
            router.checksums_in_software(port)
            self.switch.ip([f"link set dev {port} up"])
        for lan in PORTS:
            self.switch.ip([f"link add br-{lan} type bridge", f"link set dev {lan} master br-{lan}",
                            f"link set dev br-{lan} up"])

    def _attach(self, port, peer, *arguments):
        host = Host(self.switch, peer, *arguments, mtu=MTU[port])
        self.switch.ip([f"link set dev {peer} master br-{port} up"])
        await_up((host.namespace, "eth0"), (self.switch, peer))
        with self._lock:
            self.hosts.append(host)
        return host

    def _surroundings(self):
        neighbour = self._attach("p0", "n", NEIGHBOUR, layout.R0)
        neighbour.namespace.ip([f"addr add {BEHIND_NEIGHBOUR}/24 dev lo"])
        b = self._attach("p1", "b", H1, layout.R1)
        gateway = self._attach("p2", "g", G2, layout.R2)
        gateway.namespace.sysctl("net.ipv4.ip_forward", "1")
        c = Host(gateway.namespace, "eth1", C, GATEWAY_FAR, mtu=NARROW_MTU)
        self.hosts.append(c)
        gateway.namespace.checksums_in_software("eth1")
        gateway.namespace.ip([f"addr add {GATEWAY_FAR}/24 dev eth1", "link set dev eth1 up"])
        await_up((gateway.namespace, "eth1"), (c.namespace, "eth0"))
        with b.namespace.entered():
            self._listener = socket.create_server((H1, OPEN_TCP_PORT))

    def host(self, port, index):
        """A new host at port p0 or p3."""
        n = layout.number(port)
        return self._attach(port, f"h{n}-{index}", f"10.0.{n}.{_FIRST_HOST + index}",
                            f"10.0.{n}.1")

    def cut(self):
        """Pull all the router's cables; for proving that tools notice."""
        self.switch.ip([f"link set dev {port} down" for port in PORTS])

    def close(self):
        """Take it all down; what the router had to say about its end, or None."""
        with contextlib.suppress(AttributeError):
            self._listener.close()
        for host in self.hosts:
            host.close()
        complaint = self.router.stop()
        self.switch.close()
        return complaint


def linux(name="linux"):
    network = Network(LinuxRouter(Namespace()))
    network.name = name
    network.build(network.router.start)
    return network


def millrace(options):
    network = Network(MillraceRouter(Namespace(), options))
    network.build(lambda commands: network.router.start(commands, MTU))
    return network
