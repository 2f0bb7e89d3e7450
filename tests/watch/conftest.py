"""A stand-in in fast motion, and a shell in a clone whose CI it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker
from homelab_hooks.demo.workshop import Checkout, Workshop
from tests.bench.fast import SPEED
from tests.cli.shell import Shell


@pytest.fixture
def site() -> Iterator[Woodpecker]:
    """Fifty of its seconds are one of ours."""
    with Woodpecker(SystemClock(), speed=SPEED) as server:
        yield server


@pytest.fixture
def clone(workshop: Workshop) -> Checkout:
    checkout = workshop.clone("work")
    checkout.git("fetch", "-q", "origin")
    checkout.git("remote", "set-url", "origin", "https://git.example.test/acme/app.git")
    return checkout


@pytest.fixture
def shell(seal: dict[str, str], site: Woodpecker, clone: Checkout) -> Shell:
    """In the clone, with the stand-in as CI and alice's token."""
    return Shell(seal, clone.path, {"WOODPECKER_SERVER": site.url, "WOODPECKER_TOKEN": "alice-token"})
