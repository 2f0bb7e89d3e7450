"""Polls all targets until each has a result, and returns the worst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from homelab_hooks.config.image_proof import ImageProof
from homelab_hooks.deploy import targets
from homelab_hooks.deploy.proof import DeliveryProbe, Observation
from homelab_hooks.deploy.request import Expectation, RolloutOutcome, RolloutTimeouts
from homelab_hooks.deploy.state import DeployTarget, RolloutState, start_state
from homelab_hooks.deploy.targets import PollsByTarget, TargetSet
from homelab_hooks.errors import CommandError
from homelab_hooks.events import DeployResult, Event
from homelab_hooks.exit_codes import DEPLOY_WORST_FIRST, ExitCode, choose_worst_exit
from homelab_hooks.polling import loop
from homelab_hooks.polling.active_clock import ActiveClock
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Found
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What to wait for; durations in seconds."""

    targets: tuple[DeployTarget, ...]
    sha: str
    """the full SHA"""
    proof: ImageProof
    container: str = ""
    exact: bool = False
    wait_for_workload: bool = False
    timeout: float
    settle: float
    unreachable: float
    is_slice: bool = False
    """the timeout ends the call, not the rollout"""
    use_watches: bool = True
    """end a sleep early on an event of kubectl's watches"""


def wait_for_rollouts(
    request: DeployRequest, *, probe: DeliveryProbe[Observation], clock: loop.Clock, tell: Callable[[Event], None]
) -> Verdict:
    """Wait until each target has an outcome, and return the worst.

    A target does not end early because another one has failed. All share one timeout. Closes the probe.

    Raises:
        CommandError: no target is given, or the probe lacks what it needs (such as kubectl).
    """
    if not request.targets:
        raise CommandError("no workload given", hint="pass a workload as NAMESPACE/NAME, or set homelab.deploy")

    def poll_targets(waiting: TargetSet) -> Found[PollsByTarget[Observation]]:
        _show_failures(probe, waiting.states)
        polls = ((state.target, probe.poll(state)) for state in waiting.states if state.outcome is None)
        return Found({target: poll for target, poll in polls if poll is not None})

    clock = ActiveClock(clock)
    now = clock.now()
    initial = TargetSet(states=_initial_states(request, now), began=now, last_event_at=now)
    decide = partial(targets.decide_targets, assess=probe.assess)
    try:
        states = poll_until_decided(initial, fetch=poll_targets, decide=decide, emit=tell, clock=clock).states
        _show_failures(probe, states)
    finally:
        probe.close()
    return _verdict(request, states)


def _show_failures(probe: DeliveryProbe[Observation], states: tuple[RolloutState, ...]) -> None:
    for state in states:
        if state.outcome is not None:
            probe.poll(state)


def _initial_states(request: DeployRequest, now: float) -> tuple[RolloutState, ...]:
    expectation = Expectation(sha=request.sha, proof=request.proof, container=request.container, exact=request.exact)
    timeouts = RolloutTimeouts(
        rollout_timeout=request.timeout, settle=request.settle, unreachable_timeout=request.unreachable,
        wait_for_workload=request.wait_for_workload, is_slice=request.is_slice,
    )  # fmt: skip
    return tuple(start_state(target, expectation, timeouts, now=now) for target in dict.fromkeys(request.targets))


def _verdict(request: DeployRequest, states: tuple[RolloutState, ...]) -> Verdict:
    outcomes = {state.target: state.outcome for state in states if state.outcome is not None}
    exit_ = choose_worst_exit((outcome.exit for outcome in outcomes.values()), _SEVERITY)
    target, worst = next((target, outcome) for target, outcome in outcomes.items() if outcome.exit is exit_)
    return Verdict(
        exit=exit_,
        reason=f"{target}: {worst.reason}",
        hint=worst.hint,
        label="deployed" if exit_ is ExitCode.OK else "",
        sha=request.sha,
        deploys=tuple(_deploy_result(target, outcome) for target, outcome in outcomes.items()),
    )


# A usage error (kubectl does not accept the call) comes before every result.
_SEVERITY = (ExitCode.USAGE, *DEPLOY_WORST_FIRST)


def _deploy_result(target: DeployTarget, outcome: RolloutOutcome) -> DeployResult:
    verdict = "deployed" if outcome.exit is ExitCode.OK else outcome.exit.verdict
    return DeployResult(
        target=str(target), verdict=verdict, reason=outcome.reason, image=outcome.image, proof=outcome.proof
    )
