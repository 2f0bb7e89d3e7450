"""Whatever holds a rollout up is named, from conditions and events, with a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from homelab_hooks.deploy.kubernetes.standstill import LASTING_S, HeldUpPods, find_standstill, track_unready
from homelab_hooks.kubectl.events import PodWarning, parse_pod_warnings
from homelab_hooks.kubectl.model import ContainerPhase, ContainerState, Pod, WorkloadTarget
from homelab_hooks.text.json_fields import Json

WEB = WorkloadTarget.parse("shop/web")
DB = WorkloadTarget.parse("shop/sts/db")
BEGAN, LATER, MUCH_LATER = 100.0, 101.5, 100.0 + LASTING_S


def pod(name: str, *, ready: bool = False, terminating: bool = False, reason: str = "", running: bool = False) -> Pod:
    phase = ContainerPhase.RUNNING if running else ContainerPhase.WAITING
    containers = (ContainerState(name="app", phase=phase, reason=reason, ready=ready),)
    return Pod(
        name=name, uid=f"uid-{name}", revision="r2", ready=ready, terminating=terminating, containers=containers,
        node="n2",
    )  # fmt: skip


def held(
    *, new: Sequence[Pod] = (), old: Sequence[Pod] = (), ending: Sequence[Pod] = (), target: WorkloadTarget = WEB,
    warnings: Mapping[str, PodWarning] | None = None,
) -> HeldUpPods:  # fmt: skip
    since = track_unready([*new, *old, *ending], {}, BEGAN)
    return HeldUpPods(target, new, old, ending, warnings or {}, since)


MOUNT = PodWarning("FailedMount", 'MountVolume.SetUp failed for volume "cfg": configmap "web" not found')
ATTACH = PodWarning("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1": already exclusively attached to n1')
PROBE = PodWarning("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
SANDBOX = PodWarning("FailedCreatePodSandBox", "plugin type=calico failed")


@pytest.mark.parametrize(
    ("warning", "remedy"),
    [(MOUNT, "ConfigMap"), (ATTACH, "detach the volume"), (PROBE, "check the probe"), (SANDBOX, "network plugin")],
    ids=lambda value: getattr(value, "reason", None),
)
def test_a_warning_about_a_new_pod_is_named_in_the_second_snapshot(warning: PodWarning, remedy: str) -> None:
    pods = held(new=[pod("web-1", reason="ContainerCreating")], warnings={"uid-web-1": warning})
    assert find_standstill(pods, BEGAN) is None
    found = find_standstill(pods, LATER)
    assert found is not None
    assert found.reason == f"pod web-1: {warning.reason}: {warning.message}"
    assert remedy in found.remedy


def test_a_pod_that_takes_long_to_be_created_is_named_without_events_too() -> None:
    pods = held(new=[pod("web-1", reason="ContainerCreating")])
    assert find_standstill(pods, LATER) is None
    found = find_standstill(pods, MUCH_LATER)
    assert found is not None
    assert found.reason == "pod web-1: ContainerCreating"
    assert "describe pod/web-1" in found.remedy


def test_a_pod_that_runs_and_does_not_become_ready_is_named_without_events_too() -> None:
    found = find_standstill(held(new=[pod("web-1", running=True)]), MUCH_LATER)
    assert found is not None
    assert found.reason == "pod web-1 is running, but not ready"


def test_a_stateful_set_waits_for_a_broken_pod_of_an_earlier_revision() -> None:
    broken = pod("db-1", reason="CrashLoopBackOff")
    found = find_standstill(held(old=[broken], new=[pod("db-2", ready=True)], target=DB), MUCH_LATER)
    assert found is not None
    assert "db-1 of an earlier revision is not ready (CrashLoopBackOff), and the StatefulSet waits" in found.reason
    assert found.remedy == "run kubectl -n shop delete pod db-1"


def test_a_deployment_does_not_wait_for_a_broken_old_pod() -> None:
    assert find_standstill(held(old=[pod("web-0", reason="CrashLoopBackOff")]), MUCH_LATER) is None


@pytest.mark.parametrize(("target", "new"), [(DB, [pod("db-2", ready=True)]), (WEB, [])], ids=["sts", "recreate"])
def test_a_pod_that_does_not_end_is_named_with_its_node(target: WorkloadTarget, new: list[Pod]) -> None:
    pods = held(ending=[pod("x-1", terminating=True)], new=new, target=target)
    assert find_standstill(pods, LATER) is None
    found = find_standstill(pods, MUCH_LATER)
    assert found is not None
    assert found.reason == "pod x-1 is terminating on node n2"
    assert "delete pod x-1 --force" in found.remedy


def test_a_rolling_update_does_not_wait_for_a_pod_that_ends() -> None:
    pods = held(ending=[pod("web-0", terminating=True)], new=[pod("web-1", ready=True)])
    assert find_standstill(pods, MUCH_LATER) is None


def test_a_pod_that_is_ready_again_counts_anew() -> None:
    since = track_unready([pod("web-1")], {}, BEGAN)
    assert track_unready([pod("web-1")], since, LATER) == since
    assert track_unready([pod("web-1", ready=True)], since, LATER) == {}


def event(uid: str, reason: str, at: str, **more: Any) -> Json:
    return {"type": "Warning", "reason": reason, "message": f"{reason}\x1b[2J", "lastTimestamp": at, "metadata": {},
            "involvedObject": {"kind": "Pod", "uid": uid}, **more}  # fmt: skip


def test_the_newest_warning_of_each_pod_counts_and_is_fit_to_be_shown() -> None:
    found = parse_pod_warnings({"items": [
        event("a", "Unhealthy", "2026-12-01T00:00:05Z"),
        event("a", "FailedMount", "2026-12-01T00:00:01Z"),
        event("b", "BackOff", "2026-12-01T00:00:02Z", lastTimestamp=None, eventTime="2026-12-01T00:00:02Z"),
        event("c", "Started", "2026-12-01T00:00:02Z", type="Normal"),
        event("d", "FailedCreate", "2026-12-01T00:00:02Z", involvedObject={"kind": "ReplicaSet", "uid": "d"}),
    ]})  # fmt: skip
    assert {uid: warning.reason for uid, warning in found.items()} == {"a": "Unhealthy", "b": "BackOff"}
    assert "\x1b" not in found["a"].message
