"""Fixtures for every test: a seal around git, and real repositories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab_hooks.demo.workshop import Workshop, sealed


@pytest.fixture
def seal(tmp_path: Path) -> dict[str, str]:
    """An environment in which git sees nothing of this machine's configuration."""
    return sealed(os.environ, tmp_path / "home")


@pytest.fixture
def workshop(tmp_path: Path, seal: dict[str, str]) -> Workshop:
    """A bare repository with one commit on `main`, and clones of it on demand."""
    return Workshop(tmp_path / "workshop", seal)
