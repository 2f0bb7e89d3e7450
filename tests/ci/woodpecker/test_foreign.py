"""Whose response it is: proxies, forges, portals and login pages respond too, and say nothing about the token."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import mark_as_own, read_response
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.net.responder import describe_responder
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.state import WatchTimeouts
from tests.watch.random_history import OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker
from tools.fuzz.texts import harmful

HTML = {"content-type": "text/html; charset=utf-8"}
TEXT = {"content-type": "text/plain; charset=utf-8"}
JSON = {"content-type": "application/json"}


def page(title: str) -> bytes:
    return f"<!doctype html>\n<html><head><TITLE lang='en'>{title}</TITLE></head></html>".encode()


def response(status: int, headers: dict[str, str], body: bytes = b"") -> HttpResponse:
    return HttpResponse(status, headers, body, 0.01)


CLOUDFLARE = {**HTML, "server": "cloudflare", "cf-ray": "8f2c-FRA"}
FOREIGN: dict[str, tuple[HttpResponse, str]] = {
    "Cloudflare's block": (response(403, CLOUDFLARE, page("Attention Required! | Cloudflare")), 'Cloudflare, "Atten'),
    "Cloudflare's challenge": (
        response(403, {**CLOUDFLARE, "cf-mitigated": "challenge"}, page("Just a moment...")),
        'Cloudflare, "Just a moment..."',
    ),
    "Cloudflare's challenge as 503": (response(503, {**CLOUDFLARE, "cf-mitigated": "challenge"}), "Cloudflare"),
    "CrowdSec": (response(403, HTML, page("CrowdSec Ban")), '"CrowdSec Ban"'),
    "a WAF without words": (response(403, {"server": "awselb/2.0"}), "awselb/2.0"),
    "forward-auth": (response(401, TEXT, b"401 Unauthorized"), "401 Unauthorized"),
    "forward-auth, empty": (response(401, {}), "401"),
    "basic auth": (
        response(401, {"server": "nginx", "www-authenticate": 'Basic realm="homelab &amp; co"'}),
        'nginx, "homelab & co"',
    ),
    "Authelia": (response(302, {"location": "https://auth.example.test/?rd=x"}), "https://auth.example.test"),
    "oauth2-proxy": (response(403, {**HTML, "set-cookie": "_oauth2_proxy=; Path=/"}, page("Sign In")), "oauth2-proxy"),
    "Gitea": (response(404, TEXT, b"Not found.\n"), "Not found."),
    "Gitea's page": (response(404, {**HTML, "set-cookie": "i_like_gitea=1"}, page("Page Not Found")), "Gitea or Forg"),
    "GitHub": (response(404, {**HTML, "server": "github.com", "x-github-request-id": "A"}, page("Page")), "GitHub"),
    "GitLab": (response(404, {**JSON, "x-gitlab-meta": "{}"}, b'{"error":"404 Not Found"}'), "GitLab"),
    "GitLab's sign-in": (response(302, {"location": "/users/sign_in"}), "/users/sign_in"),
    "a captive portal": (response(200, HTML, page("Hotel WiFi")), '"Hotel WiFi"'),
    "a captive portal's redirect": (response(307, {"location": "http://portal.example.test/"}), "portal.example.test"),
    "a captive portal's 511": (response(511, HTML, page("Login")), '"Login"'),
    "a default page": (response(200, TEXT, b"It works!"), "It works!"),
    "an empty 200": (response(200, {"server": "Caddy"}), "Caddy"),
    "another API": (response(200, JSON, b'{"status":"ok"}'), "ok"),
    "another API's list": (response(200, JSON, b"[]"), "[]"),
    "another API's 401": (response(401, JSON, b'{"message":"Unauthorized"}'), "Unauthorized"),
    "bad request": (response(400, {"server": "nginx"}), "nginx"),
    "method not allowed": (response(405, {"server": "AmazonS3"}), "AmazonS3"),
    "misdirected": (response(421, {"server": "Apache"}), "Apache"),
    "gone": (response(410, {}), "410"),
    "an empty 404": (response(404, {}), "404"),
    "an empty 403": (response(403, {}), "403"),
    "blocked by law": (response(451, HTML, page("\x1b[2JBlocked\u202e")), '"Blocked"'),
}


@dataclass
class WithoutVersion(InMemoryWoodpecker):
    """Woodpecker behind a proxy that removes its version header."""

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = 0, body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        found = super().request(method, path, timeout=timeout, max_bytes=max_bytes, body=body)
        if isinstance(found, RequestFailed):
            return found
        headers = {name: value for name, value in found.headers.items() if name != "x-woodpecker-version"}
        return found._replace(headers=headers)


@pytest.mark.parametrize("name", FOREIGN)
def test_another_servers_response_is_not_a_refusal_and_names_it(name: str) -> None:
    found = read_response(FOREIGN[name][0], parse.parse_login, subject="the user", token_source="WP_TOKEN")
    assert isinstance(found, Unavailable), found
    assert found.kind is FailureKind.FOREIGN
    assert FOREIGN[name][1] in found.reason
    assert "--server" in found.hint
    assert "WP_TOKEN" not in found.reason + found.hint
    assert not harmful(found.reason)


@pytest.mark.parametrize("name", FOREIGN)
def test_another_server_from_the_first_response_on_is_denied_after_three(name: str) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: FOREIGN[name][0])
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.DENIED
    assert FOREIGN[name][1] in verdict.reason
    assert woodpecker.count("/api/user") == 3
    assert woodpecker.clock.t < 5


@pytest.mark.parametrize("name", FOREIGN)
def test_another_servers_responses_after_good_ones_are_timed(name: str) -> None:
    woodpecker = InMemoryWoodpecker(stream="", bad=lambda _, t: FOREIGN[name][0] if 20 <= t < 80 else None)
    woodpecker.push(timelines.make_green(120), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK
    lasting = InMemoryWoodpecker(stream="", bad=lambda _, t: FOREIGN[name][0] if t >= 20 else None)
    lasting.push(timelines.make_green(120), at=1.0)
    verdict = lasting.watch(timeouts=WatchTimeouts(unreachable=60))
    assert verdict.exit is ExitCode.UNREACHABLE
    assert 75 <= lasting.clock.t <= 90


@pytest.mark.parametrize("name", FOREIGN)
def test_they_are_timed_as_soon_as_the_token_was_accepted(name: str) -> None:
    """Only where no API answer has ever come, the address is wrong."""
    woodpecker = InMemoryWoodpecker(bad=lambda path, t: FOREIGN[name][0] if "repos" in path and t < 60 else None)
    woodpecker.push(timelines.make_green(5), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK


def test_a_server_without_the_version_is_usable_if_its_answers_are() -> None:
    woodpecker = WithoutVersion(bad=lambda path, _: response(404, {}) if "healthz" in path else None)
    woodpecker.push(timelines.make_red(seconds=5), at=1.0)
    assert woodpecker.watch().exit is ExitCode.FAILED


OTHER_USERS: dict[str, tuple[HttpResponse, HttpResponse | RequestFailed]] = {
    "Drone": (response(200, JSON, b'{"id":1,"login":"alice","admin":true}'), response(200, TEXT, b"OK")),
    "Gogs": (response(200, JSON, b'{"id":1,"login":"alice","username":"alice"}'), response(404, TEXT, b"404")),
    "GitHub": (response(200, {**JSON, "server": "github.com"}, b'{"login":"alice"}'), response(404, JSON, b"{}")),
    "a health page": (response(200, JSON, b'{"login":"alice"}'), response(200, HTML, page("up"))),
    "a hanging health check": (response(200, JSON, b'{"login":"alice"}'), RequestFailed(FailureKind.TIMEOUT, "hangs")),
}
NO_REPOSITORY = [
    response(404, JSON, b'{"message":"Not Found"}'),
    response(401, JSON, b'{"message":"Unauthorized"}'),
    response(200, HTML, page("Dashboard")),
    response(302, {"location": "/login"}),
]


@pytest.mark.parametrize("missing", NO_REPOSITORY, ids=lambda missing: str(missing.status))
@pytest.mark.parametrize("name", OTHER_USERS)
def test_the_user_of_another_servers_api_is_not_an_answer_of_ci(name: str, missing: HttpResponse) -> None:
    user, health = OTHER_USERS[name]

    def reply(path: str, _t: float) -> HttpResponse | RequestFailed:
        if path == "/healthz":
            return health
        return user if path == "/api/user" else missing

    woodpecker = InMemoryWoodpecker(bad=reply)
    assert woodpecker.watch().exit is ExitCode.DENIED
    assert woodpecker.count("lookup") == 3
    assert woodpecker.clock.t < 30


def test_a_server_whose_version_is_removed_is_timed_after_its_user_was_found() -> None:
    """The health check recognized it, so pages in front of it are an outage."""
    bad = FOREIGN["CrowdSec"][0]
    woodpecker = WithoutVersion(bad=lambda path, t: bad if "repos" in path and t < 60 else None)
    woodpecker.push(timelines.make_green(5), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK


@pytest.mark.parametrize("name", FOREIGN)
def test_two_of_them_at_the_beginning_are_ridden_out(name: str) -> None:
    answers = [FOREIGN[name][0]] * 2

    def first_two(path: str, _t: float) -> HttpResponse | None:
        return answers.pop() if answers and path == "/api/user" else None

    woodpecker = InMemoryWoodpecker(bad=first_two)
    woodpecker.push(timelines.make_green(5), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK


TRANSIENT = [
    response(502, {**HTML, "server": "nginx"}, page("502 Bad Gateway")),
    response(503, TEXT, b"no available server"),
    response(504, HTML, page("Gateway Time-out")),
    response(520, CLOUDFLARE, page("ci.example.test | 520: Web server is returning an unknown error")),
    response(522, CLOUDFLARE, page("522")),
    response(429, CLOUDFLARE, page("Too Many Requests")),
    response(408, {}),
]


@pytest.mark.parametrize("answer", TRANSIENT, ids=lambda answer: str(answer.status))
def test_a_proxy_whose_server_is_down_is_not_another_server(answer: HttpResponse) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: answer)
    assert woodpecker.watch(timeouts=WatchTimeouts(unreachable=30)).exit is ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/user", 401, "rejected the token"),
        ("/api/repos", 404, "was not found in CI"),
        ("/api/repos", 403, "access denied"),
    ],
)
def test_a_proxy_that_removes_the_version_is_known_by_the_health_check(path: str, status: int, word: str) -> None:
    woodpecker = WithoutVersion(bad=lambda asked, _: response(status, {}) if path in asked else None)
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.DENIED
    assert word in verdict.reason
    assert (woodpecker.count(path), woodpecker.count("healthz")) == (1, 1)


def test_a_green_pipeline_behind_such_a_proxy_is_green() -> None:
    woodpecker = WithoutVersion()
    woodpecker.push(timelines.make_green(5), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_login_that_exempts_the_health_check_is_not_woodpeckers(status: int) -> None:
    """The health check comes through with the version, so nothing removes it: the refusal is the proxy's."""
    woodpecker = InMemoryWoodpecker(bad=lambda path, _: response(status, {}) if "/api/" in path else None)
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.DENIED
    assert "is not from Woodpecker" in verdict.reason


def test_a_one_shot_command_does_not_wait_for_the_timeout() -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: FOREIGN["CrowdSec"][0])
    assert woodpecker.survey(OURS).verdict.exit is ExitCode.DENIED
    assert woodpecker.clock.t < 5


def test_a_response_that_is_known_to_be_woodpeckers_is_read_as_one() -> None:
    unmarked = response(401, {})
    found = read_response(mark_as_own(unmarked), parse.parse_login, subject="the user", token_source="WP_TOKEN")
    assert isinstance(found, Denied)


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"", ""),
        ({"server": "x" * 200}, b"", "x" * 59 + "…"),
        ({}, b"<title>" + b"long " * 1000 + b"</title>", ""),
        ({}, b" " * 100_000 + b"<title>late</title>", ""),
        ({}, b"<title>\n  two\n lines </title>", '"two lines"'),
        ({}, b"<title>\xff\xfe</title>", '"\ufffd\ufffd"'),
        ({"server": "\x1b]0;evil\x07nginx"}, b"", "nginx"),
    ],
)
def test_a_responder_is_named_in_one_short_line(headers: dict[str, str], body: bytes, expected: str) -> None:
    found = describe_responder(HttpResponse(403, headers, body, 0.1))
    assert len(found) < 200
    assert not harmful(found)
    assert not expected or found == expected
