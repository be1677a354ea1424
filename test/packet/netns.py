"""Network namespaces without names, and cables between them.

A namespace is held by a file descriptor of this process and by nothing else: it goes when the
process does, however that ends, with every interface in it.
"""

import contextlib
import ctypes
import os
import subprocess

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Namespace:
    def __init__(self):
        home = _current()
        try:
            _call("unshare", _CLONE_NEWNET)
            try:
                self.fd = _current()
            finally:
                _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)
        self.ip("link set lo up")

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def entered(self):
        """Processes started and sockets opened inside belong to the namespace."""
        home = _current()
        try:
            _call("setns", self.fd, _CLONE_NEWNET)
            try:
                yield
            finally:
                _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)

    def run(self, *words, seconds=60, check=True):
        """Run a program in it; what it printed."""
        with self.entered():
            return subprocess.run(words, text=True, capture_output=True, timeout=seconds,
                                  check=check)

    def popen(self, *words, **options):
        with self.entered():
            return subprocess.Popen(words, text=True, stdin=subprocess.DEVNULL, **options)

    def ip(self, *lines):
        """Lines of iproute2 without the word `ip`."""
        with self.entered():
            done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                                  capture_output=True)
        assert done.returncode == 0, f"{lines}: {done.stderr}"

    def sysctl(self, key, value):
        with self.entered(), open("/proc/sys/" + key.replace(".", "/"), "w") as file:
            file.write(str(value))

    def quiet(self):
        """The kernel says nothing of its own here."""
        for scope in ("all", "default"):
            self.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", 1)

    def close(self):
        os.close(self.fd)


def cable(one, name, other, other_name, mtu=1500):
    """A veth pair; both ends up."""
    one.ip(f"link add {name} mtu {mtu} type veth peer name {other_name} mtu {mtu} "
           f"netns {other.path}")
    one.ip(f"link set {name} up")
    other.ip(f"link set {other_name} up")


def no_offload(namespace, name):
    """Whole checksums and frames of ordinary size, as on a wire."""
    namespace.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
