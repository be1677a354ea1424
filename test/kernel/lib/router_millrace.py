"""The router under test: the millrace daemon on net_af_packet, in a network namespace of its own.

The kernel's ends of the cables lie in that namespace too, with no address, no ARP and forwarding
off, so the kernel has nothing to say there.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from . import layout, netns
from .router_linux import way

_START_SECONDS = 20.0
_STOP_SECONDS = 30.0    # the kernel may take seconds to close packet sockets while many are
_QUESTION = b'{"jsonrpc": "2.0", "id": 1, "method": "run", "params": {"argv": ["drops"]}}\n'
_LARGE_MTU = 16000
_FIB_PREFIXES = 4
_EAL_ARGUMENTS = ("--no-huge", "-m", "256", "--no-pci")
_PROFILE = pathlib.Path(__file__).resolve().parents[3] / "drivers-config" / "net_af_packet.ini"
_REFER_BYTES = 640      # less than the profile has: payload is referred to as well as copied


def _as_child():
    """In the new process: end with the harness, and use all CPUs although it keeps to one."""
    netns.end_with_parent(signal.SIGKILL)
    os.sched_setaffinity(0, range(os.cpu_count()))


def _lcores(workers):
    """The control thread and the workers as lcores that may run on any CPU: many share few."""
    cpus = ",".join(map(str, range(os.cpu_count())))
    return ",".join(f"{lcore}@({cpus})" for lcore in range(workers + 1))


def _frames(mtu):
    """Bytes of a frame's place in the rings, and how many there are."""
    if mtu <= _LARGE_MTU:
        return 2048 if mtu <= 1500 else 16384, 512
    return 61440, 64


class MillraceRouter:
    name = "millrace"

    def __init__(self, namespace, options):
        self.namespace = namespace
        self.options = options
        self.directory = tempfile.TemporaryDirectory(prefix="millrace-kernel-")
        self.socket_path = os.path.join(self.directory.name, "sock")
        self.log_path = os.path.join(self.directory.name, "log")
        self.process = None

    def prepare(self):
        for scope in ("all", "default"):
            self.namespace.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", "1")
        self.namespace.sysctl("net.ipv4.ip_forward", "0")

    def _profile(self):
        """The environment in which a profile is found that differs in one setting."""
        lines = [line for line in _PROFILE.read_text().splitlines()
                 if not line.startswith("refer_bytes")]
        lines.append(f"refer_bytes = {_REFER_BYTES}")
        pathlib.Path(self.directory.name, _PROFILE.name).write_text("\n".join(lines) + "\n")
        return {**os.environ, "MILLRACE_DRIVERS_CONFIG": self.directory.name}

    def start(self, commands, mtu):
        self.namespace.ip([f"link set {p} arp off up" for p in layout.PORTS])
        configuration = os.path.join(self.directory.name, "millrace.conf")
        with open(configuration, "w") as file:
            # few are many here: tables are looked up by both of the ways that there are
            file.write(f"sysctl net.millrace.table_fib_prefixes={_FIB_PREFIXES}\n")
            if max(mtu.values()) > _LARGE_MTU:      # so many large buffers as memory holds
                file.write("sysctl millrace.mbufs=16384\n")
            for index, port in enumerate(layout.PORTS):
                frame_bytes, frames = _frames(mtu[port])
                file.write(f"link add {port} type dpdk devargs net_af_packet{index},"
                           f"iface={port},framesz={frame_bytes},blocksz={frame_bytes * 2},"
                           f"framecnt={frames} mtu {mtu[port]}\nlink set {port} up\n")
            file.write("\n".join(commands) + "\n")
        words = [self.options.millrace, "-c", configuration, "-s", self.socket_path,
                 "-w", str(self.options.workers)]
        if self.options.no_fast_path:
            words.append("--no-fast-path")
        words += ["--", *_EAL_ARGUMENTS, "--lcores", _lcores(self.options.workers),
                  "--file-prefix", f"mrk{os.getpid()}_{self.namespace.fd}"]
        with self.namespace.entered(), open(self.log_path, "w") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=_as_child,
                                            env=self._profile())
        self._await_socket()

    def _await_socket(self):
        """The socket is there before the configuration is loaded; answers come after it."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.last_words():
                raise netns.CommandRefused(self.last_words())
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_START_SECONDS)
                try:
                    probe.connect(self.socket_path)
                    probe.sendall(_QUESTION)
                    if probe.recv(1):
                        return
                except OSError:
                    pass
            time.sleep(0.01)
        raise netns.CommandRefused(f"millrace does not answer on its socket:\n{self._log()}")

    def last_words(self):
        """How the daemon ended, if it did so unasked; None while it runs."""
        if self.process is None or self.process.poll() is None:
            return None
        return f"millrace ended with status {self.process.returncode}:\n{self._log()}"

    def _log(self):
        with open(self.log_path, errors="replace") as file:
            return "".join(file.readlines()[-20:])

    def _client(self, *words, stdin=None):
        done = subprocess.run([self.options.millctl, "-s", self.socket_path, *words],
                              input=stdin, text=True, capture_output=True)
        if done.returncode != 0:
            parts = [f"millctl {' '.join(words)}: {done.stderr.strip()}", stdin,
                     self.last_words()]
            raise netns.CommandRefused("\n".join(filter(None, parts)))
        return done.stdout

    def spread(self, port):
        """A process sends one frame after the other, each taken in before the next."""

    def run(self, commands):
        if commands:
            self._client("-b", "-", stdin="\n".join(commands) + "\n")

    def ways(self, questions):
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(self.socket_path)
            file = asked.makefile("rw")
            answers = []
            for words in questions:
                file.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "run", "params": {
                    "argv": ["route", "get", *words.split()]}}) + "\n")
                file.flush()
                answer = json.loads(file.readline())
                answers.append(way(answer["result"][0]) if "result" in answer
                               else os.strerror(answer["error"]["data"]["errno"]))
        return answers

    def ping(self, words):
        done = subprocess.run([self.options.millctl, "-s", self.socket_path, "ping", *words.split(),
                               "-c", "1", "-W", "1", "-s", "0", "-M", "do"], text=True,
                              capture_output=True)
        return "connect:" not in done.stderr

    def counters(self):
        return json.loads(self._client("-j", "nstat"))

    def neighbours(self, port):
        entries = json.loads(self._client("-j", "neigh", "show", "dev", port))
        return sorted((e["dst"], e.get("lladdr"), e["state"][0]) for e in entries)

    def filter_counters(self):
        counted = {}
        for chain in json.loads(self._client("-j", "filter", "show")):
            counters = [(r["packets"], r["bytes"]) for r in chain["rules"] if "packets" in r]
            if counters:
                counted[chain["hook"]] = counters
        return counted

    def state(self):
        """Links, drops and counters in words, for whoever looks for the reason of something."""
        return "\n".join(self._client(*words) for words in (
            ["link", "show", "-s"], ["drops"], ["frag", "show", "-s"], ["nstat"]))

    def unaccounted(self):
        """Where the daemon's ledger of packets does not balance, in words; None where it does."""
        for _ in range(50):
            ledger = json.loads(self._client("-j", "drops"))
            if ledger["balance"] == 0:
                return None
            time.sleep(0.01)
        return f"the account of packets does not balance: {ledger}"

    def stop(self):
        """End the daemon; its exit status must be 0, and a crash is told with its last words."""
        complaint = None
        if self.process is not None:
            self.process.terminate()
            try:
                status = self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                status = self.process.wait()
                complaint = "millrace did not stop on SIGTERM and had to be killed"
            if status != 0 and complaint is None:
                complaint = self.last_words()
        self.namespace.close()
        self.directory.cleanup()
        return complaint
