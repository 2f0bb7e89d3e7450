"""A push from a terminal: the verdict in the foreground, Ctrl-C, and the bell of a watch in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyte
import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.terminal import ring_bell
from tests.hooks.background.sandbox import Desk
from tests.hooks.background.terminal_session import Seat
from tests.waiting import wait_until

Sit = Callable[..., Seat]


@pytest.fixture
def sit(desk: Desk) -> Iterator[Sit]:
    """`sit(kind="xterm", NAME=value)`; without a command for notifications."""
    seats: list[Seat] = []

    def one(*, kind: str = "xterm", **environ: str) -> Seat:
        seats.append(Seat(desk.clone.path, {**desk.environ, "HOMELAB_NOTIFY": "", **environ}, kind=kind))
        return seats[-1]

    yield one
    for seat in seats:
        if seat.shell.poll() is None:
            seat.leave()


@pytest.mark.slow
def test_on_a_terminal_the_foreground_is_the_default(desk: Desk, sit: Sit) -> None:
    desk.commit(timelines.make_red(log=["boom"]))
    seat = sit()
    seat.type("git push --quiet origin HEAD:main; echo code $?\n")
    seat.wait_for("code 0\r\n")
    assert "homelab: failed exit=1" in seat.seen


@pytest.mark.slow
def test_ctrl_c_ends_the_watch_leaves_the_push_and_says_how_to_go_on(
    desk: Desk, sit: Sit, workshop: ScratchRepositories
) -> None:
    sha = desk.commit(timelines.make_stuck())
    seat = sit()
    seat.type("git push --quiet origin HEAD:main; echo code $?\n")
    wait_until(lambda: desk.site.count("pipelines") > 0)
    seat.wait_for("running")

    seat.type("\x03")

    wait_until(lambda: f"homelab-watch {sha}" in seat.seen)
    seat.wait_for("homelab: interrupted exit=130")
    assert workshop.server_commit() == sha
    assert desk.clone.sha("origin/main") == sha
    assert desk.record()["result"]["exit"] == 130


@pytest.mark.slow
def test_the_last_words_after_ctrl_c_leave_the_shells_prompt_where_it_is(desk: Desk, sit: Sit) -> None:
    """Git is dead by then, and the shell asks for the next command."""
    desk.commit(timelines.make_stuck())
    seat = sit()
    seat.type("git push --quiet origin HEAD:main\n")
    seat.wait_for("running")
    begun = len(seat.seen)
    seat.type("\x03")
    seat.wait_for("homelab: interrupted exit=130")

    wait_until(lambda: "$ " in seat.seen[begun:])
    screen = pyte.Screen(80, 25)
    pyte.Stream(screen).feed(seat.seen)
    rows = [row.rstrip() for row in screen.display if row.strip()]
    # The shell may ask at any moment, also between our look for it and our last line: then both are in one row.
    assert any(row.startswith("$") or row.endswith("$") for row in rows), rows
    assert any("homelab: interrupted exit=130" in row for row in rows), rows


@pytest.mark.slow
def test_a_watch_in_the_background_rings_the_terminal_of_the_push_with_our_own_words(desk: Desk, sit: Sit) -> None:
    desk.config("homelab.postPush", "background")
    sha = desk.commit(timelines.make_green())
    seat = sit()

    seat.type("git push --quiet origin HEAD:main; echo code $?\n")

    seat.wait_for("code 0\r\n")
    seat.wait_for(f"\a\x1b]0;homelab: passed exit=0 {sha[:10]}\a")
    after = seat.seen.rpartition("code 0\r\n")[2]
    assert after.replace(f"\a\x1b]0;homelab: passed exit=0 {sha[:10]}\a", "") == "$ ", "nothing else is written"


@pytest.mark.slow
def test_a_terminal_that_has_gone_is_not_missed(desk: Desk, sit: Sit) -> None:
    desk.config("homelab.postPush", "background")
    sha = desk.commit(timelines.make_stuck())
    seat = sit()
    seat.type("git push --quiet origin HEAD:main; echo code $?\n")
    seat.wait_for("code 0\r\n")

    seat.leave()
    other = sit()  # it may get the same device; its session is another
    desk.passes(sha)

    assert desk.record()["result"]["verdict"] == "passed"
    assert "\a" not in other.seen


@pytest.mark.parametrize(
    ("kind", "written"),
    [("xterm-256color", "\a\x1b]0;words\a"), ("linux", "\a"), ("vt220", "\a"), ("dumb", ""), ("", "")],
)
def test_a_kind_of_terminal_gets_what_it_does_not_show(workshop: ScratchRepositories, kind: str, written: str) -> None:
    seat = Seat(workshop.folder, workshop.environ)
    seat.wait_for("$ ")
    try:
        assert ring_bell(seat.name, title="words", term=kind) is bool(written)
        seat.type("echo end\n")
        seat.wait_for("\r\nend\r\n")
        assert seat.seen.replace("echo end\r\nend\r\n", "").replace("$ ", "") == written
    finally:
        seat.leave()


def test_what_is_no_terminal_is_left_alone(tmp_path: object) -> None:
    path = f"{tmp_path}/file"
    with open(path, "w", encoding="utf-8"):  # noqa: PTH123 - a plain file
        pass
    assert not ring_bell(path, title="words", term="xterm")
    assert not ring_bell(f"{path}-gone", title="words", term="xterm")
