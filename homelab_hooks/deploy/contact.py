"""Decide what follows from a poll that found no workload: not found, unavailable or denied."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState, report_if_new
from homelab_hooks.events import Event, RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling import contact as polling_contact
from homelab_hooks.polling.contact import Backoff
from homelab_hooks.polling.outcome import Decision, Denied, Unavailable
from homelab_hooks.text import durations

RECREATE_GRACE_S = 10.0
"""seconds to wait for a deleted workload to be created again: some tools delete and recreate it"""
REFUSAL_RETRY_S = 2.0
"""seconds before the retry after a refusal that may be temporary"""
RETRY_BACKOFF = Backoff(first_s=1.0, longest_s=8.0)
"""the delays after polls without a usable response"""
_RETRY_INTERVAL_S = 1.5


def on_answer(state: RolloutState, now: float) -> Decision[RolloutState]:
    """Return the state after a usable response, with an event if lost contact had been reported."""
    contact, events = polling_contact.on_answer(state.contact, now)
    return Decision(replace(state, contact=contact), events)


def on_missing(state: RolloutState, reason: str, now: float) -> Decision[RolloutState]:
    """Return the state after a poll that found no workload, or one that is being deleted."""
    state = replace(state, settling=None)
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


def on_unavailable(state: RolloutState, poll: Unavailable, now: float) -> Decision[RolloutState]:
    """Return the state after a poll without a usable response: the next poll, or the unreachable-timeout is over."""
    timeout = state.timeouts.unreachable_timeout
    contact, events = polling_contact.on_unavailable(state.contact, poll, now, asked_at=state.due_at, timeout=timeout)
    return _retry_or_give_up(_retry(replace(state, contact=contact), events, now), poll, now)


def on_denied(state: RolloutState, poll: Denied, now: float) -> Decision[RolloutState]:
    """Return the state after a refusal: decided once it is believed, else the next poll."""
    timeout = state.timeouts.unreachable_timeout
    contact, events = polling_contact.on_denied(state.contact, poll, now, asked_at=state.due_at, timeout=timeout)
    state = replace(state, contact=contact, waiting_for=poll.reason)
    if polling_contact.is_refusal_believed(contact, poll, now, timeout=timeout):
        outcome = RolloutOutcome(exit=poll.exit, reason=poll.reason, hint=poll.hint, image=state.proven_image)
        return Decision(replace(state, outcome=outcome))
    return _retry_or_give_up(_retry(state, events, now), poll, now)


def _retry(state: RolloutState, events: tuple[Event, ...], now: float) -> Decision[RolloutState]:
    delay = polling_contact.retry_delay(state.contact, now, RETRY_BACKOFF)
    return Decision(state, events, max(delay, REFUSAL_RETRY_S) if state.contact.refusals else delay)


def _retry_or_give_up(retry: Decision[RolloutState], poll: Unavailable | Denied, now: float) -> Decision[RolloutState]:
    """Return the retry, no later than the end of the unreachable-timeout; the outcome if that is over."""
    state, timeout = retry.state, retry.state.timeouts.unreachable_timeout
    if polling_contact.is_timed_out(state.contact, now, timeout=timeout):
        reason = f"no usable response from the cluster for {durations.format_duration(timeout)}: {poll.reason}"
        hint = poll.hint or "check the network and the API server's address"
        outcome = RolloutOutcome(
            exit=ExitCode.UNREACHABLE,
            reason=reason,
            hint=f"run the same command again to continue; {hint}",
            image=state.proven_image,
        )
        return Decision(replace(state, outcome=outcome), retry.events)
    left = state.contact.silent_since + timeout - now
    return Decision(state, retry.events, left if retry.delay is None else min(retry.delay, left))


def timed_out(state: RolloutState) -> RolloutOutcome:
    """Return the outcome when the rollout-timeout has passed."""
    what = "is not rolled out" if state.proven_image else f"does not run {state.expectation.short_sha}"
    seconds = state.timeouts.rollout_timeout
    limit = f" after {durations.format_duration(seconds)}" if seconds else ""
    reason = f"{what}{limit}: {state.waiting_for or 'no response from the cluster'}"
    return RolloutOutcome(
        exit=ExitCode.TIMEOUT, reason=reason, hint="run the same command again to continue", image=state.proven_image
    )


def _report(state: RolloutState, phase: str, detail: str) -> Decision[RolloutState]:
    return report_if_new(state, RolloutChanged(target=str(state.target), phase=phase, detail=detail))
