"""The door to the terminal: result lines to stdout, everything else to stderr, a part of it drawn again and again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
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
        self._kind = environ.get("TERM", "dumb")
        self._plain = bool(environ.get("NO_COLOR"))

    def out(self, line: str) -> None:
        """A line to stdout, at once; a reader that has gone away is no error of ours."""
        self._write(sys.stdout, line)

    def err(self, line: str) -> None:
        """A line to stderr, at once."""
        self._write(sys.stderr, line)

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
    def columns(self) -> int:
        """How wide it is."""
        return shutil.get_terminal_size().columns


def silence(descriptor: int) -> None:
    """Let what is still written there go nowhere: its reader has gone away."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Within this, SIGTERM raises Terminated, as Ctrl-C raises KeyboardInterrupt."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the last words short
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
