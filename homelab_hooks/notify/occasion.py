"""Decides whether the end of a command in the foreground is worth a notification."""

from __future__ import annotations

from homelab_hooks.events import Result
from homelab_hooks.exit_codes import ExitCode

COMMANDS_THAT_NOTIFY = frozenset({"git land", "homelab work land", "homelab-watch", "homelab ci watch",
                                  "homelab follow", "homelab deploy wait"})  # fmt: skip
"""the commands that wait"""


def is_worth_notifying(command: str, result: Result, after_s: float | None) -> bool:
    """Return whether to send a notification at the end of a command.

    Not after Ctrl-C: the user is at the terminal. Not while a background watcher continues: it sends its own.

    Args:
        command: the command's name.
        after_s: the shortest duration of a command that is worth one; None: notifications were not asked for.
    """
    if after_s is None or command not in COMMANDS_THAT_NOTIFY:
        return False
    return result.took >= after_s and result.exit is not ExitCode.INTERRUPTED and result.verdict != "watching"
