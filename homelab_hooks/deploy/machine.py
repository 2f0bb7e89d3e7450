"""Decides one rollout: from the state and one poll to the next state, the events, and the time of the next poll.

Theory of operation
===================

The machine is the function `decide`. It does no input or output and reads no clock. `deploy/run.py` polls, calls it,
reports the events it returns and sleeps for the delay; `deploy/targets.py` runs one machine for each target.

States. `RolloutState` holds facts. It has no field for the state, which follows from the facts:

    no workload yet     `uid` is empty
    waiting             a workload was seen; `proven_image` is empty: nothing on it names the commit yet
    rolling             `proven_image` is set and `settling` is None: the image came and is being rolled out
    settling            `settling` is set: the rollout is complete and must stay so for the settle time
    gone                `gone_since` is set: the workload was deleted, or is being deleted, after it was seen
    decided             `outcome` is set; the delay is then None and no poll is taken any more

Two facts are independent of these: whether the server answers (`contact`), and how soon to poll again (`timing`).

Inputs. A poll is one of four values (`polling.outcome.Poll`), and each goes to one function:

    Found        the probe's `assess` assesses it, then `_on_assessed`
    NotFound     `on_missing`: it does not exist; unproven at once, unless it is waited for or had been seen
    Unavailable  `on_unavailable`: nothing is known about the rollout; only the unreachable-timeout counts
    Denied       `on_denied`: decided at once, unless the same had worked before; then it counts as no response until
                 it is final (`polling/contact.py`)

The assessment of a poll (`assessment.Assessment`) changes the state as follows. A poll that only counts instances has
no assessment and changes nothing; it is reported if the counts changed.

    ImagePending         waiting; ends a settle time
    ImageUnproven        decided: 10, it cannot be shown that the commit runs, and waiting would not change that
    RolloutProgressing   rolling; ends a settle time; what blocks it is reported once
    RolloutFailed        decided: 9
    RolloutComplete      settling; decided: 0 once it has been so for the settle time
    Deleting             gone

Where it is not known yet what an image is (a registry does not answer, a pod has no digest), the assessment is
`undecided`: nothing is concluded from it, neither a replacement nor another workload. `at_timeout` is its result if
time runs out meanwhile.

Invariants, and what each prevents:

* Success is decided only by a poll that itself shows a complete rollout of the proving image. No number of
  polls, no watch event and no elapsed time replaces it; a watch only ends a sleep early (ADR 10).
  `tests/deploy/test_never_early.py` searches for a history that breaks this.
* The poll is applied before the time is counted. A verdict that arrives with the last poll is not discarded, and a
  settle time that began before the deadline is finished after it.
* The settle time begins when the assessment is made, or earlier if the probe knows that nothing has changed since
  (`RolloutComplete.since`).
* A restart during the settle time starts it again: a crash loop looks complete at intervals.
* Once an image has proven the commit, its replacement by another is a failure (a rollback), not a reason to wait.
* A workload that was deleted and created again is the same rollout only if it names the commit; its settle time then
  starts again, and the probe discards the old instances.
* A poll without a usable response changes nothing but `contact`, and the text that names what is waited for. So a
  connection that comes and goes neither fails a rollout nor resets a settle time.
* The next poll is never later than the deadline, or than the end of the settle time, and never at once
  (`MIN_DELAY_S`): a probe that always answers cannot make the loop spin.

Why the state is opaque to the machine where it concerns instances: what fails, and for how long, is known in the
vendor's terms (a pod, a ReplicaSet). The probe keeps it in `RolloutState.memory`, and returns only what every vendor
has: an identity, counts, an assessment, and what the poll interval depends on (`deploy/proof.py`).
"""

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
from homelab_hooks.deploy.contact import on_answer, on_denied, on_unavailable, timed_out
from homelab_hooks.deploy.missing_workload import on_missing
from homelab_hooks.deploy.proof import Assessed, InstanceCounts, Observation
from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState, Settling, report_if_new
from homelab_hooks.events import RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text import durations

Assess = Callable[[Observation, RolloutState, float], Assessed]
"""`DeliveryProbe.assess`"""
MIN_DELAY_S = 0.01
"""minimum number of seconds between two polls"""
COMPARE_WAIT_S = 60.0
"""seconds to wait until git can fetch and compare an unknown commit that has replaced the expected one"""
PHASES_WITH_COUNTS = frozenset({"progressing", "blocked", "settling"})
"""phases whose events are repeated when the counts change"""


def decide(
    state: RolloutState, poll: Poll[Observation], now: float, *, assess: Assess[Observation]
) -> Decision[RolloutState]:
    """Return the state after one poll, the events to report and the seconds until the next poll (None: decided).

    Args:
        assess: the probe's `assess`.
        now: the time in seconds, of the clock that all times in the state are measured with.
    """
    match poll:
        case Found() | NotFound():
            step = _on_answer(state, poll, now, assess)
        case Unavailable():
            step = on_unavailable(state, poll, now)
        case Denied():
            step = on_denied(state, poll, now)
        case _:
            assert_never(poll)
    return _schedule(step, now)


def _on_answer(
    state: RolloutState, poll: Found[Observation] | NotFound, now: float, assess: Assess[Observation]
) -> Decision[RolloutState]:
    """Return the decision after a usable response; after an outage, first report its end."""
    answered = on_answer(state, now)
    if isinstance(poll, NotFound):
        step = on_missing(answered.state, poll.reason, now, hint=poll.hint)
    else:
        step = _on_assessed(answered.state, assess(poll.value, answered.state, now), now)
    return Decision(step.state, (*answered.events, *step.events), step.delay)


def _schedule(step: Decision[RolloutState], now: float) -> Decision[RolloutState]:
    state = step.state
    if state.outcome is not None:
        return Decision(state, step.events, None)
    if now >= state.deadline and state.settling is None:
        at_timeout = None if state.timeouts.is_slice else state.at_timeout
        outcome = timed_out(state) if at_timeout is None else _unproven(at_timeout)
        return Decision(replace(state, outcome=outcome), step.events, None)
    wait = poll_interval.next_delay(state, now) if step.delay is None else step.delay
    left = state.deadline - now if state.settling is None else state.settling.since + state.timeouts.settle - now
    wait = max(MIN_DELAY_S, min(wait, left)) if left > 0 else wait
    return Decision(replace(state, due_at=now + wait), step.events, wait)


def _on_assessed(state: RolloutState, assessed: Assessed, now: float) -> Decision[RolloutState]:
    recreated = bool(state.uid) and assessed.assessment is not None and assessed.identity != state.uid
    if recreated and not assessed.proves and not assessed.undecided:
        reason = f"it was deleted and created again without the commit: it runs {assessed.image}"
        return Decision(
            replace(state, outcome=RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason, image=assessed.image))
        )
    state = replace(state, timing=assessed.timing, memory=assessed.memory)
    if assessed.assessment is None:
        waiting_for = f"not all of the rollout can be read: {assessed.missing}" if assessed.missing else ""
        return _on_counters(replace(state, waiting_for=waiting_for or state.waiting_for), assessed.progress)
    is_new_image = assessed.proves and assessed.image != (state.proven_image or assessed.image)
    state = replace(
        state,
        # What was created again is the same rollout only once it names the commit.
        uid=state.uid if recreated and assessed.undecided else assessed.identity,
        at_timeout=assessed.at_timeout,
        gone_since=state.gone_since if isinstance(assessed.assessment, Deleting) else None,
        unknown_since=_unknown_since(state, assessed.assessment, now),
        settling=None if recreated or is_new_image else state.settling,
    )
    if assessed.proves:
        state = replace(state, proven_image=assessed.image)
    elif not (state.proven_image or assessed.undecided) and assessed.image not in state.previous_images:
        state = replace(state, previous_images=(*state.previous_images, assessed.image))
    return _apply(state, assessed.assessment, assessed.progress, now)


def _unknown_since(state: RolloutState, assessment: Assessment, now: float) -> float | None:
    if not isinstance(assessment, RolloutFailed) or not assessment.unknown_commit:
        return None
    return now if state.unknown_since is None else state.unknown_since


def _on_counters(state: RolloutState, progress: InstanceCounts) -> Decision[RolloutState]:
    """Report counts that changed; the assessment of the last complete poll still holds."""
    last = state.last_report
    if last is None or last.phase not in PHASES_WITH_COUNTS:
        return Decision(state)
    if last.phase == "progressing" and not last.detail:
        state = replace(state, waiting_for=_describe_progress(progress))
    return report_if_new(state, _rollout_event(state, last.phase, last.detail, progress))


def _apply(state: RolloutState, assessment: Assessment, progress: InstanceCounts, now: float) -> Decision[RolloutState]:
    match assessment:
        case Deleting():
            return on_missing(state, "it is being deleted", now)
        case ImagePending(detail):
            return _report(replace(state, settling=None, waiting_for=detail), "waiting", detail, progress)
        case ImageUnproven():
            return _report(replace(state, outcome=_unproven(assessment)), "unproven", assessment.reason, progress)
        case RolloutFailed():
            return _on_failed(state, assessment, progress, now)
        case RolloutProgressing():
            return _on_progressing(replace(state, settling=None), assessment, progress, now)
        case RolloutComplete():
            return _on_complete(state, assessment, progress, now)


def _unproven(assessment: ImageUnproven) -> RolloutOutcome:
    return RolloutOutcome(
        exit=ExitCode.ROLLOUT_UNPROVEN, reason=assessment.reason, hint=assessment.hint, image=assessment.image
    )


def _on_failed(
    state: RolloutState, failed: RolloutFailed, progress: InstanceCounts, now: float
) -> Decision[RolloutState]:
    if state.unknown_since is not None and now - state.unknown_since < COMPARE_WAIT_S:
        return _report(replace(state, settling=None, waiting_for=failed.reason), "waiting", failed.reason, progress)
    outcome = RolloutOutcome(
        exit=ExitCode.ROLLOUT_FAILED,
        reason=failed.reason,
        hint=failed.hint,
        image=failed.image,
        crashed_container=failed.crashed_container,
    )
    return _report(replace(state, outcome=outcome), "failed", failed.reason, progress)


def _on_progressing(
    state: RolloutState, assessment: RolloutProgressing, progress: InstanceCounts, now: float
) -> Decision[RolloutState]:
    waiting_for = assessment.blocked_by or assessment.detail or _describe_progress(progress)
    state = replace(state, waiting_for=waiting_for)
    step = _report(
        state,
        "blocked" if assessment.blocked_by else "progressing",
        assessment.blocked_by or assessment.detail,
        progress,
    )
    if not assessment.blocked_by or assessment.blocked_by == state.reported_block:
        return step
    event = Waiting(
        reason=f"{state.target}: {assessment.blocked_by}", remedy=assessment.blocked_hint, elapsed=now - state.began
    )
    return Decision(replace(step.state, reported_block=assessment.blocked_by), (*step.events, event), step.delay)


def _on_complete(
    state: RolloutState, complete: RolloutComplete, progress: InstanceCounts, now: float
) -> Decision[RolloutState]:
    image, detail, restarts = complete.image, complete.detail, complete.restarts
    settling = state.settling
    if settling is None or any(count > settling.restarts.get(uid, count) for uid, count in restarts.items()):
        settling = Settling(now if complete.since is None else min(now, complete.since), restarts)
    state = replace(
        state,
        settling=settling,
        waiting_for=f"complete; must remain stable for {durations.format_duration(state.timeouts.settle)}",
    )
    if now - settling.since < state.timeouts.settle:
        return _report(state, "settling", detail, progress)
    notes = "; ".join(filter(None, (detail, f"identified by {complete.proof}" if complete.proof else "")))
    reason = f"runs {image}{f' ({notes})' if notes else ''}"
    outcome = RolloutOutcome(exit=ExitCode.OK, reason=reason, image=image, proof=complete.proof)
    return _report(replace(state, outcome=outcome), "deployed", detail or image, progress)


def _report(state: RolloutState, phase: str, detail: str, progress: InstanceCounts) -> Decision[RolloutState]:
    """Report the phase and the counts, if they differ from the last report."""
    shown = replace(progress, old=None) if phase == "waiting" else progress
    return report_if_new(state, _rollout_event(state, phase, detail, shown))


def _rollout_event(state: RolloutState, phase: str, detail: str, progress: InstanceCounts) -> RolloutChanged:
    return RolloutChanged(
        target=str(state.target), phase=phase, detail=detail, desired=progress.desired, updated=progress.updated,
        ready=progress.ready, available=progress.available, old=progress.old, sha=state.expectation.sha,
    )  # fmt: skip


def _describe_progress(progress: InstanceCounts) -> str:
    return f"{progress.updated} of {progress.desired} updated, {progress.available} available"
