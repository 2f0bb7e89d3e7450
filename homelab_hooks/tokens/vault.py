"""Reads CI's token from Vault with hvac, which is imported only here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab_hooks import files
from homelab_hooks.config import Config
from homelab_hooks.https import vault_session
from homelab_hooks.server import Dial, Server, parse_server
from homelab_hooks.text import clean, short
from homelab_hooks.tokens.find import NotThere, Token, fit

PATIENCE = 5.0
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
    patience: float = PATIENCE

    @property
    def source(self) -> str:
        """As a message names it."""
        return f"Vault {self.path} at {self.server}"


def chosen(config: Config, environ: Mapping[str, str], home: Path) -> Vault:
    """The Vault that the settings name, with the token of VAULT_TOKEN or ~/.vault-token."""
    token, source = environ.get("VAULT_TOKEN", "").strip(), "VAULT_TOKEN"
    if not token:
        token, source = files.text(home / ".vault-token").strip(), "~/.vault-token"
    return Vault(
        server=parse_server(config.vault_addr),
        token=token,
        token_source=source,
        path=config.vault_path,
        field=config.vault_field,
        namespace=config.vault_namespace,
        dial=config.vault_dial,
        ca_file=config.vault_ca,
    )


_PREFIX = re.compile(r"^.*\[Errno -?\d+\] ", re.DOTALL)
"""what stands before the system's own words, which say it all"""


class _Elsewhere(ValueError):  # noqa: N818 - it is a finding, caught a few lines below
    """The server sends us to another one."""


def from_vault(vault: Vault) -> Token | NotThere:
    """The token kept in Vault, whichever version its KV engine has. Raises Problem where a token fits no header."""
    if not vault.token:
        return NotThere(vault.source, "there is no Vault token", "vault login, or set VAULT_TOKEN")
    import hvac

    client = hvac.Client(
        url=str(vault.server),
        token=fit(vault.token, vault.token_source),
        namespace=vault.namespace or None,
        session=vault_session(vault.server, dial=vault.dial, ca_file=vault.ca_file),
        timeout=vault.patience,
        allow_redirects=False,  # a redirect would carry X-Vault-Token to another host
    )
    where = "check VAULT_ADDR, VAULT_CACERT, homelab.vaultAddr"
    try:
        return _read(client, vault)
    except hvac.exceptions.VaultError as error:
        return _refused(error, vault)
    except _Elsewhere:
        return NotThere(vault.source, "it redirects to another server, where the Vault token is not sent", where)
    except (KeyError, TypeError, AttributeError, ValueError):
        return NotThere(vault.source, "the answer is not Vault's", where)
    except OSError as error:  # every failure of the session's is one
        said = short(clean(_innermost(error)), 160)
        # A certificate that does not verify is a "no"; waiting does not mend it.
        return NotThere(vault.source, f"no answer ({said})", where, silent="CERTIFICATE_VERIFY" not in said)


def _read(client: Any, vault: Vault) -> Token | NotThere:
    mount, version = _engine(client, vault.path)
    inner = vault.path.removeprefix(mount).strip("/")
    mount = mount.strip("/")
    if version == 1:
        data = _data(client.secrets.kv.v1.read_secret(inner, mount_point=mount))
    else:
        kv2 = client.secrets.kv.v2
        data = _data(kv2.read_secret_version(inner, mount_point=mount, raise_on_deleted_version=True))["data"]
    value = data.get(vault.field)
    if not isinstance(value, str) or not value.strip():
        return NotThere(vault.source, f"it has no field {vault.field}", "name it with homelab.vaultField")
    return Token(fit(value.strip(), vault.source), vault.source)


def _engine(client: Any, path: str) -> tuple[str, int]:
    """The mount that holds the path, and the version of its KV engine; Vault's own UI asks the same way."""
    data = _data(client.adapter.get(url=f"/v1/sys/internal/ui/mounts/{path}"))
    return data["path"], int((data.get("options") or {}).get("version", 1))


def _data(answer: Any) -> Any:
    """The data of an answer: hvac gives JSON for a 200, and the bare response for anything else that is no error."""
    if getattr(answer, "is_redirect", False):
        raise _Elsewhere
    return (answer.json() if hasattr(answer, "json") else answer)["data"]


def _innermost(error: BaseException) -> str:
    """What happened at the bottom of a failure that was wrapped several times."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
    return _PREFIX.sub("", str(error)) if inner is None else _innermost(inner)


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
            return NotThere(vault.source, f"it failed ({short(clean(str(error)), 120)})", "look at the Vault server")
