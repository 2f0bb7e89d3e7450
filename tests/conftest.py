"""Fixtures for every test: a hermetic environment for git, real repositories, and a simulated CI server."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import Shell

TOKEN = "alice-token"
START_EARLY = "start_early"

# Nothing that is made while the tests are collected is garbage: to look for some takes a fifth of the time.
gc.disable()

# A shell ignores SIGINT in a script's background job, and every program that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The duration of an example depends on how busy the machine is, so only pytest's own limit applies.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A job in the background, or under nohup, ignores signals, and so would every process that the tests start and signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(_number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_collection_finish() -> None:
    """From here on garbage is looked for among what the tests make, not among the thousands of tests."""
    gc.freeze()
    gc.enable()


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


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """Ann's clone, on `topic` with one commit to land."""
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    return clone


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    """A clone on `main` whose remote's URL names acme/app, the repository that the simulated Woodpecker knows."""
    checkout = workshop.clone("work")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout


@pytest.fixture
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    """A simulated Woodpecker server for real processes; its time runs 50 times as fast as theirs."""
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def shell(seal: dict[str, str], woodpecker: WoodpeckerSimulator, clone: Clone) -> Shell:
    """A shell in the clone, with the simulated Woodpecker as CI and alice's token."""
    return Shell(seal, clone.path, {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": TOKEN})


@pytest.fixture(scope="module")
def early_results(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
    """The calls of a module's tests that are marked `start_early`, which run in the background, several at a time.

    They wait more than they compute. The tests of a module run in one process (`--dist loadfile`), otherwise each
    process would start all the calls.
    """
    marked = [
        (item, mark)
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and (mark := item.get_closest_marker(START_EARLY))
    ]
    pool = ThreadPoolExecutor(max(mark.kwargs["at_once"] for _, mark in marked))
    try:
        yield {item.nodeid: pool.submit(mark.args[0], **item.callspec.params) for item, mark in marked}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def early_result(request: pytest.FixtureRequest, early_results: dict[str, Future[Any]]) -> Any:
    """The return value of the call that this test's mark `start_early` names; its exception is raised here."""
    return early_results[request.node.nodeid].result()
