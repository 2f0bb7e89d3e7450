"""Builds the request for a registry's access token, and reads the response.

Source: "Token Authentication Specification" and "OAuth2" in the documentation of the distribution registry.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.net.message import HttpRequest
from homelab_hooks.registry.challenge import AuthChallenge
from homelab_hooks.registry.docker_config import MAX_SECRET_CHARS, RegistryLogin
from homelab_hooks.text.json_fields import read_number, read_object, read_text

_CLIENT_ID = "homelab-hooks"
_DEFAULT_LIFETIME_S = 60
"""seconds that a token is valid if the response does not say so (the specification's default)"""
_MARGIN_S = 5
"""seconds before its end at which a token is replaced"""


class TokenRequest(NamedTuple):
    """A request to a token service. Its headers and its body may contain credentials."""

    server: ServerUrl
    request: HttpRequest


class RealmRefused(NamedTuple):
    """Why a token service is not asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for one repository, and until when it is valid, in seconds of the clock."""

    value: str = field(repr=False)
    expires_at: float


def build_token_request(
    challenge: AuthChallenge, repository: str, login: RegistryLogin | None, registry: ServerUrl
) -> TokenRequest | RealmRefused:
    """Return the request for a token that may only pull from one repository, whatever scope the challenge names.

    Args:
        challenge: the registry's own, so that its credentials reach no other token service.
        login: the registry's credentials; None: the token is requested without any.
    """
    realm = challenge.parameters.get("realm", "")
    try:
        parts = urlsplit(realm)
        server = parse_server_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return RealmRefused("its token service has no valid address")
    if not realm.isascii() or not realm.isprintable() or " " in realm:
        return RealmRefused("its token service has no valid address")
    if not _is_protected(server, registry):
        return RealmRefused(f"its token service {server} would receive credentials unencrypted")
    path = parts.path or "/"
    asked = {"service": challenge.parameters.get("service", ""), "scope": f"repository:{repository}:pull"}
    asked = {name: value for name, value in asked.items() if value}
    if login and login.identity_token:
        form = {"grant_type": "refresh_token", "refresh_token": login.identity_token, "client_id": _CLIENT_ID, **asked}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        target = path + (f"?{parts.query}" if parts.query else "")
        return TokenRequest(server, HttpRequest("POST", target, urlencode(form).encode(), headers))
    query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
    authorization = {"Authorization": login.basic} if login else {}
    return TokenRequest(server, HttpRequest("GET", f"{path}?{query}", headers=authorization))


def _is_protected(server: ServerUrl, registry: ServerUrl) -> bool:
    """Return whether credentials may be sent there: over https, or over http if the registry itself uses it there."""
    is_same = server.host == registry.host or (server.is_loopback and registry.is_loopback)
    return server.scheme == "https" or (registry.scheme == "http" and is_same)


def parse_token_response(body: bytes, now: float) -> AccessToken | None:
    """Return the token in a response; None if there is none that can be sent in a header.

    >>> parse_token_response(b'{"token": "t0ken", "expires_in": 300}', 0.0).expires_at
    295.0
    """
    try:
        answer = read_object(json.loads(body))
        value = read_text(answer, "token") or read_text(answer, "access_token")
        lifetime_s = read_number(answer, "expires_in") or _DEFAULT_LIFETIME_S
    except (ValueError, RecursionError):
        return None
    if not value or len(value) > MAX_SECRET_CHARS or not value.isascii() or not value.isprintable() or " " in value:
        return None
    return AccessToken(value, now + max(0, lifetime_s - _MARGIN_S))
