"""Runs processes: to completion, line by line, interactively or in the background, and ends whole process groups."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from errno import ENOEXEC
from pathlib import Path

from homelab_hooks.system.capture import CapturedChild
from homelab_hooks.system.child import ChildPipes, describe_start_error, wait_for_child, with_shell
from homelab_hooks.system.clock import monotonic_seconds
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import MAX_STDOUT_BYTES, LineSplitter, OutputListener, ParsedLines
from homelab_hooks.system.process import (
    DEVNULL,
    INTO_STDOUT,
    TERMINATE_GRACE_S,
    ChildProcess,
    end_group,
    start_child,
    start_in_background,
    start_in_foreground,
)
from homelab_hooks.system.signals import acknowledge_interrupt, pass_signals_to

_RUNNING: set[ChildProcess] = set()
"""the processes that `run` waits for, in any thread"""


def kill_abandoned() -> None:
    """End the processes that abandoned threads still wait for in `run`."""
    for child in tuple(_RUNNING):
        end_group(child)


class ProcessRunner:
    """Starts processes with the given environment, not with that of this process.

    Args:
        environ: the environment of the processes; the caller removes secrets from it.
        listener: gets the standard error of `run` as it comes; it may ask for a confirmation at a device.
        max_stdout_bytes: `run` ends a program that prints more.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        listener: OutputListener | None = None,
        *,
        max_stdout_bytes: int = MAX_STDOUT_BYTES,
    ) -> None:
        self._environ = dict(environ)
        self._listener = listener
        self._max_stdout_bytes = max_stdout_bytes

    def with_listener(self, listener: OutputListener) -> ProcessRunner:
        """Return a runner for the same environment whose `run` passes standard error on as it comes."""
        return ProcessRunner(self._environ, listener, max_stdout_bytes=self._max_stdout_bytes)

    def with_output_limit(self, max_stdout_bytes: int) -> ProcessRunner:
        """Return a runner for the same environment whose `run` ends a program that prints more bytes."""
        return ProcessRunner(self._environ, self._listener, max_stdout_bytes=max_stdout_bytes)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> Completed:
        """Run to completion, or kill the whole process group after `timeout` seconds, and return the result.

        If it could not be started, `start_error` is the reason. Of standard error, the beginning and the end are
        kept; standard output is kept as a whole, and a program that prints too much is ended.
        """
        environ = {**self._environ, **(env or {})}
        try:
            child = start_child(argv, cwd=cwd, env=environ, stdin=stdin)
        except OSError as error:
            return describe_start_error(error, argv, environ.get("PATH", os.defpath), cwd)
        captured = CapturedChild(child, stdin=stdin, listener=self._listener, max_stdout_bytes=self._max_stdout_bytes)
        _RUNNING.add(child)
        try:
            return captured.complete(timeout, end_group)
        except BaseException:
            end_group(child)
            captured.close()
            raise
        finally:
            _RUNNING.discard(child)

    def stream(
        self,
        argv: Sequence[str],
        listener: OutputListener,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Completed:
        """Run to completion as git runs a hook, and pass what it prints to the listener as it comes.

        The listener runs on this thread. An exception in it, including Ctrl-C, ends the whole process group.
        """
        environ = {**self._environ, **(env or {})}
        try:
            child = _start_as_hook(argv, cwd=cwd, env=environ, stdin=stdin)
        except OSError as error:
            return describe_start_error(error, argv, environ.get("PATH", os.defpath), cwd)
        lines = LineSplitter(listener.on_line, now=monotonic_seconds)
        pipes = ChildPipes(child, [(child.stdout, lines.feed)], stdin)

        def on_wait() -> None:
            lines.pass_unfinished()
            listener.on_wait()

        try:
            wait_for_child(child, pipes, on_wait=on_wait)
            lines.close()
            return Completed(child.wait())
        except BaseException:
            end_group(child)
            raise
        finally:
            pipes.close()

    def run_interactive(self, argv: Sequence[str], *, cwd: Path | None = None, has_result: bool = False) -> int:
        """Run in the foreground of this terminal, and return the exit code: 128 plus the signal number for a signal.

        Args:
            has_result: the process prints the result: signals are forwarded to it, and ignored once it has ended.
        """
        child = start_in_foreground(argv, cwd=cwd, env=self._environ)
        code = wait_for_result(child) if has_result else wait_out(child)
        return code if code >= 0 else 128 - code

    def spawn(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> Background:
        """Start a process in a new session, where it may outlive this one; output is appended to `log` or discarded."""
        sink = log.open("ab") if log else DEVNULL
        try:
            child = start_in_background(argv, cwd=cwd, env={**self._environ, **(env or {})}, output=sink)
        finally:
            if not isinstance(sink, int):
                sink.close()
        return Background(child)

    def stream_lines(
        self, argv: Sequence[str], on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> LineStream:
        """Start a process and pass each line of its stdout to `on_line` on a worker thread.

        The stream ends when the process does, when `on_line` returns False, or at a line longer than MAX_LINE_BYTES.
        Then `on_end` is called on the worker thread, unless the program could not be started.
        """
        try:
            child = start_child(argv, cwd=None, env=self._environ, stderr=DEVNULL)
        except OSError:
            return LineStream(None, on_line, on_end)
        return LineStream(child, on_line, on_end)


def _start_as_hook(argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], stdin: bytes) -> ChildProcess:
    """Start a process with one pipe for both outputs; a script without a `#!` line is run by sh, as git does it."""
    try:
        return start_child(argv, cwd=cwd, env=env, stdin=stdin, stderr=INTO_STDOUT)
    except OSError as error:
        if error.errno != ENOEXEC:
            raise
        return start_child(with_shell(argv), cwd=cwd, env=env, stdin=stdin, stderr=INTO_STDOUT)


class Background:
    """A running process in a session of its own."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """Return the process ID."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Return whether it is still running."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End its process group, and wait for it."""
        end_group(self._child)
        self._child.wait()


class LineStream:
    """A running process whose output lines are passed to a callback on a worker thread."""

    def __init__(self, child: ChildProcess | None, on_line: Callable[[str], bool], on_end: Callable[[], None]) -> None:
        self._child, self._ended = child, child is None
        self._on_line, self._on_end = on_line, on_end
        self._thread = threading.Thread(target=self._run, args=(child,), name="follow", daemon=True)
        if child is not None:
            self._thread.start()

    @property
    def alive(self) -> bool:
        """Return whether more lines may arrive."""
        return not self._ended

    def close(self) -> None:
        """End its process group, and wait up to TERMINATE_GRACE_S for the last callback to finish."""
        if self._child is not None and not self._ended:
            end_group(self._child)
            self._ended = True  # only now: if this is interrupted, it can be closed again
            self._thread.join(TERMINATE_GRACE_S)

    def _run(self, child: ChildProcess) -> None:
        parsed = ParsedLines(self._on_line)
        pipes = ChildPipes(child, [(child.stdout, lambda chunk: not self._ended and parsed.feed(chunk))])
        try:
            wait_for_child(child, pipes)
        finally:
            pipes.close()
        end_group(child)
        self._ended = True
        self._on_end()


def wait_for_result(child: ChildProcess) -> int:
    """Return the exit code of a process that prints the result; forward signals, and ignore them once it has ended."""
    with pass_signals_to(child.send_signal):
        return child.wait()


def wait_out(child: ChildProcess) -> int:
    """Return the exit code of a process that handles Ctrl-C itself: the terminal sends it to both processes."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            acknowledge_interrupt()
