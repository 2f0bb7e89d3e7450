"""What git's settings, variables and other programs hide or change is not landed, and nothing of the user's is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run, task_worktree
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.cli.shell import Shell
from tests.inherited import inherited_by_git
from tests.land.hidden_changes import HIDING_SETTINGS, change_unnoticed, hiding_changes
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]


def test_a_replaced_commit_is_not_verified_in_place_of_the_pushed_one(ann: Clone, git_land: GitLand) -> None:
    """A push ignores refs/replace."""
    bad = ann.commit("topic.txt", "BAD\n")
    good = ann.git("commit-tree", make_tree(ann), "-p", "HEAD~1", "-m", "good")
    ann.git("replace", bad, good)
    ann.git("reset", "--quiet", "--hard")
    verdict = git_land(ann, verify="grep GOOD topic.txt")
    assert verdict.exit in {ExitCode.REFUSED, ExitCode.VERIFY_FAILED}
    assert not verdict.landed
    ann.git("replace", "--delete", bad)
    ann.git("reset", "--quiet", "--hard")


def make_tree(clone: Clone) -> str:
    clone.write("topic.txt", "GOOD\n")
    clone.git("add", "topic.txt")
    tree = clone.git("write-tree")
    clone.git("reset", "--quiet", "--hard")
    return tree


@pytest.mark.parametrize("name", HIDING_SETTINGS)
def test_a_change_that_settings_hide_from_git_status_is_seen(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any, name: str
) -> None:
    ann.commit("base.txt", "world")
    with hiding_changes(workshop, ann, name, "base.txt"):
        script = "touch -r base.txt ../kept; printf hello >base.txt; touch -r ../kept base.txt; git status --porcelain"
        verdict = git_land(ann, verify=f'test -z "$({script})"')
    assert (verdict.exit, verdict.landed) == (ExitCode.VERIFY_FAILED, False)
    assert "base.txt" in verdict.reason
    land_run.abort_landing(parts(ann))
    ann.git("reset", "--quiet", "--hard")


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", HIDING_SETTINGS)
def test_it_is_seen_before_anything_is_done(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, name: str, *, dry_run: bool
) -> None:
    ann.commit("base.txt", "world")
    with hiding_changes(workshop, ann, name, "base.txt"):
        change_unnoticed(ann, "base.txt", "hello")
        verdict = git_land(ann, dry_run=dry_run)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert verdict.reason.endswith("uncommitted changes would not be landed: base.txt"), verdict


def test_a_push_url_that_changes_during_the_landing_is_not_pushed_to(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    evil = workshop.folder / "evil.git"
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), str(evil))
    ann.commit("more")
    verdict = git_land(ann, verify=f"git remote set-url origin {evil}")
    assert (verdict.exit, verdict.landed) == (ExitCode.VERIFY_FAILED, False)
    assert "push URL of origin changed" in verdict.reason
    assert ann.git("ls-remote", str(evil), "main").split()[0] != ann.head
    ann.git("remote", "set-url", "origin", str(workshop.bare_path))
    assert git_land(ann).landed


def test_a_topic_is_started_in_its_own_work_tree_whatever_the_environment_names(
    workshop: ScratchRepositories, seal: dict[str, str], ann: Clone
) -> None:
    """GIT_DIR and GIT_WORK_TREE name the user's, and a reset of the new one threw away the user's changes."""
    ann.write("README", "precious")
    ann.write("staged", "staged")
    ann.git("add", "staged")
    before = ann.git("status", "--porcelain")
    environ = {**seal, "GIT_DIR": str(ann.path / ".git"), "GIT_WORK_TREE": str(ann.path)}
    git = Repository(GitPythonRunner(environ, ann.path, inherited=inherited_by_git(), interactive=False))
    path = task_worktree.start_worktree("w1", git=git, user="ann")
    assert ann.git("status", "--porcelain") == before
    assert (ann.path / "README").read_text() == "precious"
    assert Clone(path, workshop.environ).git("status", "--porcelain") == ""
    (path / "new").write_text("x")
    with pytest.raises(CommandError, match="would be lost: new"):
        task_worktree.remove_worktree("w1", git=git, user="ann")
    ann.git("reset", "--quiet", "--hard")


def test_commits_on_a_detached_head_are_not_lost_with_the_work_tree(
    workshop: ScratchRepositories, parts: Any, ann: Clone
) -> None:
    git = parts(ann).git
    path = task_worktree.start_worktree("w1", git=git, user="ann")
    new = Clone(path, workshop.environ)
    new.git("switch", "--quiet", "--detach")
    new.commit("a")
    with pytest.raises(CommandError, match="1 commit that no remote has"):
        task_worktree.remove_worktree("w1", git=git, user="ann")
    task_worktree.remove_worktree("w1", git=git, user="ann", force=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_merge_ends_with_the_landing_that_began_it(
    workshop: ScratchRepositories, seal: dict[str, str], number: signal.Signals
) -> None:
    """A supervisor signals the process alone, not its group; git went on, and moved the branch after --abort."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    log = workshop.folder / "hook"
    workshop.write_hook("pre-merge-commit", f"echo $PPID >{log}; exec sleep 2", where=ann.path / ".git/hooks")
    shell = Shell(seal, ann.path)
    with shell.start("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", "true") as running:
        wait_until(log.exists)
        running.send_signal(number)
        running.communicate(timeout=HANG_S)
    assert subprocess.run(["kill", "-0", log.read_text().strip()], capture_output=True, check=False).returncode != 0
    assert shell("git-land", "--output", "plain", "--abort").code == 0
    assert ann.head == start
    assert ann.git("status", "--porcelain", "--untracked-files=no") == ""


def test_names_that_are_not_utf_8_are_landed(workshop: ScratchRepositories, seal: dict[str, str], ann: Clone) -> None:
    branch = os.fsdecode(b"br\xe9nch")
    ann.git("switch", "--quiet", "-c", branch)
    sha = ann.commit("more")
    done = Shell(seal, ann.path)("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", "true")
    assert (done.code, workshop.server_commit()) == (0, sha), done


def test_a_locked_work_tree_is_not_removed_with_force(parts: Any, ann: Clone) -> None:
    git = parts(ann).git
    path = task_worktree.start_worktree("w1", git=git, user="ann")
    ann.git("worktree", "lock", "--reason", "on a stick", str(path))
    with pytest.raises(CommandError, match="locked"):
        task_worktree.remove_worktree("w1", git=git, user="ann", force=True)
    assert path.is_dir()
    ann.git("worktree", "unlock", str(path))
    task_worktree.remove_worktree("w1", git=git, user="ann", force=True)


def test_a_lock_that_appears_during_the_merge_is_named_and_the_landing_can_be_undone(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any
) -> None:
    """It was reported as a failed hook, and the merge was left although nothing could end it."""
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    start, lock = ann.head, ann.path / ".git/index.lock"

    def lock_after_fetch(event: object) -> None:
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.FETCH, Progress.DONE):
            lock.touch()

    verdict = git_land(ann, tell=lock_after_fetch)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "index.lock" in verdict.reason
    lock.unlink()
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert ann.head == start
