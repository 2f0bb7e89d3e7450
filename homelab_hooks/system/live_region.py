"""The part of a terminal that is drawn again and again: what to write so that it shows what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_ERASE_LINE, _ERASE_SCREEN = "\x1b[K", "\x1b[J"


class ScreenLine(NamedTuple):
    """One line, colours included."""

    text: str
    width: int
    """columns that it takes"""


class LiveRegion(NamedTuple):
    """What stands on the screen, right above the cursor."""

    lines: tuple[ScreenLine, ...] = ()
    columns: int = 0
    """how wide the terminal was"""


def redraw_region(
    region: LiveRegion,
    *,
    scrollback: Sequence[str] = (),
    live_lines: Sequence[ScreenLine] = (),
    columns: int,
    rewraps: bool = False,
) -> tuple[str, LiveRegion]:
    r"""What to write, empty where all stands already, and what stands then.

    Each write leaves the cursor visible, below the region and at the left, and everything else as it was: a prompt of
    another program is readable there, and a killed process leaves a usable terminal. Lines are written over, never
    erased first, so that nothing flickers.

    Args:
        scrollback: lines that go above the region and stay; long ones wrap, so that they can be copied whole.
        live_lines: the region from now on.
        rewraps: the terminal breaks long lines anew when it gets narrower.

    >>> redraw_region(LiveRegion(), live_lines=[ScreenLine("a", 1)], columns=80)[0]
    '\x1b[?25l\r\x1b[?7la\x1b[K\r\n\x1b[?7h\x1b[J\x1b[?25h'
    """
    after = LiveRegion(tuple(live_lines), columns)
    if not scrollback and (after == region or not (live_lines or region.lines)):
        return "", region
    up = count_rows(region, columns) if rewraps else len(region.lines)
    parts = [_HIDE_CURSOR, "\r", f"\x1b[{up}A" if up else ""]
    if scrollback:
        parts += [_ERASE_SCREEN, *(f"{line}\r\n" for line in scrollback)]
    parts += [
        _WRAP_OFF,
        *(f"{line.text}{_ERASE_LINE}\r\n" for line in live_lines),
        _WRAP_ON,
        _ERASE_SCREEN,
        _SHOW_CURSOR,
    ]
    return "".join(parts), after


def count_rows(region: LiveRegion, columns: int) -> int:
    """How many rows the region takes now, in a terminal that breaks its lines at `columns`.

    >>> count_rows(LiveRegion((ScreenLine("x" * 70, 70), ScreenLine("", 0)), 80), 40)
    3
    """
    if not 0 < columns < region.columns:
        return len(region.lines)
    return sum(max(1, -(-line.width // columns)) for line in region.lines)
