"""`git land --revert` and `--on-failure revert` as they are started from a shell."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import CommandResult, Shell
from tests.waiting import FOREVER, HANG_S

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    """In Ann's clone, without CI."""
    return Shell(seal, ann.path)


def land(shell: Shell, *options: str, at: Path | None = None, verify: str = "true") -> CommandResult:
    return shell("git-land", "--output", "json", "--verify-cmd", verify, *options, at=at)


def result(done: CommandResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.lines[-1])
    return found


def roll_out(clone: Clone, script: str) -> None:
    """Let the repository's own post-push hook decide how the rollout ends."""
    hook = clone.path / ".git/hooks/post-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def tree(workshop: ScratchRepositories) -> list[str]:
    return workshop.origin.git("ls-tree", "--name-only", "main").split()


def test_a_failed_rollout_is_taken_back_and_the_exit_code_stays(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    ann.commit("broken")
    roll_out(ann, "[ ! -e broken ] || exit 9")
    done = land(shell, "--on-failure", "revert", "--follow", "run:true")
    end = result(done)
    assert (done.code, end["verdict"], end["landed"], end["sha"]) == (9, "rollout-failed", True, ann.head)
    assert end["revert"]["commit"] == ann.head
    assert (end["revert"]["sha"], end["revert"]["exit"]) == (workshop.server_commit(), 0)
    assert tree(workshop) == ["README"]
    assert [json.loads(line)["seq"] for line in done.lines] == list(range(1, len(done.lines) + 1))
    assert not (ann.path / ".worktrees").exists()


@pytest.mark.parametrize("code", [1, 6, 8, 10, 124])
def test_no_other_end_is_taken_back(shell: Shell, ann: Clone, workshop: ScratchRepositories, code: int) -> None:
    roll_out(ann, f"exit {code}")
    done = land(shell, "--on-failure", "revert", "--follow", "run:true")
    assert (done.code, "revert" in result(done), workshop.server_commit()) == (code, False, ann.head)


def test_a_revert_that_fails_too_is_not_reverted_and_newer_work_stays(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    """Its own rollout ends with 9 as well. Meanwhile a commit of another person has landed on top."""
    bob = workshop.clone("bob")
    push = f"cd {bob.path} && git pull -q && echo x >newer && git add newer && git commit -qm newer && git push -q"
    roll_out(ann, f"[ -e {bob.path}/newer ] || (unset GIT_DIR; {push}) >&2 || exit 1; exit 9")
    done = land(shell, "--on-failure", "revert", "--follow", "run:true")
    end = result(done)
    assert (done.code, end["sha"], end["revert"]["exit"]) == (9, ann.head, 9), done
    assert end["revert"]["sha"] == workshop.server_commit()
    assert tree(workshop) == ["README", "newer"]
    assert workshop.origin.git("rev-list", "--count", f"{ann.head}..main") == "2"


def test_a_revert_that_cannot_land_says_why(shell: Shell, ann: Clone, workshop: ScratchRepositories) -> None:
    roll_out(ann, "exit 9")
    done = land(shell, "--on-failure", "revert", "--follow", "run:true", verify="test -e a")
    end = result(done)
    assert (done.code, end["landed"], end["revert"]["exit"]) == (9, True, 22)
    assert "sha" not in end["revert"]
    assert "not reverted: verification failed" in end["reason"]
    assert "git land --abort" in end["hint"]
    assert workshop.server_commit() == ann.head
    back = land(shell, "--abort", at=ann.path / f".worktrees/revert-{ann.head[:12]}")
    assert (back.code, result(back)["landed"]) == (0, False), back
    assert not (ann.path / ".worktrees").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_revert_that_was_cut_short_goes_on_in_its_worktree(
    shell: Shell, ann: Clone, workshop: ScratchRepositories, number: signal.Signals
) -> None:
    assert land(shell, "--no-ci-watch").code == 0
    tip, before = ann.head, ann.git("status", "--porcelain")
    options = ("--revert", "HEAD", "--no-ci-watch", "--verify-cmd", f"echo begun; {FOREVER}")
    with shell.start("git-land", "--output", "plain", *options) as child:
        assert child.stderr is not None
        assert any(line.split()[-1:] == [b"begun"] for line in child.stderr)
        os.killpg(child.pid, number)
        out, err = child.communicate(timeout=HANG_S)
    place = ann.path / f".worktrees/revert-{tip[:12]}"
    assert (child.returncode, workshop.server_commit()) == (130 if number is signal.SIGINT else -9, tip)
    if number is signal.SIGINT:
        assert b"landed=no" in out
        assert f"cd {place}; then run git land --continue" in err.decode().replace("\n", " ")
    refused = land(shell, "--revert", "HEAD", "--no-ci-watch")
    assert (refused.code, result(refused)["landed"]) == (20, False)
    assert str(place) in result(refused)["hint"]
    done = land(shell, "--continue", at=place)
    end = result(done)
    assert (done.code, end["landed"], end["revert"]["commit"]) == (0, True, tip), done
    assert tree(workshop) == ["README"]
    assert (ann.head, ann.git("status", "--porcelain"), place.exists()) == (tip, before, False)


def test_a_landing_that_is_to_be_reverted_is_not_continued_in_the_background(
    shell: Shell, workshop: ScratchRepositories
) -> None:
    before = workshop.server_commit()
    assert land(shell, "--on-failure", "revert", "--follow", "run:true", verify="false").code == ExitCode.VERIFY_FAILED
    done = land(shell, "--continue", "--detach", "--follow", "run:true")
    assert (done.code, workshop.server_commit()) == (ExitCode.USAGE, before), done
    assert "--on-failure and --detach" in result(done)["reason"]


@pytest.mark.parametrize(
    "options",
    [
        ("--revert", "HEAD", "--continue"),
        ("--revert", "HEAD", "--abort"),
        ("--revert", "HEAD", "-m", "x"),
        ("--revert", "HEAD", "--on-failure", "revert"),
        ("--revert", "nothing-of-that-name"),
        ("--on-failure", "revert", "--detach"),
        ("--on-failure", "revert", "--no-ci-watch"),
        ("--on-failure", "ignore"),
    ],
)
def test_contradicting_options_are_a_usage_error(
    shell: Shell, workshop: ScratchRepositories, options: tuple[str, ...]
) -> None:
    before = workshop.server_commit()
    done = shell("git-land", "--output", "plain", "--verify-cmd", "true", "--follow", "run:true", *options)
    assert (done.code, done.result["landed"], workshop.server_commit()) == (ExitCode.USAGE, "no", before), done
