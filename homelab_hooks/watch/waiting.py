"""What a quiet watch says: a heartbeat once a minute, and why nothing moves."""

from __future__ import annotations

from homelab_hooks.events import Event, Waiting
from homelab_hooks.looks import Absent, Look, Missed, Seen
from homelab_hooks.model import Queue, Status
from homelab_hooks.watch.state import Sight, Watch

HEARTBEAT = 60.0
"""seconds between two words when nothing changes (contract, section 4)"""
STUCK = 600.0
"""seconds that a running pipeline may stand still before it is said (contract, section 5)"""
QUEUED = 30.0
"""seconds of `pending` before the queue is looked at (contract, section 10)"""


def say(watch: Watch, look: Look[Sight], now: float) -> tuple[Watch, tuple[Event, ...]]:
    """The reason for waiting: once when it is new, then as a heartbeat."""
    assert watch.began is not None  # noqa: S101 - set by the first turn
    reason, remedy = _why(watch, look, now)
    new = bool(remedy) and remedy not in watch.warned
    first = watch.looks == 1 and not watch.threads and isinstance(look, Seen | Absent)
    if not (new or first or now - watch.spoke >= HEARTBEAT):
        return watch, ()
    warned = watch.warned | {remedy} if remedy else watch.warned
    elapsed = now - watch.began
    return watch._replace(warned=warned, spoke=now), (Waiting(reason=reason, remedy=remedy, elapsed=elapsed),)


def _why(watch: Watch, look: Look[Sight], now: float) -> tuple[str, str]:
    """What is waited for, and what to do about it where nothing moves."""
    if isinstance(look, Missed):
        return f"no contact: {look.reason}", ""
    open_threads = [thread for thread in watch.threads if not thread.pipeline.status.settled]
    if not watch.threads:
        return "no pipeline for this commit yet", ""
    if not open_threads:
        return "asking about the end", ""
    oldest = min(open_threads, key=lambda thread: thread.changed_at)
    name = f"#{oldest.number} is {oldest.pipeline.raw_status or oldest.pipeline.status}"
    quiet = now - oldest.changed_at
    if oldest.pipeline.status is Status.PENDING and quiet >= QUEUED and isinstance(look, Seen):
        return _queued(name, look.value.queue)
    if oldest.pipeline.status is Status.RUNNING and quiet >= STUCK:
        remedy = f"if its agent is gone: cancel #{oldest.number}, then homelab ci restart"
        return f"{name} without any change for {quiet / 60:.0f} minutes", remedy
    return name, ""


def _queued(name: str, queue: Queue | None) -> tuple[str, str]:
    if queue is None:
        return name, ""
    if queue.paused:
        return f"{name}: the server's queue is paused", "resume the queue in the server's settings"
    if queue.workers == 0:
        return f"{name}: no agent is connected", "start a Woodpecker agent"
    if queue.running >= queue.workers:
        return f"{name}: every agent is busy ({queue.running} running, {queue.pending} waiting)", ""
    return f"{name}: no free agent has taken it", "compare the workflow's labels with the agents'"
