"""The forge of a run whose main takes pull requests only: its rules, its webhook, and CI for the pull request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Self

from homelab_hooks.simulators.faults import FaultPlan
from homelab_hooks.simulators.forge.bare import BareRepository
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ForgeStore,
    ForgeUser,
    HookDelivery,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tools.soak.plan import PLAYS, ProtectedMain

TOKEN = "soak-forge-token"
CHECK = "ci/pr/test"
_STATES = {"green": "success", "red": "failure"}


class ProtectedForge:
    """A forge for one repository; a context manager.

    Args:
        repo: OWNER/NAME.
        main: the rules and the faults.
        workshop: the repository.
        woodpecker: our own CI.
        on_merge: called with the commit of each merge that the forge reports.
    """

    def __init__(
        self,
        repo: str,
        main: ProtectedMain,
        workshop: ScratchRepositories,
        woodpecker: WoodpeckerSimulator,
        on_merge: Callable[[str], object],
    ) -> None:
        self.main, self._woodpecker, self._on_merge = main, woodpecker, on_merge
        git = BareRepository(workshop.bare_path, workshop.environ)
        hook = SimulatedWebhook(1, f"{woodpecker.url}/api/hook")
        self.repo = SimulatedForgeRepo(repo, {"ann": RepoRight.WRITE}, hooks=[hook], git=git)
        self.repo.deletes_merged_branches, self.repo.check_seconds = main.deletes, main.seconds
        self._faults = FaultPlan()
        users = [ForgeUser("ann", tokens={TOKEN: ALL_SCOPES})]
        store = ForgeStore(users, [self.repo], now=time.monotonic, is_github=main.is_github)
        self.simulator = ForgeSimulator(store, self._deliver, faults=self._faults)

    def __enter__(self) -> Self:
        self.simulator.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.simulator.__exit__(*error)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a landing needs to know about it."""
        return {
            "HOMELAB_FORGE_URL": self.simulator.url,
            "HOMELAB_FORGE_TOKEN": TOKEN,
            "HOMELAB_PROTECTED": "merge",
            "HOMELAB_MERGE_STYLE": self.main.style,
        }

    def begin(self) -> None:
        """From now on main is protected, and things go wrong."""
        contexts = None if self.main.check == "none" else (CHECK if self.main.is_github else "ci/pr/*",)
        self.repo.protect("main", SimulatedProtection(contexts=contexts, approvals=self.main.approvals))
        self.repo.merge_cuts = [self.main.cut] if self.main.cut else []
        self._faults.rules = self.main.rules

    def repair(self) -> None:
        """From now on it answers as it should."""
        self._faults.rules = ()
        self.repo.merge_cuts.clear()
        self.repo.before_merge = None

    def check(self, update: PushedRef) -> None:
        """Act as CI for a pushed branch: a pipeline of the pull request, and the status that the forge requires."""
        main, sha, known = self.main, update.new, self.repo.reports.statuses
        if main.check in _STATES:
            for after, state in ((0.0, "pending"), (main.check_s, _STATES[main.check])):
                known.append(SimulatedStatus(len(known) + 1, sha, CHECK, state, time.monotonic() + after))
        if main.own != "never":
            play = PLAYS[main.own](0.3) if main.own != "green" else timelines.make_green(0.3)
            ref = f"refs/pull/{len(self.repo.pulls) + 1}/head"
            self._woodpecker.push(
                self.repo.full_name, "main", sha, play, after=0.1, event="pull_request", ref=ref
            )  # fmt: skip

    @property
    def merges(self) -> int:
        """How many merges were asked for."""
        return sum(one.method == "POST" and one.path.endswith("/merge") for one in self.simulator.requests)

    @property
    def is_cut(self) -> bool:
        """Whether the answer to a merge was cut off."""
        return self.main.cut is not None and not self.repo.merge_cuts and self.merges > 0

    def _deliver(self, delivery: HookDelivery) -> None:
        if delivery.ref == "refs/heads/main":
            self._on_merge(delivery.after)
