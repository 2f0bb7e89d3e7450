"""Desks to push from, copied from one that was made before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.hooks.install.plan import CONFIG_HOOKS_VERSION
from tests.hooks.install.sandbox import Desk, copied, gits

Made = Callable[[str, tuple[str, ...]], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A desk for each git and each set of shims, made when it is first wanted."""
    known: dict[tuple[str, tuple[str, ...]], Path] = {}

    def make(git: str, shims: tuple[str, ...]) -> Path:
        if (git, shims) not in known:
            known[git, shims] = Desk(tmp_path_factory.mktemp("made"), git, shims).folder
        return known[git, shims]

    return make


@pytest.fixture
def desk(made: Made, tmp_path: Path) -> Desk:
    """Where nothing is installed, with the first git."""
    return copied(made(gits()[0], ()), tmp_path, gits()[0])


@pytest.fixture
def new_desk(made: Made, tmp_path: Path) -> Desk:
    """The same with a git that has hooks in its settings."""
    for git in gits():
        if Desk.version_of(git) >= CONFIG_HOOKS_VERSION:
            return copied(made(git, ()), tmp_path, git)
    pytest.skip("HOMELAB_TEST_GITS names no git 2.54 or newer, which has hooks in its settings")
