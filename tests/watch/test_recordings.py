"""What a real server said, replayed through the client's reading and the machine: the verdict on each commit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment
from homelab_hooks.looks import Look, Seen
from homelab_hooks.loop import drive
from homelab_hooks.model import ALL_EVENTS, EVENTS, Pipeline
from homelab_hooks.reply import Reply
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.machine import turn
from homelab_hooks.watch.state import Patience, Scope, Sight, Watch
from homelab_hooks.woodpecker import parse
from homelab_hooks.woodpecker.answer import read
from tests.watch.simulate import FakeClock

RECORDINGS = Path(__file__).parent.parent / "recordings" / "woodpecker"


class Tape:
    """A recording: what the list and the details said at each second."""

    def __init__(self, name: str) -> None:
        raw = json.loads(gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes()))
        polls = [e for e in raw["exchanges"] if e.get("kind") in {"list", "detail"} and "response" in e]
        self._lists = [(e["t"], e["response"]) for e in polls if e["kind"] == "list"]
        self._details = [(e["t"], e["response"]) for e in polls if e["kind"] == "detail"]
        self.end = max((t for t, _ in self._lists), default=0.0)

    def rows(self, t: float) -> Look[tuple[Pipeline, ...]]:
        """The list as it was at t."""
        said = [answer for since, answer in self._lists if since <= t]
        return _read(said[-1], parse.pipelines) if said else Seen(())

    def details(self, t: float) -> dict[int, Pipeline]:
        """The newest detail of each number at t."""
        looks = [_read(answer, parse.pipeline) for since, answer in self._details if since <= t]
        return {look.value.number: look.value for look in looks if isinstance(look, Seen)}

    def commits(self) -> set[str]:
        """Every commit that was ever on the list."""
        looks = [self.rows(t) for t, _ in self._lists]
        return {row.commit for look in looks if isinstance(look, Seen) for row in look.value}


def _read(answer: dict[str, Any], shape: Any) -> Look[Any]:
    reply = Reply(answer["status"], answer["headers"], str(answer.get("body", "")).encode(), 0.01)
    return read(reply, shape, what="it", token="a test")


def judged(
    tape: Tape, sha: str, *, contains: Containment = Containment.APART, events: frozenset[str] | None = None
) -> Verdict:
    """The verdict on a commit, watched from the recording's beginning."""
    clock = FakeClock()

    def look(state: Watch) -> Look[Sight]:
        rows = tape.rows(clock.t)
        if not isinstance(rows, Seen):
            return rows
        details = tuple(d for d in tape.details(clock.t).values())
        known = dict.fromkeys(state.ask.commits, contains)
        return Seen(Sight(rows=rows.value, details=details, contained=known))

    scope = Scope(sha=sha, events=events or frozenset(EVENTS))
    begin = Watch(scope=scope, patience=Patience(timeout=tape.end + 30, appear=tape.end + 10))
    state = drive(begin, look=look, turn=turn, tell=lambda _: None, clock=clock)
    assert state.verdict is not None
    return state.verdict


def of_number(tape: Tape, number: int) -> str:
    """The commit that a number had last."""
    for t, _ in reversed(tape._lists):
        look = tape.rows(t)
        if isinstance(look, Seen):
            for row in look.value:
                if row.number == number:
                    return str(row.commit)
    raise AssertionError(f"no #{number} on the tape")


CASES = [
    ("02-success", 1, Exit.OK),
    ("03-failure", 1, Exit.FAILED),
    ("03-failure", 2, Exit.OK),
    ("03-failure", 3, Exit.FAILED),
    ("04-depends-on", 1, Exit.FAILED),
    ("07-cancel", 1, Exit.CANCELLED),
    ("07-cancel", 2, Exit.CANCELLED),
    ("07-cancel", 3, Exit.FAILED),
    ("08-superseded", 1, Exit.SUPERSEDED),
    ("11a-pending-then-agent", 1, Exit.OK),
    ("11b-agent-dies", 1, Exit.TIMEOUT),
    ("13-workflow-kinds", 1, Exit.FAILED),
    ("13-workflow-kinds", 2, Exit.OK),
    ("13-workflow-kinds", 3, Exit.FAILED),
    ("17b-slow-forge-status", 1, Exit.OK),
]


@pytest.mark.parametrize(("name", "number", "exit_"), CASES, ids=str)
def test_a_recorded_pipeline_gets_its_verdict(name: str, number: int, exit_: Exit) -> None:
    tape = Tape(name)

    assert judged(tape, of_number(tape, number)).exit is exit_


def test_a_recorded_superseded_commit_follows_the_newer_one_that_contains_it() -> None:
    tape = Tape("08-superseded")

    verdict = judged(tape, of_number(tape, 1), contains=Containment.CONTAINS)

    assert verdict.exit in {Exit.OK, Exit.FAILED}
    assert verdict.pipelines[0].number > 1


def test_a_recorded_failure_names_the_step_that_broke_it() -> None:
    """`ignored` is red too, but `after` was skipped because of `boom`."""
    tape = Tape("03-failure")

    assert "step boom of workflow woodpecker failed with exit code 3" in judged(tape, of_number(tape, 1)).reason


def test_a_recorded_culprit_is_never_a_step_of_a_skipped_workflow() -> None:
    tape = Tape("04-depends-on")

    assert "step lint of workflow lint" in judged(tape, of_number(tape, 1)).reason


@pytest.mark.parametrize("event", ALL_EVENTS)
def test_the_same_sha_by_several_events_is_told_apart(event: str) -> None:
    """Recording 12: one sha by push on two branches, tag, pull request, release, manual and cron."""
    tape = Tape("12-same-sha")
    rows = tape.rows(1e9)
    assert isinstance(rows, Seen)
    sha = rows.value[-1].commit

    verdict = judged(tape, sha, events=frozenset({event}))

    assert {p.event for p in verdict.pipelines} <= {event}


def test_every_recorded_commit_comes_to_an_end() -> None:
    """Whatever a real server did, no watch of it raises, hangs or calls an undecided pipeline green."""
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        tape = Tape(path.name.removesuffix(".json.gz"))
        for sha in tape.commits():
            verdict = judged(tape, sha)
            green = {p.status for p in verdict.pipelines} <= {"success"}
            assert verdict.exit is not Exit.OK or green, (path.name, sha, verdict)


def test_the_shape_of_every_recorded_row_is_read_without_loss() -> None:
    """A row of a version this one does not know would show up as a status unknown to it."""
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        tape = Tape(path.name.removesuffix(".json.gz"))
        look = tape.rows(1e9)
        assert isinstance(look, Seen), path.name
        assert all(row.raw_status == row.status.value for row in look.value)
