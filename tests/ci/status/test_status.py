"""What commit statuses and checks say about a commit: only named contexts, the newest of each, from every page."""

from __future__ import annotations

from typing import Any

import pytest

from homelab_hooks.ci.provider import Provider
from homelab_hooks.ci.status.client import StatusClient
from homelab_hooks.ci.status.connect import make_status_provider
from homelab_hooks.ci.status.traits import STATUS_EVENT, make_status_traits
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.reports import CommitReportReader
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.forge.runs import ForgeReports, SimulatedStatus
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.text.commit_report import parse_check_runs, parse_statuses, select_newest_reports
from homelab_hooks.text.context_glob import matches_context
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.state import WatchScope
from tests.ci.forge_watch import OURS, ForgeInMemory
from tests.ci.recorded_forge import RECORDINGS, connect, watch
from tests.forge.fake_transport import reply
from tests.growth import TOO_MUCH, growth
from tests.watch.run_without_sockets import StreamClock

SCOPE = WatchScope(sha=OURS, events=frozenset({STATUS_EVENT}))


def make_provider(transport: Any, pattern: str, *, has_checks: bool = False) -> Provider:
    connection = connect(transport)
    client = StatusClient(connection, CommitReportReader(connection, has_checks=has_checks), OURS, pattern)
    return make_status_provider(client, make_status_traits())


def wait_for(
    pattern: str, *statuses: SimulatedStatus, has_checks: bool = False, **replace: HttpResponse
) -> tuple[Verdict, ForgeInMemory]:
    clock = StreamClock()
    forge = ForgeInMemory(
        clock, ForgeReports(statuses=list(statuses)), {f"/{key.replace('_', '-')}": one for key, one in replace.items()}
    )
    ci = make_provider(forge, pattern, has_checks=has_checks)
    return watch(ci, OURS, clock, scope=SCOPE, timeout=200)[0], forge


def posted(number: int, context: str, state: str, at: float = 0.0, description: str = "") -> SimulatedStatus:
    return SimulatedStatus(number, OURS, context, state, at, description, f"https://ci.example.test/{number}")


def test_a_named_context_that_becomes_green_is_success() -> None:
    verdict, _ = wait_for("ci/build", posted(1, "ci/build", "pending"), posted(2, "ci/build", "success", 30))
    assert (verdict.exit, verdict.reason, verdict.url) == (
        ExitCode.OK,
        "status ci/build passed",
        "https://ci.example.test/2",
    )


@pytest.mark.parametrize("state", ["failure", "error"])
def test_a_red_context_is_a_failure_with_its_description(state: str) -> None:
    verdict, _ = wait_for("ci/*", posted(1, "ci/a", "success"), posted(2, "ci/b", state, description="2 tests failed"))
    assert (verdict.exit, verdict.reason) == (ExitCode.FAILED, "status ci/b failed: 2 tests failed")
    assert verdict.url == "https://ci.example.test/2"


@pytest.mark.parametrize("state", ["warning", "great", "pending"])
def test_no_other_state_is_success(state: str) -> None:
    verdict, _ = wait_for("ci/*", posted(1, "ci/a", "success"), posted(2, "ci/b", state))
    assert verdict.exit is ExitCode.TIMEOUT


def test_a_context_that_appears_in_the_next_poll_decides() -> None:
    verdict, _ = wait_for("ci/*", posted(1, "ci/a", "success"), posted(2, "ci/b", "failure", 4))
    assert verdict.exit is ExitCode.FAILED


def test_another_green_context_proves_nothing() -> None:
    verdict, _ = wait_for("ci/build", posted(1, "ci/other", "success"))
    assert (verdict.exit, "no commit status or check" in verdict.reason) == (ExitCode.NO_PIPELINE, True)


def test_a_red_context_on_the_last_page_is_seen() -> None:
    older = posted(1, "ci/red", "failure")
    verdict, forge = wait_for("ci/*", older, *(posted(n, f"ci/{n}", "success") for n in range(2, 130)))
    assert verdict.exit is ExitCode.FAILED
    assert any("page=3" in request.path for request in forge.requests)


def test_a_commit_that_the_forge_does_not_have_yet_is_waited_for() -> None:
    verdict, _ = wait_for("ci/*", commits=reply(404, {"message": "object does not exist"}))
    assert verdict.exit is ExitCode.NO_PIPELINE


def test_a_check_of_github_counts_beside_the_statuses() -> None:
    check = {"id": 7, "name": "ci/check", "status": "completed", "app": {"slug": "github-actions"}}
    for conclusion, exit_ in (("success", ExitCode.OK), ("failure", ExitCode.FAILED), ("stale", ExitCode.TIMEOUT)):
        found = reply(200, {"total_count": 1, "check_runs": [check | {"conclusion": conclusion}]})
        verdict, _ = wait_for("ci/*", posted(1, "ci/a", "success"), has_checks=True, check_runs=found)
        assert verdict.exit is exit_


def test_the_statuses_of_a_recorded_woodpecker_are_read() -> None:
    bodies = [
        exchange["response"]["body"]
        for exchange in load_recording(RECORDINGS / "04b-woodpecker-statuses.json.gz")["exchanges"]
        if exchange.get("request", {}).get("method") == "GET" and "/status" in exchange["request"]["path"]
    ]
    contexts = {one.context for body in bodies for one in parse_statuses(body)}
    assert any(matches_context("ci/woodpecker/push/*", context) for context in contexts)


@pytest.mark.parametrize("pattern", ["*a*a*a*b", "{*,*a}{*,*a}{*a,*}b"])
def test_a_pattern_of_many_stars_takes_no_longer_for_their_number(pattern: str) -> None:
    """A tracked file may name it, and whoever may post a status its context."""
    assert growth(lambda size: matches_context(pattern, "a" * size), 100) < TOO_MUCH
    assert matches_context(pattern, f"{'a' * 400}b")


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("", ("",), ("a",)),
        ("?", ("a", "\n"), ("", "ab")),
        ("a*a", ("aa", "aba", "aaa"), ("a", "ab")),
        ("{a,*c}?", ("ab", "cc", "xcd"), ("b", "a")),
        ("**{,x}y", ("y", "xy", "axy"), ("x", "yx")),
    ],
)
def test_a_pattern_matches_the_whole_context(pattern: str, matching: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert [text for text in (*matching, *other) if matches_context(pattern, text)] == list(matching)


def test_the_statuses_of_a_recorded_forge_are_read() -> None:
    bodies = [
        exchange["response"]["body"]
        for exchange in load_recording(RECORDINGS / "04-commit-statuses.json.gz")["exchanges"]
        if exchange.get("request", {}).get("method") == "GET"
        and exchange["response"]["status"] == 200
        and "/status" in exchange["request"]["path"]
    ]
    assert parse_statuses(bodies[0]) == ()  # "statuses": null
    lists = [body if isinstance(body, list) else body["statuses"] or [] for body in bodies]
    whole = [rows for rows in lists if all("id" in row for row in rows)]  # pages are shortened in the recording
    assert {len(parse_statuses(rows)) for rows in whole} >= {0, 1, 6}
    words = {one.word for rows in whole for one in parse_statuses(rows)}
    assert {"pending", "success", "failure", "error", "warning"} <= words


def test_the_newest_report_of_a_context_counts_wherever_it_stands() -> None:
    def row(number: int, state: str) -> dict[str, Any]:
        return {"id": number, "context": "ci", "state": state}

    newest = select_newest_reports(parse_statuses([row(2, "failure"), row(3, "success"), row(1, "pending")]))
    assert [one.word for one in newest] == ["success"]


def test_checks_of_two_apps_with_one_name_both_count() -> None:
    rows = [
        {"id": n, "name": "build", "status": "completed", "conclusion": "success", "app": {"slug": app}}
        for n, app in enumerate(("one", "two"))
    ]
    assert len(select_newest_reports(parse_check_runs({"check_runs": rows}))) == 2
