"""Has a command that only a tracked file names agreed to, once, before it is run."""

from __future__ import annotations

from homelab_hooks.app.command_trust import TrustedCommands, consent_prompt, not_trusted_error
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import TRACKED_FILE, Config


def require_trusted(config: Config, world: Runtime) -> None:
    """Have a command from a tracked file agreed to, once. Raises CommandError (refused) where nobody does."""
    if not comes_from_tracked_file(config):
        return
    known, source = TrustedCommands(world.git_readonly.location.homelab_dir()), config.source("verify")
    if config.verify in known:
        return
    if not world.terminal.ask(consent_prompt(config.verify, source)):
        raise not_trusted_error(config.verify, source)
    known.add(config.verify)


def comes_from_tracked_file(config: Config) -> bool:
    """Whether the verification is the word of whoever wrote the repository, not the user's own."""
    return bool(config.verify) and config.source("verify") == TRACKED_FILE
