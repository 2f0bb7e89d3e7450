"""A request that does not get past its proxy: the proxy is named, and the remedy is one for the proxy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import read_response
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable
from homelab_hooks.simulators.programs import find_free_port
from tests.support.listener import Listener
from tests.waiting import HANG_S

Client = Callable[..., HttpClient]
SERVER = "https://ci.example.test"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
CONNECTED = b"HTTP/1.1 200 OK\r\n\r\n"


class Proxy:
    """A proxy that responds to each request with the next of its texts, with or without TLS."""

    def __init__(self, replies: tuple[bytes, ...], context: ssl.SSLContext | None = None) -> None:
        self._replies, self._context = replies, context
        self._listener = Listener(self._answer)
        self.port = self._listener.port

    def close(self) -> None:
        self._listener.close()

    def _answer(self, near: socket.socket) -> None:
        with near:
            if self._context is not None:
                near = self._context.wrap_socket(near, server_side=True)
            for reply in self._replies:
                near.recv(4096)
                near.sendall(reply)
            near.close()


class Proxies:
    """Starts proxies, and names them in the environment.

    Attributes:
        authority: issues their certificates.
        bundle: the CA bundle of the client.
    """

    def __init__(self, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.authority = trustme.CA()
        self.bundle = bundle
        self._other = trustme.CA().cert_pem.bytes()
        self._monkeypatch = monkeypatch
        self._running: list[Proxy] = []

    def trust(self, *, proxy: bool) -> None:
        """Write the bundle: another CA, and that of the proxies if wanted."""
        self.bundle.write_bytes(self._other + (self.authority.cert_pem.bytes() if proxy else b""))

    def start(self, scheme: str, *replies: bytes, name: str = "") -> str:
        """Start a proxy, with TLS and a certificate for this name if one is given, and return its HOST:PORT."""
        context = None
        if name:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(name).configure_cert(context)
        self._running.append(Proxy(replies, context))
        address = f"127.0.0.1:{self._running[-1].port}"
        self._monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://bob:s3cret@{address}")
        return address

    def close(self) -> None:
        for proxy in self._running:
            proxy.close()


@pytest.fixture
def proxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxies]:
    one = Proxies(tmp_path / "ca.pem", monkeypatch)
    one.trust(proxy=True)
    yield one
    one.close()


def ask(https: HttpClient) -> Unavailable | Denied:
    response = https.request("GET", "/api/user", timeout=HANG_S)
    assert isinstance(response, RequestFailed), response
    found = read_response(response, parse.parse_login, subject="the user", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable | Denied)
    return found


@dataclass(frozen=True)
class Mistake:
    """A proxy variable that does not fit its proxy: the proxy's replies, and what is reported."""

    scheme: str
    replies: tuple[bytes, ...]
    reason: str
    hint: str
    kind: FailureKind
    name: str = ""


FOREIGN, BODY = FailureKind.FOREIGN, FailureKind.BODY
MISTAKES = {
    "https for http": Mistake("https", (b"HTTP/1.1 400 Bad Request\r\n\r\n",), " does not use TLS", "http://", FOREIGN),
    "http for https": Mistake("http", (b"\x15\x03\x03\x00\x02\x02\x0a",), " expects TLS", "https://", FOREIGN),
    "http for https, closed": Mistake("http", (b"",), " closed the connection", "https://HOST:PORT", BODY),
    "http for https, 400": Mistake("http", (FORBIDDEN.replace(b"403", b"400"),), " rejected", "https://HOST", FOREIGN),
    "ssh": Mistake("http", (b"SSH-2.0-dropbear\r\n",), ": an SSH server responds", "check the port in", FOREIGN),
    "smtp": Mistake("http", (b"220 mail ESMTP\r\n",), " does not use HTTP", "check the port in", FOREIGN),
    "a damaged response": Mistake("http", (b"\x00\xff\xfe",), ": the response is incomplete", "check the proxy", BODY),
    "closed after TLS": Mistake("https", (b"",), " closed the connection", "check the proxy", BODY, "127.0.0.1"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_proxy_variable_that_does_not_fit_names_the_proxy_and_what_to_set(
    client: Client, proxies: Proxies, case: str
) -> None:
    mistake = MISTAKES[case]
    address = proxies.start(mistake.scheme, *mistake.replies, name=mistake.name)
    found = ask(client(SERVER, ca_file=proxies.bundle))
    assert isinstance(found, Unavailable)
    assert found.kind is mistake.kind
    assert f"the proxy {address}{mistake.reason}" in found.reason
    assert mistake.hint in found.hint
    assert "--server" not in found.hint
    assert "s3cret" not in found.reason + found.hint


def test_an_unknown_ca_of_the_proxy_is_not_the_servers_and_its_remedy_helps(client: Client, proxies: Proxies) -> None:
    address = proxies.start("https", FORBIDDEN, name="127.0.0.1")
    proxies.trust(proxy=False)
    found = ask(client(SERVER, ca_file=proxies.bundle))
    assert isinstance(found, Denied)
    assert f"the proxy {address}: certificate verification failed" in found.reason
    assert "add the proxy's CA to the CA bundle (--ca-file;" in found.hint
    proxies.trust(proxy=True)
    assert f"the proxy {address} rejected the connection (403" in ask(client(SERVER, ca_file=proxies.bundle)).reason


def test_a_wrong_name_of_the_proxy_is_not_the_servers(client: Client, proxies: Proxies) -> None:
    address = proxies.start("https", FORBIDDEN, name="proxy.example.test")
    found = ask(client(SERVER, ca_file=proxies.bundle))
    assert isinstance(found, Denied)
    assert f"the proxy {address}: certificate verification failed" in found.reason
    assert "use the name in the proxy's certificate" in found.hint


@pytest.mark.parametrize(
    "far", [b"", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"220 mail ESMTP\r\n"], ids=["closed", "ssh", "smtp"]
)
def test_a_server_that_fails_behind_the_proxy_is_not_the_proxys_fault(
    client: Client, proxies: Proxies, far: bytes
) -> None:
    address = proxies.start("http", CONNECTED, far)
    found = ask(client(SERVER))
    assert isinstance(found, Unavailable)
    assert found.reason.endswith(f", through the proxy {address}")
    assert "proxy variable" not in found.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "proxy.invalid", "localhost"])
def test_a_proxy_that_cannot_be_reached_is_the_one_to_check(
    client: Client, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    port = find_free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://{host}:{port}")
    found = ask(client(SERVER))
    assert found.reason.startswith(f"the proxy {host}:{port}: ")
    assert found.hint.startswith("check the proxy variable (HTTPS_PROXY) and the proxy")
