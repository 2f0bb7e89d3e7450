"""Reaches registries, their token services, and their storage: one connection for each origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from homelab_hooks.config.address import ConnectTo, Dial, ServerUrl, find_dial
from homelab_hooks.errors import CommandError
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.registry.answer import RegistrySilence
from homelab_hooks.registry.reference import ImageReference

REQUEST_TIMEOUT_S = 10.0
"""seconds for one request"""
MAX_BODY_BYTES = 4 * 1024 * 1024
"""bytes of a response; the OCI distribution specification asks registries to accept manifests of 4 MiB"""


class RegistryTransport(Protocol):
    """Sends requests to one server, and follows no redirect."""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""

    def close(self) -> None:
        """Close the connections."""


class RegistryQuestion(NamedTuple):
    """The image that requests are about, and the end of the time for them, in seconds of the clock."""

    image: ImageReference
    until: float

    @property
    def registry(self) -> str:
        """Return the registry's name, for messages."""
        return f"the registry {self.image.host}"


@dataclass(frozen=True)
class RegistryHosts:
    """Sends requests to servers.

    Attributes:
        connect: returns a client for a server, without a token; at this address, or at one from DNS. It may raise
            CommandError.
        resolve: returns the addresses of a server, within these seconds; raises OSError.
        now: the clock.
        connect_to: the addresses to connect to instead of using DNS.
        redact: is given each secret before it is sent.
        has_proxy: returns whether the environment names a proxy for a server.
    """

    connect: Callable[[ServerUrl, Dial | None], RegistryTransport]
    resolve: Callable[[ServerUrl, float], tuple[str, ...]]
    now: Callable[[], float]
    connect_to: tuple[ConnectTo, ...] = ()
    redact: Callable[[str], None] = lambda _: None
    has_proxy: Callable[[ServerUrl], bool] = lambda _: False
    _transports: dict[tuple[ServerUrl, Dial | None], RegistryTransport] = field(default_factory=dict)

    def send(
        self, server: ServerUrl, request: HttpRequest, question: RegistryQuestion, *, address: str = ""
    ) -> HttpResponse | RequestFailed | RegistrySilence:
        """Send a request to a server.

        Args:
            address: where to connect to; empty: the address that the user set, or one from DNS.
        """
        dial = find_dial(server.host, self.connect_to)
        if address:
            dial = Dial(address, dial.port if dial else None)
        left_s = min(REQUEST_TIMEOUT_S, question.until - self.now())
        if left_s <= 0:
            return RequestFailed(FailureKind.TIMEOUT, "no complete answer in time")
        try:
            key = (server, dial)
            transport = self._transports.get(key) or self._transports.setdefault(key, self.connect(server, dial))
        except CommandError as problem:
            return RegistrySilence(reason=f"{question.registry}: {problem.message}", hint=problem.hint)
        return transport.send(request, timeout=left_s, max_bytes=MAX_BODY_BYTES)

    def find_addresses(self, server: ServerUrl, question: RegistryQuestion) -> tuple[str, ...]:
        """Return the addresses of a server. Raises OSError."""
        dial = find_dial(server.host, self.connect_to)
        left_s = max(0.1, min(REQUEST_TIMEOUT_S, question.until - self.now()))
        return (dial.address,) if dial else self.resolve(server, left_s)

    def is_proxied(self, server: ServerUrl) -> bool:
        """Return whether requests to a server go through a proxy: the address that the user set takes precedence."""
        return find_dial(server.host, self.connect_to) is None and self.has_proxy(server)

    def close(self) -> None:
        """Close all connections; the next request opens one again."""
        while self._transports:
            self._transports.popitem()[1].close()
