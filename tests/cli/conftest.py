"""A clone whose CI is a stand-in that plays in fast motion, and a shell in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker
from homelab_hooks.demo.workshop import Checkout, Workshop
from tests.cli.shell import Shell

TOKEN = "alice-token"


@pytest.fixture
def site() -> Iterator[Woodpecker]:
    """Fifty of its seconds are one of ours."""
    with Woodpecker(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def clone(workshop: Workshop) -> Checkout:
    checkout = workshop.clone("work")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout


@pytest.fixture
def shell(seal: dict[str, str], site: Woodpecker, clone: Checkout) -> Shell:
    """In the clone, with the stand-in as CI and alice's token."""
    return Shell(seal, clone.path, {"WOODPECKER_SERVER": site.url, "WOODPECKER_TOKEN": TOKEN})


@pytest.fixture
def bare(seal: dict[str, str], workshop: Workshop) -> Shell:
    """Where nothing is: no repository, no settings."""
    return Shell(seal, workshop.folder)
