"""Parses the lines of a watch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.kubectl.parse import Json

T = TypeVar("T")


def watch_line_handler(read: Callable[[Json], T], hear: Callable[[T | None], None]) -> Callable[[str], bool]:
    """Return a handler that passes each line's object (None: deleted) to `hear`, and returns False for other lines."""

    def line(text: str) -> bool:
        try:
            event = json.loads(text)
            kind, raw = event["type"], event["object"]
            if kind == "BOOKMARK":
                return True
            if kind not in {"ADDED", "MODIFIED", "DELETED"}:
                return False
            facts = None if kind == "DELETED" else read(raw)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
            return False
        hear(facts)
        return True

    return line
