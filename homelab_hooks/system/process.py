"""Run processes: to completion, line by line, interactively or in the background, and end whole process groups."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.signals import acknowledge_interrupt, pass_signals_to

TERMINATE_GRACE_S = 2.0
"""seconds between SIGTERM and SIGKILL"""
MAX_LINE_BYTES = 4 * 1024 * 1024
"""maximum bytes of a streamed line: an object in a cluster has at most 1.5 million bytes"""


_RUNNING: set[subprocess.Popen[bytes]] = set()
"""the processes that `run` waits for, in any thread"""


def kill_abandoned() -> None:
    """End the processes that abandoned threads still wait for in `run`."""
    for child in tuple(_RUNNING):
        kill_group(child)


class ProcessRunner:
    """Starts processes with the given environment, not with that of this process.

    Args:
        environ: the environment of the processes; the caller removes secrets from it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)

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

        If the program is not found, `not_found` is set and the code is 127, as in a shell.
        """
        try:
            child = self._start(argv, cwd, env, subprocess.PIPE)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            return Completed(127, b"", str(error).encode(), not_found=True)
        _RUNNING.add(child)
        try:
            out, err = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            late = child.poll() is None  # otherwise a process that it started keeps its output open
            kill_group(child)
            out, err = _remaining_output(child)
            return Completed(child.returncode, out, err, timed_out=late)
        except BaseException:
            kill_group(child)
            for pipe in (child.stdin, child.stdout, child.stderr):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
            raise
        finally:
            _RUNNING.discard(child)
        return Completed(child.returncode, out, err)

    def stream(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Completed:
        """Run to completion and pass each line of stdout and stderr, without its newline, to `on_line`.

        `on_line` runs on this thread. An exception in it, including Ctrl-C, ends the whole process group.
        """
        try:
            child = self._start(argv, cwd, env, subprocess.STDOUT)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            return Completed(127, b"", str(error).encode(), not_found=True)
        try:
            self._feed(child, stdin)
            assert child.stdout is not None  # noqa: S101 - started with a pipe
            with child.stdout as lines:
                for line in lines:
                    on_line(line.rstrip(b"\r\n").decode("utf-8", "replace"))
            return Completed(child.wait())
        except BaseException:
            kill_group(child)
            raise

    def run_interactive(self, argv: Sequence[str], *, cwd: Path | None = None, has_result: bool = False) -> int:
        """Run in the foreground of this terminal, and return the exit code: 128 plus the signal number for a signal.

        Args:
            has_result: the process prints the result: signals are forwarded to it, and ignored once it has ended.
        """
        child = subprocess.Popen(list(argv), cwd=cwd, env=self._environ)
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
        sink = log.open("ab") if log else subprocess.DEVNULL
        try:
            child = subprocess.Popen(
                list(argv), cwd=cwd, env={**self._environ, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip
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
            child = self._start(argv, None, None, subprocess.DEVNULL)
        except OSError:
            return LineStream(None, on_line, on_end)
        self._feed(child, b"")
        return LineStream(child, on_line, on_end)

    def _start(
        self, argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, stderr: int
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**self._environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # a process group that can be ended as a whole, and that Ctrl-C does not reach
        )

    @staticmethod
    def _feed(child: subprocess.Popen[bytes], stdin: bytes) -> None:
        assert child.stdin is not None  # noqa: S101 - started with a pipe
        pipe = child.stdin

        def write() -> None:
            with contextlib.suppress(OSError), pipe:
                pipe.write(stdin)

        threading.Thread(target=write, daemon=True).start()


class Background:
    """A running process in a session of its own."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it is still running."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End its process group, and wait for it."""
        kill_group(self._child)
        self._child.wait()


class LineStream:
    """A running process whose output lines are passed to a callback on a worker thread."""

    def __init__(
        self, child: subprocess.Popen[bytes] | None, on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> None:
        self._child, self._ended = child, child is None
        self._on_line, self._on_end = on_line, on_end
        self._thread = threading.Thread(target=self._run, args=(child,), name="follow", daemon=True)
        if child is not None:
            self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether more lines may arrive."""
        return not self._ended

    def close(self) -> None:
        """End its process group, and wait up to TERMINATE_GRACE_S for the last callback to finish."""
        if self._child is not None and not self._ended:
            kill_group(self._child)
            self._ended = True  # only now: if this is interrupted, it can be closed again
            self._thread.join(TERMINATE_GRACE_S)

    def _run(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101 - started with a pipe
        with child.stdout as lines:
            while (line := lines.readline(MAX_LINE_BYTES)).endswith(b"\n") and not self._ended:
                if not self._on_line(line.decode("utf-8", "replace")):
                    break
        kill_group(child)
        self._ended = True
        self._on_end()


def _remaining_output(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return the rest of an ended child's output; limited, as a process outside its group may keep the pipe open."""
    try:
        return child.communicate(timeout=TERMINATE_GRACE_S)
    except subprocess.TimeoutExpired as late:
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()
        return late.stdout or b"", late.stderr or b""


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End the child's process group with SIGTERM, and after TERMINATE_GRACE_S with SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(TERMINATE_GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def wait_for_result(child: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that prints the result; forward signals, and ignore them once it has ended."""
    with pass_signals_to(child.send_signal):
        return child.wait()


def wait_out(child: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that handles Ctrl-C itself: the terminal sends it to both processes."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            acknowledge_interrupt()
