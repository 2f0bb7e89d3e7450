"""Reads Woodpecker's JSON into the CI model: the fields of every version since 2.0, each checked."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from homelab_hooks.ci.matrix import tell_cells_apart
from homelab_hooks.ci.model import (
    Cancellation,
    ConfigError,
    LogLine,
    Pipeline,
    QueueInfo,
    QueueLimit,
    Repo,
    RunRef,
    Status,
    Step,
    Workflow,
)
from homelab_hooks.ci.woodpecker.traits import FORGE_FAILURE, PULL_FAILURE, reports_cancellation
from homelab_hooks.events import MatrixAxis
from homelab_hooks.text.json_fields import (
    MAX_INT,
    Json,
    read_display_text,
    read_list,
    read_number,
    read_object,
    read_text,
)
from homelab_hooks.text.sanitize import strip_control_chars


def parse_pipelines(raw: object, *, page_url: str = "") -> tuple[Pipeline, ...]:
    """Read the response of the list endpoint. Raises UnexpectedShape.

    Args:
        page_url: the web page that the repository's pipelines are below; empty if not known.
    """
    return read_list(raw, partial(parse_pipeline, page_url=page_url))


def parse_pipeline(raw: object, *, page_url: str = "") -> Pipeline:
    """Read a list item or a detail. Raises UnexpectedShape if number, event, commit, or status is missing."""
    json = read_object(raw)
    raw_status = read_text(json, "status", required=True)
    number = read_number(json, "number", required=True)
    event, ref = read_text(json, "event", required=True), read_text(json, "ref")
    url = f"{page_url}/{number}" if page_url else ""
    return Pipeline(
        run=make_run_ref(number),
        number=number,
        group=(event, ref),
        event=event,
        ref=ref,
        branch=read_text(json, "branch"),
        commit=read_text(json, "commit", required=True).lower(),
        status=parse_status(raw_status),
        raw_status=raw_status,
        message=read_text(json, "message"),
        author=read_display_text(json, "author"),
        variables=_parse_variables(json.get("variables")),
        reviewed_by=read_display_text(json, "reviewed_by"),
        parent=_optional_run(json, "parent"),
        created=read_number(json, "created", "created_at"),
        started=read_number(json, "started", "started_at"),
        finished=read_number(json, "finished", "finished_at"),
        updated=read_number(json, "updated", "updated_at"),
        cancellation=_parse_cancellation(json.get("cancel_info"), number),
        reports_cancellation=reports_cancellation(read_text(json, "version")),
        config_errors=_parse_config_errors(json),
        workflows=tell_cells_apart(read_list(json.get("workflows") or [], partial(_parse_workflow, url=url))),
        url=url,
    )


def _parse_variables(raw: object) -> tuple[str, ...]:
    """Read the values of the variables that a pipeline was started with (recording 12-same-sha)."""
    return tuple(value for value in raw.values() if isinstance(value, str)) if isinstance(raw, Mapping) else ()


def make_run_ref(number: int) -> RunRef:
    """Return the reference to the pipeline with this number.

    >>> str(make_run_ref(141))
    '#141'
    """
    return RunRef(number, f"#{number}")


def _optional_run(json: Json, key: str) -> RunRef | None:
    number = read_number(json, key)
    return make_run_ref(number) if number else None


def parse_repo(raw: object) -> Repo:
    """Read the response of a lookup. Raises UnexpectedShape."""
    json = read_object(raw)
    return Repo(
        id=read_number(json, "id", required=True),
        full_name=read_text(json, "full_name"),
        active=json.get("active") is not False,
        config_path=read_text(json, "config_file"),
        cancels_previous=_parse_events(json.get("cancel_previous_pipeline_events")),
    )


def _parse_events(raw: object) -> frozenset[str]:
    """Read a list of events; another shape, such as null, has none."""
    return frozenset(event for event in raw if isinstance(event, str)) if isinstance(raw, list) else frozenset()


def parse_login(raw: object) -> str:
    """Read the login from the response of /api/user. Raises UnexpectedShape."""
    return read_text(read_object(raw), "login", required=True)


def parse_can_push(raw: object) -> bool:
    """Read from the response of /api/repos/{id}/permissions whether the user may push. Raises UnexpectedShape."""
    return read_object(raw).get("push") is True


def parse_queue(raw: object) -> QueueInfo:
    """Read the response of /api/queue/info. Raises UnexpectedShape."""
    json = read_object(raw)
    stats = read_object(json.get("stats") or {})
    return QueueInfo(
        workers=read_number(stats, "worker_count"),
        pending=read_number(stats, "pending_count"),
        running=read_number(stats, "running_count"),
        paused=json.get("paused") is True,
        limited=_parse_limits(json),
    )


class _QueueTask(NamedTuple):
    """A workflow in the queue."""

    repo: int
    number: int
    name: str
    group: str
    limit: int


def _parse_limits(json: Json) -> tuple[QueueLimit, ...]:
    """Return the pending workflows whose concurrency group is full; servers before 3.16 report no groups."""
    running = Counter(task.group for task in _parse_tasks(json, "running"))
    return tuple(
        QueueLimit(task.repo, make_run_ref(task.number), task.name, task.group, running[task.group])
        for task in _parse_tasks(json, "pending")
        if 0 < task.limit <= running[task.group]
    )


def _parse_tasks(json: Json, key: str) -> tuple[_QueueTask, ...]:
    """Read the tasks of one list that belong to a concurrency group; another shape has none."""
    raw = json.get(key)
    tasks = read_list(raw, _parse_task) if isinstance(raw, list) else ()
    return tuple(task for task in tasks if task.group)


def _parse_task(raw: object) -> _QueueTask:
    json = read_object(raw)
    return _QueueTask(
        repo=read_number(json, "repo_id"),
        number=read_number(json, "pipeline_number"),
        name=read_display_text(json, "name"),
        group=read_display_text(json, "concurrency_group"),
        limit=read_number(json, "concurrency_limit"),
    )


def parse_log(raw: object) -> tuple[LogLine, ...]:
    """Read a step's log: in order, without duplicates; `null` is an empty log. Raises UnexpectedShape."""
    found: dict[int, LogLine] = {}
    for entry in read_list(raw if raw is not None else [], _parse_log_line):
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
    json = read_object(raw)
    pid = read_number(json, "pid")
    return Workflow(
        pid=pid,
        name=read_display_text(json, "name"),
        state=parse_status(read_text(json, "state", required=True)),
        error=read_display_text(json, "error"),
        is_pull_failure=_is_pull_failure(json),
        started=read_number(json, "started", "start_time"),
        finished=read_number(json, "finished", "end_time"),
        steps=read_list(json.get("children") or [], _parse_step),
        url=f"{url}/{pid}" if url else "",
        axes=_parse_axes(json.get("environ")),
    )


def _parse_axes(raw: object) -> tuple[MatrixAxis, ...]:
    """Read the axes of a matrix cell (recording 13-workflow-kinds). Another shape is ignored."""
    if not isinstance(raw, Mapping):
        return ()
    pairs = sorted((name, value) for name, value in raw.items() if isinstance(name, str) and isinstance(value, str))
    return tuple(MatrixAxis(strip_control_chars(name), strip_control_chars(value)) for name, value in pairs)


def _parse_step(raw: object) -> Step:
    json = read_object(raw)
    return Step(
        id=read_number(json, "id"),
        pid=read_number(json, "pid"),
        name=read_display_text(json, "name"),
        state=parse_status(read_text(json, "state", required=True)),
        exit_code=read_number(json, "exit_code"),
        error=read_display_text(json, "error"),
        is_pull_failure=_is_pull_failure(json),
        kind=read_text(json, "type"),
        started=read_number(json, "started", "start_time"),
        finished=read_number(json, "finished", "end_time"),
    )


def _parse_cancellation(raw: object, number: int) -> Cancellation | None:
    """Read `cancel_info` of the pipeline with this number. A number that is not a newer one's supersedes nothing."""
    if not isinstance(raw, Mapping):
        return None
    newer = raw.get("superseded_by")
    return Cancellation(
        by_user=read_display_text(raw, "canceled_by_user"),
        by_step=read_display_text(raw, "canceled_by_step"),
        superseded_by=make_run_ref(newer) if type(newer) is int and number < newer <= MAX_INT else None,
    )


def _parse_config_errors(json: Json) -> tuple[ConfigError, ...]:
    """Read `errors` (since 2.0), and the single text `error` of older servers."""
    older = read_text(json, "error")
    found = [ConfigError(message=older, is_forge_failure=_is_forge_failure(older))] if older else []
    return (*found, *read_list(json.get("errors") or [], _parse_config_error))


def _parse_config_error(raw: object) -> ConfigError:
    json = read_object(raw)
    data = json.get("data")
    place = [read_text(data, "file"), read_text(data, "field")] if isinstance(data, Mapping) else []
    message = read_text(json, "message")
    return ConfigError(
        message=message,
        is_warning=json.get("is_warning") is True,
        location=" ".join(part for part in place if part),
        is_forge_failure=_is_forge_failure(message),
    )


def _is_pull_failure(json: Json) -> bool:
    return bool(PULL_FAILURE.search(read_display_text(json, "error")))


def _is_forge_failure(message: str) -> bool:
    return message.startswith(FORGE_FAILURE)


def _parse_log_line(raw: object) -> LogLine | None:
    """Read a line of output; None for other entries (exit code, metadata, progress)."""
    json = read_object(raw)
    if read_number(json, "type") not in (0, 1):
        return None
    return LogLine(number=read_number(json, "line"), text=_decode_line(json.get("data")))


def _decode_line(data: object) -> str:
    """Decode the base64 of one line, which may be null (empty), contain any bytes, or be broken."""
    if not isinstance(data, str):
        return ""
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data
