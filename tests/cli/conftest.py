"""A clone whose CI is a stand-in that plays in fast motion, and a shell in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import Shell

TOKEN = "alice-token"


@pytest.fixture
def site() -> Iterator[WoodpeckerSimulator]:
    """Fifty of its seconds are one of ours."""
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    checkout = workshop.clone("work")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout


@pytest.fixture
def shell(seal: dict[str, str], site: WoodpeckerSimulator, clone: Clone) -> Shell:
    """In the clone, with the stand-in as CI and alice's token."""
    return Shell(seal, clone.path, {"WOODPECKER_SERVER": site.url, "WOODPECKER_TOKEN": TOKEN})


@pytest.fixture
def bare(seal: dict[str, str], workshop: ScratchRepositories) -> Shell:
    """Where nothing is: no repository, no settings."""
    return Shell(seal, workshop.folder)
