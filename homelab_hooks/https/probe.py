"""Goes to a server step by step, and says how far it came: its name, a connection, its certificate."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from homelab_hooks.https import CONNECT, Clock, proxy_for, trust
from homelab_hooks.server import Dial, Server
from homelab_hooks.text import without_user
from homelab_hooks.way import Proxied, Reached, Unconnected, Unresolved, Untrusted, Way


def probe(
    server: Server, *, clock: Clock, dial: Dial | None = None, ca_file: Path | None = None, within: float = CONNECT
) -> Way:
    """Connect as a request would, and send nothing. Each connection may take `within` seconds; DNS is not bounded.

    Raises Problem where the trust anchors cannot be used.
    """
    context = trust(ca_file) if server.scheme == "https" else None
    addresses = (dial.address,) if dial else _addresses(server)
    if isinstance(addresses, Unresolved | Proxied):
        return addresses
    begin, reason = clock.now(), "DNS gives no address"
    port = (dial.port if dial else None) or server.port
    for address in addresses:
        try:
            plain = socket.create_connection((address, port), timeout=within)
        except OSError as error:
            reason = f"no connection within {within:.0f} s" if isinstance(error, TimeoutError) else _said(error)
            continue
        with plain:
            way = _greeted(plain, context, server)._replace(address=_shown(address, port))
        if isinstance(way, Untrusted):
            return way
        return way._replace(seconds=clock.now() - begin, addresses=() if dial else addresses)
    return Unconnected(tuple(_shown(address, port) for address in addresses), reason)


def _addresses(server: Server) -> tuple[str, ...] | Unresolved | Proxied:
    if proxy := proxy_for(server):
        return Proxied(without_user(proxy))
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Unresolved((error.strerror or str(error)).lower())
    return tuple(dict.fromkeys(str(row[4][0]) for row in found))


def _greeted(plain: socket.socket, context: ssl.SSLContext | None, server: Server) -> Reached | Untrusted:
    """TLS on a connection, where there is to be any."""
    if context is None:
        return Reached("", 0.0)
    try:
        with context.wrap_socket(plain, server_hostname=server.host) as secure:
            told = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Untrusted("", f"the certificate does not verify: {error.verify_message}")
    except OSError as error:
        return Untrusted("", f"TLS fails: {_said(error)}")
    return Reached("", 0.0, ends=float(ssl.cert_time_to_seconds(str(told["notAfter"]))), issuer=_issuer(told))


def _issuer(certificate: object) -> str:
    """Who made it, in its own words: the organization, else the common name."""
    names: dict[str, str] = {}
    if isinstance(certificate, dict):
        names = {key: value for group in certificate.get("issuer", ()) for key, value in group}
    return names.get("organizationName") or names.get("commonName") or "nobody named"


def _said(error: OSError) -> str:
    """What the system said, without its number."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no TLS there").replace("_", " ").lower()
    return (error.strerror or str(error)).lower()


def _shown(address: str, port: int) -> str:
    return str(Dial(address, port))
