"""Listens to the event stream beside the watch, and wakes it; nothing it hears is a verdict."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.ci.woodpecker.sse import MalformedStream, PipelineHint, SseParser
from homelab_hooks.net.message import RequestFailed

STREAM_PATH = "/api/stream/events"
IDLE_TIMEOUT_S = 45.0
"""seconds of silence that make a stream dead: the server pings after 30 (measured, B14)"""
STEP_WAKE_INTERVAL_S = 5.0
"""seconds between two wakes for a mere step; a change of status or an end wakes at once"""
MAX_TRACKED_PIPELINES = 500
"""pipelines whose last status is known, the newest of them; a server that makes numbers up must not fill the memory"""
RECONNECT_DELAY_RANGE_S = (1.0, 180.0)
"""the first and the longest wait before the stream is opened again"""


class StreamNews(NamedTuple):
    """What was heard since the last time it was asked for."""

    is_up: bool = False
    """bytes have come, and not too long ago"""
    changed: bool = False
    ended: bool = False


class StreamClient(Protocol):
    """One server whose stream can be listened to."""

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        """Hand on what comes until it ends."""

    def close(self) -> None:
        """Close its connections."""


class EventStreamListener:
    """One thread that listens, reconnects for ever, and wakes the watch when something of ours moved.

    Args:
        server: a client of its own, for the connection stays open.
        repo: events of other repositories are passed over.
        wake: cuts the watch's current sleep short.
        now: monotonic seconds.
    """

    def __init__(self, server: StreamClient, repo: int, *, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._server, self._repo, self._wake, self._now = server, repo, wake, now
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._hints: list[PipelineHint] = []
        self._last_hints: dict[int, PipelineHint] = {}
        self._watched: tuple[str, frozenset[int]] = ("", frozenset())
        self._last_byte = self._last_wake = float("-inf")
        self._pending_wake: threading.Timer | None = None
        self._thread = threading.Thread(target=self._run, name="event stream", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def news(self, sha: str, numbers: frozenset[int]) -> StreamNews:
        """What was heard about this commit and these numbers; from now on they are what wakes."""
        with self._lock:
            self._watched = (sha, numbers)
            hints = [hint for hint in self._hints if self._is_ours(hint)]
            self._hints.clear()
            is_up = self._now() - self._last_byte < IDLE_TIMEOUT_S
        return StreamNews(is_up=is_up, changed=bool(hints), ended=any(hint.ended for hint in hints))

    def close(self) -> None:
        """Stop listening; the thread ends with its connection."""
        self._closed.set()

    def _run(self) -> None:
        pause, longest = RECONNECT_DELAY_RANGE_S
        while not self._closed.is_set():
            begin = self._now()
            with contextlib.suppress(MalformedStream, _Closed):
                self._server.stream(STREAM_PATH, self._chunk_handler(SseParser()), idle_timeout=IDLE_TIMEOUT_S)
            with self._lock:
                self._last_byte = float("-inf")
            pause = RECONNECT_DELAY_RANGE_S[0] if self._now() - begin > IDLE_TIMEOUT_S else min(longest, pause * 2)
            self._closed.wait(pause)
        self._server.close()

    def _chunk_handler(self, parser: SseParser) -> Callable[[bytes], None]:
        def on_chunk(chunk: bytes) -> None:
            if self._closed.is_set():
                raise _Closed
            hints = parser.feed(chunk)
            with self._lock:
                self._last_byte = self._now()
                for hint in hints:
                    if hint.repo == self._repo:
                        self._remember(hint)

        return on_chunk

    def _remember(self, hint: PipelineHint) -> None:
        """Keep it, and wake if it is worth a look now."""
        before = self._last_hints.pop(hint.number, None)
        self._last_hints[hint.number] = hint
        if len(self._last_hints) > MAX_TRACKED_PIPELINES:
            del self._last_hints[next(iter(self._last_hints))]
        self._hints = [*self._hints[-50:], hint]
        if not self._is_ours(hint):
            return
        is_change = before is None or before.status is not hint.status or (hint.ended and not before.ended)
        wait = self._last_wake + STEP_WAKE_INTERVAL_S - self._now()
        if is_change or wait <= 0:
            self._wake_now()
        elif self._pending_wake is None:  # a step is shown a little later rather than with the next look of its own
            self._pending_wake = threading.Timer(wait, self._wake_now)
            self._pending_wake.daemon = True
            self._pending_wake.start()

    def _wake_now(self) -> None:
        self._pending_wake = None
        self._last_wake = self._now()
        self._wake()

    def _is_ours(self, hint: PipelineHint) -> bool:
        sha, numbers = self._watched
        return hint.commit == sha or hint.number in numbers


class _Closed(Exception):  # noqa: N818 - a way out of the stream
    """Nobody listens any more."""
