"""Looks for a pipeline whose start the server did not confirm."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, RunRef
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Decision, Found, Poll, Unavailable
from homelab_hooks.watch.no_pipeline import LAND_EMPTY_COMMIT
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
    """the event of the new pipeline, unless it restarts another one"""
    commits: frozenset[str] = frozenset()
    """the new pipeline is of one of these; empty: of any"""
    timeout_s: float = CONFIRM_TIMEOUT_S
    searching_since: float | None = None
    found: Pipeline | None = None


def find_started(poll: Poll[Pipeline], ci: Provider, repo: Repo, pending: PendingStart, clock: Clock) -> Pipeline:
    """Return the pipeline whose start was not confirmed. Raises CommandError if it cannot be found."""
    found = _search(ci, repo, pending, clock)
    if found is None:
        reason = poll.reason if isinstance(poll, Unavailable) else "no response"
        raise CommandError(
            f"the start was not confirmed: {reason}", hint="to check, run: homelab ci status", exit=ExitCode.UNREACHABLE
        )
    return found


def find_redelivered(seen: CommitSnapshot, ci: Provider, *, timeout_s: float, clock: Clock) -> Pipeline:
    """Return the new pipeline of a push that was sent to CI again. Raises CommandError if none appears.

    The older pipelines of the push would decide a watch at once.

    Args:
        seen: the pipelines from before.
        timeout_s: seconds until it must have appeared.
    """
    assert seen.repo is not None  # noqa: S101 - pipelines were found
    pending = PendingStart(
        parent=None,
        above_number=max((row.number for row in seen.rows), default=0),
        manual_event=seen.tracks[0].pipeline.event,
        commits=seen.state.scope.commits,
        timeout_s=timeout_s,
    )
    found = _search(ci, seen.repo, pending, clock)
    if found is None:
        raise CommandError(
            "no pipeline appeared for the push that was sent again", hint=LAND_EMPTY_COMMIT, exit=ExitCode.NO_PIPELINE
        )
    return found


def _search(ci: Provider, repo: Repo, pending: PendingStart, clock: Clock) -> Pipeline | None:
    def fetch(state: PendingStart) -> Poll[tuple[Pipeline, ...]]:
        del state
        return ci.runs.pipelines(repo, per_page=CONFIRM_PAGE_SIZE, within=REQUEST_TIMEOUT_S)

    return poll_until_decided(pending, fetch=fetch, decide=decide_start_search, emit=lambda _: None, clock=clock).found


def decide_start_search(state: PendingStart, poll: Poll[tuple[Pipeline, ...]], now: float) -> Decision[PendingStart]:
    """Settle once the pipeline is found, or the time is up."""
    since = now if state.searching_since is None else state.searching_since
    rows = poll.value if isinstance(poll, Found) else ()
    new = [
        row
        for row in rows
        if row.number > state.above_number
        and row.parent == state.parent
        and (state.parent or row.event == state.manual_event)
        and (not state.commits or row.commit in state.commits)
    ]
    if new:
        return Decision(state._replace(found=new[-1]))
    is_over = now - since >= state.timeout_s
    return Decision(state._replace(searching_since=since), delay=None if is_over else CONFIRM_INTERVAL_S)
