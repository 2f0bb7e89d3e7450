"""A clock that does not advance while this process is stopped (Ctrl-Z) or its machine sleeps.

Timeouts of a wait count the time in which a server could have responded. A sleep that ends minutes late shows that
this process did not run meanwhile, so those minutes do not count.
"""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.polling.loop import Clock

MAX_LATE_WAKE_S = 5.0
"""seconds that a sleep may end late because the machine is busy"""


class ActiveClock:
    """Another clock, without the time by which its sleeps ended too late.

    Args:
        clock: the clock to read and to sleep on.
        wall: returns the time of day in unix seconds, for callers that need it.
    """

    def __init__(self, clock: Clock, *, wall: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._absent_s = 0.0
        self.wall = wall

    def now(self) -> float:
        """Return seconds that do not advance while nothing runs here."""
        return self._clock.now() - self._absent_s

    def sleep(self, seconds: float) -> None:
        """Sleep; may return early when woken."""
        begin = self._clock.now()
        self._clock.sleep(seconds)
        late = self._clock.now() - begin - seconds
        if late > MAX_LATE_WAKE_S:
            self._absent_s += late
