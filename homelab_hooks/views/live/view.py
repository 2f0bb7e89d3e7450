"""The live view: a region of the terminal that is redrawn on change and by a ticker, and a permanent scrollback."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from homelab_hooks.events import Event, Log, Result, StageChanged, Start
from homelab_hooks.system.live_region import ScreenLine
from homelab_hooks.text.command_lines import MAX_COMMAND_CHARS
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.text.sanitize import MAX_LINE_WIDTH
from homelab_hooks.views.live.cells import ASCII_FALLBACK, Row, Span, Style
from homelab_hooks.views.live.layout import STAGES_THAT_PROMPT, build_rows, fit_rows_to_height
from homelab_hooks.views.live.scrollback import build_scrollback_rows
from homelab_hooks.views.live.state import LiveState, Timestamp, apply_event
from homelab_hooks.views.plain import format_result_line
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
"""the rich style of each style"""
_LINK = re.compile(r"https?://[!-~]{1,2000}")
"""a URL that can stand in an escape sequence"""
_LINK_ID = re.compile(r"(?<=\x1b\]8;)id=[-0-9]+(?=;)")
"""the random id that rich gives a link at each rendering: a row that has not changed would be written again"""


class Screen(Protocol):
    """The terminal, as the view needs it."""

    def out(self, line: str) -> None:
        """Write a line to stdout."""

    def draw(self, scrollback: Sequence[ScreenLine], live_lines: Sequence[ScreenLine]) -> None:
        """Print `scrollback` permanently, and show `live_lines` in the live region below."""

    @property
    def console(self) -> Console:
        """Return a rich console for the size and colors of the terminal."""


class ViewClock(Protocol):
    """The clock, as the view needs it."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return Unix time in seconds."""


class RedrawTicker(Protocol):
    """Calls `redraw` regularly, and soon after `request_tick`."""

    def start(self) -> None:
        """Start ticking."""

    def request_tick(self) -> None:
        """Tick soon: there is something new to draw."""

    def stop(self) -> None:
        """Stop ticking."""


class LiveView:
    """Shows progress in a live region of stderr, below permanent lines, and prints the result line to stdout.

    Args:
        create_ticker: creates the ticker that calls `redraw` from another thread, on the first event, also after
            `close`.
        has_links: whether the terminal has hyperlinks, or ignores them.
    """

    def __init__(
        self,
        screen: Screen,
        redact: Redactor,
        clock: ViewClock,
        create_ticker: Callable[[Callable[[], None]], RedrawTicker],
        *,
        has_links: bool = False,
    ) -> None:
        self._screen = screen
        self._redact = redact
        self._clock = clock
        self._create_ticker = create_ticker
        self._has_links = has_links
        self._ticker: RedrawTicker | None = None
        self._lock = threading.RLock()
        self._state = LiveState()
        self._scrollback: list[Row] = []

    def tell(self, event: Event) -> None:
        """Show one event: with the next redraw, or immediately if another program may write to the terminal next."""
        sanitized, at = sanitize_event(event, self._redact, color=True), self._timestamp()
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
        """Redraw the live region; nothing is written if nothing changed."""
        with self._lock:
            height = max(1, self._screen.console.size.height - 1)
            shown = fit_rows_to_height(build_rows(self._state, self._timestamp(), self._columns), height)
            self._draw([self._line(row, self._columns - 1) for row in shown])

    def close(self) -> None:
        """Remove the live region and restore the terminal; later events are shown again."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        with self._lock:
            self._draw([])

    def _must_draw_now(self, event: Event) -> bool:
        """Return whether the event must be drawn before `tell` returns: a program that starts next may prompt here."""
        if isinstance(event, Log):
            return event.source == "homelab"
        stage = self._state.stage
        return isinstance(event, Start | StageChanged) or (
            stage is not None and stage.event.stage in STAGES_THAT_PROMPT
        )

    def _draw(self, live_lines: Sequence[ScreenLine]) -> None:
        scrollback, self._scrollback = self._scrollback, []
        self._screen.draw([self._line(row, self._columns - 1) for row in scrollback], live_lines)

    @property
    def _columns(self) -> int:
        return max(20, self._screen.console.size.width)

    def _timestamp(self) -> Timestamp:
        return Timestamp(self._clock.now(), self._clock.wall())

    def _line(self, row: Row, columns: int) -> ScreenLine:
        """Return a row as text with colors, cut or limited to `columns`."""
        from rich.text import Text

        text = Text(end="")
        for span in row.spans:
            text.append_text(self._styled(span))
        limit = MAX_COMMAND_CHARS if row.has_command else MAX_LINE_WIDTH if row.wraps else columns
        text.truncate(limit, overflow="ellipsis")
        text.rstrip()
        with self._screen.console.capture() as written:
            self._screen.console.print(text, soft_wrap=True, end="")
        return ScreenLine(_LINK_ID.sub("", written.get()), text.cell_len)

    def _styled(self, span: Span) -> Text:
        from rich.style import Style as RichStyle
        from rich.text import Text

        if span.style is Style.COLORED:
            return Text.from_ansi(span.text)
        ascii_only = self._screen.console.options.ascii_only
        text = Text(span.text.translate(ASCII_FALLBACK) if ascii_only else span.text, STYLES[span.style])
        if self._has_links and _LINK.fullmatch(span.url):
            text.stylize(RichStyle(link=span.url))
        return text
