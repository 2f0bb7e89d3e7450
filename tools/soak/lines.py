"""Runs a command that gets a SIGTERM at one of its lines: `python -m tools.soak.lines NUMBER PROGRAM ARG...`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from homelab_hooks import cli

LEAVES = cli.leave.__code__
PROGRAMS = {"git-land": cli.git_land, "homelab-watch": cli.homelab_watch}
COUNTED = "lines: "
"""before the number of those until there was a result, the last line of stderr where the signal never came"""


class Lines:
    """Counts the lines that run from where signals are heard, in our code and in the libraries'; a trace function."""

    def __init__(self, number: int) -> None:
        self._number, self._heard = number, False
        self.count = 0

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """As `sys.settrace` has it."""
        del arg
        self._heard = self._heard or (event == "return" and frame.f_code.co_name == "catch_signals")
        if event == "call" and frame.f_code is LEAVES:  # which never returns
            sys.stderr.write(f"{COUNTED}{self.count}\n")
        if self._heard and event == "line":
            self.count += 1
            if self.count == self._number:
                _leave_alone(frame)
                os.kill(os.getpid(), signal.SIGTERM)
                _heard()
        return self


def _leave_alone(frame: FrameType | None) -> None:
    sys.settrace(None)
    while frame is not None:
        frame.f_trace, frame = None, frame.f_back


def _heard() -> None:
    """Python runs the handler between two of these lines."""
    for _ in range(3):
        pass


def main(argv: Sequence[str]) -> int:
    """Run it; its exit code, where it returns at all."""
    number, program, *rest = argv
    sys.argv = [program, *rest]
    sys.settrace(Lines(int(number)))
    return PROGRAMS[program]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
