"""Listens to Woodpecker's event stream and wakes the watch early. Nothing that it receives is a verdict."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from homelab_hooks.ci.connection import StreamClient
from homelab_hooks.ci.model import Repo, RunRef
from homelab_hooks.ci.provider import StreamNews
from homelab_hooks.ci.woodpecker.parse import make_run_ref
from homelab_hooks.ci.woodpecker.sse import MalformedStream, PipelineHint, SseParser

STREAM_PATH = "/api/stream/events"
IDLE_TIMEOUT_S = 45.0
"""seconds without a ping or an event after which a stream has failed; the server pings every 30 (recording
11c-server-restart)"""
STEP_WAKE_INTERVAL_S = 5.0
"""seconds between two wakes for a step; a change of status or an end wakes immediately"""
MAX_QUICK_WAKES = 20
"""maximum number of saved immediate wakes; a flood of events wakes no more often than they are refilled"""
QUICK_WAKE_REFILL_S = 3.0
"""seconds until one more immediate wake is allowed"""
MAX_TRACKED_PIPELINES = 500
"""pipelines whose last status is kept, newest first: limits the memory that a broken server can use"""
RECONNECT_DELAY_RANGE_S = (1.0, 180.0)
"""the first and the longest wait before the stream is reopened"""


class EventStreamListener:
    """A thread that listens, reconnects until it is closed, and wakes the watch when one of its pipelines changes.

    Args:
        server: a client that nothing else uses, because the connection stays open.
        repo: the repository; events of others are ignored.
        wake: ends the current sleep of the watch.
        now: monotonic seconds.
    """

    def __init__(self, server: StreamClient, repo: Repo, *, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._server, self._repo, self._wake, self._now = server, repo.id, wake, now
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._hints: list[PipelineHint] = []
        self._last_hints: dict[int, PipelineHint] = {}
        self._watched: tuple[str, frozenset[RunRef]] = ("", frozenset())
        self._last_sign = self._last_wake = float("-inf")
        self._quick_wakes, self._refilled_at = float(MAX_QUICK_WAKES), now()
        self._pending_wake: threading.Timer | None = None
        self._thread = threading.Thread(target=self._run, name="event stream", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def news(self, sha: str, runs: frozenset[RunRef]) -> StreamNews:
        """Return the news about this commit and these pipelines since the last call.

        Afterwards, only events of these pipelines wake the watch.
        """
        with self._lock:
            self._watched = (sha, runs)
            hints = [hint for hint in self._hints if self._is_ours(hint)]
            self._hints.clear()
            is_up = self._now() - self._last_sign < IDLE_TIMEOUT_S
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
                self._last_sign = float("-inf")
            pause = RECONNECT_DELAY_RANGE_S[0] if self._now() - begin > IDLE_TIMEOUT_S else min(longest, pause * 2)
            self._closed.wait(pause)
        self._server.close()

    def _chunk_handler(self, parser: SseParser) -> Callable[[bytes], None]:
        opened_at = self._now()

        def on_chunk(chunk: bytes) -> None:
            if self._closed.is_set():
                raise _Closed
            signs = parser.signs_of_life
            hints = parser.feed(chunk)
            with self._lock:
                if parser.signs_of_life > signs:
                    self._last_sign = self._now()
                elif self._now() - max(opened_at, self._last_sign) >= IDLE_TIMEOUT_S:
                    raise MalformedStream("neither pings nor events")
                for hint in hints:
                    if hint.repo == self._repo:
                        self._remember(hint)

        return on_chunk

    def _remember(self, hint: PipelineHint) -> None:
        """Keep the hint, and wake the watch if a poll is worth it now."""
        before = self._last_hints.pop(hint.number, None)
        self._last_hints[hint.number] = hint
        if len(self._last_hints) > MAX_TRACKED_PIPELINES:
            del self._last_hints[next(iter(self._last_hints))]
        self._hints = [*self._hints[-50:], hint]
        if not self._is_ours(hint):
            return
        is_change = before is None or before.status is not hint.status or (hint.ended and not before.ended)
        wait = self._last_wake + STEP_WAKE_INTERVAL_S - self._now()
        if wait <= 0 or (is_change and self._take_quick_wake()):
            self._wake_now()
        elif self._pending_wake is None:  # a step is shown a little late, not only at the next regular poll
            self._pending_wake = threading.Timer(wait, self._wake_now)
            self._pending_wake.daemon = True
            self._pending_wake.start()

    def _take_quick_wake(self) -> bool:
        """Use one of the saved immediate wakes; return whether one was left."""
        now = self._now()
        self._quick_wakes = min(MAX_QUICK_WAKES, self._quick_wakes + (now - self._refilled_at) / QUICK_WAKE_REFILL_S)
        self._refilled_at = now
        if self._quick_wakes < 1:
            return False
        self._quick_wakes -= 1
        return True

    def _wake_now(self) -> None:
        self._pending_wake = None
        self._last_wake = self._now()
        self._wake()

    def _is_ours(self, hint: PipelineHint) -> bool:
        sha, runs = self._watched
        return hint.commit == sha or make_run_ref(hint.number) in runs


class _Closed(Exception):  # noqa: N818 - ends the reading of the stream
    """The listener was closed."""
