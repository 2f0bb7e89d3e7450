"""What the Woodpecker stand-in does for those who may: restart, cancel, approve, decline, start, delete."""

from __future__ import annotations

import json
from typing import Any

from homelab_hooks.demo import woodpecker_json as shape
from homelab_hooks.demo.script import shown
from homelab_hooks.demo.woodpecker_book import Book, Repository, Right, Row
from homelab_hooks.demo.woodpecker_http import TEXT, Answer, Asked, Found, ok, refusal, repo_of, user_of
from homelab_hooks.demo.woodpecker_reads import told, whole

CANCELLABLE = frozenset({"running", "pending", "blocked"})
ALREADY_OVER = b"Cannot cancel a non-running or non-pending or non-blocked pipeline"


def _target(book: Book, asked: Asked, found: Found, need: Right = Right.PUSH) -> tuple[Repository, Row] | Answer:
    """The pipeline that is meant, for somebody who may; else the refusal."""
    repo = repo_of(book, found)
    refused = refusal(book, asked, repo, need)
    number = whole(found["number"])
    if refused or number is None or repo is None:
        return refused or Answer(400)
    row = book.find(repo.id, number, asked.t)
    return (repo, row) if row else Answer(404)


def _status(row: Row, t: float) -> str:
    now = row.at(t)
    return now.status if now else ""


def _login(book: Book, asked: Asked) -> str:
    user = user_of(book, asked)
    return user.login if user else ""


def restart(book: Book, asked: Asked, found: Found) -> Answer:
    """POST `/api/repos/{id}/pipelines/{number}`: the new pipeline; 500 for a broken configuration, and yet a row."""
    target = _target(book, asked, found)
    if isinstance(target, Answer):
        return target
    repo, row = target
    status = _status(row, asked.t)
    if not repo.active:
        return Answer(404)
    if status == "blocked":
        return Answer(400, b"cannot restart a pipeline with status blocked", TEXT)
    new = book.restart(repo, row, asked.t)
    return Answer(500) if status == "error" else _first_seen(book, new)


def _first_seen(book: Book, row: Row) -> Answer:
    """The answer of the call that made it: it is past `created` by then."""
    start = next((frame.t for frame in row.script.frames if frame.status != "created"), 0.0)
    now = shown(row.script, start)
    return ok(shape.pipeline(book, row, now, detail=True)) if now else Answer(404)


def cancel(book: Book, asked: Asked, found: Found) -> Answer:
    """POST `.../cancel`."""
    target = _target(book, asked, found)
    if isinstance(target, Answer):
        return target
    _, row = target
    if _status(row, asked.t) not in CANCELLABLE:
        return Answer(400, ALREADY_OVER, TEXT)
    book.cancel(row, asked.t, _login(book, asked))
    return Answer(204)


def approve(book: Book, asked: Asked, found: Found) -> Answer:
    """POST `.../approve`."""
    target = _target(book, asked, found)
    if isinstance(target, Answer):
        return target
    repo, row = target
    status = _status(row, asked.t)
    if status != "blocked":
        return Answer(400, f"cannot approve a pipeline with status {status}".encode(), TEXT)
    return told(book, book.approve(repo, row, asked.t, _login(book, asked)), asked.t)


def decline(book: Book, asked: Asked, found: Found) -> Answer:
    """POST `.../decline`; 500 empty for one that is not blocked (decline.go)."""
    target = _target(book, asked, found)
    if isinstance(target, Answer):
        return target
    _, row = target
    if _status(row, asked.t) != "blocked":
        return Answer(500)
    return told(book, book.decline(row, asked.t, _login(book, asked)), asked.t)


def delete(book: Book, asked: Asked, found: Found) -> Answer:
    """DELETE of a pipeline, for the repository's admin."""
    target = _target(book, asked, found, Right.ADMIN)
    if isinstance(target, Answer):
        return target
    _, row = target
    status = _status(row, asked.t)
    if status in CANCELLABLE:
        return Answer(422, f"Cannot delete pipeline with status {status}".encode(), TEXT)
    book.delete(row)
    return Answer(204)


def manual(book: Book, asked: Asked, found: Found) -> Answer:
    """POST `/api/repos/{id}/pipelines`: a pipeline of a branch's tip."""
    repo = repo_of(book, found)
    refused = refusal(book, asked, repo, Right.PUSH)
    if refused or repo is None:
        return refused or Answer(404)
    options = _options(asked.body)
    if options is None:
        return Answer(400)
    branch = str(options.get("branch", ""))
    sha = book.tips.get((repo.id, branch))
    if sha is None or not repo.active:
        return Answer(500)
    variables = options.get("variables") or {}
    row = book.add(
        repo,
        book.fallback,
        asked.t,
        commit=sha,
        branch=branch,
        event="manual",
        ref=f"refs/heads/{branch}",
        author=_login(book, asked),
        message=f"MANUAL PIPELINE @ {branch}",
        extra={"sender": "", **({"variables": variables} if variables else {})},
    )
    return _first_seen(book, row) if row else Answer(204, headers=(("Pipeline-Filtered", "true"),))


def _options(body: bytes) -> dict[str, Any] | None:
    try:
        options = json.loads(body or b"null")
    except ValueError:
        return None
    return options if isinstance(options, dict) else None
