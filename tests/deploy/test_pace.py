"""When to look again, and at how much: a table of what is known, heard and due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy import pace
from homelab_hooks.deploy.pace import Ask, Heard
from homelab_hooks.deploy.question import Snapshot
from homelab_hooks.deploy.state import Contact, Settling, State, Track
from homelab_hooks.deploy.trouble import Evidence, Fate, Trouble
from homelab_hooks.kubectl.facts import Counts, Workload

Given = Callable[..., Any]
HALF = Counts(desired=2, total=3, updated=1, available=2)
MORE = Counts(desired=2, total=3, updated=2, available=2)
DONE = Counts(desired=2, total=2, updated=2, available=2)
BAD = Trouble("image app", Fate.LASTING, "not found")


@pytest.fixture
def rolling(a_wait: Given, snapshot: Given) -> Callable[..., State]:
    """A rollout that turned at 0, was looked at whole at 100, and is to be looked at again at 110."""

    def build(counts: Counts = HALF, *, watched: bool = False, **changes: object) -> State:
        whole: Snapshot = snapshot(counts=counts)
        track = Track(
            due=110.0, seen=whole.workload, whole=whole, whole_at=100.0, turned=0.0, moved=90.0, climbed=80.0,
            watched=watched,
        )  # fmt: skip
        state: State = replace(a_wait(timeout=900.0), uid="u1", came="app:9f2c1a7b", track=track)
        return replace(state, **changes)  # type: ignore[arg-type]  # a test names the word it changes

    return build


def workload(state: State, **changes: object) -> Workload:
    assert state.track.seen is not None
    return replace(state.track.seen, **changes)  # type: ignore[arg-type]  # a test names the word it changes


def test_before_its_time_and_without_news_nothing_is_asked(rolling: Given) -> None:
    assert pace.ask(rolling(), Heard(), 105.0) is Ask.NOTHING
    assert pace.ask(rolling(), Heard(), 110.0) is Ask.WORKLOAD


HEARD = [
    ("the same", {}, Ask.NOTHING),
    ("other counters", {"counts": MORE}, Ask.HEARD),
    ("all is done", {"counts": DONE}, Ask.WHOLE),
    ("another generation", {"generation": 3}, Ask.WORKLOAD),
    ("the controller took it up", {"observed": 3}, Ask.WORKLOAD),
    ("the deadline passed", {"deadline_passed": "late"}, Ask.WORKLOAD),
    ("only a note on it", {"annotations": {"a": "b"}}, Ask.NOTHING),
]


@pytest.mark.parametrize(("changes", "asked"), [row[1:] for row in HEARD], ids=[row[0] for row in HEARD])
def test_what_is_heard_is_looked_at_if_it_matters(rolling: Given, changes: dict[str, Any], asked: Ask) -> None:
    state = rolling(watched=True)
    assert pace.ask(state, Heard(up=True, workload=workload(state, **changes)), 105.0) is asked


def test_a_pod_in_trouble_is_looked_at_once(rolling: Given) -> None:
    """Once it is known, its own pace goes on."""
    alarm = Heard(up=True, alarm=True)
    assert pace.ask(rolling(watched=True), alarm, 105.0) is Ask.WHOLE
    known = rolling(watched=True, evidence=(Evidence(BAD, 100.0, 1),))
    assert pace.ask(known, alarm, 105.0) is Ask.NOTHING


def test_a_watch_that_comes_or_goes_changes_the_pace_without_a_request(rolling: Given) -> None:
    assert pace.ask(rolling(), Heard(up=True), 105.0) is Ask.HEARD
    assert pace.ask(rolling(watched=True), Heard(), 105.0) is Ask.HEARD


def test_while_there_is_no_answer_only_the_time_counts(rolling: Given) -> None:
    state = rolling(contact=Contact(last=100.0, misses=2))
    heard = Heard(up=True, workload=workload(state, counts=DONE), alarm=True)
    assert pace.ask(state, heard, 105.0) is Ask.NOTHING
    assert pace.ask(state, heard, 110.0) is Ask.WORKLOAD


def test_a_workload_that_is_gone_is_looked_for(rolling: Given) -> None:
    assert pace.ask(rolling(watched=True), Heard(up=True, gone=True), 105.0) is Ask.WORKLOAD


def test_the_pods_are_due_by_their_own_time(rolling: Given) -> None:
    state = rolling()
    assert not pace.pods_due(state, 130.0)
    assert pace.pods_due(state, 100.0 + pace.PODS)
    assert pace.pods_due(rolling(DONE), 101.0)  # the counters say that it is done, the pods did not
    assert pace.pods_due(rolling(evidence=(Evidence(BAD, 100.0, 1),)), 101.5)


def test_the_workload_alone_is_enough_only_while_nothing_ends(rolling: Given) -> None:
    state = rolling()
    assert pace.enough(state, workload(state, counts=MORE), 101.0)
    assert not pace.enough(state, workload(state, counts=DONE), 101.0)
    assert not pace.enough(state, workload(state, generation=3), 101.0)
    assert not pace.enough(state, workload(state, deleting=True), 101.0)
    settling = rolling(DONE, settling=Settling(100.0, {}))
    assert pace.enough(settling, workload(settling), 101.0)
    assert not pace.enough(settling, workload(settling, counts=MORE), 101.0)
    assert not pace.enough(settling, workload(settling), 105.0)


def test_the_longer_nothing_happens_the_later_the_next_look(rolling: Given) -> None:
    waits = [pace.wait(rolling(), now) for now in (5.0, 30.0, 100.0, 400.0)]
    assert waits[0] == pace.QUICK
    assert waits == sorted(waits)
    assert waits[-1] == pace.SLOWEST
    assert pace.wait(rolling(watched=True), 5.0) == pace.WATCHED[0]


def test_around_the_expected_end_it_is_quick(rolling: Given) -> None:
    """The last of two pods was made after 80 seconds, so that it is ready at about 160."""
    assert pace.wait(rolling(MORE), 160.0) == pace.NEAR
    assert pace.wait(rolling(MORE), 120.0) > pace.NEAR
    assert pace.wait(rolling(HALF), 160.0) > pace.NEAR


def test_a_lasting_trouble_is_looked_at_when_it_becomes_certain(rolling: Given) -> None:
    state = rolling(watched=True, evidence=(Evidence(BAD, 100.0, 1),))
    assert pace.wait(state, 109.4) == pytest.approx(0.6)
    assert pace.wait(state, 100.5) == pace.QUICK


def test_a_settle_time_is_looked_into_unless_a_watch_would_tell(rolling: Given) -> None:
    settling = Settling(100.0, {})
    assert pace.wait(rolling(DONE, settling=settling), 100.0) == pace.QUICK
    assert pace.wait(rolling(DONE, settling=settling, watched=True), 100.0) == pytest.approx(5.0)
