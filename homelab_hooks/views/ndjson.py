"""The JSON view: each event as one line of NDJSON on stdout, built from the fields of the event."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from homelab_hooks.events import (
    Answer,
    BackgroundWatch,
    ChainStarted,
    ContactLost,
    ContactRestored,
    Event,
    Finding,
    Log,
    PipelineChanged,
    Result,
    RolloutChanged,
    SettingShown,
    StageChanged,
    Start,
    StepChanged,
    VerbListed,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.sanitize import sanitize_event

SCHEMA_VERSION = 1
EVENT_NAMES: dict[type[Event], str] = {
    Start: "start",
    ChainStarted: "chain",
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
    SettingShown: "setting",
    VerbListed: "verb",
    Answer: "answer",
    Result: "result",
}
"""the `event` field of each event"""


class ResultOutput(Protocol):
    """Receives the lines."""

    def out(self, line: str) -> None:
        """Write a line to stdout."""


class NdjsonView:
    """Prints events by the public schema (schema/events.json): fields that do not apply are omitted, never null.

    Args:
        format_current_time: returns the current time in RFC 3339 format.
    """

    def __init__(self, output: ResultOutput, redact: Redactor, format_current_time: Callable[[], str]) -> None:
        self._output = output
        self._redact = redact
        self._format_current_time = format_current_time
        self._seq = 0

    def tell(self, event: Event) -> None:
        """Write one event as a line."""
        fields = event_object(event, self._redact, seq=self._seq + 1, time=self._format_current_time())
        line = json.dumps(fields, ensure_ascii=False)
        self._seq += 1  # only now: if a signal interrupts before this line, nothing is written and no number is used
        self._output.out(line)

    def close(self) -> None:
        """Do nothing: there is nothing to restore."""


def event_object(event: Event, redact: Redactor, *, seq: int, time: str) -> dict[str, Any]:
    """Return the event as the JSON object that the schema describes.

    Args:
        time: in RFC 3339 format.
    """
    head = {"schema": SCHEMA_VERSION, "seq": seq, "time": time, "event": EVENT_NAMES[type(event)]}
    return {**head, **_to_object(sanitize_event(event, redact))}


def _to_object(record: Any) -> dict[str, Any]:
    """Return the required fields, and the optional ones that are set."""
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
