"""The door to the network: one server, its certificate checked, its address pinned, every answer bounded."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from homelab_hooks.errors import Problem
from homelab_hooks.looks import Fault
from homelab_hooks.reply import NoReply, Reply, bounded

if TYPE_CHECKING:
    import requests

    from homelab_hooks.server import Dial, Server

DEADLINE = 15.0
"""seconds for one whole answer, from connecting to its last byte; a locked database takes up to 15 (measured, B5)"""
CONNECT = 5.0
"""seconds for one connection"""
LIMIT = 8 * 1024 * 1024
"""bytes of one body; a 3 MB log line is 4 MB of JSON (measured, 02b)"""


class Clock(Protocol):
    """Time, as answers are measured with it."""

    def now(self) -> float:
        """Monotonic seconds."""


class Https:
    """Asks one server, and no other: redirects are not followed, so no other host ever gets the token.

    Args:
        server: whose name is in SNI, Host and the certificate.
        dial: the address to connect to instead of asking DNS; it also wins over proxy variables.
        ca_file: the trust anchors instead of the system's.
        token: sent as a bearer token with every request.
    """

    def __init__(
        self, server: Server, *, clock: Clock, dial: Dial | None = None, ca_file: Path | None = None, token: str = ""
    ) -> None:
        self._server = server
        self._clock = clock
        self._time = _Deadline(clock)
        proxy = None if dial else proxy_for(server)
        pinned = {(server.host, server.port): (dial.address, dial.port or server.port)} if dial else {}
        transport = _Transport(_Backend(pinned, self._time), verify=_context(server, ca_file), proxy=proxy)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "homelab-hooks"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            transport=transport, headers=headers, timeout=httpx.Timeout(DEADLINE, connect=CONNECT)
        )

    def ask(
        self, method: str, path: str, *, deadline: float = DEADLINE, limit: int = LIMIT, body: bytes = b""
    ) -> Reply | NoReply:
        """One request; what goes wrong is a value, and nothing takes longer than `deadline` seconds."""
        kind = {"Content-Type": "application/json"} if body else None
        begin = self._clock.now()
        self._time.set(begin + deadline)
        try:
            with self._client.stream(method, self._server.url(path), content=body or None, headers=kind) as response:
                received = bounded(response.iter_raw(), response.headers.get("content-encoding", ""), limit)
        except httpx.ConnectTimeout:
            return NoReply(Fault.TIMEOUT, f"no connection within {min(CONNECT, deadline):.0f} s")
        except httpx.TimeoutException:
            return NoReply(Fault.TIMEOUT, f"no whole answer within {deadline:.0f} s")
        except httpx.TransportError as error:
            return _no_reply(error)
        if isinstance(received, NoReply):
            return received
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, received, self._clock.now() - begin)

    def listen(self, path: str, hear: Callable[[bytes], None], *, idle: float) -> NoReply:
        """Hand on what a stream sends until it ends or is silent for `idle` seconds; says why it ended."""
        self._time.set(self._clock.now() + idle)
        try:
            with self._client.stream("GET", self._server.url(path), timeout=httpx.Timeout(idle)) as response:
                if "event-stream" not in response.headers.get("content-type", ""):
                    return NoReply(Fault.STATUS, f"status {response.status_code}, and no event stream")
                for chunk in response.iter_raw():
                    self._time.set(self._clock.now() + idle)
                    hear(chunk)
        except httpx.TransportError as error:
            return _no_reply(error)
        return NoReply(Fault.CONNECTION, "the stream ended")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The trust anchors. Raises Problem when the file cannot be used.

    Strict X.509 (the default since Python 3.13) is off, as in git, curl and kubectl: it refuses the certificate
    authorities that people make at home with openssl.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate"
        raise Problem(
            f"the CA file {ca_file} cannot be used: {reason}", hint="give a PEM file with --ca-file"
        ) from None
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def vault_session(server: Server, *, dial: Dial | None = None, ca_file: Path | None = None) -> requests.Session:
    """A session for hvac with the same rules; any other URL than this server's has no adapter and is refused."""
    import requests
    from requests.adapters import HTTPAdapter

    context = trust(ca_file)

    class Adapter(HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """The context checks it."""

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
            if server.scheme == "https":
                pool = {"ssl_context": context, "server_hostname": server.host, "assert_hostname": server.host}
            if dial:
                request.headers["Host"] = urlsplit(server.origin).netloc
                host = {**host, "host": dial.address, "port": dial.port or server.port}
            return host, pool

    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount(server.origin, Adapter())
    if not dial and (proxy := proxy_for(server)):
        session.proxies = {server.scheme: proxy}
    return session


def _context(server: Server, ca_file: Path | None) -> ssl.SSLContext:
    """Trust anchors are read only where there is TLS: it takes longer than everything else before the first request."""
    return trust(ca_file) if server.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Deadline:
    """The moment by which the request under way must have ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = float("inf")

    def set(self, end: float) -> None:
        self._end = end

    def cap(self, timeout: float | None) -> float:
        """What is left, at most `timeout`; raises httpcore.ReadTimeout when nothing is."""
        left = self._end - self._clock.now()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole answer is over")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the request's time: slow drips end too."""

    def __init__(self, stream: httpcore.NetworkStream, time: _Deadline) -> None:
        self._stream, self._time = stream, time

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._time.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._time.cap(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._time.cap(timeout)), self._time)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects to the pinned address for the pinned (host, port), as curl's --resolve does."""

    def __init__(self, pinned: Mapping[tuple[str, int], tuple[str, int]], time: _Deadline) -> None:
        self._pinned, self._time, self._real = pinned, time, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address, number = self._pinned.get((host, port), (host, port))
        stream = self._real.connect_tcp(address, number, self._time.cap(timeout), local_address, socket_options)
        return _Stream(stream, self._time)


class _Transport(httpx.HTTPTransport):
    """HTTPTransport with a network backend of ours; httpx 0.28 has no public way to give it one."""

    def __init__(self, backend: _Backend, *, verify: ssl.SSLContext, proxy: str | None) -> None:
        try:
            super().__init__(verify=verify, proxy=proxy, trust_env=False)
        except (ValueError, ImportError) as error:
            raise Problem(
                f"the proxy in the environment cannot be used: {error}", hint="unset it, or use --dial"
            ) from None
        if not hasattr(self._pool, "_network_backend"):
            raise Problem("this httpx hides its network backend", hint="install httpx 0.28")
        self._pool._network_backend = backend  # noqa: SLF001 - held by a test with real TLS


def proxy_for(server: Server) -> str | None:
    """The proxy that the environment names for this server."""
    if server.loopback or proxy_bypass(server.host):
        return None
    found = getproxies()
    return found.get(server.scheme) or found.get("all")


def _no_reply(error: httpx.TransportError) -> NoReply:
    """What a failed exchange was; the causes are walked because httpx wraps them twice."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoReply(Fault.CONNECTION, f"the certificate does not verify: {cause.verify_message}", untrusted=True)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.RemoteProtocolError):
        return NoReply(Fault.BODY, f"the answer broke off or is not HTTP ({str(error) or 'closed'})")
    return NoReply(Fault.CONNECTION, str(error) or type(error).__name__)
