"""Worktrees for tasks: made beside the main one, removed without losing anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import task_worktree
from homelab_hooks.land.state import landing_lock
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
    """Defect 16: a bare `git push` from the new worktree pushed the target."""
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
    """Defect 19: a worktree was put into the one that it was called from."""
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
    assert said == "removed the worktree and the branch ann/fix/x"
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
    with pytest.raises(CommandError, match="cannot remove the current worktree"):
        task_worktree.remove_worktree("x", git=opened(Clone(path, workshop.environ)), user="ann")
    with pytest.raises(CommandError, match="no worktree"):
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
    assert said.startswith("removed the worktree but not the branch ann/x: ")
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


@dataclass(frozen=True)
class Layout:
    """A way to arrange worktrees.

    Attributes:
        create: git commands, run in an empty folder next to `app.git`, the server.
        cwd: where a topic is started, relative to that folder.
        base: what the topic's `.worktrees` is in.
    """

    create: tuple[str, ...]
    cwd: str
    base: str


CLONE_BARE = ("clone --quiet --bare {url} .bare", "-C .bare fetch --quiet origin +refs/heads/*:refs/remotes/origin/*")
MAIN = "-C .bare worktree add --quiet ../main main"
LAYOUTS = {
    "bare with siblings": Layout((*CLONE_BARE, MAIN), "main", "."),
    "bare with siblings, from another one": Layout(
        (*CLONE_BARE, MAIN, "-C main worktree add --quiet ../aaa"), "aaa", "."
    ),
    "bare, from its own folder": Layout((*CLONE_BARE, MAIN), ".bare", "."),
    "bare without work trees": Layout(CLONE_BARE, ".bare", "."),
    "bare with work trees elsewhere": Layout(
        (*CLONE_BARE, "-C .bare worktree add --quiet ../w/main main"), "w/main", "w"
    ),
    "bare inside its only work tree": Layout(
        ("clone --quiet --bare {url} x/.bare", "-C x/.bare worktree add --quiet --force ../../y main"), "y", "."
    ),
    "a separate git directory": Layout(("clone --quiet --separate-git-dir=meta {url} work",), "work", "work"),
    "a work tree of a separate git directory": Layout(
        ("clone --quiet --separate-git-dir=meta {url} work", "-C work worktree add --quiet ../other"), "other", "."
    ),
    "a submodule": Layout(
        ("init --quiet super", "-C super -c protocol.file.allow=always submodule --quiet add {url} sub"),
        "super/sub",
        "super/sub",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_topic_gets_a_place_in_no_other_work_tree(
    workshop: ScratchRepositories, opened: Opened, layout: Layout
) -> None:
    folder = workshop.folder / "project"
    folder.mkdir()
    shell = Clone(folder, workshop.environ)
    for command in layout.create:
        shell.git(*command.format(url=workshop.bare_path).split())
    here = Clone(folder / layout.cwd, workshop.environ)
    others = [Path(line.removeprefix("worktree ")) for line in here.git("worktree", "list", "--porcelain").splitlines()
              if line.startswith("worktree ")]  # fmt: skip

    paths = [
        task_worktree.start_worktree(topic, git=opened(here), user="ann", remote="origin", onto="main")
        for topic in ("one", "two/three")
    ]

    base = (folder / layout.base).resolve()
    assert paths == [base / ".worktrees/one", base / ".worktrees/two/three"]
    for path in paths:
        assert not [other for other in others if path.is_relative_to(other) and other != base]
        assert Clone(path, workshop.environ).git("status", "--porcelain") == ""
    for topic in ("one", "two/three"):
        assert task_worktree.remove_worktree(topic, git=opened(here), user="ann").startswith("removed the worktree and")
    assert not (base / ".worktrees").exists()


def test_a_topic_is_found_where_it_was_made_although_other_work_trees_came(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    """Its place had been derived from the first worktree of the list, which is sorted."""
    folder = workshop.folder / "project"
    shell = Clone(folder, workshop.environ)
    folder.mkdir()
    for command in (*CLONE_BARE, MAIN):
        shell.git(*command.format(url=workshop.bare_path).split())
    main = Clone(folder / "main", workshop.environ)
    main.git(
        "worktree", "add", "--quiet", "--no-track", "-b", "ann/one", str(folder / "main/.worktrees/one")
    )  # older version
    main.git("worktree", "add", "--quiet", str(folder / "aaa"))
    with pytest.raises(CommandError, match="already"):
        task_worktree.start_worktree("one", git=opened(main), user="ann")
    task_worktree.remove_worktree("one", git=opened(main), user="ann", force=True)
    assert not (folder / "main/.worktrees").exists()


def test_a_work_tree_that_was_moved_is_named_with_what_helps(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    moved = workshop.folder / "moved"
    ann.git("worktree", "move", str(path), str(moved))
    hints = []
    for call in (task_worktree.start_worktree, task_worktree.remove_worktree):
        with pytest.raises(CommandError, match=f"ann/x is checked out in another worktree: {moved}") as caught:
            call("x", git=opened(ann), user="ann")
        assert caught.value.exit is ExitCode.REFUSED
        hints.append(caught.value.hint)
    for command in hints[0].partition("remove it with ")[2].split(" and "):
        ann.git(*command.split()[1:])
    assert task_worktree.start_worktree("x", git=opened(ann), user="ann") == path


def test_a_link_into_another_work_tree_is_no_place_for_a_topic(workshop: ScratchRepositories, opened: Opened) -> None:
    """It would be deleted with that one; a link to another disk is a place."""
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    (ann.path / ".worktrees").symlink_to(bob.path)
    with pytest.raises(CommandError, match="leads into another worktree") as caught:
        task_worktree.start_worktree("x", git=opened(ann), user="ann")
    assert caught.value.exit is ExitCode.REFUSED
    assert not (bob.path / "x").exists()
    (ann.path / ".worktrees").unlink()
    (workshop.folder / "disk").mkdir()
    (ann.path / ".worktrees").symlink_to(workshop.folder / "disk")
    task_worktree.start_worktree("x", git=opened(ann), user="ann")
    assert (workshop.folder / "disk/x/.git").is_file()


@pytest.mark.parametrize("taken_by", ["file", "dead link", "branch"])
def test_a_hint_about_a_taken_topic_can_help(workshop: ScratchRepositories, opened: Opened, taken_by: str) -> None:
    """`work clean` removes only a worktree."""
    ann = workshop.clone("ann")
    place = ann.path / ".worktrees/x"
    place.parent.mkdir()
    if taken_by == "file":
        place.touch()
    elif taken_by == "dead link":
        place.symlink_to("nowhere")
    else:
        ann.git("branch", "ann/x")
    with pytest.raises(CommandError) as caught:
        task_worktree.start_worktree("x", git=opened(ann), user="ann")
    assert caught.value.exit is ExitCode.REFUSED
    assert "work clean" not in caught.value.hint
    assert "choose another topic" in caught.value.hint


@pytest.mark.parametrize("force", [True, False])
def test_a_work_tree_in_which_a_landing_runs_is_not_removed(
    workshop: ScratchRepositories, opened: Opened, *, force: bool
) -> None:
    """The landing of another worktree does not prevent it."""
    ann = workshop.clone("ann")
    git = opened(ann)
    path, other = (task_worktree.start_worktree(topic, git=git, user="ann") for topic in ("x", "x2"))
    with landing_lock(git.location.homelab_dir(), who=f"landing ann/x in {path}"):
        with pytest.raises(CommandError, match=f"a landing is running in the worktree: .*landing ann/x in {path}"):
            task_worktree.remove_worktree("x", git=git, user="ann", force=force)
        task_worktree.remove_worktree("x2", git=git, user="ann", force=force)
    assert (path.exists(), other.exists()) == (True, False)
    task_worktree.remove_worktree("x", git=git, user="ann", force=force)


def test_a_work_tree_whose_files_were_deleted_by_hand_is_cleaned(workshop: ScratchRepositories, opened: Opened) -> None:
    """Git was run in the main worktree then, because the directory was missing."""
    ann = workshop.clone("ann")
    ann.write("untracked", "mine\n")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    shutil.rmtree(path)
    with pytest.raises(CommandError, match="no such directory"):
        opened(ann).at(path).history.head()
    assert "removed" in task_worktree.remove_worktree("x", git=opened(ann), user="ann")
    assert (ann.path / "untracked").exists()
    assert task_worktree.start_worktree("x", git=opened(ann), user="ann") == path


def test_a_locked_work_tree_has_a_hint_that_unlocks_it(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    path = task_worktree.start_worktree("x", git=opened(ann), user="ann")
    ann.git("worktree", "lock", str(path))
    with pytest.raises(CommandError, match=r"locked working tree$") as caught:
        task_worktree.remove_worktree("x", git=opened(ann), user="ann", force=True)
    ann.git(*caught.value.hint.partition(", then")[0].split()[2:])
    task_worktree.remove_worktree("x", git=opened(ann), user="ann")
