"""The address of a server, and the IP address to connect to instead of using DNS."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"(?=[a-z0-9])(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*(?<=[a-z0-9])|[0-9a-f:.]+:[0-9a-f:.]*")
"""a name with labels of 1 to 63 characters, 253 in all (RFC 1035, 2.3.4), or an IPv6 address"""


def is_loopback_host(host: str) -> bool:
    """Return whether a host or an address is on this machine, without using DNS.

    >>> is_loopback_host("127.8.9.1"), is_loopback_host("127.evil.example.test")
    (True, False)
    """
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ServerUrl(NamedTuple):
    """A server's address: scheme, host (no brackets), port, and a path without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def origin(self) -> str:
        """Return scheme, host, and port; the port only if it is not the default of the scheme.

        >>> parse_server_url("https://CI.example.test:443/ci/").origin
        'https://ci.example.test'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        default_port = {"https": 443, "http": 80}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == default_port else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Return whether the server is on this machine."""
        return is_loopback_host(self.host)

    def url(self, path: str) -> str:
        """Return the full URL of a path on this server."""
        return self.origin + self.path + path

    def __str__(self) -> str:
        """Return the address as a user writes it."""
        return self.origin + self.path


class Dial(NamedTuple):
    """The IP address to connect to, and the port if it is not the server's."""

    address: str
    port: int | None = None

    def __str__(self) -> str:
        """Return the address as a user writes it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return host if self.port is None else f"{host}:{self.port}"


def parse_server_url(text: str) -> ServerUrl:
    """Parse the URL of a server. Raises ValueError with what was expected.

    >>> str(parse_server_url("https://ci.example.test/"))
    'https://ci.example.test'
    """
    try:
        return _parse_server_url(text)
    except ExpectedError:
        raise
    except ValueError:  # Python's own words, of urlsplit and of the idna codec
        raise ExpectedError("expected a URL, such as https://ci.example.org") from None


class ExpectedError(ValueError):
    """A text that is not an address; the message is what was expected."""


def _parse_server_url(text: str) -> ServerUrl:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http"):
        raise ExpectedError("expected a URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ExpectedError("expected a URL without a user name or password")
    if not parts.hostname or parts.query or parts.fragment or re.search(r"[\s\\]", text):
        raise ExpectedError("expected a URL, such as https://ci.example.org")
    host = to_ascii_host(parts.hostname)
    if not _HOST.fullmatch(host) or parts.port == 0 or not parts.path.isprintable():
        raise ExpectedError("expected a URL, such as https://ci.example.org")
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    return ServerUrl(parts.scheme, host, port, parts.path.rstrip("/"))


def to_ascii_host(host: str) -> str:
    r"""Return the name of a host in ASCII (IDNA 2008, as curl does). Raises ValueError if it cannot be one.

    >>> to_ascii_host("b\u00fccher.example.test")
    'xn--bcher-kva.example.test'
    """
    if host.isascii() and "xn--" not in host:
        return host
    import idna

    return idna.encode(host, uts46=True).decode()


def parse_dial(text: str) -> Dial:
    """Parse IP, IP:PORT or [IP6]:PORT. Raises ValueError with what was expected.

    >>> str(parse_dial("10.0.20.203")), str(parse_dial("[::1]:8443")), str(parse_dial("::1"))
    ('10.0.20.203', '[::1]:8443', '[::1]')
    """
    import ipaddress

    found = re.fullmatch(
        r"\[(?P<six>[^\]]+)\](?::(?P<port6>[0-9]{1,9}))?|(?P<four>[^:\[\]]+)(?::(?P<port4>[0-9]{1,9}))?|(?P<bare>\S+)",
        text,
    )
    address = found and (found["six"] or found["four"] or found["bare"])
    port = found and (found["port6"] or found["port4"])
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        raise ValueError("expected an IP address, with or without a port, such as 10.0.20.203:443") from None
    if port and not 0 < int(port) <= 65535:  # noqa: PLR2004 - the largest port
        raise ValueError("expected a port from 1 to 65535")
    return Dial(str(known), int(port) if port else None)


class ConnectTo(NamedTuple):
    """The address to connect to for requests to one host."""

    host: str
    dial: Dial

    def __str__(self) -> str:
        """Return the setting as a user writes it."""
        return f"{self.host}={self.dial}"


def parse_connect_to(text: str) -> ConnectTo:
    """Parse HOST=IP[:PORT]. Raises ValueError with what was expected.

    >>> str(parse_connect_to("Git.example.test=10.0.20.203:8443"))
    'git.example.test=10.0.20.203:8443'
    """
    name, equals, address = text.partition("=")
    try:
        host = to_ascii_host(name.lower().strip("[]"))
    except ValueError:
        host = ""
    if not equals or not _HOST.fullmatch(host):
        raise ValueError("expected HOST=IP or HOST=IP:PORT, such as git.example.org=10.0.20.203")
    return ConnectTo(host, parse_dial(address))


def find_dial(host: str, connect_to: tuple[ConnectTo, ...]) -> Dial | None:
    """Return the address that the last entry for this host names; None: DNS."""
    return next((entry.dial for entry in reversed(connect_to) if entry.host == host), None)
