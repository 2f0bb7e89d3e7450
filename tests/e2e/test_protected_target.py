"""`git land` on a protected target as a process: over http, with a token, against the simulated forges."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from homelab_hooks.simulators.git_http import GitServer, PushedRef
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import CommandResult, Shell
from tests.waiting import HANG_S
from tools.soak.forge import ProtectedForge
from tools.soak.plan import ProtectedMain

pytestmark = pytest.mark.slow

LAND = ("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", "true")


@pytest.fixture
def git(workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[GitServer]:
    with GitServer(workshop.folder / "srv", seal) as server:
        yield server


@pytest.fixture
def forge(workshop: ScratchRepositories, woodpecker: WoodpeckerSimulator, git: GitServer) -> Iterator[ProtectedForge]:
    """A forge that requires a check; it is green as soon as the branch is pushed."""
    rules = ProtectedMain(own="never", check_s=0.0)
    with ProtectedForge("acme/app", rules, workshop, woodpecker, lambda _: None) as found:
        found.begin()
        found.repo.protections["main"].contexts = ("ci/pr/test",)  # GitHub's names are literal
        git.plan.on_push = found.check
        yield found


def clone(workshop: ScratchRepositories, git: GitServer, name: str) -> Clone:
    """A clone over http, whose branch has one commit to land."""
    found = workshop.clone(name, at=f"{git.url}/acme/app.git", branch=f"{name}s-topic")
    found.commit(name)
    return found


def files(workshop: ScratchRepositories) -> set[str]:
    return set(workshop.origin.git("ls-tree", "--name-only", "main").split())


@pytest.mark.parametrize("is_github", [False, True])
def test_a_pull_request_is_merged_and_taken_back(
    workshop: ScratchRepositories, seal: dict[str, str], git: GitServer, forge: ProtectedForge, *, is_github: bool
) -> None:
    """The kind of forge is detected, without a token."""
    forge.simulator.store.is_github = is_github
    ann = clone(workshop, git, "ann")
    shell = Shell(seal, ann.path, dict(forge.environ))
    done = shell(*LAND)
    assert (done.code, done.result["landed"], done.result["sha"]) == (0, "yes", workshop.server_commit()), done
    assert "ann" in files(workshop)
    assert [one.path for one in forge.simulator.requests if not one.has_credentials] == [
        "/api/v1/version", *(["/api/v3/meta"] if is_github else []),
    ]  # fmt: skip
    back = shell(*LAND, "--revert", done.result["sha"])
    assert (back.code, back.result["landed"], files(workshop)) == (0, "yes", {"README"}), back
    assert [bool(one.merge_commit) for one in forge.repo.pulls] == [True, True]


def test_two_processes_that_merge_at_once_both_land(
    workshop: ScratchRepositories, seal: dict[str, str], git: GitServer, forge: ProtectedForge
) -> None:
    """Both branches are pushed before either of them is merged."""
    both, first = threading.Barrier(2), {"refs/heads/anns-topic", "refs/heads/bobs-topic"}

    def check(update: PushedRef) -> None:
        forge.check(update)
        if update.ref in first:
            first.discard(update.ref)
            both.wait(HANG_S)

    git.plan.on_push = check
    shells = [Shell(seal, clone(workshop, git, name).path, dict(forge.environ)) for name in ("ann", "bob")]
    running = [shell.start(*LAND) for shell in shells]
    ended = [(child.communicate(timeout=HANG_S), child.returncode) for child in running]
    results = [CommandResult(code, out.decode(), err.decode()) for (out, err), code in ended]
    assert [(one.code, one.result["landed"]) for one in results] == [(0, "yes"), (0, "yes")], results
    on_main = workshop.origin.git("rev-list", "main").split()
    assert {one.result["sha"] for one in results} <= set(on_main)
    assert len({one.result["sha"] for one in results}) == 2
    assert {"ann", "bob"} <= files(workshop)
    assert [bool(one.merge_commit) for one in forge.repo.pulls] == [True, True]
