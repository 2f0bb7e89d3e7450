"""Aborting a landing keeps the commits that the user made during it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.history import BranchCommit
from homelab_hooks.land import run as land_run
from homelab_hooks.land.ownership import users_commits
from homelab_hooks.land.request import VerifyCommand
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]


@pytest.fixture
def ann(workshop: ScratchRepositories, git_land: GitLand) -> Clone:
    """Her landing's rebase stopped: her branch and the target change the same line in two commits."""
    clone, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    clone.commit("same", "mine\n", message="one")
    clone.commit("same", "mine too\n", message="two")
    clone.git("push", "--quiet", "origin", "topic")
    assert git_land(clone, strategy=Strategy.REBASE).exit is ExitCode.CONFLICT
    return clone


def resolve(clone: Clone, text: str) -> None:
    """Resolve the conflict without a commit."""
    clone.write("same", f"{text}\n")
    clone.git("add", "same")


def test_a_commit_made_during_a_stopped_rebase_is_not_dropped(ann: Clone, parts: Any) -> None:
    """It is on no branch: the abort names it, and goes ahead once a branch has it."""
    start = ann.sha("topic")
    resolve(ann, "both")
    ann.git("commit", "--quiet", "--no-edit")
    extra = ann.commit("extra", message="user extra")

    verdict = land_run.abort_landing(parts(ann))

    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.REFUSED, False, extra)
    assert f"the unfinished rebase has commits that you made: {extra[:10]} user extra" in verdict.reason
    assert verdict.reason.count(",") == 0, "the resolution is part of the rebase"
    keep = verdict.hint.partition("run ")[2].partition(";")[0]
    assert keep == f"git branch NAME {extra[:10]}"
    ann.git(*keep.replace("NAME", "kept").split()[1:])
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert (ann.head, ann.sha("kept"), ann.git("branch", "--show-current")) == (start, extra, "topic")


def test_a_commit_made_during_a_stopped_rebase_can_be_discarded(ann: Clone, parts: Any) -> None:
    start = ann.sha("topic")
    resolve(ann, "both")
    ann.git("commit", "--quiet", "-m", "in other words")
    verdict = land_run.abort_landing(parts(ann))
    assert verdict.exit is ExitCode.REFUSED
    assert "git rebase --abort" in verdict.hint
    ann.git("rebase", "--abort")
    assert (land_run.abort_landing(parts(ann)).exit, ann.head) == (ExitCode.OK, start)


def test_a_resolution_that_was_continued_is_undone(ann: Clone, parts: Any) -> None:
    """The rebase stops at the second commit; the first one has been applied with its resolution."""
    start = ann.sha("topic")
    resolve(ann, "both")
    assert land_run.continue_landing(parts(ann)).exit is ExitCode.CONFLICT
    verdict = land_run.abort_landing(parts(ann))
    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.OK, False, start)


@pytest.mark.parametrize("finished_by", ["git", "git land"])
def test_a_commit_made_during_a_rebase_that_was_finished_is_kept(ann: Clone, parts: Any, finished_by: str) -> None:
    """The branch has it in the middle; the hint takes the branch back and keeps it."""
    start = ann.sha("topic")
    ann.git("config", "core.editor", "true")
    resolve(ann, "both")
    ann.git("commit", "--quiet", "--no-edit")
    extra = ann.commit("extra", message="user extra")
    assert land_run.continue_landing(parts(ann)).exit is ExitCode.CONFLICT
    resolve(ann, "both too")
    if finished_by == "git":
        ann.git("rebase", "--continue")
    else:
        failing = VerifyCommand("false", "told")
        assert land_run.continue_landing(parts(ann), verify=failing).exit is ExitCode.VERIFY_FAILED
    head = ann.head

    verdict = land_run.abort_landing(parts(ann))

    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.OK, False, head)
    assert f"topic keeps your commits ({extra[:10]} user extra) and the rebase onto origin/main" in verdict.reason
    undo, pick = (part.split()[1:] for part in verdict.hint.partition(": ")[2].split(" && "))
    ann.git(*undo)
    ann.git(*pick)
    assert (ann.sha("HEAD~1"), (ann.path / "extra").exists()) == (start, True)


def test_a_fix_between_two_merges_of_one_landing_is_kept(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """A failed verification, a fix, and a continued landing that merges the target again and fails again."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    bob.commit("first")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    fix = ann.commit("fix")
    bob.commit("second")
    bob.git("push", "--quiet", "origin", "main")
    assert land_run.continue_landing(parts(ann)).exit is ExitCode.VERIFY_FAILED
    head = ann.head

    verdict = land_run.abort_landing(parts(ann))

    assert (verdict.exit, ann.head) == (ExitCode.OK, head)
    assert f"topic keeps your commits ({fix[:10]} add fix) and the merge of origin/main" in verdict.reason


ORIGINAL = BranchCommit("o", ("b",), "Ann <a@x> 1\x1fone", "one")


@pytest.mark.parametrize(
    ("commit", "rebases", "is_users"),
    [
        (ORIGINAL._replace(sha="n"), True, False),
        (ORIGINAL._replace(sha="n"), False, True),
        (ORIGINAL._replace(sha="n", identity="Ann <a@x> 2\x1fone"), True, True),
        (BranchCommit("m", ("o", "t"), "Ann <a@x> 1\x1fMerge", "Merge"), False, False),
        (BranchCommit("m", ("o", "other"), "Ann <a@x> 1\x1fMerge", "Merge"), False, True),
        (BranchCommit("m", ("o", "t", "other"), "Ann <a@x> 1\x1fMerge", "Merge"), False, True),
    ],
)
def test_whose_a_commit_is(*, commit: BranchCommit, rebases: bool, is_users: bool) -> None:
    originals = (ORIGINAL,) if rebases else ()
    found = users_commits((commit,), originals=originals, from_target=frozenset({"t"}))
    assert bool(found) is is_users
