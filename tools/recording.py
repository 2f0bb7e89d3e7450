"""Records a command in a terminal of 80 columns, and draws it as an animated SVG without a script."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

import pyte

COLUMNS, ROWS = 80, 32
FRAME_INTERVAL_S = 0.25
LAST_FRAME_S = 5.0
"""how long the end is shown before the recording starts again"""
CELL_WIDTH_PX, CELL_HEIGHT_PX, MARGIN_PX = 8.4, 18, 12
COLORS = {
    "red": "#f47067", "green": "#57ab5a", "brown": "#c69026", "blue": "#539bf5", "magenta": "#b083f0",
    "cyan": "#39c5cf", "white": "#adbac7", "brightblack": "#768390", "black": "#545d68",
}  # fmt: skip
STYLE = """rect{fill:#22272e}text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#cdd9e5;\
white-space:pre}.b{font-weight:bold}.h{visibility:hidden}@media(prefers-reduced-motion:reduce){text{animation:none!important}}"""


class Span(NamedTuple):
    """Neighbouring characters of one color."""

    column: int
    text: str
    color: str
    is_bold: bool


Line = tuple[Span, ...]


class Frame(NamedTuple):
    """What the terminal showed from this second on."""

    at_s: float
    lines: tuple[Line, ...]


class Shown(NamedTuple):
    """When a line was shown; without an end, it stayed."""

    from_s: float
    until_s: float | None


def record(command: Sequence[str]) -> list[Frame]:
    """Run the command in a terminal, and return each different screen with its time."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    frames: list[Frame] = []
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execve(command[0], [*command], {**os.environ, "TERM": "xterm-256color"})  # noqa: S606 - no shell is left out
    began = time.monotonic()
    while piece := _read(terminal):
        stream.feed(piece)
        frames.append(Frame(time.monotonic() - began, tuple(_line(screen, row) for row in range(ROWS))))
    os.waitpid(child, 0)
    return frames


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a terminal signals its end
        return b""


def _line(screen: pyte.Screen, row: int) -> Line:
    cells = [screen.buffer[row][column] for column in range(COLUMNS)]
    spans: list[Span] = []
    for column, cell in enumerate(cells):
        last = spans[-1] if spans else None
        color = cell.fg if cell.fg in COLORS else ""
        if last and (last.color, last.is_bold) == (color, cell.bold):
            spans[-1] = last._replace(text=last.text + cell.data)
        else:
            spans.append(Span(column, cell.data, color, cell.bold))
    return tuple(span._replace(text=span.text.rstrip()) for span in spans if span.text.strip())


def thin_out(frames: Iterable[Frame]) -> list[Frame]:
    """Keep the last screen of each interval: no more changes than the eye follows.

    >>> [frame.at_s for frame in thin_out([Frame(0.26, ()), Frame(0.3, ((),)), Frame(0.9, ())])]
    [0.25, 0.75]
    """
    kept: dict[float, Frame] = {}
    for frame in frames:
        at_s = frame.at_s // FRAME_INTERVAL_S * FRAME_INTERVAL_S
        kept[at_s] = frame._replace(at_s=at_s)
    return list(kept.values())


def draw(frames: Sequence[Frame], *, title: str) -> str:
    """Draw the frames as one SVG. Where nothing is animated, it shows the last one.

    A line that stays the same for several frames is drawn once, and lines with the same times share their animation.
    """
    total_s = frames[-1].at_s + LAST_FRAME_S
    times: dict[Shown, str] = {}
    lines: list[str] = []
    used = 1 + max(row for frame in frames for row, line in enumerate(frame.lines) if line)
    for row in range(used):
        for line, shown in _runs(frames, row):
            name = "" if shown == Shown(0.0, None) else times.setdefault(shown, f"t{len(times)}")
            lines.append(_text(line, row, f"{name} h" if shown.until_s is not None else name))
    width, height = COLUMNS * CELL_WIDTH_PX + 2 * MARGIN_PX, used * CELL_HEIGHT_PX + 2 * MARGIN_PX
    colors = "".join(f".{name}{{fill:{value}}}" for name, value in COLORS.items())
    animations = "".join(_animation(shown, name, total_s) for shown, name in times.items())
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}{colors}{animations}</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="8"/>',
        *lines,
        "</svg>\n",
    ])  # fmt: skip


def _runs(frames: Sequence[Frame], row: int) -> Iterable[tuple[Line, Shown]]:
    """Each line that a row shows, as long as it stays the same; empty ones are not drawn."""
    began = frames[0]
    for before, after in zip(frames, [*frames[1:], None], strict=True):
        if after is not None and after.lines[row] == before.lines[row]:
            continue
        if before.lines[row]:
            yield before.lines[row], Shown(0.0 if began is frames[0] else began.at_s, after.at_s if after else None)
        if after is not None:
            began = after


def _text(line: Line, row: int, classes: str) -> str:
    y_px = MARGIN_PX + row * CELL_HEIGHT_PX + 14
    spans = "".join(
        f'<tspan x="{MARGIN_PX + span.column * CELL_WIDTH_PX:g}" textLength="{len(span.text) * CELL_WIDTH_PX:g}"'
        f"{_class(f'{span.color} b' if span.is_bold else span.color)}>{escape(span.text)}</tspan>"
        for span in line
    )
    return f'<text y="{y_px}" xml:space="preserve"{_class(classes)}>{spans}</text>'


def _class(names: str) -> str:
    return f' class="{names.strip()}"' if names.strip() else ""


def _animation(shown: Shown, name: str, total_s: float) -> str:
    """Show what has this name from its beginning to its end, again and again."""
    steps = {0.0: "hidden", shown.from_s: "visible"}
    if shown.until_s is not None:
        steps[shown.until_s] = "hidden"
    keys = "".join(f"{100 * at_s / total_s:.2f}%{{visibility:{what}}}" for at_s, what in steps.items())
    return f".{name}{{animation:{name} {total_s:g}s step-end infinite}}@keyframes {name}{{{keys}}}"
