"""Where the benchmarks run: a sealed clone, the installed programs, and what a process cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env

PROGRAMS = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent.parent


class BenchClone(NamedTuple):
    """A clone, and the environment of everything that runs in it."""

    environ: dict[str, str]
    workshop: ScratchRepositories
    clone: Clone

    @classmethod
    def at(cls, folder: Path) -> BenchClone:
        """A new clone and its environment."""
        environ = make_hermetic_env(os.environ, folder / "home")
        environ["PATH"] = f"{PROGRAMS}:{environ['PATH']}"
        environ["PYTHONPATH"] = str(ROOT)
        workshop = ScratchRepositories(folder / "workshop", environ)
        clone = workshop.clone("work")
        return cls(environ, workshop, clone)

    def start(
        self, argv: Sequence[str], *, more: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> RunningProcess:
        """Start a process whose output is discarded."""
        environ = {**self.environ, **(more or {})}
        return RunningProcess(
            subprocess.Popen(
                argv, cwd=cwd or self.clone.path, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def took(self, argv: Sequence[str], *, more: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
        """Seconds from start to end. Raises where it failed."""
        begin = time.monotonic()
        running = self.start(argv, more=more, cwd=cwd)
        code = running.process.wait()  # a limit would be polled for, in steps
        spent = time.monotonic() - begin
        if code:
            raise RuntimeError(f"{argv} ended with {code}")
        return spent


class RunningProcess(NamedTuple):
    """A process under way."""

    process: subprocess.Popen[bytes]

    def ended(self) -> tuple[float, int]:
        """When it ended, and with what."""
        code = self.process.wait()
        return time.monotonic(), code

    @property
    def peak(self) -> float:
        """Megabytes of memory at most so far; 0 where the system does not tell."""
        return peak(self.process.pid)


def peak(pid: int) -> float:
    """Megabytes that a process held at most; its own, not what it inherited at its start."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
