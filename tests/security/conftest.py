"""The place with the canaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.security.canary_clone import Place, placed


@pytest.fixture
def place(tmp_path: Path, workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[Place]:
    """Ann's clone on `topic`, with something to land."""
    with placed(tmp_path, workshop, seal) as made:
        yield made
