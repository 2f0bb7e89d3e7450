"""A probe of another kind is waited for by the same code: an application with a revision and a health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.assessment import Assessment, ImagePending, RolloutComplete, RolloutFailed, RolloutProgressing
from homelab_hooks.deploy.proof import Assessed, InstanceCounts
from homelab_hooks.deploy.run import DeployRequest, wait_for_rollouts
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.events import ContactLost, Event, RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.simulators.clock import SimulatedClock

SHA = "9f2c1a7b" + "0" * 32
OLD = "0aa11bb2" + "0" * 32


@dataclass(frozen=True)
class Application:
    """An application as its controller reports it."""

    revision: str
    health: str = "Healthy"
    uid: str = "a1"


@dataclass
class ApplicationProbe:
    """Returns the given answers in turn, the last one again and again; counts the polls that it assessed."""

    answers: Sequence[Poll[Application]]
    polls: int = 0
    closed: bool = False
    explained: list[str] = field(default_factory=list)

    def poll(self, state: RolloutState) -> Poll[Application] | None:
        if state.outcome is not None:
            self.explained.append(f"{state.target}: {state.outcome.exit.verdict}")
            return None
        self.polls += 1
        return self.answers[min(self.polls, len(self.answers)) - 1]

    def assess(self, observation: Application, state: RolloutState, now: float) -> Assessed:
        polls = state.memory if isinstance(state.memory, int) else 0
        proves = observation.revision == state.expectation.sha
        return Assessed(
            identity=observation.uid, progress=InstanceCounts(desired=1, updated=int(proves)), memory=polls + 1,
            timing=replace(state.timing, changed_at=now), assessment=self._assessment(observation, proves=proves),
            image=observation.revision, proves=proves,
        )  # fmt: skip

    def close(self) -> None:
        self.closed = True

    @staticmethod
    def _assessment(observation: Application, *, proves: bool) -> Assessment:
        if not proves:
            return ImagePending(f"is at {observation.revision[:8]}", observation.revision)
        match observation.health:
            case "Healthy":
                return RolloutComplete(observation.revision)
            case "Degraded":
                return RolloutFailed("it is degraded", observation.revision, "see `argocd app get web`")
            case _:
                return RolloutProgressing(observation.revision, "syncing")


NEW = Found(Application(SHA))
BEFORE = Found(Application(OLD))
SYNCING = Found(Application(SHA, "Progressing"))
LOST: Poll[Application] = Unavailable("connection refused")

ENDS: list[tuple[str, Sequence[Poll[Application]], ExitCode]] = [
    ("synced and healthy", (BEFORE, SYNCING, NEW), ExitCode.OK),
    ("degraded", (BEFORE, Found(Application(SHA, "Degraded"))), ExitCode.ROLLOUT_FAILED),
    ("never synced", (BEFORE,), ExitCode.TIMEOUT),
    ("through a lost connection", (BEFORE, *[LOST] * 5, NEW), ExitCode.OK),
    ("never reached", (LOST,), ExitCode.UNREACHABLE),
    ("refused", (Denied("forbidden"),), ExitCode.DENIED),
    ("does not exist", (NotFound("no such application"),), ExitCode.ROLLOUT_UNPROVEN),
    ("created again at another revision", (SYNCING, Found(Application(OLD, uid="a2"))), ExitCode.ROLLOUT_UNPROVEN),
]


@pytest.mark.parametrize(("answers", "ends"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_each_end_is_the_one_that_a_workload_would_have(answers: Sequence[Poll[Application]], ends: ExitCode) -> None:
    probe, clock, events = ApplicationProbe(answers), SimulatedClock(), list[Event]()
    request = DeployRequest(
        targets=("argocd/web",), sha=SHA, proof=ImageProof(ProofKind.TAG), timeout=60.0, settle=5.0, unreachable=30.0
    )
    verdict = wait_for_rollouts(request, probe=probe, clock=clock, tell=events.append)
    assert verdict.exit is ends
    assert verdict.deploys[0].target == "argocd/web"
    assert probe.closed
    assert probe.explained == [f"argocd/web: {ends.verdict}"]
    assert all(event.target == "argocd/web" for event in events if isinstance(event, RolloutChanged))
    assert any(isinstance(event, ContactLost) for event in events) is (LOST in answers)
    if ends is ExitCode.ROLLOUT_FAILED:
        assert verdict.hint == "see `argocd app get web`"
