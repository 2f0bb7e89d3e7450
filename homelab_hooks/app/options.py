"""Options that several commands share, built from the table of settings."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from typing import Any

from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.text.durations import parse_duration
from homelab_hooks.text.url_secrets import hide_live_queries

CI_OPTIONS = ("server", "dial", "ca_file", "repo")
TIMEOUT_OPTIONS = ("timeout", "appear_timeout", "unreachable_timeout")
ROLLOUT_OPTIONS = ("rollout_timeout", "settle")
PROOF_OPTIONS = ("image_proof",)
"""what shows that a workload runs the commit"""
MIN_RESUME_TIMEOUT_S = 60.0
"""seconds of a timeout that a resume command repeats, at least"""
RESUMED_TIMEOUTS = ("timeout", "unreachable_timeout", "rollout_timeout")
"""the timeouts that end a wait which can be resumed"""
DECIDING_OPTIONS = ("workflow", "superseded")
"""which workflows decide about a commit, and whether a newer pipeline may decide for it"""
FOLLOW_OPTIONS = (
    *CI_OPTIONS, "remote", "onto", *DECIDING_OPTIONS, "follow", "deploy", *PROOF_OPTIONS, "forge_url",
    *TIMEOUT_OPTIONS, *ROLLOUT_OPTIONS,
)  # fmt: skip
"""the options of a chain that follows a push"""
WATCH_OPTIONS = FOLLOW_OPTIONS
"""the options of the watch after a plain push"""
FORGE_OPTIONS = ("forge_url",)
"""the options of commands that send a request to the forge's API"""
PROTECTED_OPTIONS = ("protected", "merge_style")
"""what a landing does on a target that takes no direct pushes"""
LAND_OPTIONS = (
    *CI_OPTIONS, "remote", "onto", "strategy", "verify", *DECIDING_OPTIONS, "when_busy", *PROTECTED_OPTIONS, "follow",
    "deploy", *PROOF_OPTIONS, "forge_url", *TIMEOUT_OPTIONS, *ROLLOUT_OPTIONS, "output",
)  # fmt: skip


_HELP_GROUPS = (
    ("CI server", "", CI_OPTIONS),
    (
        "time limits",
        "DUR is a duration such as 90 or 90s (seconds), 2m, or 1h30m. 0 means check once, without waiting.",
        (*TIMEOUT_OPTIONS, *ROLLOUT_OPTIONS),
    ),
)
"""the groups of -h: title, description, and the settings whose options they list"""


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add an option for each of these settings. Options for the server and for durations have their own groups in -h.

    Args:
        names: the names of the settings; the options are added in the order of the table of settings.
    """
    groups = {
        name: group
        for title, description, members in _HELP_GROUPS
        if set(names) & set(members)
        for group in [parser.add_argument_group(title, description or None)]
        for name in members
    }
    for setting in SETTINGS:
        if setting.name not in names:
            continue
        default = setting.default or setting.default_label
        repeatable = "; repeatable" if setting.is_list else ""
        groups.get(setting.name, parser).add_argument(
            setting.option,
            dest=setting.name,
            metavar=setting.metavar,
            action="append" if setting.is_list else "store",
            help=f"{setting.description}{repeatable} (default: {default})".replace("%", "%%"),
        )


def add_event_option(parser: argparse.ArgumentParser) -> None:
    """Add --event."""
    parser.add_argument(
        "--event",
        action="append",
        metavar="EVENT",
        help="consider only pipelines of this event, such as push or tag; repeatable (default: all except cron)",
    )


def add_kubectl_options(parser: argparse.ArgumentParser) -> None:
    """Add --context and --kubeconfig, which are passed to kubectl."""
    parser.add_argument("--context", default="", metavar="NAME", help="kubectl context to use")
    parser.add_argument("--kubeconfig", default="", metavar="PATH", help="kubeconfig file for kubectl to use")


def as_arguments(given: Mapping[str, Any], *names: str) -> list[str]:
    """Return those of these options that were given, as command line arguments.

    The query of a live URL is hidden. A timeout of less than MIN_RESUME_TIMEOUT_S is left out: the resumed wait would
    end at once again.
    """
    found: list[str] = []
    for setting in SETTINGS:
        value = given.get(setting.name) if setting.name in names else None
        if is_short_timeout(setting.name, value):
            continue
        for text in [value] if isinstance(value, str) else value or ():
            found += [setting.option, hide_live_queries(text)]
    return found


def hide_queries(value: Any) -> Any:
    """Return an option's value as it may be saved: without the queries of live URLs."""
    if isinstance(value, str):
        return hide_live_queries(value)
    return [hide_queries(each) for each in value] if isinstance(value, list) else value


def is_short_timeout(name: str, value: object) -> bool:
    """Return whether this option is a timeout that a resume command must not repeat.

    A caller that obeys every hint would otherwise run one short wait after another, without end.

    >>> is_short_timeout("timeout", "45s"), is_short_timeout("timeout", "2m"), is_short_timeout("settle", "1s")
    (True, False, False)
    """
    return name in RESUMED_TIMEOUTS and isinstance(value, str) and parse_duration(value) < MIN_RESUME_TIMEOUT_S


def follow_command(given: Mapping[str, Any], sha: str) -> str:
    """Return the command that follows a commit with these options."""
    kept = as_arguments(given, *FOLLOW_OPTIONS)
    return shlex.join(["homelab", "follow", sha, *kept, *(["--no-deploy"] if given.get("no_deploy") else [])])


def as_mapping(given: Mapping[str, Any], *names: str) -> dict[str, str | list[str]]:
    """Return those of these options that were given, by the names of their settings."""
    return {name: value for name in names if (value := given.get(name)) is not None}
