"""What git says about the tip of the target branch, for a landing that waits for its pipeline."""

from __future__ import annotations

import pytest

from homelab_hooks.app.target_runs import CiTargetPipelines
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider, find_skip_marker
from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.watch.run_without_sockets import InMemoryWoodpecker

TRACKING = "refs/remotes/origin/main"
CONFIG = "when: {event: push, path: 'src/**'}\nsteps: [{name: a, image: b, commands: [make]}]\n"


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    workshop.environ.pop("GIT_COMMITTER_DATE")
    return workshop.clone("ann")


def read_tip(clone: Clone, workshop: ScratchRepositories, repo: Repo | None = None, **more: float) -> tuple[float, str]:
    """What is read about the tip of the tracking ref, with a wall clock that is `later` by so many seconds."""
    git = ReadOnlyRepository(DirectRunner(workshop.environ, clone.path))
    moved_at = git.history.ref_moved_at(TRACKING, clone.sha(TRACKING))
    found = repo or Repo(id=8, full_name="acme/app")

    def connect() -> tuple[Provider, Repo]:
        return InMemoryWoodpecker().ci, found

    wall = (lambda: moved_at + more["later"]) if more else None
    return CiTargetPipelines(connect, git, wall=wall).describe_tip(clone.sha(TRACKING), TRACKING)


def push(clone: Clone, name: str, text: str = "", *, message: str = "") -> None:
    clone.commit(name, text, message=message)
    clone.git("push", "--quiet", "origin", "HEAD:main")


def test_the_reflog_shows_since_when_a_commit_has_been_the_tip(clone: Clone, workshop: ScratchRepositories) -> None:
    """Of another commit, or without a real clock in it, it says nothing: the tip then counts as new."""
    push(clone, ".woodpecker.yaml", "steps: [{name: a, image: b, commands: [make]}]\n")
    assert read_tip(clone, workshop, later=90.0) == (90.0, "")
    assert read_tip(clone, workshop, later=-90.0) == (0.0, "")
    assert read_tip(clone, workshop) == (0.0, "")
    git = ReadOnlyRepository(DirectRunner(workshop.environ, clone.path))
    assert git.history.ref_moved_at(TRACKING, "a" * 40) == 0
    assert git.history.ref_moved_at("refs/remotes/origin/other", "a" * 40) == 0


def test_a_tip_that_runs_nothing_is_not_waited_for(clone: Clone, workshop: ScratchRepositories) -> None:
    push(clone, "a")
    assert read_tip(clone, workshop)[1] == "it has no Woodpecker configuration"
    own = Repo(id=8, full_name="acme/app", config_path="ci/all.yaml")
    assert read_tip(clone, workshop, own)[1] == "", "CI reads another file"
    push(clone, ".woodpecker.yaml", CONFIG)
    push(clone, "docs/a")
    assert read_tip(clone, workshop)[1] == "no workflow's conditions match"
    push(clone, "src/a")
    assert read_tip(clone, workshop)[1] == ""
    push(clone, "src/b", message="b [CI SKIP]")
    assert read_tip(clone, workshop)[1] == "its message contains [CI SKIP]"


@pytest.mark.parametrize("marker", ["[ci skip]", "[skip ci]", "[CI SKIP]", "[ciskip]", "[skip  ci]"])
def test_every_spelling_that_woodpecker_takes_is_a_skip_marker(marker: str) -> None:
    """Recording 06-skip-markers."""
    assert find_skip_marker(f"a change\n\nwith {marker} in its body", WOODPECKER) == marker
    assert find_skip_marker("a change [skip actions] ***NO_CI***", WOODPECKER) == ""
