"""An event made fit to be shown: the one place where text from outside enters a view."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

from homelab_hooks.events import Event, Log
from homelab_hooks.text import Redactor, fit_to_show

E = TypeVar("E", bound=Event)


def fit(event: E, redact: Redactor, *, colour: bool = False) -> E:
    """The event with every text in it made fit to be shown, each by itself: none can swallow the words beside it.

    Args:
        colour: a log line may keep its colours.
    """
    made: Any = _fit(event, redact)
    if colour and isinstance(event, Log):
        made = made._replace(text=fit_to_show(event.text, redact, colour=True))
    shown: E = made
    return shown


def _fit(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else fit_to_show(value, redact)
    if hasattr(value, "_fields"):
        return type(value)(*(_fit(each, redact) for each in value))
    return tuple(_fit(each, redact) for each in value) if isinstance(value, tuple) else value
