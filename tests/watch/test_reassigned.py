"""A number that the server gives to another commit: gone if the responses agree, never after a single one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.events import Event, PipelineChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Found
from homelab_hooks.simulators.woodpecker.script import DELETED, Frame, PipelineTimeline
from homelab_hooks.simulators.woodpecker.timelines import make_green
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.observe import track_started
from homelab_hooks.watch.reassigned import REASSIGNED_AFTER_S, UNPROVEN_REASSIGNED_AFTER_S
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import OLDER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

GROUP = ("push", "refs/heads/main")
PAGE = "https://ci.example.test/repos/8/pipeline/5"
FIRST = Pipeline(run_ref(5), 5, GROUP, *GROUP, "main", OURS, Status.PENDING, created=100, url=PAGE)
THEIRS = FIRST._replace(commit=OLDER, status=Status.SUCCESS, created=160)
SAME_AGE = THEIRS._replace(created=100)
NO_AGE = THEIRS._replace(created=0)

Shown = tuple[float, tuple[Pipeline, ...], tuple[Pipeline, ...]]
"""seconds, rows of the list, details"""


def watched(*polls: Shown, first: Pipeline = FIRST) -> tuple[CiWatchState, list[Event]]:
    """The state and the events after our row was seen at 0 s, and these polls."""
    state = CiWatchState(scope=scope_of(OURS), timeouts=WatchTimeouts(overall=600, appear=10))
    events: list[Event] = []
    for now, rows, details in ((0.0, (first,), ()), *polls):
        decision = decide_watch(state, Found(CiObservation(rows=rows, details=details)), now)
        state = decision.state
        events += decision.events
    return state, events


def all_from(second: float, row: Pipeline, *, detail: Pipeline | None, until: float) -> list[Shown]:
    """A poll every second that shows this row, and the detail."""
    return [
        (second + number, (row,), (detail,) if detail else ()) for number in range(int(until - second) + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.UNKNOWN])
def test_a_number_that_list_and_detail_give_to_a_newer_pipeline_is_gone(status: Status) -> None:
    polls = all_from(3.0, THEIRS, detail=THEIRS, until=20)
    first = FIRST._replace(status=status)
    until_gone = [poll for poll in polls if poll[0] <= 3.0 + REASSIGNED_AFTER_S]
    early, _ = watched(*until_gone[:-1], first=first)
    assert [track.run for track in early.tracks] == [run_ref(5)]
    state, events = watched(*polls, first=first)
    assert (state.tracks, state.reassigned) == ((), (run_ref(5),))
    assert state.verdict is not None
    assert (state.verdict.exit, state.verdict.pipelines, state.verdict.url) == (ExitCode.NO_PIPELINE, (), "")
    assert [event.status for event in events if isinstance(event, PipelineChanged)][-1] == "removed"
    assert all(not event.url for event in events[1:] if isinstance(event, PipelineChanged))


def test_a_pipeline_that_the_server_started_for_us_is_gone_too() -> None:
    state = CiWatchState(scope=scope_of(OURS), timeouts=WatchTimeouts(overall=600, appear=10))
    state = track_started(state, [FIRST._replace(status=Status.CREATED)], 0.0)
    for now, rows, details in all_from(1.0, THEIRS, detail=THEIRS, until=12):
        state = decide_watch(state, Found(CiObservation(rows=rows, details=details)), now).state
    assert state.reassigned == (run_ref(5),)


WRONG_FOR_A_WHILE: dict[str, Sequence[Shown]] = {
    "one list": [(3.0, (THEIRS,), ())],
    "one detail": [(3.0, (FIRST,), (THEIRS,))],
    "one list and its detail": [(3.0, (THEIRS,), (THEIRS,))],
    "both, then nothing": [(3.0, (THEIRS,), (THEIRS,)), *((3.0 + n, (), ()) for n in range(40))],
    "both, for 4 s": all_from(3.0, THEIRS, detail=THEIRS, until=7),
    "every second list": [(3.0 + n, (THEIRS if n % 2 else FIRST,), ()) for n in range(100)],
    "the list alone, for 29 s": all_from(3.0, THEIRS, detail=None, until=32),
    "the list, whose detail is ours": all_from(3.0, THEIRS, detail=FIRST, until=100),
    "the detail, whose row is ours": all_from(3.0, FIRST, detail=THEIRS, until=100),
    "the detail alone": [(3.0 + n, (), (THEIRS,)) for n in range(100)],
    "both, created when ours was": all_from(3.0, SAME_AGE, detail=SAME_AGE, until=32),
    "both, created at an unknown time": all_from(3.0, NO_AGE, detail=NO_AGE, until=32),
}


@pytest.mark.parametrize("name", WRONG_FOR_A_WHILE)
def test_a_number_is_kept_unless_the_responses_agree_for_long(name: str) -> None:
    state, _ = watched(*WRONG_FOR_A_WHILE[name])
    assert [track.run for track in state.tracks] == [run_ref(5)]
    assert state.verdict is None


@pytest.mark.parametrize("row", [SAME_AGE, NO_AGE, THEIRS], ids=["same age", "no age", "no detail"])
def test_a_number_that_every_list_gives_to_another_commit_for_long_is_gone(row: Pipeline) -> None:
    detail = None if row is THEIRS else row
    state, _ = watched(*all_from(3.0, row, detail=detail, until=3.0 + UNPROVEN_REASSIGNED_AFTER_S))
    assert state.reassigned == (run_ref(5),)


def test_a_claim_is_reported_when_it_appears_and_when_it_ends() -> None:
    _, events = watched((3.0, (THEIRS,), ()), (4.0, (THEIRS,), ()), (5.0, (FIRST,), ()))
    shown = [(event.note, event.url) for event in events if isinstance(event, PipelineChanged)]
    assert shown == [
        ("", PAGE),
        ("this number now belongs to commit cccccccccc; checking again", ""),
        ("this number belongs to commit aaaaaaaaaa again", PAGE),
    ]


@pytest.mark.parametrize("detail", [THEIRS, None], ids=["detail", "no detail"])
def test_a_timeout_meanwhile_does_not_print_the_other_commits_page(detail: Pipeline | None) -> None:
    state, _ = watched((3.0, (THEIRS,), (detail,) if detail else ()), (600.0, (), ()))
    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.TIMEOUT
    assert "#5 is pending, but its number now belongs to commit cccccccccc" in state.verdict.reason
    assert (state.verdict.url, [one.url for one in state.verdict.pipelines]) == ("", [""])


def test_the_next_polls_ask_for_the_detail_and_soon() -> None:
    running = FIRST._replace(status=Status.RUNNING)
    state, _ = watched((3.0, (THEIRS,), ()), first=running)
    assert (state.query.details, state.query.detail_only_of) == ((run_ref(5),), None)
    assert state.due_at - 3.0 <= 2.0


@pytest.mark.parametrize("stream", ["up", "pings", "silent", ""])
def test_a_watch_of_a_reassigned_number_ends_without_a_pipeline(stream: str) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(PipelineTimeline((Frame(0.0, "created"), Frame(0.2, "pending"), Frame(30.0, DELETED))))
    woodpecker.push(make_green(), at=31.0, sha=OLDER)
    verdict = woodpecker.watch(timeouts=WatchTimeouts(overall=3600, appear=20))
    assert (verdict.exit, verdict.pipelines, verdict.url) == (ExitCode.NO_PIPELINE, (), "")
    assert "reused the number for another commit" in verdict.reason
    assert "homelab ci restart" in verdict.hint
    assert woodpecker.clock.t < 31 + 20 + REASSIGNED_AFTER_S
