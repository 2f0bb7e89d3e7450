"""Writes the map in CONTRIBUTING.md and the exit codes in README.md from the code: `python -m tests.map`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from homelab_hooks.exits import MEANING, Exit

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "homelab_hooks"


def modules() -> list[Path]:
    """Every module of the package, folders after the files beside them."""
    return sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.relative_to(PACKAGE).parts) > 1, path.as_posix()))


def sentence(path: Path) -> str:
    """The first line of a module's docstring."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return doc.partition("\n")[0]


def the_map() -> str:
    """A line for each module."""
    return "\n".join(f"- `{path.relative_to(PACKAGE).as_posix()}`: {sentence(path)}" for path in modules())


def the_exits() -> str:
    """The table of exit codes; 143 is told with 130."""
    rows = [f"| {int(code)} | {code.verdict} | {MEANING[code]} |" for code in Exit]
    return "\n".join(["| code | name | meaning |", "|---|---|---|", *rows])


PARTS = {"CONTRIBUTING.md": ("map", the_map), "README.md": ("exits", the_exits)}


def written(name: str) -> str:
    """A document with its generated part as it should be."""
    mark, made = PARTS[name]
    text = (ROOT / name).read_text(encoding="utf-8")
    whole = f"<!-- {mark} -->\n{made()}\n<!-- /{mark} -->"
    return re.sub(rf"<!-- {mark} -->\n.*?<!-- /{mark} -->", lambda _: whole, text, count=1, flags=re.DOTALL)


def main() -> None:
    """Write both."""
    for name in PARTS:
        (ROOT / name).write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main()
