"""The real `git land` through a push over http, the forge's webhook and a real Woodpecker."""

from __future__ import annotations

import pytest

from homelab_hooks.exit_codes import ExitCode
from tests.real.branch import FAILS, PASSES, Branch, one_step

pytestmark = pytest.mark.real


@pytest.fixture
def feature(branch: Branch) -> Branch:
    """A feature branch that is ready to land."""
    branch.checkout.git("config", "homelab.verify", "true")
    return branch


def land(branch: Branch, commands: tuple[str, ...]) -> tuple[int, str, str]:
    """Commit a pipeline and land it: the code, the last line, and what was said before it."""
    branch.commit(one_step(commands))
    done = branch.run("git", "land", "--output", "plain")
    return done.code, done.out.strip(), done.err


def test_a_landing_that_ci_likes_ends_with_0(feature: Branch) -> None:
    code, last, said = land(feature, PASSES)

    assert code == ExitCode.OK, said
    assert " landed=yes " in last
    assert feature.servers.workshop.server_commit("main") == feature.checkout.head
    assert [row["status"] for row in feature.rows()] == ["success"]


def test_a_landing_that_ci_dislikes_ends_with_1_and_is_landed(feature: Branch) -> None:
    code, last, said = land(feature, FAILS)

    assert code == ExitCode.FAILED, said
    assert " landed=yes " in last
    assert "test" in said
    assert feature.servers.workshop.server_commit("main") == feature.checkout.head
