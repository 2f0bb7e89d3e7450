"""The machine of one workload: what a look makes of what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from homelab_hooks.deploy import poll_interval
from homelab_hooks.deploy.assessment import (
    Assessment,
    Deleting,
    ImagePending,
    ImageUnproven,
    RolloutComplete,
    RolloutFailed,
    RolloutHistory,
    RolloutProgressing,
)
from homelab_hooks.deploy.contact import on_denied, on_missing, on_unavailable, timed_out
from homelab_hooks.deploy.kubernetes import pod_failures
from homelab_hooks.deploy.kubernetes.assess import assess, split_pods
from homelab_hooks.deploy.kubernetes.commit_match import NewerCommit, SameCommit, match_commit
from homelab_hooks.deploy.request import RolloutObservation, RolloutOutcome, Snapshot, WorkloadOnly
from homelab_hooks.deploy.state import ClusterContact, PodProgress, RolloutState, Settling, report_if_new
from homelab_hooks.events import ContactRestored, RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import ReplicaCounts, Workload
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text import durations

MIN_DELAY_S = 0.01
"""seconds that always pass between two looks"""
PHASES_WITH_COUNTS = frozenset({"rolling", "held", "settling"})
"""phases in which the counters are worth telling"""


def decide(state: RolloutState, look: Poll[RolloutObservation], now: float) -> Decision[RolloutState]:
    """One look further. The look is judged first, then the time; a settle time that has begun is finished."""
    match look:
        case Found(sighting):
            step = _on_observation(state, sighting, now)
        case NotFound(reason):
            step = on_missing(state, reason, now)
        case Unavailable():
            step = on_unavailable(state, look, now)
        case Denied():
            step = on_denied(state, look)
        case _:
            assert_never(look)
    if not isinstance(look, Unavailable):
        step = _on_answer(step, state, now)
    return _schedule(step, now)


def _on_observation(state: RolloutState, sighting: RolloutObservation, now: float) -> Decision[RolloutState]:
    match sighting:
        case Snapshot():
            return _on_snapshot(state, sighting, now)
        case WorkloadOnly(workload=workload, watched=watched):
            return _on_counters(state, workload, now, watched=watched)


def _on_answer(step: Decision[RolloutState], before: RolloutState, now: float) -> Decision[RolloutState]:
    """An answer came, whatever it said: contact is there."""
    events = (
        (ContactRestored(away=now - before.contact.last_answer_at), *step.events)
        if before.contact.reported_lost
        else step.events
    )
    denials, worked = step.state.contact.denial_count, step.state.contact.had_answer
    contact = ClusterContact(last_answer_at=now, had_answer=worked, denial_count=denials)
    return Decision(replace(step.state, contact=contact), events, step.delay)


def _schedule(step: Decision[RolloutState], now: float) -> Decision[RolloutState]:
    state = step.state
    if state.outcome is not None:
        return Decision(state, step.events, None)
    if now >= state.deadline and state.settling is None:
        return Decision(replace(state, outcome=timed_out(state)), step.events, None)
    wait = poll_interval.next_delay(state, now) if step.delay is None else step.delay
    left = state.deadline - now if state.settling is None else state.settling.since + state.timeouts.settle - now
    wait = max(MIN_DELAY_S, min(wait, left)) if left > 0 else wait
    return Decision(replace(state, track=replace(state.track, due_at=now + wait)), step.events, wait)


def _on_counters(state: RolloutState, workload: Workload, now: float, *, watched: bool) -> Decision[RolloutState]:
    """The counters moved, or the time for a look had come; what the last snapshot was judged to be still holds."""
    state = replace(state, track=poll_interval.record_poll(state.track, workload, now, watched=watched))
    told, counts = state.last_report, workload.counts
    if told is None or told.phase not in PHASES_WITH_COUNTS:
        return Decision(state)
    if told.phase == "rolling" and not told.detail:
        state = replace(state, waiting_for=_pod_counts(counts))
    old = max(0, counts.total - counts.updated)
    return report_if_new(state, _rollout_event(state, told.phase, told.detail, counts, old))


def _on_snapshot(state: RolloutState, snapshot: Snapshot, now: float) -> Decision[RolloutState]:
    workload = snapshot.workload
    named = match_commit(snapshot, state.expectation)
    proves = isinstance(named, SameCommit | NewerCommit)
    first = not state.uid
    if state.uid and workload.uid != state.uid:
        if not proves:
            reason = f"it was deleted and created again without the commit: it runs {named.image}"
            return Decision(
                replace(state, outcome=RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason, image=named.image))
            )
        track = replace(state.track, last_snapshot=None)
        state = replace(state, pod_progress=None, first_restarts={}, evidence=(), settling=None, track=track)
    contact = replace(state.contact, had_answer=True, denial_count=0)
    gone = state.gone_since if workload.deleting else None
    track = poll_interval.record_poll(state.track, workload, now, watched=snapshot.watched)
    track = (
        track
        if snapshot.without_pods
        else replace(
            track, last_snapshot=snapshot, last_snapshot_at=now if snapshot.taken_at is None else snapshot.taken_at
        )
    )
    state = replace(state, uid=workload.uid, contact=contact, gone_since=gone, track=track)
    state, past = _update_history(state, snapshot, now, first=first, proves=proves)
    judgement = assess(snapshot, state.expectation, past)
    if proves:
        state = replace(state, proven_image=named.image)
    elif not state.proven_image and named.image not in state.previous_images:
        state = replace(state, previous_images=(*state.previous_images, named.image))
    return _apply(state, judgement, snapshot, now)


def _update_history(
    state: RolloutState, snapshot: Snapshot, now: float, *, first: bool, proves: bool
) -> tuple[RolloutState, RolloutHistory]:
    """Take the new pods' troubles and progress into account."""
    kind = state.target.kind
    if snapshot.without_pods:
        return state, RolloutHistory(
            kind=kind,
            first_restarts=first,
            proven_image=state.proven_image,
            previous_images=state.previous_images,
            evidence=state.evidence,
        )
    new, old = split_pods(snapshot, kind)
    restarts = {**{pod.uid: pod.restarts for pod in new}, **state.first_restarts}
    marks = PodProgress(sum(pod.ready for pod in new), len(old))
    before = state.pod_progress
    moved = (
        bool(new) and marks.ready == len(new)
        if before is None
        else marks.ready > before.ready or marks.old < before.old
    )
    evidence = state.evidence
    if proves:
        seen = pod_failures.find_problems(new, restarts, snapshot.workload.cannot_create)
        evidence = pod_failures.update_ages(state.evidence, seen, now)
    past = RolloutHistory(
        kind=kind,
        first_restarts=first,
        proven_image=state.proven_image,
        previous_images=state.previous_images,
        progressed=moved,
        evidence=evidence,
        fatal=pod_failures.fatal_problem(evidence, kind, now),
    )
    return replace(state, pod_progress=marks, first_restarts=restarts, evidence=evidence), past


def _apply(state: RolloutState, judgement: Assessment, snapshot: Snapshot, now: float) -> Decision[RolloutState]:
    match judgement:
        case Deleting():
            return on_missing(state, "it is being deleted", now)
        case ImagePending(detail):
            return _report(replace(state, settling=None, waiting_for=detail), "waiting", detail, snapshot)
        case ImageUnproven(reason, hint, image):
            outcome = RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason, hint=hint, image=image)
            return _report(replace(state, outcome=outcome), "unproven", reason, snapshot)
        case RolloutFailed(reason, image, crashed):
            hint = f"see `kubectl -n {state.target.namespace} describe {state.target.kind}/{state.target.name}`"
            outcome = RolloutOutcome(
                exit=ExitCode.ROLLOUT_FAILED, reason=reason, hint=hint, image=image, crashed_container=crashed
            )
            return _report(replace(state, outcome=outcome), "failed", reason, snapshot)
        case RolloutProgressing():
            return _on_progressing(replace(state, settling=None), judgement, snapshot, now)
        case RolloutComplete(image, detail):
            return _on_complete(state, image, detail, snapshot, now)


def _on_progressing(
    state: RolloutState, judgement: RolloutProgressing, snapshot: Snapshot, now: float
) -> Decision[RolloutState]:
    progress = _pod_counts(snapshot.workload.counts)
    state = replace(state, waiting_for=judgement.blocked_by or judgement.detail or progress)
    step = _report(
        state, "held" if judgement.blocked_by else "rolling", judgement.blocked_by or judgement.detail, snapshot
    )
    if not judgement.blocked_by or judgement.blocked_by == state.reported_block:
        return step
    said = Waiting(
        reason=f"{state.target}: {judgement.blocked_by}", remedy=judgement.blocked_hint, elapsed=now - state.began
    )
    return Decision(replace(step.state, reported_block=judgement.blocked_by), (*step.events, said), step.delay)


def _on_complete(
    state: RolloutState, image: str, detail: str, snapshot: Snapshot, now: float
) -> Decision[RolloutState]:
    new, _ = split_pods(snapshot, state.target.kind)
    restarts = {pod.uid: pod.restarts for pod in new}
    settling = state.settling
    if settling is None or any(count > settling.restarts.get(uid, count) for uid, count in restarts.items()):
        settling = Settling(now, restarts)
    state = replace(
        state,
        settling=settling,
        waiting_for=f"done; must stay so for {durations.format_duration(state.timeouts.settle)}",
    )
    if now - settling.since < state.timeouts.settle:
        return _report(state, "settling", detail, snapshot)
    outcome = RolloutOutcome(exit=ExitCode.OK, reason=f"runs {image}{f' ({detail})' if detail else ''}", image=image)
    return _report(replace(state, outcome=outcome), "deployed", detail or image, snapshot)


def _report(state: RolloutState, phase: str, detail: str, snapshot: Snapshot) -> Decision[RolloutState]:
    """Say where the workload is, if that is news."""
    old = None if phase == "waiting" or state.pod_progress is None else state.pod_progress.old
    return report_if_new(state, _rollout_event(state, phase, detail, snapshot.workload.counts, old))


def _rollout_event(
    state: RolloutState, phase: str, detail: str, counts: ReplicaCounts, old: int | None
) -> RolloutChanged:
    return RolloutChanged(
        target=str(state.target), phase=phase, detail=detail, desired=counts.desired, updated=counts.updated,
        ready=counts.ready, available=counts.available, old=old,
    )  # fmt: skip


def _pod_counts(counts: ReplicaCounts) -> str:
    return f"{counts.updated} of {counts.desired} updated, {counts.available} available"
