"""Decides where a remote's forge is, and how that was determined."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.config.remote_forge import ForgeKind, RemoteForge

GITHUB_HOSTS = frozenset({"github.com", "www.github.com", "ssh.github.com"})
"""the names of github.com in a remote's URL; the last one accepts ssh on port 443"""
GITHUB_API = ServerUrl("https", "api.github.com", 443)
_GITHUB = ServerUrl("https", "github.com", 443)
_WEB_SCHEMES = ("http", "https")


class OriginBasis(Enum):
    """How the origin of a forge was determined; it decides which tokens may be sent there."""

    NAMED = auto()
    """the user named it: --forge-url, HOMELAB_FORGE_URL, or forgeUrl in git config"""
    LANDING_REMOTE = auto()
    """from the push URL of the remote that a landing pushes to"""
    DETECTED = auto()
    """from the URL of another remote"""


class RemoteHost(NamedTuple):
    """Host, port, and scheme of a remote's push URL."""

    host: str
    scheme: str = "ssh"
    port: int | None = None


class ForgePlace(NamedTuple):
    """The address of a forge's web pages, and where the address comes from."""

    url: ServerUrl
    basis: OriginBasis
    source: str
    kind: ForgeKind | None = None
    """the kind, if the settings name it or the host is github.com"""

    @property
    def api_server(self) -> ServerUrl:
        """Return the server that receives API requests."""
        return GITHUB_API if self.is_github_com else self.url

    @property
    def is_github_com(self) -> bool:
        """Return whether the forge is github.com."""
        return self.url.host == _GITHUB.host and self.url.scheme == "https"


class NamedUrl(NamedTuple):
    """The value of the setting `forge_url`."""

    url: ServerUrl | None
    source: str

    @property
    def is_from_git(self) -> bool:
        """Return whether git config, or nothing, sets it; then the key of the remote takes precedence."""
        return self.url is None or self.source.startswith("git config")


def find_forge_place(
    named: NamedUrl, own: RemoteForge, host: RemoteHost | None, *, is_landing_remote: bool
) -> ForgePlace | None:
    """Return where a remote's forge is: named by a setting, otherwise the host of its push URL; None if unknown.

    Args:
        named: the setting for all remotes; an option and a variable take precedence over the key of the remote.
        own: the settings of this remote.
        host: None if the push URL has none.
    """
    url, source = named.url, named.source
    if named.is_from_git and own.url is not None:
        url, source = own.url, own.url_source
    if url is not None:
        return _make_place(url, OriginBasis.NAMED, source, own.kind)
    if host is None:
        return None
    basis = OriginBasis.LANDING_REMOTE if is_landing_remote else OriginBasis.DETECTED
    return _make_place(_guess_url(host), basis, f"the push URL of {own.remote}", own.kind)


def _make_place(url: ServerUrl, basis: OriginBasis, source: str, kind: ForgeKind | None) -> ForgePlace:
    if url.host in (*GITHUB_HOSTS, GITHUB_API.host):
        return ForgePlace(_GITHUB, basis, source, ForgeKind.GITHUB)
    return ForgePlace(url, basis, source, kind)


def _guess_url(host: RemoteHost) -> ServerUrl:
    """Return the web address of the host in a push URL; the port of ssh is not that of the web server."""
    name = f"[{host.host}]" if ":" in host.host else host.host
    if host.scheme in _WEB_SCHEMES:
        return parse_server_url(f"{host.scheme}://{name}" + (f":{host.port}" if host.port else ""))
    return parse_server_url(f"https://{name}")
