"""The hosts around one router: an AF_PACKET socket on the host end of each of its cables.

A sentinel is an ordinary packet that the router must pass on; it follows the frames under test
into the same port.  A router handles what comes in on one port in order and sends each port's
frames in order, so what a frame causes at port X leaves before a sentinel that leaves at X.
One sentinel for every port therefore tells when the answers to a frame are complete.
"""

import select
import socket
import struct
import time

from . import layout, packets

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER_BYTES = 16 << 20
_FRAME_BYTES_MAX = 14 + 65535
_MARK = b"sentinel"
_MARK_OFFSET = 14 + 20 + 8


class RouterSilent(Exception):
    """Sentinels went in and did not come out."""


class Wire:
    def __init__(self, namespace, interfaces, keep=False):
        """`interfaces` maps port names to the names of the host ends."""
        self.sockets = {}
        self.arrived = {port: [] for port in interfaces}
        self.sent_at = time.time()
        self.history = {port: [] for port in interfaces} if keep else None
        self._poll = select.poll()
        self._port_of = {}
        self._sequence = 0
        self._sentinels_seen = {port: 0 for port in interfaces}
        with namespace.entered():
            for port, interface in interfaces.items():
                self._open(port, interface)

    def _open(self, port, interface):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind((interface, ETH_P_ALL))
        self.sockets[port] = sock
        self._port_of[sock.fileno()] = port
        self._poll.register(sock, select.POLLIN)

    def send(self, port, frame):
        if self.history is not None:
            self.history[port].append((time.time(), frame))
        self.sent_at = time.time()
        self.sockets[port].send(frame)

    def receive(self, timeout=0.0):
        """Take in everything that is there; wait for the first frame up to `timeout` seconds."""
        for descriptor, _ in self._poll.poll(timeout * 1000):
            port = self._port_of[descriptor]
            while self._receive_one(port):
                pass

    def _receive_one(self, port):
        try:
            frame, ancillary, _, _ = self.sockets[port].recvmsg(_FRAME_BYTES_MAX, 64)
        except BlockingIOError:
            return False
        except OSError:      # ENETDOWN, told once after a cable was pulled
            return True
        if frame[_MARK_OFFSET:_MARK_OFFSET + len(_MARK)] == _MARK:
            (sequence,) = struct.unpack_from("!I", frame, _MARK_OFFSET + len(_MARK))
            self._sentinels_seen[port] = max(self._sentinels_seen[port], sequence)
            return True
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        record = (seconds + nanoseconds / 1e9, frame)
        self.arrived[port].append(record)
        if self.history is not None:
            self.history[port].append(record)
        return True

    def send_sentinels(self, port, kind, ports):
        """Send one sentinel into `port` for each of `ports`, where it is to come out.

        A `routed` one needs forwarding; an `echo` one is an echo request to the router itself
        whose answer leaves by the route back, and works with forwarding off.
        """
        self._sequence += 1
        data = _MARK + struct.pack("!I", self._sequence)
        for out in ports:
            if kind == "routed":
                packet = packets.udp(layout.sentinel_source(port), layout.sentinel_target(out),
                                     data, sport=9, dport=9)
            else:
                packet = packets.echo(layout.sentinel_source(out),
                                      f"10.0.{layout.number(port)}.1", data)
            self.sockets[port].send(packets.ethernet(
                layout.router_mac(port), layout.host_mac(port), packets.ETH_IP, packet))

    def sentinels_back(self, ports):
        return all(self._sentinels_seen[port] == self._sequence for port in ports)

    def await_sentinels(self, ports, timeout):
        deadline = time.monotonic() + timeout
        while not self.sentinels_back(ports):
            if time.monotonic() > deadline:
                missing = [p for p in ports if self._sentinels_seen[p] != self._sequence]
                raise RouterSilent("no sentinel came out of " + ", ".join(missing))
            self.receive(0.01)

    def take(self):
        """What has come out of each port since the last call: lists of (time, frame)."""
        taken = self.arrived
        self.arrived = {port: [] for port in taken}
        return taken

    def close(self):
        for sock in self.sockets.values():
            sock.close()
