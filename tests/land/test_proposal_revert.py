"""A landing is taken back through a pull request, on the simulated forge without sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandRequest, VerifyCommand
from homelab_hooks.land.revert_landing import RevertOrder, land_revert
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.land.protected_world import Parts, ProtectedWorld
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git each


@pytest.fixture(params=["Gitea", "GitHub"])
def world(
    request: pytest.FixtureRequest, workshop: ScratchRepositories, parts: Parts, events: Any, clock: FakeClock
) -> ProtectedWorld:
    found = ProtectedWorld(workshop, parts, events, clock)
    found.pulls.store.is_github = request.param == "GitHub"
    found.repo.protections["main"].contexts = ("ci/test",)
    return found


def take_back(world: ProtectedWorld, commit: str) -> Verdict:
    """`git land --revert COMMIT` in bob's clone."""

    def land(path: Path, plan: Any, target: Any) -> Verdict:
        request = LandRequest(
            verify=VerifyCommand("true", "the test"),
            remote=target.remote,
            onto=target.branch,
            revert=plan.commit,
            revert_parent=plan.parent,
        )
        return land_run.land_branch(request, world.dependencies(clone=Clone(path, world.workshop.environ)))

    return land_revert(RevertOrder(commit), world.dependencies(), land)


@pytest.mark.parametrize("style", [None, MergeStyle.SQUASH])
def test_the_revert_of_a_merged_request_is_merged_too(world: ProtectedWorld, style: MergeStyle | None) -> None:
    """The user's branch does not move, and the worktree of the revert goes."""
    before = world.pulls.target
    landed = world.land(style=style)
    assert landed.landed, landed
    head = world.pulls.head
    verdict = take_back(world, landed.sha)
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert verdict.revert is not None
    assert (verdict.revert.commit, verdict.revert.sha) == (landed.sha, verdict.sha)
    assert [(one.head, bool(one.merge_commit)) for one in world.repo.pulls] == [
        ("topic", True), (f"homelab/revert-{landed.sha[:12]}", True),
    ]  # fmt: skip
    tree = world.pulls.clone.git("rev-parse", f"{before}^{{tree}}")
    assert world.pulls.clone.git("rev-parse", f"{verdict.sha}^{{tree}}") == tree
    assert (world.pulls.head, (world.pulls.clone.path / ".worktrees").exists()) == (head, False)


def test_a_revert_whose_check_fails_stays_in_its_worktree(world: ProtectedWorld) -> None:
    landed = world.land()
    target = world.pulls.target
    world.state = "failure"
    verdict = take_back(world, landed.sha)
    assert (verdict.exit, verdict.landed, world.pulls.target) == (ExitCode.VERIFY_FAILED, False, target), verdict
    worktree = Clone(world.pulls.clone.path / f".worktrees/revert-{landed.sha[:12]}", world.workshop.environ)
    assert f"cd {worktree.path}" in verdict.hint
    world.state = "success"
    world.pulls.report(world.context, "success", worktree.head)
    verdict = land_run.continue_landing(world.dependencies(clone=worktree))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    world.pulls.clone.git("worktree", "remove", "--force", str(worktree.path))
