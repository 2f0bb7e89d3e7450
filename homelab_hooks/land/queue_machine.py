"""Polls of the target branch before a push become a result: the branch is free, busy for too long, or unknown.

`queue_decision` decides about one usable answer. This machine adds time: outages, heartbeats, the timeout, and what is
reported. While an answer decides about the push, an outage is retried for the unreachable-timeout and ends with
`NoAnswer`. Where an answer only informs (the setting `push`, or a server that cancels nothing), one failed poll is
enough.
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import Pipeline
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.events import REMOVED_STATUS, Event, PipelineChanged, Waiting
from homelab_hooks.land.queue_decision import (
    Occupants,
    PushNow,
    RefusePush,
    TargetTip,
    WaitForEnd,
    decide_push,
    describe_occupants,
    find_occupants,
    find_usual_duration,
)
from homelab_hooks.polling.contact import (
    Backoff,
    Contact,
    is_refusal_believed,
    is_timed_out,
    on_answer,
    on_denied,
    on_unavailable,
    retry_delay,
    seconds_to_heartbeat,
)
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable

EARLY_PERIOD_S = 10.0
"""seconds after a change in which quick ends are likely"""
EARLY_INTERVAL_S = 1.0
APPEAR_INTERVAL_S = 2.0
"""seconds between polls while only a pipeline that has not appeared is waited for"""
STREAMING_INTERVAL_S = 20.35
"""seconds between polls while the event stream wakes the wait, as in `watch/poll_interval.py`"""
STREAMING_FIRST_INTERVAL_S = 3.0
"""the same, right after a change"""
MAX_INTERVAL_S = 4.0
"""seconds between polls of a pipeline that runs for long: at most 180 requests in ten minutes; a watch sends 190"""
GROWTH_FACTOR = 0.42
"""multiplies the square root of the seconds since the last change, as in `watch/poll_interval.py`"""
JITTER_FACTOR = 0.06
"""multiplies the landing's random number, and the product shortens an interval: waiting landings do not poll in step"""
MIN_DELAY_S = 0.05
REFUSAL_RETRY_S = 2.0
_BACKOFF = Backoff(first_s=0.5, longest_s=15.0)


class QueueRequest(NamedTuple):
    """What a landing waits for before its push."""

    branch: str
    when_busy: WhenBusy
    tip: str
    """the target's commit that is merged; empty if it is not known yet"""
    cancels: bool
    """whether the server cancels running push pipelines of a branch when a newer one starts"""
    timeout_at: float
    """when the wait ends without a result, in seconds of the clock"""
    appear_s: float
    unreachable_s: float
    spread: float = 0.5
    """a random number from 0 to 1"""

    @property
    def only_informs(self) -> bool:
        """Return whether the push is made whatever runs."""
        return self.when_busy is WhenBusy.PUSH or (self.when_busy is WhenBusy.AUTO and not self.cancels)


class BranchObservation(NamedTuple):
    """A usable answer: the newest push pipelines of the branch, and what git says about commits where it is needed."""

    rows: tuple[Pipeline, ...]
    tip: TargetTip = TargetTip()
    """empty if the pipeline of the tip has appeared"""
    sign: str = ""
    stream_up: bool = False
    """the event stream wakes the wait"""


class BranchIsFree(NamedTuple):
    """The landing may push; `waited`: only after it has fetched, merged, and verified again."""

    note: str = ""
    waited: bool = False


class PushRefused(NamedTuple):
    """The branch is busy and the setting refuses that, or CI refuses to say."""

    reason: str
    hint: str = ""


class StillBusy(NamedTuple):
    """The timeout has passed."""

    reason: str


class NoAnswer(NamedTuple):
    """CI gave no usable answer for the whole unreachable-timeout."""

    reason: str


QueueResult = BranchIsFree | PushRefused | StillBusy | NoAnswer


class QueueState(NamedTuple):
    """The state of the wait; times in seconds of the clock."""

    request: QueueRequest
    began_at: float
    contact: Contact
    asked_at: float
    """when the last poll was due"""
    appeared: frozenset[str] = frozenset()
    """commits whose pipelines have been seen"""
    occupants: Occupants = Occupants()
    changed_at: float = 0.0
    """when `occupants` last changed"""
    last_event_at: float = 0.0
    waiting_for: str = ""
    """what the last event reported; empty: the landing does not wait"""
    result: QueueResult | None = None


def begin_queue(request: QueueRequest, now: float, *, appeared: frozenset[str] = frozenset()) -> QueueState:
    """Return the state before the first poll."""
    contact = Contact(silent_since=now, ever_answered=True)  # the preflight has read the repository with this token
    return QueueState(request, now, contact, now, appeared, changed_at=now, last_event_at=now)


def decide_queue(state: QueueState, poll: Poll[BranchObservation], now: float) -> Decision[QueueState]:
    """Return the next state after a poll."""
    match poll:
        case Found(observation):
            contact, events = on_answer(state.contact, now)
            return _decide_answer(state._replace(contact=contact), observation, events, now)
        case NotFound(reason):
            return _decide_outage(state, Unavailable(reason or "CI returned no list"), now)
        case Unavailable():
            return _decide_outage(state, poll, now)
        case Denied():
            return _decide_refusal(state, poll, now)
        case _:
            assert_never(poll)


def _decide_answer(
    state: QueueState, seen: BranchObservation, events: tuple[Event, ...], now: float
) -> Decision[QueueState]:
    request = state.request
    found = find_occupants(seen.rows, seen.tip, appeared=state.appeared, now=now, appear_s=request.appear_s)
    appeared = state.appeared | {row.commit for row in seen.rows if row.commit == request.tip}
    changed = _identify(found) != _identify(state.occupants)
    events += _report_pipelines(state, found, seen.rows) if state.waiting_for or not found.is_free else ()
    state = state._replace(appeared=appeared, occupants=found, changed_at=now if changed else state.changed_at)
    permit = decide_push(found, request.when_busy, branch=request.branch, cancels=request.cancels, sign=seen.sign)
    match permit:
        case PushNow(note):
            return _end(state, BranchIsFree(note, waited=bool(state.waiting_for)), events)
        case RefusePush(reason):
            return _end(state, PushRefused(reason), events)
        case WaitForEnd(why):
            what = describe_occupants(found, find_usual_duration(seen.rows))
            return _wait(state, f"{what}; {why}" if why else what, events, now, stream_up=seen.stream_up)
        case _:
            assert_never(permit)


def _wait(
    state: QueueState, what: str, events: tuple[Event, ...], now: float, *, stream_up: bool
) -> Decision[QueueState]:
    """Keep waiting; report on change, and as a heartbeat. The timeout counts only if the branch is still busy then."""
    if now >= state.request.timeout_at:
        return _end(state, StillBusy(describe_occupants(state.occupants)), events)
    if what != state.waiting_for or seconds_to_heartbeat(state.last_event_at, now) <= 0:
        events += (Waiting(reason=what, elapsed=now - state.began_at),)
    if events:
        state = state._replace(last_event_at=now)
    interval = _interval_s(state, now, stream_up=stream_up)
    return _continue(state._replace(waiting_for=what), events, interval, now)


def _interval_s(state: QueueState, now: float, *, stream_up: bool) -> float:
    lasted = now - state.changed_at
    if stream_up and state.occupants.active:
        interval = min(STREAMING_INTERVAL_S, max(STREAMING_FIRST_INTERVAL_S, 2.0 * lasted))
    elif lasted < EARLY_PERIOD_S:
        interval = EARLY_INTERVAL_S
    elif not state.occupants.active:
        interval = APPEAR_INTERVAL_S
    else:
        interval = min(MAX_INTERVAL_S, GROWTH_FACTOR * lasted**0.5)
    return interval * (1.0 - JITTER_FACTOR * state.request.spread)


def _decide_outage(state: QueueState, poll: Unavailable, now: float) -> Decision[QueueState]:
    request = state.request
    if request.only_informs:
        return _end(state, BranchIsFree(f"it is not known what runs on {request.branch}: {poll.reason}"))
    contact, events = on_unavailable(state.contact, poll, now, asked_at=state.asked_at, timeout=request.unreachable_s)
    state = state._replace(contact=contact)
    if is_timed_out(contact, now, timeout=request.unreachable_s):
        return _end(state, NoAnswer(poll.reason), events)
    return _retry(state, events, now)


def _decide_refusal(state: QueueState, poll: Denied, now: float) -> Decision[QueueState]:
    request = state.request
    if request.only_informs:
        return _end(state, BranchIsFree(f"it is not known what runs on {request.branch}: {poll.reason}"))
    contact, events = on_denied(state.contact, poll, now, asked_at=state.asked_at, timeout=request.unreachable_s)
    state = state._replace(contact=contact)
    if is_refusal_believed(contact, poll, now, timeout=request.unreachable_s):
        return _end(state, PushRefused(poll.reason, poll.hint), events)
    return _retry(state, events, now)


def _retry(state: QueueState, events: tuple[Event, ...], now: float) -> Decision[QueueState]:
    """Poll again later; the timeout of the wait also ends an outage."""
    if now >= state.request.timeout_at:
        return _end(state, StillBusy(describe_occupants(state.occupants) or "CI does not respond"), events)
    if seconds_to_heartbeat(state.last_event_at, now) <= 0:
        events += (Waiting(reason="no usable response from CI yet", elapsed=now - state.began_at),)
    if events:
        state = state._replace(last_event_at=now)
    delay = retry_delay(state.contact, now, _BACKOFF)
    return _continue(state, events, max(delay, REFUSAL_RETRY_S) if state.contact.refusals else delay, now)


def _continue(state: QueueState, events: tuple[Event, ...], delay: float, now: float) -> Decision[QueueState]:
    delay = max(MIN_DELAY_S, min(delay, state.request.timeout_at - now))
    state = state._replace(asked_at=now + delay)
    return Decision(state, events, delay, request_at=min(state.contact.retry_at, state.request.timeout_at))


def _end(state: QueueState, result: QueueResult, events: tuple[Event, ...] = ()) -> Decision[QueueState]:
    return Decision(state._replace(result=result), events)


def _identify(occupants: Occupants) -> tuple[object, ...]:
    return (occupants.awaited_tip, *((row.run, row.status) for row in occupants.active))


def _report_pipelines(state: QueueState, found: Occupants, rows: tuple[Pipeline, ...]) -> tuple[Event, ...]:
    """Return an event for each pipeline that is waited for and has changed, its end included."""
    before = {row.run: row for row in state.occupants.active}
    now = {row.run: row for row in rows}
    usual = find_usual_duration(rows)
    gone = tuple(row for run, row in before.items() if run not in now)
    shown = (*found.active, *(now[run] for run in before if run in now and now[run].status.is_final))
    changed = (row for row in shown if row.run not in before or before[row.run].status != row.status)
    return (
        *(_report_pipeline(row, row.raw_status or row.status.value, usual) for row in changed),
        *(_report_pipeline(row, REMOVED_STATUS, None) for row in gone),
    )


def _report_pipeline(row: Pipeline, status: str, usual_s: float | None) -> PipelineChanged:
    return PipelineChanged(
        number=row.number,
        trigger=row.event,
        ref=row.ref,
        status=status,
        url=row.url,
        sha=row.commit,
        deciding=False,
        note="on the target branch",
        started=row.started,
        expected=usual_s,
    )
