"""Chooses the proxy for a server, and matches NO_PROXY as curl, git, and kubectl do."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from homelab_hooks.config.address import ServerUrl, to_ascii_host

_HOST_AND_PORT = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")


class ProxySettings(NamedTuple):
    """The proxies that the environment, or the system, names for one host."""

    environment: Mapping[str, str]
    """by scheme; `no` is the value of NO_PROXY"""
    system: Mapping[str, str]
    """by scheme; those of the environment, if it names any"""
    bypasses_host: bool
    """the system's settings exclude the host, on macOS"""


def choose_proxy(server: ServerUrl, settings: ProxySettings) -> str | None:
    """Return the URL of the proxy for this server; None if it is to be reached directly."""
    named = settings.environment
    if is_bypassed(server.host, server.port, named.get("no", "")):
        return None
    if not named.keys() - {"no"} and settings.bypasses_host:
        return None
    proxy = settings.system.get(server.scheme) or settings.system.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def is_bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Return whether a value of NO_PROXY names this host.

    Entries are separated by commas or white space. A name also matches its subdomains, with or without a leading dot.
    An address may be a network (10.0.0.0/8, fd00::/8). An entry with a port matches only that port.

    >>> is_bypassed("ci.example.test", 443, "10.0.0.0/8, .example.test:443")
    True
    >>> is_bypassed("10.1.2.3", 443, "10.0.0.0/8"), is_bypassed("example.test", 8443, "example.test:443")
    (True, False)
    """
    host = host.rstrip(".").lower()
    return any(_matches(host, port, entry.lower()) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    address = _parse_address(host)
    if network := _parse_network(entry):
        return address is not None and address in network
    parts = _HOST_AND_PORT.fullmatch(entry)
    if parts is None or (parts["port"] and int(parts["port"]) != port):
        return False
    if network := _parse_network(parts["six"] or parts["host"] or ""):
        return address is not None and address in network
    domain = _to_ascii((parts["host"] or "").removeprefix("*").strip("."))
    return address is None and bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _to_ascii(domain: str) -> str:
    """Return a domain as it is compared with a server's name, which is ASCII."""
    with contextlib.suppress(UnicodeError):
        return to_ascii_host(domain)
    return domain
