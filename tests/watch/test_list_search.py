"""A commit below many newer rows is found, and a search that ends early is not reported as absence."""

from __future__ import annotations

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import Found
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.branch_status import query_branch_status
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.watch.random_history import OLDER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

MANY = [pytest.param(rows, marks=pytest.mark.slow) for rows in (499, 500, 1200)]
"""rows that the simulated server takes seconds to list"""
SHORT = WatchTimeouts(overall=120, appear=5)
LANDED = WatchScope(OURS, frozenset({"push"}), branch="main")
TAGGED = WatchScope(OURS, frozenset({"tag"}), ref="refs/tags/v1")


def below(woodpecker: InMemoryWoodpecker, rows: int, *, at: float = 0.0, event: str = "cron") -> None:
    """So many newer pipelines."""
    for _ in range(rows):
        woodpecker.push(timelines.make_green(1), at=at, sha=OLDER, event=event)


@pytest.mark.parametrize("rows", [49, 50, 51, *MANY])
@pytest.mark.parametrize("seconds", [1.0, 30.0], ids=["ended", "running"])
@pytest.mark.parametrize("result", [ExitCode.OK, ExitCode.FAILED], ids=lambda exit_: exit_.verdict)
def test_a_commit_below_rows_of_cron_is_found(rows: int, seconds: float, result: ExitCode) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    is_green = result is ExitCode.OK
    woodpecker.push(timelines.make_green(seconds) if is_green else timelines.make_red(seconds=seconds))
    below(woodpecker, rows)
    woodpecker.clock.t = 5.0
    assert woodpecker.watch(timeouts=SHORT).exit is result
    assert woodpecker.clock.t < 45


@pytest.mark.parametrize("rows", [60, *MANY])
@pytest.mark.parametrize(
    ("scope", "ours", "event"),
    [
        (LANDED, ("push", "refs/heads/main"), "tag"),
        (LANDED, ("push", "refs/heads/main"), "cron"),
        (TAGGED, ("tag", "refs/tags/v1"), "push"),
        (TAGGED, ("tag", "refs/tags/v1"), "tag"),
    ],
    ids=["landing-tag", "landing-cron", "tag-push", "tag-tag"],
)
def test_the_scope_narrows_the_search(rows: int, scope: WatchScope, ours: tuple[str, str], event: str) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_green(1), event=ours[0], ref=ours[1])
    below(woodpecker, rows, event=event)
    woodpecker.clock.t = 5.0
    assert woodpecker.watch(timeouts=SHORT, scope=scope).exit is ExitCode.OK


@pytest.mark.slow
@pytest.mark.parametrize(("version", "event"), [("2.8.3", "cron"), ("3.17.0", "push")])
def test_a_search_that_ends_early_is_not_reported_as_absence(version: str, event: str) -> None:
    """Old servers ignore the filter, and it does not help where the newer rows are like ours."""
    woodpecker = InMemoryWoodpecker(stream="", version=version)
    woodpecker.push(timelines.make_green(1))
    below(woodpecker, 700, event=event)
    woodpecker.clock.t = 5.0
    verdict = woodpecker.watch(timeouts=SHORT)
    assert verdict.exit is ExitCode.NO_PIPELINE
    assert "not among the newest 500 pipelines" in verdict.reason
    assert woodpecker.count(r"pipelines\?") < 20


@pytest.mark.parametrize("version", ["2.8.3", "3.17.0"])
@pytest.mark.parametrize("rows", [3, 50, *MANY[:1]])
def test_a_search_to_the_end_of_the_list_is_absence(rows: int, version: str) -> None:
    woodpecker = InMemoryWoodpecker(stream="", version=version)
    below(woodpecker, rows, event="push")
    woodpecker.clock.t = 5.0
    verdict = woodpecker.watch(timeouts=SHORT)
    assert verdict.exit is ExitCode.NO_PIPELINE
    assert "webhook may have been lost" in verdict.reason
    assert "newest" not in verdict.reason


@pytest.mark.parametrize("rows", [60, *MANY[-1:]])
def test_a_server_that_rejects_the_filter_is_asked_without(rows: int) -> None:
    no = HttpResponse(400, {"x-woodpecker-version": "3.1.0"}, b"", 0.01)
    woodpecker = InMemoryWoodpecker(stream="", bad=lambda path, _: no if "event=" in path else None)
    woodpecker.push(timelines.make_green(1))
    below(woodpecker, rows)
    woodpecker.clock.t = 5.0
    verdict = woodpecker.watch(timeouts=SHORT)
    assert verdict.exit is (ExitCode.OK if rows < 500 else ExitCode.NO_PIPELINE)
    assert rows < 500 or "not among the newest 500" in verdict.reason


@pytest.mark.slow
def test_rows_that_come_later_do_not_hide_ours() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red(seconds=40), at=1.0)
    for second in range(30):
        below(woodpecker, 30, at=2.0 + second)
    assert woodpecker.watch(timeouts=SHORT).exit is ExitCode.FAILED


@pytest.mark.parametrize("ref", ["main", "refs/heads/main"], ids=["before 3.17", "since 3.17"])
def test_a_manual_pipelines_ref_may_be_a_branch_in_either_form(ref: str) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red(seconds=3), at=1.0, event="manual", ref=ref)
    woodpecker.push(timelines.make_green(3), at=2.0, event="manual", ref=ref)
    verdict = woodpecker.watch(timeouts=SHORT, scope=WatchScope(OURS, frozenset({"manual"}), branch="main"))
    assert verdict.exit is ExitCode.OK
    assert [(result.number, result.ref) for result in verdict.pipelines] == [(2, ref)]


@pytest.mark.parametrize("rows", [10, 60, *MANY[-1:]])
def test_the_status_of_a_branch_is_found_below_rows_of_cron(rows: int) -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(seconds=1))
    below(woodpecker, rows)
    woodpecker.clock.t = 5.0
    found = query_branch_status(("acme/app",), "main", lambda: woodpecker.ci, seconds=30.0)
    assert isinstance(found, Found)
    assert found.value.pipeline is not None
    assert found.value.pipeline.number == 1
