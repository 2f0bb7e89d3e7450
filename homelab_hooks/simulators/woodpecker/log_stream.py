"""The log streams of the simulated Woodpecker: the lines of a running step that arrive between two points in time."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from homelab_hooks.simulators.woodpecker import json_v3 as shape
from homelab_hooks.simulators.woodpecker.request import ApiAnswer, IncomingRequest, find_refusal, find_repo
from homelab_hooks.simulators.woodpecker.store import Permission, PipelineStore

LOG_STREAM_PATH = re.compile(r"/api/stream/logs/(?P<repo>[^/]+)/(?P<number>\d+)/(?P<step>\d+)")
_ACTIVE_STATES = frozenset({"created", "pending", "running"})


class LogEvents(NamedTuple):
    """The events of a log stream, and whether it ends with them."""

    events: list[bytes]
    ends: bool = False


def find_log_refusal(store: PipelineStore, request: IncomingRequest) -> ApiAnswer | None:
    """Return the error response if the user may not read the repository's logs, or None."""
    found = LOG_STREAM_PATH.fullmatch(urlsplit(request.path).path)
    return find_refusal(store, request, find_repo(store, found.groupdict()) if found else None, Permission.PULL)


def collect_log_events(store: PipelineStore, path: str, *, opened: float, since: float, until: float) -> LogEvents:
    """Return the lines of a step after `since` and up to `until` (server seconds).

    The stream has no line from before it was opened, and ends with the workflow (recording 02-success).
    """
    found = LOG_STREAM_PATH.fullmatch(urlsplit(path).path)
    assert found is not None  # noqa: S101 - the server has looked
    number, step_id = int(found["number"]), int(found["step"])
    row = store.find_row(int(found["repo"]), number, until)
    before, now = (row.at(opened), row.at(until)) if row else (None, None)
    if row is None or now is None or before is None:
        return LogEvents([_error("pipeline not found")], ends=True)
    flows = [flow for flow in now.workflows for _ in flow.steps]
    place = step_id - row.first_step
    if not 0 <= place < len(flows):
        return LogEvents([_error("process not found")], ends=True)
    earlier = [step.state for flow in before.workflows for step in flow.steps]
    if earlier and earlier[place] not in _ACTIVE_STATES:
        return LogEvents([_error("step not running (anymore)")], ends=True)
    lines = shape.encode_log_entries(row, now, until, step_id) or []
    known = len(shape.encode_log_entries(row, now, since, step_id) or [])
    events = [b"id: %d\ndata: %s\n\n" % (number, shape.encode_json(line)) for number, line in enumerate(lines)]
    events, ended = events[known:], flows[place].state not in _ACTIVE_STATES
    return LogEvents([*events, b"event: eof\ndata: eof\n\n"] if ended else events, ends=ended)


def _error(reason: str) -> bytes:
    return b"event: error\ndata: " + reason.encode() + b"\n\n"
