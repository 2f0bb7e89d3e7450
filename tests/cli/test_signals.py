"""The exit status is the one that was printed, whatever signals come while the result is written and after it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS, RESULT
from tests.waiting import HANG_S

ROOT = Path(__file__).parents[2]
NUMBERS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]
HEARS = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""starts a program that hears SIGHUP, also where the tests run under nohup"""
LINGERS = """
import atexit, os, threading
from homelab_hooks import cli
threading.Thread(target=threading.Event().wait).start()
atexit.register(os._exit, 77)
cli.git_land()
"""
CALLED = """
import signal, sys
from homelab_hooks import cli
numbers = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM]
signal.alarm(50)
before = [signal.getsignal(number) for number in numbers]
code = cli.git_land(["--output", "plain"])
print(code, [signal.getsignal(number) for number in numbers] == before, 40 < signal.alarm(0) <= 50)
"""
SAID = """
import sys
from homelab_hooks.cli import leave
from homelab_hooks.cli.main import run_in_session
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict

def work(session):
    session.finish(Verdict(exit=ExitCode.REFUSED))
    {then}

run_in_session("homelab x", ["--output", "plain"], work, leave)
"""
AFTER = """
import os, signal
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.signals import catch_signals, ignore_signals, run_interruptible
with catch_signals():
    ignore_signals()
    os.kill(os.getpid(), signal.{name})
    print(run_interruptible(lambda: ProcessRunner(os.environ).run(["sh", "-c", "kill -{name} $$; echo on"]).code))
"""
EARLY = """
import os, signal
from homelab_hooks.errors import Terminated
from homelab_hooks.system.signals import catch_signals, run_interruptible
with catch_signals():
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        run_interruptible(lambda: print("worked"))
    except Terminated:
        os.kill(os.getpid(), signal.SIGINT)
        print("terminated")
"""


class SignalledCopy(NamedTuple):
    """How a command ended that got signals at one of its lines."""

    at: str
    code: int
    out: str
    err: str


@pytest.fixture
def python(seal: dict[str, str]) -> ProcessRunner:
    """With our package, where no repository is."""
    return ProcessRunner(
        {**seal, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", "GIT_CEILING_DIRECTORIES": "/"}
    )


def run(python: ProcessRunner, script: str, at: Path) -> Completed:
    done = python.run([sys.executable, "-c", script], cwd=at, timeout=HANG_S)
    assert not done.timed_out, done
    return done


def printed(out: str) -> int:
    """The exit code in the result; there is exactly one, whole and at the end."""
    lines = [line for line in out.splitlines() if '"event": "result"' in line or line.startswith("homelab: ")]
    assert len(lines) == 1, out
    assert out.endswith(f"{lines[0]}\n"), out
    if lines[0].startswith("{"):
        return int(json.loads(lines[0])["exit"])
    found = RESULT.fullmatch(lines[0])
    assert found, out
    return int(dict(pair.split("=", 1) for pair in found["pairs"].split(" "))["exit"])


def copies(python: ProcessRunner, at: Path, *argv: str) -> list[SignalledCopy]:
    """Each copy of `tests.cli.each_line`."""
    out = at / "out"
    done = python.run(
        [sys.executable, "-c", HEARS, sys.executable, "-m", "tests.cli.each_line", str(out), *argv], cwd=at
    )
    whole = out.read_text()
    assert (done.code, done.err) == (printed(whole), ""), whole
    rows = [row.split("\t") for row in Path(f"{out}.copies").read_text().splitlines()]
    return [
        SignalledCopy(line, int(code), Path(f"{out}.{number}").read_text(), Path(f"{out}.{number}.err").read_text())
        for number, line, code in rows
    ]


def test_after_the_result_neither_threads_nor_exit_handlers_nor_signals_count(
    python: ProcessRunner, tmp_path: Path
) -> None:
    """The process ends at once, so that no signal can find it on its way out."""
    done = run(python, LINGERS, tmp_path)
    assert (done.code, printed(done.out)) == (20, 20), done


@pytest.mark.parametrize(
    "then", ["return 0", "raise RuntimeError", "raise KeyboardInterrupt", "session.finish(Verdict(ExitCode.OK))"]
)
def test_what_comes_after_the_result_neither_repeats_nor_changes_it(
    python: ProcessRunner, tmp_path: Path, then: str
) -> None:
    done = run(python, SAID.format(then=then), tmp_path)
    assert (done.code, printed(done.out)) == (20, 20), done


def test_a_caller_of_a_command_as_a_function_gets_its_code_and_all_signals_as_before(
    python: ProcessRunner, tmp_path: Path
) -> None:
    done = run(python, CALLED, tmp_path)
    assert done.out.splitlines()[1:] == ["20 True True"], done


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM"])
def test_what_is_started_after_the_result_hears_signals(python: ProcessRunner, tmp_path: Path, name: str) -> None:
    done = run(python, AFTER.format(name=f"SIG{name}").replace("-SIG", "-"), tmp_path)
    assert (done.out, done.code) == (f"{-signal.Signals[f'SIG{name}']}\n", 0), done


def test_a_signal_before_the_work_is_raised_at_its_beginning_and_one_after_it_nowhere(
    python: ProcessRunner, tmp_path: Path
) -> None:
    done = run(python, EARLY, tmp_path)
    assert (done.out, done.code, done.err) == ("terminated\n", 0, ""), done


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_a_storm_of_signals_from_the_result_line_on_changes_no_status(
    seal: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    storm(seal, tmp_path, number, times=2)


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_nor_do_many_of_them(seal: dict[str, str], tmp_path: Path, number: signal.Signals) -> None:
    storm(seal, tmp_path, number, times=10)


def storm(environ: dict[str, str], at: Path, number: signal.Signals, *, times: int) -> None:
    """Start `times` landings that are refused outside a repository, and signal each as quickly as possible."""
    argv = [sys.executable, "-c", HEARS, str(PROGRAMS / "git-land"), "--output", "plain"]
    for _ in range(times):
        with subprocess.Popen(
            argv, cwd=at, env={**environ, "GIT_CEILING_DIRECTORIES": "/"}, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            line = child.stdout.readline()
            while child.poll() is None:
                child.send_signal(number)
            assert child.returncode == printed(line + child.stdout.read()) == 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "argv", "codes"),
    [
        ("SIGTERM", "finish git-land --output plain", {20, 143}),
        ("SIGHUP,SIGINT,SIGTERM", "finish git-land --output plain", {20, 143}),
        ("SIGHUP,SIGINT,SIGTERM", "finish git-land --output json", {20, 143}),
        ("SIGHUP,SIGINT,SIGTERM", "from_process homelab --output plain", {2, 143}),
        ("SIGTERM", "work interrupted --output plain", {143}),
    ],
)
def test_a_signal_at_any_line_leaves_one_result_and_its_exit_status(
    python: ProcessRunner, tmp_path: Path, names: str, argv: str, codes: set[int]
) -> None:
    """Also another one while the first is handled: `interrupted` has had one when the others come."""
    found = copies(python, tmp_path, names, *argv.split(" "))
    assert len(found) > 100
    assert {copy.code for copy in found} <= codes | {130, 143}
    for copy in found:
        assert copy.code == printed(copy.out), copy
        assert "Traceback" not in copy.err, copy
