"""Draws docs/live.svg, what a real `homelab demo green` shows while CI runs: `python -m tools.screenshot`."""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 92, 18
PICTURE = Path(__file__).parent.parent / "docs" / "live.svg"
RUNNING = "●"
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""fonts from another server, which a picture does not need"""


def frames() -> list[list[Text]]:
    """The screen after each piece of output."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    found: list[list[Text]] = []
    child, terminal = pty.fork()
    if child == 0:
        command = f'stty cols {COLUMNS} rows {ROWS}; exec "{Path(sys.executable).with_name("homelab")}" demo green'
        os.execve("/bin/sh", ["sh", "-c", command], {**os.environ, "TERM": "xterm-256color"})  # noqa: S606 - no shell is left out
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how a terminal signals its end
            break
        if not piece:
            break
        stream.feed(piece)
        found.append([row(screen, number) for number in range(ROWS)])
    os.waitpid(child, 0)
    return found


def row(screen: pyte.Screen, number: int) -> Text:
    """A row of the screen with its colors."""
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[number][column]
        color = "" if cell.fg == "default" else cell.fg.replace("brown", "yellow")
        style = f"{'bold ' if cell.bold else ''}{color}".strip()
        if text.spans and text.spans[-1].style == style and text.spans[-1].end == len(text):
            text.spans[-1] = text.spans[-1]._replace(end=len(text) + 1)
            text.append(cell.data)
        else:
            text.append(cell.data, style)
    text.rstrip()
    return text


def main() -> None:
    """Draw the moment at which the most is going on."""
    shown = enumerate(frames())
    _, busiest = max(shown, key=lambda at: (sum(RUNNING in text.plain for text in at[1]), at[0]))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        for text in busiest:
            console.print(text)
    drawn = console.export_svg(title="git land", unique_id="live")
    PICTURE.write_text(FONT.sub("", drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
