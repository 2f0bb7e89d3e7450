"""What the Woodpecker stand-in answers to those who look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from homelab_hooks.demo import woodpecker_json as shape
from homelab_hooks.demo.woodpecker_book import Book, Repository, Right, Row
from homelab_hooks.demo.woodpecker_http import (
    JSON,
    NOT_AUTHORIZED,
    TEXT,
    Answer,
    Asked,
    Found,
    ok,
    refusal,
    repo_of,
    user_of,
)
from homelab_hooks.demo.woodpecker_queue import queue

MOST = 50
"""rows on a page, whatever was asked for"""
STATUSES = frozenset(
    {"skipped", "pending", "running", "success", "failure", "killed", "error", "blocked", "declined", "created"}
    | {"canceled"}
)
EVENTS = frozenset(
    {"push", "pull_request", "pull_request_closed", "pull_request_metadata", "tag", "release", "deployment", "cron"}
    | {"manual"}
)


def version(book: Book, _asked: Asked, _found: Found) -> Answer:
    """`/version`, for everybody."""
    return ok({"source": "https://github.com/woodpecker-ci/woodpecker", "version": book.version})


def healthz(_book: Book, _asked: Asked, _found: Found) -> Answer:
    """`/healthz`: 204."""
    return Answer(204)


def user(book: Book, asked: Asked, _found: Found) -> Answer:
    """`/api/user`: who the token belongs to."""
    user = user_of(book, asked)
    return ok(shape.user(user)) if user else Answer(401, NOT_AUTHORIZED, TEXT)


def feed(book: Book, asked: Asked, _found: Found) -> Answer:
    """`/api/user/feed`: null, as when there is none."""
    return ok(None) if user_of(book, asked) else Answer(401, NOT_AUTHORIZED, TEXT)


def queue_info(book: Book, asked: Asked, _found: Found) -> Answer:
    """`/api/queue/info`, for the server's admins."""
    user = user_of(book, asked)
    if user is None or not user.admin:
        return Answer(403 if user else 401, NOT_AUTHORIZED, TEXT)
    return Answer(200, json.dumps(queue(book, asked.t), indent=4).encode(), JSON)


def lookup(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/lookup/{full name}`, whatever the case, nested groups too."""
    repo = book.repository(unquote(found["name"]).removeprefix("/"))
    refused = refusal(book, asked, repo, Right.PULL)
    return refused or ok(shape.repository(_sure(repo), version=book.version))


def _sure(repo: Repository | None) -> Repository:
    assert repo is not None  # noqa: S101 - refusal() has said so
    return repo


def repo(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/{id}`."""
    if not found["repo"].isdigit():
        return Answer(400)
    repo = repo_of(book, found)
    return refusal(book, asked, repo, Right.PULL) or ok(shape.repository(_sure(repo), version=book.version))


def permissions(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/{id}/permissions`."""
    repo = repo_of(book, found)
    refused = refusal(book, asked, repo, Right.PULL)
    return refused or ok(shape.permissions(book.right(_sure(repo), user_of(book, asked)), book.wall))


def rows_of(book: Book, repo_id: int, t: float) -> list[dict[str, Any]]:
    """The list without filter or page."""
    replay = book.replays.get(repo_id)
    if replay is not None:
        return replay.rows(t)
    return [shape.pipeline(book, row, now, detail=False) for row, now in book.listed(repo_id, t)]


def listing(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/{id}/pipelines`: a page of the rows that pass the filters; 2.8 knows no filter but time."""
    repo = repo_of(book, found)
    refused = refusal(book, asked, repo, Right.PULL)
    if refused:
        return refused
    query = asked.query if not book.version.startswith("2.") else _known_to_2(asked.query)
    rows = chosen(rows_of(book, _sure(repo).id, asked.t), query)
    return Answer(400) if rows is None else ok(rows)


def _known_to_2(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key in {"page", "perPage", "before", "after"}}


def chosen(rows: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """The page that was asked for; None where a filter is nonsense (400)."""
    events = set(query["event"].split(",")) if query.get("event") else EVENTS
    status = query.get("status")
    if not events <= EVENTS or status not in {None, "", *STATUSES}:
        return None
    try:
        before, after = _moment(query.get("before")), _moment(query.get("after"))
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
    page, size = max(_number(query.get("page")), 1), _number(query.get("perPage"))
    size = size if 1 <= size <= MOST else MOST
    return kept[(page - 1) * size : page * size]


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _moment(text: str | None) -> float | None:
    if not text:
        return None
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(text)
    return when.timestamp()


def detail(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/{id}/pipelines/{number}`; `latest` is the newest push of a branch."""
    repo = repo_of(book, found)
    refused = refusal(book, asked, repo, Right.PULL)
    if refused:
        return refused
    if found["number"] == "latest":
        return _latest(book, asked, _sure(repo))
    number = whole(found["number"])
    if number is None:
        return Answer(400)
    replay = book.replays.get(_sure(repo).id)
    if replay is not None:
        recorded = replay.detail(number, asked.t)
        return ok(recorded) if recorded else Answer(404)
    row = book.find(_sure(repo).id, number, asked.t)
    return told(book, row, asked.t) if row else Answer(404)


def _latest(book: Book, asked: Asked, repo: Repository) -> Answer:
    branch = asked.query.get("branch") or repo.default_branch
    pushes = (row for row, _ in book.listed(repo.id, asked.t) if row.event == "push" and row.branch == branch)
    row = next(pushes, None)
    return told(book, row, asked.t) if row else Answer(404)


def told(book: Book, row: Row, t: float) -> Answer:
    """A pipeline with its workflows, as it is at `t`."""
    now = row.at(t)
    return ok(shape.pipeline(book, row, now, detail=True)) if now else Answer(404)


def whole(text: str) -> int | None:
    """An integer as Go reads it."""
    return int(text) if text.removeprefix("-").isdigit() else None


def log(book: Book, asked: Asked, found: Found) -> Answer:
    """`/api/repos/{id}/logs/{number}/{step}`."""
    repo = repo_of(book, found)
    number, step = whole(found["number"]), whole(found["step"])
    refused = refusal(book, asked, repo, Right.PULL)
    if refused or number is None or step is None:
        return refused or Answer(400)
    replay = book.replays.get(_sure(repo).id)
    if replay is not None:
        taken = replay.log(number, step, asked.t)
        return ok(taken.body) if taken else Answer(404)
    row = book.find(_sure(repo).id, number, asked.t)
    now = row.at(asked.t) if row else None
    steps = sum(len(flow.steps) for flow in now.workflows) if now else 0
    if row is None or now is None or not 0 <= step - row.first_step < steps:
        return Answer(404)
    return ok(shape.entries(row, now, asked.t, step))
