"""The CI status of a branch: its newest pipeline that passed or failed, requested within a limited time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, Status
from homelab_hooks.ci.provider import Provider, RunFilter, RunSource, find_first_repository
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from homelab_hooks.polling.parallel import Produced, call_within
from homelab_hooks.system.process_runner import kill_abandoned
from homelab_hooks.text.durations import format_duration
from homelab_hooks.watch.named_workflows import evaluate_workflows

MAX_DETAILS = 8
"""newest pipelines of the branch among which the result of named workflows is looked for"""


class BranchStatus(NamedTuple):
    """A branch's newest decided pipeline; None if there is none among the newest of the repository.

    `is_red` says whether it failed, in the named workflows if some are.
    """

    repo: Repo
    pipeline: Pipeline | None
    is_red: bool = False


def newest_decided(rows: Iterable[Pipeline], branch: str, *, events: frozenset[str]) -> Pipeline | None:
    """Return the newest pipeline of a branch that passed or failed; cancelled, declined, and skipped ones do not count.

    Args:
        events: the events whose pipelines determine a branch's status.
    """
    mine = [row for row in rows if row.branch == branch and row.event in events]
    decided = (row for row in mine if row.status is Status.SUCCESS or has_failed(row))
    return max(decided, key=lambda row: row.number, default=None)


def has_failed(row: Pipeline) -> bool:
    """Return whether the pipeline failed; one that was cancelled by one of its own steps failed too."""
    return row.status.is_failed or (
        row.status.is_cancelled and row.cancellation is not None and bool(row.cancellation.by_step)
    )


def query_branch_status(
    names: Sequence[str],
    branch: str,
    connect: Callable[[], Provider],
    *,
    seconds: float,
    workflows: Sequence[str] = (),
) -> Poll[BranchStatus]:
    """Return the status of a branch, or Unavailable after `seconds`, whatever hangs.

    Not only the server can hang, but also a name server, Vault, or a credential helper.

    Args:
        names: the OWNER/NAME candidates of the repository.
        connect: connects to CI; raises CommandError without a server or a token.
        workflows: only these determine the status; empty: all.
    """
    try:
        found = call_within(
            lambda: _query(names, branch, connect(), workflows, within=seconds), seconds, name="branch status"
        )
    except CommandError as problem:
        if problem.exit is ExitCode.DENIED:
            return Denied(problem.message, hint=problem.hint)
        raise
    if isinstance(found, Produced):
        poll: Poll[BranchStatus] = found.value
        return poll
    kill_abandoned()
    return Unavailable(f"no response within {format_duration(seconds)}")


def _query(
    names: Sequence[str], branch: str, ci: Provider, workflows: Sequence[str], *, within: float
) -> Poll[BranchStatus]:
    found = find_first_repository(ci.runs, names, within=within)
    if not isinstance(found, Found):
        return found
    only = RunFilter(events=ci.traits.branch_events, branch=branch)
    rows = ci.runs.pipelines(found.value, within=within, only=only)
    if not isinstance(rows, Found):
        return rows
    events = ci.traits.branch_events
    if workflows:
        mine = [row for row in rows.value if row.branch == branch and row.event in events]
        return _query_named(found.value, mine, ci.runs, workflows, within=within)
    newest = newest_decided(rows.value, branch, events=events)
    return Found(BranchStatus(found.value, newest, is_red=newest is not None and has_failed(newest)))


def _query_named(
    repo: Repo, rows: Sequence[Pipeline], runs: RunSource, workflows: Sequence[str], *, within: float
) -> Poll[BranchStatus]:
    """Return the status from the newest pipeline in which the named workflows passed or failed."""
    for row in sorted(rows, key=lambda row: -row.number)[:MAX_DETAILS]:
        if row.status is Status.ERROR:
            return Found(BranchStatus(repo, row, is_red=True))
        answer = runs.pipeline(repo, row.run, within=within)
        if not isinstance(answer, Found):
            return answer
        ruling = evaluate_workflows(answer.value, workflows)
        if ruling and ruling.exit is not ExitCode.NO_PIPELINE:
            return Found(BranchStatus(repo, row, is_red=ruling.exit is ExitCode.FAILED))
    return Found(BranchStatus(repo, None))
