"""From argv to one call to an exit code; nothing that goes wrong is a traceback."""

from __future__ import annotations

import argparse
import importlib
import sys

from homelab_hooks.cli.table import VERBS, Verb, find
from homelab_hooks.errors import Problem, Terminated

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from homelab_hooks.cli.session import Session


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
    if _asks_for_help(rest):  # before anything else: it needs neither a directory nor settings
        parser.print_help()
        return 0
    return _guarded(parser.prog, rest, lambda session: int(module.run(parser.parse_args(rest), session)))


def _guarded(prog: str, args: list[str], run: Callable[[Session], int]) -> int:
    from homelab_hooks.cli.session import Session

    session = Session.open(prog, args)
    try:
        return session.guard(lambda: run(session))
    except (KeyboardInterrupt, Terminated):
        return 130  # a second Ctrl-C, while the last words were being said


def _asks_for_help(args: list[str]) -> bool:
    """Whether -h or --help is among the options.

    >>> _asks_for_help(["HEAD", "-h"]), _asks_for_help(["--", "-h"])
    (True, False)
    """
    return bool({"-h", "--help"} & set(args[: args.index("--")] if "--" in args else args))


def _parser(prog: str, verb: Verb, doc: str) -> Parser:
    description = doc.split("\n\n", 1)[1] if "\n\n" in doc else verb.summary
    return Parser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def _overview(prog: str, args: list[str]) -> int:
    """The list of verbs; 2 where a verb is missing or unknown."""
    parser = argparse.ArgumentParser(prog=prog, add_help=False, usage=f"{prog} [-h] [--version] VERB ...")
    group = [verb for verb in VERBS if args and verb.words[0] == args[0] and len(verb.words) > 1]
    verbs = parser.add_argument_group("verbs", "each has -h")
    for verb in group or VERBS:
        also = f" (also: {verb.alias})" if verb.alias else ""
        verbs.add_argument(" ".join(verb.words), help=verb.summary + also, action="store_true")
    if args[:1] == ["help"] or _asks_for_help(args):
        parser.print_help()
        return 0
    parser.print_help(sys.stderr)
    return _guarded(prog, args, lambda _: _no_verb(prog, args))


def _no_verb(prog: str, args: list[str]) -> NoReturn:
    words = [word for word in args if not word.startswith("-")][:2]
    what = f"there is no verb {' '.join(words)!r}" if words else "a verb is missing"
    raise Problem(what, hint=f"{prog} -h lists them")
