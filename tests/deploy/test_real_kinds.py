"""The real kubectl against a simulated API server with CronJobs and the kinds of Flux and Argo."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
from homelab_hooks.deploy.run import DeployRequest, wait_for_rollouts
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.gitops_objects import (
    make_application,
    make_cron_job,
    make_job,
    make_kustomization,
)
from homelab_hooks.simulators.kubernetes.server import DenyObjects, KubernetesSimulator
from homelab_hooks.simulators.kubernetes.timeline import ObjectScript
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict
from tests.deploy.conftest import SHA
from tests.deploy.test_argo_rollout import ABORTED, BEFORE, DONE, PAUSED

pytestmark = [pytest.mark.slow, pytest.mark.first]

OLD = "0aa11bb2" + "0" * 32
OURS, EARLIER = f"main@sha1:{SHA}", f"main@sha1:{OLD}"
ks, app = make_kustomization, make_application


@dataclass
class PlayedCluster:
    """A cluster and a wait that share one played time: only the calls to kubectl take real time."""

    cluster: KubernetesSimulator
    stage: list[ObjectScript]
    clock: SimulatedClock
    kubectl: Kubectl

    def wait(self, request: DeployRequest, target: str, steps: Sequence[tuple[float, Sequence[Any]]]) -> Verdict:
        def apart(*, newer: str, ours: str) -> Containment:
            assert newer != ours
            return Containment.NOT_CONTAINED

        self.stage.append(ObjectScript(steps))
        asked = replace(request, targets=(WorkloadTarget.parse(target),), wait_for_workload=False)
        probe = KubernetesProbe(
            self.kubectl,
            EvidenceSource(apart, now=self.clock.now),
            now=self.clock.now,
            wake=None,
            tell=lambda _event: None,
        )
        return wait_for_rollouts(asked, probe=probe, clock=self.clock, tell=lambda _event: None)


@pytest.fixture
def played(tmp_path: Path) -> Iterator[PlayedCluster]:
    beside = Path(sys.executable).parent / "kubectl"
    program = str(beside) if beside.exists() else shutil.which("kubectl")
    if not program:
        pytest.skip("kubectl not found")
    clock, stage = SimulatedClock(), list[ObjectScript]()
    with KubernetesSimulator(lambda t: stage[-1].at(t), now=clock.now) as cluster:  # noqa: PLW0108 - the stage changes
        processes = ProcessRunner({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
        kubectl = Kubectl(processes, program=program, kubeconfig=str(cluster.kubeconfig(tmp_path / "config")))
        yield PlayedCluster(cluster, stage, clock, kubectl)


OLD_JOB = make_job("web-1", "0aa11bb2")
APPLYING = ks(EARLIER, OURS, "Unknown Progressing")
ENDS = {
    "kustomization": ("ks", [(0.0, [ks(EARLIER)]), (5.0, [APPLYING]), (9.0, [ks(OURS)])], "main@sha1:"),
    "application": ("app", [(0.0, [app(OLD)]), (5.0, [app(SHA, operation=(SHA, "Succeeded"))])], SHA),
    "cron job": (
        "cj", [(0.0, [make_cron_job("0aa11bb2")]), (5.0, [make_cron_job("9f2c1a7b", active=("web-1",)), OLD_JOB])],
        "1 job of an older template still running: web-1",
    ),
    "rollout": ("rollouts.argoproj.io", [(0.0, BEFORE), (5.0, PAUSED), (20.0, DONE)], "app:9f2c1a7b"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "steps", "said"), ENDS.values(), ids=ENDS)
def test_each_kind_is_waited_for(
    played: PlayedCluster, request_: DeployRequest, kind: str, steps: Any, said: str
) -> None:
    verdict = played.wait(request_, f"shop/{kind}/web", steps)
    assert verdict.exit is ExitCode.OK
    assert said in verdict.reason


FAILURES = {
    "kustomization": ("ks", [(0.0, [ks(EARLIER, OURS, "False HealthCheckFailed")])], "HealthCheckFailed"),
    "application": ("app", [(0.0, [app(SHA, "OutOfSync", operation=(SHA, "Failed"))])], "operation failed"),
    "rollout": ("ro", [(0.0, ABORTED)], "metric success-rate failed"),
}


@pytest.mark.parametrize(("kind", "steps", "said"), FAILURES.values(), ids=FAILURES)
def test_each_kind_fails_with_its_controllers_words(
    played: PlayedCluster, request_: DeployRequest, kind: str, steps: Any, said: str
) -> None:
    verdict = played.wait(replace(request_, timeout=120.0), f"shop/{kind}/web", steps)
    assert verdict.exit is ExitCode.ROLLOUT_FAILED
    assert said in verdict.reason


@pytest.mark.parametrize(("kind", "tool"), [("ks", "Flux"), ("app", "Argo CD"), ("ro", "Argo Rollouts")])
def test_a_kind_that_the_cluster_does_not_have_is_unproven_at_once(
    played: PlayedCluster, request_: DeployRequest, kind: str, tool: str
) -> None:
    played.cluster.with_custom = False
    verdict = played.wait(request_, f"shop/{kind}/web", [(0.0, [])])
    assert verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert "the server doesn't have a resource type" in verdict.reason
    assert f"install {tool}" in verdict.hint


@pytest.mark.parametrize("kind", ["cj", "ks"])
def test_a_resource_that_does_not_exist_is_unproven(played: PlayedCluster, request_: DeployRequest, kind: str) -> None:
    verdict = played.wait(request_, f"shop/{kind}/web", [(0.0, [])])
    assert verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert '"web" not found' in verdict.reason


def test_a_forbidden_resource_is_denied(played: PlayedCluster, request_: DeployRequest) -> None:
    message = 'applications.argoproj.io "web" is forbidden: User "ann" cannot get resource "applications"'
    played.cluster.fault = DenyObjects(message=message)
    verdict = played.wait(request_, "shop/app/web", [(0.0, [app(SHA)])])
    assert verdict.exit is ExitCode.DENIED
    assert "get on the target" in verdict.hint
