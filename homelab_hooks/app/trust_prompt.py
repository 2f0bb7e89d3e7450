"""Asks once before a command from a tracked file is run."""

from __future__ import annotations

from homelab_hooks.app.command_trust import TrustedCommands, consent_prompt, not_trusted_error
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import TRACKED_FILE, Config


def require_trusted(config: Config, session: Session) -> None:
    """Ask for consent to a verification command that a tracked file sets, unless it was given before.

    Raises:
        CommandError: (refused) the user says no, or there is no terminal to ask on.
    """
    if not comes_from_tracked_file(config):
        return
    trusted, source = TrustedCommands(session.world.git_readonly.location.homelab_dir()), config.source("verify")
    if config.verify in trusted:
        return
    if not session.ask(consent_prompt(config.verify, source)):
        raise not_trusted_error(config.verify, source)
    trusted.add(config.verify)


def comes_from_tracked_file(config: Config) -> bool:
    """Whether the verification command is set by a file in the repository, which other people can change."""
    return bool(config.verify) and config.source("verify") == TRACKED_FILE
