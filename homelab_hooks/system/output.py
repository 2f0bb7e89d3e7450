"""Keeps, bounds, and splits the output of a running process."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Protocol

from homelab_hooks.text.sanitize import mark_unfinished

UNFINISHED_AFTER_S = 0.5
"""seconds without output after which an unfinished line is passed on: it may be a question"""
MAX_UNFINISHED_INTERVAL_S = 8.0
"""longest time in seconds between two versions of one unfinished line; the first intervals are shorter"""
MAX_SHOWN_LINE_BYTES = 64 * 1024
"""maximum bytes of a line that is shown; the rest of it is dropped"""
MAX_LINE_BYTES = 4 * 1024 * 1024
"""maximum bytes of a line that is parsed: an object in a cluster has at most 1.5 million bytes"""
MAX_STDOUT_BYTES = 256 * 1024 * 1024
"""maximum bytes of output that is parsed as a whole; a program that prints more is ended"""
MAX_MESSAGES_BYTES = 1024 * 1024
"""maximum bytes of messages that are kept; of more, the first and the last half"""

Sink = Callable[[bytes], bool]
"""takes the next bytes of an output; returns False if the process has to be ended"""


class OutputListener(Protocol):
    """Gets the lines of a running process, on the thread that waits for it."""

    def on_line(self, text: str) -> None:
        """Take a line without its newline; an unfinished one ends with an ellipsis, and comes again with its rest."""

    def on_wait(self) -> None:
        """Do what is due while the process runs; called several times a second."""


class KeptOutput:
    """Keeps the whole of an output, up to a maximum; more ends the process."""

    def __init__(self, max_bytes: int = MAX_STDOUT_BYTES) -> None:
        self._kept = bytearray()
        self._max_bytes = max_bytes

    def feed(self, chunk: bytes) -> bool:
        """Keep the next bytes."""
        self._kept += chunk
        return len(self._kept) <= self._max_bytes

    @property
    def value(self) -> bytes:
        """Return what was kept."""
        return bytes(self._kept)


class KeptEnds:
    r"""Keeps the beginning and the end of an output, so that a flood does not fill the memory.

    >>> ends = KeptEnds(max_bytes=28)
    >>> [ends.feed(b"line %d\n" % number) for number in range(9)][-1], ends.value
    (True, b'line 0\nline 1\n...\nline 8\n')
    """

    def __init__(self, max_bytes: int = MAX_MESSAGES_BYTES) -> None:
        self._half_bytes = max_bytes // 2
        self._head, self._tail = bytearray(), bytearray()
        self._dropped = False

    def feed(self, chunk: bytes) -> bool:
        """Keep the next bytes, and drop as many from the middle."""
        room = max(0, self._half_bytes - len(self._head))
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > 2 * self._half_bytes:
            del self._tail[: -self._half_bytes]
            self._dropped = True
        return True

    @property
    def value(self) -> bytes:
        """Return what was kept; whole lines, with a line of dots where something is missing."""
        if not self._dropped:
            return bytes(self._head + self._tail)
        return bytes(self._head.rpartition(b"\n")[0] + b"\n...\n" + self._tail[-self._half_bytes :].partition(b"\n")[2])


class LineSplitter:
    """Passes each line on as soon as it is complete, and an unfinished one after a pause.

    A question has no newline at its end. A line that grows, like a row of dots, is passed on again at growing
    intervals. Of a line that is rewritten after carriage returns, the last version counts, as on a terminal.
    """

    def __init__(self, on_line: Callable[[str], None], *, now: Callable[[], float]) -> None:
        self._on_line, self._now = on_line, now
        self._line = bytearray()
        self._fed_at = self._next_at = self._now()
        self._interval_s = UNFINISHED_AFTER_S
        self._shown = ""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes."""
        self._fed_at = self._now()
        *finished, rest = chunk.split(b"\n")
        for piece in finished:
            if self._line:
                self._append(piece)
                self._finish()
            else:
                self._on_line(_as_text(_last_version(piece)))
        self._append(rest)
        return True

    def pass_unfinished(self) -> None:
        """Pass on the unfinished line, if it has grown and there was a pause."""
        now = self._now()
        if not self._line or now < max(self._fed_at + UNFINISHED_AFTER_S, self._next_at):
            return
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(bytes(self._line.rstrip(b"\r")))
        if text.strip() and text != self._shown:
            self._shown = text
            self._next_at = now + self._interval_s
            self._interval_s = min(2 * self._interval_s, MAX_UNFINISHED_INTERVAL_S)
            self._on_line(mark_unfinished(text))

    def close(self) -> None:
        """Pass on the last line if it has no newline."""
        if self._line:
            self._finish()

    def _append(self, piece: bytes) -> None:
        line = bytes(self._line) + piece
        self._line = bytearray(_last_version(line) + (b"\r" if line.endswith(b"\r") else b""))

    def _finish(self) -> None:
        text = _as_text(bytes(self._line.rstrip(b"\r")))
        self._line.clear()
        self._interval_s, self._next_at, self._shown = UNFINISHED_AFTER_S, self._fed_at, ""
        self._on_line(text)


def _last_version(line: bytes) -> bytes:
    r"""Return what a terminal shows of a line: what follows the last carriage return that is not at its end.

    >>> _last_version(b"10%\r20%\r")
    b'20%'
    """
    return line.rstrip(b"\r").rpartition(b"\r")[2][:MAX_SHOWN_LINE_BYTES]


def _as_text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


class ParsedLines:
    """Passes each complete line, with its newline, to a parser until that returns False; a longer one ends it too."""

    def __init__(self, on_line: Callable[[str], bool], max_bytes: int = MAX_LINE_BYTES) -> None:
        self._on_line, self._max_bytes = on_line, max_bytes
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; return whether more are accepted."""
        searched = len(self._rest)
        self._rest += chunk
        while (end := self._rest.find(b"\n", searched)) >= 0:
            line, searched = bytes(self._rest[: end + 1]), 0
            del self._rest[: end + 1]
            if len(line) > self._max_bytes or not self._on_line(line.decode("utf-8", "replace")):
                return False
        return len(self._rest) <= self._max_bytes
