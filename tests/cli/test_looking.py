"""Commands that look once, at a terminal: what stands last, and what is said while nothing answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pyte
import pytest

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import PROGRAMS, Shell
from tests.hooks.background.terminal_session import TerminalSession

pytestmark = pytest.mark.slow
DEAD = {"HOMELAB_CI_DIAL": "127.0.0.1:9"}


@pytest.fixture
def open_terminal(shell: Shell) -> Iterator[Callable[..., TerminalSession]]:
    terminals: list[TerminalSession] = []

    def one(**environ: str) -> TerminalSession:
        path = f"{PROGRAMS}:{shell.environ['PATH']}"
        terminals.append(TerminalSession(shell.directory, {**shell.environ, **shell.more, "PATH": path, **environ}))
        return terminals[-1]

    yield one
    for terminal in terminals:
        terminal.leave()


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[[PipelineTimeline], None]:
    def one(script: PipelineTimeline) -> None:
        woodpecker.push("acme/app", "main", clone.head, script)

    return one


def shown(terminal: TerminalSession) -> list[str]:
    """The rows of the screen that say something."""
    screen = pyte.Screen(80, 25)
    pyte.Stream(screen).feed(terminal.seen)
    return [row.rstrip() for row in screen.display if row.strip()]


def row_of(terminal: TerminalSession, words: str) -> int:
    return next(place for place, row in enumerate(shown(terminal)) if row.startswith(words))


def test_the_result_line_stands_below_the_table(
    open_terminal: Callable[..., TerminalSession], push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    """The table has only what no row above it shows."""
    woodpecker.push("acme/app", "main", "b" * 40, timelines.make_green(), after=-60.0)
    push(timelines.make_stuck())
    terminal = open_terminal()
    terminal.type("homelab ci status; echo 'end'\n")
    terminal.wait_for("\r\nend\r\n")
    assert row_of(terminal, "other pipelines of main:") + 1 == row_of(terminal, "  #1")
    assert row_of(terminal, "  #1") < row_of(terminal, "homelab: timeout exit=124")
    assert shown(terminal)[-2] == "end"
    assert row_of(terminal, "homelab: timeout exit=124") > row_of(terminal, "hint: ")


@pytest.mark.parametrize("output", ["plain", "json"])
def test_the_table_is_the_live_views(open_terminal: Callable[..., TerminalSession], push: Any, output: str) -> None:
    push(timelines.make_stuck())
    terminal = open_terminal()
    terminal.type(f"homelab ci status --output {output}; echo 'end'\n")
    terminal.wait_for("\r\nend\r\n")
    assert not [row for row in shown(terminal) if row.startswith("#1  ")]


@pytest.mark.parametrize(
    "command",
    ["homelab ci status", "homelab ci status --output plain HEAD", "homelab ci logs --all", "homelab ci restart"],
)
def test_a_dead_server_is_reported_after_five_seconds_and_ctrl_c_says_how_to_ask_again(
    open_terminal: Callable[..., TerminalSession], command: str
) -> None:
    terminal = open_terminal(**DEAD)
    terminal.type(f"{command}\n")
    terminal.wait_for("no usable response")
    terminal.type("\x03")
    terminal.wait_for("homelab: interrupted exit=130")
    terminal.wait_for(" took=")
    assert re.search(r" took=([5-9]|\d\d+)\.", terminal.seen), "by its own clock"
    assert f"hint: to try again, run: {command}" in "\n".join(shown(terminal))
