"""Reports why a watch makes no progress: a heartbeat once a minute, and the likely reason."""

from __future__ import annotations

from homelab_hooks.ci.model import QueueInfo, RunRef, Status
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S
from homelab_hooks.events import Event, Waiting
from homelab_hooks.polling.contact import seconds_to_heartbeat
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.watch.state import CiObservation, CiWatchState

STALLED_AFTER_S = 600.0
"""seconds without a change after which a running pipeline is reported as stalled"""
CHECK_QUEUE_AFTER_S = 30.0
"""seconds of `pending` after which the queue is requested"""


def is_queue_due(watch: CiWatchState, at: float) -> bool:
    """Return whether the queue is to be requested at this time: a pipeline has then been pending for long enough."""
    return any(at >= moment for moment in queue_check_times(watch))


def queue_check_times(watch: CiWatchState) -> tuple[float, ...]:
    """Return from when the queue is requested for each pending pipeline."""
    pending = (track for track in watch.tracks if track.pipeline.status is Status.PENDING)
    return tuple(track.changed_at + CHECK_QUEUE_AFTER_S for track in pending)


def report_waiting(
    watch: CiWatchState, poll: Poll[CiObservation], now: float, *, next_at: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Report the reason for waiting: at once if it needs a fix and is new, otherwise as a heartbeat.

    A server whose requests time out is given the heartbeat early, because the next request may last until it is late.

    Args:
        next_at: when the next poll is due, unless this one leads to an earlier one.
    """
    assert watch.began_at is not None  # noqa: S101 - set by the first step
    reason, remedy = _find_reason(watch, poll, now)
    new = bool(remedy) and remedy not in watch.warned_about
    first = watch.poll_count == 1 and not watch.tracks and isinstance(poll, Found | NotFound)
    hangs = isinstance(poll, Unavailable) and poll.kind is FailureKind.TIMEOUT
    last_chance_at = next_at + REQUEST_TIMEOUT_S if hangs else now
    if not (new or first or seconds_to_heartbeat(watch.last_event_at, last_chance_at) <= 0):
        return watch, ()
    warned = watch.warned_about | {remedy} if remedy else watch.warned_about
    elapsed = now - watch.began_at
    return watch._replace(warned_about=warned, last_event_at=now), (
        Waiting(reason=reason, remedy=remedy, elapsed=elapsed),
    )


def _find_reason(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> tuple[str, str]:
    """Return what the watch waits for, and how to fix it if nothing moves."""
    if isinstance(poll, Unavailable | Denied):
        return f"no usable response: {poll.reason}", ""
    open_tracks = [track for track in watch.tracks if not track.pipeline.status.is_final]
    if not watch.tracks:
        return "no pipeline for this commit yet", ""
    if not open_tracks:
        return "fetching final pipeline details", ""
    oldest = min(open_tracks, key=lambda track: track.changed_at)
    name = f"{oldest.run} is {oldest.pipeline.raw_status or oldest.pipeline.status}"
    quiet = now - oldest.changed_at
    if oldest.pipeline.status is Status.PENDING and quiet >= CHECK_QUEUE_AFTER_S and isinstance(poll, Found):
        without_queue = (
            f"{name}: no runner has started it" if watch.rules.pending_hint else name,
            watch.rules.pending_hint,
        )
        queue = poll.value.queue
        return _queue_reason(name, oldest.run, queue) if queue else without_queue
    if oldest.pipeline.status is Status.RUNNING and quiet >= STALLED_AFTER_S:
        remedy = "if the agent is gone, run homelab ci cancel, then homelab ci restart"
        remedy = remedy if watch.rules.has_commands else "if the runner is gone, cancel the run and start it again"
        return f"{name} without a change for {format_duration(quiet)}", remedy
    return name, ""


def _queue_reason(name: str, run: RunRef, queue: QueueInfo) -> tuple[str, str]:
    if limited := next((limit for limit in queue.limited if limit.run == run), None):
        full = f"{limited.running} of its concurrency group {limited.group} already run, which is the limit"
        remedy = f"wait for those to end, or raise the `concurrency` limit of workflow {limited.workflow}"
        return f"{name}: workflow {limited.workflow} waits because {full}", remedy
    if queue.paused:
        return f"{name}: the server's queue is paused", "resume the queue in the server's settings"
    if queue.workers == 0:
        return f"{name}: no agent is connected", "start an agent"
    if queue.running >= queue.workers:
        return f"{name}: every agent is busy ({queue.running} running, {queue.pending} waiting)", ""
    return f"{name}: no free agent has picked it up", "compare the labels of the workflow and of the agents"
