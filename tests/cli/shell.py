"""Runs the installed commands as a person or a script does: as processes of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

PROGRAMS = Path(sys.executable).parent
RESULT = re.compile(r"homelab: (?P<verdict>[a-z]+(?:-[a-z]+)*) (?P<pairs>.*)")


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output."""
        return self.out.splitlines()

    @property
    def result(self) -> dict[str, str]:
        """The result line, which is the last, taken apart."""
        found = RESULT.fullmatch(self.lines[-1])
        assert found, self
        pairs = dict(pair.split("=", 1) for pair in found["pairs"].split(" "))
        return {"verdict": found["verdict"], **pairs}


@dataclass
class Shell:
    """A place and an environment to run commands in."""

    environ: dict[str, str]
    directory: Path
    more: dict[str, str] = field(default_factory=dict)

    def __call__(self, *argv: str, at: Path | None = None, within: float = HANG_S, **environ: str) -> CommandResult:
        """Run to the end within this many seconds; hardly anything that is tested here takes longer than 20."""
        known = ProcessRunner({**self.environ, **self.more, **environ})
        done = known.run([str(PROGRAMS / argv[0]), *argv[1:]], cwd=at or self.directory, timeout=within)
        assert not done.timed_out, done
        return CommandResult(done.code, done.out, done.err)

    def start(
        self, *argv: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start it and return."""
        environ: Mapping[str, str] = {**self.environ, **self.more}
        return subprocess.Popen(
            [str(PROGRAMS / argv[0]), *argv[1:]],
            cwd=self.directory,
            env=environ,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
