"""Writes the list of modules, exit codes, settings, and diagrams into the documents: `python -m tools.docs`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.exit_codes import EXIT_MEANINGS, ExitCode
from tools.diagrams import landing_states, push_sequence
from tools.events_page import events_part
from tools.syntax import tree

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "homelab_hooks"


def modules() -> list[Path]:
    """Every module of the package, folders after the files beside them."""
    return sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.relative_to(PACKAGE).parts) > 1, path.as_posix()))


def sentence(path: Path) -> str:
    """The first line of a module's docstring."""
    doc = ast.get_docstring(tree(path)) or ""
    return doc.partition("\n")[0]


def the_modules() -> str:
    """A line for each module."""
    return "\n".join(f"- `{path.relative_to(PACKAGE).as_posix()}`: {sentence(path)}" for path in modules())


def the_exits() -> str:
    """The table of exit codes; 143 is listed with 130."""
    rows = [f"| {int(code)} | {code.verdict} | {EXIT_MEANINGS[code]} |" for code in ExitCode]
    return "\n".join(["| code | name | meaning |", "|---|---|---|", *rows])


def the_settings() -> str:
    """The table of settings."""
    head = "| what | option | environment | git config | `.homelab.toml` | default |"
    rows = [
        "| " + " | ".join(cell.replace("|", r"\|") for cell in (
            setting.description,
            f"`{setting.option} {setting.metavar}`" if setting.option else "",
            ", ".join(f"`{name}`" for name in setting.env),
            f"`{setting.git}`" if setting.git else "",
            f"`{setting.tracked}`" if setting.tracked else "never",
            f"`{setting.default}`" if setting.default else setting.default_label,
        )) + " |"
        for setting in SETTINGS
    ]  # fmt: skip
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


PARTS = {
    "docs/modules.md": ("modules", the_modules),
    "README.md": ("exits", the_exits),
    "docs/settings.md": ("settings", the_settings),
    "docs/events.md": ("events", events_part),
    "docs/landing.md": ("states", landing_states),
    "docs/hooks.md": ("sequence", push_sequence),
}


def written(name: str) -> str:
    """A document with its generated part as it should be."""
    mark, made = PARTS[name]
    text = (ROOT / name).read_text(encoding="utf-8")
    whole = f"<!-- {mark} -->\n{made()}\n<!-- /{mark} -->"
    return re.sub(rf"<!-- {mark} -->\n.*?<!-- /{mark} -->", lambda _: whole, text, count=1, flags=re.DOTALL)


def main() -> None:
    """Write all."""
    for name in PARTS:
        (ROOT / name).write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main()
