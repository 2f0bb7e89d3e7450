"""The door to the terminal: result lines to stdout, everything else to stderr, a part of it drawn again and again."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from homelab_hooks.system.live_region import LiveRegion, ScreenLine, redraw_region

if TYPE_CHECKING:
    from rich.console import Console

_XTERM_VARIABLE, _SCREEN_VARIABLE = "XTERM_VERSION", "STY"
_DUMB_TERMS = frozenset({"", "dumb", "unknown"})
_TERMS_WITH_TITLE = (
    "xterm", "rxvt", "screen", "tmux", "alacritty", "foot", "kitty", "wezterm", "ghostty", "contour", "konsole", "vte",
    "gnome", "st-", "putty", "mintty", "iterm", "cygwin",
)  # fmt: skip
"""kinds that are known to take a title; another would show it among what stands there"""
_LOG_FULL_NOTICE = "... (the log is full)"


class Terminal:
    """Standard output and standard error of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._term = environ.get("TERM", "dumb")
        self._no_colour = bool(environ.get("NO_COLOR"))
        self._region = LiveRegion()
        self._lock = threading.RLock()
        self._log_budget: int | None = None
        self._moved_below_prompt = False

    def out(self, line: str) -> None:
        """A line to stdout, at once; a reader that has gone away is no error of ours."""
        self.draw((), ())
        self._write(sys.stdout, line)

    def err(self, line: str) -> None:
        """A line to stderr, at once."""
        self.draw((), ())
        if self._log_budget is not None:
            line = line if self._log_budget > 0 else ""
            self._log_budget -= len(line) + 1
            line = line if self._log_budget > 0 or not line else _LOG_FULL_NOTICE
        if line or self._log_budget is None:
            self._write(sys.stderr, line)

    def limit_log(self, max_chars: int) -> None:
        """From here on stderr gets no more than this: it is a log, and nobody sees it grow."""
        self._log_budget = max_chars

    def ask(self, question: str) -> bool:
        """A yes from the person at the terminal; no where there is no terminal, or no answer.

        The caller has closed the live view. Whatever ends the question, the next output begins on a line of its own.
        """
        if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None or not sys.stderr.isatty():
            return False
        self._write(sys.stderr, f"{question} [y/N] ", end="")
        answer = ""
        try:
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith("\n"):
                self._write(sys.stderr, "")
        return answer.strip().lower() in {"y", "yes"}

    def draw(self, scrollback: Sequence[str], live_lines: Sequence[ScreenLine]) -> None:
        """Add lines that stay, and have the region of stderr below them show `live_lines`; other lines remove it."""
        with self._lock:
            if not self._is_foreground:
                live_lines, self._region = (), LiveRegion()
                self._start_below_prompt(scrollback)
            if not (scrollback or live_lines or self._region.lines):
                return
            columns = self.console.size.width
            text, self._region = redraw_region(
                self._region, scrollback=scrollback, live_lines=live_lines, columns=columns, rewraps=self._rewraps
            )
            if text:
                self._write(sys.stderr, text, end="")

    def _start_below_prompt(self, scrollback: Sequence[str]) -> None:
        """The shell may have asked for its next command on this line: go on below it, once."""
        if scrollback and not self._moved_below_prompt:
            self._moved_below_prompt = True
            self._write(sys.stderr, "")

    @cached_property
    def console(self) -> Console:
        """Rich's idea of stderr: its size, and the colours it has (none with NO_COLOR)."""
        from rich.console import Console

        # These two, where a shell exports them, are from before the terminal was resized.
        sized = {name: value for name, value in self._environ.items() if name not in {"COLUMNS", "LINES"}}
        return Console(
            file=_MeasuringStream(io.BytesIO(), encoding=getattr(sys.stderr, "encoding", None) or "utf-8"),
            force_terminal=True,
            color_system=None if self._no_colour else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            _environ=sized,
        )

    @property
    def _is_foreground(self) -> bool:
        """Whether the terminal is ours now; a job in the background must not draw over the shell's prompt."""
        try:
            return os.tcgetpgrp(2) == os.getpgrp()
        except OSError:
            return True  # it is no terminal of this session, so no shell's either

    @property
    def _rewraps(self) -> bool:
        """Whether it breaks long lines anew when it gets narrower, as all do but these."""
        return self._term != "linux" and not {_XTERM_VARIABLE, _SCREEN_VARIABLE} & set(self._environ)

    @staticmethod
    def _write(stream: object, line: str, end: str = "\n") -> None:
        try:
            print(line, end=end, file=stream, flush=True)  # type: ignore[call-overload]  # either standard stream
        except UnicodeEncodeError:
            print(line.encode("ascii", "replace").decode(), end=end, file=stream, flush=True)  # type: ignore[call-overload]  # as above
        except (OSError, ValueError) as error:
            redirect_to_devnull(1 if stream is sys.stdout else 2)
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.write(f"warning: standard output cannot be written: {error}\n")

    @property
    def stdout_has_colour(self) -> bool:
        """Whether stdout is a terminal that wants colour."""
        return sys.stdout.isatty() and self._term != "dumb" and not self._no_colour

    @property
    def can_redraw(self) -> bool:
        """Whether stderr is a terminal that can be redrawn."""
        return sys.stderr is not None and sys.stderr.isatty() and not self.is_dumb

    @property
    def stderr_is_tty(self) -> bool:
        """Whether stderr is a terminal of any kind."""
        return sys.stderr is not None and sys.stderr.isatty()

    @property
    def is_dumb(self) -> bool:
        """Whether it cannot be redrawn at all."""
        return self._term in _DUMB_TERMS

    @property
    def stdout_is_tty(self) -> bool:
        """Whether stdout is a terminal, where a long line is broken anywhere."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def columns(self) -> int:
        """How wide it is."""
        return shutil.get_terminal_size().columns


def read_stdin() -> str:
    """What standard input holds, undecodable bytes kept as surrogates; nothing where it is a terminal, or closed."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def ring_bell(path: str, *, title: str, term: str) -> bool:
    """Ring another session's terminal, and set its title where its kind has one; what it shows stays as it is.

    Never waits: a terminal that is held by Ctrl-S, has gone or is another user's gets nothing.

    Args:
        title: our own words.
        term: what TERM said there.
    """
    if term in _DUMB_TERMS:
        return False
    text = f"\a\x1b]0;{title}\a" if term.startswith(_TERMS_WITH_TITLE) else "\a"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return (
            os.isatty(descriptor)
            and os.fstat(descriptor).st_uid == os.getuid()
            and os.write(descriptor, text.encode()) > 0
        )
    except OSError:
        return False
    finally:
        os.close(descriptor)


class _MeasuringStream(io.TextIOWrapper):
    """Where rich thinks it writes: it only measures and colours, and a terminal that has gone must not stop it."""

    def write(self, text: str) -> int:
        return len(text)


def redirect_to_devnull(descriptor: int) -> None:
    """Let what is still written there go nowhere: its reader has gone away."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
