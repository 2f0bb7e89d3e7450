"""Parses image references as docker does, and finds the registry's address and its key in docker's configuration.

Source: "Reference" in github.com/distribution/reference (normalize.go, regexp.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab_hooks.config.address import Dial, ServerUrl, is_loopback_host, parse_server_url

DOCKER_HUB = "docker.io"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""what docker's configuration and credential helpers call Docker Hub"""
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_API_HOST = "registry-1.docker.io"
_MAX_REPOSITORY_CHARS = 255
_MAX_REFERENCE_CHARS = 1024
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image: its registry as docker names it, its repository there, and the tag and the digest, if it has them."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Return the repository with its registry, for messages."""
        return f"{self.host}/{self.repository}"

    @property
    def credential_key(self) -> str:
        """Return the registry's name in docker's configuration and for credential helpers."""
        return DOCKER_HUB_KEY if self.host == DOCKER_HUB else self.host

    @property
    def login_command(self) -> str:
        """Return the command that stores credentials for the registry."""
        return "docker login" if self.host == DOCKER_HUB else f"docker login {self.host}"


def parse_image_reference(text: str) -> ImageReference:
    """Parse an image reference. Raises ValueError if it is not one.

    >>> parse_image_reference("app").name, parse_image_reference("acme/app:v1").name
    ('docker.io/library/app', 'docker.io/acme/app')
    >>> parse_image_reference("localhost/app").host, parse_image_reference("registry.example.test:5000/a/b:v1").tag
    ('localhost', 'v1')
    >>> [parse_image_reference(text).host for text in ("acme/app:1", "index.docker.io/acme/app", "MyHost/app")]
    ['docker.io', 'docker.io', 'myhost']
    """
    if len(text) > _MAX_REFERENCE_CHARS:
        raise ValueError("the reference is too long")
    name, _, digest = text.strip().partition("@")
    first, slash, rest = name.partition("/")
    has_host = bool(slash) and (bool(re.search(r"[.:]", first)) or first == "localhost" or first != first.lower())
    host, path = (first.lower(), rest) if has_host else (DOCKER_HUB, name)
    head, _, last = path.rpartition("/")
    last, colon, tag = last.partition(":")
    repository = f"{head}/{last}" if head else last
    if host in _HUB_NAMES:
        host = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    if not _REPOSITORY.fullmatch(repository) or len(repository) > _MAX_REPOSITORY_CHARS:
        raise ValueError("the repository's name is not valid")
    if (colon and not _TAG.fullmatch(tag)) or (digest and not DIGEST.fullmatch(digest)):
        raise ValueError("the tag or the digest is not valid")
    if not _HOST.fullmatch(host):
        raise ValueError("the registry's name is not valid")
    parse_server_url(f"https://{host}")
    return ImageReference(host, repository, tag, digest)


def list_registry_servers(reference: ImageReference, *, dial: Dial | None, allows_http: bool) -> tuple[ServerUrl, ...]:
    """Return the addresses of the registry, in the order in which they are tried.

    Registries are asked over https. One on this machine is asked over http if it has no TLS, as docker does it. With
    `allows_http` (HOMELAB_ALLOW_HTTP), so is one whose reference names a port: public registries have none there.

    >>> [str(url) for url in list_registry_servers(parse_image_reference("localhost:5001/app"), dial=None,
    ...     allows_http=False)]
    ['https://localhost:5001', 'http://localhost:5001']
    >>> [str(url) for url in list_registry_servers(parse_image_reference("app"), dial=None, allows_http=True)]
    ['https://registry-1.docker.io']
    """
    host = _HUB_API_HOST if reference.host == DOCKER_HUB else reference.host
    secure = parse_server_url(f"https://{host}")
    is_local = secure.is_loopback and (dial is None or is_loopback_host(dial.address))
    names_port = re.search(r":[0-9]+$", host) is not None
    if is_local or (allows_http and names_port):
        return secure, parse_server_url(f"http://{host}")
    return (secure,)
