"""Has a command that only a tracked file names agreed to, once, before it is run."""

from __future__ import annotations

from homelab_hooks.config import TRACKED, Config
from homelab_hooks.land.agreement import Agreements, question, refusal
from homelab_hooks.world import World


def agreed(config: Config, world: World) -> None:
    """Have a command from a tracked file agreed to, once. Raises Problem (refused) where nobody does."""
    if not foreign(config):
        return
    known, source = Agreements(world.git.private_dir()), config.source("verify")
    if config.verify in known:
        return
    if not world.terminal.ask(question(config.verify, source)):
        raise refusal(config.verify, source)
    known.add(config.verify)


def foreign(config: Config) -> bool:
    """Whether the verification is the word of whoever wrote the repository, not the user's own."""
    return bool(config.verify) and config.source("verify") == TRACKED
