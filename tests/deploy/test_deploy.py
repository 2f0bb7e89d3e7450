"""Several targets: which events are emitted, and how many calls are made."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import LATE_IMAGE, DeploymentScript, RolloutEnding, ScriptedRollout
from homelab_hooks.simulators.kubernetes.timeline import ClusterTimeline
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.json_fields import Json

Given = Callable[..., Any]
GONE = Completed(
    1, b"", b"The connection to the server kube.example.test:6443 was refused - did you specify the right host?"
)


def together(*stages: DeploymentScript) -> ClusterTimeline:
    def at(t: float) -> Sequence[Json]:
        return [each for stage in stages for each in stage.at(t)]

    return at


@pytest.fixture
def time() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def stage(time: SimulatedClock) -> DeploymentScript:
    return DeploymentScript(SampleApp(), now=time.now)


def test_the_old_image_that_looks_done_is_not_taken_for_ours(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    stage.deploy(request_.sha, LATE_IMAGE)
    over = waited(stage.at, request_, time=time)
    assert over.verdict.exit is ExitCode.OK
    assert over.ended > LATE_IMAGE.image_after + LATE_IMAGE.lag + request_.settle


@pytest.mark.parametrize("ending", [RolloutEnding.CRASH, RolloutEnding.PULL])
def test_a_played_rollout_can_fail(
    *, time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given, ending: RolloutEnding
) -> None:
    stage.deploy(request_.sha, ScriptedRollout(ending=ending))
    assert waited(stage.at, request_, time=time).verdict.exit is ExitCode.ROLLOUT_FAILED


def test_all_targets_are_judged_to_the_end_and_the_worst_counts(
    time: SimulatedClock, request_: DeployRequest, waited: Given
) -> None:
    """A failed target does not hide the state of the others."""
    good, bad = (
        DeploymentScript(SampleApp(name="good"), now=time.now),
        DeploymentScript(SampleApp(name="bad"), now=time.now),
    )
    good.deploy(request_.sha, ScriptedRollout(image_after=20.0))
    bad.deploy(request_.sha, ScriptedRollout(ending=RolloutEnding.CRASH))
    targets = tuple(WorkloadTarget.parse(f"shop/{name}") for name in ("good", "bad", "never"))
    request = replace(request_, targets=targets, wait_for_workload=False)
    over = waited(together(good, bad), request, time=time)
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert over.verdict.reason.startswith("shop/bad: ")
    verdicts = [(each.target, each.verdict) for each in over.verdict.deploys]
    assert verdicts == [("shop/good", "deployed"), ("shop/bad", "rollout-failed"), ("shop/never", "rollout-unproven")]
    assert over.ended > 20


def test_no_target_is_a_problem(request_: DeployRequest, stage: DeploymentScript, waited: Given) -> None:
    with pytest.raises(CommandError):
        waited(stage.at, replace(request_, targets=()))


def test_the_same_target_twice_is_waited_for_once(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    stage.deploy(request_.sha)
    over = waited(stage.at, replace(request_, targets=request_.targets * 2), time=time)
    assert len(over.verdict.deploys) == 1


def test_while_the_image_has_not_come_a_poll_is_one_call(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    over = waited(stage.at, replace(request_, timeout=600.0), time=time)
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert over.calls < 410
    assert over.asked == ["0aa11bb2"]


def test_what_is_waited_for_is_said_once_a_minute(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    over = waited(stage.at, replace(request_, timeout=600.0), time=time)
    beats = [event for _, event in over.events if isinstance(event, Waiting)]
    assert len(beats) == 9
    assert all("shop/web: runs registry.example.test/app:0aa11bb2" in beat.reason for beat in beats)


def test_a_cluster_that_vanishes_and_comes_back_costs_nothing_but_time(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    """Lost contact is reported once for all targets, and so is its end."""
    other = DeploymentScript(SampleApp(name="other"), now=time.now)
    for each in (stage, other):
        each.deploy(request_.sha, ScriptedRollout(image_after=30.0))

    def fault(now: float, _argv: Sequence[str]) -> Completed | None:
        return GONE if 5 < now < 45 else None

    request = replace(request_, targets=(WorkloadTarget.parse("shop/web"), WorkloadTarget.parse("shop/other")))
    over = waited(together(stage, other), request, time=time, fault=fault)
    assert over.verdict.exit is ExitCode.OK
    contact = [type(event) for _, event in over.events if isinstance(event, ContactLost | ContactRestored)]
    assert contact == [ContactLost, ContactRestored]


@pytest.mark.parametrize("seed", range(12))
def test_an_api_server_that_answers_six_of_ten_calls_is_usable(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given, seed: int
) -> None:
    stage.deploy(request_.sha, ScriptedRollout(image_after=30.0))
    chance = random.Random(seed)  # noqa: S311 - chooses which calls fail

    def fault(_now: float, _argv: Sequence[str]) -> Completed | None:
        return GONE if chance.random() < 0.4 else None

    over = waited(stage.at, replace(request_, unreachable=60.0, timeout=300.0), time=time, fault=fault)
    assert over.verdict.exit is ExitCode.OK
    assert not [event for _, event in over.events if isinstance(event, ContactLost)]


def test_pods_that_can_never_be_read_end_with_what_is_missing(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    stage.deploy(request_.sha, ScriptedRollout())
    broken = Completed(1, b"", b"Error from server (InternalError): etcdserver: request timed out")

    def fault(_now: float, argv: Sequence[str]) -> Completed | None:
        return broken if {"pods", "pods,deployment"} & set(argv) else None

    over = waited(stage.at, replace(request_, timeout=60.0, unreachable=30.0), time=time, fault=fault)
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert "etcdserver: request timed out" in over.verdict.reason


def test_calls_that_hang_end_with_the_time_given(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    over = waited(
        stage.at, replace(request_, timeout=30.0), time=time, fault=lambda _now, _argv: Completed(-15, timed_out=True)
    )
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert over.ended <= 32


def test_calls_that_hang_are_unreachable_after_the_unreachable_timeout(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    request = replace(request_, timeout=600.0, unreachable=60.0)
    over = waited(stage.at, request, time=time, fault=lambda _now, _argv: Completed(-15, timed_out=True))
    assert over.verdict.exit is ExitCode.UNREACHABLE
    assert 60 <= over.ended <= 72


@pytest.mark.parametrize("since", [0.0, 1.0, 3.0, 6.0])
def test_a_cluster_that_goes_away_during_the_rollout_is_unreachable_after_the_unreachable_timeout(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given, since: float
) -> None:
    """Found by the soak: the workload of an earlier poll is not an answer."""
    stage.deploy(request_.sha, ScriptedRollout(image_after=0.5, lag=0.2, pod_takes=3.0, ending=RolloutEnding.PULL))
    refused = Completed(
        1, b"", b"The connection to the server 127.0.0.1:1 was refused - did you specify the right host?"
    )
    request = replace(request_, timeout=600.0, unreachable=60.0)
    over = waited(stage.at, request, time=time, fault=lambda now, _argv: refused if now >= since else None)
    assert over.verdict.exit is ExitCode.UNREACHABLE, over.verdict
    assert over.ended <= since + 100


def test_without_kubectl_it_is_a_problem(stage: DeploymentScript, request_: DeployRequest, waited: Given) -> None:
    with pytest.raises(CommandError) as caught:
        waited(stage.at, request_, fault=lambda _now, _argv: Completed(127, b"", b"No such file", not_found=True))
    assert caught.value.exit is ExitCode.USAGE


def test_a_workload_that_changes_while_it_is_looked_at_does_not_count(
    time: SimulatedClock, request_: DeployRequest, waited: Given
) -> None:
    """The generation changes between the two reads of one snapshot: the snapshot is taken again, never used in part."""
    stage = DeploymentScript(SampleApp(), now=time.now)
    stage.deploy(request_.sha, ScriptedRollout(image_after=0.0, lag=0.0, pod_takes=0.001))
    reads = 0

    def restless(t: float) -> Sequence[Json]:
        nonlocal reads
        reads += 1
        return [
            {
                **each,
                "metadata": {**each["metadata"], "generation": reads},
                "status": {**each["status"], "observedGeneration": reads},
            }
            if each["kind"] == "Deployment"
            else each
            for each in stage.at(t)
        ]

    over = waited(restless, replace(request_, timeout=20.0), time=time)
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert not any(isinstance(event, RolloutChanged) and event.phase == "settling" for _, event in over.events)


def test_a_digest_is_proven_by_the_pods(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    stage.deploy(request_.sha)
    digest = "sha256:" + "0" * 64
    over = waited(stage.at, replace(request_, proof=ImageProof(ProofKind.DIGEST, digest), timeout=20.0), time=time)
    assert over.verdict.exit is ExitCode.TIMEOUT
    time.sleep(1.0)
    pods = [each for each in stage.at(0.0) if each["kind"] == "Pod"]
    runs = pods[0]["status"]["containerStatuses"][0]["imageID"].partition("@")[2]
    over = waited(stage.at, replace(request_, proof=ImageProof(ProofKind.DIGEST, runs)), time=time)
    assert over.verdict.exit is ExitCode.OK


def test_what_holds_a_pod_up_is_reported_from_its_events(
    time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Given
) -> None:
    """While it says nothing itself, and once."""
    stage.deploy(request_.sha, ScriptedRollout(pod_takes=200.0))

    def at(now: float) -> Sequence[Json]:
        objects = stage.at(now)
        pods = [each for each in objects if each["kind"] == "Pod"]
        return [*objects, *(warn_about(pod) for pod in pods)]

    over = waited(at, replace(request_, timeout=60.0), time=time)
    assert over.verdict.exit is ExitCode.TIMEOUT
    blocked = [event for _, event in over.events if isinstance(event, Waiting) and event.remedy]
    assert [event.reason.partition(": pod ")[2].partition(": ")[2] for event in blocked] == [MOUNT]
    assert "ConfigMap" in blocked[0].remedy
    assert MOUNT in over.verdict.reason


MOUNT = 'FailedMount: MountVolume.SetUp failed for volume "cfg": configmap "web" not found'


def warn_about(pod: Json) -> Json:
    reason, _, message = MOUNT.partition(": ")
    return {
        "kind": "Event", "type": "Warning", "reason": reason, "message": message,
        "involvedObject": {"kind": "Pod", "uid": pod["metadata"]["uid"]},
        "metadata": {"namespace": "shop", "name": f"e-{pod['metadata']['name']}"},
        "lastTimestamp": "2026-11-23T20:51:00Z",
    }  # fmt: skip


def test_a_quota_is_seen_for_kinds_whose_status_does_not_tell(
    *, time: SimulatedClock, request_: DeployRequest, waited: Given, recording: Given
) -> None:
    """A StatefulSet says nothing of it, its events do; it fails after a minute of it."""
    played = recording("n-statefulset")

    def at(_t: float) -> Sequence[Json]:
        objects = [each for each in played.at(played.end_s) if each["metadata"]["name"] != "web-2"]
        uid = objects[0]["metadata"]["uid"]
        about = {"involvedObject": {"uid": uid}, "kind": "Event", "metadata": {"namespace": "shop", "name": "e"}}
        older = {**about, "reason": "SuccessfulCreate", "message": "made", "lastTimestamp": "2026-11-23T20:50:00Z"}
        newer = {
            **about,
            "reason": "FailedCreate",
            "message": "exceeded quota",
            "lastTimestamp": "2026-11-23T20:51:00Z",
        }
        return [*objects, newer, older]

    target = WorkloadTarget.parse("shop/sts/web")
    over = waited(at, replace(request_, targets=(target,), timeout=300.0), time=time)
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "exceeded quota" in over.verdict.reason
    assert 60 <= over.ended <= 65
