"""The live view: one region of the terminal, drawn again on change and once a second, and a summary that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from homelab_hooks.events import Event, Log, Result, StageChanged, Start
from homelab_hooks.system.live_region import ScreenLine
from homelab_hooks.text.sanitize import MAX_LINE_WIDTH, Redactor
from homelab_hooks.views.format import format_result_line
from homelab_hooks.views.live.cells import ASCII_FALLBACK, Row, Span, Style
from homelab_hooks.views.live.layout import STAGES_THAT_PROMPT, build_rows, fit_rows_to_height
from homelab_hooks.views.live.scrollback import build_scrollback_rows
from homelab_hooks.views.live.state import LiveState, Timestamp, apply_event
from homelab_hooks.views.sanitize import sanitize_event

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    Style.PLAIN: "",
    Style.GOOD: "green",
    Style.BAD: "bold red",
    Style.ACTIVE: "cyan",
    Style.WARNING: "yellow",
    Style.MUTED: "dim",
}
"""rich's words for each tone"""


class Screen(Protocol):
    """Where the view is drawn."""

    def out(self, line: str) -> None:
        """A line to stdout."""

    def draw(self, scrollback: Sequence[str], live_lines: Sequence[ScreenLine]) -> None:
        """Add lines that stay, and have the region show `live_lines`."""

    @property
    def console(self) -> Console:
        """Rich's idea of the terminal: its size, and the colours it has."""


class ViewClock(Protocol):
    """Time, as the view needs it."""

    def now(self) -> float:
        """Seconds that never run backwards."""

    def wall(self) -> float:
        """Unix seconds."""


class RedrawTicker(Protocol):
    """Has the view redrawn from time to time, and soon after a nudge."""

    def start(self) -> None:
        """From now on."""

    def request_tick(self) -> None:
        """There is something new."""

    def stop(self) -> None:
        """No redraw from now on."""


class LiveView:
    """Progress as one region of stderr that shows what is going on, below lines that stay; the result line on stdout.

    Args:
        create_ticker: makes what calls `redraw` from another thread; started with the first event, also after `close`.
    """

    def __init__(
        self,
        screen: Screen,
        redact: Redactor,
        clock: ViewClock,
        create_ticker: Callable[[Callable[[], None]], RedrawTicker],
    ) -> None:
        self._screen = screen
        self._redact = redact
        self._clock = clock
        self._create_ticker = create_ticker
        self._ticker: RedrawTicker | None = None
        self._lock = threading.RLock()
        self._state = LiveState()
        self._scrollback: list[Row] = []

    def tell(self, event: Event) -> None:
        """Show one event: with the next redraw, or at once where somebody else may write soon."""
        sanitized, at = sanitize_event(event, self._redact, colour=True), self._timestamp()
        with self._lock:
            self._scrollback += build_scrollback_rows(self._state, sanitized, at, self._columns)
            self._state = apply_event(self._state, sanitized, at)
        if isinstance(sanitized, Result):
            self.close()
            self._screen.out(format_result_line(sanitized))
            return
        if self._ticker is None:
            self._ticker = self._create_ticker(self.redraw)
            self._ticker.start()
        if self._must_draw_now(event):
            self.redraw()
        else:
            self._ticker.request_tick()

    def redraw(self) -> None:
        """Draw what is new; where nothing is, nothing is written."""
        with self._lock:
            height = max(1, self._screen.console.size.height - 1)
            shown = fit_rows_to_height(build_rows(self._state, self._timestamp(), self._columns), height)
            self._draw([self._line(row, self._columns - 1) for row in shown])

    def close(self) -> None:
        """Leave only what stays, and the terminal as it was found; what is told later is shown again."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        with self._lock:
            self._draw([])

    def _must_draw_now(self, event: Event) -> bool:
        """Whether it must stand there when this returns: a program that is started next may ask on this terminal."""
        if isinstance(event, Log):
            return event.source == "homelab"
        stage = self._state.stage
        return isinstance(event, Start | StageChanged) or (
            stage is not None and stage.event.stage in STAGES_THAT_PROMPT
        )

    def _draw(self, live_lines: Sequence[ScreenLine]) -> None:
        scrollback, self._scrollback = self._scrollback, []
        self._screen.draw([self._line(row, self._columns - 1).text for row in scrollback], live_lines)

    @property
    def _columns(self) -> int:
        return max(20, self._screen.console.size.width)

    def _timestamp(self) -> Timestamp:
        return Timestamp(self._clock.now(), self._clock.wall())

    def _line(self, row: Row, columns: int) -> ScreenLine:
        """A row as it is written."""
        from rich.text import Text

        text = Text(end="")
        for span in row.spans:
            text.append_text(self._styled(span))
        text.truncate(MAX_LINE_WIDTH if row.wraps else columns, overflow="ellipsis")
        text.rstrip()
        with self._screen.console.capture() as written:
            self._screen.console.print(text, soft_wrap=True, end="")
        return ScreenLine(written.get(), text.cell_len)

    def _styled(self, span: Span) -> Text:
        from rich.text import Text

        if span.style is Style.COLOURED:
            return Text.from_ansi(span.text)
        ascii_only = self._screen.console.options.ascii_only
        return Text(span.text.translate(ASCII_FALLBACK) if ascii_only else span.text, STYLES[span.style])
