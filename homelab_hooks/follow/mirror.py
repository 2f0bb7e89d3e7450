"""The link that waits until a mirror has the commit.

Theory of operation.

A mirror is a remote that another server fills. Each poll asks the remote's own server for the branch. The tip is
compared with the commit by ancestry, because the mirror may have moved past it.

    poll                                          what follows
    the tip is the commit, or contains it         succeeded
    the tip is another commit, or no branch       wait; 3 once the appear-timeout has passed in contact
    no usable answer                              wait; 8 once there was none for the unreachable-timeout
    time over                                     124

Invariants: the appear-timeout counts only the time in which the server answers, so that an outage of the mirror's
server is not reported as a mirror that is out of date. Nothing is fetched into the user's refs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, assert_never

from homelab_hooks.events import Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling import contact as polling_contact
from homelab_hooks.polling.contact import Backoff, Contact
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict

POLL_INTERVAL_S = 5.0
"""seconds between two polls; a push mirror with sync_on_commit took 2 to 7 s (recording forge/06-push-mirror)"""
FIRST_INTERVAL_S = 1.0
"""seconds between two polls in the first seconds"""
FIRST_PHASE_S = 15.0
"""seconds in which the polls are frequent"""
RETRY_BACKOFF = Backoff(first_s=1.0, longest_s=15.0)
"""the delays after polls without a usable answer"""


class MirrorTip(NamedTuple):
    """The branch's commit at the mirror, and how it relates to the commit that is waited for."""

    sha: str
    containment: Containment
    behind: int | None = None
    """commits that the mirror lacks; None if it is not known"""


class MirrorLimits(NamedTuple):
    """The timeouts in seconds."""

    overall: float
    appear: float
    unreachable: float


class MirrorState(NamedTuple):
    """The state of the wait; times in seconds of the clock."""

    sha: str
    name: str
    """of the remote, for messages"""
    branch: str
    limits: MirrorLimits
    began: float
    contact: Contact
    due_at: float
    out_of_contact_s: float = 0.0
    """seconds of past silence"""
    waiting_for: str = ""
    last_event_at: float = 0.0
    verdict: Verdict | None = None


def start_mirror(sha: str, name: str, branch: str, limits: MirrorLimits, now: float) -> MirrorState:
    """Return the initial state; timeouts start now."""
    return MirrorState(sha, name, branch, limits, now, Contact(silent_since=now), due_at=now, last_event_at=now)


def decide_mirror(state: MirrorState, poll: Poll[MirrorTip], now: float) -> Decision[MirrorState]:
    """Apply one poll: first its result, then the timeouts."""
    match poll:
        case Found() | NotFound():
            state, events = _apply_answer(state, poll, now)
        case Unavailable():
            state, events = _apply_contact(state, polling_contact.on_unavailable, poll, now)
        case Denied():
            state, events = _apply_contact(state, polling_contact.on_denied, poll, now)
            if polling_contact.is_refusal_believed(state.contact, poll, now, timeout=state.limits.unreachable):
                state = _settle(state, poll.exit, poll.reason, poll.hint)
        case _:
            assert_never(poll)
    state = state if state.verdict else _check_timeouts(state, poll, now)
    if state.verdict:
        return Decision(state, events)
    if polling_contact.seconds_to_heartbeat(state.last_event_at, now) <= 0:
        events = (*events, Waiting(reason=state.waiting_for, elapsed=now - state.began))
    state = state._replace(last_event_at=now) if events else state
    delay = _next_delay(state, now)
    return Decision(state._replace(due_at=now + delay), events, delay)


def _apply_answer(
    state: MirrorState, poll: Found[MirrorTip] | NotFound, now: float
) -> tuple[MirrorState, tuple[Event, ...]]:
    silence = now - state.contact.silent_since if state.contact.misses else 0.0
    contact, events = polling_contact.on_answer(state.contact, now)
    state = state._replace(contact=contact, out_of_contact_s=state.out_of_contact_s + silence)
    if isinstance(poll, Found) and (poll.value.sha == state.sha or poll.value.containment is Containment.CONTAINS):
        return _settle(state, ExitCode.OK, _describe_success(state, poll.value)), events
    waiting_for = _describe_tip(state, poll.value) if isinstance(poll, Found) else _describe_absence(state)
    if waiting_for != state.waiting_for:
        events = (*events, Waiting(reason=waiting_for, elapsed=now - state.began))
    return state._replace(waiting_for=waiting_for), events


def _apply_contact(
    state: MirrorState,
    apply: Callable[..., tuple[Contact, tuple[Event, ...]]],
    poll: Unavailable | Denied,
    now: float,
) -> tuple[MirrorState, tuple[Event, ...]]:
    contact, events = apply(state.contact, poll, now, asked_at=state.due_at, timeout=state.limits.unreachable)
    return state._replace(contact=contact, waiting_for=state.waiting_for or f"{state.name} does not respond"), events


def _check_timeouts(state: MirrorState, poll: Poll[MirrorTip], now: float) -> MirrorState:
    limits = state.limits
    if isinstance(poll, Unavailable | Denied):
        if polling_contact.is_timed_out(state.contact, now, timeout=limits.unreachable):
            reason = f"no usable response from {state.name} for {format_duration(limits.unreachable)}: {poll.reason}"
            return _settle(state, ExitCode.UNREACHABLE, reason, poll.hint)
    elif now - state.began - state.out_of_contact_s >= limits.appear:
        what = f"{state.waiting_for} after {format_duration(limits.appear)}"
        hint = "check the mirror's settings and its last error on the forge, or synchronize it there"
        return _settle(state, ExitCode.NO_PIPELINE, what, hint)
    if now - state.began >= limits.overall:
        return _settle(state, ExitCode.TIMEOUT, f"timed out: {state.waiting_for}")
    return state


def _next_delay(state: MirrorState, now: float) -> float:
    """Return the seconds until the next poll, no later than the timeout that passes first."""
    limits = state.limits
    if state.contact.misses:
        delay = polling_contact.retry_delay(state.contact, now, RETRY_BACKOFF)
        left = state.contact.silent_since + limits.unreachable - now
    else:
        delay = FIRST_INTERVAL_S if now - state.began < FIRST_PHASE_S else POLL_INTERVAL_S
        left = state.began + state.out_of_contact_s + limits.appear - now
    return max(0.0, min(delay, left, state.began + limits.overall - now))


def _describe_success(state: MirrorState, tip: MirrorTip) -> str:
    if tip.sha == state.sha:
        return f"{state.branch} on {state.name} is at {short_sha(tip.sha)}"
    return f"{state.branch} on {state.name} is at {short_sha(tip.sha)}, which contains {short_sha(state.sha)}"


def _describe_tip(state: MirrorState, tip: MirrorTip) -> str:
    if tip.behind:
        how = f"{tip.behind} commit{'' if tip.behind == 1 else 's'} behind"
    elif tip.containment is Containment.NOT_CONTAINED:
        how = "which does not contain the commit"
    else:
        how = "a commit that is not in this repository"
    return f"{state.branch} on {state.name} is at {short_sha(tip.sha)}, {how}"


def _describe_absence(state: MirrorState) -> str:
    return f"{state.name} has no branch {state.branch}"


def _settle(state: MirrorState, exit_: ExitCode, reason: str, hint: str = "") -> MirrorState:
    return state._replace(verdict=Verdict(exit=exit_, reason=reason, hint=hint, sha=state.sha))
