"""NDJSON: each event as one object on stdout, written from the event's own fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from homelab_hooks.events import (
    BackgroundWatch,
    ContactLost,
    ContactRestored,
    Event,
    Finding,
    Log,
    PipelineChanged,
    Result,
    RolloutChanged,
    StageChanged,
    Start,
    StepChanged,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.text.sanitize import Redactor
from homelab_hooks.views.sanitize import sanitize_event

SCHEMA_VERSION = 1
EVENT_NAMES: dict[type[Event], str] = {
    Start: "start",
    StageChanged: "stage",
    PipelineChanged: "pipeline",
    WorkflowChanged: "workflow",
    StepChanged: "step",
    Waiting: "waiting",
    ContactLost: "lost-contact",
    ContactRestored: "back",
    Log: "log",
    RolloutChanged: "rollout",
    Finding: "finding",
    BackgroundWatch: "watched",
    Result: "result",
}
"""the word for each event"""


class ResultOutput(Protocol):
    """Where lines go."""

    def out(self, line: str) -> None:
        """A line to stdout."""


class NdjsonView:
    """A public schema (schema/events.json): fields that do not apply are left out, never null.

    Args:
        format_current_time: the time now, as RFC 3339.
    """

    def __init__(self, output: ResultOutput, redact: Redactor, format_current_time: Callable[[], str]) -> None:
        self._output = output
        self._redact = redact
        self._format_current_time = format_current_time
        self._seq = 0

    def tell(self, event: Event) -> None:
        """Write one event."""
        fields = event_object(event, self._redact, seq=self._seq + 1, time=self._format_current_time())
        line = json.dumps(fields, ensure_ascii=False)
        self._seq += 1  # only now: a signal may come at any line, and what was not written has no number
        self._output.out(line)

    def close(self) -> None:
        """Nothing has to be put back."""


def event_object(event: Event, redact: Redactor, *, seq: int, time: str) -> dict[str, Any]:
    """The event as the JSON object that the schema describes.

    Args:
        time: as RFC 3339.
    """
    head = {"schema": SCHEMA_VERSION, "seq": seq, "time": time, "event": EVENT_NAMES[type(event)]}
    return {**head, **_to_object(sanitize_event(event, redact))}


def _to_object(record: Any) -> dict[str, Any]:
    """The fields that always apply, and of the others those that are set."""
    always = set(record._fields) - set(record._field_defaults)
    pairs = ((name, getattr(record, name)) for name in record._fields)
    return {name: _to_value(value) for name, value in pairs if name in always or value not in (None, "")}


def _to_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "_fields"):
        return _to_object(value)
    if isinstance(value, tuple):
        return [_to_value(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
