"""Landings on a protected target of GitHub, on the simulated forge without sockets; from its documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut
from homelab_hooks.simulators.forge.store import SimulatedForgeRepo
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.land.protected_world import Parts, ProtectedWorld
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git


@pytest.fixture
def world(workshop: ScratchRepositories, parts: Parts, events: Any, clock: FakeClock) -> ProtectedWorld:
    found = ProtectedWorld(workshop, parts, events, clock)
    found.pulls.store.is_github = True
    found.repo.protections["main"].contexts = ("ci/test",)
    return found


def test_a_green_request_is_merged_and_the_merge_commit_landed(world: ProtectedWorld) -> None:
    """`auto`: GitHub has no fast-forward."""
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.proposed, verdict.tree) == (world.pulls.head, "")
    assert world.pulls.clone_parents(verdict.sha)[1] == world.pulls.head


@pytest.mark.parametrize("style", [MergeStyle.SQUASH, MergeStyle.REBASE])
def test_other_styles_land_the_same_files(world: ProtectedWorld, style: MergeStyle) -> None:
    verdict = world.land(style=style)
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.proposed, verdict.tree) == (world.pulls.head, "")


@pytest.mark.parametrize("point", CutPoint)
def test_a_lost_answer_is_settled_by_the_target(world: ProtectedWorld, point: CutPoint) -> None:
    world.repo.merge_cuts.append(MergeCut(point, 20))
    verdict = world.land()
    assert sum(one.path.endswith("/merge") for one in world.pulls.requests) == 1
    if point is CutPoint.BEFORE:
        assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
        verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict


def fail_check(world: ProtectedWorld) -> None:
    world.state = "failure"


def never_report(world: ProtectedWorld) -> None:
    world.state = ""


def require_approval(world: ProtectedWorld) -> None:
    world.repo.protections["main"].approvals = 1


def move_head(world: ProtectedWorld) -> None:
    """Between the last look at the request and its merge: only the pinned head prevents it."""
    world.on_merge = lambda: world.pulls.move_behind("topic", "theirs")


UNHAPPY: dict[str, tuple[Callable[[ProtectedWorld], None], ExitCode, str]] = {
    "a required check that fails": (fail_check, ExitCode.VERIFY_FAILED, "ci/test is failure"),
    "a required check that never appears": (never_report, ExitCode.PROTECTED, "never appeared: ci/test"),
    "a missing approval": (require_approval, ExitCode.PROTECTED, "At least 1 approving review is required"),
    "a moved head": (move_head, ExitCode.REFUSED, "Head branch was modified"),
}


@pytest.mark.parametrize("name", UNHAPPY)
def test_nothing_lands(world: ProtectedWorld, name: str) -> None:
    prepare, exit_, text = UNHAPPY[name]
    prepare(world)
    before = world.pulls.target
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (exit_, False), verdict
    assert text in verdict.reason
    assert (verdict.url, world.pulls.target) == ("https://github.example.test/acme/app/pull/1", before)


def test_a_moved_target_is_merged_and_checked_again(world: ProtectedWorld) -> None:
    """GitHub refuses with "Base branch was modified": the same request, sent again, would merge unchecked files."""
    world.repo.before_merge = lambda: world.pulls.move_behind("main", "other")
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (len(world.watched), verdict.tree) == (2, "")


def test_a_history_that_must_be_linear_needs_a_style(world: ProtectedWorld) -> None:
    repo: SimulatedForgeRepo = world.repo
    repo.styles = frozenset({"squash", "rebase"})
    verdict = world.land()
    assert (verdict.exit, verdict.landed, repo.pulls) == (ExitCode.REFUSED, False, []), verdict
    assert "--merge-style squash" in verdict.hint
