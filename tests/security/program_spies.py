"""Programs first on PATH that record the arguments and variables they were started with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

SPIED = ("git", "kubectl", "sh", "env", "ssh", "notify-send", "make")


class ProgramStart(NamedTuple):
    """How a program was started."""

    words: tuple[bytes, ...]
    environ: dict[str, bytes]


class ProgramSpies:
    """Programs in a folder that is first on PATH.

    Args:
        folder: is made.
        path: the PATH with the real programs.
    """

    def __init__(self, folder: Path, path: str) -> None:
        self._seen = folder / "seen"
        self._programs = folder / "programs"
        for made in (self._seen, self._programs):
            made.mkdir(parents=True)
        for name in SPIED:
            real = shutil.which(name, path=path)
            if real:
                self._spy(name, real)
        self.path = f"{self._programs}:{path}"

    def _spy(self, name: str, real: str) -> None:
        script = (
            f"#!/bin/sh\nexec 9>>'{self._seen}'/$$-{name}\n"
            "printf '%s\\0' \"$0\" \"$@\" '' >&9; /usr/bin/env -0 >&9; printf '\\n.\\n' >&9; exec 9>&-\n"
            f'exec {real} "$@"\n'
        )
        (self._programs / name).write_text(script)
        (self._programs / name).chmod(0o755)

    def starts(self) -> list[ProgramStart]:
        """All so far."""
        texts = [path.read_bytes() for path in sorted(self._seen.iterdir())]
        return [_start(record) for text in texts for record in text.split(b"\n.\n") if record]

    def programs(self) -> set[str]:
        """Which were started."""
        return {Path(start.words[0].decode()).name for start in self.starts()}


def _start(record: bytes) -> ProgramStart:
    words, _, variables = record.partition(b"\0\0")
    pairs = [entry.partition(b"=") for entry in variables.split(b"\0") if entry]
    return ProgramStart(tuple(words.split(b"\0")), {name.decode("utf-8", "replace"): value for name, _, value in pairs})
