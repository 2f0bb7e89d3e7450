"""Looks for a pipeline whose start the server did not confirm."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, RunRef
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Decision, Found, Poll, Unavailable

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


def find_started(poll: Poll[Pipeline], ci: Provider, repo: Repo, pending: PendingStart, clock: Clock) -> Pipeline:
    """Return the pipeline whose start was not confirmed. Raises CommandError if it cannot be found."""

    def fetch(state: PendingStart) -> Poll[tuple[Pipeline, ...]]:
        del state
        return ci.runs.pipelines(repo, per_page=CONFIRM_PAGE_SIZE, within=REQUEST_TIMEOUT_S)

    ended = poll_until_decided(pending, fetch=fetch, decide=decide_start_search, emit=lambda _: None, clock=clock)
    if ended.found is None:
        reason = poll.reason if isinstance(poll, Unavailable) else "no response"
        raise CommandError(
            f"the start was not confirmed: {reason}", hint="to check, run: homelab ci status", exit=ExitCode.UNREACHABLE
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
