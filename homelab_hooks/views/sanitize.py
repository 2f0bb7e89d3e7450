"""Sanitizes events: the only place where external text enters a view."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

from homelab_hooks.events import Event, Log
from homelab_hooks.text.redaction import Redactor, sanitize_text

E = TypeVar("E", bound=Event)


def sanitize_event(event: E, redact: Redactor, *, color: bool = False) -> E:
    """Return the event with each of its strings sanitized on its own, so that none can hide the text next to it.

    Args:
        color: keep the SGR colors of log lines.
    """
    sanitized: Any = _sanitize(event, redact)
    if color and isinstance(event, Log):
        sanitized = sanitized._replace(text=sanitize_text(event.text, redact, color=True))
    result: E = sanitized
    return result


def _sanitize(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else sanitize_text(value, redact)
    if hasattr(value, "_fields"):
        return type(value)(*(_sanitize(each, redact) for each in value))
    return tuple(_sanitize(each, redact) for each in value) if isinstance(value, tuple) else value
