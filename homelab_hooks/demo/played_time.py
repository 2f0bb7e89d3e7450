"""A clock that jumps: what waits for it waits no time."""

from __future__ import annotations


class PlayedTime:
    """Time that passes when somebody sleeps, and at no other moment."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let them pass at once."""
        self._now += seconds
