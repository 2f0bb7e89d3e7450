"""Goes to a server step by step, and says how far it came: its name, a connection, its certificate."""

from __future__ import annotations

from pathlib import Path

import httpcore

from homelab_hooks.https.backend import Clock
from homelab_hooks.https.https import CONNECT, addresses, certificate, no_reply, proxy_for, trust
from homelab_hooks.server import Dial, Server
from homelab_hooks.way import Proxied, Reached, Unconnected, Unresolved, Untrusted, Way


def probe(
    server: Server, *, clock: Clock, dial: Dial | None = None, ca_file: Path | None = None, within: float = CONNECT
) -> Way:
    """Connect as a request would, and send nothing. DNS and each connection may take `within` seconds.

    Raises Problem where the trust anchors cannot be used.
    """
    if not dial and (proxy := proxy_for(server)):
        return Proxied(proxy.rpartition("@")[2])
    try:
        found = (dial.address,) if dial else addresses(server.host, server.port, within)
    except OSError as error:
        return Unresolved((error.strerror or str(error)).lower())
    begin, reason = clock.now(), "DNS gives no address"
    port = (dial.port if dial else None) or server.port
    for address in found:
        try:
            stream = httpcore.SyncBackend().connect_tcp(address, port, timeout=within)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            late = isinstance(error, httpcore.ConnectTimeout)
            reason = f"no connection within {within:.0f} s" if late else _said(error)
            continue
        way = _greeted(stream, server, ca_file, within)._replace(address=str(Dial(address, port)))
        if isinstance(way, Untrusted):
            return way
        return way._replace(seconds=clock.now() - begin, addresses=() if dial else found)
    return Unconnected(tuple(str(Dial(address, port)) for address in found), reason)


def _greeted(
    stream: httpcore.NetworkStream, server: Server, ca_file: Path | None, within: float
) -> Reached | Untrusted:
    """TLS on a connection, where there is to be any; the connection is closed."""
    try:
        if server.scheme == "http":
            return Reached("", 0.0)
        stream = stream.start_tls(trust(ca_file), server_hostname=server.host, timeout=within)
        ends, issuer = certificate(stream.get_extra_info("ssl_object"))
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        reply = no_reply(error)
        return Untrusted("", reply.reason if reply.untrusted else f"TLS fails: {_said(error)}")
    finally:
        stream.close()
    return Reached("", 0.0, ends=ends, issuer=issuer)


def _said(error: Exception) -> str:
    """What the system said, without its number and its source lines."""
    cause = error.__cause__
    if reason := getattr(cause, "reason", None):
        return str(reason).replace("_", " ").lower()
    return str(getattr(cause, "strerror", None) or error).lower()
