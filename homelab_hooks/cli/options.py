"""Options that several verbs share, taken from the table of settings."""

from __future__ import annotations

import argparse

from homelab_hooks.settings import SETTINGS

CI = ("server", "dial", "ca_file", "repo")
PATIENCE = ("timeout", "appear_timeout", "unreachable_timeout")
ROLLOUT = ("rollout_timeout", "settle")
WATCHING = (*CI, "remote", "onto", "deploy", *PATIENCE, *ROLLOUT)
"""of a watch after a plain push"""
LANDING = (*CI, "remote", "onto", "verify", "deploy", *PATIENCE, *ROLLOUT, "output")


def add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Options for these settings."""
    for setting in SETTINGS:
        if setting.name not in names:
            continue
        default = setting.default or setting.default_text
        parser.add_argument(
            setting.option,
            dest=setting.name,
            metavar=setting.metavar,
            action="append" if setting.many else "store",
            help=f"{setting.what} (default: {default})".replace("%", "%%"),
        )


def given(args: argparse.Namespace, *names: str) -> list[str]:
    """The options among these settings that were given, as they would be given again."""
    found: list[str] = []
    for setting in SETTINGS:
        value = getattr(args, setting.name, None) if setting.name in names else None
        for text in [value] if isinstance(value, str) else value or ():
            found += [setting.option, text]
    return found


def kept(args: argparse.Namespace, *names: str) -> dict[str, str | list[str]]:
    """The same by the settings' names, for somebody who is to read them later."""
    return {name: value for name in names if (value := getattr(args, name, None)) is not None}
