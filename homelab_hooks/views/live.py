"""The live view: one region of the terminal, drawn again on change and once a second, and a summary that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from homelab_hooks.events import Event, Log, Result, StageChanged, Start
from homelab_hooks.region import Line
from homelab_hooks.text import WIDTH, Redactor
from homelab_hooks.views.board import Board, Moment, fold
from homelab_hooks.views.fit import fit
from homelab_hooks.views.lasting import lasting
from homelab_hooks.views.row import IN_ASCII, Row, Span, Tone
from homelab_hooks.views.rows import PROMPTS, cropped, rows
from homelab_hooks.views.wording import result_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.BUSY: "cyan",
    Tone.LOUD: "yellow",
    Tone.QUIET: "dim",
}
"""rich's words for each tone"""


class Screen(Protocol):
    """Where the view is drawn."""

    def out(self, line: str) -> None:
        """A line to stdout."""

    def draw(self, lasting: Sequence[str], frame: Sequence[Line]) -> None:
        """Add lines that stay, and have the region show `frame`."""

    @property
    def console(self) -> Console:
        """Rich's idea of the terminal: its size, and the colours it has."""


class Clock(Protocol):
    """Time, as the view needs it."""

    def now(self) -> float:
        """Seconds that never run backwards."""

    def wall(self) -> float:
        """Unix seconds."""


class Pulse(Protocol):
    """Has the view redrawn from time to time, and soon after a nudge."""

    def start(self) -> None:
        """From now on."""

    def nudge(self) -> None:
        """There is something new."""

    def stop(self) -> None:
        """No redraw from now on."""


class Live:
    """Progress as one region of stderr that shows what is going on, below lines that stay; the result line on stdout.

    Args:
        pulse: makes what calls `redraw` from another thread; started with the first event, also after `close`.
    """

    def __init__(
        self, screen: Screen, redact: Redactor, clock: Clock, pulse: Callable[[Callable[[], None]], Pulse]
    ) -> None:
        self._screen = screen
        self._redact = redact
        self._clock = clock
        self._pulses = pulse
        self._pulse: Pulse | None = None
        self._lock = threading.RLock()
        self._board = Board()
        self._lasting: list[Row] = []

    def tell(self, event: Event) -> None:
        """Show one event: with the next redraw, or at once where somebody else may write soon."""
        told, at = fit(event, self._redact, colour=True), self._moment()
        with self._lock:
            self._lasting += lasting(self._board, told, at, self._columns)
            self._board = fold(self._board, told, at)
        if isinstance(told, Result):
            self.close()
            self._screen.out(result_line(told))
            return
        if self._pulse is None:
            self._pulse = self._pulses(self.redraw)
            self._pulse.start()
        if self._before_others(event):
            self.redraw()
        else:
            self._pulse.nudge()

    def redraw(self) -> None:
        """Draw what is new; where nothing is, nothing is written."""
        with self._lock:
            height = max(1, self._screen.console.size.height - 1)
            frame = cropped(rows(self._board, self._moment(), self._columns), height)
            self._draw([self._line(row, self._columns - 1) for row in frame])

    def close(self) -> None:
        """Leave only what stays, and the terminal as it was found; what is told later is shown again."""
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None
        with self._lock:
            self._draw([])

    def _before_others(self, event: Event) -> bool:
        """Whether it must stand there when this returns: a program that is started next may ask on this terminal."""
        if isinstance(event, Log):
            return event.source == "homelab"
        stage = self._board.stage
        return isinstance(event, Start | StageChanged) or (stage is not None and stage.event.stage in PROMPTS)

    def _draw(self, frame: Sequence[Line]) -> None:
        told, self._lasting = self._lasting, []
        self._screen.draw([self._line(row, self._columns - 1).text for row in told], frame)

    @property
    def _columns(self) -> int:
        return max(20, self._screen.console.size.width)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.wall())

    def _line(self, row: Row, columns: int) -> Line:
        """A row as it is written."""
        from rich.text import Text

        text = Text(end="")
        for span in row.spans:
            text.append_text(self._styled(span))
        text.truncate(WIDTH if row.whole else columns, overflow="ellipsis")
        text.rstrip()
        with self._screen.console.capture() as written:
            self._screen.console.print(text, soft_wrap=True, end="")
        return Line(written.get(), text.cell_len)

    def _styled(self, span: Span) -> Text:
        from rich.text import Text

        if span.tone is Tone.COLOURED:
            return Text.from_ansi(span.text)
        ascii_only = self._screen.console.options.ascii_only
        return Text(span.text.translate(IN_ASCII) if ascii_only else span.text, STYLES[span.tone])
