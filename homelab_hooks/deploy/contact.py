"""What follows from a poll without a workload: not found, unavailable or denied."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState, report_if_new
from homelab_hooks.events import ContactLost, Event, RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Decision, Denied, Unavailable
from homelab_hooks.text import durations

RECREATE_GRACE_S = 10.0
"""seconds that a deleted workload has to be created again, as some tools do"""
REPORT_LOST_AFTER_S = 5.0
"""seconds without a usable answer after which that is reported"""
MAX_DENIALS = 3
"""denials in a row that are needed after an earlier success"""
_MAX_BACKOFF_S = 8.0
_MIN_DELAY_S = 0.1
_RETRY_INTERVAL_S = 1.5


def on_missing(state: RolloutState, reason: str, now: float) -> Decision[RolloutState]:
    """The workload does not exist, or is being deleted."""
    state = replace(state, contact=replace(state.contact, had_answer=True, denial_count=0), settling=None)
    if not state.uid:
        return _missing_from_start(state, reason)
    since = now if state.gone_since is None else state.gone_since
    state = replace(state, gone_since=since, waiting_for=f"it was deleted ({reason}); waiting for it to come back")
    if now - since < RECREATE_GRACE_S:
        step = _report(state, "gone", reason)
        return Decision(step.state, step.events, min(_RETRY_INTERVAL_S, since + RECREATE_GRACE_S - now))
    outcome = RolloutOutcome(
        exit=ExitCode.ROLLOUT_UNPROVEN,
        reason="it was deleted",
        hint="create it again, then run the same command again",
        image=state.proven_image,
    )
    return _report(replace(state, outcome=outcome), "unproven", "it was deleted")


def _missing_from_start(state: RolloutState, reason: str) -> Decision[RolloutState]:
    if state.timeouts.wait_for_workload:
        return _report(replace(state, waiting_for=f"waiting for it to be created ({reason})"), "missing", reason)
    hint = "check the target's spelling and the context, or wait for it to be created with --wait-for-workload"
    outcome = RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason or "it does not exist", hint=hint)
    return _report(replace(state, outcome=outcome), "unproven", reason)


def on_unavailable(state: RolloutState, look: Unavailable, now: float) -> Decision[RolloutState]:
    """No usable answer: retry with backoff until the unreachable-timeout."""
    if not state.contact.miss_count:  # time before the poll was due does not count as silence
        asked = min(now, max(state.contact.last_answer_at, state.due_at))
        state = replace(state, contact=replace(state.contact, last_answer_at=asked))
    away = now - state.contact.last_answer_at
    left = state.timeouts.unreachable_timeout - away
    if left <= 0:
        reason = (
            f"no usable answer from the cluster for {durations.format_duration(state.timeouts.unreachable_timeout)}: "
            f"{look.reason}"
        )
        hint = "check the network and the API server's address; the same command continues"
        return Decision(
            replace(
                state,
                outcome=RolloutOutcome(exit=ExitCode.UNREACHABLE, reason=reason, hint=hint, image=state.proven_image),
            )
        )
    tell = away >= REPORT_LOST_AFTER_S and not state.contact.reported_lost
    events: tuple[Event, ...] = (ContactLost(reason=look.reason, retry_for=left),) if tell else ()
    contact = replace(
        state.contact, miss_count=state.contact.miss_count + 1, reported_lost=state.contact.reported_lost or tell
    )
    wait = (
        min(_MAX_BACKOFF_S, 2.0 ** min(state.contact.miss_count, 3)) if look.retry_after is None else look.retry_after
    )
    quiet = (
        left if contact.reported_lost else max(REPORT_LOST_AFTER_S - away, _MIN_DELAY_S)
    )  # the next look is in time to say it
    return Decision(replace(state, contact=contact), events, min(wait, left, quiet))


def on_denied(state: RolloutState, look: Denied) -> Decision[RolloutState]:
    """Denied: final at once, unless an earlier poll succeeded and a retry may help."""
    contact = replace(state.contact, denial_count=state.contact.denial_count + 1)
    state = replace(state, contact=contact, waiting_for=look.reason)
    if contact.had_answer and not look.final and contact.denial_count < MAX_DENIALS:
        return Decision(state, (), 2.0)
    return Decision(
        replace(
            state, outcome=RolloutOutcome(exit=look.exit, reason=look.reason, hint=look.hint, image=state.proven_image)
        )
    )


def timed_out(state: RolloutState) -> RolloutOutcome:
    """Return the outcome when the rollout-timeout has passed."""
    what = "is not rolled out" if state.proven_image else f"{state.expectation.short_sha} did not come"
    limit = durations.format_duration(state.timeouts.rollout_timeout)
    reason = f"{what} within {limit}: {state.waiting_for or 'the cluster did not answer'}"
    return RolloutOutcome(
        exit=ExitCode.TIMEOUT, reason=reason, hint="the same command continues", image=state.proven_image
    )


def _report(state: RolloutState, phase: str, detail: str) -> Decision[RolloutState]:
    return report_if_new(state, RolloutChanged(target=str(state.target), phase=phase, detail=detail))
