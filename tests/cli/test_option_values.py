"""Every option of every command takes its value literally."""

from __future__ import annotations

import argparse
import re

import pytest

from homelab_hooks.cli.main import build_parser
from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.config.address import parse_dial
from homelab_hooks.config.schema import SETTINGS, Setting
from homelab_hooks.errors import CommandError

ODD_VALUES = (
    "", " ", "9" * 5000, "\u0665", "\u00b2", "1\u0660", "-1", "1e9", "0x10", "nan", "\udcff", "\u202e", "a" * 5000,
    "%s", "~nosuchuser/x",
)  # fmt: skip
ODD_DIALS = (
    "10.0.0.1:" + "9" * 5000, "10.0.0.1:\u0664\u0664\u0663", "[::1]:\u00b2", "[::1]:" + "9" * 5000, "10.0.0.\u0661",
    "::1%x y",
)  # fmt: skip
ODD_URLS = (
    "https://[::1", "https://h:x", "https://h:99999", "https://h:" + "9" * 5000, "https://h:\u0664\u0664\u0663",
    "https://xn--a", "https://" + "a" * 300, "https://a..b\u00e9", "https://\u2100.example", "https://[fe80::1%25x]:8",
)  # fmt: skip


def rejection(setting: Setting, value: str) -> str:
    """Return the reason why a value is rejected; empty if it is not."""
    try:
        setting.parse(value)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_that_is_rejected_says_what_was_expected(setting: Setting) -> None:
    """The texts of Python's own parsers are not for a user."""
    reasons = [rejection(setting, value) for value in (*ODD_VALUES, *ODD_DIALS, *ODD_URLS)]
    assert [reason for reason in reasons if reason and not reason.startswith("expected ")] == []


@pytest.mark.parametrize("value", ODD_DIALS, ids=lambda value: ascii(value)[:20])
def test_a_dial_has_ascii_digits(value: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_dial(value)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_an_option_that_is_rejected_is_named_without_python_names(command: object) -> None:
    _, parser = build_parser(command, "homelab")  # type: ignore[arg-type]  # one of COMMANDS
    for action in parser._actions:
        for name in action.option_strings:
            if not name.startswith("--") or action.nargs not in (None, argparse.OPTIONAL):
                continue
            messages = [complaint(parser, f"{name}={value}") for value in ODD_VALUES]
            assert [text for text in messages if re.search(r"invalid \w+ value|\b_\w+", text)] == []


def complaint(parser: argparse.ArgumentParser, argument: str) -> str:
    """Return the message about an argument that is rejected; empty if it is not."""
    try:
        parser.parse_args([argument])
    except CommandError as error:
        return error.message + error.hint
    return ""


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


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_an_argument_has_the_name_of_a_setting_only_if_it_sets_it(command: object) -> None:
    """Arguments are read as settings by their names: `ci logs --follow` was once taken for a list of links."""
    options = {setting.name: setting.option for setting in SETTINGS}
    _, parser = build_parser(command, "x")  # type: ignore[arg-type]  # a row of the table
    own = [action for action in parser._actions if action.dest in options]
    assert [action.dest for action in own if options[action.dest] not in action.option_strings] == []
