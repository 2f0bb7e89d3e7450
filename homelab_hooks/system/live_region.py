"""Computes the escape sequences that redraw a region at the bottom of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_ERASE_LINE = "\x1b[K"
_ERASE_BELOW = "\x1b[K\x1b[C\x1b[J\r"
"""erases from this line to the end of the screen, but not from the first column: tmux would take that for the screen
being cleared if the line is the first one, and copy the screen into its history"""


class ScreenLine(NamedTuple):
    """A rendered line, including SGR color sequences."""

    text: str
    width: int
    """columns that it occupies"""


class LiveRegion(NamedTuple):
    """What the region shows now, directly above the cursor."""

    lines: tuple[ScreenLine, ...] = ()
    columns: int = 0
    """width of the terminal when it was drawn"""


def redraw_region(
    region: LiveRegion,
    *,
    scrollback: Sequence[ScreenLine] = (),
    live_lines: Sequence[ScreenLine] = (),
    columns: int,
    rewraps: bool = False,
) -> tuple[str, LiveRegion]:
    r"""Return the text to write, empty if nothing changed, and the region that the terminal shows afterwards.

    Each write leaves the cursor visible, in column 1 below the region, and all terminal modes unchanged: the prompt of
    another program is readable there, and a killed process leaves a usable terminal. Lines are overwritten, not erased
    first, so that nothing flickers.

    Args:
        scrollback: lines to print above the region; long ones wrap, so that they can be copied.
        live_lines: the new content of the region.
        rewraps: whether the terminal rewraps long lines when it becomes narrower.

    >>> redraw_region(LiveRegion(), live_lines=[ScreenLine("a", 1)], columns=80)[0]
    '\x1b[?25l\r\x1b[?7la\x1b[K\r\n\x1b[?7h\x1b[K\x1b[C\x1b[J\r\x1b[?25h'
    """
    after = LiveRegion(tuple(live_lines), columns)
    if not scrollback and (after == region or not (live_lines or region.lines)):
        return "", region
    up = count_rows(region, columns) if rewraps else len(region.lines)
    parts = [_HIDE_CURSOR, "\r", f"\x1b[{up}A" if up else ""]
    parts += [
        *(f"{line.text}{_erase_rest(line, columns)}\r\n" for line in scrollback),
        _WRAP_OFF,
        *(f"{line.text}{_ERASE_LINE}\r\n" for line in live_lines),
        _WRAP_ON,
        _ERASE_BELOW,
        _SHOW_CURSOR,
    ]
    return "".join(parts), after


def _erase_rest(line: ScreenLine, columns: int) -> str:
    """Return what erases the rest of a line's last row; that of a full row would erase its last character."""
    return "" if columns and line.width and line.width % columns == 0 else _ERASE_LINE


def count_rows(region: LiveRegion, columns: int) -> int:
    """Return the rows that the region occupies after the terminal has rewrapped it to `columns`.

    >>> count_rows(LiveRegion((ScreenLine("x" * 70, 70), ScreenLine("", 0)), 80), 40)
    3
    """
    if not 0 < columns < region.columns:
        return len(region.lines)
    return sum(max(1, -(-line.width // columns)) for line in region.lines)
