"""A simulated CI server in played time, and a shell in a clone whose CI it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from homelab_hooks.ci.woodpecker.client import MAX_ATTEMPTS
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import Shell
from tests.watch.shared_time import SharedTime


@pytest.fixture(scope="module", autouse=True)
def tries_follow_at_once() -> Iterator[None]:
    """The tries within one request wait real time between them, which nothing here needs: stamina's own test mode."""
    with stamina.set_testing(True, attempts=MAX_ATTEMPTS):
        yield


@pytest.fixture
def time() -> SharedTime:
    """The clock of the server and of its watch."""
    return SharedTime()


@pytest.fixture
def site(time: SharedTime) -> Iterator[WoodpeckerSimulator]:
    """A server whose time passes when its watch sleeps; a test of whole processes has one of its own."""
    with WoodpeckerSimulator(time) as server:
        yield server


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    checkout = workshop.clone("work")
    checkout.git("fetch", "-q", "origin")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout


@pytest.fixture
def shell(seal: dict[str, str], site: WoodpeckerSimulator, clone: Clone) -> Shell:
    """In the clone, with the stand-in as CI and alice's token."""
    return Shell(seal, clone.path, {"WOODPECKER_SERVER": site.url, "WOODPECKER_TOKEN": "alice-token"})
