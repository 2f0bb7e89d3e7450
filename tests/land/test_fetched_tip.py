"""The target's commit is the one that our own fetch brought, whatever other programs fetch in the same worktree."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run, task_worktree
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.inherited import inherited_by_git

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]
AFTER_OUR_FETCH = """\
#!/bin/sh
{git} "$@"; code=$?
case " $* " in
*" fetch "*refs/heads/main:*) env -i HOME="$HOME" PATH=/usr/bin:/bin sh -c '{then}' ;;
esac
exit $code
"""
OTHERS = {
    "an editor fetches all branches": "git fetch --quiet --all --prune",
    "another branch is fetched": "git fetch --quiet origin aaa-experiment",
    "FETCH_HEAD is emptied": ": >.git/FETCH_HEAD",
    "FETCH_HEAD is removed": "rm -f .git/FETCH_HEAD",
    "FETCH_HEAD is garbage": "echo 0123456789012345678901234567890123456789 >.git/FETCH_HEAD",
    "FETCH_HEAD names the unmerged branch": "git rev-parse origin/aaa-experiment >.git/FETCH_HEAD",
    "the tracking ref is moved": "git update-ref refs/remotes/origin/main refs/remotes/origin/aaa-experiment",
    "the tracking ref is deleted": "git update-ref -d refs/remotes/origin/main",
}


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """On `topic`; the server has a newer `main`, and an unmerged branch that comes first in the alphabet."""
    bob = workshop.clone("bob")
    bob.git("switch", "--quiet", "-c", "aaa-experiment")
    bob.commit("poison")
    bob.git("push", "--quiet", "origin", "aaa-experiment")
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    bob.git("switch", "--quiet", "main")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return clone


@pytest.fixture
def disturbed(workshop: ScratchRepositories, seal: dict[str, str]) -> Callable[[Clone, str], Repository]:
    """Git in a clone, where a shell command runs right after each fetch of `main`."""

    def build(clone: Clone, then: str) -> Repository:
        real = next(path for folder in os.get_exec_path() if (path := Path(folder) / "git").exists())
        wrapper = workshop.folder / "bin/git"
        wrapper.parent.mkdir()
        wrapper.write_text(AFTER_OUR_FETCH.format(git=real, then=then))
        wrapper.chmod(0o755)
        environ = {**seal, "PATH": f"{wrapper.parent}:{seal['PATH']}"}
        return Repository(GitPythonRunner(environ, clone.path, inherited=inherited_by_git(), interactive=False))

    return build


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
@pytest.mark.parametrize("other", OTHERS)
def test_a_landing_merges_what_it_fetched_and_nothing_else(
    workshop: ScratchRepositories, ann: Clone, *, disturbed: Any, parts: Any, other: str, strategy: Strategy
) -> None:
    from homelab_hooks.land import run as land_run
    from homelab_hooks.land.request import LandRequest, VerifyCommand

    request = LandRequest(verify=VerifyCommand("true", "told"), strategy=strategy)
    verdict = land_run.land_branch(request, parts(ann, git=disturbed(ann, OTHERS[other])))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert workshop.origin.git("ls-tree", "--name-only", "main").split() == ["README", "a", "b"]


@pytest.mark.parametrize("other", OTHERS)
def test_a_new_work_tree_begins_at_what_was_fetched(
    workshop: ScratchRepositories, ann: Clone, disturbed: Any, other: str
) -> None:
    path = task_worktree.start_worktree("task", git=disturbed(ann, OTHERS[other]), user="ann")
    assert Clone(path, workshop.environ).head == workshop.server_commit()


def test_the_users_own_fetch_head_stays(ann: Clone, git_land: GitLand) -> None:
    ann.git("fetch", "--quiet", "origin", "aaa-experiment")
    before = (ann.path / ".git/FETCH_HEAD").read_text()
    assert git_land(ann).landed
    assert (ann.path / ".git/FETCH_HEAD").read_text() == before


def test_another_fetch_that_holds_the_tracking_ref_does_not_stop_a_landing(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    lock = ann.path / ".git/refs/remotes/origin/main.lock"
    lock.touch()
    verdict = git_land(ann)
    lock.unlink()
    assert (verdict.exit, workshop.server_commit()) == (ExitCode.OK, ann.head)


def test_a_fetch_that_cannot_keep_our_ref_is_an_error(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    before = workshop.server_commit()
    refuse = '! grep -q refs/homelab/ || [ "$1" != prepared ]'
    hook = workshop.write_hook("reference-transaction", refuse, where=ann.path / ".git/hooks")
    verdict = git_land(ann)
    hook.unlink()
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.PUSH_FAILED, False, before)
    assert git_land(ann).landed


@pytest.mark.parametrize("command", ["git land", "--abort", "work start"])
def test_the_ref_of_a_killed_fetch_is_deleted_and_that_of_a_live_one_kept(
    ann: Clone, git_land: GitLand, parts: Any, command: str
) -> None:
    """Whatever fetches next deletes it, and so does --abort; another process may be fetching at the same time."""
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    live = f"refs/homelab/fetched/{os.getppid()}-0123456789abcdef"
    for ref in (live, "refs/homelab/fetched/0123456789abcdef", f"refs/homelab/fetched/{2**30}-0123456789abcdef"):
        ann.git("update-ref", ref, "HEAD")
    if command == "git land":
        assert git_land(ann).landed
    elif command == "--abort":
        assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    else:
        task_worktree.start_worktree("t", git=parts(ann).git, user="ann")
    assert ann.git("for-each-ref", "--format=%(refname)", "refs/homelab") == live
    ann.git("update-ref", "-d", live)
    land_run.abort_landing(parts(ann))


def test_landings_beside_a_process_that_fetches_all_the_time(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    bob = Clone(workshop.folder / "bob", workshop.environ)
    over = threading.Event()

    def fetch_again_and_again() -> None:
        while not over.is_set():
            try:
                ann.git("fetch", "--quiet", "--all", "--prune")
            except RuntimeError as error:  # both fetches move one tracking ref
                assert "cannot lock ref" in str(error)  # noqa: PT017 - another failure would be a finding

    other = threading.Thread(target=fetch_again_and_again)
    other.start()
    try:
        for number in range(12):
            bob.commit(f"b{number}")
            bob.git("push", "--quiet", "origin", "main")
            ann.commit(f"a{number}")
            assert git_land(ann).landed
            bob.git("pull", "--quiet", "--ff-only", "origin", "main")
    finally:
        over.set()
        other.join()
    assert "poison" not in workshop.origin.git("ls-tree", "--name-only", "main").split()
