"""The kernel as a subject: a namespace that forwards from a veth to a tap that nobody reads.

The same capture comes in: testpmd, on the CPU that looks after things, puts its frames into the
veth's other end by net_af_packet. Receive packet steering has the kernel do its work on the CPU on
which the others poll. How busy that CPU was is read from /proc/stat: where it had time to spare the
rate is what the sender could give, and the cycles a packet are the figure to go by. What is more
than the kernel takes is dropped in the backlog, before its IP layer, and not counted as received.
"""

import fcntl
import os
import struct
import subprocess
import sys
import time

import routed
from captures import HOST_MAC
from subjects import Failed, Peer, ROOT, cpus

sys.path.insert(0, os.path.join(ROOT, "test"))
from namespace import UnnamedNamespace          # noqa: E402

_SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
             "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.all.disable_ipv6=1",
             "net.ipv6.conf.default.disable_ipv6=1")
_TUNSETIFF, _TAP, _NO_HEADER = 0x400454ca, 0x2, 0x1000


def there():
    """Can packets be handed to another CPU, and come to nothing?"""
    return all(map(os.path.exists, ("/sys/class/net/lo/queues/rx-0/rps_cpus", "/dev/net/tun")))


def _run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip()}")


class Linux(Peer):
    def __init__(self, directory, device, routes, mtu=1500, mbufs=32768):
        """`routes` are commands of `ip`."""
        self.namespace = UnnamedNamespace()
        self.load_seconds = None
        first, second = cpus()
        with self.namespace.entered():
            self._interfaces(directory, mtu, second)
            started = time.monotonic()
            self._batch(directory, routes)
            self.load_seconds = time.monotonic() - started
            super().__init__("Linux", directory, "dpdk-testpmd",
                             (device, "net_af_packet1,iface=wire,framecnt=1024"),
                             ["--forward-mode=io", "--no-mlockall",
                              f"--total-num-mbufs={mbufs}", "--no-lsc-interrupt",
                              "--stats-period=1000"], f"0@{first},1@{first}")

    @staticmethod
    def _batch(directory, commands):
        path = os.path.join(directory, "ip.batch")
        with open(path, "w") as file:
            file.writelines(f"{command}\n" for command in commands)
        _run(["ip", "-batch", path])

    def _interfaces(self, directory, mtu, cpu):
        self.sink = open("/dev/net/tun", "r+b", buffering=0)
        fcntl.ioctl(self.sink, _TUNSETIFF, struct.pack("16sH22x", b"out1", _TAP | _NO_HEADER))
        _run(["sysctl", "-qw", *_SETTINGS])
        neighbours = [f"neigh add {routed.gateway(1, number)} lladdr {routed.GATEWAY_MAC} dev out1"
                      " nud permanent" for number in range(len(routed.GATEWAYS))]
        self._batch(directory, [
            f"link add in address {routed.mac(0)} type veth peer name wire",
            f"link set out1 address {routed.mac(1)} mtu {mtu}",
            "link set in up", "link set wire up", "link set out1 up",
            "addr add 192.0.2.1/24 dev in", "addr add 198.51.100.1/24 dev out1",
            f"neigh add 192.0.2.2 lladdr {HOST_MAC.hex(':')} dev in nud permanent", *neighbours])
        # /sys shows the devices of the namespace in which it was mounted.
        _run(["unshare", "--mount", "sh", "-c", "mount -t sysfs none /sys && "
              f"echo {1 << cpu:x} > /sys/class/net/in/queues/rx-0/rps_cpus"])

    def _read(self, file):
        with self.namespace.entered(), open(f"/proc/thread-self/net/{file}") as lines:
            return lines.read().splitlines()

    @staticmethod
    def _busy_seconds():
        """Of the CPU that forwards, since the start."""
        with open("/proc/stat") as file:
            fields = next(line.split() for line in file
                          if line.startswith(f"cpu{cpus()[1]} "))[1:]
        user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:7])
        return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")

    def counts(self):
        sent = super().counts()
        names, values = (line.split() for line in self._read("snmp")[:2])
        ip = {f"Ip.{name}": int(value) for name, value in zip(names[1:], values[1:])}
        return {"at": time.monotonic(), "received": ip["Ip.InReceives"],
                "transmitted": ip["Ip.ForwDatagrams"], "offered": sent["received"],
                "busy": self._busy_seconds(), **ip}

    def end(self):
        super().end()
        self.sink.close()
        self.namespace.close()
