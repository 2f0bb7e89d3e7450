"""A clone whose pushes have a post-push stage, and a CI that plays in fast motion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.hooks.background.sandbox import SHIM, Desk


@pytest.fixture
def site() -> Iterator[WoodpeckerSimulator]:
    """Fifty of its seconds are one of ours."""
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    return workshop.clone("work", branch="topic")


@pytest.fixture
def desk(
    seal: dict[str, str], site: WoodpeckerSimulator, clone: Clone, workshop: ScratchRepositories, tmp_path: Path
) -> Iterator[Desk]:
    """The waiters that a test leaves behind end with it."""
    workshop.write_hook("reference-transaction", SHIM, where=clone.path / ".git/hooks")
    desk = Desk(seal, clone, site, tmp_path / "told.json")
    yield desk
    desk.end_waiters()
