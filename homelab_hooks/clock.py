"""The door to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

GAP = 0.125
"""seconds at least between two beats of a pulse"""
REST = 0.25
"""seconds at most between them"""


def stamp() -> str:
    """The time now, as RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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


class Pulse:
    """Calls `beat` in a thread of its own: soon after a nudge, and four times a second without one."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._nudged, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def nudge(self) -> None:
        """Beat as soon as the gap allows."""
        self._nudged.set()

    def stop(self) -> None:
        """End; no beat is under way any more when this returns, unless it hangs."""
        self._stopped.set()
        self._nudged.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped.wait(GAP):
            self._nudged.wait(REST - GAP)
            self._nudged.clear()
            if not self._stopped.is_set():
                self._beat()
