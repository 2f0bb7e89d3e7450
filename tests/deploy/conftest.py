"""Recorded rollouts, waited for in played time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.demo.cluster import Recording

RECORDINGS = Path(__file__).parent.parent / "recordings" / "kubernetes"


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Recording]:
    """A recording by name, read once."""
    known: dict[str, Recording] = {}

    def load(name: str) -> Recording:
        if name not in known:
            known[name] = Recording.load(RECORDINGS / f"{name}.json.gz")
        return known[name]

    return load
