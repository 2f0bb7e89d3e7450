"""Ctrl-Z while the live region is shown: what is on the terminal when the process stops."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from homelab_hooks.system.live_region import ScreenLine
from homelab_hooks.system.terminal import Terminal

REGION = [ScreenLine("● watch", 7)]


class TerminalFile:
    """What a terminal would get; `on_write` is called in the middle of a write."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""
        self.on_write: Callable[[], None] = lambda: None

    def write(self, text: str) -> int:
        self.text += text[:5]
        self.on_write()
        self.text += text[5:]
        return len(text)

    def text_of_shell(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.fixture(autouse=True)
def _unchanged() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTSTP)
    yield
    signal.signal(signal.SIGTSTP, before)


def write_to(file: TerminalFile) -> contextlib.redirect_stderr[Any]:
    return contextlib.redirect_stderr(cast("Any", file))


def press_ctrl_z() -> None:
    os.kill(os.getpid(), signal.SIGTSTP)


def test_the_region_is_gone_before_the_shell_prints_and_is_drawn_again_below() -> None:
    file = TerminalFile()
    with write_to(file):
        terminal = Terminal({"TERM": "xterm"}, stop=lambda: file.text_of_shell("[1]+ Stopped\n"))
        terminal.draw((), REGION)
        press_ctrl_z()
        terminal.draw((), REGION)
    first, _, after = file.text.partition("[1]+ Stopped\n")
    assert first.count("\x1b[1A") == 1
    assert first.endswith("\x1b[J\r\x1b[?25h")
    assert after.count("watch") == 1
    assert "A" not in after


def test_a_write_is_finished_before_the_process_stops() -> None:
    """The stream cannot be written again within its own write, and half a line would be in front of the prompt."""
    file, at_stop = TerminalFile(), list[str]()
    with write_to(file):
        terminal = Terminal({"TERM": "xterm"}, stop=lambda: at_stop.append(file.text))
        terminal.draw((), REGION)
        terminal.draw((), ())
        file.on_write = press_ctrl_z
        terminal.err("a long line")
    assert [text.endswith("a long line\n") for text in at_stop] == [True]


def test_a_process_that_shows_nothing_leaves_ctrl_z_alone() -> None:
    file = TerminalFile()
    with write_to(file):
        Terminal({"TERM": "xterm"}).err("a line")
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
    assert file.text == "a line\n"


def test_a_process_that_a_shell_keeps_from_stopping_is_not_stopped() -> None:
    file = TerminalFile()
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    with write_to(file):
        Terminal({"TERM": "xterm"}).draw((), REGION)
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN
    assert "watch" in file.text
