"""The door to time."""

from __future__ import annotations

import threading
import time


class SystemClock:
    """Monotonic and wall time; a sleep that another thread can cut short."""

    def __init__(self) -> None:
        self._news = threading.Event()

    def now(self) -> float:
        """Seconds that never run backwards; they stand still while the machine sleeps (CLOCK_MONOTONIC)."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep, or return early after `wake`."""
        if self._news.wait(seconds):
            self._news.clear()

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once; may be called from any thread."""
        self._news.set()
