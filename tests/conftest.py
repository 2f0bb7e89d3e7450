"""Fixtures for every test: a seal around git, and real repositories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from homelab_hooks.simulators.repositories import ScratchRepositories, make_hermetic_env

AHEAD = "ahead"

# How long an example takes says how busy the machine is: there is no limit but pytest's own.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@pytest.fixture
def seal(tmp_path: Path) -> dict[str, str]:
    """An environment in which git sees nothing of this machine's configuration."""
    return make_hermetic_env(os.environ, tmp_path / "home")


@pytest.fixture(scope="session")
def first_workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workshop to be copied: making one takes six calls of git."""
    folder = tmp_path_factory.mktemp("first")
    return ScratchRepositories(folder / "workshop", make_hermetic_env(os.environ, folder / "home")).folder


@pytest.fixture
def workshop(tmp_path: Path, seal: dict[str, str], first_workshop: Path) -> ScratchRepositories:
    """A bare repository with one commit on `main`, and clones of it on demand."""
    folder = tmp_path / "workshop"
    shutil.copytree(first_workshop / "srv", folder / "srv")
    return ScratchRepositories(folder, seal)


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
    """What the tests of a module that are marked `ahead` wait for, several at a time: it waits more than it computes.

    Its tests run in one process (`--dist loadfile`), or each process would begin them all.
    """
    marked = [
        (item, mark)
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and (mark := item.get_closest_marker(AHEAD))
    ]
    pool = ThreadPoolExecutor(max(mark.kwargs["at_once"] for _, mark in marked))
    try:
        yield {item.nodeid: pool.submit(mark.args[0], **item.callspec.params) for item, mark in marked}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def came_to(request: pytest.FixtureRequest, begun: dict[str, Future[Any]]) -> Any:
    """What this test's `ahead` returned; what it raised is raised here."""
    return begun[request.node.nodeid].result()
