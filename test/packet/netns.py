"""The namespaces of the live tests, and cables between them."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from namespace import UnnamedNamespace                       # noqa: E402


class Namespace(UnnamedNamespace):
    def __init__(self):
        super().__init__()
        self.ip("link set lo up")

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


def cable(one, name, other, other_name, mtu=1500):
    """A veth pair; both ends up."""
    one.ip(f"link add {name} mtu {mtu} type veth peer name {other_name} mtu {mtu} "
           f"netns {other.path}")
    one.ip(f"link set {name} up")
    other.ip(f"link set {other_name} up")


def no_offload(namespace, name):
    """Whole checksums and frames of ordinary size, as on a wire."""
    namespace.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
