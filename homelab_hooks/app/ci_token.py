"""Looks up the CI token of this process, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from homelab_hooks.auth.lookup import (
    Token,
    TokenNotFound,
    TokenSource,
    cache_source,
    find_token,
    order_sources,
    read_token_from_git,
)
from homelab_hooks.ci.providers import default_traits

if TYPE_CHECKING:
    from homelab_hooks.app.runtime import Runtime
    from homelab_hooks.config.resolve import Config


class CiTokens:
    """Finds the CI token in the environment, in Vault, or with git's credential helpers.

    Args:
        home: the home directory, which may contain Vault's token.
    """

    def __init__(self, runtime: Runtime, home: Path) -> None:
        self._runtime = runtime
        self._home = home
        self._found: Token | None = None
        self._credential_helpers: TokenSource | None = None

    def find(self, config: Config) -> Token:
        """Return the token, looked up once. Raises CommandError (denied) with every place that was searched."""
        if self._found is None:
            self._found = self._find(config)
        return self._found

    def _find(self, config: Config) -> Token:
        runtime, server = self._runtime, self._runtime.server(config)
        vault = (lambda: self.read_from_vault(config)) if config.vault_addr else None
        self._credential_helpers = self._credential_helpers or cache_source(
            lambda: read_token_from_git(server, runtime.credential_runner(), token_page=default_traits().token_page)
        )
        token = find_token(order_sources(runtime.environ, vault=vault, credential_helpers=self._credential_helpers))
        runtime.redact.add(token.value)
        return token

    def read_from_vault(self, config: Config) -> Token | TokenNotFound:
        """Return the token from Vault. Raises CommandError if the settings or the token cannot be used."""
        from homelab_hooks.auth.vault import create_vault_client, read_token_from_vault, resolve_vault_settings

        # OpenSSL reads SSL_CERT_FILE if no other file is set, so it must not be a pipe or a device for Vault either.
        self._runtime.check_file(config, "vault_ca" if config.vault_ca else "ca_file")
        vault = resolve_vault_settings(config, self._runtime.environ, self._home)
        self._runtime.redact.add(vault.token)
        found = read_token_from_vault(vault, create_vault_client(vault, self._runtime.clock))
        if isinstance(found, Token):
            self._runtime.redact.add(found.value)
        return found
