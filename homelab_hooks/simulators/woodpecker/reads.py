"""Read endpoints of the simulated Woodpecker: version, user, repositories, pipelines, logs, and queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from homelab_hooks.simulators.woodpecker import json_v3 as shape
from homelab_hooks.simulators.woodpecker.queue import make_queue_info
from homelab_hooks.simulators.woodpecker.request import (
    JSON_TYPE,
    NOT_AUTHORIZED_BODY,
    TEXT_TYPE,
    ApiAnswer,
    IncomingRequest,
    PathParams,
    find_refusal,
    find_repo,
    find_user,
    make_json_answer,
)
from homelab_hooks.simulators.woodpecker.script import PipelineSnapshot
from homelab_hooks.simulators.woodpecker.store import Permission, PipelineRow, PipelineStore, SimulatedRepo

MAX_PAGE_SIZE = 50
"""maximum rows of a page"""
STATUSES = frozenset(
    {"skipped", "pending", "running", "success", "failure", "killed", "error", "blocked", "declined", "created"}
    | {"canceled"}
)
EVENTS = frozenset(
    {"push", "pull_request", "pull_request_closed", "pull_request_metadata", "tag", "release", "deployment", "cron"}
    | {"manual"}
)


def get_version(store: PipelineStore, _request: IncomingRequest, _params: PathParams) -> ApiAnswer:
    """GET `/version`; needs no token."""
    return make_json_answer({"source": "https://github.com/woodpecker-ci/woodpecker", "version": store.version})


def get_health(_store: PipelineStore, _request: IncomingRequest, _params: PathParams) -> ApiAnswer:
    """GET `/healthz`: 204."""
    return ApiAnswer(204)


def get_user(store: PipelineStore, request: IncomingRequest, _params: PathParams) -> ApiAnswer:
    """GET `/api/user`: the user of the token, or 401."""
    user = find_user(store, request)
    return make_json_answer(shape.encode_user(user)) if user else ApiAnswer(401, NOT_AUTHORIZED_BODY, TEXT_TYPE)


def get_feed(store: PipelineStore, request: IncomingRequest, _params: PathParams) -> ApiAnswer:
    """GET `/api/user/feed`: null (no entries), or 401."""
    return make_json_answer(None) if find_user(store, request) else ApiAnswer(401, NOT_AUTHORIZED_BODY, TEXT_TYPE)


def get_queue_info(store: PipelineStore, request: IncomingRequest, _params: PathParams) -> ApiAnswer:
    """GET `/api/queue/info`; requires a server admin."""
    user = find_user(store, request)
    if user is None or not user.admin:
        return ApiAnswer(403 if user else 401, NOT_AUTHORIZED_BODY, TEXT_TYPE)
    return ApiAnswer(200, json.dumps(make_queue_info(store, request.t), indent=4).encode(), JSON_TYPE)


def look_up_repo(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/lookup/{full name}`, case-insensitive; the name may have nested groups."""
    repo = store.repository(unquote(params["name"]).removeprefix("/"))
    refused = find_refusal(store, request, repo, Permission.PULL)
    return refused or make_json_answer(shape.encode_repository(_require_repo(repo), version=store.version))


def _require_repo(repo: SimulatedRepo | None) -> SimulatedRepo:
    assert repo is not None  # noqa: S101 - find_refusal checks it
    return repo


def get_repo(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/{id}`."""
    if not params["repo"].isdigit():
        return ApiAnswer(400)
    repo = find_repo(store, params)
    return find_refusal(store, request, repo, Permission.PULL) or make_json_answer(
        shape.encode_repository(_require_repo(repo), version=store.version)
    )


def get_permissions(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/{id}/permissions`."""
    repo = find_repo(store, params)
    refused = find_refusal(store, request, repo, Permission.PULL)
    return refused or make_json_answer(
        shape.encode_permissions(store.permission_of(_require_repo(repo), find_user(store, request)), store.wall)
    )


def list_rows(store: PipelineStore, repo_id: int, t: float) -> list[dict[str, Any]]:
    """Return all pipelines of a repository as JSON objects at `t` (server seconds)."""
    replay = store.replays.get(repo_id)
    if replay is not None:
        return replay.rows(t)
    return [_list_row(store, row, now) for row, now in store.rows_at(repo_id, t)]


def _list_row(store: PipelineStore, row: PipelineRow, now: PipelineSnapshot) -> dict[str, Any]:
    """Return a row of the list; made once for each snapshot, which the row keeps."""
    key = (store.version, store.wall, id(now))
    if key not in row.listed:
        row.listed[key] = shape.encode_pipeline(store, row, now, detail=False)
    return row.listed[key]


def list_pipelines(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/{id}/pipelines`: a page of the matching pipelines; 2.8 only filters by time."""
    repo = find_repo(store, params)
    refused = find_refusal(store, request, repo, Permission.PULL)
    if refused:
        return refused
    query = request.query if not store.version.startswith("2.") else _filters_of_2(request.query)
    rows = filter_rows(list_rows(store, _require_repo(repo).id, request.t), query)
    return ApiAnswer(400) if rows is None else make_json_answer(rows)


def _filters_of_2(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key in {"page", "perPage", "before", "after"}}


def filter_rows(rows: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Return the requested page of the matching rows; None if a filter is invalid (400)."""
    events = set(query["event"].split(",")) if query.get("event") else EVENTS
    status = query.get("status")
    if not events <= EVENTS or status not in {None, "", *STATUSES}:
        return None
    try:
        before, after = _parse_time(query.get("before")), _parse_time(query.get("after"))
    except ValueError:
        return None
    kept = [
        row
        for row in rows
        if row["event"] in events
        and status in {None, "", row["status"]}
        and query.get("branch") in {None, "", row["branch"]}
        and (query.get("ref") or "") in row["ref"]
        and (before is None or row.get("created", row.get("created_at", 0)) < before)
        and (after is None or row.get("created", row.get("created_at", 0)) > after)
    ]
    page, size = max(_parse_number(query.get("page")), 1), _parse_number(query.get("perPage"))
    size = size if 1 <= size <= MAX_PAGE_SIZE else MAX_PAGE_SIZE
    return kept[(page - 1) * size : page * size]


def _parse_number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _parse_time(text: str | None) -> float | None:
    if not text:
        return None
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(text)
    return when.timestamp()


def get_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/{id}/pipelines/{number}`; `latest` is the latest push pipeline of a branch."""
    repo = find_repo(store, params)
    refused = find_refusal(store, request, repo, Permission.PULL)
    if refused:
        return refused
    if params["number"] == "latest":
        return _get_latest(store, request, _require_repo(repo))
    number = parse_int(params["number"])
    if number is None:
        return ApiAnswer(400)
    replay = store.replays.get(_require_repo(repo).id)
    if replay is not None:
        recorded = replay.detail(number, request.t)
        return make_json_answer(recorded) if recorded else ApiAnswer(404)
    row = store.find_row(_require_repo(repo).id, number, request.t)
    return make_detail_answer(store, row, request.t) if row else ApiAnswer(404)


def _get_latest(store: PipelineStore, request: IncomingRequest, repo: SimulatedRepo) -> ApiAnswer:
    branch = request.query.get("branch") or repo.default_branch
    pushes = (row for row, _ in store.rows_at(repo.id, request.t) if row.event == "push" and row.branch == branch)
    row = next(pushes, None)
    return make_detail_answer(store, row, request.t) if row else ApiAnswer(404)


def make_detail_answer(store: PipelineStore, row: PipelineRow, t: float) -> ApiAnswer:
    """Return the response with a pipeline and its workflows at `t` (server seconds)."""
    now = row.at(t)
    return make_json_answer(shape.encode_pipeline(store, row, now, detail=True)) if now else ApiAnswer(404)


def parse_int(text: str) -> int | None:
    """Return an integer as Go parses it; None if it is not one."""
    return int(text) if text.removeprefix("-").isdigit() else None


def get_log(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """GET `/api/repos/{id}/logs/{number}/{step}`."""
    repo = find_repo(store, params)
    number, step = parse_int(params["number"]), parse_int(params["step"])
    refused = find_refusal(store, request, repo, Permission.PULL)
    if refused or number is None or step is None:
        return refused or ApiAnswer(400)
    replay = store.replays.get(_require_repo(repo).id)
    if replay is not None:
        taken = replay.log(number, step, request.t)
        return make_json_answer(taken.body) if taken else ApiAnswer(404)
    row = store.find_row(_require_repo(repo).id, number, request.t)
    now = row.at(request.t) if row else None
    steps = sum(len(flow.steps) for flow in now.workflows) if now else 0
    if row is None or now is None or not 0 <= step - row.first_step < steps:
        return ApiAnswer(404)
    return make_json_answer(shape.encode_log_entries(row, now, request.t, step))
