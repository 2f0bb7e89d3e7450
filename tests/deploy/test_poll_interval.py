"""When to poll again, and how much to request: a table of what is known, reported by a watch, and due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy import poll_interval
from homelab_hooks.deploy.kubernetes import poll_depth
from homelab_hooks.deploy.kubernetes.pod_failures import ObservedProblem, PodProblem, ProblemKind
from homelab_hooks.deploy.kubernetes.poll_depth import PollDepth, WatchState
from homelab_hooks.deploy.kubernetes.probe import build_poll_timing
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot, WorkloadMemory, get_memory
from homelab_hooks.deploy.poll_interval import INTERVALS
from homelab_hooks.deploy.state import RolloutState, Settling
from homelab_hooks.kubectl.model import ReplicaCounts, Workload, WorkloadKind
from homelab_hooks.polling.contact import Contact

Given = Callable[..., Any]
HALF = ReplicaCounts(desired=2, total=3, updated=1, available=2)
MORE = ReplicaCounts(desired=2, total=3, updated=2, available=2)
DONE = ReplicaCounts(desired=2, total=2, updated=2, available=2)
BAD = PodProblem("image app", ProblemKind.PERMANENT, "not found")


@pytest.fixture
def rolling(a_wait: Given, snapshot: Given) -> Callable[..., RolloutState]:
    """A rollout that turned at 0, was looked at whole at 100, and is to be looked at again at 110."""

    def build(
        counts: ReplicaCounts = HALF,
        *,
        watched: bool = False,
        evidence: tuple[ObservedProblem, ...] = (),
        **changes: object,
    ) -> RolloutState:
        whole: Snapshot = snapshot(counts=counts)
        memory = WorkloadMemory(
            last_workload=whole.workload,
            last_snapshot=whole,
            last_snapshot_at=100.0,
            counters_changed_at=0.0,
            changed_at=90.0,
            pods_climbed_at=80.0,
            watched=watched,
            evidence=evidence,
        )
        timing = build_poll_timing(memory, WorkloadKind.DEPLOYMENT)
        state: RolloutState = replace(
            a_wait(rollout_timeout=900.0),
            uid="u1",
            proven_image="app:9f2c1a7b",
            due_at=110.0,
            timing=timing,
            memory=memory,
        )
        return replace(state, **changes)  # type: ignore[arg-type]  # a test names the word it changes

    return build


def workload(state: RolloutState, **changes: object) -> Workload:
    last = get_memory(state).last_workload
    assert last is not None
    return replace(last, **changes)  # type: ignore[arg-type]  # a test names the word it changes


def test_before_its_time_and_without_news_nothing_is_asked(rolling: Given) -> None:
    assert poll_depth.poll_depth(rolling(), WatchState(), 105.0) is PollDepth.NONE
    assert poll_depth.poll_depth(rolling(), WatchState(), 110.0) is PollDepth.WORKLOAD


WATCH_EVENTS = [
    ("the same", {}, PollDepth.NONE),
    ("other counters", {"counts": MORE}, PollDepth.WATCH_ONLY),
    ("all is done", {"counts": DONE}, PollDepth.SNAPSHOT),
    ("another generation", {"generation": 3}, PollDepth.WORKLOAD),
    ("the controller took it up", {"observed": 3}, PollDepth.WORKLOAD),
    ("the deadline passed", {"progress_deadline_message": "late"}, PollDepth.WORKLOAD),
    ("only a note on it", {"annotations": {"a": "b"}}, PollDepth.NONE),
]


@pytest.mark.parametrize(("changes", "asked"), [row[1:] for row in WATCH_EVENTS], ids=[row[0] for row in WATCH_EVENTS])
def test_what_is_heard_is_looked_at_if_it_matters(rolling: Given, changes: dict[str, Any], asked: PollDepth) -> None:
    state = rolling(watched=True)
    assert poll_depth.poll_depth(state, WatchState(up=True, workload=workload(state, **changes)), 105.0) is asked


def test_a_pod_in_trouble_is_looked_at_once(rolling: Given) -> None:
    """Once it is known, polling continues at its own interval."""
    alarm = WatchState(up=True, pod_problem=True)
    assert poll_depth.poll_depth(rolling(watched=True), alarm, 105.0) is PollDepth.SNAPSHOT
    known = rolling(watched=True, evidence=(ObservedProblem(BAD, 100.0, 1),))
    assert poll_depth.poll_depth(known, alarm, 105.0) is PollDepth.NONE


def test_a_watch_that_comes_or_goes_changes_the_pace_without_a_request(rolling: Given) -> None:
    assert poll_depth.poll_depth(rolling(), WatchState(up=True), 105.0) is PollDepth.WATCH_ONLY
    assert poll_depth.poll_depth(rolling(watched=True), WatchState(), 105.0) is PollDepth.WATCH_ONLY


def test_while_there_is_no_answer_only_the_time_counts(rolling: Given) -> None:
    state = rolling(contact=Contact(silent_since=100.0, misses=2))
    watch_state = WatchState(up=True, workload=workload(state, counts=DONE), pod_problem=True)
    assert poll_depth.poll_depth(state, watch_state, 105.0) is PollDepth.NONE
    assert poll_depth.poll_depth(state, watch_state, 110.0) is PollDepth.WORKLOAD


def test_a_workload_that_is_gone_is_looked_for(rolling: Given) -> None:
    assert poll_depth.poll_depth(rolling(watched=True), WatchState(up=True, gone=True), 105.0) is PollDepth.WORKLOAD


def test_the_pods_are_due_by_their_own_time(rolling: Given) -> None:
    state = rolling()
    assert not poll_depth.is_pod_poll_due(state, 130.0)
    assert poll_depth.is_pod_poll_due(state, 100.0 + INTERVALS.pods_s)
    assert poll_depth.is_pod_poll_due(rolling(DONE), 101.0)  # the counters say that it is done, the pods did not
    assert poll_depth.is_pod_poll_due(rolling(evidence=(ObservedProblem(BAD, 100.0, 1),)), 101.5)


def test_the_workload_alone_is_enough_only_while_nothing_ends(rolling: Given) -> None:
    state = rolling()
    assert poll_depth.workload_suffices(state, workload(state, counts=MORE), 101.0)
    assert not poll_depth.workload_suffices(state, workload(state, counts=DONE), 101.0)
    assert not poll_depth.workload_suffices(state, workload(state, generation=3), 101.0)
    assert not poll_depth.workload_suffices(state, workload(state, deleting=True), 101.0)
    settling = rolling(DONE, settling=Settling(100.0, {}))
    assert poll_depth.workload_suffices(settling, workload(settling), 101.0)
    assert not poll_depth.workload_suffices(settling, workload(settling, counts=MORE), 101.0)
    assert not poll_depth.workload_suffices(settling, workload(settling), 105.0)


def test_the_longer_nothing_happens_the_later_the_next_poll(rolling: Given) -> None:
    waits = [poll_interval.next_delay(rolling(), now) for now in (5.0, 30.0, 100.0, 400.0)]
    assert waits[0] == INTERVALS.first_s
    assert waits == sorted(waits)
    assert waits[-1] == INTERVALS.max_s
    assert poll_interval.next_delay(rolling(watched=True), 5.0) == INTERVALS.watched_s


def test_around_the_expected_end_it_is_quick(rolling: Given) -> None:
    """The last of two pods was made after 80 seconds, so that it is ready at about 160."""
    assert poll_interval.next_delay(rolling(MORE), 160.0) == INTERVALS.near_end_s
    assert poll_interval.next_delay(rolling(MORE), 120.0) > INTERVALS.near_end_s
    assert poll_interval.next_delay(rolling(HALF), 160.0) > INTERVALS.near_end_s


def test_a_lasting_trouble_is_looked_at_when_it_becomes_certain(rolling: Given) -> None:
    state = rolling(watched=True, evidence=(ObservedProblem(BAD, 100.0, 1),))
    assert poll_interval.next_delay(state, 109.4) == pytest.approx(0.6)
    assert poll_interval.next_delay(state, 100.5) == INTERVALS.first_s


def test_a_settle_time_is_looked_into_unless_a_watch_would_tell(rolling: Given) -> None:
    settling = Settling(100.0, {})
    assert poll_interval.next_delay(rolling(DONE, settling=settling), 100.0) == INTERVALS.first_s
    assert poll_interval.next_delay(rolling(DONE, settling=settling, watched=True), 100.0) == pytest.approx(5.0)
