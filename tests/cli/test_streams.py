"""Standard streams that are closed or full, and signals that come early or are ignored: as processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import PROGRAMS, RESULT, Shell
from tests.waiting import HANG_S

SETUP = "import os, signal, homelab_hooks.cli as cli\n"
EARLY = f"{SETUP}cli._end_on_signals()\nos.kill(os.getpid(), signal.{{name}})\nprint('alive')"


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=HANG_S, check=False)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_before_the_session_ends_the_process_by_itself(name: str, code: int) -> None:
    """SIGTERM ended it by the signal, and SIGINT with a traceback."""
    done = python(EARLY.format(name=name))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("begin", ["cli._end_on_signals()", "signals.catch_signals().__enter__()"])
def test_a_signal_that_is_ignored_at_the_start_stays_ignored(name: str, begin: str) -> None:
    """A shell ignores SIGINT in a script's background job, and nohup ignores SIGHUP."""
    script = f"""{SETUP}from homelab_hooks.system import signals
signal.signal(signal.{name}, signal.SIG_IGN)
context = signals.catch_signals()
{begin.replace("signals.catch_signals()", "context")}
print(signal.getsignal(signal.{name}) is signal.SIG_IGN)"""
    assert python(script).stdout == "True\n"


@pytest.fixture
def red(shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator) -> Shell:
    """The shell; the pipeline of its commit has failed."""
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red())
    return shell


def redirected(shell: Shell, redirection: str, *command: str) -> subprocess.CompletedProcess[str]:
    program = str(PROGRAMS / command[0])
    return subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirection}', program, *command[1:]],
        cwd=shell.directory, env={**shell.environ, **shell.more}, timeout=HANG_S,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [("homelab-watch",), ("homelab", "ci", "status"), ("homelab-watch", "--nonsense"), ("homelab", "doctor")],
    ids=" ".join,
)
def test_progress_never_goes_to_stdout(red: Shell, command: tuple[str, ...]) -> None:
    done = redirected(red, "2>&-", *command)
    assert RESULT.fullmatch(done.stdout.rstrip("\n")), done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [("homelab", "--version"), ("homelab",), ("homelab", "nonsense")], ids=" ".join)
def test_closed_streams_leave_no_traceback(shell: Shell, command: tuple[str, ...]) -> None:
    expected = redirected(shell, "", *command).returncode
    for closed in (">&-", "<&-", "<&- >&-"):
        done = redirected(shell, closed, *command)
        assert (done.returncode, "Traceback" in done.stderr) == (expected, False)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "code"), [("ci logs", 8), ("config", 1), ("manifest", 1)])
def test_an_answer_that_could_not_be_written_is_not_ok(red: Shell, command: str, code: int) -> None:
    done = redirected(red, ">/dev/full", "homelab", *command.split())
    assert done.returncode == code
    assert "warning: cannot write to standard output" in done.stderr
