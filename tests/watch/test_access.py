"""The check of CI before a landing: what passes within its ten seconds is ridden out, the rest refuses."""

from __future__ import annotations

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.watch.access import ACCESS_TIMEOUT_S, AccessReport, check_ci_access
from tests.watch.run_without_sockets import InMemoryWoodpecker

OURS = {"x-woodpecker-version": "3.17.0"}
HTML = {"content-type": "text/html", "server": "cloudflare", "cf-ray": "1"}


def answered(status: int, headers: dict[str, str] = OURS, duration: float = 0.01) -> HttpResponse:
    return HttpResponse(status, headers, b"", duration)


PASSING: dict[str, HttpResponse | RequestFailed] = {
    "503": answered(503),
    "a proxy's 502": answered(502, {}),
    "500": answered(500),
    "429": answered(429),
    "429 for two seconds": answered(429, {**OURS, "retry-after": "2"}),
    "refused": RequestFailed(FailureKind.CONNECTION, "connection refused"),
    "cut off": RequestFailed(FailureKind.BODY, "broke off"),
    "empty": HttpResponse(200, OURS, b"", 0.01),
}


@pytest.mark.parametrize("path", ["/api/user", "/api/repos"])
@pytest.mark.parametrize("lasts", [0.1, 1.0, 5.0, 7.5])
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_within_the_time_of_the_check_is_ridden_out(name: str, lasts: float, path: str) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda asked, t: PASSING[name] if path in asked and t < lasts else None)
    assert check_ci_access(woodpecker.ci, ("acme/app",), clock=woodpecker.clock).login == "alice"
    assert woodpecker.clock.t <= lasts + 4


@pytest.mark.parametrize("name", PASSING)
def test_what_stays_refuses_when_the_time_is_over(name: str) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: PASSING[name])
    with pytest.raises(CommandError) as caught:
        check_ci_access(
            woodpecker.ci, ("acme/app",), clock=woodpecker.clock, report=AccessReport("https://ci.example.test")
        )
    assert caught.value.exit is ExitCode.REFUSED
    assert "cannot reach CI at https://ci.example.test" in caught.value.message
    assert ACCESS_TIMEOUT_S - 4 <= woodpecker.clock.t <= ACCESS_TIMEOUT_S + 0.5


def report_of_outage(lasts: float) -> list[Event]:
    """What a check reports of a server that refuses connections for this many seconds."""
    events: list[Event] = []
    refused = RequestFailed(FailureKind.CONNECTION, "connection refused")
    woodpecker = InMemoryWoodpecker(bad=lambda _, t: refused if t < lasts else None)
    check_ci_access(woodpecker.ci, ("acme/app",), clock=woodpecker.clock, report=AccessReport(emit=events.append))
    return events


def test_an_outage_is_reported_once_with_the_time_that_is_left_and_so_is_its_end() -> None:
    """The check takes up to ten seconds, in which nothing else is shown."""
    lost, restored = report_of_outage(5.0)
    assert isinstance(lost, ContactLost)
    assert lost.reason == "connection refused"
    assert ACCESS_TIMEOUT_S - 3 <= lost.retry_for <= ACCESS_TIMEOUT_S
    assert isinstance(restored, ContactRestored)
    assert restored.away >= 5.0


def test_one_failed_request_is_not_reported() -> None:
    assert report_of_outage(0.1) == []


def test_a_server_that_hangs_refuses_when_the_time_is_over() -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: RequestFailed(FailureKind.TIMEOUT, "no complete response"))
    with pytest.raises(CommandError):
        check_ci_access(woodpecker.ci, ("acme/app",), clock=woodpecker.clock)
    assert woodpecker.clock.t <= ACCESS_TIMEOUT_S + 1


@pytest.mark.parametrize(
    ("answer", "word", "requests"),
    [
        (answered(401), "rejected the token", 1),
        (answered(403), "access denied", 1),
        (answered(403, HTML), "403 is not from Woodpecker (Cloudflare)", 3),
        (answered(401, {}), "401 is not from Woodpecker", 6),
        (answered(302, {"location": "https://sso.example.test/"}), "redirects to https://sso.example.test", 3),
    ],
)
def test_a_refusal_and_another_server_refuse_soon(answer: HttpResponse, word: str, requests: int) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda *_: answer)
    with pytest.raises(CommandError) as caught:
        check_ci_access(woodpecker.ci, ("acme/app",), clock=woodpecker.clock)
    assert caught.value.exit is ExitCode.REFUSED
    assert word in caught.value.message
    assert caught.value.hint
    assert woodpecker.count() == requests
    assert woodpecker.clock.t < 3


def test_a_locked_database_that_is_unlocked_in_time_is_ridden_out() -> None:
    """It refuses the token, slowly; the health check fails meanwhile."""
    locked = answered(401, OURS, 5.0)
    woodpecker = InMemoryWoodpecker(
        bad=lambda path, t: (answered(500) if "healthz" in path else locked) if t < 4 else None
    )
    assert check_ci_access(woodpecker.ci, ("acme/app",), clock=woodpecker.clock).login == "alice"
