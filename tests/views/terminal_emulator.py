"""A terminal emulator as the live view's screen, with a fake clock."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import pyte
from rich.console import Console
from wcwidth import wcwidth

from homelab_hooks.events import Event
from homelab_hooks.system.live_region import LiveRegion, ScreenLine, redraw_region
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.live.view import LiveView
from tests.support.clock import FakeClock
from tests.views.scene import SECRETS


class TmuxScreen(pyte.HistoryScreen):
    """A screen that tmux's pane has: erasing all of it from its first cell copies it into the history."""

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        if how == 0 and (self.cursor.x, self.cursor.y) == (0, 0):
            self.history.top.extend(copy(self.buffer[row]) for row in range(self.lines) if self.display[row].strip())
        super().erase_in_display(how, *args, **kwargs)

    @property
    def display(self) -> list[str]:
        """The rows. Half of a wide character whose other half was overwritten is a space; pyte's own raises there."""
        return [self._row(self.buffer[number]) for number in range(self.lines)]

    def _row(self, cells: Any) -> str:
        texts, is_second_half = [], False
        for column in range(self.columns):
            text = cells[column].data
            texts.append(text or ("" if is_second_half else " "))
            is_second_half = bool(text) and wcwidth(text[0]) == 2
        return "".join(texts)


class TerminalEmulator:
    """What a person would see; `written` is every write to stderr, `stdout` every line there."""

    def __init__(self, columns: int, rows: int, *, color: bool = True, encoding: str = "utf-8") -> None:
        self.screen = TmuxScreen(columns, rows, history=1000, ratio=0.5)
        self._stream = pyte.Stream(self.screen)
        self.console = Console(
            file=io.TextIOWrapper(io.BytesIO(), encoding=encoding),
            force_terminal=True,
            color_system="standard" if color else None,
            width=columns,
            height=rows,
        )
        self.written: list[str] = []
        self.stdout: list[str] = []
        self._region = LiveRegion()

    def out(self, line: str) -> None:
        self.draw((), ())
        self.stdout.append(line)
        self._stream.feed(f"{line}\r\n")

    def draw(self, scrollback: Sequence[ScreenLine], live_lines: Sequence[ScreenLine]) -> None:
        text, self._region = redraw_region(
            self._region, scrollback=scrollback, live_lines=live_lines, columns=self.console.width
        )
        if text:
            self.written.append(text)
            self._stream.feed(text)

    def resize(self, columns: int, rows: int) -> None:
        self.console.size = (columns, rows)
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """The screen from its top, without the empty rows at its end."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    @property
    def scrolled(self) -> list[str]:
        """What has left the screen at its top."""
        rows = self.screen.history.top
        return ["".join(row[column].data for column in range(self.screen.columns)).rstrip() for row in rows]


class ManualTicker:
    """A pulse that beats only when a test calls `redraw_region` itself."""

    def __init__(self, beat: Callable[[], None]) -> None:
        del beat
        self.running = False

    def start(self) -> None:
        self.running = True

    def request_tick(self) -> None:
        assert self.running

    def stop(self) -> None:
        self.running = False


class Show:
    """A live view on a terminal emulator."""

    def __init__(self, emulator: TerminalEmulator) -> None:
        self.emulator = emulator
        self.time = FakeClock()
        self.view = LiveView(emulator, Redactor(SECRETS), self.time, ManualTicker, has_links=True)

    def tell(self, *events: Event, every: float = 0.0) -> list[str]:
        """Tell events, `every` seconds apart, draw, and look at the screen."""
        for event in events:
            self.view.tell(event)
            self.time.time += every
        self.view.redraw()
        return self.emulator.lines

    def after(self, seconds: float) -> list[str]:
        """Let time pass, draw, and look at the screen."""
        self.time.time += seconds
        self.view.redraw()
        return self.emulator.lines
