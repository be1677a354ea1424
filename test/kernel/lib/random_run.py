"""Plays random frames and boils a difference down to the fewest frames that still show it.

A run consists of chapters, each on new routers under settings drawn by its seed, so any chapter
can be played again alone.  Frames go in batches; outputs and counters are compared after each.
"""

import functools
import itertools
import random
import re
import time

import random_filters
import random_frames
import random_routes
import random_topology

from . import decode, layout, runner
from .netns import CommandRefused
from .scenario import Difference, Scenario
from .wire import RouterSilent

_CHAPTER_FRAMES = 2048
_CHANGES_A_BATCH = 0.5
_SHRINK_SECONDS = 90.0
_EVERYBODY = bytes.fromhex("ffffffffffff")
_ARP = bytes.fromhex("0806")


class Order:
    """What need not leave in the order in which it was caused.

    The control thread asks for addresses: an ARP request may leave after packets that came in
    later.  Where there are several workers, the fragments of a datagram are collected by one of
    them: what becomes of them may leave after packets that another has received later.
    """

    def __init__(self, several_workers):
        self._hosts = set() if several_workers else None

    def note(self, frames):
        """Remember who has sent fragments."""
        if self._hosts is not None:
            self._hosts |= {frame[26:30] for frame in frames
                            if len(frame) >= 34 and int.from_bytes(frame[20:22], "big") & 0x3fff}

    def sequence(self, frame):
        if frame[:6] == _EVERYBODY and frame[12:14] == _ARP:
            return "asking"
        if self._hosts and (frame[26:30] in self._hosts or frame[30:34] in self._hosts):
            return "fragments " + frame.hex()
        return ""


class Chapter:
    """The story of one chapter: the same seed tells the same story."""

    def __init__(self, seed, frames, options):
        rng = random.Random(seed)
        variation, self.sentinel = rng.choice(random_frames.VARIATIONS)
        self.setup = random_frames.SETUP + variation
        self.name = f"random, seed {seed}"
        random_routing = rng.random() < 0.5
        if random_routing:
            self.setup += random_routes.commands(rng)
        self.mtu = random_topology.mtu(rng) if rng.random() < 0.3 else {}
        if rng.random() < 0.3:
            self.setup += random_topology.commands(rng)
        self._filters = random_filters.POSSIBLE and rng.random() < 0.4
        if self._filters:
            self.setup += random_filters.commands(rng)
        self.setup = self._possible(self.setup)
        self._changes = (random_routes.Changes(rng, self.setup)
                         if random_routing and rng.random() < 0.6 else None)
        self._rng = rng
        self._generator = random_frames.Generator(
            rng, options.extras, random_routing, {**layout.MTU, **self.mtu}, self.setup)
        self._frames = frames
        self._options = options
        self._order = Order(options.workers > 1)

    def _possible(self, commands):
        """What is larger than the device's own MTU does not leave by an AF_PACKET socket."""
        if not self.mtu:
            return tuple(commands)
        least = min(self.mtu.values())
        return tuple(re.sub(r"\bmtu (\d+)", lambda m: f"mtu {min(least, int(m[1]))}", line)
                     for line in commands)

    def scenario(self, story, setup=None):
        return Scenario(self.name, "", story, self.setup if setup is None else setup,
                        sentinel=self.sentinel, mtu=self.mtu, sequence=self._order.sequence)

    # A chapter's history is of groups: a port and the frames that go into it; None and commands.

    def tell(self, play, boil_down=True):
        history = []
        while play.frames_sent < self._frames:
            if self._changes and self._rng.random() < _CHANGES_A_BATCH:
                commands = self._possible(self._changes.draw())
                history.append((None, commands))
                play.run(*commands)
            port, frames = self._generator.batch()
            history.append((port, frames))
            self._order.note(frames)
            try:
                play.send(port, *frames)
                play.check_counters()
                if self._filters:
                    play.filter_counters()
            except Difference as difference:
                if not boil_down:
                    raise
                raise Difference(self._boil_down(history, difference)) from difference

    # Finding the fewest frames.

    def _replay(self, groups, one_by_one=False, setup=None):
        """Play groups on new routers; the difference, or None."""
        def story(play):
            for port, frames in groups:
                if port is None:
                    play.run(*frames)
                elif one_by_one:
                    play.each(port, frames)
                else:
                    play.send(port, *frames)
                    play.check_counters()
            if self._filters:
                play.filter_counters()
        try:
            runner.play(self.scenario(story, setup), self._options, count_each=one_by_one)
        except Difference as difference:
            return difference
        except (CommandRefused, RouterSilent):
            return None     # what was left out is needed: another difference, or none
        return None

    def _boil_down(self, history, first):
        for candidate in self._promising(history):
            difference = self._replay(candidate)
            if difference is not None:
                fewest, difference = self._fewest(candidate, difference)
                setup, difference = self._least_setup(fewest, difference)
                return (f"{difference}\n\nTo keep:\n\n{self._as_scenario(fewest, setup)}")
        return f"did not happen again on new routers; it was:\n{first}"

    def _promising(self, history):
        """Things to try, from the smallest: one frame, those up to it, the batch, everything."""
        port, frames = history[-1]
        changes = [group for group in history if group[0] is None]
        alone = [(port, [frame]) for frame in frames]
        for before in ([], changes) if changes else ([],):
            difference = self._replay([*before, (port, frames)], one_by_one=True)
            if difference is not None:
                guilty = difference.frames_sent - 1
                yield [*before, alone[guilty]]
                yield before + alone[:guilty + 1]
            yield [*before, (port, frames)]
        yield history

    def _fewest(self, groups, difference):
        """Leave out groups, then frames of those that stay, as long as the difference stays."""
        deadline = time.monotonic() + _SHRINK_SECONDS
        groups, difference = self._without(
            groups, difference, deadline, lambda rest: self._replay(rest) if rest else None)
        frames = [(n, frame) for n, (_, group) in enumerate(groups) for frame in group]
        ports = [port for port, _ in groups]

        def regrouped(rest):
            return [(ports[n], [frame for _, frame in part])
                    for n, part in itertools.groupby(rest, key=lambda numbered: numbered[0])]

        frames, difference = self._without(
            frames, difference, deadline,
            lambda rest: self._replay(regrouped(rest)) if rest else None)
        return regrouped(frames), difference

    def _least_setup(self, groups, difference):
        """The commands without which there is no difference."""
        deadline = time.monotonic() + _SHRINK_SECONDS
        base = random_frames.SETUP              # stays: it is what keeps chance away
        setup, difference = self._without(
            list(self.setup[len(base):]), difference, deadline,
            lambda rest: self._replay(groups, setup=(*base, *rest)),
            # without these there would be another difference: sentinels lost, or chance
            stays=lambda command: "198.18." in command or "hash_seed" in command)
        return tuple(setup), difference

    @staticmethod
    def _without(parts, difference, deadline, replay, stays=lambda part: False):
        """Leave out ever fewer of the parts as long as their replay still shows a difference."""
        size = max(1, len(parts) // 2)
        while size and time.monotonic() < deadline:
            start = 0
            while start < len(parts) and time.monotonic() < deadline:
                rest = (parts[:start] + list(filter(stays, parts[start:start + size]))
                        + parts[start + size:])
                still = replay(rest) if rest != parts else None
                if still is not None:
                    parts, difference = rest, still
                else:
                    start += size
            size //= 2
        return parts, difference

    def _as_scenario(self, groups, setup):
        lines = [f'@scenario("found by {self.name}", "random", sentinel="{self.sentinel}",',
                 f"          mtu={self.mtu!r}, setup=(*random_frames.SETUP,"]
        lines += [f"              {command!r}," for command in setup]
        lines += ["          ))", "def found(s):"]
        for port, frames in groups:
            if port is None:
                lines.append(f"    s.run({', '.join(map(repr, frames))})")
                continue
            lines += [f"    # {decode.summary(frame)}" for frame in frames[:4]]
            listed = ", ".join(f'Frame.fromhex("{frame.hex()}")' for frame in frames)
            lines.append(f'    s.send("{port}", {listed})')
        return "\n".join(lines)


def _run_chapter(seed, frames, options):
    chapter = Chapter(seed, frames, options)
    return runner.run_one(chapter.scenario(chapter.tell), options)


def _chapters(seed, options):
    """Pairs of a seed and a number of frames, until there are enough."""
    left = options.random
    number = 0
    while left is None or left > 0:
        frames = _CHAPTER_FRAMES if left is None else min(left, _CHAPTER_FRAMES)
        yield seed + number, frames
        number += 1
        if left is not None:
            left -= frames


def run(seed, options):
    """Returns how many chapters passed, failed, and were skipped."""
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    deadline = started + options.minutes * 60 if options.minutes else None
    counts = {runner.PASSED: 0, runner.FAILED: 0}
    frames = 0

    def take(result):
        nonlocal frames
        counts[result.outcome] += 1
        frames += result.frames
        runner.print_result(result, options.verbose)

    chapters = _chapters(seed, options)
    while deadline is None or time.monotonic() < deadline:
        round_ = list(itertools.islice(chapters, 4 * options.jobs))
        if not round_:
            break
        jobs = [runner.Job(f"random, seed {chapter}", functools.partial(
            _run_chapter, chapter, count, options)) for chapter, count in round_]
        runner.run_jobs(jobs, options, take)
    print(f"{frames} frames in {time.monotonic() - started:.1f} s")
    return counts[runner.PASSED], counts[runner.FAILED], 0
