"""A shell outside every repository."""

from __future__ import annotations

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.cli.shell import Shell


@pytest.fixture
def bare(seal: dict[str, str], workshop: ScratchRepositories) -> Shell:
    """Where nothing is: no repository, no settings."""
    return Shell(seal, workshop.folder)
