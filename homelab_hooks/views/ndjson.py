"""NDJSON: each event as one object on stdout, written from the event's own fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from homelab_hooks.events import (
    Back,
    Event,
    Finding,
    Log,
    LostContact,
    PipelineChanged,
    Result,
    RolloutChanged,
    StageChanged,
    Start,
    StepChanged,
    Waiting,
    Watched,
    WorkflowChanged,
)
from homelab_hooks.text import Redactor
from homelab_hooks.views.fit import fit

SCHEMA = 1
NAMES: dict[type[Event], str] = {
    Start: "start",
    StageChanged: "stage",
    PipelineChanged: "pipeline",
    WorkflowChanged: "workflow",
    StepChanged: "step",
    Waiting: "waiting",
    LostContact: "lost-contact",
    Back: "back",
    Log: "log",
    RolloutChanged: "rollout",
    Finding: "finding",
    Watched: "watched",
    Result: "result",
}
"""the word for each event"""


class Output(Protocol):
    """Where lines go."""

    def out(self, line: str) -> None:
        """A line to stdout."""


class Ndjson:
    """A public schema (schema/events.json): fields that do not apply are left out, never null.

    Args:
        stamp: the time now, as RFC 3339.
    """

    def __init__(self, output: Output, redact: Redactor, stamp: Callable[[], str]) -> None:
        self._output = output
        self._redact = redact
        self._stamp = stamp
        self._seq = 0

    def tell(self, event: Event) -> None:
        """Write one event."""
        head = {"schema": SCHEMA, "seq": self._seq + 1, "time": self._stamp(), "event": NAMES[type(event)]}
        line = json.dumps({**head, **self._object(fit(event, self._redact))}, ensure_ascii=False)
        self._seq += 1  # only now: a signal may come at any line, and what was not written has no number
        self._output.out(line)

    def close(self) -> None:
        """Nothing has to be put back."""

    def _object(self, thing: Any) -> dict[str, Any]:
        """The fields that always apply, and of the others those that are set."""
        always = set(thing._fields) - set(thing._field_defaults)
        pairs = ((name, getattr(thing, name)) for name in thing._fields)
        return {name: self._value(value) for name, value in pairs if name in always or value not in (None, "")}

    def _value(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return value.value
        if hasattr(value, "_fields"):
            return self._object(value)
        if isinstance(value, tuple):
            return [self._value(item) for item in value]
        return round(value, 3) if isinstance(value, float) else value
