"""`--strategy` as a setting: how the target branch is integrated if the option is not given."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import CommandResult, Shell

pytestmark = pytest.mark.slow  # many processes of git each
LAND = ("git-land", "--output", "plain", "--no-ci-watch", "--no-verify")


class MovedTarget(NamedTuple):
    """A branch to land, and a target that has moved since it began."""

    ann: Clone
    workshop: ScratchRepositories
    shell: Shell

    def land(self, *options: str) -> CommandResult:
        return self.shell(*LAND, *options)

    @property
    def parents(self) -> int:
        """Those of the commit that has landed."""
        return len(self.workshop.origin.git("log", "-1", "--format=%P", "main").split())


@pytest.fixture
def moved(workshop: ScratchRepositories, seal: dict[str, str], ann: Clone) -> MovedTarget:
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return MovedTarget(ann, workshop, Shell(seal, ann.path))


@pytest.mark.parametrize("place", ["git config", "environment", "tracked file"])
def test_the_setting_decides_where_no_option_is_given(moved: MovedTarget, place: str) -> None:
    if place == "environment":
        moved.shell.more["HOMELAB_STRATEGY"] = "rebase"
    if place == "git config":
        moved.ann.git("config", "homelab.strategy", "rebase")
    if place == "tracked file":
        moved.ann.commit(".homelab.toml", 'strategy = "rebase"\n')
    ended = moved.land()
    assert (ended.code, ended.result["landed"], moved.parents) == (0, "yes", 1), ended


def test_the_option_takes_precedence(moved: MovedTarget) -> None:
    moved.ann.git("config", "homelab.strategy", "ff-only")
    assert moved.land().code == 21
    ended = moved.land("--strategy", "merge", "-m", "both")
    assert (ended.code, moved.parents) == (0, 2), ended


def test_a_message_for_a_configured_rebase_is_a_usage_error(moved: MovedTarget) -> None:
    moved.ann.git("config", "homelab.strategy", "rebase")
    ended = moved.land("-m", "x")
    assert (ended.code, ended.result["landed"]) == (2, "no"), ended
    assert "--strategy merge" in ended.err


def test_a_strategy_that_is_none_names_its_source(moved: MovedTarget) -> None:
    moved.ann.git("config", "homelab.strategy", "squash")
    ended = moved.land()
    assert (ended.code, ended.result["landed"]) == (2, "no"), ended
    assert "'squash' for homelab.strategy" in ended.err
