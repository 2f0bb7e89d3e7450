"""A clone with a gate before each push, called by git itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.hooks.background.sandbox import PushSandbox

Gate = Callable[..., None]


@pytest.fixture
def sandbox(
    seal: dict[str, str], woodpecker: WoodpeckerSimulator, workshop: ScratchRepositories, tmp_path: Path
) -> Iterator[PushSandbox]:
    sandbox = PushSandbox(seal, workshop.clone("work", branch="topic"), woodpecker, tmp_path / "notification.json")
    yield sandbox
    sandbox.end_watchers()


@pytest.fixture
def gate(sandbox: PushSandbox, workshop: ScratchRepositories) -> Gate:
    """`gate("verify", "--verify-cmd", "true")` becomes the pre-push hook."""

    def one(*words: str) -> None:
        call = " ".join(f"'{word}'" for word in words)
        script = f'exec homelab hooks {call} --output plain "$@" >&2'
        workshop.write_hook("pre-push", script, where=sandbox.clone.path / ".git/hooks")

    return one
