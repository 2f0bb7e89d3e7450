"""The sandbox with the canaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.security.canary_clone import CanarySandbox, placed


@pytest.fixture
def sandbox(tmp_path: Path, workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[CanarySandbox]:
    """Ann's clone on `topic`, with something to land."""
    with placed(tmp_path, workshop, seal) as made:
        yield made
