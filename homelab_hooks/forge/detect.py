"""Finds out the kind of a forge, with requests that carry no token.

`/api/v1/version` is Gitea's or Forgejo's, and Forgejo's version contains `+gitea`. GitHub Enterprise Server has
`/api/v3/meta` ("REST API endpoints for meta data" in GitHub's documentation; not seen on a real server).
"""

from __future__ import annotations

from http import HTTPStatus

from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import ForgeTransport, read_json
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.text.sanitize import strip_control_chars

MAX_VERSION_BYTES = 64 * 1024
"""bytes of a response that tells the kind; longer ones are web pages"""
GITEA_VERSION_PATH = "/api/v1/version"
GITHUB_META_PATH = "/api/v3/meta"
_KIND_HINT = "set the kind: git config homelab.REMOTE.forgeKind gitea|forgejo|github, or the address: forgeUrl"


def detect_forge_kind(transport: ForgeTransport, path: str, *, within: float) -> Poll[ForgeKind]:
    """Return the kind of forge at an origin; Denied if it is none that is known.

    Args:
        transport: connected to the origin.
        path: the path of the forge's own address, usually empty.
    """
    version = _get(transport, path + GITEA_VERSION_PATH, within)
    if isinstance(version, RequestFailed):
        return _on_failure(version)
    if kind := read_version(version):
        return Found(kind)
    if version.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"the forge returned {version.status}", FailureKind.STATUS)
    meta = _get(transport, path + GITHUB_META_PATH, within)
    if isinstance(meta, RequestFailed):
        return _on_failure(meta)
    if is_github(meta):
        return Found(ForgeKind.GITHUB)
    needs_login = HTTPStatus.UNAUTHORIZED in (version.status, meta.status)
    because = "it answers only with a token" if needs_login else "it is not Gitea, Forgejo, or GitHub"
    return Denied(f"the kind of forge cannot be detected: {because}", hint=_KIND_HINT)


def read_version(response: HttpResponse) -> ForgeKind | None:
    """Return Gitea or Forgejo by the version in a response; None if it contains none.

    >>> read_version(HttpResponse(200, {}, b'{"version": "16.0.0+gitea-1.22.0"}', 0.1)).value
    'forgejo'
    """
    match read_json(response) if response.status == HTTPStatus.OK else None:
        case {"version": str(version)}:
            return ForgeKind.FORGEJO if "+gitea" in version else ForgeKind.GITEA
        case _:
            return None


def is_github(response: HttpResponse) -> bool:
    """Return whether a response of `/api/v3/meta` is GitHub's; a private instance answers 401 with its own header."""
    if "x-github-request-id" in response.headers and response.status == HTTPStatus.UNAUTHORIZED:
        return True
    match read_json(response) if response.status == HTTPStatus.OK else None:
        case {"verifiable_password_authentication": bool()} | {"installed_version": str()}:
            return True
        case _:
            return False


def _get(transport: ForgeTransport, path: str, within: float) -> HttpResponse | RequestFailed:
    return transport.send(HttpRequest("GET", path), timeout=within, max_bytes=MAX_VERSION_BYTES)


def _on_failure(failure: RequestFailed) -> Poll[ForgeKind]:
    reason = f"the forge does not respond: {strip_control_chars(failure.reason)}"
    if failure.certificate_fault:
        return Denied(reason, hint="set the CA bundle with git config homelab.caFile; no token was sent", final=True)
    if failure.kind is FailureKind.BODY:  # a web page that is longer than any answer about the version
        return Denied("the kind of forge cannot be detected: it returned a web page", hint=_KIND_HINT)
    return Unavailable(reason, failure.kind, hint="if the API has another address, set homelab.REMOTE.forgeUrl")
