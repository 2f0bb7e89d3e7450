"""Asks a service which commit it runs, by GET; no credential and no cookie is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.config.link_spec import LiveTarget
from homelab_hooks.follow.live_answer import Compare, read_answer
from homelab_hooks.net.live import LiveAnswer
from homelab_hooks.net.message import REDIRECT_STATUSES, HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind, Found

REQUEST_TIMEOUT_S = 10.0
"""seconds for one request with its redirects"""
MAX_ANSWER_BYTES = 1024 * 1024
"""bytes of an answer"""
MAX_REDIRECTS = 5
"""redirects of one request that are followed"""


class Client(Protocol):
    """Sends requests to one server."""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""

    def close(self) -> None:
        """Close the connections."""


class LiveHttpSource:
    """Asks a URL and follows redirects on the same host.

    Args:
        connect: returns a client for a server, without a token and without cookies.
        compare: returns whether the commit with this name contains the one that is waited for.
        now: the clock.
    """

    def __init__(
        self,
        target: LiveTarget,
        sha: str,
        *,
        connect: Callable[[ServerUrl], Client],
        compare: Compare,
        now: Callable[[], float],
    ) -> None:
        self._target, self._sha = target, sha
        self._connect, self._compare, self._now = connect, compare, now
        self._clients: dict[ServerUrl, Client] = {}

    def poll(self) -> Found[LiveAnswer]:
        """Send one request; every outcome is Found."""
        path: Sequence[str] = self._target.path
        return Found(read_answer(self._get(), sha=self._sha, path=path, compare=self._compare))

    def close(self) -> None:
        """Close the connections; the next request opens one again."""
        while self._clients:
            self._clients.popitem()[1].close()

    def _get(self) -> HttpResponse | RequestFailed:
        server, target = self._target.server, self._target.target
        until = self._now() + REQUEST_TIMEOUT_S
        for _ in range(MAX_REDIRECTS + 1):
            client = self._clients.get(server) or self._clients.setdefault(server, self._connect(server))
            request = HttpRequest("GET", target, headers={"Accept": "*/*", "Cache-Control": "no-cache"})
            answer = client.send(request, timeout=max(1.0, until - self._now()), max_bytes=MAX_ANSWER_BYTES)
            if isinstance(answer, RequestFailed) or answer.status not in REDIRECT_STATUSES:
                return answer
            following = resolve_redirect(server, target, answer.headers.get("location", ""))
            if following is None:
                return answer
            server, target = following
        return RequestFailed(FailureKind.STATUS, f"more than {MAX_REDIRECTS} redirects")


def resolve_redirect(server: ServerUrl, target: str, location: str) -> tuple[ServerUrl, str] | None:
    """Return the server and the target that a redirect leads to; None if it is not to be followed.

    Only redirects on the same host are, with the same scheme and port, or from http to https.

    >>> server = parse_server_url("http://shop.example.test")
    >>> str(resolve_redirect(server, "/version", "https://shop.example.test/version")[0])
    'https://shop.example.test'
    >>> resolve_redirect(server, "/version", "http://evil.example.test/version") is None
    True
    """
    try:
        url = urljoin(server.origin + target, location)
        parts = urlsplit(url)
        to = parse_server_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return None
    if not location or not url.isascii() or not url.isprintable() or to.host != server.host:
        return None
    is_upgrade = (server.scheme, to.scheme) == ("http", "https")
    if not is_upgrade and (to.scheme, to.port) != (server.scheme, server.port):
        return None
    return to, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
