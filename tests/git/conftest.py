"""Fixtures for git: both ways to start it, and a server over http."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.inherited import inherited_by_git

Opened = Callable[[Path], Repository]


@pytest.fixture
def opened(seal: dict[str, str]) -> Opened:
    """Git in a directory, started the lean way."""
    return lambda path: Repository(DirectRunner(seal, path))


@pytest.fixture(params=["lean", "gitpython"])
def either(request: pytest.FixtureRequest, seal: dict[str, str]) -> Opened:
    """Git in a directory, started in both ways: verbs must not notice."""
    if request.param == "lean":
        return lambda path: Repository(DirectRunner(seal, path))
    return lambda path: Repository(GitPythonRunner(seal, path, inherited=inherited_by_git(), interactive=False))


@pytest.fixture
def server(workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[GitServer]:
    """The workshop's repository over http."""
    with GitServer(workshop.folder / "srv", seal) as running:
        yield running
