"""The events of a watch in a growing file: written by the watcher, read by callers that attach to it.

Each line is a JSON object with the number `seq`, which grows by one. The file is bounded: once it is too large, the
watcher replaces it by one that has the beginning and the newest lines. A reader keeps the number of the last line that
it returned. When the file was replaced, it reads the new one from the start and leaves out what it knows, so a reader
that keeps up misses nothing and returns nothing twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from homelab_hooks.system.atomic_file import replace_file

MAX_EVENTS_BYTES = 512 * 1024
"""bytes of events that a watch keeps"""
_READ_BYTES = 4 * MAX_EVENTS_BYTES


class EventLogWriter:
    """Appends lines to the file; only the user can read it.

    Args:
        max_bytes: the size at which the file is shortened.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_EVENTS_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._written_bytes = 0

    def append(self, line: str) -> None:
        """Append a line. Raises OSError if the file cannot be written."""
        data = f"{line}\n".encode("utf-8", "surrogateescape")
        descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        self._written_bytes += len(data)
        if self._written_bytes > self._max_bytes:
            self._shorten()

    def _shorten(self) -> None:
        lines = self._path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
        kept = "".join(keep_ends(lines, max_chars=self._max_bytes // 4))
        replace_file(self._path, kept, mode=0o600)
        self._written_bytes = len(kept.encode("utf-8", "surrogateescape"))


def keep_ends(lines: Sequence[str], *, max_chars: int) -> list[str]:
    """Return the first lines and the newest ones, each part of at most `max_chars`.

    >>> keep_ends(["a1", "b2", "c3", "d4", "e5"], max_chars=4)
    ['a1', 'b2', 'd4', 'e5']
    """
    head = _take(lines, max_chars)
    tail = _take(lines[len(head) :][::-1], max_chars)
    return [*head, *tail[::-1]]


def _take(lines: Sequence[str], max_chars: int) -> list[str]:
    taken: list[str] = []
    left = max_chars
    for line in lines:
        left -= len(line)
        if left < 0:
            break
        taken.append(line)
    return taken


class EventLogReader:
    """Reads what has been added to the file since the last call, also while it is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._unfinished = b""
        self._last_seq = 0
        self.skipped_count = 0
        """lines that the watcher had dropped before they could be read"""

    def read(self) -> list[dict[str, Any]]:
        """Return the new objects, in order; none if the file does not exist."""
        found = self._read_more()
        if self._is_replaced():
            self.close()
            with contextlib.suppress(OSError):
                self._file = self._path.open("rb")
            found += self._read_more()
        return found

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._unfinished = None, b""

    def _is_replaced(self) -> bool:
        """Return whether the path is another file than the open one. A file that was deleted is read to its end."""
        try:
            now = self._path.stat()
        except OSError:
            return False
        known = os.fstat(self._file.fileno()) if self._file is not None else None
        return known is None or (known.st_dev, known.st_ino) != (now.st_dev, now.st_ino)

    def _read_more(self) -> list[dict[str, Any]]:
        if self._file is None:
            return []
        *lines, self._unfinished = (self._unfinished + self._file.read(_READ_BYTES)).split(b"\n")
        return [raw for line in lines if (raw := self._parse(line)) is not None]

    def _parse(self, line: bytes) -> dict[str, Any] | None:
        """Return the object of a line; None if it is damaged, or was returned before."""
        try:
            raw = json.loads(line)
            seq = raw["seq"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(raw, dict) or type(seq) is not int or seq <= self._last_seq:
            return None
        self.skipped_count += seq - self._last_seq - 1
        self._last_seq = seq
        return raw
