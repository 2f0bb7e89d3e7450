"""The door to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

MIN_TICK_INTERVAL_S = 0.125
"""seconds at least between two beats of a pulse"""
MAX_TICK_INTERVAL_S = 0.25
"""seconds at most between them"""


def format_current_time() -> str:
    """The time now, as RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class SystemClock:
    """Monotonic and wall time; a sleep that another thread can cut short."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def now(self) -> float:
        """Seconds that never run backwards; they stand still while the machine sleeps (CLOCK_MONOTONIC)."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep, or return early after `wake`."""
        if self._woken.wait(seconds):
            self._woken.clear()

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once; may be called from any thread."""
        self._woken.set()


class Ticker:
    """Calls `on_tick` in a thread of its own: soon after a nudge, and four times a second without one."""

    def __init__(self, on_tick: Callable[[], None]) -> None:
        self._on_tick = on_tick
        self._tick_requested, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def request_tick(self) -> None:
        """Beat as soon as the gap allows."""
        self._tick_requested.set()

    def stop(self) -> None:
        """End; no beat is under way any more when this returns, unless it hangs."""
        self._stopped.set()
        self._tick_requested.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped.wait(MIN_TICK_INTERVAL_S):
            self._tick_requested.wait(MAX_TICK_INTERVAL_S - MIN_TICK_INTERVAL_S)
            self._tick_requested.clear()
            if not self._stopped.is_set():
                self._on_tick()
