"""Writes to the terminal: result lines to stdout, progress to stderr, with a live region that is redrawn."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from homelab_hooks.system.clock import drain
from homelab_hooks.system.job_control import StopHandler, stop_process
from homelab_hooks.system.live_region import LiveRegion, ScreenLine, redraw_region
from homelab_hooks.system.signals import arrival_pipe

if TYPE_CHECKING:
    from rich.console import Console

_XTERM_VARIABLE, _SCREEN_VARIABLE = "XTERM_VERSION", "STY"
_DUMB_TERMS = frozenset({"", "dumb", "unknown"})
_TERMS_WITH_TITLE = (
    "xterm", "rxvt", "screen", "tmux", "alacritty", "foot", "kitty", "wezterm", "ghostty", "contour", "konsole", "vte",
    "gnome", "st-", "putty", "mintty", "iterm", "cygwin",
)  # fmt: skip
"""TERM prefixes of terminals that support a window title, and show or ignore hyperlinks; others may print the sequences
as text"""
_LOG_FULL_NOTICE = "... (log truncated)"


def _wait_for_input(end: int) -> None:
    """Return once the terminal has a line; a signal that arrives just before the wait ends it too, by its exception."""
    poll, arrival = select.poll(), arrival_pipe()
    poll.register(end, select.POLLIN)
    if arrival is not None:
        poll.register(arrival, select.POLLIN)
    while True:
        readable = [number for number, _ in poll.poll()]
        if arrival is not None and arrival in readable:
            drain(arrival)  # the handler of a signal runs at the latest here, and raises
        if end in readable:
            return


class Terminal:
    """Standard output and standard error of this process.

    Args:
        stop: stops this process after Ctrl-Z, once the live region is removed.
    """

    def __init__(self, environ: Mapping[str, str], stop: Callable[[], None] = stop_process) -> None:
        self._stop_process = stop
        self._stop_handler = StopHandler(self._stop)
        self._environ = environ
        self._term = environ.get("TERM", "dumb")
        self._no_color = bool(environ.get("NO_COLOR"))
        self._region = LiveRegion()
        self._lock = threading.RLock()
        self._log_budget: int | None = None
        self._moved_below_prompt = False
        self.stdout_is_reserved = False
        """whether stdout belongs to a protocol, so that `out` writes to stderr"""
        self.write_error = ""
        """why output on stdout was lost, as on a full disk; empty if none was, or if its reader has gone away"""

    def out(self, line: str) -> None:
        """Write a line to stdout and flush it; a closed pipe is not an error."""
        self.draw((), ())
        self._write(sys.stderr if self.stdout_is_reserved else sys.stdout, line)

    def err(self, line: str) -> None:
        """Write a line to stderr and flush it; after `limit_log`, up to the limit."""
        self.draw((), ())
        if self._log_budget is not None:
            line = line if self._log_budget > 0 else ""
            self._log_budget -= len(line) + 1
            line = line if self._log_budget > 0 or not line else _LOG_FULL_NOTICE
        if line or self._log_budget is None:
            self._write(sys.stderr, line)

    def limit_log(self, max_chars: int) -> None:
        """Limit further output on stderr to `max_chars`: it is a log file, and must not fill the disk."""
        self._log_budget = max_chars

    def ask(self, question: str) -> bool:
        """Ask a yes/no question; return False without a terminal or without an answer.

        The caller closes the live view first. However the prompt ends, the next output starts on a new line.
        """
        if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None or not sys.stderr.isatty():
            return False
        self._write(sys.stderr, f"{question} [y/N] ", end="")
        answer = ""
        try:
            _wait_for_input(sys.stdin.fileno())
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith("\n"):
                self._write(sys.stderr, "")
        return answer.strip().lower() in {"y", "yes"}

    def draw(self, scrollback: Sequence[ScreenLine], live_lines: Sequence[ScreenLine]) -> None:
        """Print `scrollback` on stderr, and show `live_lines` in the live region below; `out` and `err` remove it."""
        with self._lock:
            if not (scrollback or live_lines or self._region.lines):
                return
            columns = self.console.size.width
            text, region = redraw_region(
                self._region, scrollback=scrollback, live_lines=live_lines, columns=columns, rewraps=self._rewraps
            )
            if not self._is_foreground:  # asked last: while the lines are laid out, a shell may take the terminal back
                self._print_below_prompt(scrollback)
                return
            self._region = region
            if region.lines:
                self._stop_handler.install()
            if text:
                self._write(sys.stderr, text, end="")

    def _stop(self) -> None:
        """Remove the live region and stop; it is drawn again below what the shell prints until `fg`."""
        with self._lock:
            self.draw((), ())
            self._stop_process()

    def _print_below_prompt(self, scrollback: Sequence[ScreenLine]) -> None:
        """Print the lines of a background job, below a prompt that is there, and beside one that comes meanwhile.

        A shell takes the terminal back first and prompts later, so a carriage return could write over its prompt.
        """
        self._region = LiveRegion()
        if scrollback and not self._moved_below_prompt:
            self._moved_below_prompt = True
            self._write(sys.stderr, "")
        for line in scrollback:
            self._write(sys.stderr, line.text)

    @cached_property
    def console(self) -> Console:
        """Return a rich console for the size and colors of stderr (no colors with NO_COLOR)."""
        from rich.console import Console

        # If a shell exports these two, they are from before the terminal was resized.
        environ = {name: value for name, value in self._environ.items() if name not in {"COLUMNS", "LINES"}}
        return Console(
            file=_MeasuringStream(io.BytesIO(), encoding=getattr(sys.stderr, "encoding", None) or "utf-8"),
            force_terminal=True,
            color_system=None if self._no_color else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            _environ=environ,
        )

    @property
    def _is_foreground(self) -> bool:
        """Return whether this process is in the foreground; a background job must not draw over the shell's prompt."""
        try:
            return os.tcgetpgrp(2) == os.getpgrp()
        except OSError:
            return True  # not the controlling terminal of this session, so no shell prompts on it

    @property
    def _rewraps(self) -> bool:
        """Return whether the terminal rewraps long lines when it becomes narrower, as all but these do."""
        return self._term != "linux" and not {_XTERM_VARIABLE, _SCREEN_VARIABLE} & set(self._environ)

    def _write(self, stream: object, line: str, end: str = "\n") -> None:
        if stream is None:  # closed; print would write to stdout instead
            return
        try:
            with self._stop_handler.deferred():
                print(line, end=end, file=stream, flush=True)  # type: ignore[call-overload]  # stdout or stderr
        except UnicodeEncodeError:
            print(line.encode("ascii", "replace").decode(), end=end, file=stream, flush=True)  # type: ignore[call-overload]  # as above
        except (OSError, ValueError) as error:
            redirect_to_devnull(1 if stream is sys.stdout else 2)
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                self.write_error = getattr(error, "strerror", None) or str(error)
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.write(f"warning: cannot write to standard output: {error}\n")

    @property
    def stdout_has_color(self) -> bool:
        """Return whether stdout is a terminal with color, and NO_COLOR is not set."""
        return self.stdout_is_tty and self._term != "dumb" and not self._no_color

    @property
    def has_hyperlinks(self) -> bool:
        """Return whether stderr is a terminal of a kind that shows hyperlinks, or ignores them."""
        return self.can_redraw and self._term.startswith(_TERMS_WITH_TITLE)

    @property
    def can_redraw(self) -> bool:
        """Return whether stderr is a terminal that supports cursor movement."""
        return sys.stderr is not None and sys.stderr.isatty() and not self.is_dumb

    @property
    def stderr_is_tty(self) -> bool:
        """Return whether stderr is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    @property
    def is_dumb(self) -> bool:
        """Return whether TERM names a terminal without cursor movement."""
        return self._term in _DUMB_TERMS

    @property
    def stdout_is_tty(self) -> bool:
        """Return whether stdout is a terminal, which breaks long lines anywhere."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def columns(self) -> int:
        """Return the width of the terminal in columns."""
        import shutil  # it takes 1 ms, and only a live view needs it

        return shutil.get_terminal_size().columns


def read_stdin() -> str:
    """Return standard input as text with surrogate escapes; empty if it is a terminal or closed."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def ring_bell(path: str, *, title: str, term: str) -> bool:
    """Ring the bell of another session's terminal and set its window title; return whether this was written.

    Never blocks: a terminal that is stopped by Ctrl-S, closed, or owned by another user is skipped. The content of the
    terminal does not change.

    Args:
        path: the device of the terminal.
        title: trusted text without control characters.
        term: the value of TERM in that session.
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
    """A stream that discards its text: rich only measures and colors, and must not fail on a closed terminal."""

    def write(self, text: str) -> int:
        return len(text)


def redirect_to_devnull(descriptor: int) -> None:
    """Redirect a file descriptor to /dev/null: its reader has closed it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
