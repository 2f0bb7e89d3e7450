"""Which commands of a tracked file the user has agreed to: what others wrote is not run before that."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.sanitize import strip_control_chars


class TrustedCommands:
    """Kept in the repository's private directory, one digest a line; another command has to be agreed to anew.

    Args:
        directory: our own in the repository.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "agreed"

    def __contains__(self, command: object) -> bool:
        """Whether exactly this command was agreed to."""
        try:
            return _digest(str(command)) in self._path.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return False

    def add(self, command: str) -> None:
        """From now on it may be run. Raises CommandError where that cannot be written down."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
                file.write(f"{_digest(command)}\n")
        except OSError as error:
            raise CommandError(
                f"the agreement cannot be written down in {strip_control_chars(str(self._path.parent))}: "
                f"{error.strerror}",
                hint="make room and the right to write there",
                exit=ExitCode.REFUSED,
            ) from error


def consent_prompt(command: str, source: str) -> str:
    """What is asked on a terminal.

    >>> consent_prompt("make test", ".homelab.toml")
    '.homelab.toml wants `make test` to be run here. Run it, now and from now on?'
    """
    return f"{source} wants `{_shown(command)}` to be run here. Run it, now and from now on?"


def not_trusted_error(command: str, source: str) -> CommandError:
    """What is said where nobody can be asked, or somebody said no."""
    return CommandError(
        f"{source} wants `{_shown(command)}` to be run here, and nobody has agreed to that",
        hint="if you do: git config homelab.verify COMMAND, or git land on a terminal, where you are asked",
        exit=ExitCode.REFUSED,
    )


def _shown(command: str) -> str:
    r"""The whole of it, for that is what is agreed to; its lines are told apart.

    >>> _shown("make test\nrm x")
    'make test ⏎ rm x'
    """
    return strip_control_chars(command.strip().replace("\n", " ⏎ "))


def _digest(command: str) -> str:
    return hashlib.sha256(command.encode("utf-8", "surrogateescape")).hexdigest()
