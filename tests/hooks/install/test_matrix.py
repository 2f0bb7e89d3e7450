"""Every kind of push and ref update against both ways to know of it, with every git that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks.install.conftest import Made
from tests.hooks.install.push_cases import KINDS
from tests.hooks.install.sandbox import copied, gits

pytestmark = pytest.mark.slow  # a hundred real repositories

WAYS = {"noted by pre-push": ("pre-push", "reference-transaction"), "from the reflog": ("reference-transaction",)}


@pytest.mark.parametrize("git", gits())
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_push_of_the_target_fires_once_and_nothing_else_does(
    kind: str, way: str, git: str, made: Made, tmp_path: Path
) -> None:
    row = KINDS[kind]
    if row.noted_only and way == "from the reflog":
        pytest.skip("only what pre-push noted can tell")
    sandbox = copied(made(git, WAYS[way]), tmp_path, git)
    if row.since > (2, 28) and sandbox.version < row.since:
        pytest.skip(f"needs git {'.'.join(map(str, row.since))}")

    expected = row.act(sandbox)

    assert sandbox.calls == expected


@pytest.mark.skipif(len(gits()) < 2, reason="HOMELAB_TEST_GITS names no other git than the one on PATH")
def test_the_gits_that_are_named_differ() -> None:
    """Else nothing is learned from trying them all."""
    assert len({Path(git).resolve() for git in gits()}) == len(gits())
