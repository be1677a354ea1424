"""What the benchmarks measure: programs on DPDK's devices, each with one polling lcore.

All subjects of a comparison are started at once and then stopped (SIGSTOP); each is let run alone
while it is measured. So a round costs no more than the time for which it measures, and slow
phases of the machine meet all of them. What a subject has done is read from its counters before
and after: from millrace by millctl, from any other by DPDK's telemetry.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
_RUNTIME = "/var/run/dpdk"
_START_SECONDS = 60
_WARM_SECONDS = 0.1
_ASKING_SECONDS, _ASKED_AGAIN = 0.002, 10


class Failed(Exception):
    """A subject did not start, or did not do the work that was to be measured."""


@functools.cache
def cpus():
    """The one for what is not measured, and the one for the polling lcore."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Failed("two CPUs are needed: one polls, the other looks after it")
    return allowed[0], allowed[1]


class Subject:
    """A process, and what it has counted. `words` come before the EAL's arguments."""

    def __init__(self, name, directory):
        self.name = name
        self.prefix = f"mrbench{os.getpid()}_{name}".replace(" ", "_")
        self.log = os.path.join(directory, f"{name}.log".replace(" ", "_"))
        self.process = None

    def spawn(self, words):
        with open(self.log, "w") as log:
            try:
                self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log,
                                                stderr=log)
            except FileNotFoundError as error:
                raise Failed(f"{error.filename} is not there; README.md here says which packages "
                             "the benches need") from error

    def await_ready(self):
        self._await(self.ready)

    def _await(self, done):
        deadline = time.monotonic() + _START_SECONDS
        while not done():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.name} does not start:\n{self.last_words()}")
            time.sleep(0.05)

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def last_words(self):
        return "\n".join(self.said().splitlines()[-8:])

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.process:
            self.go_on()
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(os.path.join(_RUNTIME, self.prefix), ignore_errors=True)


class Peer(Subject):
    """A program of DPDK's: its ports count what came in by the first, went out by the others."""

    def __init__(self, name, directory, program, devices, arguments, lcores=None):
        super().__init__(name, directory)
        eal = ["--lcores", lcores or str(cpus()[1]), "-a", "0000:00:00.0",
               "--file-prefix", self.prefix, "--in-memory", "--log-level", "lib.eal:debug"]
        for device in devices:
            eal += ["--vdev", device]
        self.telemetry = None
        self.out_ports = range(1, len(devices))
        self.spawn([program, *eal, "--", *arguments])

    def ready(self):
        try:
            return self.counts()["received"] > 0
        except OSError:
            self.telemetry = None
            return False

    def ask(self, command):
        if not self.telemetry:
            asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            asked.settimeout(5)
            asked.connect(f"{_RUNTIME}/{self.prefix}/dpdk_telemetry.v2")
            asked.recv(16384)
            self.telemetry = asked
        self.telemetry.send(command.encode())
        return json.loads(self.telemetry.recv(16384))[command.partition(",")[0]]

    def counts(self):
        """Ports are asked one by one: all again if that took so long that they do not fit."""
        for _ in range(_ASKED_AGAIN):
            begin = time.monotonic()
            first, *others = (self.ask(f"/ethdev/stats,{port}") or {} for port in
                              (0, *self.out_ports))
            if time.monotonic() - begin < _ASKING_SECONDS:
                break
        return {"at": time.monotonic(), "received": first.get("ipackets", 0),
                "transmitted": sum(port.get("opackets", 0) for port in others)}

    def tsc_hz(self):
        found = re.search(r"TSC frequency is ~(\d+) KHz", self.said())
        return int(found.group(1)) * 1000 if found else None


def testpmd(directory, devices, mode="io", mbufs=32768):
    """The floor: packets go from one device to the other and, in io mode, nobody looks at them."""
    first, second = cpus()
    return Peer(f"testpmd {mode}", directory, "dpdk-testpmd", devices,
                [f"--forward-mode={mode}", "--no-mlockall", f"--total-num-mbufs={mbufs}",
                 "--no-lsc-interrupt", "--stats-period=1000"], f"{first},{second}")


class Millrace(Subject):
    def __init__(self, directory, commands, name="millrace", options=()):
        super().__init__(name, directory)
        configuration = os.path.join(directory, f"{self.prefix}.conf")
        self.socket = os.path.join(directory, f"{self.prefix}.sock")
        with open(configuration, "w") as file:
            file.write("\n".join(commands) + "\n")
        first, second = cpus()
        self.spawn([f"{ROOT}/build/app/millrace/millrace", "-c", configuration, "-s", self.socket,
                    *options, "--", "-l", f"{first},{second}", "--file-prefix", self.prefix])

    def ready(self):
        return self.started() and self.counts()["received"] > 0

    def started(self):
        """Does it take commands?"""
        try:
            return bool(self.ctl("drops"))
        except subprocess.CalledProcessError:
            return False

    def ctl(self, *words):
        done = subprocess.run([f"{ROOT}/build/app/millctl/millctl", "-s", self.socket, "-j",
                               *words], check=True, capture_output=True, text=True)
        return json.loads(done.stdout or "null")

    def await_started(self):
        self._await(self.started)

    def counts(self):
        """The account, the drops by reason, and all counters that are not 0, which are read a
        little later: rates are true of what `drops` says, and between counters ratios are."""
        account, at = self.ctl("drops"), time.monotonic()
        reasons = {reason["reason"]: reason["packets"] for reason in account.pop("reasons")}
        return {"at": at, **account, **reasons, **self.ctl("nstat")}


@contextlib.contextmanager
def started(*makers):
    """Subjects that are started, each waiting for its turn; they end with the context."""
    subjects = []
    try:
        for maker in makers:
            subjects.append(maker())
            subjects[-1].await_ready()
            subjects[-1].pause()
        yield subjects
    finally:
        for subject in subjects:
            subject.end()


def measure(subject, seconds):
    """What a subject counts in a second, by counter, while it runs alone."""
    subject.go_on()
    time.sleep(_WARM_SECONDS)
    before = subject.counts()
    time.sleep(seconds)
    after = subject.counts()
    subject.pause()
    elapsed = after.pop("at") - before["at"]
    return {name: (value - before.get(name, 0)) / elapsed for name, value in after.items()}


def in_turn(subjects, rounds, seconds):
    """`rounds` times each subject: {name: [rates of each round]}."""
    measured = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for subject in subjects:
            measured[subject.name].append(measure(subject, seconds))
    return measured


def starts_options(parser, of="subject"):
    parser.add_argument("--starts", type=int, default=3, help="of all processes anew")
    parser.add_argument("--rounds", type=int, default=3, help="of each start")
    parser.add_argument("--seconds", type=float, default=0.2, help=f"of each {of} and round")


def measured_anew(makers, options):
    """in_turn() for subjects that are started several times, as one process in ten is slower by a
    fifth as long as it lives. Returns the rates of all rounds, and all subjects, which have ended.
    """
    measured, subjects = {}, []
    for _ in range(options.starts):
        with started(*makers) as those:
            for name, rates in in_turn(those, options.rounds, options.seconds).items():
                measured.setdefault(name, []).extend(rates)
        subjects += those
    return measured, subjects


def median(rates, counter="received"):
    return statistics.median(rate[counter] for rate in rates)


def ratio(rates, to, counter="received"):
    """Of the rates of two subjects, round by round: the median, which slow phases of the machine
    do not touch as long as they outlast a round."""
    return statistics.median(one[counter] / other[counter] for one, other in zip(rates, to))
