"""The lines of a watch, read into facts; they wake, and prove nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.kubectl.parse import Json

T = TypeVar("T")


def watch_line_handler(read: Callable[[Json], T], hear: Callable[[T | None], None]) -> Callable[[str], bool]:
    """Hands on the object of each line, None for one that is gone; says no to what is no line of a watch."""

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
