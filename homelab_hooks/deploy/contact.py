"""Decides what follows from a poll without a usable response of the cluster: unavailable or denied."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling import contact as polling_contact
from homelab_hooks.polling.contact import Backoff
from homelab_hooks.polling.outcome import Decision, Denied, Unavailable
from homelab_hooks.text import durations
from homelab_hooks.verdict import SAME_COMMAND_HINT

REFUSAL_RETRY_S = 2.0
"""seconds before the retry after a refusal that may be temporary"""
RETRY_BACKOFF = Backoff(first_s=1.0, longest_s=8.0)
"""the delays after polls without a usable response"""


def on_answer(state: RolloutState, now: float) -> Decision[RolloutState]:
    """Return the state after a usable response, and an event if an outage had been reported."""
    contact, events = polling_contact.on_answer(state.contact, now)
    return Decision(replace(state, contact=contact), events)


def on_unavailable(state: RolloutState, poll: Unavailable, now: float) -> Decision[RolloutState]:
    """Return the state after a poll without a usable response; decided once the unreachable-timeout has passed."""
    timeout = state.timeouts.unreachable_timeout
    contact, events = polling_contact.on_unavailable(state.contact, poll, now, asked_at=state.due_at, timeout=timeout)
    return _retry_or_give_up(_retry(replace(state, contact=contact), events, now), poll, now)


def on_denied(state: RolloutState, poll: Denied, now: float) -> Decision[RolloutState]:
    """Return the state after a refusal; decided once the refusal counts as final."""
    timeout = state.timeouts.unreachable_timeout
    contact, events = polling_contact.on_denied(state.contact, poll, now, asked_at=state.due_at, timeout=timeout)
    state = replace(state, contact=contact, waiting_for=poll.reason)
    if polling_contact.is_refusal_believed(contact, poll, now, timeout=timeout):
        outcome = RolloutOutcome(exit=poll.exit, reason=poll.reason, hint=poll.hint, image=state.proven_image)
        return Decision(replace(state, outcome=outcome))
    return _retry_or_give_up(_retry(state, events, now), poll, now)


def _retry(state: RolloutState, events: tuple[Event, ...], now: float) -> Decision[RolloutState]:
    # Every poll of the probe is a request, so the end of the wait that a server asked for comes before the report.
    delay = max(polling_contact.retry_delay(state.contact, now, RETRY_BACKOFF), state.contact.retry_at - now)
    return Decision(state, events, max(delay, REFUSAL_RETRY_S) if state.contact.refusals else delay)


def _retry_or_give_up(retry: Decision[RolloutState], poll: Unavailable | Denied, now: float) -> Decision[RolloutState]:
    """Return the retry, no later than the end of the unreachable-timeout; after that, the outcome."""
    state, timeout = retry.state, retry.state.timeouts.unreachable_timeout
    if polling_contact.is_timed_out(state.contact, now, timeout=timeout):
        reason = f"no usable response from the cluster for {durations.format_duration(timeout)}: {poll.reason}"
        hint = poll.hint or "check the network and the API server's address"
        outcome = RolloutOutcome(
            exit=ExitCode.UNREACHABLE,
            reason=reason,
            hint=f"{SAME_COMMAND_HINT}; {hint}",
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
    return RolloutOutcome(exit=ExitCode.TIMEOUT, reason=reason, hint=SAME_COMMAND_HINT, image=state.proven_image)
