"""Taking a landing back: the revert is made in a worktree of its own, and lands like any branch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.land.revert_landing import RevertOrder, conclude_revert, land_revert
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]
Revert = Callable[..., Verdict]
Parts = Callable[..., LandingDependencies]


@pytest.fixture
def revert(parts: Parts, seal: dict[str, str]) -> Revert:
    """`git land --revert COMMIT` in a clone: keywords of RevertOrder, `verify`, and parts."""

    def call(clone: Clone, commit: str, *, verify: str = "true", before: str = "", **others: Any) -> Verdict:
        def land(path: Path, plan: Any, target: Any) -> Verdict:
            request = LandRequest(
                verify=VerifyCommand(verify, "told"),
                remote=target.remote,
                onto=target.branch,
                revert=plan.commit,
                revert_parent=plan.parent,
            )
            return land_run.land_branch(request, parts(Clone(path, seal), **others))

        return land_revert(RevertOrder(commit, before=before), parts(clone, **others), land)

    return call


def landed_by_merge(workshop: ScratchRepositories, git_land: GitLand) -> tuple[Clone, str, str]:
    """A clone whose topic of two commits was landed by a merge of the target; the merge, and the target before."""
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    ann.git("switch", "--quiet", "-c", "topic")
    ann.commit("a1")
    ann.commit("a2")
    theirs = bob.commit("theirs")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    return ann, ann.head, theirs


def files_on_target(workshop: ScratchRepositories) -> set[str]:
    return set(workshop.origin.git("ls-tree", "-r", "--name-only", workshop.server_commit()).split())


def no_worktree_is_left(clone: Clone) -> bool:
    return (
        len(clone.git("worktree", "list").splitlines()) == 1
        and clone.git("branch", "--list", "homelab/*") == ""
        and not (clone.path / ".worktrees").exists()
    )


def test_a_landed_merge_is_taken_back_to_the_target_before_it(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    """The target is the second parent of such a merge: -m 1 would take back the work of the others."""
    ann, merge, theirs = landed_by_merge(workshop, git_land)
    (ann.path / "README").write_text("unfinished")
    ann.git("add", "README")
    (ann.path / "untracked").write_text("x")
    before = ann.git("status", "--porcelain")

    verdict = revert(ann, merge)

    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert verdict.revert is not None
    assert (verdict.revert.commit, verdict.revert.sha) == (merge, workshop.server_commit())
    assert {"a1", "a2"}.isdisjoint(files_on_target(workshop))
    assert "theirs" in files_on_target(workshop)
    assert f"This reverts commit {merge}, reversing\nchanges made to {theirs}." in workshop.origin.git(
        "log", "-1", "--format=%B", "main"
    )
    assert (ann.head, ann.git("status", "--porcelain")) == (merge, before)
    assert no_worktree_is_left(ann)
    ann.git("reset", "--hard", "--quiet")
