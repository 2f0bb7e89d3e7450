"""Every answer is bounded in time and size, and what goes wrong is a value."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.http import AddedCaFile, HttpClient, create_ssl_context
from homelab_hooks.net.message import HttpResponse, RequestFailed, read_bounded_body
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.programs import find_free_port
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

Client = Callable[..., HttpClient]
LIST = "/api/repos/8/pipelines"


@pytest.fixture
def asked(woodpecker: WoodpeckerSimulator, client: Client) -> Callable[..., HttpResponse | RequestFailed]:
    """`asked(fault, deadline=, limit=)`: the answer of a simulated server with a fault."""
    https = client(woodpecker.url)

    def one(fault: faults.HttpFault, *, deadline: float = HANG_S, limit: int = 1 << 20) -> HttpResponse | RequestFailed:
        woodpecker.fail(FaultRule(fault=fault))
        return https.request("GET", LIST, timeout=deadline, max_bytes=limit)

    return one


def fault(answer: HttpResponse | RequestFailed) -> FailureKind:
    assert isinstance(answer, RequestFailed), answer
    return answer.kind


SILENT = [
    faults.Drip(pause=0.02),
    faults.Hang(FaultPoint.BEFORE),
    faults.Hang(FaultPoint.HEADERS),
    faults.Hang(FaultPoint.BODY),
    faults.Slow(HANG_S),
]


@pytest.mark.parametrize("silence", SILENT, ids=str)
def test_no_answer_takes_longer_than_its_deadline(asked: Any, silence: faults.HttpFault) -> None:
    """A slow drip resets every single read's timeout, but not the whole answer's; to its end it would be an answer."""
    assert fault(asked(silence, deadline=0.25)) is FailureKind.TIMEOUT


def test_a_client_is_as_good_as_new_after_a_deadline(
    woodpecker: WoodpeckerSimulator, asked: Any, client: Client
) -> None:
    del client
    asked(faults.Hang(FaultPoint.BODY), deadline=0.1)
    assert isinstance(asked(faults.Slow(0)), HttpResponse)
    assert woodpecker.count(LIST) <= 2


BROKEN = [
    (faults.Endless(), FailureKind.BODY),
    (faults.Truncated(), FailureKind.BODY),
    (faults.Truncated(chunked=True), FailureKind.BODY),
    (faults.NotHttp(b"\x00\xff\xfe\r\n"), FailureKind.BODY),
    (faults.NotHttp(), FailureKind.FOREIGN),
    (faults.HugeHeaders(), FailureKind.BODY),
    (faults.Cut(FaultPoint.BEFORE, reset=False), FailureKind.BODY),
    (faults.Cut(FaultPoint.BODY, reset=False), FailureKind.BODY),
    (faults.Cut(FaultPoint.BEFORE), FailureKind.CONNECTION),
    (faults.Cut(FaultPoint.HEADERS), FailureKind.CONNECTION),
    (faults.Cut(FaultPoint.BODY), FailureKind.CONNECTION),
]


@pytest.mark.parametrize(("broken", "expected"), BROKEN, ids=str)
def test_a_broken_answer_is_a_value(asked: Any, broken: faults.HttpFault, expected: FailureKind) -> None:
    assert fault(asked(broken)) is expected


def test_a_refused_connection_is_a_value(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    https = client(woodpecker.url)
    woodpecker.stop()
    assert fault(https.request("GET", "/version", timeout=HANG_S)) is FailureKind.CONNECTION


def test_a_server_that_was_started_again_is_reached_again(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    https = client(woodpecker.url)
    assert isinstance(https.request("GET", "/version", timeout=HANG_S), HttpResponse)
    woodpecker.stop()
    assert isinstance(https.request("GET", "/version", timeout=HANG_S), RequestFailed)
    woodpecker.start()
    assert isinstance(https.request("GET", "/version", timeout=HANG_S), HttpResponse)


def test_a_name_without_an_address_is_a_value(client: Client) -> None:
    assert fault(client("https://missing.invalid").request("GET", "/version", timeout=HANG_S)) is FailureKind.CONNECTION


def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert read_bounded_body([b"ab", b"cd"], "", 4) == b"abcd"
    assert isinstance(read_bounded_body([b"ab", b"cde"], "", 4), RequestFailed)
    packed = gzip.compress(b"abcd")
    assert read_bounded_body([packed], "gzip", 40) == b"abcd"
    assert read_bounded_body([gzip.compress(b"a" * 40)], "gzip", 40) == b"a" * 40
    assert isinstance(read_bounded_body([gzip.compress(b"a" * 41)], "gzip", 40), RequestFailed)
    assert isinstance(read_bounded_body([b"no gzip"], "gzip", 40), RequestFailed)
    assert isinstance(read_bounded_body([packed[:-6]], "gzip", 40), RequestFailed)


def test_a_compressed_answer_that_was_not_requested_is_read(asked: Any) -> None:
    answer = asked(faults.Gzip())
    assert isinstance(answer, HttpResponse)
    assert answer.body.startswith(b"[{")


TEXT = b'{"login": "alice"}' * 9


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:])),
        ("gzip", b"".join(gzip.compress(TEXT[at : at + 3]) for at in range(0, len(TEXT), 3))),
        ("gzip", gzip.compress(b"") + gzip.compress(TEXT) + b"\0\0\0"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("identity", TEXT),
    ],
    ids=["gzip", "two members", "many members", "padding", "deflate", "raw deflate", "identity"],
)
def test_an_encoding_that_was_not_requested_is_read(encoding: str, body: bytes) -> None:
    assert read_bounded_body([body], encoding, 1 << 16) == TEXT
    assert isinstance(read_bounded_body([body], encoding, len(TEXT) - 1), RequestFailed)


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:-5], "incomplete"),
        ("gzip", gzip.compress(TEXT) + b"\x1f\x8bgarbage", "cannot decompress"),
        ("gzip", gzip.compress(b"a") * 1000, "more than 64 parts"),
        ("deflate", zlib.compress(TEXT)[:-6], "incomplete"),
        ("deflate", TEXT, "cannot decompress"),
        ("deflate", b"", "incomplete"),
        ("br", TEXT, "unknown way (br)"),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), "unknown way (gzip, gzip)"),
    ],
    ids=["cut", "garbage after gzip", "too many members", "cut deflate", "no deflate", "empty", "brotli", "twice"],
)
def test_a_body_that_cannot_be_decompressed_says_so(encoding: str, body: bytes, words: str) -> None:
    found = read_bounded_body([body], encoding, 1 << 16)
    assert isinstance(found, RequestFailed)
    assert words in found.reason


def test_a_gzip_bomb_is_not_unpacked(client: Client, httpserver: HTTPServer) -> None:
    """50 MB in 50 kB."""
    bomb = gzip.compress(b" " * 50_000_000)
    httpserver.expect_request("/bomb").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    assert (
        fault(client(httpserver.url_for("")).request("GET", "/bomb", timeout=HANG_S, max_bytes=1 << 20))
        is FailureKind.BODY
    )


def test_what_is_not_an_event_stream_is_not_listened_to(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(b"data: {}\n\n", content_type="text/html")
    heard: list[bytes] = []
    ended = client(httpserver.url_for("")).stream("/page", heard.append, idle_timeout=5.0)
    assert (ended.reason, heard) == ("status 200, not an event stream", [])


@pytest.mark.parametrize("where", ["other host", "same origin", "other scheme"])
def test_a_redirect_is_reported_and_not_followed(
    woodpecker: WoodpeckerSimulator, client: Client, httpserver: HTTPServer, where: str
) -> None:
    to = {
        "other host": httpserver.url_for("/stolen"),
        "same origin": f"{woodpecker.url}/api/user",
        "other scheme": f"https://127.0.0.1:{woodpecker.port}/api/user",
    }[where]
    for code in (301, 302, 303, 307, 308):
        woodpecker.fail(FaultRule(fault=faults.Redirect(to, code)))
        answer = client(woodpecker.url).request("GET", LIST, timeout=HANG_S)
        assert isinstance(answer, HttpResponse)
        assert (answer.status, answer.headers["location"]) == (code, to)
    assert httpserver.log == []
    assert woodpecker.count(LIST) == woodpecker.count() == 5


def test_the_token_is_sent_as_bearer_and_nothing_is_sent_without_one(
    client: Client, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what the user's netrc holds for the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password s3cret\nmachine localhost login bob password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/").respond_with_data("")
    for token in ("t0ken", ""):
        client(httpserver.url_for(""), token=token).request("GET", "/", timeout=HANG_S)
    sent = [request.headers.get("Authorization") for request, _ in httpserver.log]
    assert sent == ["Bearer t0ken", None]


def test_this_machine_is_never_asked_through_a_proxy(
    woodpecker: WoodpeckerSimulator, client: Client, tunnel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, tunnel.url)
    assert isinstance(client(woodpecker.url).request("GET", "/version", timeout=HANG_S), HttpResponse)
    assert tunnel.asked == []


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_asked(
    client: Client, tunnel: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, tunnel.url)
    answer = client("https://ci.example.test").request("GET", "/version", timeout=HANG_S)
    assert isinstance(answer, RequestFailed)
    assert "403" in answer.reason
    assert tunnel.asked == ["CONNECT ci.example.test:443 HTTP/1.1"]


def test_no_proxy_keeps_a_host_off_the_proxy(client: Client, tunnel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    monkeypatch.setenv("NO_PROXY", "localhost,.invalid")
    assert isinstance(client("https://missing.invalid").request("GET", "/version", timeout=HANG_S), RequestFailed)
    assert tunnel.asked == []


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_that_cannot_be_reached_is_named_without_its_password(
    client: Client, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    port = find_free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}bob:s3cret@127.0.0.1:{port}")
    answer = client("https://ci.example.test").request("GET", "/version", timeout=HANG_S)
    assert isinstance(answer, RequestFailed)
    assert answer.reason == f"the proxy 127.0.0.1:{port}: Connection refused"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://127.0.0.1"])
def test_a_proxy_that_cannot_be_used_is_a_usage_error(
    client: Client, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(CommandError, match="proxy") as raised:
        client("https://ci.example.test")
    assert raised.value.exit is ExitCode.USAGE


def test_a_proxys_password_is_not_reported(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://bob:s3cret@127.0.0.1")
    with pytest.raises(CommandError) as raised:
        client("https://ci.example.test")
    assert "s3cret" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_trust_anchors_that_cannot_be_used_are_a_usage_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=r"ca\.pem cannot be used") as raised:
        create_ssl_context(path)
    assert raised.value.exit is ExitCode.USAGE
    assert "PEM" in raised.value.hint


def test_trust_anchors_are_used_instead_of_the_systems(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    assert len(create_ssl_context(path).get_ca_certs()) == 1


def test_trust_anchors_are_added_to_the_systems_for_registries(tmp_path: Path) -> None:
    path, system = tmp_path / "ca.pem", tmp_path / "system.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    bare = create_ssl_context(None).cert_store_stats()["x509_ca"]
    assert create_ssl_context(AddedCaFile(path)).cert_store_stats()["x509_ca"] == bare + 1
    with pytest.raises(CommandError, match=r"system\.pem cannot be used"):
        create_ssl_context(AddedCaFile(system))
