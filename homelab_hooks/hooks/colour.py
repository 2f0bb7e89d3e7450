"""The colour of a branch: what its newest decided pipeline came to, asked for within a short time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Look, Missed, Seen
from homelab_hooks.model import Pipeline, Repo, Status
from homelab_hooks.proc import kill_abandoned
from homelab_hooks.woodpecker.client import Woodpecker

T = TypeVar("T")
BRANCH_EVENTS = frozenset({"push", "manual"})
"""whose pipelines colour a branch: a pull request's is another commit's, a cron's or a tag's is about something else"""


class BranchStatus(NamedTuple):
    """A branch's newest decided pipeline; None where there is none among the newest."""

    repo: Repo
    pipeline: Pipeline | None


def newest_decided(rows: Iterable[Pipeline], branch: str) -> Pipeline | None:
    """The newest pipeline of a branch that CI has decided; what was cancelled, declined or skipped says nothing."""
    mine = [row for row in rows if row.branch == branch and row.event in BRANCH_EVENTS]
    told = (row for row in mine if row.status is Status.SUCCESS or has_failed(row))
    return max(told, key=lambda row: row.number, default=None)


def has_failed(row: Pipeline) -> bool:
    """Whether CI decided against it; one that was killed by a step of its own is red too."""
    return row.status.red or (row.status.stopped and row.stopped is not None and bool(row.stopped.by_step))


def query_branch_status(
    names: Sequence[str], branch: str, ci: Callable[[], Woodpecker], *, seconds: float
) -> Look[BranchStatus]:
    """Ask CI, for so long and no longer, whatever hangs: a name server, Vault, a credential helper, the server."""
    found: list[Look[BranchStatus] | Problem] = []

    def question() -> None:
        try:
            found.append(_query(names, branch, ci()))
        except Problem as problem:
            found.append(problem)

    thread = threading.Thread(target=question, name="colour", daemon=True)
    thread.start()
    thread.join(seconds)
    match found[0] if found else None:
        case None:
            kill_abandoned()
            return Missed(f"no answer within {seconds:g} s")
        case Problem() as problem if problem.exit is Exit.DENIED:
            return Denied(problem.what, hint=problem.hint)
        case Problem() as problem:
            raise problem
        case look:
            return look


def _query(names: Sequence[str], branch: str, ci: Woodpecker) -> Look[BranchStatus]:
    found = ci.find(names)
    if not isinstance(found, Seen):
        return found
    rows = ci.pipelines(found.value.id)
    return Seen(BranchStatus(found.value, newest_decided(rows.value, branch))) if isinstance(rows, Seen) else rows
