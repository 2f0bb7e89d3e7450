"""CI's token: where it is found, and where it was looked for."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.cli.doctor.aside import DoctorCheck
from homelab_hooks.config import Config
from homelab_hooks.events import Finding, Health
from homelab_hooks.tokens.find import NotThere
from homelab_hooks.world import World


def token_check(config: Config, world: World) -> DoctorCheck:
    """Vault is asked too where it is named, for one day it may be needed."""
    return DoctorCheck(
        "token",
        lambda: _check_token(config, world),
        "set WOODPECKER_TOKEN, or look at Vault and at git's credential helper",
    )


def _check_token(config: Config, world: World) -> Iterator[Finding]:
    if config.server is None:
        yield Finding("token", Health.SKIPPED, "there is no CI server to use it with")
        return
    token = world.token(config)
    yield Finding("token", Health.OK, f"from {token.source}")
    if not config.vault_addr or token.source.startswith("Vault"):
        return
    found = world.from_vault(config)
    if isinstance(found, NotThere):
        said = f"{found.source}: {found.reason}; the token from {token.source} is used"
        yield Finding("vault", Health.WARNING, said, found.hint)
    else:
        yield Finding("vault", Health.OK, f"{found.source} has a token too; the one from {token.source} is used")
