"""One clock for a watch and for the server it asks: it passes when the watch sleeps and when an answer takes time.

The sockets between the two are real and take as long as the machine needs, which no clock of the test sees. So a watch
of an hour ends after a moment, and in the same way on a machine of any speed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from homelab_hooks.net.http import MAX_BODY_BYTES, HttpClient
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.faults import Hang
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.sse import find_next_event_time
from tests.support.clock import WALL_START
from tests.waiting import HANG_S

SILENT_S = 0.4
"""real seconds for an answer that is known never to come"""
HEARD_S = 0.02
"""real seconds in which an event that is due now usually wakes the watch; where it takes longer, it comes late"""


class SharedClock(SimulatedClock):
    """A simulated clock with a wall clock and scheduled calls."""

    def __init__(self) -> None:
        super().__init__()
        self._appointments: list[tuple[float, Callable[[], object]]] = []
        self._end = inf
        self.listeners.append(self._keep)

    def wall(self) -> float:
        """Unix seconds."""
        return WALL_START + self.now()

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """Call `act` as soon as this second has come."""
        self._appointments.append((moment, act))

    def advance(self, seconds: float) -> None:
        """Let them pass, at most up to the end that `no_longer_than` set."""
        super().advance(min(seconds, max(0.0, self._end - self.now())))

    @contextmanager
    def no_longer_than(self, seconds: float) -> Iterator[None]:
        """What takes time meanwhile takes at most so many seconds."""
        self._end = self.now() + seconds
        try:
            yield
        finally:
            self._end = inf

    def _keep(self) -> None:
        due = [one for one in self._appointments if one[0] <= self.now()]
        self._appointments = [one for one in self._appointments if one not in due]
        for _, act in due:
            act()


class SkewedClock:
    """The same clock with a wrong wall clock."""

    def __init__(self, time: SharedClock, skew: float) -> None:
        self.now, self.sleep, self.wake = time.now, time.sleep, time.wake
        self._time, self._skew = time, skew

    def wall(self) -> float:
        """Unix seconds, and the error."""
        return self._time.wall() + self._skew


class SharedClockHttp:
    """The real client; how long an answer may take, and took, is counted in shared time.

    Args:
        site: the server, to know which answers never come: these alone are waited for only briefly.
    """

    def __init__(self, https: HttpClient, woodpecker: WoodpeckerSimulator, time: SharedClock) -> None:
        self._https, self._site, self._time = https, woodpecker, time

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = MAX_BODY_BYTES, body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        """As the client does; an answer that comes after its deadline is none."""
        rule, begin = self._site.peek_rule(method, path), self._time.now()
        silent = rule is not None and isinstance(rule.fault, Hang)
        with self._time.no_longer_than(timeout):
            reply = self._https.request(
                method, path, timeout=SILENT_S if silent else HANG_S, max_bytes=max_bytes, body=body
            )  # fmt: skip
            if silent:
                self._time.advance(timeout)
        if self._time.now() - begin >= timeout:
            return RequestFailed(FailureKind.TIMEOUT, f"no complete response within {timeout:.0f} s")
        return reply


def hears(woodpecker: WoodpeckerSimulator, time: SharedClock) -> None:
    """From now on the open event streams send what is due, and the watch has a moment to hear it."""
    pause, seen = threading.Event(), time.now()

    def send() -> None:
        nonlocal seen
        with woodpecker.changed:
            due = find_next_event_time(woodpecker.store, after=seen, lag=woodpecker.lag)
            woodpecker.changed.notify_all()
        seen = time.now()
        if due is not None and due <= seen:
            pause.wait(HEARD_S)

    time.listeners.append(send)
