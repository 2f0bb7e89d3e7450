"""Every option of every command takes its value literally."""

from __future__ import annotations

import argparse

import pytest

from homelab_hooks.cli.main import build_parser
from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.errors import CommandError


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_two_dashes_are_a_value_like_any_other(command: object) -> None:
    """`--timeout=--` is not an empty list, which would count as no option at all."""
    _, parser = build_parser(command, "homelab")  # type: ignore[arg-type]  # one of COMMANDS
    for action in parser._actions:
        for name in action.option_strings:
            if not name.startswith("--") or action.nargs not in (None, argparse.OPTIONAL):
                continue
            try:
                given = getattr(parser.parse_args([f"{name}=--"]), action.dest)
            except CommandError:
                continue  # a choice, a number, or a positional that is missing: reported as wrong
            assert given in ("--", ["--"]), (name, given)
