"""How far one came on the way to a server."""

from __future__ import annotations

from typing import NamedTuple


class DnsFailed(NamedTuple):
    """DNS does not know its name."""

    reason: str


class ConnectFailed(NamedTuple):
    """No connection to any of its addresses."""

    addresses: tuple[str, ...]
    reason: str


class TlsFailed(NamedTuple):
    """There is a connection, and TLS on it fails: nothing was sent."""

    address: str
    reason: str


class Connected(NamedTuple):
    """There is a connection that can be used."""

    address: str
    seconds: float
    """until it was there, TLS included"""
    addresses: tuple[str, ...] = ()
    """what DNS gave, where it was asked"""
    certificate_expires: float | None = None
    """when the certificate ends, in unix seconds; None without TLS"""
    issuer: str = ""


class ViaProxy(NamedTuple):
    """The environment names a proxy, so that only the proxy sees the server."""

    proxy: str


ProbeResult = DnsFailed | ConnectFailed | TlsFailed | Connected | ViaProxy
