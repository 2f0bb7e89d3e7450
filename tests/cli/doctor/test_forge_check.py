"""The doctor on a protected target: the forge, the token and its rights, and the rules of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.cli.commands.doctor.forge import forge_checks
from homelab_hooks.cli.commands.doctor.parallel import run_checks
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import ForgeUser
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.cli.doctor.conftest import DoctorSandbox
from tests.forge.simulated_pulls import PullWorld, make_pull_world
from tests.support.clock import FakeClock

Examine = Callable[..., Finding]


@pytest.fixture
def world(workshop: ScratchRepositories) -> PullWorld:
    found = make_pull_world(workshop)
    found.repo.protect("main", SimulatedProtection(contexts=("ci/test",)))
    return found


@pytest.fixture
def examine(world: PullWorld, seal: dict[str, str]) -> Iterator[Examine]:
    """The finding about the forge, with settings and a token."""
    with ForgeSimulator(world.store) as server:

        def call(token: str = "bob-token", **settings: str) -> Finding:
            world.clone.git("remote", "set-url", "--push", "origin", f"{server.url}/acme/app.git")
            runtime = Runtime({**seal, "HOMELAB_FORGE_TOKEN": token}, world.clone.path)
            config = runtime.config({"onto": "main", "protected": "merge", **settings})
            (found,) = run_checks(forge_checks(config, runtime), clock=FakeClock(), timeout=60.0)
            return found

        yield call


def test_what_a_landing_would_meet_is_said(examine: Examine, world: PullWorld) -> None:
    found = examine()
    assert (found.check, found.health) == ("forge", FindingStatus.OK), found
    assert "main is merged through pull requests; required checks: ci/test" in found.evidence
    assert world.repo.pulls == []


def allow_pushes(world: PullWorld) -> None:
    world.repo.protections["main"].can_push = True


def need_approvals(world: PullWorld) -> None:
    world.repo.protections["main"].approvals = 2


def check_nothing(world: PullWorld) -> None:
    world.repo.protections["main"].contexts = None


@pytest.mark.parametrize(
    ("prepare", "health", "evidence"),
    [
        (allow_pushes, FindingStatus.OK, "main takes direct pushes"),
        (need_approvals, FindingStatus.WARNING, "needs 2 approvals"),
        (check_nothing, FindingStatus.WARNING, "nothing checks them"),
    ],
)
def test_the_rules_of_the_target(
    examine: Examine, world: PullWorld, prepare: Callable[[PullWorld], None], health: FindingStatus, evidence: str
) -> None:
    prepare(world)
    found = examine()
    assert (found.health, evidence in found.evidence) == (health, True), found
    assert bool(found.remedy) == (health is not FindingStatus.OK)


def archive(world: PullWorld) -> None:
    world.repo.archived = True


def read_only_token(world: PullWorld) -> None:
    world.store.users = [ForgeUser("bob", tokens={"bob-token": frozenset({"read:repository"})})]


def reader(world: PullWorld) -> None:
    world.store.users = [ForgeUser("carol", tokens={"bob-token": frozenset({"read:repository", "write:repository"})})]


def merge_by_alice(world: PullWorld) -> None:
    world.repo.protections["main"].merge_users = frozenset({"alice"})


def squash_only(world: PullWorld) -> None:
    world.repo.styles = frozenset({"squash"})


@pytest.mark.parametrize("is_github", [False, True])
@pytest.mark.parametrize(
    ("prepare", "evidence", "remedy"),
    [
        (archive, "archived", "unarchive"),
        (reader, "may not write", {False: "scope write:repository", True: "Contents and Pull requests"}),
        (squash_only, "merge commit", "--merge-style squash"),
    ],
)
def test_what_would_refuse_a_landing_is_a_problem(
    examine: Examine,
    world: PullWorld,
    prepare: Callable[[PullWorld], None],
    evidence: str,
    remedy: str | dict[bool, str],
    *,
    is_github: bool,
) -> None:
    world.store.is_github = is_github
    prepare(world)
    found = examine()
    assert (found.health, found.exit) == (FindingStatus.PROBLEM, ExitCode.REFUSED), found
    assert evidence in found.evidence
    assert (remedy if isinstance(remedy, str) else remedy[is_github]) in found.remedy


def test_the_least_right_is_named_for_a_token_that_only_reads(examine: Examine, world: PullWorld) -> None:
    """Gitea shows what the user may do, whatever the token may (recording 01)."""
    read_only_token(world)
    found = examine()
    assert (found.health, found.exit) == (FindingStatus.PROBLEM, ExitCode.REFUSED), found
    assert "create a token with the scope write:repository" in found.remedy


def test_a_person_who_may_not_merge_is_told(examine: Examine, world: PullWorld) -> None:
    merge_by_alice(world)
    assert "may not merge into main" in examine().evidence


def test_a_missing_token_is_a_problem(examine: Examine) -> None:
    found = examine("")
    assert (found.health, "create a token with the scope write:repository" in found.remedy) == (
        FindingStatus.PROBLEM,
        True,
    ), found


@pytest.mark.slow
def test_the_command_checks_the_forge_only_if_it_merges(sandbox: DoctorSandbox) -> None:
    """The remote of the sandbox is a path."""
    assert "forge:" not in sandbox.examine().err
    sandbox.set("homelab.protected", "merge")
    done = sandbox.examine()
    assert (done.code, "forge" in done.err) == (ExitCode.REFUSED, True), done
