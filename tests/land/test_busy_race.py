"""Several real clones that land at once into one branch, with a CI that cancels the previous push pipeline.

With `-s`, each run prints its time against the serial optimum: the pipelines one after the other, without a pause.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from homelab_hooks.simulators.git_http import GitServer, PushedRef
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import CommandResult, Shell

REPO = "acme/app"
PEOPLE = [f"person{number}" for number in range(int(os.environ.get("HOMELAB_RACERS", "4")))]
"""`make soak` has eight"""
SPEED = 20
PIPELINE_S, WEBHOOK_S = 60.0, 10.0
"""seconds of the server, which run SPEED times as fast"""
DEPENDENT = "steps:\n  apply:\n    commands: ['apply --since $CI_PREV_COMMIT_SHA']\n"
LAND_S = 240.0


@dataclass
class SharedBranch:
    """A forge whose webhook starts a pipeline for each push, and a clone for each person."""

    workshop: ScratchRepositories
    git: GitServer
    ci: WoodpeckerSimulator

    def __post_init__(self) -> None:
        self.git.plan.on_push = self._deliver
        self.workshop.environ.pop("GIT_COMMITTER_DATE", None)
        seed = self.workshop.clone("config")
        sha = seed.commit(".woodpecker.yaml", DEPENDENT)
        seed.git("push", "--quiet", "origin", "HEAD:main")
        self.ci.push(REPO, "main", sha, timelines.make_green(PIPELINE_S), after=-2 * PIPELINE_S)

    def _deliver(self, update: PushedRef) -> None:
        timeline = timelines.make_green(PIPELINE_S)
        self.ci.push(REPO, "main", update.new, timeline, after=WEBHOOK_S, message="a change\n")

    def clone(self, name: str) -> Clone:
        """A clone with a commit to land."""
        clone = self.workshop.clone(name, at=f"{self.git.url}/{REPO}.git", branch=name)
        clone.commit(name)
        return clone

    def land(self, clone: Clone, *options: str) -> CommandResult:
        """`git land` in the clone."""
        more = {"WOODPECKER_SERVER": self.ci.url, "WOODPECKER_TOKEN": "alice-token"}
        return Shell(self.workshop.environ, clone.path, more)(
            "git-land", "--verify-cmd", "true", *options, within=LAND_S
        )

    def statuses(self) -> Counter[str]:
        """How many pipelines have each status."""
        rows = (row.at(self.ci.t) for row in self.ci.store.rows)
        return Counter(row.status for row in rows if row is not None)


@pytest.fixture
def speed() -> int:
    return SPEED


@pytest.fixture
def branch(workshop: ScratchRepositories, speed: int) -> Iterator[SharedBranch]:
    clock = SystemClock()
    with GitServer(workshop.folder / "srv", workshop.environ) as git, WoodpeckerSimulator(clock, speed=speed) as ci:
        yield SharedBranch(workshop, git, ci)


def land_at_once(branch: SharedBranch, *options: str) -> list[CommandResult]:
    """Landings that begin at the same moment; print the time that they took together."""
    clones = [branch.clone(name) for name in PEOPLE]
    ended: list[CommandResult] = []
    threads = [threading.Thread(target=lambda c=clone: ended.append(branch.land(c, *options))) for clone in clones]
    began = branch.ci.clock.now()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, optimum = branch.ci.clock.now() - began, len(PEOPLE) * (PIPELINE_S + WEBHOOK_S) / SPEED
    requests = branch.ci.count("/pipelines[?]") / len(PEOPLE)
    print(  # noqa: T201 - with -s
        f"\n{' '.join(options)}: {took:.1f} s, serial optimum {optimum:.1f} s, ratio {took / optimum:.2f}; "
        f"{dict(branch.statuses())}; list requests a landing {requests:.0f}; "
        f"codes {dict(Counter(done.code for done in ended))}"
    )
    return ended


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.parametrize("setting", ["wait", "auto"])
def test_landings_at_once_cancel_no_pipeline(branch: SharedBranch, setting: str) -> None:
    """With `auto`, because the configuration compares with the previous commit."""
    ended = land_at_once(branch, "--when-busy", setting)
    assert [(done.code, done.result["verdict"]) for done in ended] == [(0, "passed")] * len(PEOPLE), ended
    assert branch.statuses() == {"success": 1 + len(PEOPLE)}
    files = branch.workshop.origin.git("ls-tree", "--name-only", "main").splitlines()
    assert set(PEOPLE) <= set(files)


@pytest.mark.slow
@pytest.mark.parametrize("speed", [4], ids=["slow pipelines"])  # on a busy machine too, pushes come before their end
def test_with_push_the_pipelines_of_others_are_cancelled(branch: SharedBranch) -> None:
    """What the two tests above would miss without the queue."""
    ended = land_at_once(branch, "--when-busy", "push")
    assert branch.statuses()["killed"] + branch.statuses()["canceled"] > 0
    assert any("CI will cancel it" in done.err for done in ended)
