"""The result of probing a server: DNS, TCP, TLS."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.net.certificate import Certificate, CertificateFault
from homelab_hooks.net.message import FailureCause


class DnsFailed(NamedTuple):
    """The host has no address in DNS."""

    reason: str


class ConnectFailed(NamedTuple):
    """None of its addresses accepts a connection."""

    addresses: tuple[str, ...]
    reason: str


class TlsFailed(NamedTuple):
    """The connection succeeds, but TLS fails; nothing was sent."""

    address: str
    reason: str
    fault: CertificateFault | None = None
    """why the certificate does not verify; None if TLS fails otherwise"""
    cause: FailureCause | None = None
    """why TLS fails otherwise, as an alert of the server's; None if that is not known"""


class Connected(NamedTuple):
    """The connection succeeds, with TLS if the server uses it."""

    address: str
    seconds: float
    """seconds until it was ready, TLS included"""
    addresses: tuple[str, ...] = ()
    """the addresses from DNS; empty with a dial"""
    certificate: Certificate | None = None
    """None without TLS"""


class ViaProxy(NamedTuple):
    """The environment names a proxy, so the server cannot be probed from here."""

    proxy: str


ProbeResult = DnsFailed | ConnectFailed | TlsFailed | Connected | ViaProxy
