"""Asks once before a command from a tracked file is run, and stores which ones the user has approved.

Anyone with write access can change a tracked file, so a command in it is approved once, by its exact text (ADR 17).
So is a live URL in it: a request from here may reach what only this machine can.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterable
from hashlib import sha256
from pathlib import Path

from homelab_hooks.app.session import Session
from homelab_hooks.config.link_spec import LinkSpec
from homelab_hooks.config.resolve import TRACKED_FILE, Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.atomic_file import replace_file, write_error_fix
from homelab_hooks.text.sanitize import strip_control_chars


class TrustedCommands:
    """The approved commands of a repository: one JSON string a line. A changed command needs a new approval.

    Args:
        directory: homelab's directory inside the git directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "trusted"

    def __contains__(self, command: object) -> bool:
        """Return whether exactly this command was approved."""
        return command in self.commands()

    def commands(self) -> tuple[str, ...]:
        """Return the approved commands, the oldest first; lines that are damaged approve nothing."""
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return ()
        return tuple(dict.fromkeys(command for line in lines if (command := _parse_line(line)) is not None))

    def add(self, command: str) -> None:
        """Approve the command.

        Raises:
            CommandError: (refused) the approval cannot be saved.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
                file.write(f"{json.dumps(command)}\n")
        except OSError as error:
            raise self._not_saved(error) from error

    def revoke(self, commands: Container[str]) -> tuple[str, ...]:
        """Withdraw the approval of these commands, and return those that had one.

        Raises:
            CommandError: (refused) the change cannot be saved.
        """
        known = self.commands()
        revoked = tuple(command for command in known if command in commands)
        if revoked:
            kept = "".join(f"{json.dumps(command)}\n" for command in known if command not in commands)
            try:
                replace_file(self._path, kept, mode=0o600)
            except OSError as error:
                raise self._not_saved(error) from error
        return revoked

    def _not_saved(self, error: OSError) -> CommandError:
        return CommandError(
            f"could not save the approvals in {strip_control_chars(str(self._path.parent))}: {error.strerror}",
            hint=write_error_fix(error),
            exit=ExitCode.REFUSED,
        )


def _parse_line(line: str) -> str | None:
    try:
        command = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return command if isinstance(command, str) else None


def require_trusted(config: Config, session: Session) -> None:
    """Ask for consent to a verification command that a tracked file sets, unless it was given before.

    Raises:
        CommandError: (refused) the user declines, or stdin is not a terminal.
    """
    if not comes_from_tracked_file(config):
        return
    trusted, source = TrustedCommands(session.runtime.git_readonly.location.homelab_dir()), config.source("verify")
    if config.verify in trusted:
        return
    if not session.ask(consent_prompt(config.verify, source)):
        raise not_trusted_error(config.verify, source)
    trusted.add(config.verify)


def require_trusted_links(specs: Iterable[LinkSpec], config: Config, session: Session) -> None:
    """Ask for consent to each live URL among the links that a tracked file sets, unless it was given before.

    Raises:
        CommandError: (refused) the user declines, or stdin is not a terminal.
    """
    if config.source("follow") != TRACKED_FILE:
        return
    trusted = TrustedCommands(session.runtime.git_readonly.location.homelab_dir())
    for link in (_approved_link(spec) for spec in specs if spec.live is not None):
        if link in trusted:
            continue
        question = f"{TRACKED_FILE} follows `{format_command(link)}`. Approve this URL and request it?"
        is_approved = session.ask(question)
        if not is_approved:
            raise CommandError(
                f"{TRACKED_FILE} follows `{format_command(link)}`, which has not been approved",
                hint="to approve the URL, run homelab follow in a terminal; "
                "or set the links with git config --add homelab.follow LINK",
                exit=ExitCode.REFUSED,
            )
        trusted.add(link)


def _approved_link(spec: LinkSpec) -> str:
    """Return the text that is approved: the link, with a digest of its query, which is not saved."""
    query = spec.live.target.partition("?")[2] if spec.live else ""
    return f"{spec.name} (query {sha256(query.encode()).hexdigest()})" if query else spec.name


def comes_from_tracked_file(config: Config) -> bool:
    """Return whether the verification command is set by a file in the repository, which other people can change."""
    return bool(config.verify) and config.source("verify") == TRACKED_FILE


def consent_prompt(command: str, source: str) -> str:
    """Return the question that is asked on a terminal.

    >>> consent_prompt("make test", ".homelab.toml")
    '.homelab.toml sets verify = `make test`. Approve this command and run it?'
    """
    return f"{source} sets verify = `{format_command(command)}`. Approve this command and run it?"


def not_trusted_error(command: str, source: str) -> CommandError:
    """Return the error for a command that the user declines, or cannot be asked about."""
    return CommandError(
        f"{source} sets verify = `{format_command(command)}`, which has not been approved",
        hint="to approve the command, run git land in a terminal; or run git config homelab.verify COMMAND",
        exit=ExitCode.REFUSED,
    )


def format_command(command: str) -> str:
    r"""Return the complete command on one line: the user approves all of it, so nothing is cut off.

    >>> format_command("make test\nrm x")
    'make test ⏎ rm x'
    """
    return strip_control_chars(command.strip().replace("\n", " ⏎ "))
