"""Landings on a protected target, on the simulated forge without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.proposal import ForgeRepository, ProposalParts
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut, SimulatedProtection
from homelab_hooks.simulators.forge.store import SimulatedForgeRepo
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.forge.simulated_pulls import REPO, PullWorld, make_pull_world
from tests.support.clock import FakeClock

Parts = Callable[..., LandingDependencies]


class ProtectedWorld:
    """Bob's topic branch, and a protected main on which `ci/test` is required and green."""

    def __init__(self, workshop: ScratchRepositories, parts: Parts, events: Any, clock: FakeClock) -> None:
        self.workshop, self.parts, self.events, self.clock = workshop, parts, events, clock
        self.pulls: PullWorld = make_pull_world(workshop)
        self.pulls.store.now = clock.now
        self.repo: SimulatedForgeRepo = self.pulls.repo
        self.repo.protect("main", SimulatedProtection(contexts=("ci/*",)))
        self.watched: list[str] = []
        self.own = Verdict(ExitCode.OK)
        self.state = "success"
        self.context = "ci/test"

    def watch(self, sha: str) -> Verdict:
        """Act as our own CI, and as the one that posts the required status."""
        self.watched.append(sha)
        if self.state:
            self.pulls.report(self.context, self.state, sha)
        return self.own

    def dependencies(self, **others: Any) -> LandingDependencies:
        style = others.pop("style", None)
        login = others.pop("login", "bob")
        proposals = ProposalParts(
            connect=lambda _: ForgeRepository(self.pulls.connect(login), REPO),
            watch=others.pop("watch", self.watch),
            merge_style=style,
        )
        return self.parts(self.pulls.clone, proposals=proposals, **others)

    def land(self, **others: Any) -> Verdict:
        request = LandRequest(verify=VerifyCommand("true", "the test"))
        return land_run.land_branch(request, self.dependencies(**others))

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events.events if isinstance(event, Log)]


@pytest.fixture
def world(workshop: ScratchRepositories, parts: Parts, events: Any, clock: FakeClock) -> ProtectedWorld:
    return ProtectedWorld(workshop, parts, events, clock)


def test_a_green_request_is_merged_and_confirmed(world: ProtectedWorld) -> None:
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.proposed, verdict.tree) == (world.pulls.head, "")
    assert world.pulls.target == world.pulls.head  # a fast-forward
    assert world.watched == [world.pulls.head]
    assert world.events.stages() == [
        *((name, "done") for name in ("preflight", "fetch")),
        ("merge", "skipped"),
        *((name, "done") for name in ("verify", "propose", "checks", "submit", "confirm")),
    ]


@pytest.mark.parametrize("style", [MergeStyle.MERGE, MergeStyle.SQUASH])
def test_the_merge_commit_is_what_landed(world: ProtectedWorld, style: MergeStyle) -> None:
    verdict = world.land(style=style)
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert verdict.proposed == world.pulls.head != verdict.sha
    assert verdict.tree == ""


@pytest.mark.parametrize("point", CutPoint)
def test_a_lost_answer_is_settled_by_the_target(world: ProtectedWorld, point: CutPoint) -> None:
    world.repo.merge_cuts.append(MergeCut(point, 20))
    verdict = world.land()
    merges = [one for one in world.pulls.requests if one.path.endswith("/merge")]
    assert len(merges) == 1
    if point is CutPoint.BEFORE:
        assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
        verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.head), verdict
    assert any("may not have notified CI" in text for text in world.texts) == (point is CutPoint.DURING)
