"""Recorded rollouts waited for in played time, and snapshots written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy import machine
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource, LiveReader
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe, assess_observation
from homelab_hooks.deploy.kubernetes.snapshot import RolloutObservation, Snapshot
from homelab_hooks.deploy.request import Expectation, RolloutTimeouts
from homelab_hooks.deploy.run import DeployRequest, wait_for_rollouts
from homelab_hooks.deploy.state import RolloutState, start_state
from homelab_hooks.events import Event
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTags
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import (
    Container,
    ContainerPhase,
    ContainerState,
    Pod,
    ReplicaCounts,
    Revision,
    Template,
    Workload,
    WorkloadTarget,
)
from homelab_hooks.polling.outcome import Decision, Poll
from homelab_hooks.registry.answer import ImageRegistry
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.timeline import ClusterTimeline, RolloutRecording
from homelab_hooks.verdict import Verdict
from tests.support.kubectl_replay import KubectlFault, ReplayedKubectl, report_no_fault

RECORDINGS = Path(__file__).parent.parent / "recordings" / "kubernetes"
SHA = "9f2c1a7b" + "0" * 32
ONE_DIGEST = "sha256:" + "1" * 64


@pytest.fixture(scope="session")
def recording() -> Callable[[str], RolloutRecording]:
    """A recording by name, read once."""
    known: dict[str, RolloutRecording] = {}

    def load(name: str) -> RolloutRecording:
        if name not in known:
            known[name] = RolloutRecording.load(RECORDINGS / f"{name}.json.gz")
        return known[name]

    return load


@dataclass
class FinishedWait:
    """A wait that is over."""

    verdict: Verdict
    ended: float
    events: list[tuple[float, Event]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """the names that git was asked about"""
    calls: int = 0


def decide(state: RolloutState, poll: Poll[RolloutObservation], now: float) -> Decision[RolloutState]:
    """One step of the machine with the assessment of a poll of a workload."""
    return machine.decide(state, poll, now, assess=assess_observation)


@pytest.fixture
def request_() -> DeployRequest:
    """What most tests wait for."""
    return DeployRequest(
        targets=(WorkloadTarget.parse("shop/web"),), sha=SHA, proof=ImageProof(ProofKind.AUTO), wait_for_workload=True,
        timeout=60.0, settle=5.0, unreachable=180.0,
    )  # fmt: skip


@pytest.fixture
def waited() -> Callable[..., FinishedWait]:
    """Wait for a timeline in played time, with git's knowledge given by the newer names it knows to contain ours."""

    def run(
        timeline: ClusterTimeline,
        request: DeployRequest,
        *,
        time: SimulatedClock | None = None,
        newer: tuple[str, ...] = (),
        fetched_at: float = 0.0,
        fault: KubectlFault = report_no_fault,
        watch: bool = False,
        spoils: tuple[float, str] | None = None,
        log: str = "",
        releases: ReleaseTags | None = None,
        registry: ImageRegistry | None = None,
        live: LiveReader | None = None,
    ) -> FinishedWait:
        clock = time or SimulatedClock()
        events: list[tuple[float, Event]] = []
        asked: list[str] = []

        def contains(*, newer: str, ours: str) -> Containment:
            asked.append(newer)
            assert ours == request.sha
            if clock.now() < fetched_at:
                return Containment.UNKNOWN
            return Containment.CONTAINS if newer in known else Containment.NOT_CONTAINED

        known = newer
        played = ReplayedKubectl(timeline, now=clock.now, sleep=clock.advance, fault=fault)
        played.spoiled_from, played.log = spoils, log
        clock.listeners[:] = [played.emit_changes] if watch else []

        def tell(event: Event) -> None:
            events.append((clock.now(), event))

        asking = replace(request, use_watches=watch)
        evidence = EvidenceSource(contains, now=clock.now, releases=releases, registry=registry, live=live)
        probe = KubernetesProbe(Kubectl(played), evidence, now=clock.now, wake=clock.wake if watch else None, tell=tell)
        verdict = wait_for_rollouts(asking, probe=probe, clock=clock, tell=tell)
        return FinishedWait(verdict, clock.now(), events, asked, played.requests)

    return run


def made(tag: str) -> Template:
    """A template with one container of this tag."""
    return Template((Container("app", f"registry.example.test/app:{tag}"),))


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    """A Deployment of two pods that is done; a word may be changed by its name, a pod by `pods`."""

    def build(tag: str = "9f2c1a7b", *, pods: tuple[Pod, ...] | None = None, **changes: object) -> Snapshot:
        template = made(tag)
        counts = ReplicaCounts(desired=2, total=2, updated=2, available=2)
        workload = Workload(uid="u1", generation=2, observed=2, template=template, counts=counts, revision="2")
        revisions = (
            Revision(name="web-new", uid="r2", number=2, template=template),
            Revision(name="web-old", uid="r1", number=1, template=made("0aa11bb2")),
        )
        both = tuple(pod(f"web-new-{index}") for index in range(2)) if pods is None else pods
        return Snapshot(
            workload=replace(workload, **changes),  # type: ignore[arg-type]  # a test names the word it changes
            revisions=revisions,
            pods=both,
        )

    return build


def pod(name: str, revision: str = "web-new", **changes: object) -> Pod:
    """A pod of the new revision, ready."""
    state = ContainerState(
        name="app", ready=True, phase=ContainerPhase.RUNNING, digest=ONE_DIGEST, manifest_digest=ONE_DIGEST
    )
    made_ = Pod(name=name, uid=name, revision=revision, ready=True, containers=(state,))
    return replace(made_, **changes)  # type: ignore[arg-type]  # a test names the word it changes


@pytest.fixture
def a_pod() -> Callable[..., Pod]:
    """A ready pod; its words may be changed."""
    return pod


@pytest.fixture
def a_wait() -> Callable[..., RolloutState]:
    """A wait that begins at 0; its timeouts and target may be changed."""

    def build(target: str = "shop/web", **changes: object) -> RolloutState:
        timeouts = RolloutTimeouts(rollout_timeout=100.0, settle=5.0, unreachable_timeout=60.0)
        changed = replace(timeouts, **changes)  # type: ignore[arg-type]  # a test names the word it changes
        return start_state(
            WorkloadTarget.parse(target), Expectation(sha=SHA, proof=ImageProof(ProofKind.TAG)), changed, now=0.0
        )

    return build
