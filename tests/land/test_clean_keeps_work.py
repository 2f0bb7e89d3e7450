"""`work clean` removes nothing that exists only in the work tree; a `work start` that fails leaves no branch."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import task_worktree
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.land.hidden_changes import HIDING_SETTINGS, change_unnoticed, hiding_changes

pytestmark = pytest.mark.slow  # many processes of git each

Start = Callable[[str], Clone]
Clean = Callable[[str], str]


@pytest.fixture
def git(ann: Clone, parts: Any) -> Repository:
    """Git in Ann's clone."""
    found: Repository = parts(ann).git
    return found


@pytest.fixture
def start(git: Repository, workshop: ScratchRepositories) -> Start:
    """`homelab work start`: the new work tree."""

    def call(topic: str) -> Clone:
        path = task_worktree.start_worktree(topic, git=git, user="ann")
        assert Path(git.at(path).location.top_level() or "") == path.resolve()
        return Clone(path, workshop.environ)

    return call


@pytest.fixture
def clean(git: Repository) -> Clean:
    """`homelab work clean`: the reason of the refusal; empty if it removed the work tree."""

    def call(topic: str) -> str:
        try:
            task_worktree.remove_worktree(topic, git=git, user="ann")
        except CommandError as refused:
            return refused.message if refused.exit is ExitCode.REFUSED and refused.hint else "not a refusal with a hint"
        return ""

    return call


def nest_worktree_of_bob(workshop: ScratchRepositories, task: Clone) -> Clone:
    """Add a work tree of Bob's repository with a commit that no branch has; return his clone."""
    bob = workshop.clone("bob")
    bob.git("worktree", "add", "--quiet", "--detach", str(task.path / "ignored/deep/other"))
    Clone(task.path / "ignored/deep/other", workshop.environ).commit("c")
    return bob


def test_work_in_nested_repositories_and_work_trees_is_named(
    workshop: ScratchRepositories, ann: Clone, start: Start, clean: Clean
) -> None:
    """Each in an ignored directory. A clean clone is not named, and neither is a directory called .git."""
    ann.write(".git/info/exclude", "ignored\n")
    task = start("x")
    task.write("ignored/empty/.git/x", "")
    task.git("clone", "--quiet", str(workshop.bare_path), "ignored/clean")
    for name in ("with", "edited"):
        task.git("clone", "--quiet", str(workshop.bare_path), f"ignored/{name}")
    nested = Clone(task.path / "ignored/with", workshop.environ)
    nested.git("switch", "--quiet", "--create", "side")
    nested.commit("b")
    nested.git("switch", "--quiet", "main")
    task.write("ignored/edited/new", "unsaved\n")
    task.git("clone", "--quiet", str(workshop.bare_path), "ignored/filtered")
    task.git("-C", "ignored/filtered", "config", "filter.x.clean", "touch ran")
    ann.git("worktree", "add", "--quiet", "-b", "inner", str(task.path / "ignored/inner"))
    (task.path / "ignored/inner/a").write_text("unsaved\n", encoding="utf-8")
    bob = nest_worktree_of_bob(workshop, task)

    reason = clean("x")

    assert dict(re.findall(r"ignored/(\S+) \(([^)]*)\)", reason)) == {
        "deep/other": "1 commit that no remote has",
        "edited": "uncommitted changes",
        "filtered": "its settings run programs, so it was not examined",
        "inner": "uncommitted changes",
        "with": "1 commit that no remote has",
    }
    assert not (task.path / "ignored/filtered/ran").exists()
    nested.git("push", "--quiet", "origin", "side")
    for name in ("edited", "filtered", "inner", "deep"):
        (task.path / "ignored" / name).rename(workshop.folder.parent / f"kept-{name}")
    assert clean("x") == ""
    for clone in (ann, bob):
        clone.git("worktree", "prune")
    assert not task.path.exists()


def test_a_submodule_without_work_does_not_stop_it(
    workshop: ScratchRepositories, ann: Clone, start: Start, clean: Clean
) -> None:
    """Git removes such a work tree only by force, which does not look for commits in the submodule."""
    ann.git("submodule", "--quiet", "add", str(workshop.bare_path), "sub")
    ann.git("commit", "--quiet", "-m", "sub")
    ann.git("push", "--quiet", "origin", "topic:main")
    task = start("x")
    task.git("submodule", "--quiet", "update", "--init")
    sub = Clone(task.path / "sub", workshop.environ)
    sub.git("switch", "--quiet", "--create", "side")
    sub.commit("b")
    sub.git("switch", "--quiet", "--detach", "origin/main")
    task.git("submodule", "--quiet", "update")
    assert "sub (1 commit that no remote has)" in clean("x")
    sub.git("push", "--quiet", "origin", "side")
    assert clean("x") == ""


@pytest.mark.parametrize("name", HIDING_SETTINGS)
def test_a_change_that_settings_hide_is_kept(
    workshop: ScratchRepositories, start: Start, clean: Clean, name: str
) -> None:
    task = start("x")
    with hiding_changes(workshop, task, name, "README"):
        change_unnoticed(task, "README", "HELLO\n")
        reason = clean("x")
    assert "README" in reason


@pytest.mark.parametrize("name", HIDING_SETTINGS)
def test_so_is_one_in_a_nested_worktree(
    workshop: ScratchRepositories, ann: Clone, start: Start, clean: Clean, name: str
) -> None:
    ann.write(".git/info/exclude", "ignored\n")
    task = start("x")
    ann.git("worktree", "add", "--quiet", "-b", "inner", str(task.path / "ignored/inner"))
    inner = Clone(task.path / "ignored/inner", workshop.environ)
    with hiding_changes(workshop, inner, name, "README"):
        change_unnoticed(inner, "README", "HELLO\n")
        reason = clean("x")
    assert "ignored/inner (uncommitted changes)" in reason


def test_a_work_tree_in_which_git_runs_is_not_removed(ann: Clone, start: Start, clean: Clean) -> None:
    start("x")
    lock = ann.write(".git/worktrees/x/index.lock", "")
    assert str(lock) in clean("x")
    lock.unlink()
    assert clean("x") == ""


@pytest.mark.parametrize("other", ["a directory", "a repository", "a broken file"])
def test_something_else_at_its_path_can_be_moved_away(
    workshop: ScratchRepositories, start: Start, clean: Clean, other: str
) -> None:
    """The hint says so, and helps."""
    task = start("x")
    (task.path / ".git").unlink()
    task.write("mine", "mine\n")
    if other == "a repository":
        task.git("init", "--quiet")
    elif other == "a broken file":
        task.write(".git", "gitdir: /nowhere\n")
    assert clean("x").endswith("is not a worktree of this repository")
    away = task.path.rename(workshop.folder / "away.d")
    assert clean("x") == ""
    assert (away / "mine").exists()
    away.rename(workshop.folder.parent / "away")  # it is not a repository to check


def test_a_link_to_another_disk_is_followed(
    workshop: ScratchRepositories, ann: Clone, start: Start, clean: Clean
) -> None:
    disk = workshop.folder / "disk"
    disk.mkdir()
    (ann.path / ".worktrees").symlink_to(disk)
    start("deep/x")
    assert ann.git("status", "--porcelain") == ""
    start("y")
    assert ann.path.joinpath(".git/info/exclude").read_text("utf-8").count(".worktrees") == 1
    assert (clean("deep/x"), clean("y")) == ("", "")
    assert (list(disk.iterdir()), (ann.path / ".worktrees").is_symlink()) == ([], True)


def test_the_folders_that_a_work_tree_was_moved_into_stay(
    workshop: ScratchRepositories, ann: Clone, start: Start, clean: Clean
) -> None:
    task = start("deep/x")
    place = workshop.folder / "big/.worktrees/deep"
    place.mkdir(parents=True)
    ann.git("worktree", "move", str(task.path), str(place / "x"))
    assert clean("deep/x") == ""
    assert (place.parent.is_dir(), place.exists()) == (True, False)


@pytest.mark.parametrize("topic", ["@", "deep/@", "x"])
def test_a_start_that_fails_leaves_no_branch(ann: Clone, git: Repository, topic: str) -> None:
    """Git cannot use a work tree that is called @; the other one has no place."""
    ann.write(".git/worktrees", "not a directory")
    with pytest.raises(CommandError) as refused:
        task_worktree.start_worktree(topic, git=git, user="ann")
    assert refused.value.exit is (ExitCode.REFUSED if topic == "x" else ExitCode.USAGE)
    assert ann.git("branch", "--format=%(refname:short)").split() == ["main", "topic"]
    (ann.path / ".git/worktrees").unlink()
