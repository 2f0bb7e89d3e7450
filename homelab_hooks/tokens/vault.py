"""Reads CI's token from Vault with hvac, which is imported only here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab_hooks.https import vault_session
from homelab_hooks.server import Dial, Server
from homelab_hooks.text import clean
from homelab_hooks.tokens.find import NotThere, Token, fit

TIMEOUT = 5
"""seconds for one answer of Vault's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Which Vault, and where in it the token lies: `path` is MOUNT/PATH."""

    server: Server
    token: str = field(repr=False)
    token_source: str
    path: str
    field: str
    namespace: str = ""
    dial: Dial | None = None
    ca_file: Path | None = None

    @property
    def source(self) -> str:
        """As a message names it."""
        return f"Vault {self.path} at {self.server}"


def from_vault(vault: Vault) -> Token | NotThere:
    """The token kept in Vault, whichever version its KV engine has."""
    if not vault.token:
        return NotThere(vault.source, "there is no Vault token", "vault login, or set VAULT_TOKEN")
    import hvac

    session = vault_session(vault.server, dial=vault.dial, ca_file=vault.ca_file)
    client = hvac.Client(
        url=str(vault.server),
        token=vault.token,
        namespace=vault.namespace or None,
        session=session,
        timeout=TIMEOUT,
        allow_redirects=False,  # a redirect would carry X-Vault-Token to another host
    )
    try:
        return _read(client, vault)
    except hvac.exceptions.VaultError as error:
        return _refused(error, vault)
    except OSError as error:  # every failure of the session's is one
        reason = clean(str(error)).replace(vault.token, "***")
        return NotThere(
            vault.source, f"no answer ({reason[:120]})", "check VAULT_ADDR, VAULT_CACERT, homelab.vaultAddr"
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        return NotThere(vault.source, "the answer is not Vault's", "check VAULT_ADDR, homelab.vaultAddr")


def _read(client: Any, vault: Vault) -> Token | NotThere:
    mount, version = _engine(client, vault.path)
    inner = vault.path.removeprefix(mount).strip("/")
    mount = mount.strip("/")
    if version == 1:
        data = client.secrets.kv.v1.read_secret(inner, mount_point=mount)["data"]
    else:
        answer = client.secrets.kv.v2.read_secret_version(inner, mount_point=mount, raise_on_deleted_version=True)
        data = answer["data"]["data"]
    value = data.get(vault.field)
    if not isinstance(value, str) or not value.strip():
        return NotThere(vault.source, f"it has no field {vault.field}", "name it with homelab.vaultField")
    return Token(fit(value.strip(), vault.source), vault.source)


def _engine(client: Any, path: str) -> tuple[str, int]:
    """The mount that holds the path, and the version of its KV engine; Vault's own UI asks the same way."""
    answer = client.adapter.get(url=f"/v1/sys/internal/ui/mounts/{path}")
    found = answer.json() if hasattr(answer, "json") else answer
    data = found["data"]
    return data["path"], int((data.get("options") or {}).get("version", 1))


def _refused(error: Any, vault: Vault) -> NotThere:
    import hvac

    match error:
        case hvac.exceptions.Forbidden() | hvac.exceptions.Unauthorized():
            reason = f"it refused the token from {vault.token_source}: expired, or no right to read there"
            return NotThere(vault.source, reason, "vault login, then try again")
        case hvac.exceptions.InvalidPath():
            return NotThere(vault.source, "there is nothing at that path", "name it with homelab.vaultPath")
        case hvac.exceptions.VaultDown():
            return NotThere(vault.source, "it is sealed", "unseal it")
        case _:
            return NotThere(vault.source, f"it failed ({clean(str(error))[:120]})", "look at the Vault server")
