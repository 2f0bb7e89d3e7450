"""Receives the log of a running step from Woodpecker's log stream, to show its last lines. Nothing of it is a verdict.

An agent sends lines only when none has come for a second from all of its workflows, so a step that prints all the time
shows nothing until its end (recording 02c-late-logs). The stream has no earlier lines, and may end without any. Every
failure ends it without a message: the log itself is read when the step has failed.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote

from homelab_hooks.ci.connection import StreamClient
from homelab_hooks.ci.model import LogLine, Repo, RunRef, Step
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.sse import MalformedStream
from homelab_hooks.text.json_fields import UnexpectedShape

LOG_IDLE_TIMEOUT_S = 120.0
"""seconds without a line or a ping after which a stream has failed; it is not opened again"""
MAX_STREAM_BYTES = 8 * 1024 * 1024
"""bytes of the longest log that is followed"""
MAX_LINE_EVENT_BYTES = 256 * 1024
"""bytes of the longest event that is read; the server cuts lines at 1 MiB, which no terminal shows"""
MAX_LINES_PER_CHUNK = 5
"""the last lines of a chunk are passed on: more are not shown, however many come at once"""
_EVENT_END = re.compile(rb"\n\r?\n")


def format_log_path(repo: Repo, run: RunRef, step: Step) -> str:
    """Return the path of a step's log stream."""
    return f"/api/stream/logs/{quote(str(repo.id))}/{quote(str(run.key))}/{quote(str(step.id))}"


class LogEventParser:
    """Assembles log lines from chunks of bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[LogLine]:
        """Return the lines that are complete with this chunk. Raises MalformedStream if an event does not end."""
        self._buffer += chunk
        lines: list[LogLine] = []
        begin = 0
        for end in _EVENT_END.finditer(self._buffer, self._searched):
            lines += _parse_event(bytes(self._buffer[begin : end.start()]))
            begin = end.end()
        del self._buffer[:begin]
        self._searched = max(0, len(self._buffer) - 2)
        if len(self._buffer) > MAX_LINE_EVENT_BYTES:
            raise MalformedStream("an event without an end")
        return lines


def _parse_event(event: bytes) -> tuple[LogLine, ...]:
    """Read an event; nothing for pings, other events (`error`, `eof`), and malformed data."""
    rows = event.split(b"\n")
    if any(row.startswith(b"event:") for row in rows):
        return ()
    data = b"\n".join(row[5:].strip() for row in rows if row.startswith(b"data:"))
    try:
        return parse.parse_log([json.loads(data)])
    except (ValueError, RecursionError, UnexpectedShape):
        return ()


class LogStreamReader:
    """A thread that passes on the lines of one step's log until its stream ends.

    Args:
        client: a client that nothing else uses, because the connection stays open.
        on_line: is called from the thread.
    """

    def __init__(self, client: StreamClient, path: str, on_line: Callable[[LogLine], None]) -> None:
        self._client, self._path, self._on_line = client, path, on_line
        self._lock = threading.Lock()
        self._is_closed = False
        self._received_bytes = 0
        self._parser = LogEventParser()
        self._thread = threading.Thread(target=self._run, name="log stream", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop receiving; the thread ends with its connection, or with what it receives next."""
        with self._lock:
            self._is_closed = True

    def _run(self) -> None:
        with contextlib.suppress(MalformedStream, _StreamClosed):
            self._client.stream(self._path, self._receive, idle_timeout=LOG_IDLE_TIMEOUT_S)
        self._client.close()

    def _receive(self, chunk: bytes) -> None:
        self._received_bytes += len(chunk)
        if self._received_bytes > MAX_STREAM_BYTES:
            raise _StreamClosed
        lines = self._parser.feed(chunk)[-MAX_LINES_PER_CHUNK:]
        with self._lock:
            if self._is_closed:
                raise _StreamClosed
            for line in lines:
                self._on_line(line)


class _StreamClosed(Exception):  # noqa: N818 - ends the reading of the stream
    """The reader was closed, or has read enough."""
