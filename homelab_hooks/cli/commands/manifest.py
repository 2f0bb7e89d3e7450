"""homelab manifest: list all commands with their access tiers.

Print each command with its tier, read or write, so that you can set up a coding agent to run read commands freely
and to ask before write commands. With --json, also print arguments, options with their choices and tiers, exit codes,
verdicts, events, and settings. With --schema, print the JSON Schema of --output json.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from homelab_hooks import __version__
from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.cli.main import build_parser
from homelab_hooks.cli.option_tiers import tier_of_option
from homelab_hooks.cli.verbs import COMMANDS, Command
from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.events import VerbListed
from homelab_hooks.exit_codes import EXIT_MEANINGS
from homelab_hooks.verdict import VERDICTS
from homelab_hooks.views.ndjson import EVENT_NAMES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    prints = parser.add_mutually_exclusive_group()
    prints.add_argument("--json", action="store_true", help="print one JSON document")
    prints.add_argument("--schema", action="store_true", help="print the JSON Schema of the events of --output json")
    options.add_options(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the list, or the document; of the settings, only that of the output matters."""
    _, problems = session.resolve_leniently(vars(args))
    for problem in problems:
        if problem.setting == "output":
            raise problem
    if args.json or args.schema:
        document = manifest_document() if args.json else load_schema()
        session.runtime.terminal.out(json.dumps(document, indent=1))
        return 0
    width = max(len(" ".join(verb.words)) for verb in COMMANDS)
    for verb in COMMANDS:
        name = " ".join(verb.words)
        listed = VerbListed(verb=name, tier=verb.tier, summary=verb.summary, alias=verb.alias)
        session.answer(listed, f"{name:<{width}}  {verb.tier:<5}  {verb.summary}")
    return session.finish_answer()


def load_schema() -> dict[str, Any]:
    """Return the JSON Schema of the events."""
    from importlib.resources import files

    schema: dict[str, Any] = json.loads((files("homelab_hooks") / "schema" / "events.json").read_text("utf-8"))
    return schema


def manifest_document() -> dict[str, Any]:
    """Return the commands with their arguments and options, the exit codes and the settings, for programs."""
    return {
        "schema": 1,
        "version": __version__,
        "verbs": [_command_entry(verb) for verb in COMMANDS],
        "exits": [{"code": int(code), "name": code.verdict, "meaning": said} for code, said in EXIT_MEANINGS.items()],
        "verdicts": list(VERDICTS),
        "events": list(EVENT_NAMES.values()),
        "settings": [
            {
                "name": setting.name.replace("_", "-"),
                "what": setting.description,
                "option": setting.option,
                "environment": list(setting.env),
                "git": setting.git,
                "tracked": setting.tracked,
                "default": setting.default or setting.default_label,
            }
            for setting in SETTINGS
        ],
    }


def _command_entry(verb: Command) -> dict[str, Any]:
    parser = build_parser(verb, " ".join(("homelab", *verb.words)))[1]
    taken = [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001 - argparse has no public list of them
    return {
        "verb": " ".join(verb.words),
        "alias": verb.alias,
        "tier": verb.tier,
        "summary": verb.summary,
        "for_hooks": verb.hidden,
        "arguments": [_argument_entry(action) for action in taken if not action.option_strings],
        "options": [_option_entry(action) for action in taken if action.option_strings],
    }


def _argument_entry(action: argparse.Action) -> dict[str, Any]:
    return {
        "name": str(action.metavar or action.dest),
        "what": action.help or "",
        "required": action.nargs not in ("?", "*"),
        "many": action.nargs in ("*", "+"),
        "choices": [str(choice) for choice in action.choices or ()],
    }


def _option_entry(action: argparse.Action) -> dict[str, Any]:
    metavar, takes_value = action.metavar, action.nargs != 0
    listed = action.choices or (metavar.split("|") if isinstance(metavar, str) and "|" in metavar else ())
    return {
        "names": list(action.option_strings),
        "tier": tier_of_option(action.option_strings, takes_value=takes_value),
        "value": "" if action.nargs == 0 else str(action.metavar or action.dest.upper()),
        "what": (action.help or "").replace("%%", "%"),
        "many": isinstance(action, argparse._AppendAction),  # noqa: SLF001 - the only sign of it
        "choices": [str(choice) for choice in listed],
    }
