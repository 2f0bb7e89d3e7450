"""Woodpecker's JSON to our model; every field of every version since 2.0, nothing taken on trust."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from homelab_hooks.model import Complaint, LogLine, Pipeline, Queue, Repo, Status, Step, Stopped, Workflow
from homelab_hooks.text import clean

T = TypeVar("T")
LARGEST = 2**53
"""no number, time or exit code is larger; a larger one could be made no float, and so not be shown"""
Json = Mapping[str, Any]


class Misshapen(ValueError):  # noqa: N818 - it is the answer that is wrong, not this program
    """The JSON is valid and yet not what was asked for."""


def pipelines(raw: object) -> tuple[Pipeline, ...]:
    """The list endpoint's answer. Raises Misshapen."""
    return _each(raw, pipeline)


def pipeline(raw: object) -> Pipeline:
    """A list item or a detail. Raises Misshapen where number, event, commit or status are not there."""
    json = _object(raw)
    word = _text(json, "status", need=True)
    return Pipeline(
        number=_number(json, "number", need=True),
        event=_text(json, "event", need=True),
        ref=_text(json, "ref"),
        branch=_text(json, "branch"),
        commit=_text(json, "commit", need=True).lower(),
        status=status(word),
        raw_status=word,
        message=_text(json, "message"),
        reviewed_by=_name(json, "reviewed_by"),
        parent=_number(json, "parent"),
        created=_number(json, "created", "created_at"),
        started=_number(json, "started", "started_at"),
        finished=_number(json, "finished", "finished_at"),
        updated=_number(json, "updated", "updated_at"),
        stopped=_stopped(json.get("cancel_info")),
        complaints=_complaints(json),
        workflows=_each(json.get("workflows") or [], _workflow),
        version=_text(json, "version"),
    )


def repo(raw: object) -> Repo:
    """The answer of a lookup. Raises Misshapen."""
    json = _object(raw)
    return Repo(
        id=_number(json, "id", need=True),
        full_name=_text(json, "full_name"),
        active=json.get("active") is not False,
    )


def login(raw: object) -> str:
    """The name in the answer of /api/user. Raises Misshapen."""
    return _text(_object(raw), "login", need=True)


def may_push(raw: object) -> bool:
    """Whether the answer of /api/repos/{id}/permissions gives the right to push. Raises Misshapen."""
    return _object(raw).get("push") is True


def queue(raw: object) -> Queue:
    """The answer of /api/queue/info. Raises Misshapen."""
    json = _object(raw)
    stats = _object(json.get("stats") or {})
    return Queue(
        workers=_number(stats, "worker_count"),
        pending=_number(stats, "pending_count"),
        running=_number(stats, "running_count"),
        paused=json.get("paused") is True,
    )


def log(raw: object) -> tuple[LogLine, ...]:
    """A step's log, in order and without duplicates; `null` is an empty one. Raises Misshapen."""
    found: dict[int, LogLine] = {}
    for entry in _each(raw if raw is not None else [], _log_line):
        if entry is not None:
            found.setdefault(entry.number, entry)
    return tuple(found[number] for number in sorted(found))


def status(word: str) -> Status:
    """Our word for theirs.

    >>> status("success"), status("quantum")
    (<Status.SUCCESS: 'success'>, <Status.UNKNOWN: 'unknown'>)
    """
    try:
        return Status(word)
    except ValueError:
        return Status.UNKNOWN


def _workflow(raw: object) -> Workflow:
    json = _object(raw)
    return Workflow(
        pid=_number(json, "pid"),
        name=_name(json, "name"),
        state=status(_text(json, "state", need=True)),
        error=_name(json, "error"),
        started=_number(json, "started", "start_time"),
        finished=_number(json, "finished", "end_time"),
        steps=_each(json.get("children") or [], _step),
    )


def _step(raw: object) -> Step:
    json = _object(raw)
    return Step(
        id=_number(json, "id"),
        pid=_number(json, "pid"),
        name=_name(json, "name"),
        state=status(_text(json, "state", need=True)),
        exit_code=_number(json, "exit_code"),
        error=_name(json, "error"),
        kind=_text(json, "type"),
        started=_number(json, "started", "start_time"),
        finished=_number(json, "finished", "end_time"),
    )


def _stopped(raw: object) -> Stopped | None:
    if not isinstance(raw, Mapping):
        return None
    return Stopped(
        by_user=_name(raw, "canceled_by_user"),
        by_step=_name(raw, "canceled_by_step"),
        superseded_by=_number(raw, "superseded_by"),
    )


def _complaints(json: Json) -> tuple[Complaint, ...]:
    """`errors` since 2.0; a bare `error` text before."""
    older = _text(json, "error")
    found = [Complaint(message=older)] if older else []
    return (*found, *_each(json.get("errors") or [], _complaint))


def _complaint(raw: object) -> Complaint:
    json = _object(raw)
    data = json.get("data")
    place = [_text(data, "file"), _text(data, "field")] if isinstance(data, Mapping) else []
    return Complaint(
        message=_text(json, "message"),
        warning=json.get("is_warning") is True,
        where=" ".join(part for part in place if part),
    )


def _log_line(raw: object) -> LogLine | None:
    """A line of output; None for entries that are none (exit code, metadata, progress)."""
    json = _object(raw)
    if _number(json, "type") not in (0, 1):
        return None
    return LogLine(number=_number(json, "line"), text=_decoded(json.get("data")))


def _decoded(data: object) -> str:
    """Base64 of one line, which may be null (empty), hold any bytes, or be broken."""
    if not isinstance(data, str):
        return ""
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data


def _each(raw: object, read: Callable[[object], T]) -> tuple[T, ...]:
    if not isinstance(raw, list):
        raise Misshapen(f"a list was expected, not {_kind(raw)}")
    return tuple(read(item) for item in raw)


def _object(raw: object) -> Json:
    if not isinstance(raw, Mapping):
        raise Misshapen(f"an object was expected, not {_kind(raw)}")
    return raw


def _text(json: Json, key: str, *, need: bool = False) -> str:
    value = json.get(key)
    if isinstance(value, str):
        return value
    if need or (value is not None and not isinstance(value, (int, float))):
        raise Misshapen(f"{key} should be a text and is {_kind(value)}")
    return "" if value is None else str(value)


def _name(json: Json, key: str) -> str:
    """A text that stands within our sentences, where it must not swallow the words beside it."""
    return clean(_text(json, key))


def _number(json: Json, *keys: str, need: bool = False) -> int:
    """The first of the names that is there (names changed with 3.0)."""
    value = next((json[key] for key in keys if json.get(key) is not None), None)
    if isinstance(value, bool) or not isinstance(value, (int, type(None))):
        raise Misshapen(f"{keys[0]} should be a number and is {_kind(value)}")
    if value is None and need:
        raise Misshapen(f"{keys[0]} is missing")
    if value is not None and abs(value) > LARGEST:
        raise Misshapen(f"{keys[0]} is larger than any number can be")
    return value or 0


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
