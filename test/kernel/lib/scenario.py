"""The little language of scenarios.

    @scenario("TTL 1 is answered", rule="C1")
    def ttl_one(s):
        s.send("p0", udp(H0, H1, ttl=1))

A scenario is a function that plays a story to both routers at once through the `Play` it is
given.  It contains no expected results: what the kernel does is what is expected.  The routers
are new for each scenario and configured as layout.py says, plus the commands in `setup`.
Commands are iproute2's without the word `ip`, and `sysctl key=value`.
"""

import contextlib
import dataclasses
import itertools
import os
import time

from . import compare, counters, decode, layout, packets, ticks
from .netns import CommandRefused
from .wire import RouterSilent

_SENTINEL_SECONDS = 10.0
_GRACE_SECONDS = 1.0        # for outputs that come after the sentinels, from another thread
_GRACE_STEP_SECONDS = 0.01
_QUIET_SECONDS = 0.05       # at the end of a scenario: nothing more may come
_TIME_TOLERANCE_SECONDS = 0.15

ALL = []


@dataclasses.dataclass
class Scenario:
    name: str
    rule: str
    story: object
    setup: tuple = ()
    mtu: dict = None
    sentinel: str = "routed"
    slow: bool = False
    alone: bool = False     # what all routers on a machine share would tell in the outcome
    ignored_counters: tuple = ()
    missing: str = ""       # what it needs and this machine lacks
    sequence: object = None     # compare.first_difference's


def scenario(name, rule, **details):
    """Register the decorated function as a scenario; the details are Scenario's fields."""
    def register(story):
        ALL.append(Scenario(f"{rule}: {name}", rule, story, **details))
        return story
    return register


class Difference(Exception):
    """The routers did not do the same; the text is the report."""

    def __init__(self, report, frames_sent=0):
        super().__init__(report)
        self.frames_sent = frames_sent


class CountersDiffer(Difference):
    """All frames agreed; only counters do not."""


class TooSlow(Exception):
    """What was to happen at one time did not; it is to be played once more."""


class Play:
    def __init__(self, testbed, sentinel="routed", ignored_counters=(), count_each=False,
                 damage=None, sequence=None):
        self.testbed = testbed
        self.sentinel = sentinel
        self.steps = 0
        self.frames_sent = 0
        self._ignored_counters = ignored_counters
        self._count_each = count_each
        self._damage = damage
        self._sequence = sequence
        self._own_addresses = compare.OwnAddresses()
        self._note_addresses(layout.base_commands())
        self._counted = self._read_counters()
        self._last_inputs = []
        self._fresh_inputs = []
        self.transcript = []

    # What a story can do.

    def run(self, *commands):
        """Give both routers the same commands."""
        self.steps += 1
        self._note_addresses(commands)
        self.testbed.run(commands)
        if not self._fresh_inputs:
            for side in self.testbed.sides:
                side.wire.sent_at = side.commanded_at

    def refused(self, *commands):
        """Both routers must refuse each of these commands."""
        self.steps += 1
        for command in commands:
            for side in self.testbed.sides:
                try:
                    side.router.run([command])
                except CommandRefused:
                    continue
                self._fail(f"{side.name} does not refuse: {command}")

    def attempt(self, *commands):
        """Both routers must take each of these commands, or both must refuse it."""
        self.steps += 1
        for command in commands:
            refusals = []
            for side in self.testbed.sides:
                try:
                    side.router.run([command])
                except CommandRefused as refusal:
                    refusals.append(f"{side.name} refuses: {refusal}")
            if len(refusals) == 1:
                self._fail(f"{command}\n{refusals[0]}")
            if not refusals:
                self._note_addresses([command])

    def send(self, port, *frames, dst=None, src=None):
        """Send frames into a port as a group; compare all that comes out on any port.

        Plain bytes are an IPv4 packet, put into a frame from the port's usual host to the router
        unless `dst` and `src` say otherwise.
        """
        self._inject(port, frames, dst, src)
        self._settle(port)
        self._compare_outputs()

    def each(self, port, frames, **ethernet):
        """Send frames one by one, comparing after each."""
        for frame in frames:
            self.send(port, frame, **ethernet)

    def batches(self, port, frames, size=32, **ethernet):
        """Send many frames in groups of so many, comparing after each group."""
        frames = iter(frames)
        while group := list(itertools.islice(frames, size)):
            self.send(port, *group, **ethernet)

    def start(self, port, *frames, dst=None, src=None):
        """Send frames and go on at once: what they cause is compared at the next step."""
        self._inject(port, frames, dst, src)

    def pause(self, seconds):
        """Let time pass in which nothing comes out."""
        time.sleep(seconds)

    def wait(self, seconds, tolerance=_TIME_TOLERANCE_SECONDS):
        """Let time pass, then compare what came out and when, counted from the last frame, or
        from the last command if what the frames caused was compared before."""
        self.steps += 1
        time.sleep(seconds)
        for wire in self._wires:
            wire.receive()
        self._compare_outputs(tolerance * max(1.0, os.getloadavg()[0] / os.cpu_count()))

    @contextlib.contextmanager
    def one_slot(self, seconds, after=None):
        """What is sent inside starts timers of so many seconds that run out together, on either
        router, and later than those of the slots `after`, which an earlier one_slot() gave."""
        slots = ticks.Slots(seconds)
        place = slots.await_next(after)
        yield place
        if slots.both()[0] != place:
            raise TooSlow

    def neighbours(self, port):
        """Compare the neighbour tables of a port: addresses, link-layer addresses, states."""
        self.steps += 1
        tables = [side.router.neighbours(port) for side in self.testbed.sides]
        if tables[0] != tables[1]:
            lines = [f"neighbours of {port} differ"]
            for name, table in zip(self._names, tables):
                lines.append(f"  {name}:")
                lines += [f"    {ip} lladdr {lladdr} {state}" for ip, lladdr, state in table]
            self._fail("\n".join(lines))

    def filter_counters(self):
        """Compare what filter rules have counted."""
        self.steps += 1
        expected, got = (side.router.filter_counters() for side in self.testbed.sides)
        if expected != got:
            wrong = [f"  {point} {n}: {self._names[0]} {left}, {self._names[1]} {right}"
                     for point in expected.keys() | got.keys()
                     for n, (left, right) in enumerate(itertools.zip_longest(
                         expected.get(point, ()), got.get(point, ())))
                     if left != right]
            self._fail("\n".join(["counters of rules differ", *wrong]))

    def ways(self, *questions):
        """Compare what `route get` says to each."""
        self.steps += 1
        expected, got = (side.router.ways(questions) for side in self.testbed.sides)
        wrong = [f"  route get {words}:\n    {self._names[0]} {left}\n    {self._names[1]} {right}"
                 for words, left, right in zip(questions, expected, got) if left != right]
        if wrong:
            self._fail("\n".join([f"{len(wrong)} ways differ", *wrong[:8]]))

    def ping(self, *questions):
        """Both routers ping, once and without data, then what came out is compared; or both say
        that there is no way."""
        for words in questions:
            self.steps += 1
            failed = [not side.router.ping(words) for side in self.testbed.sides]
            if failed[0] != failed[1]:
                self._fail(f"ping {words}: {self._names[failed.index(True)]} finds no way")
            for wire in self._wires:
                wire.receive()
            self._compare_outputs()

    def spread(self, port):
        """From now on more than a thousand frames at once may leave by a port, which a cable
        behind a Linux router would lose."""
        self.steps += 1
        for side in self.testbed.sides:
            side.router.spread(port)

    def plug(self, port, connected):
        """Connect or pull the cable of a port."""
        self.steps += 1
        self.testbed.plug(port, connected)

    def count_between(self, port, frames, out_port, low, high):
        """Where chance decides: each router must send a number of frames in a range."""
        self._inject(port, frames, None, None)
        self._settle(port)
        for wire, name in zip(self._wires, self._names):
            came = len(wire.take()[out_port])
            if not low <= came <= high:
                self._fail(f"{name} sent {came} frames on {out_port},"
                           f" expected between {low} and {high}")

    # How it is done.

    @property
    def _wires(self):
        return [side.wire for side in self.testbed.sides]

    @property
    def _names(self):
        return [side.name for side in self.testbed.sides]

    def _note_addresses(self, commands):
        for line in commands:
            words = line.split()
            if words[:1] == ["addr"] and words[1] in ("add", "replace", "change"):
                self._own_addresses.add(words[2].partition("/")[0])
            elif words[:1] == ["route"] and words[1] != "del" and words[2:3] == ["local"]:
                self._own_addresses.add(words[3])

    def _inject(self, port, frames, dst, src):
        self.steps += 1
        self.frames_sent += len(frames)
        self._last_inputs = [
            (port, frame if isinstance(frame, packets.Frame) else packets.ethernet(
                dst or layout.router_mac(port), src or layout.host_mac(port), packets.ETH_IP,
                frame)) for frame in frames]
        self._fresh_inputs += self._last_inputs
        for wire in self._wires:
            for _, frame in self._last_inputs:
                wire.send(port, frame)

    def _settle(self, port):
        """Wait until both routers have dealt with everything that went into the port."""
        if self.sentinel is None:
            return
        for wire in self._wires:
            wire.send_sentinels(port, self.sentinel, layout.PORTS)
        for wire, name in zip(self._wires, self._names):
            try:
                wire.await_sentinels(layout.PORTS, _SENTINEL_SECONDS)
            except RouterSilent as silence:
                self._fail(f"{name} fell silent: {silence}")

    def _difference(self, tolerance):
        expected, got = (wire.arrived for wire in self._wires)
        if self._damage:
            got = self._damage.outputs(got)
        started = [wire.sent_at for wire in self._wires]
        found = compare.first_difference(expected, got, self._own_addresses, tolerance, started,
                                         self._sequence)
        return found, expected, got

    def _lasting(self, look):
        """What `look` returns, a difference first, once there is none or it has lasted."""
        deadline = time.monotonic() + _GRACE_SECONDS
        seen = look()
        while seen[0] and time.monotonic() < deadline:
            time.sleep(_GRACE_STEP_SECONDS)
            for wire in self._wires:
                wire.receive()
            seen = look()
        return seen

    def _compare_outputs(self, tolerance=None):
        found, expected, got = self._lasting(lambda: self._difference(tolerance))
        if found:
            self._fail(compare.describe(found, expected, got, self._names,
                                        self._own_addresses))
        self._note_outputs(expected)
        for wire in self._wires:
            wire.take()
        if self._count_each:
            self.check_counters()

    def _note_outputs(self, outputs):
        self.transcript += [f"{port} > {decode.summary(frame)}"
                            for port, frame in self._fresh_inputs]
        self.transcript += [f"    {port} < {decode.summary(frame)}"
                            for port, records in outputs.items() for _, frame in records]
        self._fresh_inputs = []

    def _read_counters(self):
        return [side.router.counters() for side in self.testbed.sides]

    def _counters_grown(self):
        now = self._read_counters()
        expected, got = (counters.growth(*pair) for pair in zip(self._counted, now))
        if self._damage:
            got = self._damage.counters(got)
        return counters.differing(expected, got, self._ignored_counters), expected, now

    def check_counters(self):
        """Compare how the counters have grown since the last check."""
        # another worker may still have some to do
        wrong, expected, self._counted = self._lasting(self._counters_grown)
        self.transcript.append("counters: " + ", ".join(
            f"{name} +{added}" for name, added in sorted(expected.items())))
        if wrong:
            width = max(len(name) for name, _, _ in wrong)
            lines = ["counters differ:",
                     f"  {'':{width}}  {self._names[0]:>12}  {self._names[1]:>12}"]
            lines += [f"  {name:{width}}  {left:12}  {right:12}" for name, left, right in wrong]
            self._fail("\n".join(lines), counters_only=True)

    def finish(self):
        """The end of a story: nothing more may come, and the books must balance."""
        self.steps += 1
        time.sleep(_QUIET_SECONDS)
        for wire in self._wires:
            wire.receive()
        self._compare_outputs()
        self.check_counters()
        for side in self.testbed.sides:
            unaccounted = side.router.unaccounted()
            if unaccounted:
                self._fail(f"{side.name}: {unaccounted}")

    def _fail(self, text, counters_only=False):
        lines = [f"step {self.steps}, {self.frames_sent} frames sent so far; last sent:"]
        if len(self._last_inputs) > 4:
            lines.append(f"  ... {len(self._last_inputs) - 4} frames of the same group")
        for port, frame in self._last_inputs[-4:]:
            lines += [f"  {port} > {decode.summary(frame)}", decode.hexdump(frame)]
        lines.append(text)
        lines += filter(None, (side.router.last_words() for side in self.testbed.sides))
        kind = CountersDiffer if counters_only else Difference
        raise kind("\n".join(lines), self.frames_sent)
