"""homelab-watch --deploy: the watch, then the rollout, one result for both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, RolloutEnding, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import Shell
from tests.views.schema import objects

pytestmark = pytest.mark.slow


@pytest.fixture
def stage() -> DeploymentScript:
    return DeploymentScript(SampleApp(), now=SystemClock().now)


@pytest.fixture
def shop(shell: Shell, stage: DeploymentScript, tmp_path: Path) -> Iterator[Shell]:
    """The shell, with a cluster."""
    with KubernetesSimulator(stage.at, now=SystemClock().now) as cluster:
        shell.more["KUBECONFIG"] = str(cluster.kubeconfig(tmp_path / "kubeconfig"))
        yield shell


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[[PipelineTimeline], None]:
    def one(script: PipelineTimeline) -> None:
        woodpecker.push("acme/app", "main", clone.head, script, after=-60.0)

    return one


def test_a_green_commit_is_deployed(
    shop: Shell, stage: DeploymentScript, push: Callable[[PipelineTimeline], None], clone: Clone
) -> None:
    push(timelines.make_green())
    stage.deploy(clone.head, ScriptedRollout(image_after=0.5, lag=0.2, pod_takes=0.2))
    ended = shop("homelab-watch", "--deploy", "shop/web", "--settle", "0.5s", "--output", "json")
    found = objects(ended.lines)
    stages = [(one["stage"], one["progress"]) for one in found if one["event"] == "stage"]
    assert stages == [("watch", "started"), ("watch", "done"), ("deploy", "started"), ("deploy", "done")]
    result = json.loads(ended.lines[-1])
    assert (ended.code, result["verdict"]) == (0, "deployed")
    assert [one["number"] for one in result["pipelines"]] == [1]
    assert [(one["target"], one["verdict"]) for one in result["deploys"]] == [("shop/web", "deployed")]


def test_a_call_that_may_not_wait_looks_at_the_rollout_once(shop: Shell) -> None:
    ended = shop("homelab", "follow", "--onto", "main", "--follow", "deploy:shop/web", "--timeout", "0")
    assert (ended.code, ended.result["verdict"], ended.result["link"]) == (124, "timeout", "deploy:shop/web"), ended
    assert "to resume, run: homelab follow " in ended.err


def test_a_newer_commit_that_is_not_here_yet_is_fetched_with_its_branch(
    shop: Shell, stage: DeploymentScript, workshop: ScratchRepositories, clone: Clone
) -> None:
    """A tag has but the first digits of it, by which no server gives a commit."""
    clone.git("remote", "set-url", "origin", str(workshop.bare_path))
    bob = workshop.clone("bob")
    stage.deploy(bob.commit("his"), ScriptedRollout(image_after=0.0, lag=0.0, pod_takes=0.1))
    bob.git("push", "--quiet", "origin", "main")
    ended = shop("homelab", "deploy", "wait", "shop/web", "--settle", "0.2s", "--rollout-timeout", "5m")
    assert (ended.code, ended.result["verdict"]) == (0, "deployed")
    assert "included in newer deploy" in ended.err


def test_a_rollout_that_fails_counts(
    shop: Shell, stage: DeploymentScript, push: Callable[[PipelineTimeline], None], clone: Clone
) -> None:
    push(timelines.make_green())
    stage.deploy(clone.head, ScriptedRollout(image_after=0.0, lag=0.0, pod_takes=0.2, ending=RolloutEnding.CRASH))
    ended = shop("homelab-watch", "--deploy", "shop/web", "--deploy", "shop/none")
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (9, "rollout-failed", "#1")


def test_a_red_commit_is_not_waited_for(shop: Shell, push: Callable[[PipelineTimeline], None]) -> None:
    push(timelines.make_red())
    ended = shop("homelab-watch", "--deploy", "shop/web")
    assert (ended.code, ended.result["verdict"]) == (1, "failed")
    assert "\ndeploy:shop/web" not in ended.err, "its stage did not begin"


def test_configured_targets_are_not_waited_for_by_a_watch(
    shop: Shell, push: Callable[[PipelineTimeline], None]
) -> None:
    push(timelines.make_green())
    ended = shop("homelab-watch", HOMELAB_DEPLOY="shop/web")
    assert (ended.code, ended.result["verdict"]) == (0, "passed")


def test_a_wait_that_runs_out_of_time_says_how_to_resume(
    shop: Shell, push: Callable[[PipelineTimeline], None], clone: Clone
) -> None:
    push(timelines.make_green())
    ended = shop("homelab-watch", "--deploy", "shop/web", "--rollout-timeout", "0")
    assert (ended.code, ended.result["verdict"]) == (124, "timeout")
    assert f"homelab deploy wait shop/web --sha {clone.head}" in ended.err
    assert "app:0aa11bb2" in ended.err


def test_a_malformed_target_is_a_usage_error_before_anything_is_asked(
    shop: Shell, woodpecker: WoodpeckerSimulator
) -> None:
    ended = shop("homelab-watch", "--deploy", "shop/job/web")
    assert (ended.code, ended.result["verdict"]) == (2, "usage")
    assert not woodpecker.requests
