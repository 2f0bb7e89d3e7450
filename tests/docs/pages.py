"""The commands that the README and the pages under docs/ show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ENDS = re.compile(r"#.*\b(?:ends|ended) with (\d+)")


class Shown(NamedTuple):
    """A command as a page shows it, and the code that it is to end with."""

    page: str
    line: str
    code: int


def commands() -> Iterator[Shown]:
    """Every `$ command` of every block marked as console; a line continued with a backslash is one command."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in _BLOCK.findall(text):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    ends = _ENDS.search(line)
                    yield Shown(page, line[2:], int(ends[1]) if ends else 0)
