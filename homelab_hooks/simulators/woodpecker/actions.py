"""Write endpoints of the simulated Woodpecker: restart, cancel, approve, decline, start, and delete pipelines."""

from __future__ import annotations

import json
from typing import Any

from homelab_hooks.simulators.woodpecker import json_v3 as shape
from homelab_hooks.simulators.woodpecker.reads import make_detail_answer, parse_int
from homelab_hooks.simulators.woodpecker.request import (
    TEXT_TYPE,
    ApiAnswer,
    IncomingRequest,
    PathParams,
    find_refusal,
    find_repo,
    find_user,
    make_json_answer,
)
from homelab_hooks.simulators.woodpecker.script import take_snapshot
from homelab_hooks.simulators.woodpecker.store import Permission, PipelineRow, PipelineStore, SimulatedRepo

CANCELLABLE = frozenset({"running", "pending", "blocked"})
ALREADY_OVER_BODY = b"Cannot cancel a non-running or non-pending or non-blocked pipeline"


def _find_target(
    store: PipelineStore, request: IncomingRequest, params: PathParams, required: Permission = Permission.PUSH
) -> tuple[SimulatedRepo, PipelineRow] | ApiAnswer:
    """Return the repository and the pipeline of a request, or the error response."""
    repo = find_repo(store, params)
    refused = find_refusal(store, request, repo, required)
    number = parse_int(params["number"])
    if refused or number is None or repo is None:
        return refused or ApiAnswer(400)
    row = store.find_row(repo.id, number, request.t)
    return (repo, row) if row else ApiAnswer(404)


def _status(row: PipelineRow, t: float) -> str:
    now = row.at(t)
    return now.status if now else ""


def _login(store: PipelineStore, request: IncomingRequest) -> str:
    user = find_user(store, request)
    return user.login if user else ""


def restart_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """POST `/api/repos/{id}/pipelines/{number}`: the new pipeline; 500 for a config error, which creates one too."""
    target = _find_target(store, request, params)
    if isinstance(target, ApiAnswer):
        return target
    repo, row = target
    status = _status(row, request.t)
    if not repo.active:
        return ApiAnswer(404)
    if status == "blocked":
        return ApiAnswer(400, b"cannot restart a pipeline with status blocked", TEXT_TYPE)
    new = store.restart(repo, row, request.t)
    return ApiAnswer(500) if status == "error" else _created_answer(store, new)


def _created_answer(store: PipelineStore, row: PipelineRow | None) -> ApiAnswer:
    """Return the response to a request for a pipeline, which is past `created` by then, or was filtered out."""
    if row is None:
        return ApiAnswer(204, headers=(("Pipeline-Filtered", "true"),))
    start = next((frame.t for frame in row.timeline.frames if frame.status != "created"), 0.0)
    now = take_snapshot(row.timeline, start)
    return make_json_answer(shape.encode_pipeline(store, row, now, detail=True)) if now else ApiAnswer(404)


def cancel_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """POST `.../cancel`: 204."""
    target = _find_target(store, request, params)
    if isinstance(target, ApiAnswer):
        return target
    _, row = target
    if _status(row, request.t) not in CANCELLABLE:
        return ApiAnswer(400, ALREADY_OVER_BODY, TEXT_TYPE)
    store.cancel(row, request.t, _login(store, request))
    return ApiAnswer(204)


def approve_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """POST `.../approve`: the pipeline."""
    target = _find_target(store, request, params)
    if isinstance(target, ApiAnswer):
        return target
    repo, row = target
    status = _status(row, request.t)
    if status != "blocked":
        return ApiAnswer(400, f"cannot approve a pipeline with status {status}".encode(), TEXT_TYPE)
    return make_detail_answer(store, store.approve(repo, row, request.t, _login(store, request)), request.t)


def decline_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """POST `.../decline`: the pipeline; 500 with an empty body if it is not blocked (decline.go)."""
    target = _find_target(store, request, params)
    if isinstance(target, ApiAnswer):
        return target
    _, row = target
    if _status(row, request.t) != "blocked":
        return ApiAnswer(500)
    return make_detail_answer(store, store.decline(row, request.t, _login(store, request)), request.t)


def delete_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """DELETE `/api/repos/{id}/pipelines/{number}`: 204; requires admin rights for the repository."""
    target = _find_target(store, request, params, Permission.ADMIN)
    if isinstance(target, ApiAnswer):
        return target
    _, row = target
    status = _status(row, request.t)
    if status in CANCELLABLE:
        return ApiAnswer(422, f"Cannot delete pipeline with status {status}".encode(), TEXT_TYPE)
    store.delete(row)
    return ApiAnswer(204)


def start_manual_pipeline(store: PipelineStore, request: IncomingRequest, params: PathParams) -> ApiAnswer:
    """POST `/api/repos/{id}/pipelines`: a manual pipeline of the head of a branch."""
    repo = find_repo(store, params)
    refused = find_refusal(store, request, repo, Permission.PUSH)
    if refused or repo is None:
        return refused or ApiAnswer(404)
    options = _options(request.body)
    if options is None:
        return ApiAnswer(400)
    branch = str(options.get("branch", ""))
    sha = store.tips.get((repo.id, branch))
    if sha is None or not repo.active:
        return ApiAnswer(500)
    variables = options.get("variables") or {}
    row = store.add(
        repo,
        store.manual_timeline,
        request.t,
        commit=sha,
        branch=branch,
        event="manual",
        ref=f"refs/heads/{branch}",
        author=_login(store, request),
        message=f"MANUAL PIPELINE @ {branch}",
        extra={"sender": "", **({"variables": variables} if variables else {})},
    )
    return _created_answer(store, row)


def _options(body: bytes) -> dict[str, Any] | None:
    try:
        options = json.loads(body or b"null")
    except ValueError:
        return None
    return options if isinstance(options, dict) else None
