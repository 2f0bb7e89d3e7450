"""Options that several verbs share, taken from the table of settings."""

from __future__ import annotations

import argparse

from homelab_hooks.config.schema import SETTINGS

CI_OPTIONS = ("server", "dial", "ca_file", "repo")
TIMEOUT_OPTIONS = ("timeout", "appear_timeout", "unreachable_timeout")
ROLLOUT_OPTIONS = ("rollout_timeout", "settle")
WATCH_OPTIONS = (*CI_OPTIONS, "remote", "onto", "deploy", *TIMEOUT_OPTIONS, *ROLLOUT_OPTIONS)
"""of a watch after a plain push"""
LAND_OPTIONS = (*CI_OPTIONS, "remote", "onto", "verify", "deploy", *TIMEOUT_OPTIONS, *ROLLOUT_OPTIONS, "output")


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Options for these settings."""
    for setting in SETTINGS:
        if setting.name not in names:
            continue
        default = setting.default or setting.default_label
        parser.add_argument(
            setting.option,
            dest=setting.name,
            metavar=setting.metavar,
            action="append" if setting.is_list else "store",
            help=f"{setting.description} (default: {default})".replace("%", "%%"),
        )


def as_arguments(args: argparse.Namespace, *names: str) -> list[str]:
    """The options among these settings that were given, as they would be given again."""
    found: list[str] = []
    for setting in SETTINGS:
        value = getattr(args, setting.name, None) if setting.name in names else None
        for text in [value] if isinstance(value, str) else value or ():
            found += [setting.option, text]
    return found


def as_mapping(args: argparse.Namespace, *names: str) -> dict[str, str | list[str]]:
    """The same by the settings' names, for somebody who is to read them later."""
    return {name: value for name in names if (value := getattr(args, name, None)) is not None}
