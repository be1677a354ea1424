"""The router under test: the millrace daemon, and millctl to talk to it.

A Router may be started and stopped any number of times; it keeps its socket, its DPDK file prefix
and what it wrote on stderr in a directory of its own. Stopping checks what every test wants to be
true: exit status 0, in time, nothing said on stderr (a lost packet buffer is told there), no
socket file and nothing of millrace's left in DPDK's runtime directory.
"""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MILLRACE = os.environ.get("MILLRACE", str(SOURCE / "build/app/millrace/millrace"))
MILLCTL = os.environ.get("MILLCTL", str(SOURCE / "build/app/millctl/millctl"))
MILLBENCH = os.environ.get("MILLBENCH", str(SOURCE / "build/app/millbench/millbench"))

START_SECONDS = 30
STOP_SECONDS = 5
MEMORY = ("--no-huge", "-m", "256")

_PR_SET_PDEATHSIG = 1
_RUNTIME = pathlib.Path("/var/run/dpdk")
_KEPT_BY_DPDK = ("config", "fbarray_", "hugepage_info", "mp_socket", "dpdk_telemetry")

_numbers = itertools.count()
_libc = ctypes.CDLL(None)


class Refused(Exception):
    """millctl ended with a status that is not 0."""

    def __init__(self, line, done):
        super().__init__(f"millctl {line}: status {done.returncode}: {done.stderr.strip()}")
        self.status = done.returncode
        self.text = done.stderr


def end_with_parent():
    """For a child process: be killed when the tests are, and ignore no signal because they do, as
    they would under nohup or behind a shell's "&"."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition, seconds=10, what="it"):
    """The first true value of a function, asked again and again; AssertionError if none comes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.02)


class Router:
    def __init__(self, directory, prefix=None, namespace=None):
        number = next(_numbers)
        self.directory = pathlib.Path(directory) / f"router{number}"
        self.directory.mkdir()
        self.socket = str(self.directory / "sock")
        self.prefix = prefix or f"mrpkt{os.getpid()}_{number}"
        self.namespace = namespace
        self.process = None
        self.log = self.directory / "stderr"

    @property
    def runtime(self):
        return _RUNTIME / self.prefix

    def words(self, *words, eal=MEMORY, wrapper=()):
        """The command line; words that give their own socket or prefix win, as the last does."""
        return [*wrapper, MILLRACE, "-s", self.socket, *words, "--", *eal,
                "--file-prefix", self.prefix]

    def write_config(self, commands):
        path = self.directory / "millrace.conf"
        path.write_text("\n".join(commands) + "\n")
        return path

    def spawn(self, command):
        """Start a command line as this router, and wait for nothing."""
        assert self.process is None, "the router runs already"
        inside = self.namespace.entered() if self.namespace else contextlib.nullcontext()
        with inside, open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=end_with_parent)
        return self.process

    def start(self, commands=(), *words, eal=MEMORY, wrapper=()):
        """Start with a configuration and wait until it is loaded."""
        if commands:
            words = ("-c", str(self.write_config(commands)), *words)
        self.spawn(self.words(*words, eal=eal, wrapper=wrapper))
        self.await_ready()
        return self

    def await_ready(self):
        def ready():
            assert self.process.poll() is None, \
                f"millrace ended with status {self.process.returncode}: {self.said()}"
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(self.socket) == 0

        wait_for(ready, START_SECONDS, "listening on the socket")
        try:
            self.ctl("help shutdown")
        except Refused as refused:
            status = self.process.wait(STOP_SECONDS)
            raise AssertionError(f"millrace ended with status {status}: {self.said()}") from refused

    def run(self, commands, *words, eal=MEMORY, seconds=60):
        """Start with a configuration and wait for the end (--until-idle); status must be 0."""
        self.spawn(self.words("-c", str(self.write_config(commands)), *words, eal=eal))
        return self.ended(seconds)

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ctl(self, line, *options, stdin=None):
        """What millctl prints for a command line; Refused if its status is not 0."""
        done = self.ctl_raw(*options, *shlex.split(line), stdin=stdin)
        if done.returncode != 0:
            raise Refused(line, done)
        return done.stdout

    def ctl_raw(self, *words, stdin=None, seconds=60):
        return subprocess.run([MILLCTL, "-s", self.socket, *words], input=stdin, text=True,
                              capture_output=True, timeout=seconds)

    def show(self, line):
        """The same as JSON."""
        return json.loads(self.ctl(line, "-j"))

    def batch(self, commands):
        self.ctl("", "-b", "-", stdin="\n".join(commands) + "\n")

    def refusal(self, line):
        """The one line that says why a command is refused."""
        done = self.ctl_raw(*shlex.split(line))
        assert done.returncode == 1, f"{line}: status {done.returncode}: {done.stdout}"
        assert done.stdout == "" and done.stderr.count("\n") == 1, (done.stdout, done.stderr)
        assert done.stderr.startswith("Error: "), done.stderr
        return done.stderr[len("Error: "):].strip()

    def account(self):
        """What `drops` says, with the reasons as a dictionary, and the balance made again."""
        a = self.show("drops")
        a["reasons"] = {r["reason"]: r["packets"] for r in a["reasons"]}
        assert sum(a["reasons"].values()) == a["dropped"]
        assert a["balance"] == (a["received"] + a["originated"] - a["transmitted"]
                                - a["delivered"] - a["dropped"] - a["held"])
        return a

    def settled(self, received=0, held=None, seconds=20):
        """The account once that many packets came in and it balances twice alike."""
        last = None
        deadline = time.monotonic() + seconds
        while True:
            account = self.account()
            if (account == last and account["balance"] == 0 and account["received"] >= received
                    and (held is None or account["held"] == held)):
                return account
            assert time.monotonic() < deadline, f"the account does not settle: {account}"
            last = account
            time.sleep(0.03)

    def buffers(self):
        """Packet buffers in use, a pool."""
        return {p["name"]: p["in_use"] for p in self.show("mempool show")}

    def stats(self, link):
        return self.show(f"link show {link}")[0]["stats64"]

    def flags(self, link):
        return self.show(f"link show {link}")[0]["flags"]

    def stop(self, number=signal.SIGTERM):
        """End it with a signal; it must go well. Returns what it said on stderr (nothing)."""
        self.process.send_signal(number)
        return self.ended(STOP_SECONDS)

    def shutdown(self):
        self.ctl("shutdown")
        return self.ended(STOP_SECONDS)

    def ended(self, seconds):
        """Wait for the end, which must be a good one."""
        process, self.process = self.process, None
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"millrace did not end in {seconds} s: {self.said()}") from None
        assert status == 0, f"status {status}: {self.said()}"
        assert self.said() == ""
        assert self.leftovers() == []

    def leftovers(self):
        """What a run left behind that it should have taken away."""
        left = [self.socket] if os.path.lexists(self.socket) else []
        if self.runtime.is_dir():
            left += [str(f) for f in self.runtime.iterdir()
                     if not f.name.startswith(_KEPT_BY_DPDK)]
        return left

    def kill(self):
        """However it stands: no process and no file of it remains."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.runtime, ignore_errors=True)
