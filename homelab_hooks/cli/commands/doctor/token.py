"""Check of the CI token: where it was found, or every place that was searched."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.auth.lookup import TokenNotFound
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Finding, FindingStatus

TOKEN_CHECK = "token"  # noqa: S105 - the name of a check


def token_check(config: Config, runtime: Runtime) -> DoctorCheck:
    """Return the check of the token. Vault is read too if it is configured, even if the token comes from elsewhere."""
    return DoctorCheck(
        TOKEN_CHECK,
        lambda: _check_token(config, runtime),
        "set WOODPECKER_TOKEN, or check Vault and git's credential helper",
    )


def _check_token(config: Config, runtime: Runtime) -> Iterator[Finding]:
    if config.server is None:
        yield Finding("token", FindingStatus.SKIPPED, "no CI server is set")
        return
    token = runtime.token(config)
    yield Finding("token", FindingStatus.OK, f"from {token.source}")
    if not config.vault_addr or token.source.startswith("Vault"):
        return
    found = runtime.token_from_vault(config)
    if isinstance(found, TokenNotFound):
        evidence = f"{found.source}: {found.reason}; using the token from {token.source}"
        yield Finding("vault", FindingStatus.WARNING, evidence, found.hint)
    else:
        yield Finding("vault", FindingStatus.OK, f"{found.source} has a token too; using the one from {token.source}")
