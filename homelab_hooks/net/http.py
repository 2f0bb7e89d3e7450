"""Sends requests to one server. Failures are values; the length and the duration of a response are limited."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote, unquote, urlsplit

import httpcore

from homelab_hooks.config.address import parse_server_url, to_ascii_host
from homelab_hooks.errors import CommandError
from homelab_hooks.net.failures import (
    CONNECT_TIMEOUT_S,
    Exchange,
    ProxyRefusal,
    attribute_to_proxy,
    describe_exchange_error,
    describe_refusal,
)
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed, read_bounded_body
from homelab_hooks.net.pinned import Deadline, Opening, PinnedBackend, RequestClock
from homelab_hooks.net.proxy import ProxySettings, choose_proxy
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.polling.parallel import TimedOut, call_within

if TYPE_CHECKING:
    import requests

    from homelab_hooks.config.address import Dial, ServerUrl

SILENCE_TIMEOUT_S = 15.0
"""seconds without a byte after which a request fails; each request also has a deadline"""
MAX_BODY_BYTES = 8 * 1024 * 1024
"""bytes of one body; a 3 MB log line is 4 MB of JSON (recording 02b-log-limits)"""

MAX_VAULT_BODY_BYTES = 2 * 1024 * 1024
"""bytes of one body; Vault keeps at most 1 MiB under one path"""
VAULT_LOCATION_HEADER = "homelab-location"
"""the name of a Location in a response for hvac, so that it is not followed"""
_VAULT_HEADER_PREFIX = "x-vault-"

PROXY_LOGIN_STATUS_CODE = 407
_TARGET_CHARS = "!$%&'()*+,/:;=?@[]~"
"""characters that the target of a request may contain as they are (RFC 3986)"""
_MAX_CONNECTIONS = 100
_IDLE_TIMEOUT_S = 5.0
"""seconds after which a connection without a request is not used again: servers close them"""
_EXCHANGE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class AddedCaFile(NamedTuple):
    """CA certificates that are used in addition to the system's: some of the servers have a public CA."""

    path: Path


class HttpClient:
    """Sends requests to one server only: redirects are not followed, so no other host receives the token.

    Args:
        server: its name is used in SNI, Host, and the certificate check.
        dial: the address to connect to instead of using DNS; it takes precedence over proxy variables.
        ca_file: CA certificates to use instead of the system's, or in addition to them.
        token: sent as a bearer token with every request. The server's cookies are never sent back.
    """

    def __init__(
        self,
        server: ServerUrl,
        *,
        clock: RequestClock,
        dial: Dial | None = None,
        ca_file: Path | AddedCaFile | None = None,
        token: str = "",
    ) -> None:
        self._server = server
        self._clock = clock
        self._deadline = Deadline(clock)
        self._opening = Opening()
        self._refusal: ProxyRefusal | None = None
        self._has_answered = False
        self._is_at_proxy = False
        proxy = None if dial else find_proxy(server)
        self._proxy = proxy
        pinned = {(server.host, server.port): (dial.address, dial.port or server.port)} if dial else {}
        self._pool = httpcore.ConnectionPool(
            _ssl_context(server, ca_file),
            proxy=_make_proxy(proxy, ca_file) if proxy else None,
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_IDLE_TIMEOUT_S,
            network_backend=PinnedBackend(pinned, self._deadline, resolve_host, self._opening),
        )
        self._headers = {
            "Host": server.origin.partition("://")[2],
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "homelab-hooks",
        }
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        max_bytes: int = MAX_BODY_BYTES,
        body: bytes = b"",
    ) -> HttpResponse | RequestFailed:
        """Send a request for a path below the server's own path; see `send`."""
        headers = {"Content-Type": "application/json"} if body else {}
        return self.send(
            HttpRequest(method, self._server.path + path, body, headers), timeout=timeout, max_bytes=max_bytes
        )

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""
        begin = self._clock.now()
        self._deadline.set(begin + timeout)
        self._opening.clear()
        self._refusal = None
        self._is_at_proxy = False
        try:
            with self._open(request, SILENCE_TIMEOUT_S) as response:
                headers = _read_headers(response)
                received = read_bounded_body(response.iter_stream(), headers.get("content-encoding", ""), max_bytes)
        except _EXCHANGE_ERRORS as error:
            return self._on_error(error, timeout)
        if isinstance(received, RequestFailed):
            return received
        self._has_answered = True
        # A response without a date is dated by its recipient (RFC 9110, 6.6.1): other headers count from it.
        if "date" not in headers:
            headers["date"] = _format_http_date(self._clock.wall())
        if self._proxy and response.status == PROXY_LOGIN_STATUS_CODE:  # of a request without a tunnel
            return describe_refusal(_proxy_address(self._proxy), ProxyRefusal(response.status, headers))
        return HttpResponse(response.status, headers, received, self._clock.now() - begin)

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        """Pass on each chunk of a stream until it ends or is silent for `idle_timeout` seconds; return why it ended."""
        self._deadline.set(self._clock.now() + idle_timeout)
        try:
            with self._open(HttpRequest("GET", self._server.path + path), idle_timeout) as response:
                if "event-stream" not in _read_headers(response).get("content-type", ""):
                    return RequestFailed(FailureKind.STATUS, f"status {response.status}, not an event stream")
                for chunk in response.iter_stream():
                    self._deadline.set(self._clock.now() + idle_timeout)
                    on_chunk(chunk)
        except _EXCHANGE_ERRORS as error:
            return self._on_error(error, idle_timeout)
        return RequestFailed(FailureKind.CONNECTION, "the stream ended")

    def _open(self, request: HttpRequest, silence_timeout: float) -> AbstractContextManager[httpcore.Response]:
        """Return a context in which the response's body can be read; each read and write has the timeout, in seconds.

        Its progress is followed if there is a proxy.
        """
        given = {name.lower() for name in request.headers}
        headers = {name: value for name, value in self._headers.items() if name.lower() not in given}
        limits = dict.fromkeys(("read", "write", "pool"), silence_timeout) | {"connect": CONNECT_TIMEOUT_S}
        server = self._server
        return self._pool.stream(
            request.method.encode("ascii"),
            httpcore.URL(
                scheme=server.scheme.encode("ascii"),
                host=server.host.encode("ascii"),
                port=server.port,
                target=_quote_target(request.path).encode("ascii"),
            ),
            headers=[
                (name.encode("ascii"), value.encode("ascii")) for name, value in {**headers, **request.headers}.items()
            ],
            content=request.body or None,
            extensions={"timeout": limits} | ({"trace": self._note_progress} if self._proxy else {}),
        )

    def _on_error(self, error: Exception, timeout: float) -> RequestFailed:
        """Return why a request has no response. What happened before the proxy had connected is the proxy's fault."""
        if self._proxy is None:
            return self._classify(error, timeout, at_proxy=False)
        address = _proxy_address(self._proxy)
        if isinstance(error, httpcore.ProxyError) and self._refusal:
            return describe_refusal(address, self._refusal)
        # Without a tunnel, every response is the proxy's.
        if self._is_at_proxy or self._server.scheme == "http":
            return attribute_to_proxy(self._classify(error, timeout, at_proxy=True), address)
        failed = self._classify(error, timeout, at_proxy=False)
        return failed._replace(reason=f"{failed.reason}, through the proxy {address}")

    def _classify(self, error: Exception, timeout: float, *, at_proxy: bool) -> RequestFailed:
        scheme = (self._proxy or "").partition(":")[0] if at_proxy else self._server.scheme
        may_expect_tls = scheme == "http" and not self._has_answered
        return describe_exchange_error(error, Exchange(self._opening.received, timeout, may_expect_tls=may_expect_tls))

    def _note_progress(self, name: str, info: Mapping[str, Any]) -> None:
        """Keep how far a request came: the library does not report whose certificate or response an error is about.

        It also reports only the status of a proxy that rejects a connection, so the last response is kept.
        """
        if name == "connection.connect_tcp.started":
            self._is_at_proxy = True
        elif name == "proxy.start_tls.started":  # the proxy has connected, and what comes now is the server's
            self._is_at_proxy = False
            self._opening.clear()
        elif name.endswith(".receive_response_headers.complete"):
            _, status, _, fields = info["return_value"]
            headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in fields}
            self._refusal = ProxyRefusal(status, {"date": _format_http_date(self._clock.wall()), **headers})

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class Transport(Protocol):
    """Sends requests to one server."""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""

    def close(self) -> None:
        """Close the connections."""


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    """Return the headers by their name in lower case; the values of one name are joined (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), _decode(raw_value)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _format_http_date(seconds: float) -> str:
    from email.utils import formatdate  # it takes 3 ms, and servers send a date

    return formatdate(seconds, usegmt=True)


def _decode(value: bytes) -> str:
    """Return a header's value: servers send UTF-8 too, although only ASCII has a meaning (RFC 9110, 5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _quote_target(path: str) -> str:
    """Return a path and query as a request sends them, without the fragment.

    >>> _quote_target("/b\u00fccher?q=a b%20c#top")
    '/b%C3%BCcher?q=a%20b%20c'
    """
    return quote(path.partition("#")[0], safe=_TARGET_CHARS, errors="surrogateescape")


def _proxy_address(proxy: str) -> str:
    """Return HOST:PORT of a proxy's URL, without its user and password."""
    parts = urlsplit(proxy)
    host = to_ascii_host(parts.hostname or "")
    return f"{host}:{parts.port}" if parts.port else host


def _make_proxy(url: str, ca_file: Path | AddedCaFile | None) -> httpcore.Proxy:
    """Return the proxy with this URL. Raises CommandError if it cannot be used.

    The certificate of a proxy with TLS may be that of a public CA or of the CA bundle that is set.
    """
    try:
        parts = urlsplit(url)
        server = parse_server_url(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
        auth = (unquote(parts.username or "").encode(), unquote(parts.password or "").encode())
    except ValueError:  # the message may contain the proxy's password
        hint = "set the proxy variable to http://HOST:PORT, unset it, or use --dial"
        raise CommandError("the proxy in the environment cannot be used", hint=hint) from None
    context = None
    if server.scheme == "https":
        context = create_ssl_context(AddedCaFile(ca_file) if isinstance(ca_file, Path) else ca_file)
    return httpcore.Proxy(server.origin, auth=auth if any(auth) else None, ssl_context=context)


def create_ssl_context(ca_file: Path | AddedCaFile | None) -> ssl.SSLContext:
    """Return a TLS context with these CA certificates. Raises CommandError if the file cannot be used.

    Strict X.509 (the default since Python 3.13) is off, as in git, curl, and kubectl: it rejects private CAs that are
    made with openssl's defaults.
    """
    path = ca_file.path if isinstance(ca_file, AddedCaFile) else ca_file
    try:
        context = ssl.create_default_context(cafile=None if isinstance(ca_file, AddedCaFile) else path)
        if isinstance(ca_file, AddedCaFile):
            context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it contains no certificate"
        raise CommandError(
            f"the CA file {path} cannot be used: {reason}", hint="use a PEM file that contains the CA certificates"
        ) from None
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def make_requests_session(transport: Transport) -> requests.Session:
    """Return a session for hvac that sends every request to the transport's server, whatever host the URL names.

    A Location has another name, so that nothing is sent elsewhere. A failure raises OSError with the RequestFailed.
    """
    import requests
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **given: Any) -> requests.Response:
            headers = {
                name: str(value)
                for name, value in request.headers.items()
                if name.lower().startswith(_VAULT_HEADER_PREFIX)
            }
            http_request = HttpRequest(str(request.method), request.path_url, headers=headers)
            answer = transport.send(http_request, timeout=given["timeout"], max_bytes=MAX_VAULT_BODY_BYTES)
            if isinstance(answer, RequestFailed):
                raise requests.ConnectionError(answer)
            response = requests.Response()
            response.status_code, response.request, response.url = answer.status, request, str(request.url)
            renamed = {"location": VAULT_LOCATION_HEADER}
            response.headers.update({renamed.get(name, name): value for name, value in answer.headers.items()})
            response.raw, response.encoding = io.BytesIO(answer.body), "utf-8"
            return response

        def close(self) -> None:
            transport.close()

    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("http", Adapter())
    return session


def _ssl_context(server: ServerUrl, ca_file: Path | AddedCaFile | None) -> ssl.SSLContext:
    """Load CA certificates only for https: that takes longer than everything else before the first request."""
    return create_ssl_context(ca_file) if server.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def resolve_host(
    host: str, port: int, timeout: float, *, look_up: Callable[..., Sequence[tuple[Any, ...]]] = socket.getaddrinfo
) -> tuple[str, ...]:
    """Return the addresses of a host. Raises OSError if there are none, TimeoutError after `timeout` seconds.

    The system's look-up has no timeout, and Ctrl-C does not interrupt it: it runs in a thread.
    """
    try:
        found = call_within(lambda: look_up(host, port, type=socket.SOCK_STREAM), timeout, name="dns")
    except UnicodeError as error:
        raise OSError(f"{host} is not a valid host name") from error
    if isinstance(found, TimedOut):
        raise TimeoutError(f"no response from DNS within {timeout:.0f} s")
    return tuple(dict.fromkeys(str(row[4][0]) for row in found.value))


def find_proxy(server: ServerUrl) -> str | None:
    """Return the URL of the proxy that the environment names for this server; None if it is to be reached directly."""
    if server.is_loopback:
        return None
    from urllib.request import getproxies, getproxies_environment, proxy_bypass  # they take 8 ms

    settings = ProxySettings(getproxies_environment(), getproxies(), bypasses_host=bool(proxy_bypass(server.host)))
    return choose_proxy(server, settings)
