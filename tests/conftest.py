"""Fixtures for every test: a seal around git, and real repositories."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from homelab_hooks.demo.workshop import Workshop, sealed


@pytest.fixture
def seal(tmp_path: Path) -> dict[str, str]:
    """An environment in which git sees nothing of this machine's configuration."""
    return sealed(os.environ, tmp_path / "home")


@pytest.fixture(scope="session")
def first_workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workshop to be copied: making one takes six calls of git."""
    folder = tmp_path_factory.mktemp("first")
    return Workshop(folder / "workshop", sealed(os.environ, folder / "home")).folder


@pytest.fixture
def workshop(tmp_path: Path, seal: dict[str, str], first_workshop: Path) -> Workshop:
    """A bare repository with one commit on `main`, and clones of it on demand."""
    folder = tmp_path / "workshop"
    shutil.copytree(first_workshop / "srv", folder / "srv")
    return Workshop(folder, seal)
