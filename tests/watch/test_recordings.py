"""What a real server said, replayed through the client's reading and the machine: the verdict on each commit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.ci.model import Pipeline
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import read_response
from homelab_hooks.ci.woodpecker.traits import DECIDING_EVENTS, WOODPECKER
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchScope, WatchTimeouts
from tests.support.clock import FakeClock

RECORDINGS = Path(__file__).parent.parent / "recordings" / "woodpecker"


class RecordedPipelines:
    """A recording: what the list and the details said at each second."""

    def __init__(self, name: str) -> None:
        raw = json.loads(gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes()))
        polls = [e for e in raw["exchanges"] if e.get("kind") in {"list", "detail"} and "response" in e]
        self._lists = [(e["t"], e["response"]) for e in polls if e["kind"] == "list"]
        self._details = [(e["t"], e["response"]) for e in polls if e["kind"] == "detail"]
        self.end = max((t for t, _ in self._lists), default=0.0)

    def rows(self, t: float) -> Poll[tuple[Pipeline, ...]]:
        """The list as it was at t."""
        said = [answer for since, answer in self._lists if since <= t]
        return _read(said[-1], parse.parse_pipelines) if said else Found(())

    def details(self, t: float) -> dict[int, Pipeline]:
        """The newest detail of each number at t."""
        looks = [_read(answer, parse.parse_pipeline) for since, answer in self._details if since <= t]
        return {look.value.number: look.value for look in looks if isinstance(look, Found)}

    def commits(self) -> set[str]:
        """Every commit that was ever on the list."""
        looks = [self.rows(t) for t, _ in self._lists]
        return {row.commit for look in looks if isinstance(look, Found) for row in look.value}


def _read(answer: dict[str, Any], shape: Any) -> Poll[Any]:
    reply = HttpResponse(answer["status"], answer["headers"], str(answer.get("body", "")).encode(), 0.01)
    return read_response(reply, shape, subject="it", token_source="a test")


def judged(
    tape: RecordedPipelines,
    sha: str,
    *,
    contains: Containment = Containment.NOT_CONTAINED,
    sign: str = "",
    events: frozenset[str] | None = None,
) -> Verdict:
    """The verdict on a commit, watched from the recording's beginning."""
    clock = FakeClock()

    def look(state: CiWatchState) -> Poll[CiObservation]:
        rows = tape.rows(clock.time)
        if not isinstance(rows, Found):
            return rows
        details = tuple(d for d in tape.details(clock.time).values())
        known = dict.fromkeys(state.query.commits, contains)
        signs = dict.fromkeys(state.query.dependence, sign)
        return Found(CiObservation(rows=rows.value, details=details, containment=known, dependence=signs))

    scope = WatchScope(sha=sha, events=events or frozenset(DECIDING_EVENTS))
    begin = CiWatchState(scope=scope, timeouts=WatchTimeouts(overall=tape.end + 30, appear=tape.end + 10))
    state = poll_until_decided(begin, fetch=look, decide=decide_watch, emit=lambda _: None, clock=clock)
    assert state.verdict is not None
    return state.verdict


def of_number(tape: RecordedPipelines, number: int) -> str:
    """The commit that a number had last."""
    for t, _ in reversed(tape._lists):
        look = tape.rows(t)
        if isinstance(look, Found):
            for row in look.value:
                if row.number == number:
                    return str(row.commit)
    raise AssertionError(f"no #{number} on the tape")


CASES = [
    ("02-success", 1, ExitCode.OK),
    ("03-failure", 1, ExitCode.FAILED),
    ("03-failure", 2, ExitCode.OK),
    ("03-failure", 3, ExitCode.FAILED),
    ("04-depends-on", 1, ExitCode.FAILED),
    ("07-cancel", 1, ExitCode.CANCELLED),
    ("07-cancel", 2, ExitCode.CANCELLED),
    ("07-cancel", 3, ExitCode.FAILED),
    ("08-superseded", 1, ExitCode.SUPERSEDED),
    ("11a-pending-then-agent", 1, ExitCode.OK),
    ("11b-agent-dies", 1, ExitCode.TIMEOUT),
    ("13-workflow-kinds", 1, ExitCode.FAILED),
    ("13-workflow-kinds", 2, ExitCode.OK),
    ("13-workflow-kinds", 3, ExitCode.FAILED),
    ("17b-slow-forge-status", 1, ExitCode.OK),
]


@pytest.mark.parametrize(("name", "number", "exit_"), CASES, ids=str)
def test_a_recorded_pipeline_gets_its_verdict(name: str, number: int, exit_: ExitCode) -> None:
    tape = RecordedPipelines(name)

    assert judged(tape, of_number(tape, number)).exit is exit_


def test_a_recorded_superseded_commit_follows_the_newer_one_that_contains_it() -> None:
    tape = RecordedPipelines("08-superseded")

    verdict = judged(tape, of_number(tape, 1), contains=Containment.CONTAINS)

    assert verdict.exit in {ExitCode.OK, ExitCode.FAILED}
    assert [(p.number, p.interrupted) for p in verdict.pipelines] == [(1, True), (2, None)]


def test_a_recorded_superseded_commit_whose_work_is_not_repeated_names_the_step_that_was_stopped() -> None:
    tape = RecordedPipelines("08-superseded")
    verdict = judged(tape, of_number(tape, 1), contains=Containment.CONTAINS, sign="it has a path condition")

    assert verdict.exit is ExitCode.SUPERSEDED
    assert "#1 was stopped during step" in verdict.reason
    assert "it has a path condition" in verdict.reason


def test_a_recorded_failure_names_the_step_that_broke_it() -> None:
    """`ignored` is red too, but `after` was skipped because of `boom`."""
    tape = RecordedPipelines("03-failure")

    assert "step boom of workflow woodpecker failed with exit code 3" in judged(tape, of_number(tape, 1)).reason


def test_a_recorded_culprit_is_never_a_step_of_a_skipped_workflow() -> None:
    tape = RecordedPipelines("04-depends-on")

    assert "step lint of workflow lint" in judged(tape, of_number(tape, 1)).reason


@pytest.mark.parametrize("event", WOODPECKER.all_events)
def test_the_same_sha_by_several_events_is_distinguished(event: str) -> None:
    """Recording 12: one sha by push on two branches, tag, pull request, release, manual and cron."""
    tape = RecordedPipelines("12-same-sha")
    rows = tape.rows(1e9)
    assert isinstance(rows, Found)
    sha = rows.value[-1].commit

    verdict = judged(tape, sha, events=frozenset({event}))

    assert {p.event for p in verdict.pipelines} <= {event}


@pytest.mark.slow
def test_every_recorded_commit_ends() -> None:
    """Whatever a real server did, no watch of it raises, hangs or calls an undecided pipeline green."""
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        tape = RecordedPipelines(path.name.removesuffix(".json.gz"))
        for sha in tape.commits():
            verdict = judged(tape, sha)
            green = {p.status for p in verdict.pipelines} <= {"success"}
            assert verdict.exit is not ExitCode.OK or green, (path.name, sha, verdict)


def test_the_shape_of_every_recorded_row_is_read_without_loss() -> None:
    """A row of a version this one does not know would show up as a status unknown to it."""
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        tape = RecordedPipelines(path.name.removesuffix(".json.gz"))
        look = tape.rows(1e9)
        assert isinstance(look, Found), path.name
        assert all(row.raw_status == row.status.value for row in look.value)
