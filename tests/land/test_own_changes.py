"""Aborting a landing keeps or names the changes that the user added to its merge or rebase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]
Abort = Callable[[], Verdict]


@pytest.fixture
def conflict(workshop: ScratchRepositories, ann: Clone) -> str:
    """A conflict in `same`; the target adds `theirs` too. Return the branch's commit."""
    bob = workshop.clone("bob")
    bob.write("theirs", "theirs\n")
    bob.git("add", "theirs")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    return ann.commit("same", "mine\n")


@pytest.fixture
def abort(ann: Clone, parts: Any) -> Abort:
    """`git land --abort`."""
    return lambda: land_run.abort_landing(parts(ann))


def resolve(clone: Clone, *names: str) -> None:
    """Resolve the conflict, and stage it with these files."""
    for name in ("same", *names):
        clone.write(name, "resolved\n")
    clone.git("add", "--", "same", *names)


def read(clone: Clone, name: str) -> str:
    return (clone.path / name).read_text("utf-8")


def test_files_that_were_staged_with_a_resolution_of_a_merge_are_named(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort
) -> None:
    """One that was untracked before, and a tracked one that the merge does not touch. The command keeps both."""
    assert git_land(ann).exit is ExitCode.CONFLICT
    resolve(ann, "notes", "a")
    refused = abort()
    assert (refused.exit, refused.landed) == (ExitCode.REFUSED, False)
    assert refused.reason.endswith(": a, notes")
    keep = refused.hint.partition("run git ")[2].partition(";")[0]
    ann.git(*keep.split())
    assert (abort().exit, ann.head) == (ExitCode.OK, conflict)
    assert (read(ann, "notes"), read(ann, "a"), read(ann, "same")) == ("resolved\n", "resolved\n", "mine\n")
    ann.git("checkout", "--quiet", "a")


def test_files_that_were_changed_during_a_rebase_are_named(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort
) -> None:
    """Git rebase --abort discards unstaged changes too. What the command writes can be applied afterwards."""
    assert git_land(ann, strategy=Strategy.REBASE).exit is ExitCode.CONFLICT
    resolve(ann, "notes")
    ann.write("theirs", "unstaged\n")
    refused = abort()
    assert (refused.exit, refused.landed) == (ExitCode.REFUSED, False)
    assert refused.reason.endswith(": notes, theirs")
    keep = refused.hint.partition("run git ")[2].partition(" >")[0]
    kept = ann.git(*keep.split())
    assert kept.count("diff --git") == len(("notes", "theirs"))
    ann.git("rebase", "--abort")
    assert (abort().exit, ann.head) == (ExitCode.OK, conflict)


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_resolution_alone_is_undone(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort, strategy: Strategy
) -> None:
    """It is staged, with what the merge wrote by itself."""
    assert git_land(ann, strategy=strategy).exit is ExitCode.CONFLICT
    resolve(ann)
    assert (abort().exit, ann.head) == (ExitCode.OK, conflict)
    assert read(ann, "same") == "mine\n"


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_commit_of_ours_that_was_amended_is_kept(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort, strategy: Strategy
) -> None:
    """It keeps the author, the time and the message, and it has a file that neither side has."""
    assert git_land(ann, strategy=strategy).exit is ExitCode.CONFLICT
    resolve(ann)
    ann.git("commit", "--quiet", *(("--no-edit",) if strategy is Strategy.MERGE else ("-C", "REBASE_HEAD")))
    ann.write("more", "more\n")
    ann.git("add", "more")
    ann.git("commit", "--quiet", "--amend", "--no-edit")
    verdict = abort()
    assert verdict.exit is (ExitCode.OK if strategy is Strategy.MERGE else ExitCode.REFUSED)
    assert ann.head[:10] in verdict.reason
    assert (read(ann, "more"), verdict.landed) == ("more\n", False)
    if strategy is Strategy.REBASE:
        ann.git("rebase", "--abort")
        assert (abort().exit, ann.head) == (ExitCode.OK, conflict)


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_an_operation_that_the_user_began_with_the_same_commits_is_left_alone(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort, strategy: Strategy
) -> None:
    name = "merge" if strategy is Strategy.MERGE else "rebase"
    assert git_land(ann, strategy=strategy).exit is ExitCode.CONFLICT
    ann.git(name, "--abort")
    with pytest.raises(RuntimeError, match="CONFLICT"):
        ann.git(name, "origin/main")
    resolve(ann)
    refused = abort()
    assert (refused.exit, refused.reason) == (ExitCode.REFUSED, f"a {name} that you started is in progress")
    assert read(ann, "same") == "resolved\n"
    ann.git(name, "--abort")
    assert (abort().exit, ann.head) == (ExitCode.OK, conflict)


def test_what_an_abort_discards_is_named(
    ann: Clone, conflict: str, git_land: GitLand, abort: Abort, parts: Any
) -> None:
    """A resolution that was continued is in the landing's own merge; the command restores it."""
    assert git_land(ann, verify="false").exit is ExitCode.CONFLICT
    resolve(ann, "notes")
    assert land_run.continue_landing(parts(ann)).exit is ExitCode.VERIFY_FAILED
    merged = ann.head
    verdict = abort()
    assert (verdict.exit, ann.head) == (ExitCode.OK, conflict)
    ann.git(*verdict.hint.partition("run git ")[2].split())
    assert (ann.head, read(ann, "notes")) == (merged, "resolved\n")
