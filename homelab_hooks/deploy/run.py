"""Acts on the rollout's decision: looks at every target until all are decided, and sums up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from homelab_hooks.deploy import targets
from homelab_hooks.deploy.kubernetes.crash_logs import CrashLogs
from homelab_hooks.deploy.kubernetes.poller import WorkloadPoller
from homelab_hooks.deploy.request import Expectation, RolloutOutcome, RolloutTimeouts
from homelab_hooks.deploy.state import RolloutState, start_state
from homelab_hooks.deploy.targets import PollsByTarget, TargetSet
from homelab_hooks.errors import CommandError
from homelab_hooks.events import DeployResult, Event
from homelab_hooks.exit_codes import DEPLOY_WORST_FIRST, ExitCode, choose_worst_exit
from homelab_hooks.git.containment import ContainmentCheck
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.image_ref import Proof
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling import loop
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Found
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What to wait for; durations in seconds."""

    targets: tuple[WorkloadTarget, ...]
    sha: str
    """the full one"""
    proof: Proof
    container: str = ""
    exact: bool = False
    wait_for_workload: bool = False
    timeout: float
    settle: float
    unreachable: float
    use_watches: bool = True
    """kubectl's watches tell when to look, where they work; else only the time does"""


class WakeableClock(loop.Clock, Protocol):
    """Time, and a way to cut a sleep short from another thread."""

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once."""


def wait_for_rollouts(
    request: DeployRequest,
    *,
    kubectl: Kubectl,
    contains: ContainmentCheck,
    clock: WakeableClock,
    tell: Callable[[Event], None],
) -> Verdict:
    """Wait until every target runs the commit's image and is rolled out, or is decided otherwise.

    All targets are judged to the end within the one timeout; the worst counts.

    Raises:
        CommandError: there is no target, or no kubectl.
    """
    if not request.targets:
        raise CommandError("there is no deploy target", hint="name one as NAMESPACE/NAME, or set homelab.deploy")
    words = CrashLogs(kubectl, tell)
    sight = WorkloadPoller(kubectl, contains, clock.now, clock.wake if request.use_watches else None)

    def look(waiting: TargetSet) -> Found[PollsByTarget]:
        words.report(waiting.states)
        looks = ((state.target, sight.poll(state)) for state in waiting.states if state.outcome is None)
        return Found({target: seen for target, seen in looks if seen is not None})

    now = clock.now()
    begun = TargetSet(states=_initial_states(request, now), began=now, last_event_at=now)
    try:
        states = poll_until_decided(begun, fetch=look, decide=targets.decide_targets, emit=tell, clock=clock).states
        words.report(states)
    finally:
        sight.close()
    return _verdict(request, states)


def _initial_states(request: DeployRequest, now: float) -> tuple[RolloutState, ...]:
    question = Expectation(sha=request.sha, proof=request.proof, container=request.container, exact=request.exact)
    terms = RolloutTimeouts(
        rollout_timeout=request.timeout, settle=request.settle, unreachable_timeout=request.unreachable,
        wait_for_workload=request.wait_for_workload,
    )  # fmt: skip
    return tuple(start_state(target, question, terms, now=now) for target in dict.fromkeys(request.targets))


def _verdict(request: DeployRequest, states: tuple[RolloutState, ...]) -> Verdict:
    outcomes = {state.target: state.outcome for state in states if state.outcome is not None}
    exit_ = choose_worst_exit((outcome.exit for outcome in outcomes.values()), _SEVERITY)
    target, telling = next((target, outcome) for target, outcome in outcomes.items() if outcome.exit is exit_)
    return Verdict(
        exit=exit_,
        reason=f"{target}: {telling.reason}",
        hint=telling.hint,
        label="deployed" if exit_ is ExitCode.OK else "",
        sha=request.sha,
        deploys=tuple(_deploy_result(target, outcome) for target, outcome in outcomes.items()),
    )


# A call that kubectl does not understand is a usage error, and hides everything else.
_SEVERITY = (ExitCode.USAGE, *DEPLOY_WORST_FIRST)


def _deploy_result(target: WorkloadTarget, outcome: RolloutOutcome) -> DeployResult:
    word = "deployed" if outcome.exit is ExitCode.OK else outcome.exit.verdict
    return DeployResult(target=str(target), verdict=word, reason=outcome.reason, image=outcome.image)
