"""Suggests the command or the option that was probably meant; imported only after a usage error."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode

MIN_OPTION_RATIO = 0.8
"""how similar an option must be to what was given; difflib's own limit of 0.6 suggests --abort for --forc"""
MIN_COMMAND_RATIO = 0.7
"""how similar a command must be; 0.6 suggests trust for test"""


GLOBAL_OPTIONS = ("--help", "--version")
"""options that need no command"""
_OUTPUT_MODES = ("json", "plain", "live")
"""values of --output that other programs have as options of their own"""


def suggest_option(given: str, options: Sequence[str]) -> str:
    """Return the option that was probably meant, as a question; an empty text if no option is similar enough.

    Only near misses are suggested, as in git: a wrong guess could be an option that changes the branch.

    Args:
        given: the unknown argument.
        options: the options of the command.

    >>> suggest_option("--abrt", ["--abort"])
    'did you mean --abort?'
    >>> suggest_option("--json", ["--output"])
    'did you mean --output json?'
    >>> suggest_option("--forc", ["--abort"])
    ''
    """
    unknown = given.removeprefix("--").split("=")[0]
    if unknown in {given, ""}:
        return ""
    if unknown in _OUTPUT_MODES and "--output" in options:
        return f"did you mean --output {unknown}?"
    begun = [option for option in options if option.startswith(f"--{unknown}")]
    near = begun or get_close_matches(f"--{unknown}", options, n=1, cutoff=MIN_OPTION_RATIO)
    return f"did you mean {near[0]}?" if near else ""


def unknown_command(prog: str, words: list[str], args: list[str]) -> CommandError:
    """Return the error for a missing or unknown command; its hint names the command that was probably meant.

    Args:
        words: the words before the first option, two at most.
    """
    hint = f"see '{prog} -h'"
    if not words:
        unknown = next((arg for arg in args if arg.startswith("-")), "")
        message = f"unknown option {unknown}; no command given" if unknown else "no command given"
        # The help has been printed.
        return CommandError(message, hint=suggest_option(unknown, GLOBAL_OPTIONS), exit=ExitCode.USAGE)
    rest = [verb.words[1] for verb in COMMANDS if verb.words[0] == words[0] and not verb.hidden]
    if rest and len(words) == 1:
        return CommandError(f"{prog} {words[0]}: no subcommand given", hint=f"expected one of {', '.join(rest)}")
    known = {" ".join(verb.words): verb for verb in COMMANDS if not verb.hidden}
    names = [*known, *(word for verb in known.values() for word in verb.words)]
    near = [
        name for text in (" ".join(words), words[0]) for name in get_close_matches(text, names, 1, MIN_COMMAND_RATIO)
    ]
    meant = next((name for name in known if near and near[0] in (name, name.split()[-1])), near[0] if near else "")
    return CommandError(
        f"{' '.join(words)!r} is not a {prog} command", hint=f"did you mean {prog} {meant}?" if meant else hint
    )
