"""A clone whose pushes have a post-push stage, and a CI that plays in fast motion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker
from homelab_hooks.demo.workshop import Checkout, Workshop
from tests.postpush.desk import SHIM, Desk


@pytest.fixture
def site() -> Iterator[Woodpecker]:
    """Fifty of its seconds are one of ours."""
    with Woodpecker(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def clone(workshop: Workshop) -> Checkout:
    return workshop.clone("work", topic="topic")


@pytest.fixture
def desk(seal: dict[str, str], site: Woodpecker, clone: Checkout, workshop: Workshop, tmp_path: Path) -> Iterator[Desk]:
    """The waiters that a test leaves behind end with it."""
    workshop.hook("reference-transaction", SHIM, where=clone.path / ".git/hooks")
    desk = Desk(seal, clone, site, tmp_path / "told.json")
    yield desk
    desk.end_waiters()
