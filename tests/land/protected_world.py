"""A protected main on the simulated forge, and landings on it without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.proposal import ForgeRepository, ProposalParts
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.store import SimulatedForgeRepo
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.forge.simulated_pulls import REPO, PullWorld, make_pull_world
from tests.support.clock import FakeClock

Parts = Callable[..., LandingDependencies]
TIMEOUT_S = 600.0


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
        self.on_watch: Callable[[], object] = lambda: None
        self.on_merge: Callable[[], object] | None = None

    def watch(self, sha: str) -> Verdict:
        """Act as our own CI, and as the one that posts the required status."""
        self.watched.append(sha)
        self.on_watch()
        if self.on_merge:
            self.pulls.before_send["/merge"] = self.on_merge
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
            timeout_s=TIMEOUT_S,
        )
        return self.parts(others.pop("clone", self.pulls.clone), proposals=proposals, **others)

    def land(self, **others: Any) -> Verdict:
        request = LandRequest(verify=VerifyCommand("true", "the test"))
        return land_run.land_branch(request, self.dependencies(**others))

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events.events if isinstance(event, Log)]
