"""Work trees for tasks: made beside the main one, removed without losing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import task_worktree
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

Opened = Callable[[Clone], Repository]


@pytest.fixture
def opened(parts: Any) -> Opened:
    """Git in a clone."""

    def git(clone: Clone) -> Repository:
        found: Repository = parts(clone).git
        return found

    return git


def test_a_work_tree_begins_at_the_target_as_it_is_now(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    path = task_worktree.start_worktree("fix/x", git=opened(ann), user="ann")

    assert path == ann.path / ".worktrees" / "fix" / "x"
    new = Clone(path, workshop.environ)
    assert (new.head, new.git("branch", "--show-current")) == (theirs, "ann/fix/x")
    assert (path / "b").exists()


def test_defect_16_a_new_work_tree_has_no_upstream(workshop: ScratchRepositories, opened: Opened) -> None:
    """Defect 16: a bare `git push` from the new work tree pushed the target."""
    ann = workshop.clone("ann")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    with pytest.raises(RuntimeError, match="no upstream"):
        Clone(path, workshop.environ).git("rev-parse", "--symbolic-full-name", "@{upstream}")


def test_defect_17_the_main_work_tree_stays_clean(workshop: ScratchRepositories, opened: Opened) -> None:
    """Defect 17: the tracked .gitignore was changed, and the main checkout dirty."""
    ann = workshop.clone("ann")
    task_worktree.start_worktree("x", git=opened(ann), user="ann")
    task_worktree.start_worktree("y", git=opened(ann), user="ann")
    assert ann.git("status", "--porcelain") == ""
    assert (ann.path / ".git/info/exclude").read_text().count(".worktrees") == 1


@pytest.mark.parametrize("topic", ["../x", "a b", "-x", "a..b", "x.lock", "/x", "", "@{1}", "a\nb"])
def test_defect_18_a_topic_that_git_takes_for_no_branch_is_refused(
    workshop: ScratchRepositories, opened: Opened, topic: str
) -> None:
    """Defect 18: a topic could lead out of the folder."""
    ann = workshop.clone("ann")
    with pytest.raises(CommandError) as caught:
        task_worktree.start_worktree(topic, git=opened(ann), user="ann")
    assert caught.value.exit is ExitCode.USAGE
    assert not (ann.path / ".worktrees").exists()


def test_defect_19_from_a_linked_work_tree_the_next_one_is_beside_it_not_in_it(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    """Defect 19: a work tree was put into the one that it was called from."""
    ann = workshop.clone("ann")
    first = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    second = task_worktree.start_worktree("y", git=opened(Clone(first, workshop.environ)), user="ann")
    assert second == ann.path / ".worktrees" / "y"


def test_a_topic_that_is_taken_is_refused(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    task_worktree.start_worktree("x", git=opened(ann), user="ann")
    with pytest.raises(CommandError, match="already"):
        task_worktree.start_worktree("x", git=opened(ann), user="ann")


def test_cleaning_removes_work_tree_branch_and_empty_folders(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    task_worktree.start_worktree("fix/x", git=opened(ann), user="ann")
    said = task_worktree.remove_worktree("fix/x", git=opened(ann), user="ann")
    assert said == "removed the work tree and the branch ann/fix/x"
    assert ann.git("branch", "--list", "ann/*") == ""
    assert not (ann.path / ".worktrees").exists()


@pytest.mark.parametrize("name", ["README", "new"])
def test_cleaning_refuses_to_lose_changes_unless_requested(
    workshop: ScratchRepositories, opened: Opened, name: str
) -> None:
    ann = workshop.clone("ann")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    (path / name).write_text("changed")
    with pytest.raises(CommandError, match=f"would be lost: {name}"):
        task_worktree.remove_worktree("x", git=opened(ann), user="ann")
    assert task_worktree.remove_worktree("x", git=opened(ann), user="ann", force=True).startswith("removed")


def test_cleaning_refuses_to_lose_commits_that_no_remote_has(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    new = Clone(task_worktree.start_worktree("x", git=opened(ann), user="ann"), workshop.environ)
    new.commit("a")
    with pytest.raises(CommandError, match="ann/x has 1 commit that no remote has"):
        task_worktree.remove_worktree("x", git=opened(ann), user="ann")
    new.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert task_worktree.remove_worktree("x", git=opened(ann), user="ann").startswith("removed")


def test_a_work_tree_is_not_removed_from_inside_itself_nor_one_that_is_not_there(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    ann = workshop.clone("ann")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    with pytest.raises(CommandError, match="cannot remove the current work tree"):
        task_worktree.remove_worktree("x", git=opened(Clone(path, workshop.environ)), user="ann")
    with pytest.raises(CommandError, match="no work tree"):
        task_worktree.remove_worktree("y", git=opened(ann), user="ann")


def test_defect_20_a_branch_that_could_not_be_deleted_is_said_to_be_left(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    """Defect 20: it said that both were removed, whatever had become of the branch."""
    ann = workshop.clone("ann")
    task_worktree.start_worktree("x", git=opened(ann), user="ann")
    lock = ann.path / ".git/refs/heads/ann/x.lock"
    lock.touch()
    said = task_worktree.remove_worktree("x", git=opened(ann), user="ann")
    assert said.startswith("removed the work tree but not the branch ann/x: ")
    assert "x.lock" in said
    lock.unlink()
    assert ann.git("branch", "--list", "ann/*").strip() == "ann/x"


def test_a_task_is_landed_from_its_work_tree_and_then_cleaned_from_there_or_here(
    workshop: ScratchRepositories, opened: Opened, git_land: Any
) -> None:
    """Landed commits are on the remote: nothing is lost with the branch."""
    ann = workshop.clone("ann")
    new = Clone(task_worktree.start_worktree("x", git=opened(ann), user="ann"), workshop.environ)
    new.commit("a")
    assert git_land(new).landed
    other = task_worktree.start_worktree("y", git=opened(new), user="ann")
    assert task_worktree.remove_worktree("x", git=opened(Clone(other, workshop.environ)), user="ann").startswith(
        "removed"
    )
    assert task_worktree.remove_worktree("y", git=opened(ann), user="ann").startswith("removed")


def test_a_name_that_git_takes_for_no_branch_is_not_an_owner(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    task_worktree.start_worktree("x", git=opened(ann), user="a b")
    assert ann.git("branch", "--list", "user/*").strip() == "+ user/x"
    task_worktree.remove_worktree("x", git=opened(ann), user="a b")
