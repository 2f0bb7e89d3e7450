"""Decides how long the logs of a running pipeline are followed, and reports silence meanwhile."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import LogLine, Pipeline, Status
from homelab_hooks.events import Event, Waiting
from homelab_hooks.polling import contact
from homelab_hooks.polling.contact import Contact, seconds_to_heartbeat
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.watch import log_tail
from homelab_hooks.watch.log_selection import SelectedStep

QUIET_AFTER_END_S = 2.5
"""seconds without a new line after the pipeline's end; agents send a second late or more (recording 02c-late-logs)"""
POLL_INTERVAL_S = 1.0
"""seconds between two polls"""
RETRY_INTERVAL_S = 2.0
"""seconds before the next poll after one without a usable response"""
GIVE_UP_AFTER_S = 180.0
"""seconds without a usable response after which following ends"""


class FollowState(NamedTuple):
    """The state of following: the lines so far, and when the last one came."""

    pipeline: Pipeline
    line_counts: tuple[tuple[Hashable, int], ...] = ()
    """the number of lines of each step, by its id"""
    began_at: float = 0.0
    due_at: float = 0.0
    """when the last poll was due"""
    last_growth_at: float = 0.0
    last_shown_at: float = 0.0
    """when the last line or event was shown"""
    contact: Contact = Contact(silent_since=0.0)
    failure: Unavailable | Denied | None = None
    """why following ended early"""


class LogUpdate(NamedTuple):
    """What one poll brought: the pipeline, and the logs of its steps."""

    pipeline: Pipeline
    logs: tuple[tuple[SelectedStep, tuple[LogLine, ...]], ...]
    has_unread: bool = False
    """the log of at least one step could not be read"""


def start_follow(pipeline: Pipeline, now: float) -> FollowState:
    """Return the initial state, as if the server had just answered: the pipeline was read from it."""
    known = Contact(silent_since=now, ever_answered=True)
    return FollowState(pipeline, began_at=now, due_at=now, last_growth_at=now, last_shown_at=now, contact=known)


def decide_log_follow(state: FollowState, poll: Poll[LogUpdate], now: float) -> Decision[FollowState]:
    """Settle when the pipeline has ended and no line has come for a while; an `eof` of the stream proves nothing.

    A pipeline that waits for approval settles it too, because approval may never come.
    """
    state, events, delay, _ = _apply_poll(state, poll, now)
    if delay is None:
        return Decision(state, events)
    if not events and seconds_to_heartbeat(state.last_shown_at, now) <= 0:
        events = (_make_heartbeat(state, poll, now),)
    state = state._replace(due_at=now + delay, last_shown_at=now if events else state.last_shown_at)
    return Decision(state, events, delay, request_at=state.contact.retry_at)


def _make_heartbeat(state: FollowState, poll: Poll[LogUpdate], now: float) -> Waiting:
    reason = f"{state.pipeline.run} is {state.pipeline.raw_status}"
    if isinstance(poll, Unavailable | Denied):
        reason = f"no usable response: {poll.reason}"
    return Waiting(reason=reason, elapsed=now - state.began_at)


def _apply_poll(state: FollowState, poll: Poll[LogUpdate], now: float) -> Decision[FollowState]:
    known, due_at = state.contact, state.due_at
    events: tuple[Event, ...] = ()
    match poll:
        case Found(update):
            known, events = contact.on_answer(known, now)
            return _apply_update(state._replace(contact=known), update, now)._replace(events=events)
        case NotFound():
            return Decision(state, delay=RETRY_INTERVAL_S)
        case Denied():
            known, events = contact.on_denied(known, poll, now, asked_at=due_at, timeout=GIVE_UP_AFTER_S)
            failed = contact.is_refusal_believed(known, poll, now, timeout=GIVE_UP_AFTER_S)
        case Unavailable():
            known, events = contact.on_unavailable(known, poll, now, asked_at=due_at, timeout=GIVE_UP_AFTER_S)
            failed = contact.is_timed_out(known, now, timeout=GIVE_UP_AFTER_S)
        case _:
            assert_never(poll)
    state = state._replace(contact=known, failure=poll if failed else None)
    return Decision(state, events, delay=None if failed else RETRY_INTERVAL_S)


def _apply_update(state: FollowState, update: LogUpdate, now: float) -> Decision[FollowState]:
    counts = tuple((selected.step.id, len(lines)) for selected, lines in update.logs)
    has_grown = counts != state.line_counts
    changed = has_grown or update.pipeline.status is not state.pipeline.status
    state = state._replace(
        pipeline=update.pipeline,
        line_counts=counts,
        last_growth_at=now if changed else state.last_growth_at,
        last_shown_at=now if has_grown else state.last_shown_at,
    )
    if state.pipeline.status is Status.BLOCKED:
        return Decision(state)
    has_empty_failure = update.has_unread or any(
        selected.step.state.is_failed and not lines for selected, lines in update.logs
    )
    quiet = now - state.last_growth_at
    if state.pipeline.status.is_final and quiet >= (log_tail.LOG_TIMEOUT_S if has_empty_failure else QUIET_AFTER_END_S):
        return Decision(state)
    return Decision(state, delay=POLL_INTERVAL_S)
