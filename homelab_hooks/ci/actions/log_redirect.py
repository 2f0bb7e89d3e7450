"""Decides whether the redirect of a log download may be followed: GitHub keeps logs on another host.

"Download job logs for a workflow run" in GitHub's REST documentation: 302 with a Location that is valid for a minute;
not seen on a real server. The redirect comes from a server, so it must not lead into the user's own network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from homelab_hooks.config.address import ServerUrl, parse_server_url


class LogPlace(NamedTuple):
    """Where a log is downloaded from; `target` is the path with its query, which is a credential."""

    server: ServerUrl
    target: str


class RedirectRefused(NamedTuple):
    """Why a redirect is not followed."""

    reason: str


def parse_log_redirect(location: str, forge: ServerUrl) -> LogPlace | RedirectRefused:
    """Return where a redirect leads: over https, unless it stays at the forge itself.

    >>> parse_log_redirect("http://logs.example.test/1", parse_server_url("https://api.github.com"))
    RedirectRefused(reason='the redirect of the log does not use https')
    """
    url = urljoin(f"{forge.origin}/", location)
    if not url.isascii() or not url.isprintable() or " " in url:
        return RedirectRefused("the redirect of the log has no valid address")
    try:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            return RedirectRefused("the redirect of the log contains a user name")
        server = parse_server_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return RedirectRefused("the redirect of the log has no valid address")
    if server.scheme != "https" and server.origin != forge.origin:
        return RedirectRefused("the redirect of the log does not use https")
    return LogPlace(server, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def choose_log_address(addresses: Sequence[str], forge_addresses: Sequence[str]) -> str | RedirectRefused:
    """Return the address to download a log from; none that is loopback or private, unless the forge has such a one.

    >>> choose_log_address(["127.0.0.1"], ["140.82.121.6"])
    RedirectRefused(reason='the redirect of the log leads to a private address')
    >>> choose_log_address(["10.0.0.8"], ["10.0.0.7"])
    '10.0.0.8'
    """
    if not addresses:
        return RedirectRefused("the host of the log has no address")
    is_forge_private = any(not is_public_address(address) for address in forge_addresses)
    if not is_forge_private and any(not is_public_address(address) for address in addresses):
        return RedirectRefused("the redirect of the log leads to a private address")
    return addresses[0]


def is_public_address(address: str) -> bool:
    """Return whether an address is on the public internet.

    >>> [is_public_address(text) for text in ("140.82.121.6", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%eth0")]
    [True, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast
