"""Generate man pages and shell completions from the argument parsers when a wheel is built.

Completions are generated at build time so that completing a word does not start Python.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab
from argparse_manpage.manpage import Manpage
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from homelab_hooks import __version__  # noqa: E402 - the package is found in the source tree
from homelab_hooks.cli.examples import EXAMPLES  # noqa: E402 - as above
from homelab_hooks.cli.main import build_parser  # noqa: E402 - as above
from homelab_hooks.cli.verbs import COMMANDS, Command  # noqa: E402 - as above
from homelab_hooks.config.schema import SETTINGS  # noqa: E402 - as above
from homelab_hooks.exit_codes import EXIT_MEANINGS  # noqa: E402 - as above

OUTPUT = ROOT / "build" / "manuals"
# Shells expand completion candidates: a branch named `$(command)` must not be offered.
_REFS = "git for-each-ref --format='%(refname:short)' {} 2>/dev/null | grep -xE '[A-Za-z0-9][A-Za-z0-9._/@+-]*'"
COMPLETES = {
    "COMMIT": shtab.cmd(_REFS.format("refs/heads refs/tags")),
    "BRANCH": shtab.cmd(_REFS.format("refs/heads")),
    "PATH": shtab.FILE,
}
"""the completion of each metavar"""
GIT_LAND = """
# complete `git land` from git's own completion
_git_land() {
  local begin=$((__git_cmd_idx)) words=("${COMP_WORDS[@]}")
  COMP_WORDS=(git-land "${words[@]:begin + 1}")
  COMP_CWORD=$((COMP_CWORD - begin))
  _shtab_git_land
}
"""


class Manuals(BuildHookInterface[Any]):
    """Adds the man pages and completions to the wheel's data, where `man` and the shells find them."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate the files before a wheel is built."""
        del version
        if self.target_name != "wheel":
            return
        for place, text in manuals():
            path = OUTPUT / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(path)] = place


def manuals() -> Iterator[tuple[str, str]]:
    """Yield each file: its path relative to the prefix, and its text."""
    # Reproducible: the date is SOURCE_DATE_EPOCH, and the width does not depend on the terminal.
    os.environ["COLUMNS"] = "100"
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")
    for parser, commands in _programs():
        yield f"share/man/man1/{parser.prog}.1", page(parser, commands)
        bash = shtab.complete(parser, "bash") + (GIT_LAND if parser.prog == "git-land" else "")
        yield f"share/bash-completion/completions/{parser.prog}", bash
        yield f"share/zsh/site-functions/_{parser.prog}", shtab.complete(parser, "zsh")
        yield f"share/fish/vendor_completions.d/{parser.prog}.fish", shtab.complete(parser, "fish")


def _programs() -> Iterator[tuple[argparse.ArgumentParser, list[Command]]]:
    yield homelab(), list(COMMANDS)
    for command in COMMANDS:
        if command.alias:
            parser = _set_completions(build_parser(command, command.alias.replace(" ", "-"))[1])
            parser.add_argument("--version", action="store_true", help="show the version")
            yield parser, [command]


def homelab() -> argparse.ArgumentParser:
    """Return one parser for `homelab` with all its subcommands."""
    parser = argparse.ArgumentParser(prog="homelab", description="Land a branch, watch CI, and wait for the rollout.")
    parser.add_argument("--version", action="store_true", help="show the version")
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND")
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        if command.hidden:
            continue
        *group, name = command.words
        if group and group[0] not in groups:
            names = [each.words[1] for each in COMMANDS if each.words[0] == group[0] and not each.hidden]
            group_parser = subcommands.add_parser(group[0], help=", ".join(names))
            groups[group[0]] = group_parser.add_subparsers(title="commands", metavar="COMMAND")
        model = build_parser(command, " ".join(("homelab", *command.words)))[1]
        model.add_help = False
        parent = groups[group[0]] if group else subcommands
        parent.add_parser(
            name,
            help=command.summary,
            description=model.description,
            parents=[_set_completions(model)],
            conflict_handler="resolve",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    return parser


def _set_completions(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Set the completion of each argument by its metavar, and return the parser."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them, and shtab reads them too
        if action.metavar in COMPLETES:
            action.complete = COMPLETES[str(action.metavar)]  # type: ignore[attr-defined]  # the attribute that shtab reads
    return parser


def page(parser: argparse.ArgumentParser, commands: list[Command]) -> str:
    """Return the man page of a program and its subcommands."""
    manual = Manpage(
        parser, _data={"project_name": "homelab-hooks", "version": __version__, "manual_title": "Git Manual"}
    )
    manual.description = commands[0].summary if len(commands) == 1 else "land branches, watch CI, and wait for rollouts"
    codes = "\n".join(
        f".TP\n.B {int(code)}\n{code.verdict}: {_roff(meaning)}." for code, meaning in EXIT_MEANINGS.items()
    )
    manual.add_section("exit status", ">", codes)
    manual.add_section("environment", ">", _variables())
    manual.add_section("configuration", ">", _configuration())
    examples = [row for command in commands for row in EXAMPLES.get(command.words, ())]
    manual.add_section("examples", ">", "\n".join(f".TP\n.B {_roff(line)}\n{_roff(what)}." for line, what in examples))
    others = [name for name in ("homelab", "homelab-watch", "git-land") if name != parser.prog]
    references = ", ".join(f"\\fB{_roff(name)}\\fR(1)" for name in (*others, "git", "kubectl"))
    manual.add_section("see also", ">", references)
    return str(manual)


def _variables() -> str:
    rows = [(name, setting.description) for setting in SETTINGS for name in setting.env]
    rows += [
        ("WOODPECKER_TOKEN, WP_TOKEN", "CI token; default: read from Vault, then from git's credential helpers"),
        ("VAULT_TOKEN", "Vault token; default: ~/.vault-token"),
        ("HOMELAB_NO_WATCH", "1: do not watch CI after a plain git push"),
        ("HOMELAB_ALLOW_HTTP", "1: allow http:// servers on other machines"),
        ("HOMELAB_DEBUG", "1: print a traceback on an internal error"),
        ("NO_COLOR", "disable colors in the live view"),
    ]
    return "\n".join(f".TP\n.B {_roff(name)}\n{_roff(what)}." for name, what in rows)


def _configuration() -> str:
    rows = [(setting.git, setting.description, setting.tracked) for setting in SETTINGS if setting.git]
    head = "Precedence: option, environment, git config, the tracked file \\fB.homelab.toml\\fR, default.\n"
    return head + "\n".join(
        f".TP\n.B {_roff(key)}\n{_roff(what)}." + (f" In .homelab.toml: {_roff(name)}." if name else "")
        for key, what, name in rows
    )


def _roff(text: str) -> str:
    """Return text escaped for a man page."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
