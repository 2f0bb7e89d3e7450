"""Parses the lines of a watch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.text.json_fields import Json

T = TypeVar("T")


def watch_line_handler(parse: Callable[[Json], T], on_object: Callable[[T | None], None]) -> Callable[[str], bool]:
    """Return a handler that passes each line's object (None: deleted) on, and returns False for other lines."""

    def line(text: str) -> bool:
        try:
            event = json.loads(text)
            kind, raw = event["type"], event["object"]
            if kind == "BOOKMARK":
                return True
            if kind not in {"ADDED", "MODIFIED", "DELETED"}:
                return False
            value = None if kind == "DELETED" else parse(raw)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
            return False
        on_object(value)
        return True

    return line
