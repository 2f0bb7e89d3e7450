"""A request to a server, and its response or the reason why there is none."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.polling.outcome import FailureKind

REDIRECT_STATUSES = range(300, 400)
TRANSIENT_STATUSES = frozenset({408, 425, 429})
"""statuses below 500 after which a later request may succeed, also those of a proxy"""
SERVER_ERRORS = frozenset(range(500, 600)) - {511}
"""511 (Network Authentication Required) is a captive portal's"""


class HttpRequest(NamedTuple):
    """A request; `path` is the full path of the URL."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class HttpResponse(NamedTuple):
    """A response; header names are in lower case, `duration_s` is in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_s: float

    @property
    def is_html(self) -> bool:
        """Return whether the response is a web page."""
        return "html" in self.headers.get("content-type", "").lower()


class FailureCause(Enum):
    """Why there was no response, where the cause has a remedy of its own."""

    PROXY_REFUSED = auto()
    """the proxy does not connect to this server"""
    PROXY_LOGIN = auto()
    """the proxy wants a user and a password (407)"""
    PROXY_DOWN = auto()
    """the proxy cannot connect now"""
    PORTAL = auto()
    """the network wants a login first (a redirect or 511 of the proxy)"""
    NO_TLS = auto()
    """the port does not use TLS, and the request did"""
    TLS_ONLY = auto()
    """the port uses TLS, and the request did not"""
    MAYBE_TLS_ONLY = auto()
    """the port closed the connection without a byte, as servers with TLS do after a request without it"""
    NOT_HTTP = auto()
    """a server of another protocol"""


PROXY_HINTS = {
    FailureCause.PROXY_REFUSED: "allow this server in the proxy, or add the server to NO_PROXY",
    FailureCause.PROXY_LOGIN: "put user and password into the proxy variable, or add the server to NO_PROXY",
    FailureCause.PROXY_DOWN: "check the proxy, or add the server to NO_PROXY",
    FailureCause.PORTAL: "log in to this network (captive portal), correct the proxy variable, or use NO_PROXY",
}


class RequestFailed(NamedTuple):
    """There was no response, or it could not be used."""

    kind: FailureKind
    reason: str
    certificate_fault: CertificateFault | None = None
    """why the certificate does not verify; nothing was sent then"""
    cause: FailureCause | None = None
    """None if the reason says all that is known"""
    retry_after: float | None = None
    """seconds that a proxy asked to wait"""


def read_bounded_body(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes | RequestFailed:
    """Return the decompressed body; a failure if it has more than `max_bytes` bytes, compressed or not."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            return RequestFailed(FailureKind.BODY, f"the response is longer than {max_bytes} bytes")
        parts.append(chunk)
    body = b"".join(parts)
    if encoding.lower() not in ("gzip", "x-gzip"):
        return body
    packed = zlib.decompressobj(wbits=31)
    try:
        unpacked = packed.decompress(body, max_bytes + 1)
    except zlib.error:
        return RequestFailed(FailureKind.BODY, "cannot decompress the response")
    if len(unpacked) > max_bytes:
        return RequestFailed(FailureKind.BODY, f"the response is longer than {max_bytes} bytes")
    return unpacked if packed.eof else RequestFailed(FailureKind.BODY, "the compressed response is incomplete")
