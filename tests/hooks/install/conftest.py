"""Sandboxes to push from, copied from one that was made before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.hooks.install.plan import CONFIG_HOOKS_VERSION
from tests.hooks.install.sandbox import HookSandbox, copied, gits

Made = Callable[[str, tuple[str, ...]], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A sandbox for each git and each set of shims, made when it is first wanted."""
    known: dict[tuple[str, tuple[str, ...]], Path] = {}

    def make(git: str, shims: tuple[str, ...]) -> Path:
        if (git, shims) not in known:
            known[git, shims] = HookSandbox(tmp_path_factory.mktemp("made"), git, shims).folder
        return known[git, shims]

    return make


@pytest.fixture
def sandbox(made: Made, tmp_path: Path) -> HookSandbox:
    """Where nothing is installed, with the first git."""
    return copied(made(gits()[0], ()), tmp_path, gits()[0])


@pytest.fixture
def new_sandbox(made: Made, tmp_path: Path) -> HookSandbox:
    """The same with a git that has hooks in its settings."""
    for git in gits():
        if HookSandbox.version_of(git) >= CONFIG_HOOKS_VERSION:
            return copied(made(git, ()), tmp_path, git)
    pytest.skip("HOMELAB_TEST_GITS names no git 2.54 or newer, which has hooks in its settings")
