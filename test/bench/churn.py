"""A router whose routes change all the time while it is measured."""

import json
import os
import socket
import threading
import time

import routed
from subjects import Millrace, cpus

_EACH = 256                    # routes, and commands that are sent at once
_IN_A_SECOND = 10000


def _batches():
    """More specific routes under those that carry the traffic come, change their gateway, and
    go. Whatever of that a packet meets, it is forwarded."""
    prefixes = [f"10.{1 + n % 4}.{n // 4}.0/24" for n in range(_EACH)]
    changes = [[f"route replace {prefix} via {routed.gateway(1, number)}" for prefix in prefixes]
               for number in (1, 2)] + [[f"route del {prefix}" for prefix in prefixes]]
    return [(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "batch", "params": {
        "commands": [command.split() for command in batch]}}) + "\n").encode()
        for batch in changes]


class Churned(Millrace):
    def __init__(self, directory, commands):
        self.changes = 0
        self.failure = None
        self._going = threading.Event()
        self._thread = None
        self._ending = False
        super().__init__(directory, commands, "millrace, churned")

    def _change(self):
        batches, at = _batches(), 0
        os.sched_setaffinity(0, cpus()[:1])
        due = time.monotonic()
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(self.socket)
            answers = asked.makefile("r")
            # A round is finished, so that the next finds no route there.
            while self._going.is_set() or at:
                asked.sendall(batches[at])
                answer = json.loads(answers.readline())
                refused = [one for one in answer.get("result", [answer]) if "error" in one]
                if refused:
                    self.failure = refused[0]["error"]["message"]
                    return
                self.changes += _EACH
                at = (at + 1) % len(batches)
                due += _EACH / _IN_A_SECOND
                time.sleep(max(0, due - time.monotonic()))

    def go_on(self):
        super().go_on()
        if self._ending:
            return
        self._going.set()
        self._thread = threading.Thread(target=self._change, daemon=True)
        self._thread.start()

    def pause(self):
        self._going.clear()
        if self._thread:
            self._thread.join()
            self._thread = None
        super().pause()

    def end(self):
        self._ending = True
        self._going.clear()
        super().end()

    def counts(self):
        return {**super().counts(), "changes": self.changes}
