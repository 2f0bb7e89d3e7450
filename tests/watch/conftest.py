"""A simulated CI server on a simulated clock, and a clone whose CI it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from homelab_hooks.ci.woodpecker.client import MAX_ATTEMPTS
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.watch.shared_clock import SharedClock


@pytest.fixture(scope="module", autouse=True)
def no_retry_delay() -> Iterator[None]:
    """Retries within one request wait real time, which these tests do not need: stamina's test mode turns it off."""
    with stamina.set_testing(True, attempts=MAX_ATTEMPTS):
        yield


@pytest.fixture
def time() -> SharedClock:
    """The clock of the server and of its watch."""
    return SharedClock()


@pytest.fixture
def woodpecker(time: SharedClock) -> Iterator[WoodpeckerSimulator]:
    """A server whose time passes when its watch sleeps; a test of whole processes has one of its own."""
    with WoodpeckerSimulator(time) as server:
        yield server


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    checkout = workshop.clone("work")
    checkout.git("fetch", "-q", "origin")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout
