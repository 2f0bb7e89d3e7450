"""The seven hooks under the real pre-commit and the real prek, installed from this checkout at a commit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS
from tests.precommit.conftest import ROOT, Framework

pytestmark = [pytest.mark.slow, pytest.mark.first]

MAKEFILE = "test:\n\t@echo one; echo two; exit $$(cat ../code)\n"


def color(framework: Framework, script: PipelineTimeline) -> None:
    woodpecker = framework.sandbox.woodpecker
    assert woodpecker.push("acme/app", "main", "c" * 40, script, after=-60.0)


def test_the_manifest_is_valid_and_has_the_documented_ids() -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    done = ProcessRunner({"PATH": "/usr/bin:/bin"}).run(
        [str(PROGRAMS / "pre-commit"), "validate-manifest", str(manifest)]
    )
    assert (done.code, done.out) == (0, "")
    ids = re.findall(r"^- id: (\S+)", manifest.read_text(), re.MULTILINE)
    assert ids == [
        "homelab-verify", "homelab-ci-green", "homelab-land-only", "homelab-post-push", "homelab-watch",
        "homelab-deploy-wait", "homelab-follow",
    ]  # fmt: skip


def test_land_only_refuses_the_target_takes_a_branch_and_can_be_skipped(
    framework: Framework, workshop: ScratchRepositories
) -> None:
    """Two hooks: prek refuses a push if it is to skip its only hook."""
    framework.uses("homelab-land-only", "homelab-verify --verify-cmd=true")

    code, said = framework.push()
    assert (code, workshop.server_commit() != framework.sandbox.clone.head) == (1, True)
    assert "only git land may push to main" in said
    assert "homelab: refused exit=20" in said

    assert framework.push("HEAD:topic")[0] == 0
    code, said = framework.push(SKIP="homelab-land-only")
    assert (code, workshop.server_commit()) == (0, framework.sandbox.clone.head), said


def test_verify_shows_what_failed_last_and_does_not_run_the_framework_again(
    framework: Framework, workshop: ScratchRepositories
) -> None:
    """The configuration has pre-push hooks, which a landing would verify with; here they run by themselves."""
    framework.uses("homelab-verify")
    framework.sandbox.clone.commit("Makefile", MAKEFILE)
    (workshop.folder / "code").write_text("5")

    code, said = framework.push()
    assert code == 1
    assert "from a Makefile with a test target" in said
    last = [line for line in said.splitlines() if line.strip()]
    end = next(number for number, line in enumerate(last) if "homelab: verify-failed exit=22" in line)
    assert "hint: fix the problem, then push again; to push anyway: SKIP=homelab-verify git push" in last[end - 1]
    assert "verification failed: `make test` exited with code 2" in last[end - 2]

    (workshop.folder / "code").write_text("0")
    code, said = framework.push()
    assert (code, workshop.server_commit()) == (0, framework.sandbox.clone.head), said


def test_a_verification_that_runs_the_framework_itself_ends(framework: Framework) -> None:
    """The run inside sees no push, though it inherits the variables of one."""
    command = f"{PROGRAMS / framework.tool} run --all-files --hook-stage pre-push"
    framework.uses(f"homelab-verify --verify-cmd={command}")
    code, said = framework.push()
    assert code == 0, said


def test_ci_green_refuses_a_red_branch_and_its_warning_is_seen(
    framework: Framework, workshop: ScratchRepositories
) -> None:
    framework.uses("homelab-ci-green")
    color(framework, timelines.make_red())

    code, said = framework.push()
    assert code == 1
    assert (
        f"the latest pipeline of main failed: #1 (cccccccccc): {framework.sandbox.woodpecker.url}/repos/8/pipeline/1"
        in said
    )
    assert "SKIP=homelab-ci-green git push" in said

    framework.sandbox.woodpecker.stop()
    code, said = framework.push()
    assert (code, workshop.server_commit()) == (0, framework.sandbox.clone.head)
    assert "warning: could not reach CI: " in said, "verbose"


def test_arguments_of_the_configuration_reach_the_hook(framework: Framework) -> None:
    framework.uses("homelab-ci-green --strict")
    framework.sandbox.woodpecker.stop()
    code, said = framework.push()
    assert code == 1
    assert "homelab: unreachable exit=8" in said


def test_a_first_push_of_all_history_is_judged_too(framework: Framework, tmp_path: Path) -> None:
    """Without PRE_COMMIT_FROM_REF and PRE_COMMIT_TO_REF."""
    ProcessRunner(framework.sandbox.environ).run(["git", "init", "--quiet", "--bare", str(tmp_path / "new.git")])
    framework.sandbox.clone.git("remote", "add", "new", str(tmp_path / "new.git"))
    framework.sandbox.config("homelab.target", "main")
    framework.uses("homelab-land-only", "homelab-verify --verify-cmd=git rev-parse HEAD >../seen")
    clone = framework.sandbox.clone

    code, said = framework.push(to="new")
    assert (code, "only git land may push to main" in said) == (1, True)
    code, said = framework.push(to="new", SKIP="homelab-land-only")
    assert code == 0, said
    assert (clone.path.parent / "seen").read_text().strip() == clone.head


def test_of_several_refs_the_tools_hand_on_only_the_first_and_of_a_deletion_none(
    framework: Framework, workshop: ScratchRepositories
) -> None:
    """A limit of theirs, which the documentation names."""
    framework.sandbox.git("push", "--quiet", "origin", "HEAD:aaa", "HEAD:zzz")
    framework.uses("homelab-land-only")
    assert framework.push("HEAD:main", "HEAD:zzz")[0] == 1
    assert framework.push(":zzz")[0] == 0
    assert framework.push("HEAD:aaa", "HEAD:main")[0] == 0, "main is the second line"
    assert workshop.server_commit() == framework.sandbox.clone.head


def test_post_push_leaves_at_once_watches_what_landed_and_tells(framework: Framework) -> None:
    sandbox = framework.sandbox
    framework.uses("homelab-post-push")
    sha = sandbox.commit(timelines.make_red(log=["boom"]))

    code, said = framework.push()

    assert code == 0
    assert "watching CI in the background if the push lands; log: " in said
    assert (sandbox.notification()["verdict"], sandbox.notification()["sha"]) == ("failed", sha)
    assert sandbox.record()["landed"] is True


def test_post_push_watches_nothing_that_did_not_land(framework: Framework, workshop: ScratchRepositories) -> None:
    workshop.write_hook("pre-receive", "exit 1")
    framework.uses("homelab-post-push")
    framework.sandbox.commit(timelines.make_green())
    assert framework.push()[0] == 1
    assert framework.sandbox.record()["landed"] is False
    assert not framework.sandbox.heard.exists()


def test_git_land_passes_every_gate_and_leaves_no_watcher(framework: Framework, workshop: ScratchRepositories) -> None:
    """It verifies with the framework, whose hooks then see no push; at its own push they know it."""
    framework.uses("homelab-land-only", "homelab-verify", "homelab-ci-green", "homelab-post-push")
    framework.sandbox.clone.commit("Makefile", MAKEFILE)
    (workshop.folder / "code").write_text("7")
    ended = framework.sandbox.shell("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", _all(framework))
    assert (ended.code, workshop.server_commit()) == (0, framework.sandbox.clone.head), ended
    assert framework.sandbox.records() == []


def _all(framework: Framework) -> str:
    return f"{PROGRAMS / framework.tool} run --all-files --hook-stage pre-push"


def test_watch_waits_for_the_verdict_by_hand(framework: Framework) -> None:
    framework.uses("homelab-watch")
    framework.sandbox.commit(timelines.make_red(log=["boom"]))
    done = framework.run("run", "homelab-watch", "--hook-stage", "manual")
    assert done.code == 1
    assert "homelab: failed exit=1" in done.out
    framework.sandbox.commit(timelines.make_green())
    done = framework.run("run", "homelab-watch", "--hook-stage", "manual")
    assert done.code == 0
    assert "homelab: passed exit=0" in done.out


def test_deploy_wait_waits_for_the_rollout_by_hand(framework: Framework, tmp_path: Path) -> None:
    framework.uses("homelab-deploy-wait --settle=0.5s")
    clock = SystemClock()
    stage = DeploymentScript(SampleApp(), now=clock.now)
    stage.deploy(framework.sandbox.clone.head, ScriptedRollout(image_after=0.0, lag=0.1, pod_takes=0.1))
    with KubernetesSimulator(stage.at, now=clock.now) as cluster:
        environ = {"KUBECONFIG": str(cluster.kubeconfig(tmp_path / "config")), "HOMELAB_DEPLOY": "shop/web"}
        done = framework.run("run", "homelab-deploy-wait", "--hook-stage", "manual", **environ)
    assert done.code == 0, done.out
    assert "homelab: deployed exit=0" in done.out


def test_follow_waits_for_every_link_by_hand(framework: Framework, tmp_path: Path) -> None:
    """Each link begins when the one before it has succeeded, so a failed CI leaves the command unstarted."""
    framework.uses("homelab-follow --appear-timeout=5s")
    framework.sandbox.config("homelab.target", "main")
    framework.sandbox.config("homelab.follow", "ci")
    framework.sandbox.git("config", "--add", "homelab.follow", f"run:git rev-parse HEAD >{tmp_path}/followed")
    framework.sandbox.commit(timelines.make_red(log=["boom"]))
    done = framework.run("run", "homelab-follow", "--hook-stage", "manual")
    assert done.code == 1
    assert "homelab: failed exit=1" in done.out
    assert not (tmp_path / "followed").exists()
    framework.sandbox.commit(timelines.make_green())
    done = framework.run("run", "homelab-follow", "--hook-stage", "manual")
    assert done.code == 0, done.out
    assert "homelab: ok exit=0" in done.out
    assert (tmp_path / "followed").read_text().strip() == framework.sandbox.clone.head
