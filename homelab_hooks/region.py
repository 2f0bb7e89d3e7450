"""The part of a terminal that is drawn again and again: what to write so that it shows what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_CLIP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_REST_OF_LINE, _REST_OF_SCREEN = "\x1b[K", "\x1b[J"


class Line(NamedTuple):
    """One line, colours included."""

    text: str
    cells: int
    """columns that it takes"""


class Region(NamedTuple):
    """What stands on the screen, right above the cursor."""

    lines: tuple[Line, ...] = ()
    columns: int = 0
    """how wide the terminal was"""


def redraw(
    region: Region, *, lasting: Sequence[str] = (), frame: Sequence[Line] = (), columns: int, reflows: bool = False
) -> tuple[str, Region]:
    r"""What to write, empty where all stands already, and what stands then.

    Each write leaves the cursor visible, below the region and at the left, and everything else as it was: a prompt of
    another program is readable there, and a killed process leaves a usable terminal. Lines are written over, never
    erased first, so that nothing flickers.

    Args:
        lasting: lines that go above the region and stay; long ones wrap, so that they can be copied whole.
        frame: the region from now on.
        reflows: the terminal breaks long lines anew when it gets narrower.

    >>> redraw(Region(), frame=[Line("a", 1)], columns=80)[0]
    '\x1b[?25l\r\x1b[?7la\x1b[K\r\n\x1b[?7h\x1b[J\x1b[?25h'
    """
    after = Region(tuple(frame), columns)
    if not lasting and (after == region or not (frame or region.lines)):
        return "", region
    up = rows(region, columns) if reflows else len(region.lines)
    parts = [_HIDE, "\r", f"\x1b[{up}A" if up else ""]
    if lasting:
        parts += [_REST_OF_SCREEN, *(f"{line}\r\n" for line in lasting)]
    parts += [_CLIP, *(f"{line.text}{_REST_OF_LINE}\r\n" for line in frame), _WRAP, _REST_OF_SCREEN, _SHOW]
    return "".join(parts), after


def rows(region: Region, columns: int) -> int:
    """How many rows the region takes now, in a terminal that breaks its lines at `columns`.

    >>> rows(Region((Line("x" * 70, 70), Line("", 0)), 80), 40)
    3
    """
    if not 0 < columns < region.columns:
        return len(region.lines)
    return sum(max(1, -(-line.cells // columns)) for line in region.lines)
