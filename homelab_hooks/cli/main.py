"""Parses the arguments, runs the command, and maps errors to exit codes."""

from __future__ import annotations

import argparse
import importlib
from functools import partial

from homelab_hooks.cli.help import show_help
from homelab_hooks.cli.verbs import Command, find_verb
from homelab_hooks.errors import CommandError

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import NoReturn

    from homelab_hooks.app.session import Session


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps paragraphs, but not examples and tables, whose lines are indented. Never breaks a word at a hyphen."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = [
            self._wrap_table(block, width - len(indent))
            if "\n " in block
            else "\n".join(self._split_lines(block, width - len(indent)))
            for block in text.split("\n\n")
        ]
        return "\n".join(f"{indent}{line}".rstrip() for line in "\n\n".join(blocks).splitlines())

    def _wrap_table(self, block: str, width: int) -> str:
        """Wrap the rows of a table that are too long, at the column where their last cell begins."""
        lines = []
        for line in block.splitlines():
            start = line.rstrip().rfind("  ") + 2
            if len(line) <= width or not line[:start].strip():  # fits, or has one cell only, which may be a command
                lines.append(line)
                continue
            first, *others = self._split_lines(line[start:], max(width - start, 20))
            lines += [line[:start] + first, *(" " * start + other for other in others)]
        return "\n".join(lines)

    def _split_lines(self, text: str, width: int) -> list[str]:
        import textwrap

        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises CommandError, so that a usage error has a result line too."""

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> object:
        """Take the value of `--option=--` as it is. Before 3.13 argparse removes it and returns an empty list."""
        if arg_strings == ["--"] and action.option_strings and action.nargs in (None, argparse.OPTIONAL):
            value = self._get_value(action, "--")
            self._check_value(action, value)
            return value
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as an error, with a suggestion for a misspelled option."""
        from homelab_hooks.cli.suggestions import suggest_option

        options = [name for action in self._actions for name in action.option_strings]
        unknown = message.partition("unrecognized arguments: ")[2].split(" ")[0]
        hint = f"{suggest_option(unknown, options)} see '{self.prog} -h'".lstrip()
        raise CommandError(message, hint=hint, landed=self.get_default("landed"))


def main(prog: str, words: tuple[str, ...], args: list[str], leave: Callable[[int], int]) -> int:
    """Run the command that `words` name, or else the first of `args`, and return its exit code.

    Args:
        leave: gets the exit code once the result is written; ends the process.
    """
    if not words and args[:1] == ["help"]:
        args = [*args[1:], "--help"]
    verb = find_verb(list(words) or args)
    if verb is None:
        return show_help(prog, args, leave)
    rest = args if words else args[len(verb.words) :]
    module, parser = build_parser(verb, prog if words else f"{prog} {' '.join(verb.words)}")
    if _asks_for_help(rest):  # before anything else: it needs neither a directory nor settings
        parser.epilog = "\n\n".join(
            part for part in (parser.epilog, _examples_text(verb), _exit_codes_text(verb)) if part
        )
        parser.print_help()
        return 0
    return run_in_session(parser.prog, rest, lambda session: int(module.run(parser.parse_args(rest), session)), leave)


def _examples_text(verb: Command) -> str:
    from homelab_hooks.cli.examples import EXAMPLES

    rows = EXAMPLES.get(verb.words, ())
    return "\n".join(["examples:", *(f"  {line}\n      {what}" for line, what in rows)]) if rows else ""


def _exit_codes_text(verb: Command) -> str:
    from homelab_hooks.cli.command_exit_codes import format_exit_codes, list_exit_codes

    return format_exit_codes(list_exit_codes(verb.words))


def run_in_session(prog: str, args: list[str], run: Callable[[Session], int], leave: Callable[[int], int]) -> int:
    """Run in a session, which writes a result in every case, and leave before a signal can change the exit code."""
    from homelab_hooks.app.session import Session
    from homelab_hooks.system.signals import catch_signals

    with catch_signals():
        session = Session.open(prog, args)
        code = session.run_guarded(lambda: run(session))
        if session.settings is not None and session.settings.notify_after is not None:
            from homelab_hooks.app.end_notification import notify_at_end

            notify_at_end(session)
        return leave(code)


def _asks_for_help(args: list[str]) -> bool:
    """Return whether -h or --help is among the options.

    >>> _asks_for_help(["HEAD", "-h"]), _asks_for_help(["--", "-h"])
    (True, False)
    """
    return bool({"-h", "--help"} & set(args[: args.index("--")] if "--" in args else args))


def build_parser(verb: Command, prog: str) -> tuple[ModuleType, CommandParser]:
    """Return a command's module and its parser; the man pages are generated from it too."""
    module = importlib.import_module(f"homelab_hooks.cli.commands.{verb.module}")
    doc = module.__doc__ or ""
    parser = CommandParser(
        prog=prog,
        description=doc.split("\n\n", 1)[1] if "\n\n" in doc else verb.summary,
        formatter_class=partial(argparse.HelpFormatter, width=80),  # of any width: it only checks the arguments
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.formatter_class = _HelpFormatter
    return module, parser
