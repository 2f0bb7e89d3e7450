"""A stand-in in fast motion."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker
from tests.watch.onsite import SPEED


@pytest.fixture
def site() -> Iterator[Woodpecker]:
    """Fifty of its seconds are one of ours."""
    with Woodpecker(SystemClock(), speed=SPEED) as server:
        yield server
