"""Reads what was written to a terminal."""

from __future__ import annotations

import os


def read_to_end(terminal: int) -> bytes:
    """What was written until no process has the other end open any more; a single read may return a part of it."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # EIO is the end
            return shown
        if not part:
            return shown
        shown += part
