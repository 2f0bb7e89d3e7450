"""Runs a command and, at each of its lines, a copy that gets signals: OUT SIGNALS BEGIN PROGRAM ARG...

From the first call of a function named BEGIN, the process forks at every line that runs, in our code and in the
libraries', the first time that the line runs. The copy gets all SIGNALS (SIGINT,SIGTERM) at once and runs to its
end. Its stdout goes to OUT.NUMBER, its stderr to OUT.NUMBER.err, and both begin with what the process had written
before. OUT.copies gets a row for each copy: its number, its line and its exit status. So one run shows what a signal
does at each point, without any race.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from homelab_hooks import cli
from homelab_hooks.app.session import Session
from homelab_hooks.cli.main import run_in_session

MAX_VISITS = 1
"""times that the process forks at one line: a loop shows nothing new"""
IMPORT = "<frozen importlib"
"""here files are read, and a copy would move the position in a file that it shares with the process"""


class EachLine:
    """Forks at each line once it has begun; a trace function.

    Args:
        out: what stdout is written to.
        numbers: what the copies get.
        begin: the function at whose first call it begins.
    """

    def __init__(self, out: Path, numbers: Sequence[signal.Signals], begin: str) -> None:
        self._out, self._numbers, self._begin, self._begun, self._count = out, numbers, begin, False, 0
        self._visits: Counter[tuple[str, int]] = Counter()

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """As `sys.settrace` has it."""
        del arg
        if not self._begun and event == "call" and frame.f_code.co_name == self._begin:
            self._begun = True
            _wait_for_threads()  # a copy would have their locks, but not the threads that release them
            _trace(frame, self)
        if self._begun and event == "line" and IMPORT not in frame.f_code.co_filename:
            line = (frame.f_code.co_filename, frame.f_lineno)
            self._visits[line] += 1
            if self._visits[line] <= MAX_VISITS:
                self._count += 1
                self._copy(frame)
        return self if self._begun else None

    def _copy(self, frame: FrameType) -> None:
        at = f"{self._count}\t{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            with Path(f"{self._out}.copies").open("a", encoding="utf-8") as copies:
                copies.write(f"{at}\t{os.waitstatus_to_exitcode(status)}\n")
            return
        sys.settrace(None)
        _trace(frame, None)
        for descriptor, end in ((1, ""), (2, ".err")):
            redirect(Path(f"{self._out}.{self._count}{end}"), descriptor, Path(f"{self._out}{end}").read_bytes())
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        for number in self._numbers:
            os.kill(os.getpid(), number)
        if b"exit" in self._out.read_bytes():  # before there is a result the alarm kills, as `expire` wants
            os.kill(os.getpid(), signal.SIGALRM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()


def _trace(frame: FrameType | None, function: Callable[..., Any] | None) -> None:
    while frame is not None:
        frame.f_trace, frame = function, frame.f_back


def redirect(path: Path, descriptor: int, written: bytes = b"") -> None:
    """Have what is written there go to a file, after what was written before."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(file, written)
    os.dup2(file, descriptor)
    os.close(file)


def interrupted() -> int:
    """A command that gets a SIGTERM while it works."""
    return run_in_session("homelab x", sys.argv[1:], work, cli.leave)


def work(session: Session) -> int:
    """Never returns."""
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        session.runtime.clock.sleep(1)


PROGRAMS = {"git-land": cli.git_land, "homelab": cli.homelab, "interrupted": interrupted}


def main(argv: Sequence[str]) -> int:
    """Run it; its exit code, where it returns at all."""
    out, names, begin, program, *rest = argv
    redirect(Path(out), 1)
    redirect(Path(f"{out}.err"), 2)
    sys.argv = [program, *rest]
    sys.settrace(EachLine(Path(out), [signal.Signals[name] for name in names.split(",")], begin))
    return PROGRAMS[program]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
