"""Decides what follows if the workload does not exist, or was deleted during the wait."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState, report_if_new
from homelab_hooks.events import RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Decision

RECREATE_GRACE_S = 10.0
"""seconds to wait for a deleted workload to be created again: some tools delete and recreate it"""
_RETRY_INTERVAL_S = 1.5


def on_missing(state: RolloutState, reason: str, now: float, *, hint: str = "") -> Decision[RolloutState]:
    """Return the state after a poll that found no workload, or one that is being deleted.

    Args:
        hint: what to do about it, if the probe knows.
    """
    state = replace(state, settling=None)
    if not state.uid:
        return _missing_from_start(state, reason, hint)
    since = now if state.gone_since is None else state.gone_since
    state = replace(
        state, gone_since=since, waiting_for=f"it was deleted ({reason}); waiting for it to be created again"
    )
    if now - since < RECREATE_GRACE_S:
        step = _report(state, "gone", reason)
        return Decision(step.state, step.events, min(_RETRY_INTERVAL_S, since + RECREATE_GRACE_S - now))
    outcome = RolloutOutcome(
        exit=ExitCode.ROLLOUT_UNPROVEN,
        reason="it was deleted",
        hint="create the workload again, then run the same command again",
        image=state.proven_image,
    )
    return _report(replace(state, outcome=outcome), "unproven", "it was deleted")


def _missing_from_start(state: RolloutState, reason: str, hint: str) -> Decision[RolloutState]:
    if state.timeouts.wait_for_workload:
        return _report(replace(state, waiting_for=f"waiting for it to be created ({reason})"), "missing", reason)
    hint = hint or "check the target's spelling and the context, or wait for it to be created with --wait-for-workload"
    outcome = RolloutOutcome(exit=ExitCode.ROLLOUT_UNPROVEN, reason=reason or "it does not exist", hint=hint)
    return _report(replace(state, outcome=outcome), "unproven", reason)


def _report(state: RolloutState, phase: str, detail: str) -> Decision[RolloutState]:
    return report_if_new(
        state, RolloutChanged(target=str(state.target), phase=phase, detail=detail, sha=state.expectation.sha)
    )
