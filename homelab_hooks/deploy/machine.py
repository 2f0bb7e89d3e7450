"""The machine of one workload: what a look makes of what is known."""

from __future__ import annotations

from collections.abc import Callable
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
    RolloutProgressing,
)
from homelab_hooks.deploy.contact import on_denied, on_missing, on_unavailable, timed_out
from homelab_hooks.deploy.proof import Assessed, InstanceCounts, Seen
from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import ClusterContact, RolloutState, Settling, report_if_new
from homelab_hooks.events import ContactRestored, RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text import durations

Assess = Callable[[Seen, RolloutState, float], Assessed]
"""`DeliveryProbe.assess`"""
MIN_DELAY_S = 0.01
"""seconds that always pass between two looks"""
PHASES_WITH_COUNTS = frozenset({"rolling", "held", "settling"})
"""phases in which the counters are worth telling"""


def decide(state: RolloutState, look: Poll[Seen], now: float, *, assess: Assess[Seen]) -> Decision[RolloutState]:
    """One look further. The look is judged first, then the time; a settle time that has begun is finished."""
    match look:
        case Found(seen):
            step = _on_assessed(state, assess(seen, state, now), now)
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
    return Decision(replace(state, due_at=now + wait), step.events, wait)


def _on_assessed(state: RolloutState, seen: Assessed, now: float) -> Decision[RolloutState]:
    recreated = bool(state.uid) and seen.assessment is not None and seen.identity != state.uid
    if recreated and not seen.proves:
        reason = f"it was deleted and created again without the commit: it runs {seen.image}"
        return Decision(
            replace(state, outcome=RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason, image=seen.image))
        )
    state = replace(state, pace=seen.pace, memory=seen.memory)
    if seen.assessment is None:
        return _on_counters(state, seen.progress)
    state = replace(
        state,
        uid=seen.identity,
        contact=replace(state.contact, had_answer=True, denial_count=0),
        gone_since=state.gone_since if isinstance(seen.assessment, Deleting) else None,
        settling=None if recreated else state.settling,
    )
    if seen.proves:
        state = replace(state, proven_image=seen.image)
    elif not state.proven_image and seen.image not in state.previous_images:
        state = replace(state, previous_images=(*state.previous_images, seen.image))
    return _apply(state, seen.assessment, seen.progress, now)


def _on_counters(state: RolloutState, progress: InstanceCounts) -> Decision[RolloutState]:
    """The counters moved, or the time for a look had come; the assessment of the last full look still holds."""
    told = state.last_report
    if told is None or told.phase not in PHASES_WITH_COUNTS:
        return Decision(state)
    if told.phase == "rolling" and not told.detail:
        state = replace(state, waiting_for=_describe_progress(progress))
    return report_if_new(state, _rollout_event(state, told.phase, told.detail, progress))


def _apply(state: RolloutState, judgement: Assessment, progress: InstanceCounts, now: float) -> Decision[RolloutState]:
    match judgement:
        case Deleting():
            return on_missing(state, "it is being deleted", now)
        case ImagePending(detail):
            return _report(replace(state, settling=None, waiting_for=detail), "waiting", detail, progress)
        case ImageUnproven(reason, hint, image):
            outcome = RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason, hint=hint, image=image)
            return _report(replace(state, outcome=outcome), "unproven", reason, progress)
        case RolloutFailed(reason, image, hint, crashed):
            outcome = RolloutOutcome(
                exit=ExitCode.ROLLOUT_FAILED, reason=reason, hint=hint, image=image, crashed_container=crashed
            )
            return _report(replace(state, outcome=outcome), "failed", reason, progress)
        case RolloutProgressing():
            return _on_progressing(replace(state, settling=None), judgement, progress, now)
        case RolloutComplete():
            return _on_complete(state, judgement, progress, now)


def _on_progressing(
    state: RolloutState, judgement: RolloutProgressing, progress: InstanceCounts, now: float
) -> Decision[RolloutState]:
    waiting_for = judgement.blocked_by or judgement.detail or _describe_progress(progress)
    state = replace(state, waiting_for=waiting_for)
    step = _report(
        state, "held" if judgement.blocked_by else "rolling", judgement.blocked_by or judgement.detail, progress
    )
    if not judgement.blocked_by or judgement.blocked_by == state.reported_block:
        return step
    said = Waiting(
        reason=f"{state.target}: {judgement.blocked_by}", remedy=judgement.blocked_hint, elapsed=now - state.began
    )
    return Decision(replace(step.state, reported_block=judgement.blocked_by), (*step.events, said), step.delay)


def _on_complete(
    state: RolloutState, complete: RolloutComplete, progress: InstanceCounts, now: float
) -> Decision[RolloutState]:
    image, detail, restarts = complete.image, complete.detail, complete.restarts
    settling = state.settling
    if settling is None or any(count > settling.restarts.get(uid, count) for uid, count in restarts.items()):
        settling = Settling(now, restarts)
    state = replace(
        state,
        settling=settling,
        waiting_for=f"done; must stay so for {durations.format_duration(state.timeouts.settle)}",
    )
    if now - settling.since < state.timeouts.settle:
        return _report(state, "settling", detail, progress)
    outcome = RolloutOutcome(exit=ExitCode.OK, reason=f"runs {image}{f' ({detail})' if detail else ''}", image=image)
    return _report(replace(state, outcome=outcome), "deployed", detail or image, progress)


def _report(state: RolloutState, phase: str, detail: str, progress: InstanceCounts) -> Decision[RolloutState]:
    """Say where the rollout is, if that is news."""
    shown = replace(progress, old=None) if phase == "waiting" else progress
    return report_if_new(state, _rollout_event(state, phase, detail, shown))


def _rollout_event(state: RolloutState, phase: str, detail: str, progress: InstanceCounts) -> RolloutChanged:
    return RolloutChanged(
        target=str(state.target), phase=phase, detail=detail, desired=progress.desired, updated=progress.updated,
        ready=progress.ready, available=progress.available, old=progress.old,
    )  # fmt: skip


def _describe_progress(progress: InstanceCounts) -> str:
    return f"{progress.updated} of {progress.desired} updated, {progress.available} available"
