"""The door to the terminal: result lines to stdout, everything else to stderr, a part of it drawn again and again."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from homelab_hooks.region import Line, Region, redraw

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_XTERM, _GNU_SCREEN = "XTERM_VERSION", "STY"
_DUMB = frozenset({"", "dumb", "unknown"})
_TITLED = (
    "xterm", "rxvt", "screen", "tmux", "alacritty", "foot", "kitty", "wezterm", "ghostty", "contour", "konsole", "vte",
    "gnome", "st-", "putty", "mintty", "iterm", "cygwin",
)  # fmt: skip
"""kinds that are known to take a title; another would show it among what stands there"""
_FULL = "... (the log is full)"


class Terminal:
    """Standard output and standard error of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._kind = environ.get("TERM", "dumb")
        self._plain = bool(environ.get("NO_COLOR"))
        self._region = Region()
        self._lock = threading.RLock()
        self._room: int | None = None
        self._yielded = False
        self.lift: Callable[[], None] = lambda: None
        """has what is drawn again and again taken away, until there is something new to show"""

    def out(self, line: str) -> None:
        """A line to stdout, at once; a reader that has gone away is no error of ours."""
        self.draw((), ())
        self._write(sys.stdout, line)

    def err(self, line: str) -> None:
        """A line to stderr, at once."""
        self.draw((), ())
        if self._room is not None:
            line = line if self._room > 0 else ""
            self._room -= len(line) + 1
            line = line if self._room > 0 or not line else _FULL
        if line or self._room is None:
            self._write(sys.stderr, line)

    def at_most(self, characters: int) -> None:
        """From here on stderr gets no more than this: it is a log, and nobody sees it grow."""
        self._room = characters

    def ask(self, question: str) -> bool:
        """A yes from the person at the terminal; no where there is no terminal, or no answer.

        Whatever ends the question, what is written next has a line of its own.
        """
        if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None or not sys.stderr.isatty():
            return False
        self.lift()
        self._write(sys.stderr, f"{question} [y/N] ", end="")
        answer = ""
        try:
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith("\n"):
                self._write(sys.stderr, "")
        return answer.strip().lower() in {"y", "yes"}

    def draw(self, lasting: Sequence[str], frame: Sequence[Line]) -> None:
        """Add lines that stay, and have the region of stderr below them show `frame`; any other line takes it away."""
        with self._lock:
            if not self._foreground:
                frame, self._region = (), Region()
                self._beside_prompt(lasting)
            if not (lasting or frame or self._region.lines):
                return
            columns = self.console.size.width
            text, self._region = redraw(
                self._region, lasting=lasting, frame=frame, columns=columns, reflows=self._reflows
            )
            if text:
                self._write(sys.stderr, text, end="")

    def _beside_prompt(self, lasting: Sequence[str]) -> None:
        """The shell may have asked for its next command on this line: go on below it, once."""
        if lasting and not self._yielded:
            self._yielded = True
            self._write(sys.stderr, "")

    @cached_property
    def console(self) -> Console:
        """Rich's idea of stderr: its size, and the colours it has (none with NO_COLOR)."""
        from rich.console import Console

        # These two, where a shell exports them, are from before the terminal was resized.
        sized = {name: value for name, value in self._environ.items() if name not in {"COLUMNS", "LINES"}}
        return Console(
            file=_Nowhere(io.BytesIO(), encoding=getattr(sys.stderr, "encoding", None) or "utf-8"),
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
    def attended(self) -> bool:
        """Whether stderr is a terminal of any kind."""
        return sys.stderr is not None and sys.stderr.isatty()

    @property
    def dumb(self) -> bool:
        """Whether it cannot be redrawn at all."""
        return self._kind in _DUMB

    @property
    def wraps(self) -> bool:
        """Whether stdout is a terminal, where a long line is broken anywhere."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def columns(self) -> int:
        """How wide it is."""
        return shutil.get_terminal_size().columns


def given() -> str:
    """What standard input holds, undecodable bytes kept as surrogates; nothing where it is a terminal, or closed."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def ring(path: str, *, title: str, kind: str) -> bool:
    """Ring another session's terminal, and set its title where its kind has one; what it shows stays as it is.

    Never waits: a terminal that is held by Ctrl-S, has gone or is another user's gets nothing.

    Args:
        title: our own words.
        kind: what TERM said there.
    """
    if kind in _DUMB:
        return False
    text = f"\a\x1b]0;{title}\a" if kind.startswith(_TITLED) else "\a"
    try:
        found = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.isatty(found) and os.fstat(found).st_uid == os.getuid() and os.write(found, text.encode()) > 0
    except OSError:
        return False
    finally:
        os.close(found)


class _Nowhere(io.TextIOWrapper):
    """Where rich thinks it writes: it only measures and colours, and a terminal that has gone must not stop it."""

    def write(self, text: str) -> int:
        return len(text)


def silence(descriptor: int) -> None:
    """Let what is still written there go nowhere: its reader has gone away."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
