"""When timers run out together.

Linux's timers run out at the ends of slots, which are the longer the longer the timer is to run
(lib/core/wheel.h), and millrace has the same slots. But they need not begin at the same
time: Linux counts jiffies from some time before its start, millrace those of UTC. A scenario that
wants several timers in one slot asks here for a time at which one has just begun on both sides, or
is long enough still.
"""

import os
import time

JIFFIES_PER_SECOND = 250                # millrace's
_MONOTONIC_COARSE = 6                   # advances with every jiffy of the kernel
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_LEVEL_BITS, _SLOTS_AHEAD = 3, 63
_CLOCKS_DIFFER = 1 / 16                 # of a slot: a router's may begin so much later than here


def kernel_differs():
    """Why the running kernel's slots are not as long as millrace's; "" if they are."""
    hz = round(1 / time.clock_getres(_MONOTONIC_COARSE))
    return "" if hz == JIFFIES_PER_SECOND else f"the kernel's HZ is {hz}"


def slot_jiffies(seconds):
    """How long the slots are of timers that run for so many seconds."""
    level = 0
    while seconds * JIFFIES_PER_SECOND >= _SLOTS_AHEAD << _LEVEL_BITS * level:
        level += 1
    return 1 << _LEVEL_BITS * level


def _kernel_zero():
    """The time (monotonic) at which the kernel's jiffies were 0.

    times(2) tells them in hundredths of a second, rounded down; what it has just come to is exact
    where it is a whole number of jiffies.
    """
    def ticks():
        return round(os.times().elapsed * _CLOCK_TICKS)

    before = ticks()
    while True:
        now = ticks()
        if now != before and now * JIFFIES_PER_SECOND % _CLOCK_TICKS == 0:
            return time.monotonic() - now / _CLOCK_TICKS
        before = now


class Slots:
    """Slots of timers that run for so many seconds, on a kernel and on a millrace."""

    def __init__(self, seconds):
        self.seconds = slot_jiffies(seconds) / JIFFIES_PER_SECOND
        self._runs = seconds
        # the latest of some, as one may be interrupted, would be too late
        self._zero = min(_kernel_zero() for _ in range(3))

    def _position(self, now):
        """How many slots have been, and how far it is into one: of timers that begin now."""
        return divmod(now + self._runs, self.seconds)

    def both(self):
        """Which slots are in use, for how many seconds both have been, and will be."""
        places = [self._position(time.monotonic() - self._zero), self._position(time.time())]
        return (tuple(place[0] for place in places), min(place[1] for place in places),
                self.seconds - max(place[1] for place in places))

    def await_next(self, after=None):
        """Wait until both sides are in other slots than `after`, which last for some time still;
        which are these?"""
        while True:
            slots, gone, left = self.both()
            fresh = not after or all(now > then for now, then in zip(slots, after))
            # Where one has just begun, as long as the other's is not far into its second half. That
            # comes to pass however the two lie to each other: apart by half a slot at most.
            if fresh and gone > _CLOCKS_DIFFER * self.seconds and left > 0.35 * self.seconds:
                return slots
            time.sleep(0.001)
