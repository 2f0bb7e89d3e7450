"""Answers that kubectl gave, given again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener

RECORDINGS = Path(__file__).parent.parent / "recordings" / "kubernetes"


class CannedProcesses:
    """Answers every call alike, and keeps the calls."""

    def __init__(self, done: Completed) -> None:
        self.done = done
        self.calls: list[tuple[Sequence[str], float | None]] = []

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        self.calls.append((argv, timeout))
        return self.done

    def with_listener(self, listener: OutputListener) -> CannedProcesses:
        for line in self.done.err.splitlines():
            listener.on_line(line)
        return self

    def stream_lines(
        self, argv: Sequence[str], on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> EndedStream:
        self.calls.append((argv, None))
        for line in self.done.out.splitlines():
            if not on_line(line):
                break
        on_end()
        return EndedStream()


class EndedStream:
    """A process that has ended."""

    alive = False

    def close(self) -> None:
        """There is nothing to end."""


@pytest.fixture(scope="session")
def canned() -> Callable[..., tuple[Kubectl, CannedProcesses]]:
    """A kubectl that always ends like this."""

    def build(done: Completed, **options: Any) -> tuple[Kubectl, CannedProcesses]:
        processes = CannedProcesses(done)
        return Kubectl(processes, **options), processes

    return build


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Any]:
    """A recording as it is stored."""

    def load(name: str) -> Any:
        return json.loads(gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes()))

    return load
