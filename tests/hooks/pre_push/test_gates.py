"""The gates as git itself calls them: what they refuse, what they let pass, and what they say."""

from __future__ import annotations

import shlex
import threading

import pytest

from homelab_hooks.ci.provider import Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.polling.outcome import Unavailable
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.watch.branch_status import query_branch_status
from tests.hooks.background.sandbox import PushSandbox
from tests.hooks.pre_push.conftest import Gate
from tests.waiting import FOREVER, HANG_S, wait_until

pytestmark = pytest.mark.slow  # real pushes with real hooks

PUSH = ("push", "--quiet", "origin", "HEAD:main")
LAND_ONLY = ("land-only",)
FAILS = ("verify", "--verify-cmd", "echo broken; exit 3")
LAND = ("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd")


def color(sandbox: PushSandbox, script: PipelineTimeline, *, branch: str = "main", **facts: str) -> None:
    """A pipeline on the branch, played to its end."""
    row = sandbox.woodpecker.push("acme/app", branch, "c" * 40, script, **facts)
    assert row is not None
    wait_until(lambda: sandbox.woodpecker.t > 3)


@pytest.mark.parametrize("case", [
    (LAND_ONLY, 20, "only git land may push to main"),
    (FAILS, 22, "verification failed: `echo broken; exit 3` exited with code 3"),
])  # fmt: skip
def test_a_push_to_the_target_is_refused_with_a_reason_and_a_way(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories, case: tuple[tuple[str, ...], int, str]
) -> None:
    gate_, code, said = case
    gate(*gate_)
    sandbox.commit()
    before = workshop.server_commit()

    done = sandbox.git(*PUSH)

    assert done.code == 1
    assert workshop.server_commit() == before
    assert said in done.err
    assert f"SKIP=homelab-{gate_[0]}" in done.err
    assert sandbox.git(*PUSH, "--dry-run", SKIP=f"other,homelab-{gate_[0]}").code == 0
    assert "--no-verify" in done.err
    assert f"exit={code}" in done.err


@pytest.mark.parametrize("gate_", [LAND_ONLY, FAILS], ids=lambda gate_: gate_[0])
def test_what_is_not_brought_onto_the_target_passes_in_silence(
    sandbox: PushSandbox, gate: Gate, gate_: tuple[str, ...]
) -> None:
    sandbox.git("push", "--quiet", "origin", "HEAD:refs/heads/gone")
    gate(*gate_)
    sandbox.commit()
    sandbox.clone.git("tag", "v1")
    for refs in (["HEAD:topic"], ["v1"], [":gone"], ["origin/main:main"]):
        done = sandbox.git("push", "--quiet", "origin", *refs)
        assert (done.code, done.out, done.err) == (0, "", ""), refs
    sandbox.config("homelab.target", "release")
    assert sandbox.git(*PUSH).code == 0, "another target is set"


@pytest.mark.parametrize("gate_", [LAND_ONLY, FAILS], ids=lambda gate_: gate_[0])
def test_one_of_several_refs_is_enough(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories, gate_: tuple[str, ...]
) -> None:
    gate(*gate_)
    sandbox.commit()
    assert sandbox.git("push", "--quiet", "origin", "HEAD:aaa", "HEAD:main").code == 1
    assert workshop.server_commit("aaa") == ""


@pytest.mark.parametrize("gate_", [LAND_ONLY, FAILS], ids=lambda gate_: gate_[0])
def test_a_push_by_url_is_one_to_the_target_too(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories, gate_: tuple[str, ...]
) -> None:
    gate(*gate_)
    sandbox.commit()
    assert sandbox.git("push", "--quiet", str(workshop.bare_path), "HEAD:main").code == 1
    assert sandbox.git("push", "--quiet", f"file://{workshop.bare_path}", "HEAD:main").code == 1


@pytest.mark.parametrize("gate_", [LAND_ONLY, FAILS], ids=lambda gate_: gate_[0])
def test_git_land_passes(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories, gate_: tuple[str, ...]
) -> None:
    gate(*gate_)
    sha = sandbox.commit()
    ended = sandbox.shell(*LAND, "true")
    assert (ended.code, workshop.server_commit()) == (0, sha), ended


def test_a_push_that_a_verification_makes_is_none_of_git_land(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories
) -> None:
    """It inherits every variable of the landing; the mark is not a variable."""
    gate(*LAND_ONLY)
    sandbox.commit()
    before = workshop.server_commit()
    ended = sandbox.shell(*LAND, "git push --quiet origin HEAD:main")
    assert (ended.code, workshop.server_commit()) == (22, before)
    assert "only git land may push to main" in ended.err


@pytest.mark.parametrize("name", ["HOMELAB_IN_LAND", "HOMELAB_NO_WATCH", "PRE_COMMIT"])
def test_no_variable_that_is_left_in_a_shell_opens_the_gate(sandbox: PushSandbox, gate: Gate, name: str) -> None:
    gate(*LAND_ONLY)
    sandbox.commit()
    assert sandbox.git(*PUSH, **{name: "1"}).code == 1


def test_a_note_that_a_killed_landing_left_does_not_open_the_gate(sandbox: PushSandbox, gate: Gate) -> None:
    gate(*LAND_ONLY)
    sandbox.commit()
    note = sandbox.clone.path / ".git/homelab/push.pid"
    note.parent.mkdir(exist_ok=True)
    for text in ("1", "2147483646", "nonsense"):
        note.write_text(text)
        assert sandbox.git(*PUSH).code == 1, text


def test_another_push_of_the_same_commit_does_not_open_the_gate(sandbox: PushSandbox, gate: Gate) -> None:
    """A landing of long ago may hang: what counts is who descends from it."""
    gate(*LAND_ONLY)
    sha = sandbox.commit()
    other = ProcessRunner(sandbox.environ).spawn(["sh", "-c", f"{FOREVER} & wait", f"{sha}:refs/heads/main"])
    note = sandbox.clone.path / ".git/homelab/push.pid"
    note.parent.mkdir(exist_ok=True)
    note.write_text(str(other.pid))
    try:
        assert sandbox.git(*PUSH).code == 1
    finally:
        other.stop()


def test_what_is_verified_is_what_is_pushed(sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories) -> None:
    gate("verify", "--verify-cmd", "git rev-parse HEAD >../seen")
    sha = sandbox.commit()
    assert sandbox.git(*PUSH).code == 0
    assert (sandbox.clone.path.parent / "seen").read_text().strip() == workshop.server_commit() == sha

    older = sandbox.commit()
    sandbox.commit()
    done = sandbox.git("push", "--quiet", "origin", f"{older}:main")
    assert done.code == 1
    assert f"the commit that is pushed to main ({older[:10]}) is not checked out" in done.err

    sandbox.clone.write("README", "changed\n")
    done = sandbox.git(*PUSH)
    assert done.code == 1
    assert "tracked files changed: README, so the verification would not test the pushed commit" in done.err


def test_a_verification_is_found_as_a_landing_finds_it_and_sees_no_token(sandbox: PushSandbox, gate: Gate) -> None:
    gate("verify")
    sandbox.commit()
    done = sandbox.git(*PUSH)
    assert done.code == 1
    assert "no verification command found" in done.err
    sandbox.clone.commit("Makefile", "test:\n\t@env; exit 4\n")
    done = sandbox.git(*PUSH)
    assert done.code == 1
    assert "from a Makefile with a test target" in done.err
    assert "alice-token" not in done.err


RED = (timelines.make_red(), timelines.make_config_error(), timelines.make_cancelled_by_step())
OPEN = (
    timelines.make_green(),
    timelines.make_blocked(),
    timelines.make_stuck(),
    timelines.make_cancelled(),
    timelines.make_declined(),
)


@pytest.mark.parametrize("script", RED, ids=["red", "error", "cancelled by a step"])
def test_nothing_is_pushed_onto_a_red_branch(
    sandbox: PushSandbox, gate: Gate, workshop: ScratchRepositories, script: PipelineTimeline
) -> None:
    color(sandbox, timelines.make_green())
    color(sandbox, script)
    gate("ci-green")
    sandbox.commit()
    before = workshop.server_commit()

    done = sandbox.git(*PUSH)

    assert (done.code, workshop.server_commit()) == (1, before)
    assert "the latest pipeline of main failed: #2 (cccccccccc): " in done.err
    assert f"{sandbox.woodpecker.url}/repos/8/pipeline/2" in done.err
    assert "SKIP=homelab-ci-green git push" in done.err
    assert "exit=20" in done.err
    assert sandbox.git("push", "--quiet", "origin", "HEAD:topic").code == 0, "another branch has another color"


def test_only_what_the_newest_decided_pipeline_of_the_branch_says_counts(sandbox: PushSandbox, gate: Gate) -> None:
    gate("ci-green")
    sandbox.commit()
    assert sandbox.git("push", "--quiet", "origin", "HEAD:first").code == 0, "no pipeline at all"
    color(sandbox, timelines.make_red())
    color(sandbox, timelines.make_red(), event="cron")
    color(sandbox, timelines.make_green())
    color(sandbox, timelines.make_red(), branch="topic")
    color(sandbox, timelines.make_red(), event="pull_request", ref="refs/pull/1/head")
    for script in OPEN:
        color(sandbox, script)
        done = sandbox.git("push", "--dry-run", "--quiet", "origin", "HEAD:main")
        assert (done.code, "homelab: passed exit=0" in done.err) == (0, True), done
    assert sandbox.git("push", "--quiet", "origin", "HEAD:topic").code == 1


def test_a_ci_that_cannot_be_asked_stops_no_push_but_strictly(sandbox: PushSandbox, gate: Gate) -> None:
    sandbox.commit()
    gate("ci-green", "--strict")
    for wrong in ({"WOODPECKER_TOKEN": ""}, {"HOMELAB_CI_REPO": "acme/nope"}):
        refused = sandbox.git(*PUSH, **wrong)
        assert refused.code == 1
        assert "exit=4" in refused.err
    sandbox.woodpecker.stop()
    silent = sandbox.git(*PUSH)
    assert silent.code == 1
    assert "exit=8" in silent.err

    gate("ci-green")
    done = sandbox.git(*PUSH)
    assert done.code == 0
    assert "warning: could not reach CI: " in done.err
    assert "the push continues without a check of main" in done.err
    sandbox.woodpecker.start()
    sandbox.commit()
    done = sandbox.git(*PUSH, HOMELAB_CI_REPO="acme/nope")
    assert done.code == 0
    assert "warning: CI does not report the branch status: " in done.err


def test_a_question_that_hangs_is_given_up() -> None:
    over = threading.Event()

    def hangs() -> Provider:
        over.wait(HANG_S)
        raise CommandError("the reader is gone")

    try:
        assert query_branch_status(["acme/app"], "main", hangs, seconds=0.1) == Unavailable("no response within 0.1s")
    finally:
        over.set()


def test_a_gate_that_is_run_without_a_push_says_nothing(sandbox: PushSandbox) -> None:
    for name in ("verify", "ci-green", "land-only", "post-push"):
        ended = sandbox.shell("homelab", "hooks", name)
        assert (ended.code, ended.out, ended.err) == (0, "", ""), name


def test_a_tracked_files_command_is_not_run_by_the_gate_before_it_was_agreed_to(
    sandbox: PushSandbox, gate: Gate
) -> None:
    gate("verify")
    sandbox.clone.commit(".homelab.toml", 'verify = "echo ran >../ran"\n')
    done = sandbox.git(*PUSH)
    assert done.code == 1
    assert "which has not been approved" in done.err
    assert not (sandbox.clone.path.parent / "ran").exists()


@pytest.mark.parametrize("which", ["land-only", "verify"])
def test_a_gate_that_cannot_tell_the_target_does_not_open(sandbox: PushSandbox, gate: Gate, which: str) -> None:
    """A remote whose fetch URL does not answer, and whose pushes go elsewhere."""
    gate(which)
    sandbox.clone.git("remote", "set-head", "origin", "--delete")
    sandbox.clone.git("config", "remote.origin.pushurl", sandbox.clone.git("config", "remote.origin.url"))
    sandbox.clone.git("config", "remote.origin.url", "/nosuch.git")
    sandbox.clone.commit("b")
    done = sandbox.git(*PUSH)
    assert done.code == 1
    assert "could not determine the target branch" in done.err
    assert "git config homelab.target" in done.err


def test_a_gate_that_cannot_tell_names_the_remote_whatever_it_is_called(sandbox: PushSandbox, gate: Gate) -> None:
    """In a command that a user may paste into a shell as it is; so does the doctor."""
    gate("land-only")
    sandbox.clone.git("remote", "rename", "origin", "up;touch'x'")
    sandbox.clone.git("remote", "set-head", "up;touch'x'", "--delete")
    sandbox.clone.git("config", "remote.up;touch'x'.pushurl", sandbox.clone.git("config", "remote.up;touch'x'.url"))
    sandbox.clone.git("config", "remote.up;touch'x'.url", "/nosuch.git")
    sandbox.clone.commit("b")
    quoted = shlex.quote("up;touch'x'")
    assert f"git remote set-head {quoted} BRANCH" in sandbox.git("push", "--quiet", "up;touch'x'", "HEAD:main").err
    sandbox.clone.git("config", "remote.up;touch'x'.pushurl", "/nosuch.git")
    assert f"git ls-remote {quoted}" in sandbox.shell("homelab", "doctor").err
