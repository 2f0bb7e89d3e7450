"""A parser of external input as a fuzz target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.system.completed import Completed

LOOKS = (Found, NotFound, Unavailable, Denied)
SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made there


@dataclass(frozen=True)
class FuzzTarget:
    """A parser, and the inputs that the mutations start from."""

    feed: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


class CannedProgram:
    """A program that prints this whatever its arguments."""

    def __init__(self, done: Completed) -> None:
        self._done = done

    def run(self, argv: Sequence[str], **_: Any) -> Completed:
        """It, again."""
        del argv
        return self._done

    def with_listener(self, listener: Any) -> CannedProgram:
        """It prints nothing while it runs."""
        del listener
        return self

    def stream_lines(self, argv: Sequence[str], on_line: Callable[[str], bool], on_end: Callable[[], None]) -> Any:
        """Not used by the fuzz targets."""
        raise NotImplementedError(argv, on_line, on_end)
