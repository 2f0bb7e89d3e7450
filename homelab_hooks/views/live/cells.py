"""A row of the live view: pieces of text in tones, and the forms that they take."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.text.sanitize import truncate_text


class Style(StrEnum):
    """How a piece of text is meant; the view turns it into a colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    ACTIVE = "busy"
    WARNING = "loud"
    MUTED = "quiet"
    COLOURED = "coloured"
    """it has colours of its own (SGR sequences)"""


class Span(NamedTuple):
    """A piece of a row."""

    text: str
    style: Style = Style.PLAIN


class Row(NamedTuple):
    """One row."""

    spans: tuple[Span, ...]
    priority: int = 0
    """0 matters most; the highest is left out first where there is no room"""
    wraps: bool = False
    """never cut: it wraps, so that it can be read and copied"""

    @property
    def text(self) -> str:
        """The row without its tones."""
        return "".join(span.text for span in self.spans)


_SYMBOLS = {Style.GOOD: "✓", Style.BAD: "✗", Style.ACTIVE: "●", Style.WARNING: "○", Style.MUTED: "·", Style.PLAIN: "○"}
ASCII_FALLBACK = str.maketrans("✓✗●○·━─│…", "+x*o.#-|~")
"""for terminals that have no more"""
_STATE_STYLES = {
    Style.GOOD: ("success", "done", "deployed"),
    Style.BAD: ("failure", "error", "failed", "killed", "canceled", "declined", "unproven"),
    Style.ACTIVE: ("running", "rolling", "settling"),
    Style.WARNING: ("blocked", "held"),
    Style.MUTED: ("skipped",),
}
_STYLE_BY_STATE = {word: kind for kind, words in _STATE_STYLES.items() for word in words}


def choose_style(state: str) -> Style:
    """How a state is meant; an unknown one says nothing."""
    return _STYLE_BY_STATE.get(state, Style.PLAIN)


def make_state_symbol(state: str) -> Span:
    """The sign of a state; the word stands beside it, so that no colour is needed.

    >>> make_state_symbol("success").text, make_state_symbol("pending").text
    ('✓', '○')
    """
    return make_symbol(choose_style(state))


def make_symbol(style: Style) -> Span:
    """The sign that goes with a tone."""
    return Span(_SYMBOLS[style], style)


def pad_or_truncate(text: str, width: int) -> str:
    """Exactly or at most `width` columns: filled up with blanks, or cut where it is too long.

    >>> pad_or_truncate("build", 8), pad_or_truncate("integration", 8), pad_or_truncate("漢字漢字", 6)
    ('build   ', 'integra…', '漢字… ')
    """
    from rich.cells import cell_len

    truncated = text if cell_len(text) <= width else truncate_text(text, width)
    return truncated + " " * (width - cell_len(truncated))


def make_tree_row(name: str, state: str, time: str, *, indent: int, column: int, priority: int, note: str = "") -> Row:  # noqa: PLR0913 - the parts of a row
    """A line of a tree: sign, name, state and time, below each other whatever the indent."""
    return Row(
        (
            Span(" " * indent),
            make_state_symbol(state),
            Span(f" {pad_or_truncate(name, max(1, column - indent - 2))}  "),
            Span(f"{pad_or_truncate(state, 8)}", choose_style(state)),
            Span(f" {time:>5}"),
            Span(f"  {note}" if note else "", Style.BAD),
        ),
        priority,
    )


def make_bar(share: float, width: int) -> tuple[Span, Span]:
    """A bar that is full to `share`.

    >>> "".join(span.text for span in make_bar(0.5, 4))
    '━━──'
    """
    full = round(max(0.0, min(1.0, share)) * width)
    return Span("━" * full, Style.ACTIVE), Span("─" * (width - full), Style.MUTED)
