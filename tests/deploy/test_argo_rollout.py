"""A Rollout of Argo Rollouts is waited for like a Deployment, to the end of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.events import Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import WorkloadKind, WorkloadTarget
from homelab_hooks.kubectl.parse import parse_workload
from homelab_hooks.simulators.kubernetes.gitops_objects import (
    make_kustomization,
    make_rollout,
    make_rollout_pod,
    make_rollout_replica_set,
)
from homelab_hooks.simulators.kubernetes.timeline import ObjectScript
from homelab_hooks.system.completed import Completed
from tests.deploy.conftest import FinishedWait

NEW, OLD = "9f2c1a7b", "0aa11bb2"
Waited = Callable[..., FinishedWait]


def rollout(phase: str, *, pods: Sequence[Any] = (), **status: Any) -> list[Any]:
    """The Rollout of the new template beside the old ReplicaSet, with these pods."""
    made, new, _ = make_rollout(NEW, phase, **{"stableRS": OLD, **status})
    return [made, new, make_rollout_replica_set(OLD), *pods]


BOTH = (make_rollout_pod(NEW), make_rollout_pod(OLD))
BEFORE = make_rollout(OLD)
UNOBSERVED = rollout("Healthy", pods=BOTH[1:], observed="1", currentPodHash=OLD)
PAUSED = rollout(
    "Paused", pods=BOTH, replicas=2, availableReplicas=2, currentStepIndex=1, message="CanaryPauseStep",
    pauseConditions=[{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
)  # fmt: skip
ABORTED = rollout(
    "Degraded", pods=BOTH[1:], updatedReplicas=0, abort=True, message="RolloutAborted: metric success-rate failed"
)
INVALID = [
    make_rollout(NEW, "Degraded", currentPodHash="", message="InvalidSpec: no strategy")[0],
    make_rollout_replica_set(OLD), BOTH[1],
]  # fmt: skip
DONE = make_rollout(NEW)


@pytest.fixture
def asked(request_: DeployRequest) -> DeployRequest:
    return replace(request_, targets=(WorkloadTarget.parse("shop/ro/web"),), timeout=300.0)


@pytest.mark.parametrize("watch", [False, True])
def test_a_canary_is_waited_for_through_its_pause(waited: Waited, asked: DeployRequest, *, watch: bool) -> None:
    script = ObjectScript([(0.0, BEFORE), (5.0, UNOBSERVED), (10.0, PAUSED), (100.0, DONE)])
    end = waited(script.at, asked, watch=watch)
    assert end.verdict.exit is ExitCode.OK
    assert 105.0 <= end.ended < 125.0
    said = [event for _, event in end.events if isinstance(event, Waiting) and "paused" in event.reason]
    assert "the Rollout is paused (CanaryPauseStep): Paused, canary step 2 of 2" in said[0].reason
    assert "promote web -n shop" in said[0].remedy


STALE = {
    "the generation is not observed": UNOBSERVED,
    "the phase is of the generation before": rollout("Healthy", pods=BOTH[:1], observed="1", stableRS=NEW),
    "the observed generation is a hash": rollout("Healthy", pods=BOTH[:1], observed="5cd8f9", stableRS=NEW),
    "the new revision is not the stable one": rollout("Healthy", pods=BOTH[:1]),
    "steps are left": rollout("Progressing", pods=BOTH[:1], stableRS=NEW),
    "it was aborted before": rollout("Healthy", pods=BOTH[:1], stableRS=NEW, abort=True, observed="1"),
}


@pytest.mark.parametrize("objects", STALE.values(), ids=STALE)
def test_a_stale_phase_is_not_success(waited: Waited, asked: DeployRequest, objects: list[Any]) -> None:
    assert waited(lambda _t: objects, asked).verdict.exit is ExitCode.TIMEOUT


@pytest.mark.parametrize(("objects", "said"), [(ABORTED, "metric success-rate failed"), (INVALID, "InvalidSpec")])
def test_a_degraded_rollout_has_failed_after_a_minute(
    waited: Waited, asked: DeployRequest, objects: list[Any], said: str
) -> None:
    end = waited(ObjectScript([(0.0, BEFORE), (10.0, objects)]).at, asked)
    assert end.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert said in end.verdict.reason
    assert 70.0 <= end.ended < 90.0


def test_an_older_revision_that_is_degraded_is_waited_on(waited: Waited, asked: DeployRequest) -> None:
    """Nor does its time count for the new revision."""
    degraded = make_rollout(OLD, "Degraded", message="ProgressDeadlineExceeded")
    stale = rollout("Degraded", pods=BOTH[1:], observed="1", currentPodHash=OLD, abort=True)
    script = ObjectScript([(0.0, degraded), (80.0, stale), (200.0, ABORTED), (230.0, DONE)])
    end = waited(script.at, asked)
    assert end.verdict.exit is ExitCode.OK


def test_a_template_in_another_workload_is_not_compared(waited: Waited, asked: DeployRequest) -> None:
    made = make_rollout(NEW)
    made[0] = {**made[0], "spec": {"workloadRef": {"kind": "Deployment", "name": "web"}, "replicas": 1}}
    end = waited(lambda _t: made, asked)
    assert end.verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert "Deployment web (workloadRef)" in end.verdict.reason


@pytest.mark.parametrize(("observed", "generation"), [("2", 2), (2, 2), ("", 0), ("x2", 0), ("9" * 30, 0)])
def test_the_observed_generation_is_a_number_in_a_string(observed: Any, generation: int) -> None:
    assert parse_workload(WorkloadKind.ROLLOUT, make_rollout(NEW, observed=observed)[0]).observed == generation


@pytest.mark.parametrize("kind", ["ro", "ks"])
def test_a_kind_that_vanishes_during_the_wait_is_an_outage(waited: Waited, asked: DeployRequest, kind: str) -> None:
    """While the controller is upgraded, or the API server restarts."""
    plural = "rollouts" if kind == "ro" else "kustomizations"
    error = f'error: the server doesn\'t have a resource type "{plural}"\n'.encode()

    def vanish(now: float, _argv: Sequence[str]) -> Completed | None:
        return Completed(1, b"", error) if 20.0 < now < 60.0 else None

    objects = [*BEFORE, make_kustomization(f"main@sha1:{OLD}")]
    done = [*DONE, make_kustomization(f"main@sha1:{NEW}")]
    asked = replace(asked, targets=(WorkloadTarget.parse(f"shop/{kind}/web"),), unreachable=180.0)
    end = waited(ObjectScript([(0.0, objects), (80.0, done)]).at, asked, fault=vanish)
    assert end.verdict.exit is ExitCode.OK
