"""The endpoints of a registry for pulling: manifests, blobs, and the token service.

Gitea's challenge, errors, and statuses are those of registry recordings 01-gitea-push, 02-gitea-manifests and
03-gitea-private; those of the distribution registry, of 10-distribution-anonymous and 11-distribution-htpasswd.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.simulators.registry.store import INDEX_TYPE, MANIFEST_TYPE, RegistryStore, SimulatedRepository

_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")
_VERSION_HEADER = ("Docker-Distribution-Api-Version", "registry/2.0")
TOKEN_PREFIX = "token-of-"  # noqa: S105 - how the simulated token service names its tokens
TOKEN_PATH = "/v2/token"  # noqa: S105 - a path


class RegistryLogins(Enum):
    """How a registry asks for credentials."""

    NONE = auto()
    """distribution without authentication"""
    BASIC = auto()
    """distribution with htpasswd"""
    TOKEN = auto()
    """Gitea: a token service, also for anonymous pulls"""


class PulledRequest(NamedTuple):
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class RegistryReply(NamedTuple):
    """A response."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class RegistryApi:
    """Answers requests.

    Attributes:
        logins: how it asks for credentials.
        realm: the URL of the token service.
        storage: where blobs are redirected to, without a slash at its end; empty: they are served.
        has_digest_header: whether HEAD names the digest.
    """

    store: RegistryStore
    logins: RegistryLogins = RegistryLogins.NONE
    realm: str = ""
    storage: str = ""
    has_digest_header: bool = True

    def answer(self, request: PulledRequest) -> RegistryReply:
        """Return the response to a request."""
        path = urlsplit(request.path).path
        if path == TOKEN_PATH and self.logins is RegistryLogins.TOKEN:
            return self._issue_token(request)
        caller = self._find_caller(request.headers.get("authorization", ""))
        if caller is None:
            return self._challenge()
        if path == "/v2/":
            return RegistryReply(HTTPStatus.OK, b"{}", (("Content-Type", "application/json"), _VERSION_HEADER))
        if route := _ROUTE.fullmatch(path):
            accept = request.headers.get("accept", "")
            return self._pull(caller, route["name"], (route["kind"], route["reference"]), accept)
        return RegistryReply(HTTPStatus.NOT_FOUND, b"404 page not found\n", (("Content-Type", "text/plain"),))

    def _pull(self, caller: str, name: str, what: tuple[str, str], accept: str) -> RegistryReply:
        repository = self.store.repositories.get(name)
        if repository and repository.readers is not None and caller not in repository.readers:
            basic = ("WWW-Authenticate", 'Basic realm="Gitea Package API"')
            kind = ("Content-Type", "text/plain; charset=utf-8")
            return RegistryReply(HTTPStatus.UNAUTHORIZED, b"reqPackageAccess\n", (kind, basic))
        kind_of_content, reference = what
        if kind_of_content == "blobs":
            return self._read_blob(repository, reference)
        return self._read_manifest(repository, reference, accept)

    def _find_caller(self, authorization: str) -> str | None:
        """Return the login of a request, empty for an anonymous one; None if the registry asks for credentials."""
        if self.logins is RegistryLogins.NONE:
            return ""
        scheme, _, value = authorization.partition(" ")
        if scheme == "Basic":
            return self._check_password(value)
        if scheme == "Bearer" and self.logins is RegistryLogins.TOKEN and value.startswith(TOKEN_PREFIX):
            return value.removeprefix(TOKEN_PREFIX).partition(".")[0]
        return None

    def _check_password(self, value: str) -> str | None:
        user, _, password = base64.b64decode(value).decode().partition(":")
        return user if password and self.store.passwords.get(user) == password else None

    def _challenge(self) -> RegistryReply:
        message = "authentication required" if self.logins is RegistryLogins.BASIC else ""
        token = f'Bearer realm="{self.realm}",service="container_registry",scope="*" || '
        token += 'Basic realm="Gitea Container Registry"'
        basic = 'Basic realm="Registry"'
        header = ("WWW-Authenticate", basic if self.logins is RegistryLogins.BASIC else token)
        return _refuse(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", message, header)

    def _issue_token(self, request: PulledRequest) -> RegistryReply:
        """Return a token for a login, or for an anonymous caller; wrong credentials are refused."""
        authorization = request.headers.get("authorization", "")
        caller: str | None = ""
        if request.method == "POST":
            form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
            caller = self.store.identity_tokens.get(form.get("refresh_token", ""))
        elif authorization:
            caller = self._check_password(authorization.removeprefix("Basic "))
        if caller is None:
            return self._challenge()
        name = "access_token" if request.method == "POST" else "token"
        body = json.dumps({name: f"{TOKEN_PREFIX}{caller}.s3cret"}).encode()
        return RegistryReply(HTTPStatus.OK, body, (("Content-Type", "application/json;charset=utf-8"),))

    def _read_manifest(self, repository: SimulatedRepository | None, reference: str, accept: str) -> RegistryReply:
        digest = repository.tags.get(reference, reference) if repository else ""
        found = repository.manifests.get(digest) if repository else None
        if found is None:
            message = "" if self.logins is RegistryLogins.TOKEN else "manifest unknown"
            return _refuse(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", message)
        if self.logins is not RegistryLogins.TOKEN and (hidden := _explain_hidden(found.media_type, accept)):
            return _refuse(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", hidden)
        named = (("Docker-Content-Digest", digest),) if self.has_digest_header else ()
        headers = (("Content-Type", found.media_type), _VERSION_HEADER, *named)
        return RegistryReply(HTTPStatus.OK, found.body, headers)

    def _read_blob(self, repository: SimulatedRepository | None, digest: str) -> RegistryReply:
        body = repository.blobs.get(digest) if repository else None
        if body is None:
            return _refuse(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.storage:
            return RegistryReply(HTTPStatus.TEMPORARY_REDIRECT, b"", (("Location", f"{self.storage}/{digest}"),))
        headers = (("Content-Type", "application/octet-stream"), _VERSION_HEADER, ("Docker-Content-Digest", digest))
        return RegistryReply(HTTPStatus.OK, body, headers)


def _explain_hidden(media_type: str, accept: str) -> str:
    """Return why distribution hides an OCI manifest from a client that does not accept it."""
    is_index = media_type == INDEX_TYPE
    if media_type in accept or media_type not in {INDEX_TYPE, MANIFEST_TYPE}:
        return ""
    kind, plural = ("index", "indexes") if is_index else ("manifest", "manifests")
    return f"OCI {kind} found, but accept header does not support OCI {plural}"


def _refuse(status: int, code: str, message: str, *headers: tuple[str, str]) -> RegistryReply:
    error: dict[str, Any] = {"errors": [{"code": code, "message": message}]}
    kind = ("Content-Type", "application/json; charset=utf-8")
    return RegistryReply(status, json.dumps(error).encode(), (kind, _VERSION_HEADER, *headers))
