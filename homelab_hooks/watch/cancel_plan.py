"""Decides which pipelines of a commit to cancel, and whether a cancel took effect.

A response of 204 means that the pipeline stays cancelled. Every other response is settled by reading the pipeline: a
final status tells whether it was cancelled or had ended before (recording 07b-cancel-race), and one that still runs is
cancelled again, which is safe because a second cancel changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.watch.snapshot import CommitSnapshot

CANCEL_TIMEOUT_S = 20.0
"""seconds until a cancel must be confirmed"""
CANCEL_INTERVAL_S = 1.0
"""seconds between two requests of a cancel that is not confirmed"""
_CANCELLABLE = {Status.CREATED, Status.PENDING, Status.RUNNING}


class CancelProgress(NamedTuple):
    """The state of one cancel."""

    run: RunRef
    must_send: bool = True
    """the next request is the cancel; otherwise the pipeline is read"""
    since: float | None = None
    was_cancelled: bool | None = None
    """False: it had ended before; None: not known yet"""
    status: str = ""
    """the final status, if it was read"""
    denied: Denied | None = None
    reason: str = ""
    """why the cancel is not confirmed"""


def select_cancellable(snapshot: CommitSnapshot) -> tuple[Pipeline, ...]:
    """Return the commit's pipelines that run or wait for an agent, oldest first; one that needs approval does not."""
    commits = snapshot.state.scope.commits
    rows: Iterable[Pipeline] = (*snapshot.rows, *(track.pipeline for track in snapshot.tracks))
    known = {row.run: row for row in rows if row.commit in commits and row.status in _CANCELLABLE}
    return tuple(sorted(known.values(), key=lambda row: row.number))


def decide_cancel(progress: CancelProgress, poll: Poll[bool | Pipeline], now: float) -> Decision[CancelProgress]:
    """Settle once the server has confirmed or refused the cancel, or the pipeline is over, or time is up."""
    since = now if progress.since is None else progress.since
    progress = progress._replace(since=since)
    match poll:
        case Found(True):
            return Decision(progress._replace(was_cancelled=True))
        case Found(Pipeline() as pipeline) if pipeline.status.is_final:
            status = pipeline.raw_status or pipeline.status.value
            return Decision(progress._replace(was_cancelled=pipeline.status.is_cancelled, status=status))
        case Found(Pipeline() as pipeline):
            progress = progress._replace(must_send=True, reason=f"{pipeline.run} is still {pipeline.status.value}")
        case Found(_):
            progress = progress._replace(must_send=False, reason="the server did not cancel it")
        case Denied() as denied if not denied.slow:
            return Decision(progress._replace(denied=denied))
        case Unavailable() | NotFound() | Denied():
            progress = progress._replace(must_send=False, reason=poll.reason)
    is_over = now - since >= CANCEL_TIMEOUT_S
    wait = (isinstance(poll, Unavailable) and poll.retry_after) or CANCEL_INTERVAL_S
    return Decision(progress, delay=None if is_over else wait)
