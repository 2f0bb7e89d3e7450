"""A clock that runs faster than real time, and a client that measures with it."""

from __future__ import annotations

import threading
import time

from homelab_hooks.net.http import MAX_BODY_BYTES, HttpClient
from homelab_hooks.net.message import HttpResponse, RequestFailed

SPEED = 50.0
"""seconds of the watch and of the simulated server in one real second"""
LEAST = 0.4
"""the least real seconds to wait for an answer, because the machine may be busy"""


class FastClock:
    """A clock that runs `speed` times as fast; it can be woken like the real one.

    Args:
        skew: seconds by which its wall clock is wrong.
    """

    def __init__(self, speed: float = SPEED, *, skew: float = 0.0) -> None:
        self.speed = speed
        self._begin, self._skew = time.monotonic(), skew
        self._wall = time.time()
        self._news = threading.Event()

    def now(self) -> float:
        return (time.monotonic() - self._begin) * self.speed

    def wall(self) -> float:
        return self._wall + self.now() + self._skew

    def sleep(self, seconds: float) -> None:
        if self._news.wait(seconds / self.speed):
            self._news.clear()

    def wake(self) -> None:
        self._news.set()


class FastHttps:
    """The real client, whose deadlines and durations are in the fast clock's seconds."""

    def __init__(self, https: HttpClient, speed: float) -> None:
        self._https, self._speed = https, speed

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = MAX_BODY_BYTES, body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        within = max(LEAST, timeout / self._speed)
        reply = self._https.request(method, path, timeout=within, max_bytes=max_bytes, body=body)
        return reply._replace(duration_s=reply.duration_s * self._speed) if isinstance(reply, HttpResponse) else reply
