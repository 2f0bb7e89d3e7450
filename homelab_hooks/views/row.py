"""A row of the live view: pieces of text in tones, and the forms that they take."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.text import short


class Tone(StrEnum):
    """How a piece of text is meant; the view turns it into a colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    LOUD = "loud"
    QUIET = "quiet"
    COLOURED = "coloured"
    """it has colours of its own (SGR sequences)"""


class Span(NamedTuple):
    """A piece of a row."""

    text: str
    tone: Tone = Tone.PLAIN


class Row(NamedTuple):
    """One row."""

    spans: tuple[Span, ...]
    rank: int = 0
    """0 matters most; the highest is left out first where there is no room"""
    whole: bool = False
    """never cut: it wraps, so that it can be read and copied"""

    @property
    def text(self) -> str:
        """The row without its tones."""
        return "".join(span.text for span in self.spans)


_MARKS = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.BUSY: "●", Tone.LOUD: "○", Tone.QUIET: "·", Tone.PLAIN: "○"}
IN_ASCII = str.maketrans("✓✗●○·━─│…", "+x*o.#-|~")
"""for terminals that have no more"""
_TONES = {
    Tone.GOOD: ("success", "done", "deployed"),
    Tone.BAD: ("failure", "error", "failed", "killed", "canceled", "declined", "unproven"),
    Tone.BUSY: ("running", "rolling", "settling"),
    Tone.LOUD: ("blocked", "held"),
    Tone.QUIET: ("skipped",),
}
_OF_STATE = {word: kind for kind, words in _TONES.items() for word in words}


def tone(state: str) -> Tone:
    """How a state is meant; an unknown one says nothing."""
    return _OF_STATE.get(state, Tone.PLAIN)


def mark(state: str) -> Span:
    """The sign of a state; the word stands beside it, so that no colour is needed.

    >>> mark("success").text, mark("pending").text
    ('✓', '○')
    """
    return sign(tone(state))


def sign(kind: Tone) -> Span:
    """The sign that goes with a tone."""
    return Span(_MARKS[kind], kind)


def fitted(text: str, width: int) -> str:
    """Exactly or at most `width` columns: filled up with blanks, or cut where it is too long.

    >>> fitted("build", 8), fitted("integration", 8), fitted("漢字漢字", 6)
    ('build   ', 'integra…', '漢字… ')
    """
    from rich.cells import cell_len

    cut = text if cell_len(text) <= width else short(text, width)
    return cut + " " * (width - cell_len(cut))


def entry(name: str, state: str, time: str, *, indent: int, column: int, rank: int, note: str = "") -> Row:  # noqa: PLR0913 - the parts of a row
    """A line of a tree: sign, name, state and time, below each other whatever the indent."""
    return Row(
        (
            Span(" " * indent),
            mark(state),
            Span(f" {fitted(name, max(1, column - indent - 2))}  "),
            Span(f"{fitted(state, 8)}", tone(state)),
            Span(f" {time:>5}"),
            Span(f"  {note}" if note else "", Tone.BAD),
        ),
        rank,
    )


def bar(share: float, width: int) -> tuple[Span, Span]:
    """A bar that is full to `share`.

    >>> "".join(span.text for span in bar(0.5, 4))
    '━━──'
    """
    full = round(max(0.0, min(1.0, share)) * width)
    return Span("━" * full, Tone.BUSY), Span("─" * (width - full), Tone.QUIET)
