"""Starts and ends processes; the only module that does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ChildProcess = subprocess.Popen[bytes]
"""a started process, with its pipes"""
DEVNULL, INTO_STDOUT = subprocess.DEVNULL, subprocess.STDOUT
"""where standard error goes, in place of a pipe"""
TERMINATE_GRACE_S = 2.0
"""seconds between SIGTERM and SIGKILL"""


def start_child(
    argv: Sequence[str],
    *,
    cwd: Path | None,
    env: Mapping[str, str],
    stdin: bytes = b"",
    stderr: int = subprocess.PIPE,
) -> ChildProcess:
    """Start a process in a session of its own: it can be ended as a whole, and Ctrl-C does not reach it."""
    return subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def wait_briefly(child: ChildProcess, seconds: float) -> bool:
    """Wait for a child that has closed its output; return False, as there is nothing to read."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    return False


def end_group(child: ChildProcess) -> None:
    """End the process group that a child leads: with SIGTERM, and after TERMINATE_GRACE_S with SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(TERMINATE_GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def end_child(child: ChildProcess) -> None:
    """End a child in this process's own group, as `end_group` does; git passes SIGTERM on to ssh and helpers."""
    child.terminate()
    try:
        child.wait(TERMINATE_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def start_in_foreground(argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str]) -> ChildProcess:
    """Start a process on this process's own terminal and in its group."""
    return subprocess.Popen(list(argv), cwd=cwd, env=dict(env))


def start_in_background(
    argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], output: IO[bytes] | int
) -> ChildProcess:
    """Start a process in a session of its own, without input; `output` gets what it prints."""
    return subprocess.Popen(
        list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        start_new_session=True,
    )  # fmt: skip
