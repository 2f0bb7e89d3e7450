"""Reads events back from the objects of the JSON view, for a caller that replays what a watcher has recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from homelab_hooks.events import (
    DeployResult,
    Event,
    FindingStatus,
    LinkResult,
    LogLevel,
    MatrixAxis,
    PipelineResult,
    Progress,
    RevertResult,
    Stage,
)
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.views.ndjson import EVENT_NAMES

_EVENT_CLASSES: dict[str, type[Any]] = {name: cls for cls, name in EVENT_NAMES.items()}
_PLAIN_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "bool | None": (bool,),
    "int | None": (int,),
    "float": (int, float),
    "float | None": (int, float),
}
"""the types that a value in JSON may have, by the annotation of its field"""
_VALUE_CLASSES: dict[str, Callable[[Any], Any]] = {
    "Stage": Stage,
    "Progress": Progress,
    "LogLevel": LogLevel,
    "FindingStatus": FindingStatus,
    "ExitCode": ExitCode,
    "ExitCode | None": ExitCode,
}
_ITEM_CLASSES: dict[str, type[Any]] = {
    "tuple[PipelineResult, ...]": PipelineResult,
    "tuple[DeployResult, ...]": DeployResult,
    "tuple[LinkResult, ...]": LinkResult,
    "tuple[MatrixAxis, ...] | None": MatrixAxis,
}


def read_event(raw: Mapping[str, Any]) -> Event | None:
    """Return the event of an object; None if it is damaged, or an event that this version does not know.

    >>> read_event({"event": "back", "seq": 3, "away": 2.5})
    ContactRestored(away=2.5)
    >>> read_event({"event": "back", "away": "long"}) is None
    True
    """
    try:
        event: Event = _read_record(_EVENT_CLASSES[raw["event"]], raw)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return event


def _read_record(cls: type[Any], raw: Mapping[str, Any]) -> Any:
    """Return a named tuple from its fields in JSON. Raises TypeError or ValueError if one is wrong or missing."""
    known = {name: _read_value(cls.__annotations__[name], raw[name]) for name in cls._fields if name in raw}
    return cls(**known)


def _read_value(annotation: Any, value: Any) -> Any:
    name = annotation if isinstance(annotation, str) else annotation.__forward_arg__
    if name == "RevertResult | None":
        return _read_record(RevertResult, value)
    if item := _ITEM_CLASSES.get(name):
        return tuple(_read_record(item, each) for each in value)
    if name in {"tuple[str, ...]", "tuple[str, ...] | None"}:
        return tuple(_read_value("str", each) for each in value)
    if enum := _VALUE_CLASSES.get(name):
        return enum(value)
    allowed = _PLAIN_TYPES[name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise TypeError(f"{value!r} is not of type {name}")
    return value
