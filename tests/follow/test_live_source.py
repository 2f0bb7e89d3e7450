"""A live answer over a real socket: redirects stay on the host, no credential and no cookie is sent, all is bounded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.config.link_spec import parse_link
from homelab_hooks.follow.live_source import MAX_ANSWER_BYTES, LiveHttpSource
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.polling.outcome import Found
from homelab_hooks.system.clock import SystemClock

SHA = "9f2c1d0a" * 5


@pytest.fixture(scope="module")
def shared_server() -> Iterator[HTTPServer]:
    """One for all: it takes half a second to stop."""
    with HTTPServer(host="127.0.0.1") as running:
        yield running


@pytest.fixture
def server(shared_server: HTTPServer) -> HTTPServer:
    shared_server.clear()
    return shared_server


def make_source(server: HTTPServer, target: str) -> LiveHttpSource:
    link = parse_link(f"live:{server.url_for('/')}{target}")
    assert link.live is not None
    clock = SystemClock()

    def connect(to: ServerUrl) -> HttpClient:
        return HttpClient(to, clock=clock)

    return LiveHttpSource(link.live, SHA, connect=connect, compare=lambda _: Containment.UNKNOWN, now=clock.now)


def ask(source: LiveHttpSource) -> LiveAnswer:
    poll = source.poll()
    assert isinstance(poll, Found)
    answer: LiveAnswer = poll.value
    return answer


def test_the_query_is_sent_and_a_redirect_on_the_host_is_followed(server: HTTPServer) -> None:
    server.expect_request("/version", query_string="key=1").respond_with_data("", 302, {"Location": "/v2/version"})
    server.expect_request("/v2/version").respond_with_json({"commit": SHA})
    assert ask(make_source(server, "version?key=1#commit")).shown is Shown.OURS


def test_the_connections_are_closed_and_opened_again(server: HTTPServer) -> None:
    link = parse_link(f"live:{server.url_for('/version')}#commit")
    assert link.live is not None
    server.expect_request("/version").respond_with_json({"commit": SHA})
    opened: list[str] = []

    def connect(to: ServerUrl) -> HttpClient:
        opened.append(to.origin)
        return HttpClient(to, clock=clock)

    clock = SystemClock()
    source = LiveHttpSource(link.live, SHA, connect=connect, compare=lambda _: Containment.UNKNOWN, now=clock.now)
    for _ in range(2):
        assert ask(source).shown is Shown.OURS
    assert len(opened) == 1
    source.close()
    assert ask(source).shown is Shown.OURS
    assert len(opened) == 2
    source.close()


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.2:{port}/", "http://localhost:{port}/", "//evil.example.test/", "http://127.0.0.1:1/", ""],
)
def test_a_redirect_elsewhere_is_not_followed(server: HTTPServer, location: str) -> None:
    server.expect_request("/").respond_with_data(SHA, 302, {"Location": location.format(port=server.port)})
    assert ask(make_source(server, "")) == (Shown.NAMELESS, "the service answered with status 302")
    assert len(server.log) == 1


def test_a_circle_of_redirects_ends(server: HTTPServer) -> None:
    server.expect_request("/").respond_with_data("", 307, {"Location": "/"})
    assert ask(make_source(server, "")).shown is Shown.SILENT


def test_neither_credentials_nor_cookies_are_sent(server: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(SHA, headers={"Set-Cookie": "session=1"})

    server.expect_request("/").respond_with_handler(answer)
    source = make_source(server, "")
    assert [ask(source).shown, ask(source).shown] == [Shown.OURS] * 2
    assert [(one.headers.get("Cookie"), one.headers.get("Authorization")) for one in seen] == [(None, None)] * 2


def test_an_answer_without_end_is_cut(server: HTTPServer) -> None:
    server.expect_request("/").respond_with_data("x" * (MAX_ANSWER_BYTES + 1) + SHA)
    assert ask(make_source(server, "")).shown is Shown.SILENT


def test_a_service_that_is_not_there_is_silent() -> None:
    with HTTPServer(host="127.0.0.1") as gone:
        source = make_source(gone, "")
    assert ask(source).shown is Shown.SILENT
