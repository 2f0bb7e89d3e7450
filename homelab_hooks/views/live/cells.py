"""Rows of the live view: styled spans, state symbols, tree rows, and progress bars."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.text.sanitize import elide_middle, truncate_text


class Style(StrEnum):
    """The meaning of a span; the view maps it to a color."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    ACTIVE = "busy"
    WARNING = "loud"
    MUTED = "quiet"
    COLORED = "colored"
    """the text contains its own SGR colors"""


class Span(NamedTuple):
    """A piece of a row in one style."""

    text: str
    style: Style = Style.PLAIN
    url: str = ""
    """the page that opens when the text is clicked"""


class Row(NamedTuple):
    """One row of the live view or the scrollback."""

    spans: tuple[Span, ...]
    priority: int = 0
    """0 is most important; the highest is dropped first if there is not enough room"""
    wraps: bool = False
    """wrapped instead of truncated, so that it can be read and copied"""
    has_command: bool = False
    """not truncated at all: a command that is cut cannot be run"""

    @property
    def text(self) -> str:
        """Return the text of the row without styles."""
        return "".join(span.text for span in self.spans)


_SYMBOLS = {Style.GOOD: "✓", Style.BAD: "✗", Style.ACTIVE: "●", Style.WARNING: "○", Style.MUTED: "·", Style.PLAIN: "○"}
ASCII_FALLBACK = str.maketrans("✓✗●○·━─│…", "+x*o.#-|~")
"""replacements for terminals that only support ASCII"""
_STATE_STYLES = {
    Style.GOOD: ("success", "done", "deployed"),
    Style.BAD: ("failure", "error", "failed", "killed", "canceled", "declined", "unproven"),
    Style.ACTIVE: ("running", "progressing", "settling"),
    Style.WARNING: ("blocked",),
    Style.MUTED: ("skipped",),
}
_STYLE_BY_STATE = {state: style for style, states in _STATE_STYLES.items() for state in states}


def choose_style(state: str) -> Style:
    """Return the style of a state; PLAIN if it is unknown."""
    return _STYLE_BY_STATE.get(state, Style.PLAIN)


def make_state_symbol(state: str) -> Span:
    """Return the symbol of a state; the state is printed next to it, so color is not required.

    >>> make_state_symbol("success").text, make_state_symbol("pending").text
    ('✓', '○')
    """
    return make_symbol(choose_style(state))


def make_symbol(style: Style) -> Span:
    """Return the symbol of a style."""
    return Span(_SYMBOLS[style], style)


def pad_or_elide(text: str, width: int) -> str:
    """Return text padded, or cut in its middle, to exactly `width` columns.

    >>> pad_or_elide("build", 8), pad_or_elide("test (PY=3.11)", 8)
    ('build   ', 'test…11)')
    """
    return pad_or_truncate(elide_middle(text, width), width)


def pad_or_truncate(text: str, width: int) -> str:
    """Return text padded or truncated to exactly `width` columns.

    >>> pad_or_truncate("build", 8), pad_or_truncate("integration", 8), pad_or_truncate("漢字漢字", 6)
    ('build   ', 'integra…', '漢字… ')
    """
    from rich.cells import cell_len

    truncated = text if cell_len(text) <= width else truncate_text(text, width)
    return truncated + " " * (width - cell_len(truncated))


def make_tree_row(  # noqa: PLR0913 - the parts of a row
    name: str, state: str, time: str, *, indent: int, column: int, priority: int, note: str = "", url: str = ""
) -> Row:
    """Return a tree row: symbol, name, state, and time, in columns that do not depend on the indent.

    Args:
        url: the page that the first word of the name links to.
    """
    first, gap, rest = pad_or_elide(name, max(1, column - indent - 2)).partition(" ")
    return Row(
        (
            Span(" " * indent),
            make_state_symbol(state),
            Span(" "),
            Span(first, url=url),
            Span(f"{gap}{rest}  "),
            Span(f"{pad_or_truncate(state, 8)}", choose_style(state)),
            Span(f" {time:>5}"),
            Span(f"  {note}" if note else "", Style.BAD),
        ),
        priority,
    )


def make_bar(share: float, width: int) -> tuple[Span, Span]:
    """Return a progress bar of `width` columns, filled to `share` (0 to 1).

    >>> "".join(span.text for span in make_bar(0.5, 4))
    '━━──'
    """
    full = round(max(0.0, min(1.0, share)) * width)
    return Span("━" * full, Style.ACTIVE), Span("─" * (width - full), Style.MUTED)
