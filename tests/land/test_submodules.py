"""Submodules: the verified content is what is pushed, and no submodule commit is pushed that cannot be fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

GitLand = Callable[..., Verdict]

pytestmark = pytest.mark.slow


def inside(clone: Clone, workshop: ScratchRepositories) -> Clone:
    """The submodule of a clone."""
    return Clone(clone.path / "lib", workshop.environ)


@pytest.fixture
def library(workshop: ScratchRepositories) -> ScratchRepositories:
    """A repository that is a submodule `lib` of the target from now on."""
    made = ScratchRepositories(workshop.folder / "library", workshop.environ, name="acme/lib.git")
    bob = workshop.clone("bob")
    bob.git("submodule", "--quiet", "add", str(made.bare_path), "lib")
    bob.git("commit", "--quiet", "-m", "with a library")
    bob.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture
def ann(workshop: ScratchRepositories, library: ScratchRepositories) -> Clone:
    """Has the submodule, and a commit on `topic`."""
    assert library.bare_path.exists()
    clone = workshop.clone("ann", branch="topic")
    clone.git("submodule", "--quiet", "update", "--init")
    clone.commit("a")
    return clone


@pytest.fixture
def newer(workshop: ScratchRepositories, ann: Clone) -> str:
    """The target moves on to a newer library, which Ann has never heard of; its commit."""
    assert ann.path.exists()
    bob = Clone(workshop.folder / "bob", workshop.environ)
    lib = inside(bob, workshop)
    sha = lib.commit("new")
    lib.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    bob.git("commit", "--quiet", "-am", "a newer library")
    bob.git("push", "--quiet", "origin", "main")
    return sha


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_submodule_follows_the_merge_before_it_is_verified(
    workshop: ScratchRepositories, ann: Clone, newer: str, git_land: GitLand, strategy: Strategy
) -> None:
    assert git_land(ann, verify="test -e lib/new && test -e a", strategy=strategy).landed
    assert inside(ann, workshop).head == newer
    assert ann.git("rev-parse", "HEAD:lib") == newer


def test_going_back_brings_the_submodule_back_too(
    workshop: ScratchRepositories, ann: Clone, newer: str, git_land: GitLand, parts: Any
) -> None:
    start, before = ann.head, inside(ann, workshop).head
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    assert inside(ann, workshop).head == newer
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert (ann.head, inside(ann, workshop).head) == (start, before)


@pytest.mark.usefixtures("newer")
def test_a_conflict_elsewhere_is_resolved_and_the_submodule_follows_then(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any
) -> None:
    ann.commit("same", "mine\n")
    bob = Clone(workshop.folder / "bob", workshop.environ)
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, verify="test -e lib/new").exit is ExitCode.CONFLICT
    ann.write("same", "both\n")
    ann.git("add", "same")
    assert land_run.continue_landing(parts(ann)).landed


def test_a_submodule_with_its_own_new_commit_is_dirt_whatever_is_ignored(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    ann.git("config", "submodule.lib.ignore", "all")
    inside(ann, workshop).commit("own")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert verdict.reason.endswith("would not be landed: lib")
    inside(ann, workshop).git("reset", "--quiet", "--hard", "HEAD^")
    inside(ann, workshop).write("untracked", "is not dirt")
    assert git_land(ann).landed


def test_a_submodule_that_was_never_initialized_stays_empty(
    workshop: ScratchRepositories, newer: str, git_land: GitLand
) -> None:
    carol = workshop.clone("carol")
    carol.git("switch", "--quiet", "-c", "topic", "HEAD^")
    carol.commit("c")
    assert git_land(carol).landed
    assert carol.git("rev-parse", "HEAD:lib") == newer
    assert not list((carol.path / "lib").iterdir())


def test_a_library_that_is_unavailable_prevents_the_landing_and_can_be_resumed(
    workshop: ScratchRepositories, library: ScratchRepositories, ann: Clone, *, newer: str, git_land: GitLand,
    parts: Any
) -> None:  # fmt: skip
    away = library.bare_path.with_name("away")
    library.bare_path.rename(away)
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "could not update submodules after the merge (lib)" in verdict.reason
    away.rename(library.bare_path)
    assert land_run.continue_landing(parts(ann)).landed
    assert inside(ann, workshop).head == newer


@pytest.fixture
def unpushed(workshop: ScratchRepositories, ann: Clone) -> str:
    """Ann's topic records a commit of the library that only she has; on the library's branch."""
    lib = inside(ann, workshop)
    lib.git("switch", "--quiet", "main")
    sha = lib.commit("mine")
    ann.git("commit", "--quiet", "-am", "my library")
    return sha


def test_where_submodules_are_checked_an_unpushed_one_stops_the_landing(
    workshop: ScratchRepositories,
    library: ScratchRepositories,
    ann: Clone,
    *,
    unpushed: str,
    git_land: GitLand,
    clock: Any,
) -> None:
    """Git aborts before it sends anything, in words that look like a lost connection."""
    before = workshop.server_commit()
    ann.git("config", "push.recurseSubmodules", "check")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason == "the push was rejected: the commit of a submodule is on none of its remotes: lib"
    assert (workshop.server_commit(), clock.slept) == (before, [])
    assert library.server_commit() != unpushed


@pytest.mark.parametrize(
    ("key", "value"),
    [("push.recurseSubmodules", "on-demand"), ("push.recurseSubmodules", "only"), ("submodule.recurse", "true")],
)
def test_where_submodules_are_pushed_they_are_there_first(
    workshop: ScratchRepositories, library: ScratchRepositories, ann: Clone, *, unpushed: str, git_land: GitLand,
    key: str, value: str
) -> None:  # fmt: skip
    """Git itself pushes submodules only with a branch by name, and `only` would push nothing else."""
    ann.git("config", key, value)
    assert git_land(ann).landed
    assert library.server_commit() == unpushed
    assert workshop.server_commit() == ann.head


def test_a_submodule_that_cannot_be_pushed_stops_the_landing(
    workshop: ScratchRepositories, library: ScratchRepositories, ann: Clone, unpushed: str, git_land: GitLand
) -> None:
    library.write_hook("pre-receive", "echo frozen >&2; exit 1")
    ann.git("config", "push.recurseSubmodules", "on-demand")
    before = workshop.server_commit()
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.PUSH_FAILED, False, before)
    assert verdict.reason.startswith("could not push the submodule lib")
    assert library.server_commit() != unpushed


def test_without_submodules_no_setting_about_them_keeps_the_commit_back(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """`only` would end well, and have pushed nothing."""
    ann = workshop.clone("ann", branch="topic")
    ann.git("config", "push.recurseSubmodules", "only")
    sha = ann.commit("a")
    assert git_land(ann).landed
    assert workshop.server_commit() == sha
