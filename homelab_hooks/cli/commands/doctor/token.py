"""CI's token: where it is found, and where it was looked for."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.auth.lookup import TokenNotFound
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Finding, FindingStatus


def token_check(config: Config, world: Runtime) -> DoctorCheck:
    """Vault is asked too where it is named, for one day it may be needed."""
    return DoctorCheck(
        "token",
        lambda: _check_token(config, world),
        "set WOODPECKER_TOKEN, or look at Vault and at git's credential helper",
    )


def _check_token(config: Config, world: Runtime) -> Iterator[Finding]:
    if config.server is None:
        yield Finding("token", FindingStatus.SKIPPED, "there is no CI server to use it with")
        return
    token = world.token(config)
    yield Finding("token", FindingStatus.OK, f"from {token.source}")
    if not config.vault_addr or token.source.startswith("Vault"):
        return
    found = world.token_from_vault(config)
    if isinstance(found, TokenNotFound):
        said = f"{found.source}: {found.reason}; the token from {token.source} is used"
        yield Finding("vault", FindingStatus.WARNING, said, found.hint)
    else:
        yield Finding("vault", FindingStatus.OK, f"{found.source} has a token too; the one from {token.source} is used")
