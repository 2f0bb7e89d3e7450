"""Waits for child processes and reads what they print: the one implementation for git, kubectl, hooks, and helpers.

A child has ended when its process has, not when its pipes are closed: a daemon that it started may keep them open for
hours. What is already in the pipes is read, then they are closed. Nothing that a child prints is kept without a limit.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import IO

from homelab_hooks.system.clock import monotonic_seconds
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import Sink
from homelab_hooks.system.process import ChildProcess, wait_briefly

WAKE_INTERVAL_S = 0.2
"""maximum seconds until the end of a process whose pipes stay open is detected"""
QUIET_S = 0.2
"""seconds without output after which an ended process's pipes count as empty: `exec > >(tee log)` writes a bit later"""
MAX_DRAIN_S = 1.0
"""maximum seconds for which an ended process's pipes are read: a background process that it started may flood them"""
_CHUNK_BYTES = 64 * 1024
_SHELL = "/bin/sh"
_UNUSABLE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.ELOOP, errno.ENAMETOOLONG}
"""errors of the program itself; the others are of the machine or of this call"""
_NOT_FOUND_EXIT_CODE, _NOT_STARTED_EXIT_CODE = 127, 126


NO_DIRECTORY = "no such directory"
"""the end of the reason if the directory that a process is to run in does not exist"""


class ChildEnd(Enum):
    """How waiting for a child ended."""

    EXITED = auto()
    TIMED_OUT = auto()
    STOPPED = auto()
    """a sink accepts no more of its output"""


def with_shell(argv: Sequence[str]) -> list[str]:
    """Return the command for a script without a `#!` line, as git runs such a hook (start_command in run-command.c)."""
    return [_SHELL, *argv]


def describe_start_error(error: OSError, argv: Sequence[str], path: str, cwd: Path | None = None) -> Completed:
    """Return the result of a process that could not be started, with the reason.

    Args:
        error: what starting it raised.
        path: the value of PATH that it was started with.
    """
    reason = _start_error_reason(error, argv[0], path, cwd)
    unusable = error.errno in _UNUSABLE
    code = _NOT_FOUND_EXIT_CODE if unusable else _NOT_STARTED_EXIT_CODE
    return Completed(code, b"", reason.encode("utf-8", "replace"), not_found=unusable, start_error=reason)


def _find_program(name: str, path: str) -> Path | None:
    """Return the first executable of this name; None if there is none. `shutil.which` takes 1 ms, or a descriptor."""
    files = (Path(folder) / name for folder in path.split(os.pathsep))
    return next((file for file in files if os.access(file, os.X_OK) and file.is_file()), None)


def _start_error_reason(error: OSError, program: str, path: str, cwd: Path | None) -> str:
    if cwd is not None and not cwd.is_dir():
        return f"{cwd}: {NO_DIRECTORY}"
    file = program if "/" in program else _find_program(program, path)
    if error.errno == errno.ENOENT:
        if file is None or not os.path.lexists(file):
            return f"{program}: {'no such file' if file else 'command not found'}"
        return f"{file}: bad interpreter: {_interpreter(str(file)) or 'not found'}"
    if error.errno == errno.ENOEXEC:
        return f"{file or program}: exec format error (an empty file, or a program for another machine)"
    return f"{file or program}: {(error.strerror or str(error)).lower()}"


def script_obstacle(file: Path) -> str:
    """Return why an executable script cannot be started; empty if nothing is known that prevents it."""
    if file.is_dir():
        return f"{file}: is a directory"
    program = _interpreter(str(file)).partition(" ")[0].partition("\t")[0]
    if program.startswith("/") and not os.access(program, os.X_OK):
        return f"{file}: bad interpreter: {program}"
    return ""


def _interpreter(file: str) -> str:
    """Return the interpreter in a script's first line; empty if it has none."""
    with contextlib.suppress(OSError), open(file, "rb") as script:  # noqa: PTH123 - the name of a program, as it is
        first = script.readline(256)
        if first.startswith(b"#!"):
            return first[2:].strip(b" \t\n").decode("utf-8", "replace").replace("\r", "^M")  # as bash shows it
    return ""


class ChildPipes:
    """The pipes of a child: each output goes to a sink, and the input is written as the child reads it."""

    def __init__(self, child: ChildProcess, sinks: Sequence[tuple[IO[bytes] | None, Sink]], stdin: bytes = b"") -> None:
        self._selector = selectors.PollSelector()  # unlike epoll and kqueue it needs no file descriptor of its own
        self._unwritten = memoryview(stdin)
        self._wanted = True
        for pipe, sink in sinks:
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ, sink)
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            self._selector.register(child.stdin, selectors.EVENT_WRITE)

    def are_wanted(self) -> bool:
        """Return whether every sink accepts more output."""
        return self._wanted

    @property
    def open(self) -> bool:
        """Return whether a pipe is still open at the other end."""
        return bool(self._selector.get_map())

    def transfer(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for something to read or write; return whether there was something."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            if key.data is None:
                self._write(key.fileobj)
            else:
                self._read(key.fileobj, key.data)
        return bool(ready)

    def _read(self, pipe: object, sink: Sink) -> None:
        try:
            chunk = os.read(pipe.fileno(), _CHUNK_BYTES)  # type: ignore[attr-defined]  # a registered pipe
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._close(pipe)
        elif not sink(chunk):
            self._wanted = False

    def _write(self, pipe: object) -> None:
        try:
            written = os.write(pipe.fileno(), self._unwritten[:_CHUNK_BYTES])  # type: ignore[attr-defined]  # as above
        except BlockingIOError:
            return
        except OSError:  # it has closed its standard input
            written = len(self._unwritten)
        self._unwritten = self._unwritten[written:]
        if not self._unwritten:
            self._close(pipe)

    def _close(self, pipe: object) -> None:
        self._selector.unregister(pipe)  # type: ignore[arg-type]  # as above
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[attr-defined]  # as above

    def close(self) -> None:
        """Close all pipes; does nothing the second time, after an interruption."""
        for key in tuple((self._selector.get_map() or {}).values()):
            self._close(key.fileobj)
        self._selector.close()


def wait_for_child(
    child: ChildProcess,
    pipes: ChildPipes,
    *,
    timeout: float | None = None,
    on_wait: Callable[[], None] = lambda: None,
) -> ChildEnd:
    """Pass on what a child prints until it ends, and then what is left in its pipes.

    Args:
        child: the process; it is not ended here.
        pipes: its pipes; they stay open.
        timeout: in seconds.
        on_wait: called several times a second.
    """
    deadline = None if timeout is None else monotonic_seconds() + timeout
    next_check = 0.0
    while pipes.are_wanted():
        on_wait()
        now = monotonic_seconds()
        pause = WAKE_INTERVAL_S if deadline is None else max(0.0, min(WAKE_INTERVAL_S, deadline - now))
        busy = pipes.transfer(pause) if pipes.open else wait_briefly(child, pause)
        now = monotonic_seconds()
        late = deadline is not None and now >= deadline
        if (late or not busy or now >= next_check) and child.poll() is not None:
            drain_pipes(pipes)
            return ChildEnd.EXITED if pipes.are_wanted() else ChildEnd.STOPPED
        if late:
            return ChildEnd.TIMED_OUT
        next_check = now + WAKE_INTERVAL_S if now >= next_check else next_check
    return ChildEnd.STOPPED


def drain_pipes(pipes: ChildPipes) -> None:
    """Pass on what an ended process left in its pipes, until they are quiet."""
    end = monotonic_seconds() + MAX_DRAIN_S
    while pipes.open and pipes.are_wanted() and monotonic_seconds() < end:
        if not pipes.transfer(QUIET_S):
            return
