"""Reads Woodpecker's JSON into the CI model: the fields of every version since 2.0, each checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from homelab_hooks.ci.model import (
    Cancellation,
    ConfigError,
    LogLine,
    Pipeline,
    QueueInfo,
    Repo,
    RunRef,
    Status,
    Step,
    Workflow,
)
from homelab_hooks.ci.woodpecker.traits import reports_cancellation
from homelab_hooks.text.sanitize import strip_control_chars

T = TypeVar("T")
MAX_INT = 2**53
"""no number, time or exit code is larger; a larger one could be made no float, and so not be shown"""
Json = Mapping[str, Any]


class UnexpectedShape(ValueError):  # noqa: N818 - it is the answer that is wrong, not this program
    """The JSON is valid and yet not what was asked for."""


def parse_pipelines(raw: object, *, page_url: str = "") -> tuple[Pipeline, ...]:
    """Read the response of the list endpoint. Raises UnexpectedShape.

    Args:
        page_url: the web page that the repository's pipelines are below; empty if not known.
    """
    return _list_of(raw, partial(parse_pipeline, page_url=page_url))


def parse_pipeline(raw: object, *, page_url: str = "") -> Pipeline:
    """Read a list item or a detail. Raises UnexpectedShape if number, event, commit or status is missing."""
    json = _mapping(raw)
    raw_status = _text(json, "status", required=True)
    number = _number(json, "number", required=True)
    event, ref = _text(json, "event", required=True), _text(json, "ref")
    url = f"{page_url}/{number}" if page_url else ""
    return Pipeline(
        run=make_run_ref(number),
        number=number,
        group=(event, ref),
        event=event,
        ref=ref,
        branch=_text(json, "branch"),
        commit=_text(json, "commit", required=True).lower(),
        status=parse_status(raw_status),
        raw_status=raw_status,
        message=_text(json, "message"),
        reviewed_by=_display_text(json, "reviewed_by"),
        parent=_optional_run(json, "parent"),
        created=_number(json, "created", "created_at"),
        started=_number(json, "started", "started_at"),
        finished=_number(json, "finished", "finished_at"),
        updated=_number(json, "updated", "updated_at"),
        cancellation=_parse_cancellation(json.get("cancel_info")),
        reports_cancellation=reports_cancellation(_text(json, "version")),
        config_errors=_parse_config_errors(json),
        workflows=_list_of(json.get("workflows") or [], partial(_parse_workflow, url=url)),
        url=url,
    )


def make_run_ref(number: int) -> RunRef:
    """Return the reference to the pipeline with this number.

    >>> str(make_run_ref(141))
    '#141'
    """
    return RunRef(number, f"#{number}")


def _optional_run(json: Json, key: str) -> RunRef | None:
    number = _number(json, key)
    return make_run_ref(number) if number else None


def parse_repo(raw: object) -> Repo:
    """Read the response of a lookup. Raises UnexpectedShape."""
    json = _mapping(raw)
    return Repo(
        id=_number(json, "id", required=True),
        full_name=_text(json, "full_name"),
        active=json.get("active") is not False,
    )


def parse_login(raw: object) -> str:
    """Read the login from the response of /api/user. Raises UnexpectedShape."""
    return _text(_mapping(raw), "login", required=True)


def parse_can_push(raw: object) -> bool:
    """Read from the response of /api/repos/{id}/permissions whether the user may push. Raises UnexpectedShape."""
    return _mapping(raw).get("push") is True


def parse_queue(raw: object) -> QueueInfo:
    """Read the response of /api/queue/info. Raises UnexpectedShape."""
    json = _mapping(raw)
    stats = _mapping(json.get("stats") or {})
    return QueueInfo(
        workers=_number(stats, "worker_count"),
        pending=_number(stats, "pending_count"),
        running=_number(stats, "running_count"),
        paused=json.get("paused") is True,
    )


def parse_log(raw: object) -> tuple[LogLine, ...]:
    """Read a step's log: in order, without duplicates; `null` is an empty log. Raises UnexpectedShape."""
    found: dict[int, LogLine] = {}
    for entry in _list_of(raw if raw is not None else [], _parse_log_line):
        if entry is not None:
            found.setdefault(entry.number, entry)
    return tuple(found[number] for number in sorted(found))


def parse_status(word: str) -> Status:
    """Return the status for Woodpecker's word (server/model/const.go); the words are the same.

    >>> parse_status("success"), parse_status("quantum")
    (<Status.SUCCESS: 'success'>, <Status.UNKNOWN: 'unknown'>)
    """
    try:
        return Status(word)
    except ValueError:
        return Status.UNKNOWN


def _parse_workflow(raw: object, *, url: str) -> Workflow:
    json = _mapping(raw)
    pid = _number(json, "pid")
    return Workflow(
        pid=pid,
        name=_display_text(json, "name"),
        state=parse_status(_text(json, "state", required=True)),
        error=_display_text(json, "error"),
        started=_number(json, "started", "start_time"),
        finished=_number(json, "finished", "end_time"),
        steps=_list_of(json.get("children") or [], _parse_step),
        url=f"{url}/{pid}" if url else "",
    )


def _parse_step(raw: object) -> Step:
    json = _mapping(raw)
    return Step(
        id=_number(json, "id"),
        pid=_number(json, "pid"),
        name=_display_text(json, "name"),
        state=parse_status(_text(json, "state", required=True)),
        exit_code=_number(json, "exit_code"),
        error=_display_text(json, "error"),
        kind=_text(json, "type"),
        started=_number(json, "started", "start_time"),
        finished=_number(json, "finished", "end_time"),
    )


def _parse_cancellation(raw: object) -> Cancellation | None:
    if not isinstance(raw, Mapping):
        return None
    return Cancellation(
        by_user=_display_text(raw, "canceled_by_user"),
        by_step=_display_text(raw, "canceled_by_step"),
        superseded_by=_optional_run(raw, "superseded_by"),
    )


def _parse_config_errors(json: Json) -> tuple[ConfigError, ...]:
    """Read `errors` (since 2.0), and the single text `error` of older servers."""
    older = _text(json, "error")
    found = [ConfigError(message=older)] if older else []
    return (*found, *_list_of(json.get("errors") or [], _parse_config_error))


def _parse_config_error(raw: object) -> ConfigError:
    json = _mapping(raw)
    data = json.get("data")
    place = [_text(data, "file"), _text(data, "field")] if isinstance(data, Mapping) else []
    return ConfigError(
        message=_text(json, "message"),
        is_warning=json.get("is_warning") is True,
        location=" ".join(part for part in place if part),
    )


def _parse_log_line(raw: object) -> LogLine | None:
    """Read a line of output; None for other entries (exit code, metadata, progress)."""
    json = _mapping(raw)
    if _number(json, "type") not in (0, 1):
        return None
    return LogLine(number=_number(json, "line"), text=_decode_line(json.get("data")))


def _decode_line(data: object) -> str:
    """Decode the base64 of one line, which may be null (empty), contain any bytes, or be broken."""
    if not isinstance(data, str):
        return ""
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data


def _list_of(raw: object, parse: Callable[[object], T]) -> tuple[T, ...]:
    if not isinstance(raw, list):
        raise UnexpectedShape(f"a list was expected, not {_type_name(raw)}")
    return tuple(parse(item) for item in raw)


def _mapping(raw: object) -> Json:
    if not isinstance(raw, Mapping):
        raise UnexpectedShape(f"an object was expected, not {_type_name(raw)}")
    return raw


def _text(json: Json, key: str, *, required: bool = False) -> str:
    value = json.get(key)
    if isinstance(value, str):
        return value
    if required or (value is not None and not isinstance(value, (int, float))):
        raise UnexpectedShape(f"{key} should be a text and is {_type_name(value)}")
    return "" if value is None else str(value)


def _display_text(json: Json, key: str) -> str:
    """A text that stands within our sentences, where it must not swallow the words beside it."""
    return strip_control_chars(_text(json, key))


def _number(json: Json, *keys: str, required: bool = False) -> int:
    """The first of the names that is there (names changed with 3.0)."""
    value = next((json[key] for key in keys if json.get(key) is not None), None)
    if isinstance(value, bool) or not isinstance(value, (int, type(None))):
        raise UnexpectedShape(f"{keys[0]} should be a number and is {_type_name(value)}")
    if value is None and required:
        raise UnexpectedShape(f"{keys[0]} is missing")
    if value is not None and abs(value) > MAX_INT:
        raise UnexpectedShape(f"{keys[0]} is larger than any number can be")
    return value or 0


def _type_name(value: object) -> str:
    return "null" if value is None else type(value).__name__
