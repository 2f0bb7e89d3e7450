"""A simulated clock: a sleep on it takes no real time."""

from __future__ import annotations

from collections.abc import Callable

_TIME_STEP_S = 0.1
"""seconds that pass between two calls of the listeners"""


class SimulatedClock:
    """Time that passes only in `sleep` and `advance`.

    Attributes:
        listeners: called at each step while time passes; a listener may call `wake`.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._woken = False
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the simulated time in seconds."""
        return self._now

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once."""
        self._woken = True

    def sleep(self, seconds: float) -> None:
        """Advance the clock by `seconds`, or until `wake` is called."""
        end = self._now + seconds
        while self._now < end and not self._woken:
            self._advance_step(end)
        self._woken = False

    def advance(self, seconds: float) -> None:
        """Advance the clock by `seconds`, even if `wake` is called."""
        end = self._now + seconds
        while self._now < end:
            self._advance_step(end)

    def _advance_step(self, end: float) -> None:
        self._now = min(end, self._now + _TIME_STEP_S) if self.listeners else end
        for listener in self.listeners:
            listener()
