"""Looks that show no workload: for how long each kind is borne, and what it comes to."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks import durations
from homelab_hooks.deploy.question import Outcome
from homelab_hooks.deploy.state import State, say
from homelab_hooks.events import Event, LostContact, RolloutChanged
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Missed, Turn

GONE = 10.0
"""seconds that a workload which vanished is given to come back: some tools create it anew"""
TELL_LOST = 5.0
"""seconds without a usable answer after which it is said"""
DENIALS = 3
"""looks that must be refused in a row before it is believed, where the same had been allowed before"""
_SLOWEST = 8.0
_SHORTEST = 0.1
_POLL = 1.5


def absent(state: State, reason: str, now: float) -> Turn[State]:
    """The workload is not there, or on its way out."""
    state = replace(state, contact=replace(state.contact, worked=True, denials=0), settling=None)
    if not state.uid:
        return _never_there(state, reason)
    since = now if state.gone_since is None else state.gone_since
    state = replace(state, gone_since=since, holding=f"it was deleted ({reason}); waiting for it to come back")
    if now - since < GONE:
        step = _say(state, "gone", reason)
        return Turn(step.state, step.events, min(_POLL, since + GONE - now))
    outcome = Outcome(
        exit=Exit.ROLLOUT_UNPROVEN, reason="it was deleted", hint="create it again, then ask again", image=state.came
    )
    return _say(replace(state, outcome=outcome), "unproven", "it was deleted")


def _never_there(state: State, reason: str) -> Turn[State]:
    if state.terms.wait_for_workload:
        return _say(replace(state, holding=f"waiting for it to be created ({reason})"), "missing", reason)
    hint = "check the target's spelling and the context, or wait for it to be created with --wait-for-workload"
    outcome = Outcome(exit=Exit.ROLLOUT_UNPROVEN, reason=reason or "it does not exist", hint=hint)
    return _say(replace(state, outcome=outcome), "unproven", reason)


def missed(state: State, look: Missed, now: float) -> Turn[State]:
    """No usable answer: borne for the unreachable-timeout, with looks ever further apart."""
    if not state.contact.misses:  # nobody asked before the look was due, so that was no silence
        asked = min(now, max(state.contact.last, state.track.due))
        state = replace(state, contact=replace(state.contact, last=asked))
    away = now - state.contact.last
    left = state.terms.unreachable - away
    if left <= 0:
        reason = f"no usable answer from the cluster for {durations.text(state.terms.unreachable)}: {look.reason}"
        hint = "check the network and the API server's address; the same command continues"
        return Turn(replace(state, outcome=Outcome(exit=Exit.UNREACHABLE, reason=reason, hint=hint, image=state.came)))
    tell = away >= TELL_LOST and not state.contact.told
    events: tuple[Event, ...] = (LostContact(reason=look.reason, patience=left),) if tell else ()
    contact = replace(state.contact, misses=state.contact.misses + 1, told=state.contact.told or tell)
    wait = min(_SLOWEST, 2.0 ** min(state.contact.misses, 3)) if look.retry_after is None else look.retry_after
    quiet = left if contact.told else max(TELL_LOST - away, _SHORTEST)  # the next look is in time to say it
    return Turn(replace(state, contact=contact), events, min(wait, left, quiet))


def denied(state: State, look: Denied) -> Turn[State]:
    """A refusal: believed at once, unless the same had been allowed before and it may pass."""
    contact = replace(state.contact, denials=state.contact.denials + 1)
    state = replace(state, contact=contact, holding=look.reason)
    if contact.worked and not look.final and contact.denials < DENIALS:
        return Turn(state, (), 2.0)
    return Turn(replace(state, outcome=Outcome(exit=look.exit, reason=look.reason, hint=look.hint, image=state.came)))


def out_of_time(state: State) -> Outcome:
    """The time given ran out."""
    what = "is not rolled out" if state.came else f"{state.question.short} did not come"
    reason = f"{what} within {durations.text(state.terms.timeout)}: {state.holding or 'the cluster did not answer'}"
    return Outcome(exit=Exit.TIMEOUT, reason=reason, hint="the same command continues", image=state.came)


def _say(state: State, phase: str, detail: str) -> Turn[State]:
    return say(state, RolloutChanged(target=str(state.target), phase=phase, detail=detail))
