"""Runs the tools in both networks, and tells where what they print is the same."""

import concurrent.futures
import dataclasses
import difflib
import os
import signal
import subprocess

from . import tools_text
from .netns import end_with_parent

_SECONDS = 40               # none takes more than seven
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C", "HOME": "/nonexistent"}


@dataclasses.dataclass
class Result:
    case: object
    raw: list               # what the tool said in each of the two networks
    said: list              # the same, normalised

    @property
    def same(self):
        return self.said[0] == self.said[1]

    def difference(self, names):
        lines = difflib.unified_diff(*(text.splitlines() for text in self.said), *names,
                                     lineterm="")
        return "\n".join(lines)


def _run_one(network, case, index):
    """What it printed, then its complaints, then its exit status."""
    host = network.host(case.port, index)

    def as_child():
        end_with_parent(signal.SIGKILL)
        # The kernel queues packets by CPU: those of one CPU keep their order.
        os.sched_setaffinity(0, {index % os.cpu_count()})

    with host.namespace.entered():
        process = subprocess.Popen(case.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace",
                                   env=_ENVIRONMENT, preexec_fn=as_child)
    try:
        printed, complaints = process.communicate(timeout=_SECONDS)
        end = f"exit status {process.returncode}"
    except subprocess.TimeoutExpired:
        process.kill()
        printed, complaints = process.communicate()
        end = f"not done after {_SECONDS} seconds"
    return f"{printed}{complaints}[{end}]\n"


def run(networks, cases, jobs):
    """Each case in both networks at about the same time; results as they come, in order."""
    def in_network(network, case, index):
        raw = _run_one(network, case, index)
        return raw, tools_text.normalised(case.tool, raw)

    # Threads, as a namespace belongs to one: what is started in it stays there.
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [[pool.submit(in_network, network, case, index) for network in networks]
                   for index, case in enumerate(cases)]
        try:
            for case, pair in zip(cases, running):
                raw, said = zip(*(future.result() for future in pair))
                yield Result(case, list(raw), list(said))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
