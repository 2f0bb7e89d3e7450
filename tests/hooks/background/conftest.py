"""A clone whose pushes run the post-push stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.hooks.background.sandbox import SHIM, PushSandbox


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    return workshop.clone("work", branch="topic")


@pytest.fixture
def sandbox(
    seal: dict[str, str], woodpecker: WoodpeckerSimulator, clone: Clone, workshop: ScratchRepositories, tmp_path: Path
) -> Iterator[PushSandbox]:
    """Background watchers that a test leaves running end with it."""
    workshop.write_hook("reference-transaction", SHIM, where=clone.path / ".git/hooks")
    sandbox = PushSandbox(seal, clone, woodpecker, tmp_path / "notification.json")
    yield sandbox
    sandbox.end_watchers()
