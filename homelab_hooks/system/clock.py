"""Clocks, an interruptible sleep, and a ticker thread."""

from __future__ import annotations

import contextlib
import math
import os
import select
import threading
import time
import weakref
from collections.abc import Callable

from homelab_hooks.system.signals import arrival_pipe

MIN_TICK_INTERVAL_S = 0.125
"""minimum seconds between two ticks"""
MAX_TICK_INTERVAL_S = 0.25
"""maximum seconds between two ticks"""


def monotonic_seconds() -> float:
    """Return monotonic seconds."""
    return time.monotonic()


def format_current_time() -> str:
    """Return the current UTC time in RFC 3339 format."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds")


def drain(end: int) -> None:
    """Read everything that a non-blocking pipe holds."""
    with contextlib.suppress(BlockingIOError):
        while os.read(end, 4096):
            pass


MAX_POLL_S = 24 * 3600.0
"""seconds of one poll(2), whose timeout is an int of milliseconds"""


class SystemClock:
    """Monotonic and wall-clock time, and a sleep that another thread can interrupt.

    The sleep waits for a byte in a pipe. An event of `threading` does not work with signals: a handler that raises
    while the event's lock is taken back leaves it released, and releasing it again hides the exception.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
            weakref.finalize(self, os.close, end)

    def now(self) -> float:
        """Return monotonic seconds; they do not advance while the machine is suspended (CLOCK_MONOTONIC)."""
        return time.monotonic()

    def wall(self) -> float:
        """Return Unix time in seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds, or until `wake`."""
        poll, arrival = select.poll(), arrival_pipe()
        poll.register(self._reader, select.POLLIN)
        if arrival is not None:
            poll.register(arrival, select.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            readable = [end for end, _ in poll.poll(math.ceil(min(left, MAX_POLL_S) * 1000))]
            for end in readable:
                drain(end)  # the handler of a signal runs at the latest here, and raises
            if self._reader in readable:
                return

    def wake(self) -> None:
        """Interrupt the current sleep, or the next one if there is none; may be called from any thread."""
        with contextlib.suppress(BlockingIOError):  # it is full: there is a byte to be read
            os.write(self._writer, b"\0")


class Ticker:
    """Calls `on_tick` on its own thread: every MAX_TICK_INTERVAL_S, and earlier when a tick is requested."""

    def __init__(self, on_tick: Callable[[], None]) -> None:
        self._on_tick = on_tick
        self._tick_requested, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Start the thread; may be called once."""
        self._thread.start()

    def request_tick(self) -> None:
        """Tick as soon as MIN_TICK_INTERVAL_S allows."""
        self._tick_requested.set()

    def stop(self) -> None:
        """Stop, and wait up to a second for a running tick to finish."""
        self._stopped.set()
        self._tick_requested.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped.wait(MIN_TICK_INTERVAL_S):
            self._tick_requested.wait(MAX_TICK_INTERVAL_S - MIN_TICK_INTERVAL_S)
            self._tick_requested.clear()
            if not self._stopped.is_set():
                self._on_tick()
