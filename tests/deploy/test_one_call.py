"""The pods and then the workload in one call of kubectl: where that is possible, and what it must not mix."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.parse import matches_selector
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.timeline import ClusterTimeline
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.json_fields import Json

ONE_CALL = "pods,deployment"
FORBIDDEN = Completed(
    1, b"",
    b'Error from server (Forbidden): deployments.apps is forbidden: User "ann" cannot list resource "deployments" in '
    b'API group "apps" in the namespace "shop"\n',
)  # fmt: skip


@pytest.fixture
def time() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def stage(time: SimulatedClock) -> DeploymentScript:
    return DeploymentScript(SampleApp(), now=time.now)


class RecordedCalls:
    """What kubectl was asked for, in order."""

    def __init__(self, answer: Completed | None = None) -> None:
        self.resources: list[str] = []
        self._answer = answer

    def __call__(self, _now: float, argv: Sequence[str]) -> Completed | None:
        self.resources.append(argv[argv.index("get") + 1])
        return self._answer if self.resources[-1] == ONE_CALL else None


def without_labels(timeline: ClusterTimeline) -> ClusterTimeline:
    """The same objects, but the Deployment has no labels of its own."""

    def at(t: float) -> Sequence[Json]:
        objects = copy.deepcopy(list(timeline(t)))
        for each in objects:
            if each["kind"] == "Deployment":
                each["metadata"].pop("labels", None)
        return objects

    return at


def test_a_snapshot_takes_one_call_after_its_revisions(
    *, time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Callable[..., Any]
) -> None:
    stage.deploy(request_.sha, ScriptedRollout())
    calls = RecordedCalls()
    over = waited(stage.at, request_, time=time, fault=calls)
    assert over.verdict.exit is ExitCode.OK
    assert calls.resources[-1] == ONE_CALL
    assert "pods" not in calls.resources


@pytest.mark.parametrize(
    ("answer", "labels"),
    [(FORBIDDEN, True), (Completed(-15, timed_out=True), True), (None, False)],
    ids=["may not list", "takes too long", "other labels"],
)
def test_a_workload_that_cannot_be_listed_with_its_pods_is_read_after_them(
    *,
    time: SimulatedClock,
    stage: DeploymentScript,
    request_: DeployRequest,
    waited: Callable[..., Any],
    answer: Completed | None,
    labels: bool,
) -> None:
    """If the user may not list workloads, the call is not repeated."""
    stage.deploy(request_.sha, ScriptedRollout())
    calls = RecordedCalls(answer)
    over = waited(stage.at if labels else without_labels(stage.at), request_, time=time, fault=calls)
    assert over.verdict.exit is ExitCode.OK
    assert calls.resources.count(ONE_CALL) == labels
    assert calls.resources[-2:] == ["pods", "deployment"]


def test_a_call_that_fails_once_is_made_again_for_the_next_snapshot(
    *, time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Callable[..., Any]
) -> None:
    stage.deploy(request_.sha, ScriptedRollout())
    calls = RecordedCalls(Completed(1, b"", b"Error from server (InternalError): an error on the server"))
    over = waited(stage.at, request_, time=time, fault=calls)
    assert over.verdict.exit is ExitCode.OK
    assert calls.resources.count(ONE_CALL) > 1


def test_a_new_image_that_comes_between_the_two_parts_is_not_taken_for_ours(
    *, time: SimulatedClock, stage: DeploymentScript, request_: DeployRequest, waited: Callable[..., Any]
) -> None:
    """At the end of the settle time the pods are still ours, and the workload that is read after them is not."""
    stage.deploy(request_.sha, ScriptedRollout())
    replaced_at: list[float] = []

    def replaced(t: float) -> Sequence[Json]:
        objects = copy.deepcopy(list(stage.at(t)))
        for each in objects:
            if each["kind"] == "Deployment" and replaced_at and time.now() >= replaced_at[0]:
                each["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.test/app:0aa11bb2"
                each["metadata"]["generation"] += 1
        return objects

    def replace_during_last_call(now: float, argv: Sequence[str]) -> None:
        if any("pods" in word for word in argv) and now >= 10.0 and not replaced_at:
            replaced_at.append(now + 0.055)  # the pods are listed after 50 ms, the workload after 60 ms

    over = waited(replaced, replace(request_, settle=8.0), time=time, fault=replace_during_last_call)
    assert replaced_at
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "0aa11bb2" in over.verdict.reason


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        (selector, labels)
        for selector in (
            {},
            {"matchLabels": {"app": "web"}},
            {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
            {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["b"]}]},
            {"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "tier", "operator": "DoesNotExist"}]},
        )
        for labels in ({}, {"app": "web"}, {"app": "other", "tier": "b"}, {"app": "web", "tier": "a"})
    ],
)
def test_a_selector_is_matched_as_the_api_server_does(selector: Json, labels: dict[str, str]) -> None:
    expressions = selector.get("matchExpressions", [])
    expected = bool(selector) and all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items())
    for each in expressions:
        value, values = labels.get(each["key"]), each.get("values", [])
        expected &= {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[each["operator"]]
    assert matches_selector(selector, labels) is expected
