"""Prints the list of commands."""

from __future__ import annotations

import argparse
import sys
from itertools import takewhile

from homelab_hooks.cli.verbs import COMMANDS, GROUPS, Command

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def show_help(prog: str, args: list[str], leave: Callable[[int], int]) -> int:
    """Print the list of commands; for a missing or unknown command, exit with 2 and a suggestion."""
    words = list(takewhile(lambda arg: not arg.startswith("-"), args))[:2]
    group = [verb for verb in COMMANDS if words and verb.words[0] == words[0] and len(verb.words) > 1]
    shown = group or [verb for verb in COMMANDS if not verb.hidden]
    helps = bool({"-h", "--help"} & set(args)) and (not words or bool(group))
    if helps:
        _command_list(prog, shown, words[0] if group else "").print_help()
        return 0
    if not words or (group and len(words) == 1):
        _command_list(prog, shown, words[0] if group else "").print_help(sys.stderr)
    from homelab_hooks.cli.main import run_in_session  # main imports this module
    from homelab_hooks.cli.suggestions import unknown_command

    def refuse(_: object) -> int:
        raise unknown_command(prog, words, args)

    return run_in_session(prog, args, refuse, leave)


def _command_list(prog: str, verbs: Sequence[Command], group: str) -> argparse.ArgumentParser:
    """Return a parser whose help lists these commands.

    Args:
        group: the first word of each command; empty for a list of all commands.
    """
    usage = f"{prog} {group} [-h] COMMAND ..." if group else f"{prog} [-h] [--version] COMMAND ..."
    parser = argparse.ArgumentParser(
        prog=prog,
        add_help=False,
        usage=usage,
        description=GROUPS[group],
        epilog=f"Use '{' '.join((prog, *([group] if group else [])))} COMMAND -h' for more about a command.",
    )
    for title, rows in (
        ("commands", [verb for verb in verbs if not verb.hidden]),
        ("commands that hooks call", [verb for verb in verbs if verb.hidden]),
    ):
        listed = parser.add_argument_group(title) if rows else parser
        for verb in rows:
            also = f" (also: {verb.alias})" if verb.alias else ""
            name = " ".join(verb.words).removeprefix(f"{group} ")
            listed.add_argument(name, help=verb.summary + also, action="store_true")
    return parser
