"""What millrace serves by itself, as programs on a Linux router would: net.millrace.udp_*."""

import contextlib
import socket
import struct
import subprocess
import threading

from . import layout

_IP_PKTINFO = 8
_ANSWER_ANYTHING = (7, 13, 17, 19, 37)      # ports of RFC 862 to 868
_STOP_SECONDS = 0.2


class _Service:
    """A UDP socket of a namespace, and a thread that reads it."""

    def __init__(self, namespace, port, echoes):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self.socket.bind(("0.0.0.0", port))
        self.socket.settimeout(_STOP_SECONDS)
        self.echoes = echoes
        self.stopping = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while not self.stopping:
            with contextlib.suppress(TimeoutError, OSError):
                data, extra, _, sender = self.socket.recvmsg(65536, 64)
                if self.echoes and sender[1] not in _ANSWER_ANYTHING:
                    self._answer(data, extra[0][2], sender)

    def _answer(self, data, info, sender):
        """From the address it was sent to, where that is one host's."""
        _, local, to = struct.unpack("I4s4s", info)
        if local == to:
            self.socket.sendmsg([data], [(socket.IPPROTO_IP, _IP_PKTINFO,
                                          struct.pack("I4s4s", 0, local, bytes(4)))], 0, sender)

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()


class Services:
    _KNOWN = {"net.millrace.udp_echo": (7, True), "net.millrace.udp_discard": (9, False)}

    def __init__(self, namespace):
        self.namespace = namespace
        self.running = {}
        self.ready = False

    def _prepare(self):
        """The kernel leaves checksums of its own datagrams to the device, which has nothing to
        lose by a wrong one on a virtual cable."""
        with self.namespace.entered():
            for port in layout.PORTS:
                subprocess.run(["ethtool", "-K", port, "tx", "off"], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.ready = True

    def is_setting(self, key):
        return key in self._KNOWN

    def set(self, key, value):
        if not self.ready:
            self._prepare()
        if value == "1" and key not in self.running:
            self.running[key] = _Service(self.namespace, *self._KNOWN[key])
        elif value == "0" and key in self.running:
            self.running.pop(key).stop()

    def stop(self):
        for key in list(self.running):
            self.set(key, "0")
