"""Finds the cause of a failed request: a proxy's refusal, TLS, another protocol on the port, or the connection.

Causes are distinguished because each has another fix, and because some show that the address is wrong (no retry helps)
and others that the server is down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import httpcore

from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.net.message import (
    REDIRECT_STATUSES,
    SERVER_ERRORS,
    TRANSIENT_STATUSES,
    FailureCause,
    RequestFailed,
)
from homelab_hooks.net.pinned import TlsError, find_tls_error
from homelab_hooks.net.retry_after import parse_retry_after
from homelab_hooks.polling.outcome import FailureKind

CONNECT_TIMEOUT_S = 5.0
"""seconds for one connection"""
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_PYTHON_VALUE = re.compile(r":? ?bytearray\(.*", re.DOTALL)
_NO_TLS_REASONS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "UNKNOWN_PROTOCOL",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "BAD_RECORD_TYPE",
    }
)
"""OpenSSL's reasons (sslerr.h) for a first record that is not one of TLS; which one it is depends on the version"""
_DISCONNECTED = "Server disconnected"
"""how httpcore begins its text about a connection that was closed before a response"""
_TLS_ALERT = b"\x15\x03"
"""the first two bytes of a TLS alert (RFC 8446, 5.1): a server's response to a request without TLS"""
_SSH_BANNER = b"SSH-"
"""the first bytes that an SSH server sends (RFC 4253, 4.2)"""
_HTTP_VERSION = b"HTTP/"
"""the first bytes of every response of HTTP/1 (RFC 9112, 4)"""
_OTHER_PROTOCOL = re.compile(rb"[ -~]{3}|...\x00[\x0a\xff]|\x00\x00.\x04|E\x00\x00", re.DOTALL)
"""how a response of another protocol begins: with text (SMTP, FTP, IMAP, POP3, Redis, RTSP, VNC), a greeting or error
of MySQL, the SETTINGS of HTTP/2 (RFC 9113, 6.5), or an error of PostgreSQL; other bytes may be a damaged response"""
_CLIENT_CERTIFICATE_REASONS = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE"})
_TLS_VERSION_REASONS = frozenset(
    {
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "DH_KEY_TOO_SMALL",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    }
)
"""OpenSSL's reasons for what no retry changes; `handshake failure` and `internal error` may be those of a server that
obtains its certificate just now"""


class ProxyRefusal(NamedTuple):
    """A proxy's response to CONNECT."""

    status: int
    headers: Mapping[str, str]
    """names in lower case; with a date"""


def describe_refusal(proxy: str, refusal: ProxyRefusal) -> RequestFailed:
    """Return the failure of a request whose proxy did not connect to the server.

    Args:
        proxy: the proxy's HOST:PORT.
    """
    from http import HTTPStatus

    status = refusal.status
    text = f"{status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else ''}".strip()
    if status in TRANSIENT_STATUSES or status in SERVER_ERRORS:
        return RequestFailed(
            FailureKind.STATUS,
            f"the proxy {proxy} returned {text}",
            cause=FailureCause.PROXY_DOWN,
            retry_after=parse_retry_after(refusal.headers),
        )
    cause = FailureCause.PROXY_REFUSED
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        cause = FailureCause.PROXY_LOGIN
    elif status == HTTPStatus.BAD_REQUEST:
        cause = FailureCause.PROXY_MAYBE_TLS_ONLY
    elif status in REDIRECT_STATUSES or status == HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED:
        cause = FailureCause.PORTAL
    return RequestFailed(FailureKind.FOREIGN, f"the proxy {proxy} rejected the connection ({text})", cause=cause)


class Exchange(NamedTuple):
    """What is known of a request that has no response."""

    opening: bytes
    """the first bytes of the response"""
    timeout: float
    """seconds that the request was given"""
    may_expect_tls: bool
    """the request was sent without TLS, and no other has ever been answered"""


def describe_exchange_error(error: Exception, exchange: Exchange) -> RequestFailed:
    """Return why a request has no response."""
    match error:
        case httpcore.ConnectTimeout():
            reason = describe_connect_timeout(error, min(CONNECT_TIMEOUT_S, exchange.timeout))
            return RequestFailed(FailureKind.TIMEOUT, reason)
        case httpcore.TimeoutException():
            return RequestFailed(FailureKind.TIMEOUT, f"no complete response within {exchange.timeout:.0f} s")
        case httpcore.ConnectError() | httpcore.ProxyError():
            return classify_error(error)
        case _ if tls_error := find_tls_error(error):
            return _classify_tls_error(tls_error)
        case _:
            return _classify_broken(error, exchange)


def describe_connect_timeout(error: httpcore.ConnectTimeout, timeout: float) -> str:
    """Return what took longer than this many seconds: the connection, or TLS, which OpenSSL's message names."""
    what = "response to the TLS handshake" if "handshake" in str(error) else "connection"
    return f"no {what} within {timeout:.0f} s"


def classify_error(error: Exception) -> RequestFailed:
    """Return the reason of a failed connection; the causes are searched because the library wraps errors."""
    if tls_error := find_tls_error(error):
        return _classify_tls_error(tls_error)
    return RequestFailed(FailureKind.CONNECTION, _shorten(error))


def _shorten(error: Exception) -> str:
    return _ERRNO.sub("", str(error)) or type(error).__name__


def _classify_broken(error: Exception, exchange: Exchange) -> RequestFailed:
    """Return why a connection broke, or what responds in place of an HTTP server."""
    reason = _shorten(error)
    if exchange.opening.startswith(_TLS_ALERT):
        return RequestFailed(FailureKind.FOREIGN, "the server expects TLS on this port", cause=FailureCause.TLS_ONLY)
    if exchange.opening.startswith(_SSH_BANNER):
        return RequestFailed(FailureKind.FOREIGN, "an SSH server responds on this port", cause=FailureCause.NOT_HTTP)
    if is_other_protocol(exchange.opening):
        reason = "the server does not use HTTP on this port"
        return RequestFailed(FailureKind.FOREIGN, reason, cause=FailureCause.NOT_HTTP)
    cause = FailureCause.MAYBE_TLS_ONLY if exchange.may_expect_tls and not exchange.opening else None
    if not isinstance(error, httpcore.RemoteProtocolError):
        return RequestFailed(FailureKind.CONNECTION, reason, cause=cause)
    text = f"the response is incomplete or not HTTP ({_PYTHON_VALUE.sub('', reason)})"
    if not exchange.opening and reason.startswith(_DISCONNECTED):
        text = "the server closed the connection without a response"
    return RequestFailed(FailureKind.BODY, text, cause=cause)


def is_other_protocol(opening: bytes) -> bool:
    """Return whether a response that begins with these bytes is one of another protocol than HTTP/1.

    >>> is_other_protocol(b"220 mail ESMTP"), is_other_protocol(b"HTTP/1.1 200 OK"), is_other_protocol(b"HTT")
    (True, False, False)
    """
    is_http = opening[: len(_HTTP_VERSION)] == _HTTP_VERSION[: len(opening)]
    return not is_http and _OTHER_PROTOCOL.match(opening) is not None


def attribute_to_proxy(failed: RequestFailed, proxy: str) -> RequestFailed:
    """Return the failure of a request that did not get past the proxy; its remedies are those of the proxy.

    Args:
        proxy: the proxy's HOST:PORT.
    """
    own = failed.reason.removeprefix("the server ")
    reason = f"the proxy {proxy}{' ' if own != failed.reason else ': '}{own}"
    if failed.certificate_fault:
        cause = _PROXY_CERTIFICATE_CAUSES.get(failed.certificate_fault, FailureCause.PROXY_CERTIFICATE)
    else:
        cause = _PROXY_CAUSES.get(failed.cause, FailureCause.PROXY_UNREACHABLE)
    return failed._replace(reason=reason, cause=cause)


_PROXY_CERTIFICATE_CAUSES = {
    CertificateFault.UNKNOWN_CA: FailureCause.PROXY_UNKNOWN_CA,
    CertificateFault.SELF_SIGNED: FailureCause.PROXY_UNKNOWN_CA,
    CertificateFault.WRONG_NAME: FailureCause.PROXY_WRONG_NAME,
}
_PROXY_CAUSES: Mapping[FailureCause | None, FailureCause] = {
    FailureCause.NO_TLS: FailureCause.PROXY_NO_TLS,
    FailureCause.TLS_ONLY: FailureCause.PROXY_TLS_ONLY,
    FailureCause.MAYBE_TLS_ONLY: FailureCause.PROXY_MAYBE_TLS_ONLY,
    FailureCause.NOT_HTTP: FailureCause.PROXY_NOT_HTTP,
}


def _classify_tls_error(error: TlsError) -> RequestFailed:
    if error.certificate_fault:
        reason = f"certificate verification failed: {error.text}"
        return RequestFailed(FailureKind.CONNECTION, reason, error.certificate_fault)
    name = error.text
    reason = name.replace("_", " ").lower()
    if name in _NO_TLS_REASONS:
        return RequestFailed(
            FailureKind.FOREIGN, f"the server does not use TLS on this port ({reason})", cause=FailureCause.NO_TLS
        )
    if name in _CLIENT_CERTIFICATE_REASONS:
        text = f"the server requires a client certificate ({reason})"
        return RequestFailed(FailureKind.FOREIGN, text, cause=FailureCause.CLIENT_CERTIFICATE)
    if name in _TLS_VERSION_REASONS:
        text = f"the server has no TLS version or cipher in common with this machine ({reason})"
        return RequestFailed(FailureKind.FOREIGN, text, cause=FailureCause.TLS_VERSION)
    return RequestFailed(FailureKind.CONNECTION, f"TLS error: {reason}")
