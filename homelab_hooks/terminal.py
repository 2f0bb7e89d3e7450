"""The door to the terminal: result lines to stdout, everything else to stderr, a part of it drawn again and again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import FrameType

from homelab_hooks.errors import Terminated
from homelab_hooks.region import Line, Region, redraw

TYPE_CHECKING = False  # `typing` costs time, and not every command needs it
if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_XTERM, _GNU_SCREEN = "XTERM_VERSION", "STY"


class Terminal:
    """Standard output and standard error of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._kind = environ.get("TERM", "dumb")
        self._plain = bool(environ.get("NO_COLOR"))
        self._region = Region()
        self._lock = threading.RLock()

    def out(self, line: str) -> None:
        """A line to stdout, at once; a reader that has gone away is no error of ours."""
        self.draw((), ())
        self._write(sys.stdout, line)

    def err(self, line: str) -> None:
        """A line to stderr, at once."""
        self.draw((), ())
        self._write(sys.stderr, line)

    def ask(self, question: str) -> bool:
        """A yes from the person at the terminal; no where there is no terminal, or no answer."""
        if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None or not sys.stderr.isatty():
            return False
        self.draw((), ())
        self._write(sys.stderr, f"{question} [y/N] ", end="")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def draw(self, lasting: Sequence[str], frame: Sequence[Line]) -> None:
        """Add lines that stay, and have the region of stderr below them show `frame`; any other line takes it away."""
        with self._lock:
            if not self._foreground:
                frame, self._region = (), Region()
            if not (lasting or frame or self._region.lines):
                return
            columns = self.console.size.width
            text, self._region = redraw(
                self._region, lasting=lasting, frame=frame, columns=columns, reflows=self._reflows
            )
            if text:
                self._write(sys.stderr, text, end="")

    @cached_property
    def console(self) -> Console:
        """Rich's idea of stderr: its size, and the colours it has (none with NO_COLOR)."""
        from rich.console import Console

        # These two, where a shell exports them, are from before the terminal was resized.
        sized = {name: value for name, value in self._environ.items() if name not in {"COLUMNS", "LINES"}}
        return Console(
            file=sys.stderr,
            force_terminal=True,
            color_system=None if self._plain else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            _environ=sized,
        )

    @property
    def _foreground(self) -> bool:
        """Whether the terminal is ours now; a job in the background must not draw over the shell's prompt."""
        try:
            return os.tcgetpgrp(2) == os.getpgrp()
        except OSError:
            return True  # it is no terminal of this session, so no shell's either

    @property
    def _reflows(self) -> bool:
        """Whether it breaks long lines anew when it gets narrower, as all do but these."""
        return self._kind != "linux" and not {_PLAIN_XTERM, _GNU_SCREEN} & set(self._environ)

    @staticmethod
    def _write(stream: object, line: str, end: str = "\n") -> None:
        try:
            print(line, end=end, file=stream, flush=True)  # type: ignore[call-overload]  # either standard stream
        except UnicodeEncodeError:
            print(line.encode("ascii", "replace").decode(), end=end, file=stream, flush=True)  # type: ignore[call-overload]  # as above
        except (OSError, ValueError) as error:
            silence(1 if stream is sys.stdout else 2)
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.write(f"warning: standard output cannot be written: {error}\n")

    @property
    def coloured(self) -> bool:
        """Whether stdout is a terminal that wants colour."""
        return sys.stdout.isatty() and self._kind != "dumb" and not self._plain

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal that can be redrawn."""
        return sys.stderr is not None and sys.stderr.isatty() and not self.dumb

    @property
    def dumb(self) -> bool:
        """Whether it cannot be redrawn at all."""
        return self._kind in {"", "dumb", "unknown"}

    @property
    def wraps(self) -> bool:
        """Whether stdout is a terminal, where a long line is broken anywhere."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def columns(self) -> int:
        """How wide it is."""
        return shutil.get_terminal_size().columns


def silence(descriptor: int) -> None:
    """Let what is still written there go nowhere: its reader has gone away."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Within this, SIGTERM raises Terminated, as Ctrl-C raises KeyboardInterrupt.

    Each signal comes twice where git started us: from the terminal, and handed on by git, which waits for our end. So
    the second one is not heard, and the last words are not cut short; a third is a person who insists.
    """
    heard = {signal.SIGINT: 0, signal.SIGTERM: 0}

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        which = signal.Signals(number)
        heard[which] += 1
        if heard[which] == 2:  # noqa: PLR2004 - the echo
            return
        raise Terminated if which is signal.SIGTERM else KeyboardInterrupt

    before = {which: signal.signal(which, end) for which in heard}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
