"""The namespaces of the comparison: Linux set up by iproute2 and sysctl."""

import json
import subprocess

from namespace import UnnamedNamespace, libc

PR_SET_PDEATHSIG = 1


def end_with_parent(number):
    """For a child process: get this signal when the parent is gone."""
    libc("prctl", PR_SET_PDEATHSIG, number)


class CommandRefused(Exception):
    """A configuration command that a router did not accept."""


def _spreading(port):
    return ["tc", "qdisc", "add", "dev", port, "root", "tbf", "rate", "10mbit", "burst", "5k",
            "limit", "16m"]


def missing_for_spread():
    """What Namespace.spread needs and this machine lacks."""
    tried = subprocess.run(["unshare", "-n", *_spreading("lo")], capture_output=True)
    return "" if tried.returncode == 0 else "tc has no tbf here"


class Namespace(UnnamedNamespace):
    def ip(self, lines):
        """Run lines of iproute2, without the leading word `ip`."""
        if not lines:
            return
        with self.entered():
            done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n",
                                  text=True, capture_output=True)
        if done.returncode != 0:
            raise CommandRefused(f"ip -batch: {done.stderr.strip()}\n" + "\n".join(lines))

    def nft(self, lines):
        """Run lines of nft."""
        with self.entered():
            done = subprocess.run(["nft", "-f", "-"], input="\n".join(lines) + "\n", text=True,
                                  capture_output=True)
        if done.returncode != 0:
            raise CommandRefused(f"nft: {done.stderr.strip()}")

    def checksums_in_software(self, port):
        """A cable that takes packets without their checksums passes them on like that."""
        with self.entered():
            subprocess.run(["ethtool", "-K", port, "tx", "off"], check=True, capture_output=True)

    def spread(self, port):
        """Let what leaves by a port take time: a cable loses what is more than
        net.core.netdev_max_backlog at once."""
        with self.entered():
            subprocess.run(_spreading(port), check=True, capture_output=True)

    def nft_json(self, *words):
        with self.entered():
            return json.loads(subprocess.run(["nft", "-j", *words], check=True,
                                             capture_output=True).stdout)

    def ip_json(self, *words):
        with self.entered():
            return subprocess.run(["ip", "-j", *words], check=True, capture_output=True).stdout

    def ip_json_each(self, lines):
        """What each line of iproute2 prints as JSON, or the complaint of those that are refused."""
        with self.entered():
            done = subprocess.run(["ip", "-json", "-force", "-batch", "-"], text=True,
                                  input="\n".join(lines) + "\n", capture_output=True)
        refused, complaint = {}, ""
        for line in done.stderr.splitlines():
            if line.startswith("Command failed"):
                refused[int(line.rpartition(":")[2]) - 1] = complaint
            elif line:
                complaint = line
        printed = iter([line for line in done.stdout.splitlines() if line not in ("", "[ ]")])
        return [refused[index] if index in refused else json.loads(next(printed))
                for index in range(len(lines))]

    def sysctl(self, key, value):
        with self.entered():
            try:
                with open("/proc/sys/" + key.replace(".", "/"), "w") as file:
                    file.write(value)
            except OSError as error:
                raise CommandRefused(f"sysctl {key}={value}: {error.strerror}") from error

    def read_proc_net(self, name):
        with self.entered(), open("/proc/thread-self/net/" + name) as file:
            return file.read()
