"""Listens to the event stream beside the watch, and wakes it; nothing it hears is a verdict."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.reply import NoReply
from homelab_hooks.woodpecker.events import Garbage, Hint, Stream

PATH = "/api/stream/events"
IDLE = 45.0
"""seconds of silence that make a stream dead: the server pings after 30 (measured, B14)"""
GAP = 5.0
"""seconds between two wakes for a mere step; a change of status or an end wakes at once"""
REMEMBERED = 500
"""pipelines whose last status is known, the newest of them; a server that makes numbers up must not fill the memory"""
RETRY = (1.0, 180.0)
"""the first and the longest wait before the stream is opened again"""


class News(NamedTuple):
    """What was heard since the last time it was asked for."""

    up: bool = False
    """bytes have come, and not too long ago"""
    changed: bool = False
    ending: bool = False


class Listens(Protocol):
    """One server whose stream can be listened to."""

    def listen(self, path: str, hear: Callable[[bytes], None], *, idle: float) -> NoReply:
        """Hand on what comes until it ends."""

    def close(self) -> None:
        """Close its connections."""


class Ear:
    """One thread that listens, reconnects for ever, and wakes the watch when something of ours moved.

    Args:
        server: a client of its own, for the connection stays open.
        repo: events of other repositories are passed over.
        wake: cuts the watch's current sleep short.
        now: monotonic seconds.
    """

    def __init__(self, server: Listens, repo: int, *, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._server, self._repo, self._wake, self._now = server, repo, wake, now
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._hints: list[Hint] = []
        self._status: dict[int, Hint] = {}
        self._ours: tuple[str, frozenset[int]] = ("", frozenset())
        self._last_byte = self._last_wake = float("-inf")
        self._later: threading.Timer | None = None
        self._thread = threading.Thread(target=self._run, name="event stream", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def news(self, sha: str, numbers: frozenset[int]) -> News:
        """What was heard about this commit and these numbers; from now on they are what wakes."""
        with self._lock:
            self._ours = (sha, numbers)
            heard = [hint for hint in self._hints if self._concerns(hint)]
            self._hints.clear()
            up = self._now() - self._last_byte < IDLE
        return News(up=up, changed=bool(heard), ending=any(hint.ended for hint in heard))

    def close(self) -> None:
        """Stop listening; the thread ends with its connection."""
        self._closed.set()

    def _run(self) -> None:
        pause, longest = RETRY
        while not self._closed.is_set():
            begin = self._now()
            with contextlib.suppress(Garbage, _Closed):
                self._server.listen(PATH, self._hearing(Stream()), idle=IDLE)
            with self._lock:
                self._last_byte = float("-inf")
            pause = RETRY[0] if self._now() - begin > IDLE else min(longest, pause * 2)
            self._closed.wait(pause)
        self._server.close()

    def _hearing(self, stream: Stream) -> Callable[[bytes], None]:
        def hear(chunk: bytes) -> None:
            if self._closed.is_set():
                raise _Closed
            hints = stream.feed(chunk)
            with self._lock:
                self._last_byte = self._now()
                for hint in hints:
                    if hint.repo == self._repo:
                        self._take(hint)

        return hear

    def _take(self, hint: Hint) -> None:
        """Keep it, and wake if it is worth a look now."""
        before = self._status.pop(hint.number, None)
        self._status[hint.number] = hint
        if len(self._status) > REMEMBERED:
            del self._status[next(iter(self._status))]
        self._hints = [*self._hints[-50:], hint]
        if not self._concerns(hint):
            return
        news = before is None or before.status is not hint.status or (hint.ended and not before.ended)
        early = self._last_wake + GAP - self._now()
        if news or early <= 0:
            self._wake_now()
        elif self._later is None:  # a step is shown a little later rather than with the next look of its own
            self._later = threading.Timer(early, self._wake_now)
            self._later.daemon = True
            self._later.start()

    def _wake_now(self) -> None:
        self._later = None
        self._last_wake = self._now()
        self._wake()

    def _concerns(self, hint: Hint) -> bool:
        sha, numbers = self._ours
        return hint.commit == sha or hint.number in numbers


class _Closed(Exception):  # noqa: N818 - a way out of the stream
    """Nobody listens any more."""
