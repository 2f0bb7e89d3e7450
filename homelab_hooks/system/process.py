"""Starts processes, hears them and ends them."""

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
"""seconds between SIGTERM and SIGKILL for a process that is to end"""
MAX_LINE_BYTES = 4 * 1024 * 1024
"""bytes of one line of a program that is followed: an object in a cluster has at most 1.5 million"""


_RUNNING: set[subprocess.Popen[bytes]] = set()
"""what `run` waits for now, in whichever thread"""


def kill_abandoned() -> None:
    """End what threads still wait for that nobody waits for any more."""
    for child in tuple(_RUNNING):
        kill_group(child)


class ProcessRunner:
    """Starts processes with the environment it was given, never with another.

    Args:
        environ: what children inherit; secrets are taken out by whoever builds this.
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
        """Run to the end, or kill the whole process group after `timeout` seconds.

        A program that is not there is a `Done` with `missing`, as a shell would say it (127).
        """
        try:
            child = self._start(argv, cwd, env, subprocess.PIPE)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            return Completed(127, b"", str(error).encode(), not_found=True)
        _RUNNING.add(child)
        try:
            out, err = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            late = child.poll() is None  # else something that it left behind holds its output
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
        hear: Callable[[str], None],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Completed:
        """Run to the end and hand on each line (both streams, without its newline) as it comes.

        `hear` runs in this thread. An exception in it, Ctrl-C included, ends the whole process group.
        """
        try:
            child = self._start(argv, cwd, env, subprocess.STDOUT)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            return Completed(127, b"", str(error).encode(), not_found=True)
        try:
            self._feed(child, stdin)
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            with child.stdout as lines:
                for line in lines:
                    hear(line.rstrip(b"\r\n").decode("utf-8", "replace"))
            return Completed(child.wait())
        except BaseException:
            kill_group(child)
            raise

    def run_interactive(self, argv: Sequence[str], *, cwd: Path | None = None, has_result: bool = False) -> int:
        """Run with our own terminal, which a Ctrl-C then reaches too; the exit code, 128 and more for a signal.

        Args:
            has_result: it writes the result: signals are passed on to it, and ignored once it has ended.
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
        """Start what goes on beside or after us, in a session of its own; its output goes to `log` or nowhere."""
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

    def stream_lines(self, argv: Sequence[str], hear: Callable[[str], bool], over: Callable[[], None]) -> LineStream:
        """Start a program beside us, and hand on each line of its standard output as it comes.

        `hear` runs in a thread of its own and says whether to go on; an endless line ends it too. `over` is called
        there in the end, unless the program is not there at all.
        """
        try:
            child = self._start(argv, None, None, subprocess.DEVNULL)
        except OSError:
            return LineStream(None, hear, over)
        self._feed(child, b"")
        return LineStream(child, hear, over)

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
            start_new_session=True,  # a group of its own: ended whole, and Ctrl-C is ours to pass on
        )

    @staticmethod
    def _feed(child: subprocess.Popen[bytes], stdin: bytes) -> None:
        assert child.stdin is not None  # noqa: S101 - a pipe was asked for
        pipe = child.stdin

        def write() -> None:
            with contextlib.suppress(OSError), pipe:
                pipe.write(stdin)

        threading.Thread(target=write, daemon=True).start()


class Background:
    """A server process beside us."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End it and all it started, and wait until it is gone."""
        kill_group(self._child)
        self._child.wait()


class LineStream:
    """A program beside us whose lines are heard; it ends by itself, or when it is closed."""

    def __init__(
        self, child: subprocess.Popen[bytes] | None, hear: Callable[[str], bool], over: Callable[[], None]
    ) -> None:
        self._child, self._ended = child, child is None
        self._hear, self._over = hear, over
        self._thread = threading.Thread(target=self._run, args=(child,), name="follow", daemon=True)
        if child is not None:
            self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether lines may still come."""
        return not self._ended

    def close(self) -> None:
        """End it and all it started; no line is heard any more when this returns."""
        if self._child is not None and not self._ended:
            kill_group(self._child)
            self._ended = True  # only now: cut short, it can be closed again
            self._thread.join(TERMINATE_GRACE_S)

    def _run(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        with child.stdout as lines:
            while (line := lines.readline(MAX_LINE_BYTES)).endswith(b"\n") and not self._ended:
                if not self._hear(line.decode("utf-8", "replace")):
                    break
        kill_group(child)
        self._ended = True
        self._over()


def _remaining_output(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a child that has ended said; what left its group may hold its output for ever, and is not waited for."""
    try:
        return child.communicate(timeout=TERMINATE_GRACE_S)
    except subprocess.TimeoutExpired as late:
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()
        return late.stdout or b"", late.stderr or b""


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole process group: SIGTERM, a moment of grace, SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(TERMINATE_GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def wait_for_result(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a program that writes the result; from its end on signals change nothing here either."""
    with pass_signals_to(child.send_signal):
        return child.wait()


def wait_out(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a program that gets a Ctrl-C from the terminal, as we do, and does with it what it likes."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            acknowledge_interrupt()
