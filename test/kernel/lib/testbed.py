"""Two routers in the same surroundings: the reference, and the one that is compared with it.

    host namespace         router namespace of side A (Linux)
      a0 ------------------- p0
      a1 ------------------- p1
      ...                  router namespace of side B (millrace, or Linux again)
      b0 ------------------- p0
      ...

The host ends have no address and say nothing by themselves: the harness is the hosts.
"""

import time

from . import layout
from .netns import Namespace
from .router_linux import LinuxRouter
from .router_millrace import MillraceRouter
from .wire import RouterSilent, Wire

_HOST_END_MTU = 65535
_READY_SECONDS = 10.0


class Side:
    def __init__(self, letter, router, host, mtu, keep):
        self.router = router
        self.name = router.name
        self.commanded_at = 0.0
        router.prepare()
        interfaces = {}
        lines = []
        for port in layout.PORTS:
            end = interfaces[port] = f"{letter}{layout.number(port)}"
            lines.append(f"link add {end} mtu {_HOST_END_MTU} type veth peer name {port}"
                         f" address {layout.router_mac(port)} mtu {mtu[port]}"
                         f" netns {router.namespace.path}")
            lines.append(f"link set {end} arp off up")
        host.ip(lines)
        self.interfaces = interfaces
        self.wire = Wire(host, interfaces, keep)

    def await_ready(self):
        """Until sentinels cross the router from every port to every port.

        Those sent too early are lost, or late; the last one to be sent is the last to come out.
        """
        deadline = time.monotonic() + _READY_SECONDS
        for port in layout.PORTS:
            while True:
                self.wire.send_sentinels(port, "routed", layout.PORTS)
                try:
                    self.wire.await_sentinels(layout.PORTS, 0.05)
                    break
                except RouterSilent:
                    if time.monotonic() > deadline:
                        raise
        self.wire.take()


class Testbed:
    def __init__(self, options, mtu=None, keep=False):
        mtu = {**layout.MTU, **(mtu or {})}
        self.host = Namespace()
        for scope in ("all", "default"):
            self.host.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", "1")
        self.host.sysctl("net.ipv4.ip_forward", "0")
        self.sides = []
        try:
            self._build(options, mtu, keep)
        except BaseException:
            self.close()
            raise

    def _build(self, options, mtu, keep):
        reference = LinuxRouter(Namespace())
        self.sides.append(Side("a", reference, self.host, mtu, keep))
        if options.self_mode:
            other = LinuxRouter(Namespace())
            other.name = "linux again"
            self.sides.append(Side("b", other, self.host, mtu, keep))
            other.start(layout.base_commands())
        else:
            other = MillraceRouter(Namespace(), options)
            self.sides.append(Side("b", other, self.host, mtu, keep))
            other.start(layout.base_commands(), mtu)
        reference.start(layout.base_commands())
        for side in self.sides:
            side.await_ready()

    def run(self, commands):
        for side in self.sides:
            side.router.run(commands)
            side.commanded_at = time.time()

    def plug(self, port, connected):
        """Connect or pull a cable: the host end goes up or down."""
        state = "up" if connected else "down"
        self.host.ip([f"link set {side.interfaces[port]} {state}" for side in self.sides])

    def close(self):
        """Take it all down; returns what the routers had to say about their end."""
        complaints = []
        for side in self.sides:
            side.wire.close()
            complaint = side.router.stop()
            if complaint:
                complaints.append(complaint)
        self.sides = []
        self.host.close()
        return complaints
