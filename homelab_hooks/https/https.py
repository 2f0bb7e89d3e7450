"""Asks one server and no other: what comes of it is a value, and no answer is too long or too late."""

from __future__ import annotations

import io
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol
from urllib.request import getproxies, proxy_bypass

import httpx

from homelab_hooks.errors import Problem
from homelab_hooks.https.backend import Backend, Clock, Deadline
from homelab_hooks.looks import Fault
from homelab_hooks.reply import Call, NoReply, Reply, bounded

if TYPE_CHECKING:
    import requests

    from homelab_hooks.server import Dial, Server

DEADLINE = 15.0
"""seconds for one whole answer, from connecting to its last byte; a locked database takes up to 15 (measured, B5)"""
CONNECT = 5.0
"""seconds for one connection"""
LIMIT = 8 * 1024 * 1024
"""bytes of one body; a 3 MB log line is 4 MB of JSON (measured, 02b)"""

VAULT_LIMIT = 2 * 1024 * 1024
"""bytes of one body; Vault keeps at most 1 MiB under one path"""
_VAULTS = "x-vault-"

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")


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
        self._time = Deadline(clock)
        proxy = None if dial else proxy_for(server)
        pinned = {(server.host, server.port): (dial.address, dial.port or server.port)} if dial else {}
        transport = _Transport(Backend(pinned, self._time, addresses), verify=_context(server, ca_file), proxy=proxy)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "homelab-hooks"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            transport=transport, headers=headers, timeout=httpx.Timeout(DEADLINE, connect=CONNECT)
        )

    def ask(
        self, method: str, path: str, *, deadline: float = DEADLINE, limit: int = LIMIT, body: bytes = b""
    ) -> Reply | NoReply:
        """One request below the server's path; the rest is as in `exchange`."""
        headers = {"Content-Type": "application/json"} if body else {}
        return self.exchange(Call(method, self._server.path + path, body, headers), deadline=deadline, limit=limit)

    def exchange(self, call: Call, *, deadline: float, limit: int) -> Reply | NoReply:
        """One request; what goes wrong is a value, and nothing takes longer than `deadline` seconds."""
        url = self._server.origin + call.path
        begin = self._clock.now()
        self._time.set(begin + deadline)
        try:
            with self._client.stream(call.method, url, content=call.body or None, headers=call.headers) as response:
                received = bounded(response.iter_raw(), response.headers.get("content-encoding", ""), limit)
        except httpx.ConnectTimeout:
            return NoReply(Fault.TIMEOUT, f"no connection within {min(CONNECT, deadline):.0f} s")
        except httpx.TimeoutException:
            return NoReply(Fault.TIMEOUT, f"no whole answer within {deadline:.0f} s")
        except httpx.TransportError as error:
            return no_reply(error)
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
            return no_reply(error)
        return NoReply(Fault.CONNECTION, "the stream ended")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class Door(Protocol):
    """The one server that can be asked."""

    def exchange(self, call: Call, *, deadline: float, limit: int) -> Reply | NoReply:
        """One request and its answer."""

    def close(self) -> None:
        """Close its connections."""


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


def vault_session(door: Door) -> requests.Session:
    """A session for hvac: whatever URL it is given, the path is asked of the door's server, and no other host.

    Of an answer it hands on status and body, never a Location. What went wrong raises OSError with the NoReply.
    """
    import requests
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **given: Any) -> requests.Response:
            headers = {name: str(value) for name, value in request.headers.items() if name.lower().startswith(_VAULTS)}
            call = Call(str(request.method), request.path_url, headers=headers)
            found = door.exchange(call, deadline=given["timeout"], limit=VAULT_LIMIT)
            if isinstance(found, NoReply):
                raise requests.ConnectionError(found)
            response = requests.Response()
            response.status_code, response.request, response.url = found.status, request, str(request.url)
            response.raw, response.encoding = io.BytesIO(found.body), "utf-8"
            return response

        def close(self) -> None:
            door.close()

    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("http", Adapter())
    return session


def _context(server: Server, ca_file: Path | None) -> ssl.SSLContext:
    """Trust anchors are read only where there is TLS: it takes longer than everything else before the first request."""
    return trust(ca_file) if server.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Transport(httpx.HTTPTransport):
    """HTTPTransport with a network backend of ours; httpx 0.28 has no public way to give it one."""

    def __init__(self, backend: Backend, *, verify: ssl.SSLContext, proxy: str | None) -> None:
        try:
            super().__init__(verify=verify, proxy=proxy, trust_env=False)
        except (ValueError, ImportError):  # whose words may hold the proxy's password
            hint = "name it as http://HOST:PORT, unset it, or use --dial"
            raise Problem("the proxy in the environment cannot be used", hint=hint) from None
        if not hasattr(self._pool, "_network_backend"):
            raise Problem("this httpx hides its network backend", hint="install httpx 0.28")
        self._pool._network_backend = backend  # noqa: SLF001 - held by a test with real TLS


def proxy_for(server: Server) -> str | None:
    """The proxy that the environment names for this server."""
    if server.loopback or proxy_bypass(server.host):
        return None
    found = getproxies()
    return found.get(server.scheme) or found.get("all")


def addresses(
    host: str, port: int, within: float, *, look_up: Callable[..., Sequence[tuple[Any, ...]]] = socket.getaddrinfo
) -> tuple[str, ...]:
    """What DNS says of a name. Raises OSError where it says nothing, a TimeoutError after `within` seconds.

    The system's own look-up takes as long as it likes, and no Ctrl-C reaches it: it has a thread to itself.
    """
    said = SimpleQueue[tuple[str, ...] | OSError | UnicodeError]()

    def ask() -> None:
        try:
            rows = look_up(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            said.put(error)
        else:
            said.put(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))

    Thread(target=ask, name="dns", daemon=True).start()
    try:
        found = said.get(timeout=within)
    except Empty:
        raise TimeoutError(f"DNS does not answer within {within:.0f} s") from None
    if isinstance(found, UnicodeError):
        raise OSError(f"{host} can be no host's name") from found
    if isinstance(found, OSError):
        raise found
    return found


def certificate(connection: ssl.SSLSocket) -> tuple[float, str]:
    """When the certificate that was shown ends, in unix seconds, and who made it: an organization, else a name."""
    told: Any = connection.getpeercert() or {}
    names = {key: value for group in told.get("issuer", ()) for key, value in group}
    issuer = names.get("organizationName") or names.get("commonName") or "nobody named"
    return float(ssl.cert_time_to_seconds(told["notAfter"])), issuer


def no_reply(error: Exception) -> NoReply:
    """What a failed exchange was; the causes are walked because httpx wraps them twice."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoReply(Fault.CONNECTION, f"the certificate does not verify: {cause.verify_message}", untrusted=True)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.RemoteProtocolError):
        return NoReply(Fault.BODY, f"the answer broke off or is not HTTP ({str(error) or 'closed'})")
    return NoReply(Fault.CONNECTION, _ERRNO.sub("", str(error)) or type(error).__name__)
