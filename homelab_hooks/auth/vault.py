"""Reads the CI token from Vault with hvac, which is imported only here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homelab_hooks.auth.lookup import Token, TokenNotFound, validate_header_value
from homelab_hooks.config import files
from homelab_hooks.config.address import Dial, ServerUrl
from homelab_hooks.config.resolve import Config
from homelab_hooks.net.http import VAULT_LOCATION_HEADER, HttpClient, Transport, make_requests_session
from homelab_hooks.net.message import (
    PROXY_HINTS,
    REDIRECT_STATUSES,
    SERVER_ERRORS,
    TLS_HINTS,
    HttpResponse,
    RequestFailed,
)
from homelab_hooks.net.pinned import RequestClock
from homelab_hooks.net.responder import describe_responder
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

VAULT_TIMEOUT_S = 5.0
"""seconds for one response of Vault, from connecting to its last byte"""
TRANSIENT_STATUSES = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""statuses below 500 after which a retry may help: Vault is busy, or a standby is behind the leader"""
_VAULT_HINT = "check VAULT_ADDR, VAULT_CACERT, homelab.vaultAddr"
_CHECK_PORT_HINT = "check the scheme and the port of VAULT_ADDR (homelab.vaultAddr)"


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSettings:
    """Which Vault to use, and where the token is in it: `path` is MOUNT/PATH."""

    server: ServerUrl
    token: str = field(repr=False)
    token_source: str
    path: str
    field: str
    token_problem: str = ""
    """why the file that may contain a token cannot be read"""
    namespace: str = ""
    dial: Dial | None = None
    ca_file: Path | None = None
    timeout: float = VAULT_TIMEOUT_S

    @property
    def source(self) -> str:
        """Return the name of the source in messages."""
        return f"Vault {self.path} at {self.server}"


def resolve_vault_settings(config: Config, environ: Mapping[str, str], home: Path) -> VaultSettings:
    """Return the Vault that is configured, with the token of VAULT_TOKEN or ~/.vault-token."""
    assert config.vault_addr is not None  # noqa: S101 - called only if a Vault is configured
    token, source, problem = environ.get("VAULT_TOKEN", "").strip(), "VAULT_TOKEN", ""
    if not token:
        source = "~/.vault-token"
        try:
            token = files.read_token_file(home / ".vault-token").strip()
        except ValueError as error:
            problem = f"cannot read ~/.vault-token: {error}"
    return VaultSettings(
        server=config.vault_addr,
        token=token,
        token_source=source,
        token_problem=problem,
        path=config.vault_path,
        field=config.vault_field,
        namespace=config.vault_namespace,
        dial=config.vault_dial,
        ca_file=config.vault_ca,
    )


class _VaultStatus(Exception):  # noqa: N818 - not an error, and caught a few lines below
    """A response without data: a status other than 200, or a web page."""


class _NoData(Exception):  # noqa: N818 - as above
    """A response of Vault itself whose data is null."""


def create_vault_client(vault: VaultSettings, clock: RequestClock) -> HttpClient:
    """Return a client for this Vault. Raises CommandError if its CA certificates cannot be used."""
    return HttpClient(vault.server, clock=clock, dial=vault.dial, ca_file=vault.ca_file)


def read_token_from_vault(vault: VaultSettings, transport: Transport) -> Token | TokenNotFound:
    """Read the CI token from a KV engine of version 1 or 2. Raises CommandError if a token fits no header."""
    if vault.token_problem or not vault.token:
        return _on_no_vault_token(vault)
    import hvac

    client = hvac.Client(
        url=str(vault.server),
        token=validate_header_value(vault.token, vault.token_source),
        namespace=vault.namespace or None,
        session=make_requests_session(transport),
        timeout=vault.timeout,
        allow_redirects=False,
        ignore_exceptions=True,  # statuses are handled below
    )
    try:
        return _read_secret(client, vault)
    except _NoData:
        return TokenNotFound(vault.source, "it returned no data for that path", "set homelab.vaultPath")
    except _VaultStatus as answer:
        return _on_status(answer.args[0], vault)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError):
        return TokenNotFound(vault.source, "the response is not from Vault", _VAULT_HINT, wrong_server=True)
    except OSError as error:
        return _on_no_answer(error.args[0], vault)
    finally:
        client.adapter.close()


def _on_no_vault_token(vault: VaultSettings) -> TokenNotFound:
    if vault.token_problem:
        return TokenNotFound(vault.source, vault.token_problem, "remove ~/.vault-token and run vault login")
    return TokenNotFound(vault.source, "there is no Vault token", "run vault login, or set VAULT_TOKEN")


def _read_secret(client: Any, vault: VaultSettings) -> Token | TokenNotFound:
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
        return _on_no_value(value, vault)
    return Token(validate_header_value(value.strip(), vault.source), vault.source)


def _on_no_value(value: object, vault: VaultSettings) -> TokenNotFound:
    if value is None:
        return TokenNotFound(vault.source, f"it has no field {vault.field}", "set homelab.vaultField")
    reason = "is empty" if isinstance(value, str) else "is not a text"
    hint = "store the CI token as text in this field, or set homelab.vaultField"
    return TokenNotFound(vault.source, f"its field {vault.field} {reason}", hint)


def _engine(client: Any, path: str) -> tuple[str, int]:
    """Return the mount of the path and the version of its KV engine, with the request that Vault's UI uses."""
    data = _data(client.adapter.get(url=f"/v1/sys/internal/ui/mounts/{path}"))
    mount = data["path"]
    if not f"{path}/".startswith(f"{mount.strip('/')}/"):
        raise ValueError("a mount that does not contain the path")
    return mount, int((data.get("options") or {}).get("version", 1))


def _data(answer: Any) -> Any:
    """Return the data of a response: hvac returns JSON for a 200, and the bare response for anything else."""
    if hasattr(answer, "status_code"):
        raise _VaultStatus(HttpResponse(answer.status_code, dict(answer.headers.lower_items()), answer.content, 0.0))
    data = answer["data"]
    if data is None and "request_id" in answer:  # Vault's own, which has no data there
        raise _NoData
    return data


def _on_no_answer(failure: RequestFailed, vault: VaultSettings) -> TokenNotFound:
    """Return unreachable, unless a retry cannot help because the certificate is invalid or the address is wrong."""
    is_foreign = failure.kind is FailureKind.FOREIGN
    hint = _CHECK_PORT_HINT if is_foreign else _VAULT_HINT
    return TokenNotFound(
        vault.source,
        f"no response ({truncate_text(strip_control_chars(failure.reason), 120)})",
        {**PROXY_HINTS, **TLS_HINTS}.get(failure.cause, hint) if failure.cause else hint,
        unreachable=failure.certificate_fault is None and not is_foreign,
        wrong_server=is_foreign,
    )


def _on_status(response: HttpResponse, vault: VaultSettings) -> TokenNotFound:
    status = response.status
    if status in REDIRECT_STATUSES:
        return _on_redirect(response, vault)
    if not _is_vaults(response):
        return _on_other_server(response, vault)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        reason = f"it rejected the token from {vault.token_source}: expired, or not permitted to read this path"
        return TokenNotFound(vault.source, reason, "run vault login, then try again")
    if status == HTTPStatus.NOT_FOUND:
        return TokenNotFound(vault.source, "no secret at that path", "set homelab.vaultPath")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return TokenNotFound(vault.source, "it is sealed or starting", "unseal Vault", unreachable=True)
    text = truncate_text(strip_control_chars(response.body.decode("utf-8", "replace")), 80)
    return TokenNotFound(
        vault.source, f"it failed with {status} ({text})", "check the Vault server", unreachable=_may_pass(status)
    )


def _on_redirect(response: HttpResponse, vault: VaultSettings) -> TokenNotFound:
    if _is_same_server(response.headers.get(VAULT_LOCATION_HEADER, ""), vault.server):
        reason = "it redirects to another path of its own, which is not followed"
        return TokenNotFound(vault.source, reason, "check the path in VAULT_ADDR, and homelab.vaultPath")
    reason = "it redirects to another server, where the Vault token is not sent"
    return TokenNotFound(vault.source, reason, _VAULT_HINT)


def _is_same_server(location: str, server: ServerUrl) -> bool:
    """Return whether a redirect stays on this server: its Location is a path, or has the same scheme, host and port."""
    try:
        place = urlsplit(location)
        port = place.port or {"https": 443, "http": 80}.get(place.scheme)
    except ValueError:
        return False
    if not place.netloc:
        return bool(place.path) and place.scheme in ("", server.scheme)
    return (place.scheme or server.scheme, place.hostname, port or server.port) == server[:3]


def _is_vaults(response: HttpResponse) -> bool:
    """Return whether a response is from Vault. All of its errors are JSON: `errors`, or `data` of a deleted secret.

    A 403 of a login page, or a 503 of a load balancer, does not show the state of the Vault token or the seal.
    """
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and not body.keys().isdisjoint(("errors", "data"))


def _on_other_server(response: HttpResponse, vault: VaultSettings) -> TokenNotFound:
    """Return what is known about the server that responds instead of Vault; one that is down may be Vault's proxy."""
    who = describe_responder(response)
    reason = f"the response {response.status} is not from Vault{f' ({who})' if who else ''}"
    if _may_pass(response.status):
        return TokenNotFound(vault.source, reason, "check Vault and the proxy in front of it", unreachable=True)
    hint = f"{_VAULT_HINT}; or exempt Vault from the login in front of it"
    return TokenNotFound(vault.source, reason, hint, wrong_server=True)


def _may_pass(status: int) -> bool:
    """Return whether a retry may help after this status."""
    return status in TRANSIENT_STATUSES or status in SERVER_ERRORS
