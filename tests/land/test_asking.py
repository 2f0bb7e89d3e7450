"""What is asked on a terminal stays there whole while the live view is shown: our question, and another program's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from homelab_hooks.simulators.repositories import Clone
from tests.cli.shell import PROGRAMS
from tests.hooks.background.terminal_session import TerminalSession

pytestmark = pytest.mark.slow
BEATS = 0.6
"""seconds in which the live view would have drawn over it more than once"""
ASKS = """\
#!/bin/sh
printf 'otp for git@example.test: ' >/dev/tty
read answer </dev/tty
echo 'no such key' >&2
exit 255
"""


@pytest.fixture
def terminal(seal: dict[str, str], ann: Clone) -> Iterator[TerminalSession]:
    one = TerminalSession(ann.path, {**seal, "PATH": f"{PROGRAMS}:{seal['PATH']}"})
    yield one
    one.leave()


def wide(terminal: TerminalSession, columns: int) -> None:
    terminal.type(f"stty cols {columns} rows 30; echo as wide as $COLUMNS.\n")
    terminal.wait_for("as wide as .")


def shown(terminal: TerminalSession, columns: int) -> str:
    """The screen, each row as long as it is."""
    screen = pyte.Screen(columns, 30)
    pyte.Stream(screen).feed(terminal.seen)
    return "".join(screen.display)


def rest() -> None:
    threading.Event().wait(BEATS)


@pytest.mark.parametrize("columns", [40, 80, 150])
def test_our_question_is_whole_until_it_is_answered_and_after(
    terminal: TerminalSession, ann: Clone, columns: int
) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made; ls -lsa"\n')
    question = ".homelab.toml sets verify = `echo made; ls -lsa`. Approve this command and run it? [y/N]"
    wide(terminal, columns)
    terminal.type("git land --no-ci-watch\n")
    terminal.wait_for("[y/N]")
    rest()
    assert question in shown(terminal, columns)
    assert f"git land: {ann.head[:10]}" in shown(terminal, columns).partition(question)[0], "the title comes first"

    terminal.type("n\n")

    terminal.wait_for("homelab: refused exit=20")
    assert question in shown(terminal, columns)


def test_ctrl_c_at_our_question_leaves_it_there(terminal: TerminalSession, ann: Clone) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made"\n')
    terminal.type("git land --no-ci-watch\n")
    terminal.wait_for("[y/N]")
    terminal.type("\x03")
    terminal.wait_for("homelab: interrupted exit=130")
    assert "Approve this command and run it? [y/N]" in shown(terminal, 80)


IN_ANOTHER_THREAD = """
import os, signal, sys, threading
from homelab_hooks.system.signals import catch_signals, run_interruptible
from homelab_hooks.system.terminal import Terminal

def work():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # from here on the other thread gets it
    Terminal(os.environ).ask("really?")

with catch_signals():
    try:
        run_interruptible(work)
    except KeyboardInterrupt:
        print("interrupted", "here")
"""


def test_ctrl_c_that_does_not_interrupt_the_system_call_ends_the_question(
    terminal: TerminalSession, tmp_path: Path
) -> None:
    """As one that arrives just before the call."""
    script = tmp_path / "asks.py"
    script.write_text(IN_ANOTHER_THREAD)
    terminal.type(f"{sys.executable} {script}\n")
    terminal.wait_for("really? [y/N]")
    terminal.type("\x03")
    terminal.wait_for("interrupted here")


def test_after_a_yes_the_live_view_continues(terminal: TerminalSession, ann: Clone) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made"\n')
    terminal.type("git land --no-ci-watch\n")
    terminal.wait_for("[y/N]")
    terminal.type("y\n")
    terminal.wait_for("homelab: landed exit=0")
    assert "✓ verify" in shown(terminal, 80)


def test_what_ssh_asks_at_once_is_whole(terminal: TerminalSession, ann: Clone, tmp_path: Path) -> None:
    script = tmp_path / "ssh"
    script.write_text(ASKS)
    script.chmod(0o755)
    ann.git("config", "core.sshCommand", str(script))
    ann.git("remote", "set-url", "origin", "git@example.test:acme/app.git")
    terminal.type("git land --no-ci-watch --no-verify\n")
    terminal.wait_for("otp for ")
    rest()
    assert "otp for git@example.test: " in shown(terminal, 80)
    terminal.type("1\n")
    terminal.wait_for("exit=24")
