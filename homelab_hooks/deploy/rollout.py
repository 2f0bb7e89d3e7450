"""The machine of one workload: what a look makes of what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from homelab_hooks import durations
from homelab_hooks.deploy import pace, trouble
from homelab_hooks.deploy.judge import judge, split
from homelab_hooks.deploy.judgement import Awaiting, Complete, Failed, Judgement, Past, Rolling, Unproven, Vanishing
from homelab_hooks.deploy.patience import absent, denied, missed, out_of_time
from homelab_hooks.deploy.question import Glimpse, Outcome, Sighting, Snapshot
from homelab_hooks.deploy.standing import Newer, Ours, standing
from homelab_hooks.deploy.state import Contact, Marks, Settling, State, say
from homelab_hooks.events import Back, RolloutChanged, Waiting
from homelab_hooks.exits import Exit
from homelab_hooks.kubectl.facts import Counts, Workload
from homelab_hooks.looks import Absent, Denied, Look, Missed, Seen, Turn

SHORTEST = 0.01
"""seconds that always pass between two looks"""
MOVING = frozenset({"rolling", "held", "settling"})
"""phases in which the counters are worth telling"""


def turn(state: State, look: Look[Sighting], now: float) -> Turn[State]:
    """One look further. The look is judged first, then the time; a settle time that has begun is finished."""
    match look:
        case Seen(sighting):
            step = _sighted(state, sighting, now)
        case Absent(reason):
            step = absent(state, reason, now)
        case Missed():
            step = missed(state, look, now)
        case Denied():
            step = denied(state, look)
        case _:
            assert_never(look)
    if not isinstance(look, Missed):
        step = _answered(step, state, now)
    return _timed(step, now)


def _sighted(state: State, sighting: Sighting, now: float) -> Turn[State]:
    match sighting:
        case Snapshot():
            return _seen(state, sighting, now)
        case Glimpse(workload=workload, watched=watched):
            return _glimpsed(state, workload, now, watched=watched)


def _answered(step: Turn[State], before: State, now: float) -> Turn[State]:
    """An answer came, whatever it said: contact is there."""
    events = (Back(away=now - before.contact.last), *step.events) if before.contact.told else step.events
    denials, worked = step.state.contact.denials, step.state.contact.worked
    contact = Contact(last=now, worked=worked, denials=denials)
    return Turn(replace(step.state, contact=contact), events, step.wait)


def _timed(step: Turn[State], now: float) -> Turn[State]:
    state = step.state
    if state.outcome is not None:
        return Turn(state, step.events, None)
    if now >= state.deadline and state.settling is None:
        return Turn(replace(state, outcome=out_of_time(state)), step.events, None)
    wait = pace.wait(state, now) if step.wait is None else step.wait
    left = state.deadline - now if state.settling is None else state.settling.since + state.terms.settle - now
    wait = max(SHORTEST, min(wait, left)) if left > 0 else wait
    return Turn(replace(state, track=replace(state.track, due=now + wait)), step.events, wait)


def _glimpsed(state: State, workload: Workload, now: float, *, watched: bool) -> Turn[State]:
    """The counters moved, or the time for a look had come; what the last snapshot was judged to be still holds."""
    state = replace(state, track=pace.noted(state.track, workload, now, watched=watched))
    told, counts = state.told, workload.counts
    if told is None or told.phase not in MOVING:
        return Turn(state)
    if told.phase == "rolling" and not told.detail:
        state = replace(state, holding=_progress(counts))
    old = max(0, counts.total - counts.updated)
    return say(state, _rollout_event(state, told.phase, told.detail, counts, old))


def _seen(state: State, snapshot: Snapshot, now: float) -> Turn[State]:
    workload = snapshot.workload
    named = standing(snapshot, state.question)
    proves = isinstance(named, Ours | Newer)
    first = not state.uid
    if state.uid and workload.uid != state.uid:
        if not proves:
            reason = f"it was deleted and created again without the commit: it runs {named.image}"
            return Turn(replace(state, outcome=Outcome(exit=Exit.ROLLOUT_UNPROVEN, reason=reason, image=named.image)))
        track = replace(state.track, whole=None)
        state = replace(state, marks=None, first_restarts={}, evidence=(), settling=None, track=track)
    contact = replace(state.contact, worked=True, denials=0)
    gone = state.gone_since if workload.deleting else None
    track = pace.noted(state.track, workload, now, watched=snapshot.watched)
    track = (
        track
        if snapshot.bare
        else replace(track, whole=snapshot, whole_at=now if snapshot.taken is None else snapshot.taken)
    )
    state = replace(state, uid=workload.uid, contact=contact, gone_since=gone, track=track)
    state, past = _remember(state, snapshot, now, first=first, proves=proves)
    judgement = judge(snapshot, state.question, past)
    if proves:
        state = replace(state, came=named.image)
    elif not state.came and named.image not in state.earlier:
        state = replace(state, earlier=(*state.earlier, named.image))
    return _judged(state, judgement, snapshot, now)


def _remember(state: State, snapshot: Snapshot, now: float, *, first: bool, proves: bool) -> tuple[State, Past]:
    """Take the new pods' troubles and progress into account."""
    kind = state.target.kind
    if snapshot.bare:
        return state, Past(kind=kind, first=first, came=state.came, earlier=state.earlier, evidence=state.evidence)
    new, old = split(snapshot, kind)
    restarts = {**{pod.uid: pod.restarts for pod in new}, **state.first_restarts}
    marks = Marks(sum(pod.ready for pod in new), len(old))
    before = state.marks
    moved = (
        bool(new) and marks.ready == len(new)
        if before is None
        else marks.ready > before.ready or marks.old < before.old
    )
    evidence = state.evidence
    if proves:
        seen = trouble.troubles(new, restarts, snapshot.workload.cannot_create)
        evidence = trouble.aged(state.evidence, seen, now)
    past = Past(
        kind=kind, first=first, came=state.came, earlier=state.earlier, moved=moved, evidence=evidence,
        hopeless=trouble.hopeless(evidence, kind, now),
    )  # fmt: skip
    return replace(state, marks=marks, first_restarts=restarts, evidence=evidence), past


def _judged(state: State, judgement: Judgement, snapshot: Snapshot, now: float) -> Turn[State]:
    match judgement:
        case Vanishing():
            return absent(state, "it is being deleted", now)
        case Awaiting(detail):
            return _tell(replace(state, settling=None, holding=detail), "waiting", detail, snapshot)
        case Unproven(reason, hint, image):
            outcome = Outcome(exit=Exit.ROLLOUT_UNPROVEN, reason=reason, hint=hint, image=image)
            return _tell(replace(state, outcome=outcome), "unproven", reason, snapshot)
        case Failed(reason, image, crashed):
            hint = f"see `kubectl -n {state.target.namespace} describe {state.target.kind}/{state.target.name}`"
            outcome = Outcome(exit=Exit.ROLLOUT_FAILED, reason=reason, hint=hint, image=image, crashed=crashed)
            return _tell(replace(state, outcome=outcome), "failed", reason, snapshot)
        case Rolling():
            return _rolling(replace(state, settling=None), judgement, snapshot, now)
        case Complete(image, detail):
            return _complete(state, image, detail, snapshot, now)


def _rolling(state: State, judgement: Rolling, snapshot: Snapshot, now: float) -> Turn[State]:
    progress = _progress(snapshot.workload.counts)
    state = replace(state, holding=judgement.held or judgement.detail or progress)
    step = _tell(state, "held" if judgement.held else "rolling", judgement.held or judgement.detail, snapshot)
    if not judgement.held or judgement.held == state.said_held:
        return step
    said = Waiting(reason=f"{state.target}: {judgement.held}", remedy=judgement.remedy, elapsed=now - state.began)
    return Turn(replace(step.state, said_held=judgement.held), (*step.events, said), step.wait)


def _complete(state: State, image: str, detail: str, snapshot: Snapshot, now: float) -> Turn[State]:
    new, _ = split(snapshot, state.target.kind)
    restarts = {pod.uid: pod.restarts for pod in new}
    settling = state.settling
    if settling is None or any(count > settling.restarts.get(uid, count) for uid, count in restarts.items()):
        settling = Settling(now, restarts)
    state = replace(state, settling=settling, holding=f"done; must stay so for {durations.text(state.terms.settle)}")
    if now - settling.since < state.terms.settle:
        return _tell(state, "settling", detail, snapshot)
    outcome = Outcome(exit=Exit.OK, reason=f"runs {image}{f' ({detail})' if detail else ''}", image=image)
    return _tell(replace(state, outcome=outcome), "deployed", detail or image, snapshot)


def _tell(state: State, phase: str, detail: str, snapshot: Snapshot) -> Turn[State]:
    """Say where the workload is, if that is news."""
    old = None if phase == "waiting" or state.marks is None else state.marks.old
    return say(state, _rollout_event(state, phase, detail, snapshot.workload.counts, old))


def _rollout_event(state: State, phase: str, detail: str, counts: Counts, old: int | None) -> RolloutChanged:
    return RolloutChanged(
        target=str(state.target), phase=phase, detail=detail, desired=counts.desired, updated=counts.updated,
        ready=counts.ready, available=counts.available, old=old,
    )  # fmt: skip


def _progress(counts: Counts) -> str:
    return f"{counts.updated} of {counts.desired} updated, {counts.available} available"
