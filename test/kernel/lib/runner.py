"""Runs scenarios: each on new routers, several at once, the waiting ones beside the busy ones."""

import contextlib
import dataclasses
import multiprocessing
import os
import queue
import re
import signal
import sys
import time
import traceback

from . import pcap
from .netns import CommandRefused, end_with_parent
from .scenario import CountersDiffer, Difference, Play, TooSlow
from .testbed import Testbed
from .wire import RouterSilent

PASSED, FAILED = "passed", "failed"
_TRIES = 8          # where a machine that has other things to do may be too slow


@dataclasses.dataclass
class Result:
    name: str
    outcome: str
    report: str = ""
    seconds: float = 0.0
    frames: int = 0


def _save_captures(testbed, name, directory):
    directory = os.path.join(directory, re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-"))
    os.makedirs(directory, exist_ok=True)
    for side in testbed.sides:
        for port, records in side.wire.history.items():
            pcap.write(os.path.join(directory, f"{side.name.replace(' ', '-')}-{port}.pcap"),
                       records)


def play(scenario, *details, **more):
    """Play a scenario; returns the Play, or raises what went wrong. Details: _play_once()'s."""
    for _ in range(_TRIES):
        with contextlib.suppress(TooSlow):
            return _play_once(scenario, *details, **more)
    raise Difference(f"in {_TRIES} tries, what was to happen at one time did not")


def _play_once(scenario, options, count_each=False, damage=None, perturbation=()):
    """`damage` and `perturbation` are for proving the harness: see selftest.py."""
    testbed = Testbed(options, scenario.mtu, keep=bool(options.keep))
    try:
        testbed.sides[1].router.run(perturbation)
        playing = Play(testbed, scenario.sentinel, scenario.ignored_counters, count_each, damage,
                       scenario.sequence)
        if scenario.setup:
            playing.run(*scenario.setup)
        try:
            scenario.story(playing)
            playing.finish()
        finally:
            if options.keep:
                _save_captures(testbed, scenario.name, options.keep)
    finally:
        complaints = testbed.close()
    if complaints:
        raise Difference("\n".join(complaints))
    return playing


def run_one(scenario, options):
    started = time.monotonic()
    frames = 0
    report = ""
    try:
        try:
            played = play(scenario, options)
            frames = played.frames_sent
            if options.show:
                report = "\n".join(played.transcript)
        except CountersDiffer as whole:
            # Again, counting after each step, to tell which frame it was.
            play(scenario, options, count_each=True)
            raise whole
        outcome = PASSED
    except (Difference, CommandRefused, RouterSilent) as failure:
        outcome, report = FAILED, str(failure)
    except Exception:
        outcome, report = FAILED, traceback.format_exc()
    return Result(scenario.name, outcome, report, time.monotonic() - started, frames)


@dataclasses.dataclass
class Job:
    """Something to do in a worker; `run` takes nothing and returns a Result."""
    name: str
    run: object
    slow: bool = False
    alone: bool = False


def _work(jobs, cpu, indices, results):
    """The life of a worker process: jobs by index (functions don't travel), until None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # what is open gets closed
    end_with_parent(signal.SIGTERM)
    # The kernel queues received packets by CPU: on one CPU they keep their order.
    os.sched_setaffinity(0, {cpu})
    for index in iter(indices.get, None):
        results.put(jobs[index].run())


class Pool:
    """Worker processes, two kinds: a few for busy jobs, more for those that mostly sleep."""

    def __init__(self, jobs, options):
        self._context = multiprocessing.get_context("fork")
        self._results = self._context.Queue()
        self._expected = len(jobs)
        self._processes = []
        self._start([job for job in jobs if not job.slow], options.jobs)
        self._start([job for job in jobs if job.slow], options.slow_jobs)

    def _start(self, jobs, workers):
        indices = self._context.SimpleQueue()
        cpus = sorted(os.sched_getaffinity(0))
        workers = min(workers, len(jobs))
        for worker in range(workers):
            process = self._context.Process(target=_work, args=(
                jobs, cpus[worker % len(cpus)], indices, self._results))
            process.start()
            self._processes.append(process)
        for index in [*range(len(jobs)), *[None] * workers]:
            indices.put(index)

    def results(self):
        """Results in the order of their end."""
        received = 0
        while received < self._expected:
            try:
                yield self._results.get(timeout=5.0)
                received += 1
            except queue.Empty:
                if not any(process.is_alive() for process in self._processes):
                    raise RuntimeError("the workers died")

    def close(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()


def run_jobs(jobs, options, take):
    """Run jobs in workers; `take` is called with each result as it comes."""
    for some in ([[job] for job in jobs if job.alone]      # before the others leave anything behind
                 + [[job for job in jobs if not job.alone]]):
        pool = Pool(some, options)
        try:
            for result in pool.results():
                take(result)
        finally:
            pool.close()


def print_result(result, always):
    if always or result.outcome == FAILED:
        print(f"{result.outcome}  {result.name} ({result.frames} frames, {result.seconds:.1f} s)")
    if result.report:
        print("    " + result.report.replace("\n", "\n    "))
    sys.stdout.flush()
