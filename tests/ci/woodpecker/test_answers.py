"""Every answer there can be is seen, no usable answer, or no; and nothing else comes out of reading one."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpcore
import pytest
from hypothesis import given, settings, strategies as st
from werkzeug import Request, Response

from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import SLOW_REFUSAL_S, mark_as_own, read_response
from homelab_hooks.ci.woodpecker.traits import reports_cancellation
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.net.failures import Exchange, describe_exchange_error
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.text.json_fields import UnexpectedShape
from tests.support.clock import FakeClock
from tools.fuzz.texts import harmful

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

PATH = "/api/repos/lookup/acme/app"
OURS = {"X-Woodpecker-Version": "3.17.0"}
JSON = {**OURS, "Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = "<!doctype html><title>Sign in</title>"
REPO = '{"id": 8, "full_name": "acme/app"}'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(httpserver: HTTPServer, clock: FakeClock) -> Iterator[HttpClient]:
    client = HttpClient(parse_server_url(httpserver.url_for("")), clock=clock, token="s3cret-token")
    yield client
    client.close()


@pytest.fixture
def literal(clock: FakeClock) -> Iterator[Callable[[str], Poll[Any]]]:
    """`literal(head)`: what is read from a server that sends exactly these lines before an empty body."""
    with contextlib.ExitStack() as running:

        def answer(head: str) -> Poll[Any]:
            class Handler(socketserver.StreamRequestHandler):
                def handle(self) -> None:
                    while self.rfile.readline().strip():
                        pass
                    self.wfile.write(f"{head}\r\nContent-Length: 0\r\n\r\n".encode())

            server = running.enter_context(socketserver.TCPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            running.callback(thread.join)
            url = f"http://127.0.0.1:{server.server_address[1]}"
            client = HttpClient(parse_server_url(url), clock=clock, token="s3cret-token")
            running.callback(client.close)
            return look(client)

        yield answer


def look(client: HttpClient) -> Poll[Any]:
    reply = client.request("GET", PATH, timeout=REQUEST_TIMEOUT_S)
    return read_response(reply, parse.parse_repo, subject="the repository acme/app", token_source="WP_TOKEN")


def test_an_answer_is_seen(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(REPO, headers=JSON)
    found = look(client)
    assert isinstance(found, Found)
    assert (found.value.id, found.value.full_name, found.value.active) == (8, "acme/app", True)
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer s3cret-token"


MISSED: list[tuple[str, int, dict[str, str], str, FailureKind]] = [
    ("empty", 200, JSON, "", FailureKind.BODY),
    ("blank", 200, JSON, " \n", FailureKind.BODY),
    ("null", 200, JSON, "null", FailureKind.BODY),
    ("other shape", 200, JSON, "[]", FailureKind.BODY),
    ("other type", 200, JSON, '{"id": "8"}', FailureKind.BODY),
    ("field missing", 200, JSON, "{}", FailureKind.BODY),
    ("truncated", 200, JSON, REPO[:-3], FailureKind.BODY),
    ("no JSON", 200, JSON, "upstream said no", FailureKind.BODY),
    ("deep", 200, JSON, "[" * 100_000, FailureKind.BODY),
    ("long number", 200, JSON, '{"id": ' + "9" * 10_000 + "}", FailureKind.BODY),
    ("web page", 200, HTML, PAGE, FailureKind.FOREIGN),
    ("web page that says it is JSON", 200, JSON, PAGE, FailureKind.FOREIGN),
    ("JSON that says it is a web page", 200, HTML, REPO, FailureKind.FOREIGN),
    ("no content", 204, OURS, "", FailureKind.STATUS),
    ("another 2xx", 206, JSON, REPO, FailureKind.STATUS),
    ("bad request", 400, OURS, "", FailureKind.STATUS),
    ("a proxy's 403", 403, HTML, PAGE, FailureKind.FOREIGN),
    ("a proxy's 404", 404, {"Content-Type": "text/plain"}, "404 page not found", FailureKind.FOREIGN),
    ("conflict", 409, OURS, "", FailureKind.STATUS),
    ("too many", 429, {}, "", FailureKind.STATUS),
    ("server error", 500, OURS, "database is locked", FailureKind.STATUS),
    ("bad gateway", 502, HTML, PAGE, FailureKind.STATUS),
    ("unavailable", 503, {}, "no available server", FailureKind.STATUS),
    ("gateway timeout", 504, {}, "", FailureKind.STATUS),
    ("of another century", 599, {}, "", FailureKind.STATUS),
    ("moved", 301, {**HTML, "Location": "/api/x"}, "", FailureKind.FOREIGN),
    ("sign-on", 302, {"Location": "https://sso.example.test/login?to=x"}, "", FailureKind.FOREIGN),
    ("not modified", 304, {}, "", FailureKind.FOREIGN),
]


@pytest.mark.parametrize("row", MISSED, ids=[row[0] for row in MISSED])
def test_no_usable_answer(
    client: HttpClient, httpserver: HTTPServer, row: tuple[str, int, dict[str, str], str, FailureKind]
) -> None:
    httpserver.expect_request(PATH).respond_with_data(row[3], row[1], row[2])
    found = look(client)
    assert isinstance(found, Unavailable)
    assert found.kind is row[4]
    assert found.reason
    assert "s3cret" not in found.reason


def test_a_proxys_own_words_are_reported_but_no_web_page(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("no available\x1b[2J server\n", 503)
    httpserver.expect_ordered_request(PATH).respond_with_data(PAGE, 502, HTML)
    said = [look(client), look(client)]
    assert [found.reason for found in said if isinstance(found, Unavailable)] == [
        "the server returned 503 (no available server)",
        "the server returned 502",
    ]


def test_a_redirect_names_the_host_and_not_what_is_behind_it(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("", 302, {"Location": "https://bob:pw@sso.example.test/x?code=1"})
    found = look(client)
    assert isinstance(found, Unavailable)
    assert "redirects to https://sso.example.test, where" in found.reason


INVALID_PLACES = ["https://[sso", "https://h:x/", "//[::1", "https://{host}:{port}/login", "https://h:99999/", "x y"]


@pytest.mark.parametrize("place", [*INVALID_PLACES, "javascript:alert(1)", "http:// h/", "https://:80/"])
def test_nothing_of_a_redirect_to_an_invalid_address_is_printed(
    literal: Callable[[str], Poll[Any]], place: str
) -> None:
    found = literal(f"HTTP/1.1 302 Found\r\nLocation: {place}")
    assert isinstance(found, Unavailable)
    assert found.kind is FailureKind.FOREIGN
    assert found.reason == "the server redirects to an invalid address, where the token is not sent"


@pytest.mark.parametrize(
    ("place", "printed"),
    [("//sso.example.test/x", "sso.example.test"), ("/login?next=/", "/login"), ("?login", "/"), ("", "nowhere")],
)
def test_a_redirect_names_a_relative_address(place: str, printed: str) -> None:
    response = HttpResponse(302, {"location": place}, b"", 0.01)
    found = read_response(response, parse.parse_repo, subject="it", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable)
    assert f"redirects to {printed}, where" in found.reason


@pytest.mark.parametrize("place", ["https://[sso", "https://h:x/", "", "x\x1b[2J", "https://h\x9b2J/"])
def test_a_redirect_to_nowhere_is_not_a_usable_answer(place: str) -> None:
    found = read_response(
        HttpResponse(302, {"location": place}, b"", 0.01), parse.parse_repo, subject="it", token_source="WP_TOKEN"
    )
    assert isinstance(found, Unavailable)
    assert not harmful(found.reason)


DENIED: list[tuple[str, int, dict[str, str], str, str]] = [
    ("token", 401, {**OURS, "Content-Type": "text/plain"}, "User not authorized", "rejected the token from WP_TOKEN"),
    ("token, empty", 401, OURS, "", "rejected the token from WP_TOKEN"),
    ("rights", 403, OURS, "", "access denied for the owner of the token from WP_TOKEN"),
    ("unknown", 404, OURS, "", "the repository acme/app was not found in CI"),
]


@pytest.mark.parametrize("row", DENIED, ids=[row[0] for row in DENIED])
def test_a_no(client: HttpClient, httpserver: HTTPServer, row: tuple[str, int, dict[str, str], str, str]) -> None:
    httpserver.expect_request(PATH).respond_with_data(row[3], row[1], row[2])
    found = look(client)
    assert isinstance(found, Denied)
    assert row[4] in found.reason
    assert (found.slow, found.final, bool(found.hint)) == (False, False, True)


@pytest.mark.parametrize(("seconds", "slow"), [(SLOW_REFUSAL_S - 0.1, False), (SLOW_REFUSAL_S, True), (14.9, True)])
def test_a_slow_refusal_is_marked(
    client: HttpClient, httpserver: HTTPServer, clock: FakeClock, seconds: float, *, slow: bool
) -> None:
    def late(_: Request) -> Response:
        clock.sleep(seconds)
        return Response(status=401, headers=OURS)

    httpserver.expect_request(PATH).respond_with_handler(late)
    found = look(client)
    assert isinstance(found, Denied)
    assert found.slow is slow


RETRY = [
    ({"Retry-After": "7"}, 7.0),
    ({"Retry-After": " 0 "}, 0.0),
    ({"Retry-After": "Tue, 24 Nov 2026 12:00:09 GMT", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 9.0),
    ({"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 0.0),
    ({"Retry-After": "Tue, 24 Nov 2026 12:00:09 GMT"}, None),
    ({"Retry-After": "Tue, 24 Nov 2026 12:00:09 -0000", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 9.0),
    ({"Retry-After": "Tuesday, 24-Nov-26 12:00:09 GMT", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 9.0),
    ({"Retry-After": "Tue Nov 24 12:00:09 2026", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 9.0),
    ({"Retry-After": "Tue, 24 Nov 99999999999999999999 12:00:09 GMT", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, None),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "-5"}, None),
    ({"Retry-After": "²"}, None),
    ({"Retry-After": "9" * 500}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), RETRY, ids=str)
def test_retry_after_is_read_by_the_servers_own_clock(headers: dict[str, str], seconds: float | None) -> None:
    reply = HttpResponse(429, {name.lower(): value for name, value in headers.items()}, b"", 0.01)
    found = read_response(reply, parse.parse_repo, subject="it", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable)
    assert found.retry_after == seconds


FAILURES = [
    (httpcore.ConnectError("[Errno 111] Connection refused"), FailureKind.CONNECTION, "Connection refused"),
    (httpcore.ConnectError(""), FailureKind.CONNECTION, "ConnectError"),
    (httpcore.ConnectTimeout("timed out"), FailureKind.TIMEOUT, "no connection within 5 s"),
    (httpcore.ReadTimeout("timed out"), FailureKind.TIMEOUT, "no complete response within 15 s"),
    (httpcore.WriteError("Broken pipe"), FailureKind.CONNECTION, "Broken pipe"),
    (httpcore.RemoteProtocolError("peer closed\x1b[2J"), FailureKind.BODY, "is incomplete or not HTTP (peer closed)"),
    (httpcore.RemoteProtocolError("illegal status line: bytearray(b'x')"), FailureKind.BODY, "(illegal status line)"),
]


@pytest.mark.parametrize(
    ("failure", "fault", "reason"), FAILURES, ids=[f"{type(f[0]).__name__}-{f[2]}" for f in FAILURES]
)
def test_a_failed_exchange_is_not_a_usable_answer(failure: Exception, fault: FailureKind, reason: str) -> None:
    failed = describe_exchange_error(failure, Exchange(b"", REQUEST_TIMEOUT_S, may_expect_tls=False))
    found = read_response(failed, parse.parse_repo, subject="it", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable)
    assert found.kind is fault
    assert reason in found.reason
    assert not harmful(found.reason)


def test_a_date_to_retry_after_counts_from_the_receipt_of_a_response_without_a_date(
    literal: Callable[[str], Poll[Any]], clock: FakeClock
) -> None:
    until = formatdate(clock.wall() + 90, usegmt=True)
    found = literal(f"HTTP/1.1 503 Busy\r\nRetry-After: {until}")
    assert isinstance(found, Unavailable)
    assert found.retry_after == pytest.approx(90, abs=1)


REMEDIES = {
    CertificateFault.EXPIRED: "renew the server's certificate",
    CertificateFault.NOT_YET_VALID: "this machine's clock",
    CertificateFault.WRONG_NAME: "--server and --dial",
    CertificateFault.SELF_SIGNED: "--ca-file",
    CertificateFault.UNKNOWN_CA: "--ca-file",
    CertificateFault.REVOKED: "new certificate",
    CertificateFault.OTHER: "another certificate",
}


@pytest.mark.parametrize("why", CertificateFault)
def test_a_certificate_that_does_not_verify_is_a_final_no_with_the_remedy_for_its_cause(why: CertificateFault) -> None:
    reply = RequestFailed(FailureKind.CONNECTION, "the certificate does not verify: no", why)
    found = read_response(reply, parse.parse_repo, subject="it", token_source="WP_TOKEN")
    assert isinstance(found, Denied)
    assert found.final
    assert "not sent" in found.hint
    assert REMEDIES[why] in found.hint
    assert ("--ca-file" in found.hint) is (why in {CertificateFault.SELF_SIGNED, CertificateFault.UNKNOWN_CA})


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)
KEYS = st.sampled_from(
    ["number", "event", "ref", "commit", "status", "workflows", "children", "state", "errors", "error", "data", "type",
     "cancel_info", "superseded_by", "id", "full_name", "active", "created", "created_at", "stats", "paused", "line",
     "worker_count", "pid", "name", "message", "is_warning", "login", "time", "exit_code", "started", "start_time"]
)  # fmt: skip
WORDS = st.sampled_from(["success", "push", "a" * 40, "refs/heads/main", "quantum", "aGVsbG8=", "!"])
NEARLY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=30,
)
READERS = [
    parse.parse_pipelines,
    parse.parse_pipeline,
    parse.parse_repo,
    parse.parse_login,
    parse.parse_queue,
    parse.parse_log,
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@settings(max_examples=60)
@given(raw=JSONS | NEARLY | st.lists(NEARLY, max_size=3))
def test_whatever_json_comes_it_is_read_or_misshapen(reader: Any, raw: object) -> None:
    try:
        reader(raw)
    except UnexpectedShape as error:
        assert str(error)  # noqa: PT017 - most answers are misshapen, and some are not


HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "retry-after", "date", "location", "x-woodpecker-version"]),
    st.text(st.characters(max_codepoint=255), max_size=30) | st.just("https://[x") | st.just("text/html"),
)
BODIES = st.binary(max_size=60) | JSONS.map(lambda raw: json.dumps(raw).encode())


@given(status=st.integers(100, 999), headers=HEADERS, body=BODIES, took=st.floats(0, 20))
def test_whatever_answer_comes_it_is_a_poll_result(
    status: int, headers: dict[str, str], body: bytes, took: float
) -> None:
    found = read_response(
        HttpResponse(status, headers, body, took), parse.parse_pipelines, subject="it", token_source="WP_TOKEN"
    )
    assert isinstance(found, Found | Unavailable | Denied)
    assert status == 200 or not isinstance(found, Found)


@pytest.mark.parametrize("version", ["\u00b2.8", "3.\u0661", "9" * 5000 + ".1", "3." + "9" * 5000, "3", "3.x.1"])
def test_a_version_that_is_not_two_numbers_counts_as_a_new_one(version: str) -> None:
    assert reports_cancellation(version)


@pytest.mark.parametrize(
    ("subject", "words", "hint"),
    [
        ("the user", "the API was not found in CI at this address", "path of --server"),
        ("the repository acme/app", "the repository acme/app was not found", "--repo"),
        ("the repository", "the repository was not found", "--repo"),
        ("pipeline #7", "pipeline #7 was not found", ""),
        ("the queue", "the queue was not found", ""),
    ],
)
def test_a_404_has_the_hint_for_what_was_requested(subject: str, words: str, hint: str) -> None:
    found = read_response(
        mark_as_own(HttpResponse(404, {}, b"", 0.01)), parse.parse_repo, subject=subject, token_source="WP_TOKEN"
    )
    assert isinstance(found, Denied)
    assert words in found.reason
    assert hint in found.hint
    assert bool(found.hint) is bool(hint)
