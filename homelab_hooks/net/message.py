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
"""captive portals send 511 (Network Authentication Required)"""


MAX_GZIP_MEMBERS = 64
"""parts of one compressed body; each costs a copy of the rest"""
_GZIP_MAGIC = b"\x1f\x8b"


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
    """the proxy requires authentication (407)"""
    PROXY_DOWN = auto()
    """the proxy cannot connect now"""
    PORTAL = auto()
    """the network requires a login (a redirect or 511 of the proxy)"""
    NO_TLS = auto()
    """the port does not use TLS, and the request did"""
    TLS_ONLY = auto()
    """the port uses TLS, and the request did not"""
    MAYBE_TLS_ONLY = auto()
    """the port closed the connection without a byte, as servers with TLS do after a request without it"""
    NOT_HTTP = auto()
    """a server of another protocol"""
    CLIENT_CERTIFICATE = auto()
    """the server accepts only clients with a certificate"""
    TLS_VERSION = auto()
    """the server and this machine have no TLS version or cipher in common"""
    PROXY_UNREACHABLE = auto()
    """the proxy itself cannot be reached"""
    PROXY_UNKNOWN_CA = auto()
    """no known CA issued the proxy's certificate"""
    PROXY_WRONG_NAME = auto()
    """the proxy's certificate is for another name"""
    PROXY_CERTIFICATE = auto()
    """the proxy's certificate is expired, or does not verify for another reason"""
    PROXY_NO_TLS = auto()
    """the proxy does not use TLS, and its URL says https"""
    PROXY_TLS_ONLY = auto()
    """the proxy uses TLS, and its URL says http"""
    PROXY_MAYBE_TLS_ONLY = auto()
    """the proxy closed the connection without a byte, or called the request bad, as proxies with TLS do"""
    PROXY_NOT_HTTP = auto()
    """the port of the proxy is one of another protocol"""


_OR_WITHOUT = "or add the server to NO_PROXY"
PROXY_HINTS = {
    FailureCause.PROXY_REFUSED: "allow this server in the proxy, or add the server to NO_PROXY",
    FailureCause.PROXY_LOGIN: "put user and password into the proxy variable, or add the server to NO_PROXY",
    FailureCause.PROXY_DOWN: "check the proxy, or add the server to NO_PROXY",
    FailureCause.PORTAL: "log in to this network (captive portal), correct the proxy variable, or use NO_PROXY",
    FailureCause.PROXY_UNREACHABLE: f"check the proxy variable (HTTPS_PROXY) and the proxy, {_OR_WITHOUT}",
    FailureCause.PROXY_UNKNOWN_CA: (
        f"add the proxy's CA to the CA bundle (--ca-file; for Vault VAULT_CACERT; else the system's), {_OR_WITHOUT}"
    ),
    FailureCause.PROXY_WRONG_NAME: f"use the name in the proxy's certificate in the proxy variable, {_OR_WITHOUT}",
    FailureCause.PROXY_CERTIFICATE: f"renew the proxy's certificate, check this machine's clock, {_OR_WITHOUT}",
    FailureCause.PROXY_NO_TLS: f"set the proxy variable (HTTPS_PROXY) to http://HOST:PORT, {_OR_WITHOUT}",
    FailureCause.PROXY_TLS_ONLY: f"set the proxy variable (HTTPS_PROXY) to https://HOST:PORT, {_OR_WITHOUT}",
    FailureCause.PROXY_MAYBE_TLS_ONLY: (
        f"check the proxy; if its port expects TLS, set the proxy variable to https://HOST:PORT, {_OR_WITHOUT}"
    ),
    FailureCause.PROXY_NOT_HTTP: f"check the port in the proxy variable (HTTPS_PROXY), {_OR_WITHOUT}",
}
TLS_HINTS = {
    FailureCause.CLIENT_CERTIFICATE: "let the server accept clients without a certificate; none is sent",
    FailureCause.TLS_VERSION: "configure the server to use TLS 1.2 or later with current ciphers",
}


class RequestFailed(NamedTuple):
    """There was no response, or it could not be used."""

    kind: FailureKind
    reason: str
    certificate_fault: CertificateFault | None = None
    """why the certificate does not verify; nothing was sent then"""
    cause: FailureCause | None = None
    """None if the reason contains all that is known"""
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
    return _unpack(b"".join(parts), encoding.strip().lower(), max_bytes)


def _unpack(body: bytes, encoding: str, max_bytes: int) -> bytes | RequestFailed:
    """Return the body without its encoding; proxies compress although it was not requested."""
    try:
        match encoding:
            case "" | "identity":
                return body
            case "gzip" | "x-gzip":
                return _unpack_gzip(body, max_bytes)
            case "deflate":  # with or without zlib's header (RFC 9110, 8.4.1.2)
                has_header = body[:1] and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
                return _unpack_one(
                    zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS), body, max_bytes
                )
            case _:
                reason = f"the response is compressed in an unknown way ({encoding[:20]})"
                return RequestFailed(FailureKind.BODY, reason)
    except zlib.error:
        return RequestFailed(FailureKind.BODY, "cannot decompress the response")


def _unpack_gzip(body: bytes, max_bytes: int) -> bytes | RequestFailed:
    """Return the data of all members of a gzip file (RFC 1952, 2.2); other data after them is ignored."""
    unpacked = b""
    for _ in range(MAX_GZIP_MEMBERS):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        part = _unpack_one(member, body, max_bytes - len(unpacked))
        if isinstance(part, RequestFailed):
            return part
        unpacked, body = unpacked + part, member.unused_data
        if not body.startswith(_GZIP_MAGIC):
            return unpacked
    return RequestFailed(FailureKind.BODY, f"the compressed response has more than {MAX_GZIP_MEMBERS} parts")


def _unpack_one(unpacker: zlib._Decompress, body: bytes, max_bytes: int) -> bytes | RequestFailed:
    unpacked = unpacker.decompress(body, max_bytes + 1)
    if len(unpacked) > max_bytes:
        return RequestFailed(FailureKind.BODY, "the decompressed response is longer than allowed")
    return unpacked if unpacker.eof else RequestFailed(FailureKind.BODY, "the compressed response is incomplete")
