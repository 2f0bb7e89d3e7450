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
from tests.hooks.background.terminal_session import Seat

pytestmark = pytest.mark.slow
DEAD = {"HOMELAB_CI_DIAL": "127.0.0.1:9"}


@pytest.fixture
def sit(shell: Shell) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def one(**environ: str) -> Seat:
        path = f"{PROGRAMS}:{shell.environ['PATH']}"
        seats.append(Seat(shell.directory, {**shell.environ, **shell.more, "PATH": path, **environ}))
        return seats[-1]

    yield one
    for seat in seats:
        seat.leave()


@pytest.fixture
def push(site: WoodpeckerSimulator, clone: Clone) -> Callable[[PipelineTimeline], None]:
    def one(script: PipelineTimeline) -> None:
        site.push("acme/app", "main", clone.head, script)

    return one


def shown(seat: Seat) -> list[str]:
    """The rows of the screen that say something."""
    screen = pyte.Screen(80, 25)
    pyte.Stream(screen).feed(seat.seen)
    return [row.rstrip() for row in screen.display if row.strip()]


def row_of(seat: Seat, words: str) -> int:
    return next(place for place, row in enumerate(shown(seat)) if row.startswith(words))


def test_the_result_line_stands_below_the_table(sit: Callable[..., Seat], push: Any) -> None:
    push(timelines.make_stuck())
    seat = sit()
    seat.type("homelab ci status; echo 'end'\n")
    seat.wait_for("\r\nend\r\n")
    assert row_of(seat, "#1  ") < row_of(seat, "homelab: timeout exit=124")
    assert shown(seat)[-2] == "end"
    assert row_of(seat, "homelab: timeout exit=124") > row_of(seat, "hint: ")


@pytest.mark.parametrize("output", ["plain", "json"])
def test_the_table_is_the_live_views(sit: Callable[..., Seat], push: Any, output: str) -> None:
    push(timelines.make_stuck())
    seat = sit()
    seat.type(f"homelab ci status --output {output}; echo 'end'\n")
    seat.wait_for("\r\nend\r\n")
    assert not [row for row in shown(seat) if row.startswith("#1  ")]


@pytest.mark.parametrize(
    "command", ["homelab ci status", "homelab ci status --output plain HEAD", "homelab ci logs --all"]
)
def test_a_dead_server_is_told_of_after_five_seconds_and_ctrl_c_says_how_to_ask_again(
    sit: Callable[..., Seat], command: str
) -> None:
    seat = sit(**DEAD)
    seat.type(f"{command}\n")
    seat.wait_for("lost contact")
    seat.type("\x03")
    seat.wait_for("homelab: interrupted exit=130")
    seat.wait_for(" took=")
    assert re.search(r" took=([5-9]|\d\d+)\.", seat.seen), "by its own clock"
    assert f"hint: run it again: {command}" in "\n".join(shown(seat))
