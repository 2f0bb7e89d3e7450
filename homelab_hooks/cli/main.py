"""From argv to one call to an exit code; nothing that goes wrong is a traceback."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import NoReturn

from homelab_hooks.cli.table import VERBS, Verb, find
from homelab_hooks.errors import Problem, Terminated


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are Problems, so that a usage error has a result line too."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise Problem(message, hint=f"{self.prog} -h tells the usage")


def main(prog: str, words: tuple[str, ...], args: list[str]) -> int:
    """Run the verb that `words` or the first of `args` name."""
    verb = find(list(words) or args)
    if verb is None:
        return _overview(prog, args)
    rest = args if words else args[len(verb.words) :]
    module = importlib.import_module(f"homelab_hooks.cli.{verb.module}")
    parser = _parser(prog if words else f"{prog} {' '.join(verb.words)}", verb, module.__doc__ or "")
    module.arguments(parser)
    from homelab_hooks.cli.session import Session

    session = Session.open(parser.prog, rest)
    try:
        return session.guard(lambda: module.run(parser.parse_args(rest), session))
    except (KeyboardInterrupt, Terminated):
        return 130  # a second Ctrl-C, while the last words were being said


def _parser(prog: str, verb: Verb, doc: str) -> Parser:
    description = doc.split("\n\n", 1)[1] if "\n\n" in doc else verb.summary
    return Parser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def _overview(prog: str, args: list[str]) -> int:
    """The list of verbs; 0 when it was asked for, 2 when a verb is missing or unknown."""
    parser = argparse.ArgumentParser(prog=prog, add_help=False, usage=f"{prog} [-h] [--version] VERB ...")
    group = [verb for verb in VERBS if args and verb.words[0] == args[0] and len(verb.words) > 1]
    verbs = parser.add_argument_group("verbs", "each has -h")
    for verb in group or VERBS:
        also = f" (also: {verb.alias})" if verb.alias else ""
        verbs.add_argument(" ".join(verb.words), help=verb.summary + also, action="store_true")
    asked = not args or any(arg in {"-h", "--help", "help"} for arg in args)
    stream = sys.stdout if asked and args else sys.stderr
    if not asked:
        sys.stderr.write(f"{prog}: there is no verb {' '.join(args[:2])!r}\n")
    parser.print_help(stream)
    return 0 if asked and args else 2
