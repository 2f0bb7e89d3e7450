"""What is asked on a terminal stays there whole while the live view is shown: our question, and another program's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import PROGRAMS
from tests.hooks.background.terminal_session import Seat

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
def ann(workshop: ScratchRepositories) -> Clone:
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    return clone


@pytest.fixture
def seat(seal: dict[str, str], ann: Clone) -> Iterator[Seat]:
    one = Seat(ann.path, {**seal, "PATH": f"{PROGRAMS}:{seal['PATH']}"})
    yield one
    one.leave()


def wide(seat: Seat, columns: int) -> None:
    seat.type(f"stty cols {columns} rows 30; echo as wide as $COLUMNS.\n")
    seat.wait_for("as wide as .")


def shown(seat: Seat, columns: int) -> str:
    """The screen, each row as long as it is."""
    screen = pyte.Screen(columns, 30)
    pyte.Stream(screen).feed(seat.seen)
    return "".join(screen.display)


def rest() -> None:
    threading.Event().wait(BEATS)


@pytest.mark.parametrize("columns", [40, 80, 150])
def test_our_question_is_whole_until_it_is_answered_and_after(seat: Seat, ann: Clone, columns: int) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made; ls -lsa"\n')
    question = ".homelab.toml sets verify = `echo made; ls -lsa`. Approve this command and run it? [y/N]"
    wide(seat, columns)
    seat.type("git land --no-ci-watch\n")
    seat.wait_for("[y/N]")
    rest()
    assert question in shown(seat, columns)
    assert f"git land: {ann.head[:12]}" in shown(seat, columns).partition(question)[0], "the title comes first"

    seat.type("n\n")

    seat.wait_for("homelab: refused exit=20")
    assert question in shown(seat, columns)


def test_ctrl_c_at_our_question_leaves_it_there(seat: Seat, ann: Clone) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made"\n')
    seat.type("git land --no-ci-watch\n")
    seat.wait_for("[y/N]")
    seat.type("\x03")
    seat.wait_for("homelab: interrupted exit=130")
    assert "Approve this command and run it? [y/N]" in shown(seat, 80)


def test_after_a_yes_the_live_view_goes_on(seat: Seat, ann: Clone) -> None:
    ann.commit(".homelab.toml", 'verify = "echo made"\n')
    seat.type("git land --no-ci-watch\n")
    seat.wait_for("[y/N]")
    seat.type("y\n")
    seat.wait_for("homelab: ok exit=0")
    assert "✓ verify" in shown(seat, 80)


def test_what_ssh_asks_at_once_is_whole(seat: Seat, ann: Clone, tmp_path: Path) -> None:
    script = tmp_path / "ssh"
    script.write_text(ASKS)
    script.chmod(0o755)
    ann.git("config", "core.sshCommand", str(script))
    ann.git("remote", "set-url", "origin", "git@example.test:acme/app.git")
    seat.type("git land --no-ci-watch --no-verify\n")
    seat.wait_for("otp for ")
    rest()
    assert "otp for git@example.test: " in shown(seat, 80)
    seat.type("1\n")
    seat.wait_for("exit=24")
