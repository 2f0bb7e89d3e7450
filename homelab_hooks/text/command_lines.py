r"""Folds long lines that contain a command, so that the command can still be copied into a shell.

A line that is too long is cut, but a command that is cut cannot be run, or does something else. So the text before the
command becomes a line of its own, and the command continues after a backslash on the next lines.
"""

from __future__ import annotations

import re

from homelab_hooks.text.sanitize import MAX_LINE_WIDTH, truncate_text

MAX_COMMAND_CHARS = 4000
"""characters of a line with a command that are shown; longer ones are cut"""
_COMMAND_START = re.compile(r"(?:^|: |\b(?:run|with|or|and|then) )(?=(?:homelab(?:-watch)?|git|kubectl|vault) \S)")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^'\"]+|.", re.DOTALL)


def find_command(text: str) -> int | None:
    """Return where the first command in a message begins; None if there is none.

    >>> find_command("to resume, run: homelab-watch HEAD"), find_command("the run failed")
    (16, None)
    """
    found = _COMMAND_START.search(text)
    return found.end() if found else None


def fold_line(text: str, width: int = MAX_LINE_WIDTH) -> list[str]:
    r"""Return a line as lines of at most `width` columns: folded if it contains a command, otherwise cut.

    >>> fold_line("to resume, run: homelab-watch v1 --repo 'a b'", 26)
    ['to resume, run:', 'homelab-watch v1 \\', "--repo 'a b'"]
    >>> fold_line("a long reason", 7)
    ['a long…']
    """
    if _columns(text) <= width:
        return [text]
    start = find_command(text)
    if start is None:
        return [truncate_text(text, width)]
    before, rest = text[:start].rstrip(), text[start:]
    lines = [truncate_text(before, width)] if before else []
    if len(rest) > MAX_COMMAND_CHARS:
        rest = truncate_text(rest, MAX_COMMAND_CHARS)
    while _columns(rest) > width:
        line, rest = _split_command(rest, width)
        lines.append(line)
    return [*lines, rest]


def _split_command(command: str, width: int) -> tuple[str, str]:
    """Return the first line of a command, with a backslash at its end, and the rest.

    It is split between two words if possible, else within one: the shell joins the parts again.
    """
    places, quotes = _scan(command, width - 2)
    spaces = [place for place in places if command[place] == " " and not quotes[place] and place]
    if spaces:
        return f"{command[: spaces[-1]]} \\", command[spaces[-1] + 1 :]
    cut = max((place for place in places[1:] if quotes[place] != '"'), default=places[-1])
    quote = quotes[cut]
    return f"{command[:cut]}{quote}\\", f"{quote}{command[cut:]}"


def _scan(command: str, width: int) -> tuple[list[int], dict[int, str]]:
    """Return the places in the first `width` columns, and the quote character that each place is within, or empty."""
    quotes: dict[int, str] = {}
    for part in _QUOTED.finditer(command):
        text = part.group()
        is_quoted = len(text) > 1 and text[0] in "'\""
        for place in range(part.start(), part.end()):
            quotes[place] = text[0] if is_quoted and place > part.start() else ""
    taken, places = 0, []
    for place, char in enumerate(command):
        taken += _char_columns(char)
        if taken > width - 1:
            break
        places.append(place)
    return places, quotes


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_char_columns, text))


def _char_columns(char: str) -> int:
    from unicodedata import east_asian_width

    return 2 if east_asian_width(char) in "WF" else 1
