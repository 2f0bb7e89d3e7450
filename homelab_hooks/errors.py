"""The exceptions that end a command: CommandError with a message and a hint, its kinds, and Terminated for SIGTERM."""

from __future__ import annotations

from homelab_hooks.exit_codes import ExitCode


class CommandError(Exception):
    """Ends a command with the exit code `exit`, an error message and a hint.

    `landed`: whether the commit is on the target branch; None if that does not apply or is unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        exit: ExitCode = ExitCode.USAGE,  # noqa: A002 - named as in events and JSON
        landed: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit = exit
        self.landed = landed
        self.setting = ""
        """the name of the setting whose value cannot be used; empty for every other error"""


class WrongServerError(CommandError):
    """Ends a command because another server responds at an address; a command that waits tries a few times."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP was received; like KeyboardInterrupt, `except Exception` does not catch it."""
