"""Starts pipelines again, and makes sure that they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline
from homelab_hooks.ci.woodpecker.client import REQUEST_TIMEOUT_S, WoodpeckerClient
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Decision, Denied, Found, Poll, Unavailable
from homelab_hooks.watch.restart import Rerun, StartManually
from homelab_hooks.watch.snapshot import CommitSnapshot

CONFIRM_TIMEOUT_S = 20.0
"""seconds that a pipeline is looked for whose start was not answered"""


def apply_restart_plan(
    plan: Rerun | StartManually,
    snapshot: CommitSnapshot,
    ci: WoodpeckerClient,
    *,
    clock: Clock,
    emit: Callable[[Event], None],
) -> str:
    """Start what is wanted; a sentence about what was started. Raises CommandError where the server refuses.

    A start is asked for once only: an answer of 500 may have made the row all the same (measured, B10).
    """
    assert snapshot.repo is not None  # noqa: S101 - there is no plan without a repository
    highest_number = max((row.number for row in snapshot.rows), default=0)
    started = []
    for number in plan.numbers if isinstance(plan, Rerun) else (0,):
        poll = (
            ci.restart(snapshot.repo.id, number, within=REQUEST_TIMEOUT_S)
            if number
            else ci.start(snapshot.repo.id, _branch(plan), within=REQUEST_TIMEOUT_S)
        )
        new = (
            poll.value
            if isinstance(poll, Found)
            else _find_started(poll, ci, snapshot.repo.id, PendingStart(number, highest_number), clock)
        )
        started.append(f"#{new.number} restarts #{number}" if number else f"#{new.number} was started by hand")
        emit(Log(source="homelab", text=started[-1]))
    return "; ".join(started)


def _branch(plan: Rerun | StartManually) -> str:
    return plan.branch if isinstance(plan, StartManually) else ""


class PendingStart(NamedTuple):
    """What is looked for after a start without an answer: above `above_number`, with this parent (0: a manual one)."""

    parent: int
    above_number: int
    searching_since: float | None = None
    found: Pipeline | None = None


def _find_started(
    poll: Poll[Pipeline], ci: WoodpeckerClient, repo: int, pending: PendingStart, clock: Clock
) -> Pipeline:
    """The row of a start whose answer was lost. Raises CommandError where the server said no, or there is none."""
    if isinstance(poll, Denied):
        raise CommandError(poll.reason, hint=poll.hint, exit=poll.exit)

    def fetch(state: PendingStart) -> Poll[tuple[Pipeline, ...]]:
        del state
        return ci.pipelines(repo, per_page=10, within=REQUEST_TIMEOUT_S)

    ended = poll_until_decided(pending, fetch=fetch, decide=decide_start_search, emit=lambda _: None, clock=clock)
    if ended.found is None:
        reason = poll.reason if isinstance(poll, Unavailable) else "no answer"
        raise CommandError(
            f"the start was not confirmed: {reason}", hint="homelab ci status tells", exit=ExitCode.UNREACHABLE
        )
    return ended.found


def decide_start_search(state: PendingStart, poll: Poll[tuple[Pipeline, ...]], now: float) -> Decision[PendingStart]:
    """Found, or given up."""
    since = now if state.searching_since is None else state.searching_since
    rows = poll.value if isinstance(poll, Found) else ()
    new = [
        row
        for row in rows
        if row.number > state.above_number and row.parent == state.parent and (state.parent or row.event == "manual")
    ]
    if new:
        return Decision(state._replace(found=new[-1]))
    return Decision(state._replace(searching_since=since), delay=None if now - since >= CONFIRM_TIMEOUT_S else 1.0)
