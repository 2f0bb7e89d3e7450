"""The one exception a user may see: what happened, and what to do."""

from __future__ import annotations

from homelab_hooks.exit_codes import ExitCode


class CommandError(Exception):
    """Ends a command with one sentence about what happened and one about what to do."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        exit: ExitCode = ExitCode.USAGE,  # noqa: A002 - the glossary's word
        landed: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit = exit
        self.landed = landed


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt it passes every `except Exception`."""
