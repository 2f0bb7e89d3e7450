"""Refuses to send a token unencrypted, except to this machine."""

from __future__ import annotations

from homelab_hooks.config.address import Dial, ServerUrl, is_loopback_host
from homelab_hooks.errors import CommandError


def reject_cleartext_http(server: ServerUrl, dial: Dial | None, source: str) -> None:
    """Raise CommandError for an http:// server on another machine; a dial can lead to another one.

    Args:
        source: where the address comes from, for the message.
    """
    is_local = server.is_loopback and (dial is None or is_loopback_host(dial.address))
    if server.scheme == "http" and not is_local:
        hint = "use https://, or set HOMELAB_ALLOW_HTTP=1"
        raise CommandError(f"{server} from {source} would send the token unencrypted", hint=hint)
