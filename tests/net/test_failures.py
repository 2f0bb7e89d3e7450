"""Why a request failed: proxies that reject a connection, and ports of another protocol, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import read_response
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.net.probe import probe_server
from homelab_hooks.net.probe_result import ConnectFailed
from homelab_hooks.polling.outcome import FailureKind, Unavailable
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.balancer import LoadBalancer
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.net.conftest import Tunnel
from tests.support.listener import Listener
from tests.waiting import HANG_S

Client = Callable[..., HttpClient]
Serve = Callable[[bytes], int]


def read(response: HttpResponse | RequestFailed) -> Unavailable:
    """Return the result of the request for the user of the API."""
    found = read_response(response, parse.parse_login, subject="the user", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable), found
    return found


def ask(https: HttpClient) -> Unavailable:
    return read(https.request("GET", "/api/user", timeout=HANG_S))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(data)`: the port of a server that sends this for each connection, after it has received something."""
    listeners: list[Listener] = []

    def one(data: bytes) -> int:
        def answer(near: socket.socket) -> None:
            with near:
                near.recv(4096)
                near.sendall(data)

        listeners.append(Listener(answer))
        return listeners[-1].port

    yield one
    for listener in listeners:
        listener.close()


DATE = "Tue, 24 Nov 2026 12:00:"
REFUSALS = [
    (b"302 Found\r\nLocation: http://portal/", FailureKind.FOREIGN, "(302 Found)", "captive portal", None),
    (b"307 Go away\r\nLocation: http://{x}:{y}/", FailureKind.FOREIGN, "(307 Temporary Redirect)", "captive", None),
    (b"511 Log in", FailureKind.FOREIGN, "(511 Network Authentication Required)", "captive portal", None),
    (b"407 No", FailureKind.FOREIGN, "(407 Proxy Authentication Required)", "user and password", None),
    (b"403 Forbidden", FailureKind.FOREIGN, "(403 Forbidden)", "allow this server in the proxy", None),
    (b"405 No CONNECT", FailureKind.FOREIGN, "(405 Method Not Allowed)", "allow this server in the proxy", None),
    (b"499 Odd", FailureKind.FOREIGN, "(499)", "allow this server in the proxy", None),
    (b"503 Full\r\nRetry-After: 7", FailureKind.STATUS, "returned 503 Service", "check the proxy", 7.0),
    (b"429 Slow", FailureKind.STATUS, "returned 429 Too Many Requests", "check the proxy", None),
    (
        f"502 Down\r\nDate: {DATE}00 GMT\r\nRetry-After: {DATE}09 GMT".encode(),
        FailureKind.STATUS,
        "returned 502 Bad Gateway",
        "check the proxy",
        9.0,
    ),
]


@pytest.mark.parametrize("row", REFUSALS, ids=[row[2] for row in REFUSALS])
def test_a_proxy_that_rejects_a_connection_is_named(
    client: Client,
    tunnel: Tunnel,
    monkeypatch: pytest.MonkeyPatch,
    row: tuple[bytes, FailureKind, str, str, float | None],
) -> None:
    refusal, kind, words, hint, wait = row
    tunnel.refusal = b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url.replace("//", "//bob:s3cret@"))
    found = ask(client("https://ci.example.test"))
    assert f"the proxy 127.0.0.1:{tunnel.port} " in found.reason
    assert words in found.reason
    assert hint in found.hint
    assert (found.kind, found.retry_after) == (kind, wait)
    assert "s3cret" not in found.reason + found.hint


@pytest.mark.parametrize("server", ["https://ci.example.test", "http://ci.example.test"])
def test_a_proxy_that_wants_a_login_is_named_with_or_without_a_tunnel(
    client: Client, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    tunnel.refusal = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setenv("ALL_PROXY", tunnel.url)
    found = ask(client(server))
    assert f"the proxy 127.0.0.1:{tunnel.port} rejected the connection (407" in found.reason
    assert "user and password" in found.hint


def test_a_server_without_tls_behind_a_proxy_is_not_the_proxys_refusal(
    client: Client, tunnel: Tunnel, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel.to = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    found = ask(client("https://ci.example.test"))
    assert found.kind is FailureKind.FOREIGN
    assert "does not use TLS on this port" in found.reason
    assert f"through the proxy 127.0.0.1:{tunnel.port}" in found.reason


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"220 mail.example.test ESMTP\r\n"]
)
def test_https_to_a_port_without_tls_is_a_wrong_address(client: Client, serve: Serve, data: bytes) -> None:
    found = ask(client(f"https://127.0.0.1:{serve(data)}"))
    assert found.kind is FailureKind.FOREIGN
    assert "the server does not use TLS on this port" in found.reason
    assert "scheme and the port of --server" in found.hint
    assert "_ssl" not in found.reason


def test_https_to_the_simulators_port_is_a_wrong_address(client: Client, woodpecker: WoodpeckerSimulator) -> None:
    assert ask(client(woodpecker.url.replace("http:", "https:"))).kind is FailureKind.FOREIGN


@pytest.mark.parametrize(
    "data",
    [
        b"220 mail.example.test ESMTP\r\n", b"220-FTP\r\n220 ready\r\n", b"-ERR unknown command\r\n", b"+OK POP3\r\n",
        b"RFB 003.008\n", b"RTSP/1.0 400 Bad Request\r\n\r\n", b"Welcome!\r\nSSH-2.0-OpenSSH_9.2p1\r\n",
        b"\x4a\x00\x00\x00\x0a8.0.36\x00", b"E\x00\x00\x00\x85SFATAL\x00",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03",
    ],
)  # fmt: skip
def test_a_greeting_of_another_protocol_is_a_wrong_port(client: Client, serve: Serve, data: bytes) -> None:
    """Each was retried for the whole timeout, as an incomplete response."""
    found = ask(client(f"http://127.0.0.1:{serve(data)}"))
    assert (found.kind, found.reason) == (FailureKind.FOREIGN, "the server does not use HTTP on this port")
    assert "scheme and the port of --server" in found.hint


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "the server expects TLS on this port"),
        (b"\x15\x03\x03\x00\x02\x02\x0a", "the server expects TLS on this port"),
        (b"SSH-2.0-dropbear_2022.83\r\n", "an SSH server responds on this port"),
        (b"SSH-1.99-OpenSSH_3.9p1\r\nInvalid SSH identification string.", "an SSH server responds on this port"),
    ],
)
def test_http_to_a_port_of_another_protocol_says_which(client: Client, serve: Serve, data: bytes, words: str) -> None:
    found = ask(client(f"http://127.0.0.1:{serve(data)}"))
    assert (found.kind, found.reason) == (FailureKind.FOREIGN, words)
    assert "scheme and the port of --server" in found.hint


def test_http_to_a_real_port_of_tls_hints_at_the_scheme(client: Client, balance: Callable[..., LoadBalancer]) -> None:
    found = ask(client(f"http://127.0.0.1:{balance().port}"))
    assert "--server (homelab.ciServer)" in found.hint


@pytest.mark.parametrize(
    ("server", "body"),
    [
        ("nginx", b"<title>400 The plain HTTP request was sent to HTTPS port</title>"),
        ("Apache", b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"),
        ("", b"Client sent an HTTP request to an HTTPS server.\n"),
    ],
)
def test_a_page_about_the_missing_tls_hints_at_the_scheme(server: str, body: bytes) -> None:
    found = read(HttpResponse(400, {"server": server, "content-type": "text/html"}, body, 0.1))
    assert found.kind is FailureKind.FOREIGN
    assert "this port serves https" in found.hint


def test_a_connection_that_is_closed_without_a_byte_may_be_one_of_tls(client: Client, serve: Serve) -> None:
    """Servers with TLS reset a connection that begins with HTTP. So do others, so this is not a wrong address."""
    port = serve(b"")
    https = client(f"http://127.0.0.1:{port}")
    https._opening.add(b"HTTP/1.1 200 OK")
    found = ask(https)
    assert found.kind in {FailureKind.BODY, FailureKind.CONNECTION}
    assert "if its port expects TLS" in found.hint


def test_a_server_that_has_answered_does_not_expect_tls(client: Client, woodpecker: WoodpeckerSimulator) -> None:
    https = client(woodpecker.url)
    assert isinstance(https.request("GET", "/version", timeout=HANG_S), HttpResponse)
    woodpecker.fail(FaultRule(fault=faults.Cut(FaultPoint.BEFORE)))
    assert ask(https).hint == ""


@pytest.mark.parametrize("data", [b"\x15\x03\x01\x00\x02\x02\x28", b""], ids=["handshake failure", "closed"])
def test_a_tls_error_is_reported_without_python_names(client: Client, serve: Serve, data: bytes) -> None:
    found = ask(client(f"https://127.0.0.1:{serve(data)}"))
    assert found.kind is FailureKind.CONNECTION
    assert "_ssl" not in found.reason
    assert "[SSL" not in found.reason


@pytest.mark.parametrize(
    ("alert", "words", "hint"),
    [
        (70, "no TLS version or cipher in common", "TLS 1.2 or later"),
        (71, "no TLS version or cipher in common", "TLS 1.2 or later"),
        (42, "requires a client certificate", "accept clients without a certificate"),
        (116, "requires a client certificate", "accept clients without a certificate"),
    ],
    ids=["protocol version", "insufficient security", "bad certificate", "certificate required"],
)
def test_a_tls_alert_that_no_retry_changes_is_a_wrong_server(
    client: Client, serve: Serve, alert: int, words: str, hint: str
) -> None:
    port = serve(b"\x15\x03\x03\x00\x02\x02" + bytes([alert]))
    found = ask(client(f"https://127.0.0.1:{port}"))
    assert found.kind is FailureKind.FOREIGN
    assert words in found.reason
    assert hint in found.hint


@pytest.fixture
def mute_port() -> Iterator[int]:
    """The port of a server to which connections succeed, and that never sends anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_never_answers_the_tls_handshake_is_not_called_unconnected(
    client: Client, mute_port: int
) -> None:
    found = read(client(f"https://127.0.0.1:{mute_port}").request("GET", "/api/user", timeout=0.1))
    assert found.kind is FailureKind.TIMEOUT
    assert found.reason == "no response to the TLS handshake within 0 s"


def test_probing_a_server_that_never_answers_the_tls_handshake_names_the_time(mute_port: int) -> None:
    server = parse_server_url(f"https://127.0.0.1:{mute_port}")
    assert probe_server(server, clock=SystemClock(), timeout=0.1) == ConnectFailed(
        (f"127.0.0.1:{mute_port}",), "no response to the TLS handshake within 0 s"
    )
