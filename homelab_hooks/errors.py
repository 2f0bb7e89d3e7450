"""The one exception a user may see: what happened, and what to do."""

from __future__ import annotations

from homelab_hooks.exits import Exit


class Problem(Exception):  # noqa: N818 - it is a finding told to a person, not a program's fault
    """Ends a command with one sentence about what happened and one about what to do."""

    def __init__(
        self,
        what: str,
        *,
        hint: str = "",
        exit: Exit = Exit.USAGE,  # noqa: A002 - the glossary's word
        landed: bool | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.exit = exit
        self.landed = landed


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt it passes every `except Exception`."""
