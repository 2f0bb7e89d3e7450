"""Acts on the rollout's decision: looks at every target until all are decided, and sums up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from homelab_hooks import loop
from homelab_hooks.deploy import fleet
from homelab_hooks.deploy.fleet import Fleet, Looks
from homelab_hooks.deploy.last_words import LastWords
from homelab_hooks.deploy.question import Outcome, Question, Terms
from homelab_hooks.deploy.sight import Sight
from homelab_hooks.deploy.state import State, begin
from homelab_hooks.errors import Problem
from homelab_hooks.events import DeployResult, Event
from homelab_hooks.exits import DEPLOY_WORST_FIRST, Exit, worst
from homelab_hooks.history import Contains
from homelab_hooks.image import Proof
from homelab_hooks.kubectl.facts import Target
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.looks import Seen
from homelab_hooks.loop import drive
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to wait for; durations in seconds."""

    targets: tuple[Target, ...]
    sha: str
    """the full one"""
    proof: Proof
    container: str = ""
    exact: bool = False
    wait_for_workload: bool = False
    timeout: float
    settle: float
    unreachable: float
    listen: bool = True
    """kubectl's watches tell when to look, where they work; else only the time does"""


class Clock(loop.Clock, Protocol):
    """Time, and a way to cut a sleep short from another thread."""

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once."""


def wait(
    request: Request,
    *,
    kubectl: Kubectl,
    contains: Contains,
    clock: Clock,
    tell: Callable[[Event], None],
) -> Verdict:
    """Wait until every target runs the commit's image and is rolled out, or is decided otherwise.

    All targets are judged to the end within the one timeout; the worst counts.

    Raises:
        Problem: there is no target, or no kubectl.
    """
    if not request.targets:
        raise Problem("there is no deploy target", hint="name one as NAMESPACE/NAME, or set homelab.deploy")
    words = LastWords(kubectl, tell)
    sight = Sight(kubectl, contains, clock.now, clock.wake if request.listen else None)

    def look(waiting: Fleet) -> Seen[Looks]:
        words.told(waiting.states)
        looks = ((state.target, sight.look(state)) for state in waiting.states if state.outcome is None)
        return Seen({target: seen for target, seen in looks if seen is not None})

    now = clock.now()
    begun = Fleet(states=_begin(request, now), began=now, spoke=now)
    try:
        states = drive(begun, look=look, turn=fleet.turn, tell=tell, clock=clock).states
        words.told(states)
    finally:
        sight.close()
    return _verdict(request, states)


def _begin(request: Request, now: float) -> tuple[State, ...]:
    question = Question(sha=request.sha, proof=request.proof, container=request.container, exact=request.exact)
    terms = Terms(
        timeout=request.timeout, settle=request.settle, unreachable=request.unreachable,
        wait_for_workload=request.wait_for_workload,
    )  # fmt: skip
    return tuple(begin(target, question, terms, now=now) for target in dict.fromkeys(request.targets))


def _verdict(request: Request, states: tuple[State, ...]) -> Verdict:
    outcomes = {state.target: state.outcome for state in states if state.outcome is not None}
    exit_ = worst((outcome.exit for outcome in outcomes.values()), _ORDER)
    target, telling = next((target, outcome) for target, outcome in outcomes.items() if outcome.exit is exit_)
    return Verdict(
        exit=exit_,
        reason=f"{target}: {telling.reason}",
        hint=telling.hint,
        word="deployed" if exit_ is Exit.OK else "",
        sha=request.sha,
        deploys=tuple(_result(target, outcome) for target, outcome in outcomes.items()),
    )


# A call that kubectl does not understand is a usage error, and hides everything else.
_ORDER = (Exit.USAGE, *DEPLOY_WORST_FIRST)


def _result(target: Target, outcome: Outcome) -> DeployResult:
    word = "deployed" if outcome.exit is Exit.OK else outcome.exit.verdict
    return DeployResult(target=str(target), verdict=word, reason=outcome.reason, image=outcome.image)
