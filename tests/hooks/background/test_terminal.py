"""A push from a terminal: the verdict in the foreground, Ctrl-C, and the bell of a watch in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyte
import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.terminal import ring_bell
from tests.hooks.background.sandbox import PushSandbox
from tests.hooks.background.terminal_session import TerminalSession
from tests.waiting import wait_until

OpenTerminal = Callable[..., TerminalSession]


@pytest.fixture
def open_terminal(sandbox: PushSandbox) -> Iterator[OpenTerminal]:
    """`open_terminal(kind="xterm", NAME=value)`; without a command for notifications."""
    terminals: list[TerminalSession] = []

    def one(*, kind: str = "xterm", **environ: str) -> TerminalSession:
        terminals.append(
            TerminalSession(sandbox.clone.path, {**sandbox.environ, "HOMELAB_NOTIFY": "", **environ}, kind=kind)
        )
        return terminals[-1]

    yield one
    for terminal in terminals:
        if terminal.shell.poll() is None:
            terminal.leave()


@pytest.mark.slow
def test_on_a_terminal_the_foreground_is_the_default(sandbox: PushSandbox, open_terminal: OpenTerminal) -> None:
    sandbox.commit(timelines.make_red(log=["boom"]))
    terminal = open_terminal()
    terminal.type("git push --quiet origin HEAD:main; echo code $?\n")
    terminal.wait_for("code 0\r\n")
    assert "homelab: failed exit=1" in terminal.seen


@pytest.mark.slow
def test_ctrl_c_ends_the_watch_leaves_the_push_and_says_how_to_resume(
    sandbox: PushSandbox, open_terminal: OpenTerminal, workshop: ScratchRepositories
) -> None:
    sha = sandbox.commit(timelines.make_stuck())
    terminal = open_terminal()
    terminal.type("git push --quiet origin HEAD:main; echo code $?\n")
    wait_until(lambda: sandbox.woodpecker.count("pipelines") > 0)
    terminal.wait_for("running")

    terminal.type("\x03")

    wait_until(lambda: f"homelab follow {sha}" in terminal.seen)
    terminal.wait_for("homelab: interrupted exit=130")
    assert workshop.server_commit() == sha
    assert sandbox.clone.sha("origin/main") == sha
    assert sandbox.record()["result"]["exit"] == 130


@pytest.mark.slow
def test_the_final_output_after_ctrl_c_leaves_the_shells_prompt_where_it_is(
    sandbox: PushSandbox, open_terminal: OpenTerminal
) -> None:
    """Git is dead by then, and the shell asks for the next command."""
    sandbox.commit(timelines.make_stuck())
    terminal = open_terminal()
    terminal.type("git push --quiet origin HEAD:main\n")
    terminal.wait_for("running")
    begun = len(terminal.seen)
    terminal.type("\x03")
    terminal.wait_for("homelab: interrupted exit=130")

    wait_until(lambda: "$ " in terminal.seen[begun:])
    screen = pyte.Screen(80, 25)
    pyte.Stream(screen).feed(terminal.seen)
    rows = [row.rstrip() for row in screen.display if row.strip()]
    # The shell may ask at any moment, also between two of our lines: then the next one is in the row of its prompt.
    assert any(row.startswith("$") or row.endswith("$") for row in rows), repr(terminal.seen[begun:])
    assert any("homelab: interrupted exit=130" in row for row in rows), "\n".join(rows)


@pytest.mark.slow
def test_a_watch_in_the_background_rings_the_terminal_of_the_push_with_our_own_words(
    sandbox: PushSandbox, open_terminal: OpenTerminal
) -> None:
    sandbox.config("homelab.postPush", "background")
    sha = sandbox.commit(timelines.make_green())
    terminal = open_terminal()

    terminal.type("git push --quiet origin HEAD:main; echo code $?\n")

    terminal.wait_for("code 0\r\n")
    terminal.wait_for(f"\a\x1b]0;homelab: passed exit=0 {sha[:10]}\a")
    after = terminal.seen.rpartition("code 0\r\n")[2]
    assert after.replace(f"\a\x1b]0;homelab: passed exit=0 {sha[:10]}\a", "") == "$ ", "nothing else is written"


@pytest.mark.slow
def test_a_terminal_that_has_gone_is_not_missed(sandbox: PushSandbox, open_terminal: OpenTerminal) -> None:
    sandbox.config("homelab.postPush", "background")
    sha = sandbox.commit(timelines.make_stuck())
    terminal = open_terminal()
    terminal.type("git push --quiet origin HEAD:main; echo code $?\n")
    terminal.wait_for("code 0\r\n")

    terminal.leave()
    other = open_terminal()  # it may get the same device; its session is another
    sandbox.passes(sha)

    assert sandbox.record()["result"]["verdict"] == "passed"
    assert "\a" not in other.seen


@pytest.mark.parametrize(
    ("kind", "written"),
    [("xterm-256color", "\a\x1b]0;words\a"), ("linux", "\a"), ("vt220", "\a"), ("dumb", ""), ("", "")],
)
def test_a_kind_of_terminal_gets_what_it_does_not_show(workshop: ScratchRepositories, kind: str, written: str) -> None:
    terminal = TerminalSession(workshop.folder, workshop.environ)
    terminal.wait_for("$ ")
    try:
        assert ring_bell(terminal.name, title="words", term=kind) is bool(written)
        terminal.type("echo end\n")
        terminal.wait_for("\r\nend\r\n")
        assert terminal.seen.replace("echo end\r\nend\r\n", "").replace("$ ", "") == written
    finally:
        terminal.leave()


def test_what_is_not_a_terminal_is_left_alone(tmp_path: object) -> None:
    path = f"{tmp_path}/file"
    with open(path, "w", encoding="utf-8"):  # noqa: PTH123 - a plain file
        pass
    assert not ring_bell(path, title="words", term="xterm")
    assert not ring_bell(f"{path}-gone", title="words", term="xterm")
