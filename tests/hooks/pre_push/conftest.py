"""A clone with a gate before each push, called by git itself, and a CI that plays in fast motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.hooks.background.sandbox import Desk

Gate = Callable[..., None]


@pytest.fixture
def site() -> Iterator[WoodpeckerSimulator]:
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def desk(
    seal: dict[str, str], site: WoodpeckerSimulator, workshop: ScratchRepositories, tmp_path: Path
) -> Iterator[Desk]:
    desk = Desk(seal, workshop.clone("work", branch="topic"), site, tmp_path / "told.json")
    yield desk
    desk.end_waiters()


@pytest.fixture
def gate(desk: Desk, workshop: ScratchRepositories) -> Gate:
    """`gate("verify", "--verify-cmd", "true")` becomes the pre-push hook."""

    def one(*words: str) -> None:
        call = " ".join(f"'{word}'" for word in words)
        script = f'exec homelab hooks {call} --output plain "$@" >&2'
        workshop.write_hook("pre-push", script, where=desk.clone.path / ".git/hooks")

    return one
