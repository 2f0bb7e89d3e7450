"""Probes a server step by step: DNS, connection, TLS certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore

from homelab_hooks.config.address import Dial, ServerUrl
from homelab_hooks.net.certificate import Certificate
from homelab_hooks.net.failures import CONNECT_TIMEOUT_S, classify_error, describe_connect_timeout
from homelab_hooks.net.http import (
    create_ssl_context,
    find_proxy,
    resolve_host,
)
from homelab_hooks.net.pinned import MonotonicClock
from homelab_hooks.net.probe_result import Connected, ConnectFailed, DnsFailed, ProbeResult, TlsFailed, ViaProxy

if TYPE_CHECKING:
    import ssl


def probe_server(
    server: ServerUrl,
    *,
    clock: MonotonicClock,
    dial: Dial | None = None,
    ca_file: Path | None = None,
    timeout: float = CONNECT_TIMEOUT_S,
) -> ProbeResult:
    """Connect as a request would, and send nothing. DNS and each connection may take `timeout` seconds.

    Raises CommandError if the CA certificates cannot be used.
    """
    if not dial and (proxy := find_proxy(server)):
        return ViaProxy(proxy.rpartition("@")[2])
    try:
        addresses = (dial.address,) if dial else resolve_host(server.host, server.port, timeout)
    except OSError as error:
        return DnsFailed((error.strerror or str(error)).lower())
    begin, reason = clock.now(), "no address found in DNS"
    port = (dial.port if dial else None) or server.port
    for address in addresses:
        try:
            stream = httpcore.SyncBackend().connect_tcp(address, port, timeout=timeout)
        except httpcore.ConnectTimeout as error:
            reason = describe_connect_timeout(error, timeout)
            continue
        except httpcore.ConnectError as error:
            reason = _error_reason(error)
            continue
        place = str(Dial(address, port))
        try:
            result = _handshake(stream, server, ca_file, timeout)._replace(address=place)
        except httpcore.ConnectTimeout as error:
            return ConnectFailed((place,), describe_connect_timeout(error, timeout))
        if isinstance(result, TlsFailed):
            return result
        return result._replace(seconds=clock.now() - begin, addresses=() if dial else addresses)
    return ConnectFailed(tuple(str(Dial(address, port)) for address in addresses), reason)


def _handshake(
    stream: httpcore.NetworkStream, server: ServerUrl, ca_file: Path | None, timeout: float
) -> Connected | TlsFailed:
    """Start TLS on a connection if the server uses it; the connection is closed in any case.

    Raises httpcore.ConnectTimeout if the server does not respond.
    """
    try:
        if server.scheme == "http":
            return Connected("", 0.0)
        stream = stream.start_tls(create_ssl_context(ca_file), server_hostname=server.host, timeout=timeout)
        certificate = read_certificate(stream.get_extra_info("ssl_object"))
    except httpcore.ConnectError as error:
        failure = classify_error(error)
        return TlsFailed("", failure.reason, failure.certificate_fault, failure.cause)
    finally:
        stream.close()
    return Connected("", 0.0, certificate=certificate)


def _error_reason(error: Exception) -> str:
    """Return the system's message without error number and source lines."""
    return str(getattr(error.__cause__, "strerror", None) or error).lower()


def read_certificate(connection: ssl.SSLSocket) -> Certificate:
    """Return the certificate of a server that has been verified."""
    import ssl

    fields: Any = connection.getpeercert() or {}
    names = {key: value for group in fields.get("issuer", ()) for key, value in group}
    issuer = names.get("organizationName") or names.get("commonName") or "an unnamed issuer"
    begins, expires = (float(ssl.cert_time_to_seconds(fields[field])) for field in ("notBefore", "notAfter"))
    return Certificate(begins, expires, issuer)
