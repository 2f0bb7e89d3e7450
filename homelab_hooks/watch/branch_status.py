"""The colour of a branch: what its newest decided pipeline came to, asked for within a short time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from homelab_hooks.ci.model import Pipeline, Repo, Status
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from homelab_hooks.system.process import kill_abandoned

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
    return row.status.is_failed or (
        row.status.is_cancelled and row.cancellation is not None and bool(row.cancellation.by_step)
    )


def query_branch_status(
    names: Sequence[str], branch: str, ci: Callable[[], WoodpeckerClient], *, seconds: float
) -> Poll[BranchStatus]:
    """Ask CI, for so long and no longer, whatever hangs: a name server, Vault, a credential helper, the server."""
    found: list[Poll[BranchStatus] | CommandError] = []

    def question() -> None:
        try:
            found.append(_query(names, branch, ci(), within=seconds))
        except CommandError as problem:
            found.append(problem)

    thread = threading.Thread(target=question, name="colour", daemon=True)
    thread.start()
    thread.join(seconds)
    match found[0] if found else None:
        case None:
            kill_abandoned()
            return Unavailable(f"no answer within {seconds:g} s")
        case CommandError() as problem if problem.exit is ExitCode.DENIED:
            return Denied(problem.message, hint=problem.hint)
        case CommandError() as problem:
            raise problem
        case look:
            return look


def _query(names: Sequence[str], branch: str, ci: WoodpeckerClient, *, within: float) -> Poll[BranchStatus]:
    found = ci.first_repository(names, within=within)
    if not isinstance(found, Found):
        return found
    rows = ci.pipelines(found.value.id, within=within)
    return Found(BranchStatus(found.value, newest_decided(rows.value, branch))) if isinstance(rows, Found) else rows
