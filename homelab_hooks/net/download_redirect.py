"""Decides whether the redirect of a download may be followed, without the credential of the server that sent it.

GitHub keeps the logs of jobs on another host ("Download job logs for a workflow run" in its REST documentation: 302
with a Location that is valid for a minute; not seen on a real server), and registries redirect to the storage of their
blobs (OCI distribution specification, "Pulling blobs"). The redirect comes from a server, so it must not lead into the
user's own network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from homelab_hooks.config.address import ServerUrl, parse_server_url

MAX_LOCATION_CHARS = 16384
"""characters of the longest address; servers refuse much shorter ones (nginx: 8 KiB, Go: 1 MiB with all headers)"""


_NUMERIC_HOST = re.compile(r".*:.*|(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)\.?")
"""an address, also in the forms that only inet_aton(3) reads, such as 0x7f.1 (WHATWG URL, "ends in a number")"""


_CARRIES_IPV4 = (
    ("::/96", 0),  # IPv4-compatible (RFC 4291, 2.5.5.1)
    ("::ffff:0:0/96", 0),  # IPv4-mapped (RFC 4291, 2.5.5.2)
    ("::ffff:0:0:0/96", 0),  # IPv4-translated (RFC 2765, 2.1)
    ("64:ff9b::/96", 0),  # NAT64 (RFC 6052, 2.1), which DNS64 answers with for public names too
    ("2002::/16", 80),  # 6to4 (RFC 3056, 2)
)
"""networks whose addresses lead to an IPv4 address, and the number of bits behind it"""
_LOCAL_NETWORKS = ("64:ff9b:1::/48", "fec0::/10", "5f00::/16")
"""of one site, but not private for every supported Python: local NAT64 (RFC 8215), site-local, and SRv6 addresses"""


class DownloadPlace(NamedTuple):
    """Where something is downloaded from; `target` is the path with its query, which is a credential."""

    server: ServerUrl
    target: str


class RedirectRefused(NamedTuple):
    """Why a redirect is not followed."""

    reason: str


def parse_download_redirect(location: str, origin: ServerUrl, subject: str) -> DownloadPlace | RedirectRefused:
    """Return where a redirect leads: over https, unless it stays at the server that sent it.

    Args:
        origin: the server that sent the redirect.
        subject: what is downloaded, for messages.

    >>> parse_download_redirect("http://logs.example.test/1", parse_server_url("https://api.github.com"), "the log")
    RedirectRefused(reason='the redirect of the log does not use https')
    """
    no_address = RedirectRefused(f"the redirect of {subject} has no valid address")
    try:
        url = urljoin(f"{origin.origin}/", location)
        if len(url) > MAX_LOCATION_CHARS or not url.isascii() or not url.isprintable() or " " in url:
            return no_address
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            return RedirectRefused(f"the redirect of {subject} contains a user name")
        server = parse_server_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return no_address
    if server.scheme != "https" and server.origin != origin.origin:
        return RedirectRefused(f"the redirect of {subject} does not use https")
    return DownloadPlace(server, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def find_download_address(
    place: DownloadPlace,
    origin: ServerUrl,
    subject: str,
    *,
    resolve: Callable[[ServerUrl], Sequence[str]],
    is_proxied: Callable[[ServerUrl], bool],
) -> str | RedirectRefused:
    """Return the address to download from; empty if a proxy connects to the place. Raises OSError.

    The caller pins the address, because the name may lead elsewhere a moment later. A proxy looks the name up itself,
    so that only an address that the redirect names can be checked then.

    Args:
        origin: the server that sent the redirect.
        subject: what is downloaded, for messages.
        resolve: returns the addresses of a server; raises OSError.
        is_proxied: returns whether requests to a server go through a proxy.
    """
    if not is_proxied(place.server):
        return choose_download_address(resolve(place.server), resolve(origin), subject)
    if _is_private_number(place.server.host) and not _is_private_number(origin.host):
        return _lead_to_private(subject)
    return ""


def _is_private_number(host: str) -> bool:
    return bool(_NUMERIC_HOST.fullmatch(host)) and not is_public_address(host)


def _lead_to_private(subject: str) -> RedirectRefused:
    return RedirectRefused(f"the redirect of {subject} leads to a private address")


def choose_download_address(
    addresses: Sequence[str], own_addresses: Sequence[str], subject: str
) -> str | RedirectRefused:
    """Return the address to download from; none that is loopback or private, unless the own server has such a one.

    Args:
        addresses: those of the host that the redirect names.
        own_addresses: those of the server that sent the redirect.
        subject: what is downloaded, for messages.

    >>> choose_download_address(["127.0.0.1"], ["140.82.121.6"], "the log")
    RedirectRefused(reason='the redirect of the log leads to a private address')
    >>> choose_download_address(["10.0.0.8"], ["10.0.0.7"], "the log")
    '10.0.0.8'
    """
    if not addresses:
        return RedirectRefused(f"the host of {subject} has no address")
    is_own_private = any(not is_public_address(address) for address in own_addresses)
    if not is_own_private and any(not is_public_address(address) for address in addresses):
        return _lead_to_private(subject)
    return addresses[0]


def is_public_address(address: str) -> bool:
    """Return whether an address is on the public internet; an IPv6 address that carries an IPv4 address is as that one.

    >>> [is_public_address(text) for text in ("140.82.121.6", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%eth0")]
    [True, False, False, False]
    >>> is_public_address("64:ff9b::140.82.121.6"), is_public_address("64:ff9b::10.0.0.8")
    (True, False)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in ipaddress.ip_network(network) for network in _LOCAL_NETWORKS):
            return False
        found = _find_carried_ipv4(found) or found
    return found.is_global and not found.is_multicast


def _find_carried_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    for network, bits_behind in _CARRIES_IPV4:
        if address in ipaddress.ip_network(network):
            return ipaddress.IPv4Address(int(address) >> bits_behind & 0xFFFFFFFF)
    return None
