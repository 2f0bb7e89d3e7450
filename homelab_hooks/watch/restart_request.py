"""Starts pipelines again, and makes sure that they exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, RunRef
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Decision, Denied, Found, Poll, Unavailable
from homelab_hooks.watch.restart import Rerun, StartManually
from homelab_hooks.watch.snapshot import CommitSnapshot

CONFIRM_TIMEOUT_S = 20.0
"""seconds to look for a pipeline whose start was not confirmed"""
CONFIRM_INTERVAL_S = 1.0
"""seconds between two polls for such a pipeline"""
CONFIRM_PAGE_SIZE = 10
"""rows of the list that are read for it"""


class PendingStart(NamedTuple):
    """What to look for after a start whose response was lost."""

    parent: RunRef | None
    """the pipeline that it restarts; None for a manual one"""
    above_number: int
    """the new pipeline has a higher number than this"""
    manual_event: str = "manual"
    searching_since: float | None = None
    found: Pipeline | None = None


def apply_restart_plan(
    plan: Rerun | StartManually,
    snapshot: CommitSnapshot,
    ci: Provider,
    *,
    clock: Clock,
    emit: Callable[[Event], None],
) -> str:
    """Start what the plan names and return a sentence about it. Raises CommandError if the server refuses.

    A start is sent once only: a response of 500 may have created the pipeline all the same (measured, B10).
    """
    assert snapshot.repo is not None  # noqa: S101 - a plan is made from a snapshot with a repository
    repo = snapshot.repo
    highest_number = max((row.number for row in snapshot.rows), default=0)
    started = []
    for parent in plan.runs if isinstance(plan, Rerun) else (None,):
        poll = _send_start(plan, parent, ci, repo)
        pending = PendingStart(parent, highest_number, ci.traits.manual_event)
        new = poll.value if isinstance(poll, Found) else _find_started(poll, ci, repo, pending, clock)
        started.append(f"{new.run} restarts {parent}" if parent else f"{new.run} was started manually")
        emit(Log(source="homelab", text=started[-1]))
    return "; ".join(started)


def _send_start(plan: Rerun | StartManually, parent: RunRef | None, ci: Provider, repo: Repo) -> Poll[Pipeline]:
    if isinstance(plan, StartManually):
        return ci.control.start(repo, plan.branch, within=REQUEST_TIMEOUT_S)
    assert parent is not None  # noqa: S101 - a rerun names pipelines
    return ci.control.restart(repo, parent, within=REQUEST_TIMEOUT_S)


def _find_started(poll: Poll[Pipeline], ci: Provider, repo: Repo, pending: PendingStart, clock: Clock) -> Pipeline:
    """Return the pipeline whose start was not confirmed. Raises CommandError if it was denied or cannot be found."""
    if isinstance(poll, Denied):
        raise CommandError(poll.reason, hint=poll.hint, exit=poll.exit)

    def fetch(state: PendingStart) -> Poll[tuple[Pipeline, ...]]:
        del state
        return ci.runs.pipelines(repo, per_page=CONFIRM_PAGE_SIZE, within=REQUEST_TIMEOUT_S)

    ended = poll_until_decided(pending, fetch=fetch, decide=decide_start_search, emit=lambda _: None, clock=clock)
    if ended.found is None:
        reason = poll.reason if isinstance(poll, Unavailable) else "no answer"
        raise CommandError(
            f"the start was not confirmed: {reason}", hint="check with: homelab ci status", exit=ExitCode.UNREACHABLE
        )
    return ended.found


def decide_start_search(state: PendingStart, poll: Poll[tuple[Pipeline, ...]], now: float) -> Decision[PendingStart]:
    """Settle once the pipeline is found, or after `CONFIRM_TIMEOUT_S`."""
    since = now if state.searching_since is None else state.searching_since
    rows = poll.value if isinstance(poll, Found) else ()
    new = [
        row
        for row in rows
        if row.number > state.above_number
        and row.parent == state.parent
        and (state.parent or row.event == state.manual_event)
    ]
    if new:
        return Decision(state._replace(found=new[-1]))
    is_over = now - since >= CONFIRM_TIMEOUT_S
    return Decision(state._replace(searching_since=since), delay=None if is_over else CONFIRM_INTERVAL_S)
