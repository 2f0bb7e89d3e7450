"""The live view of real processes on a real terminal: when it is chosen, how it ends, how often it draws."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import PROGRAMS, Shell
from tests.waiting import HANG_S, wait_until

CRASH = """
import sys
from homelab_hooks.app.session import Session
from homelab_hooks.events import Stage, StageChanged, Progress
session = Session.open("homelab x", ["--output", "live"])
def run():
    session.tell(StageChanged(Stage.WATCH, Progress.STARTED))
    session._view.redraw()
    raise RuntimeError("boom")
sys.exit(session.run_guarded(run))
"""
BUSY = """
import sys, threading
from pathlib import Path
from homelab_hooks.app.session import Session
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.events import Log, StepChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict
session = Session.open("homelab x", ["--output", "live"])
clock, told, pause = SystemClock(), 0, threading.Event()
begin = clock.now()
while not Path(sys.argv[1]).exists():
    session.tell(StepChanged(1, "w", 1, "step", str(told)))
    session.tell(Log("push", "remote: a line"))
    told += 1
    pause.wait(0.002)
code = session.finish(Verdict(exit=ExitCode.OK, label="passed"))
print(told, clock.now() - begin)
sys.exit(code)
"""
DRAWN, ESCAPE, COLOR = b"\x1b[?25l", b"\x1b", re.compile(rb"\x1b\[[0-9;]*m")


class TerminalCommand:
    """A process with a terminal as its standard error and input; standard output is a pipe."""

    def __init__(self, argv: list[str], *, cwd: Path, env: dict[str, str], columns: int = 80, rows: int = 24) -> None:
        self._ours, self._theirs = os.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self._theirs)
        self.chunks: list[bytes] = []
        self.process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=self._theirs, stdout=subprocess.PIPE, stderr=self._theirs,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:
                return
            self.chunks.append(part)

    @property
    def seen(self) -> bytes:
        return b"".join(self.chunks)

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self._ours, (rows, columns))

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text.encode() in self.seen, lambda: repr(self.seen))

    def end(self) -> list[str]:
        """Wait for the end; the lines of standard output."""
        out, _ = self.process.communicate(timeout=HANG_S)
        self.after = termios.tcgetattr(self._theirs)
        os.close(self._theirs)
        self._reader.join(HANG_S)
        return out.decode().splitlines()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def open_terminal(shell: Shell) -> Iterator[Callable[..., TerminalCommand]]:
    """`open_terminal("homelab-watch", ...)`: a command on a terminal of 80 by 24."""
    terminals: list[TerminalCommand] = []

    def one(*argv: str, **environ: str) -> TerminalCommand:
        env = {**shell.environ, **shell.more, "TERM": "linux", **environ}
        terminals.append(TerminalCommand([str(PROGRAMS / argv[0]), *argv[1:]], cwd=shell.directory, env=env))
        return terminals[-1]

    yield one
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[[PipelineTimeline], None]:
    def one(script: PipelineTimeline) -> None:
        woodpecker.push("acme/app", "main", clone.head, script)

    return one


def screen(terminal: TerminalCommand) -> list[str]:
    shown = pyte.Screen(80, 24)
    pyte.ByteStream(shown).feed(terminal.seen)
    return [line.rstrip() for line in shown.display if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_live_watch_leaves_the_terminal_as_it_was(
    open_terminal: Callable[..., TerminalCommand], push: Any, number: signal.Signals, code: int
) -> None:
    push(timelines.make_stuck())
    terminal = open_terminal("homelab-watch")
    terminal.wait_for("running")
    terminal.process.send_signal(number)
    lines = terminal.end()
    assert terminal.process.returncode == code
    assert [line.split()[:3] for line in lines] == [["homelab:", "interrupted", f"exit={code}"]]
    assert terminal.seen.endswith(b"\x1b[?25h")
    assert terminal.after == terminal.before
    assert b"1049" not in terminal.seen
    shown = screen(terminal)
    assert shown[-1].startswith("hint: to resume, run: homelab-watch")
    assert not [line for line in shown if "woodpecker" in line]


def test_an_internal_error_leaves_the_terminal_as_it_was(shell: Shell) -> None:
    env = {**shell.environ, "TERM": "linux", "PYTHONPATH": os.pathsep.join(sys.path)}
    terminal = TerminalCommand([sys.executable, "-c", CRASH], cwd=shell.directory, env=env)
    lines = terminal.end()
    assert [line.split()[1] for line in lines] == ["unreachable"]
    assert terminal.seen.endswith(b"\x1b[?25h")
    assert terminal.after == terminal.before
    shown = screen(terminal)
    assert shown[0].startswith("internal error: RuntimeError: boom")
    assert "Traceback" not in "\n".join(shown)
    terminal.close()


@pytest.mark.parametrize(
    ("options", "environ", "live"),
    [([], {}, True), (["--output", "plain"], {}, False), ([], {"TERM": "dumb"}, False),
     (["--output", "live"], {"TERM": "dumb"}, False), ([], {"HOMELAB_OUTPUT": "plain"}, False)],
    ids=["auto", "plain", "dumb", "dumb-live", "variable"],
)  # fmt: skip
def test_live_is_chosen_on_a_terminal_that_can_be_redrawn(
    open_terminal: Callable[..., TerminalCommand], push: Any, options: list[str], environ: dict[str, str], *, live: bool
) -> None:
    push(timelines.make_green())
    terminal = open_terminal("homelab-watch", *options, **environ)
    assert terminal.end()[-1].startswith("homelab: passed exit=0")
    assert (ESCAPE in terminal.seen) is live


def test_live_can_be_forced_where_stderr_is_not_a_terminal(shell: Shell, push: Any) -> None:
    push(timelines.make_green())
    assert "\x1b" not in shell("homelab-watch", TERM="xterm").err
    assert "\x1b[?25h" in shell("homelab-watch", "--output", "live", TERM="xterm").err


@pytest.mark.slow
@pytest.mark.parametrize(("environ", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_no_color_is_honored(
    open_terminal: Callable[..., TerminalCommand], push: Any, environ: dict[str, str], *, colored: bool
) -> None:
    push(timelines.make_red(log=["boom"]))
    terminal = open_terminal("homelab-watch", **environ)
    assert terminal.end()[-1].startswith("homelab: failed exit=1")
    assert bool(COLOR.search(terminal.seen)) is colored


@pytest.mark.slow
def test_what_a_finished_watch_leaves_is_a_summary(open_terminal: Callable[..., TerminalCommand], push: Any) -> None:
    push(timelines.make_red(exit_code=3, log=["boom"]))
    terminal = open_terminal("homelab-watch")
    terminal.end()
    text = "\n".join(screen(terminal))
    assert re.search(r"✗ #1 push main +failure", text)
    assert "#1 failed: step test of workflow woodpecker failed with exit code 3" in text
    assert "●" not in text


@pytest.mark.slow
def test_it_draws_at_most_ten_times_a_second_however_much_happens(shell: Shell, tmp_path: Path) -> None:
    """Hundreds of events, and lines that stay; a slow machine only draws less often, by the process's own clock."""
    env = {**shell.environ, "TERM": "linux", "PYTHONPATH": os.pathsep.join(sys.path)}
    enough = tmp_path / "enough"
    terminal = TerminalCommand([sys.executable, "-c", BUSY, str(enough)], cwd=shell.directory, env=env)
    wait_until(lambda: terminal.seen.count(DRAWN) >= 15)
    enough.touch()
    verdict, figures = terminal.end()
    terminal.close()
    told, seconds = figures.split()
    assert verdict.startswith("homelab: passed exit=0")
    assert terminal.seen.count(DRAWN) <= 10 * float(seconds) + 2, (told, seconds)


@pytest.mark.slow
def test_after_a_resize_the_next_frame_fits(open_terminal: Callable[..., TerminalCommand], push: Any) -> None:
    push(timelines.make_stuck())
    terminal = open_terminal("homelab-watch")
    terminal.wait_for("running")
    terminal.resize(40, 10)
    size = len(terminal.seen)
    wait_until(lambda: terminal.seen.count(DRAWN) >= terminal.seen[:size].count(DRAWN) + 2)
    wide, narrow = terminal.seen[:size], terminal.seen[size:]
    shown = pyte.HistoryScreen(80, 24)
    stream = pyte.ByteStream(shown)
    stream.feed(wide)
    shown.resize(10, 40)
    stream.feed(narrow)
    assert sum(bool(re.search("#1 push main +running", line)) for line in shown.display) == 1
    drawn = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "", narrow.decode()).split("\n")
    assert all(len(line) < 40 for line in drawn)
    terminal.process.send_signal(signal.SIGINT)
    terminal.end()


@pytest.mark.slow
def test_the_bar_is_there_from_the_first_word_about_a_running_pipeline(
    open_terminal: Callable[..., TerminalCommand], push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    """How long it will take is known from an earlier successful one of the branch."""
    woodpecker.push("acme/app", "main", "a" * 40, timelines.make_green(20.0), after=-60.0)
    push(timelines.make_stuck())
    terminal = open_terminal("homelab-watch")
    terminal.wait_for("s of about ")  # 19 or 20: the server counts whole seconds
    terminal.process.send_signal(signal.SIGINT)
    terminal.end()
