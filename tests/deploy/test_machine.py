"""The machine of one workload: each poll, and the time that passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.machine import COMPARE_WAIT_S
from homelab_hooks.deploy.request import RolloutOutcome
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.events import ContactLost, ContactRestored, Event, RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import ContainerPhase, Pod, ReplicaCounts
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from tests.deploy.conftest import decide

Given = Callable[..., Any]
LOST = Unavailable("connection refused")


def play(state: RolloutState, *polls: tuple[float, Poll[Snapshot]]) -> tuple[RolloutState, list[Event], float | None]:
    """Run one step at each of the given times; return the state, the events and the last delay."""
    events: list[Event] = []
    wait: float | None = 0.0
    for now, poll in polls:
        assert wait is not None, "it had been settled"
        step = decide(state, poll, now)
        state, wait = step.state, step.delay
        events += step.events
    return state, events, wait


def outcome(state: RolloutState) -> RolloutOutcome:
    assert state.outcome is not None
    return state.outcome


def test_done_is_believed_only_after_the_settle_time(a_wait: Given, snapshot: Given) -> None:
    done = Found(snapshot())
    state, _, wait = play(a_wait(), (1.0, done), (5.9, done))
    assert state.outcome is None
    assert wait == pytest.approx(0.1)
    state, _, wait = play(a_wait(), (1.0, done), (6.0, done))
    assert outcome(state).exit is ExitCode.OK
    assert wait is None


def test_without_a_settle_time_one_poll_is_enough(a_wait: Given, snapshot: Given) -> None:
    state, _, _ = play(a_wait(settle=0.0, rollout_timeout=0.0), (0.0, Found(snapshot())))
    assert outcome(state).exit is ExitCode.OK


def test_a_restart_begins_the_settle_time_again(a_wait: Given, snapshot: Given) -> None:
    """A crash loop looks done at intervals."""
    first = snapshot()
    again = replace(first.pods[0].containers[0], restarts=1)
    crashed = snapshot(pods=(replace(first.pods[0], containers=(again,)), first.pods[1]))
    polls = [(0.0, Found(first)), (4.0, Found(crashed)), (6.0, Found(crashed))]
    state, _, _ = play(a_wait(), *polls)
    assert state.outcome is None
    state, _, _ = play(a_wait(), *polls, (9.0, Found(crashed)))
    assert outcome(state).exit is ExitCode.OK


def test_a_settle_time_that_has_begun_is_finished_past_the_timeout(a_wait: Given, snapshot: Given) -> None:
    done = Found(snapshot())
    state, _, wait = play(a_wait(), (99.0, done), (101.0, done))
    assert state.outcome is None
    assert wait == pytest.approx(1.5)
    state, _, _ = play(state, (104.0, done))
    assert outcome(state).exit is ExitCode.OK


def test_a_settle_time_that_is_broken_past_the_timeout_is_a_timeout(
    a_wait: Given, snapshot: Given, a_pod: Given
) -> None:
    broken = snapshot(pods=(a_pod("web-new-0"), a_pod("web-new-1", ready=False)))
    state, _, _ = play(a_wait(), (99.0, Found(snapshot())), (101.0, Found(broken)))
    assert outcome(state).exit is ExitCode.TIMEOUT


def test_the_last_poll_is_judged_before_the_time_is_counted(a_wait: Given, snapshot: Given) -> None:
    zero = Found(snapshot(counts=ReplicaCounts(desired=0, total=0, updated=0, available=0), pods=None))
    state, _, _ = play(a_wait(), (100.0, zero))
    assert outcome(state).exit is ExitCode.ROLLOUT_UNPROVEN


def test_no_poll_comes_later_than_the_deadline(a_wait: Given, snapshot: Given) -> None:
    _, _, wait = play(a_wait(), (99.5, Found(snapshot("0aa11bb2"))))
    assert wait == pytest.approx(0.5)


@pytest.mark.parametrize("tag", ["0aa11bb2", "3c5d7e9f"])
def test_an_image_that_never_comes_is_a_timeout_whatever_runs(a_wait: Given, snapshot: Given, tag: str) -> None:
    state, _, _ = play(a_wait(), (0.0, Found(snapshot(tag))), (100.0, Found(snapshot(tag))))
    assert outcome(state).exit is ExitCode.TIMEOUT
    assert f"app:{tag}" in outcome(state).reason
    assert outcome(state).hint == "to resume, run the same command again"


def test_a_mutable_tag_is_unproven_at_the_first_poll_only(a_wait: Given, snapshot: Given) -> None:
    state, _, _ = play(a_wait(), (0.0, Found(snapshot("latest"))))
    assert outcome(state).exit is ExitCode.ROLLOUT_UNPROVEN
    state, _, _ = play(a_wait(), (0.0, Found(snapshot("0aa11bb2"))), (1.0, Found(snapshot("latest"))))
    assert state.outcome is None


@pytest.mark.parametrize(
    ("before", "then", "git_may_learn", "says"),
    [("0aa11bb2", "0aa11bb2", False, "rolled back to 0aa11bb2"),
     ("0aa11bb2", "77665544", True, "replaced by 77665544"),
     ("0aa11bb2", "latest", False, "replaced by latest")],
)  # fmt: skip
def test_an_image_that_is_taken_away_again_is_a_failed_rollout(
    *, a_wait: Given, snapshot: Given, before: str, then: str, git_may_learn: bool, says: str
) -> None:
    gone = Found(snapshot(then))
    polls = [(0.0, Found(snapshot(before))), (1.0, Found(snapshot())), (2.0, gone)]
    later = [(2.0 + COMPARE_WAIT_S, gone)] if git_may_learn else []
    state, _, _ = play(a_wait(), *polls, *later)
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED
    assert says in outcome(state).reason


def test_an_old_pod_that_still_serves_holds_done_back_and_one_that_goes_does_not(
    a_wait: Given, snapshot: Given, a_pod: Given
) -> None:
    """Nor does one that was evicted and only lingers in the list."""
    new = (a_pod("web-new-0"), a_pod("web-new-1"))
    for old, settles in (
        (a_pod("web-old-0", "web-old"), False),
        (a_pod("web-old-0", "web-old", terminating=True), True),
        (a_pod("web-old-0", "web-old", finished=True, ready=False), True),
        (a_pod("orphan", ""), False),
    ):
        state, _, _ = play(a_wait(), (0.0, Found(snapshot(pods=(*new, old)))))
        assert (state.settling is not None) is settles


@pytest.mark.parametrize(
    "counts",
    [
        ReplicaCounts(desired=2, total=3, updated=2, available=2),
        ReplicaCounts(desired=2, total=2, updated=1, available=2),
        ReplicaCounts(desired=2, total=2, updated=2, available=1),
        ReplicaCounts(desired=2, total=2, updated=2, available=2, unavailable=1),
        ReplicaCounts(desired=3, total=3, updated=3, available=3),
    ],
)
def test_counters_and_pods_must_both_be_complete(a_wait: Given, snapshot: Given, counts: ReplicaCounts) -> None:
    state, _, _ = play(a_wait(), (0.0, Found(snapshot(counts=counts))))
    assert state.settling is None


def test_a_status_of_an_older_generation_proves_nothing(a_wait: Given, snapshot: Given) -> None:
    state, _, _ = play(a_wait(), (0.0, Found(snapshot(generation=3))))
    assert state.settling is None


def test_the_old_replica_set_is_not_taken_for_the_new_one(a_wait: Given, snapshot: Given) -> None:
    """Just after the change its number is still the Deployment's."""
    state, _, _ = play(a_wait(), (0.0, Found(snapshot(revision="1"))))
    assert state.settling is None


def test_a_revision_of_the_right_number_but_another_template_is_not_current(
    a_wait: Given, snapshot: Given, a_pod: Given
) -> None:
    """Everything else looks complete, but the controller has not observed the changed template yet."""
    old = tuple(a_pod(f"web-old-{index}", "web-old") for index in range(2))
    state, events, _ = play(a_wait(), (0.0, Found(snapshot(revision="1", pods=old))))
    assert state.settling is None
    assert any(isinstance(event, RolloutChanged) and "to observe the new spec" in event.detail for event in events)


def test_pods_with_different_digests_are_not_one_image(a_wait: Given, snapshot: Given, a_pod: Given) -> None:
    other = a_pod("web-new-1")
    other = replace(other, containers=(replace(other.containers[0], digest="sha256:" + "2" * 64),))
    state, events, _ = play(a_wait(), (0.0, Found(snapshot(pods=(a_pod("web-new-0"), other)))))
    assert state.settling is None
    assert any(isinstance(event, Waiting) and "2 different images" in event.reason for event in events)


def test_a_paused_deployment_waits_only_while_something_is_left_to_do(a_wait: Given, snapshot: Given) -> None:
    state, _, _ = play(a_wait(), (0.0, Found(snapshot(paused=True))))
    assert state.settling is not None
    _, events, _ = play(a_wait(), (0.0, Found(snapshot(paused=True, revision="1"))))
    assert any(isinstance(event, Waiting) and "paused" in event.reason for event in events)


def passed(snapshot: Given, pods: Sequence[Pod]) -> Found[Snapshot]:
    counts = ReplicaCounts(desired=2, total=3, updated=1, available=2)
    return Found(
        snapshot(pods=tuple(pods), counts=counts, progress_deadline_message='ReplicaSet "web-new" has timed out')
    )


def test_a_progress_deadline_fails_unless_the_pods_are_further_than_before(
    a_wait: Given, snapshot: Given, a_pod: Given
) -> None:
    """It is not final: a slow node may still deliver."""
    stuck = [a_pod("web-new-0", ready=False), a_pod("web-old-0", "web-old"), a_pod("web-old-1", "web-old")]
    further = [a_pod("web-new-0"), *stuck[1:]]
    state, _, _ = play(a_wait(), (0.0, passed(snapshot, stuck)))
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED
    slow = Found(replace(passed(snapshot, stuck).value, workload=snapshot().workload))
    state, _, _ = play(a_wait(), (0.0, slow), (1.0, passed(snapshot, further)))
    assert state.outcome is None
    state, _, _ = play(state, (2.0, passed(snapshot, further)))
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED


def waiting(pod: Pod, reason: str, message: str = "") -> Pod:
    state = replace(pod.containers[0], ready=False, phase=ContainerPhase.WAITING, reason=reason, message=message)
    return replace(pod, ready=False, containers=(state,))


NOT_FOUND = 'rpc error: code = NotFound desc = "app:9f2c1a7b": not found'


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImagePull", NOT_FOUND),
        ("ImagePullBackOff", f'Back-off pulling image "app:9f2c1a7b": ErrImagePull: {NOT_FOUND}'),
        ("ErrImagePull", "failed to authorize: 401 Unauthorized"),
        ("ErrImagePull", "pull access denied"),
        ("InvalidImageName", "invalid reference format"),
        ("ErrImageNeverPull", "not present with pull policy of Never"),
        ("CreateContainerConfigError", 'secret "db" not found'),
    ],
)
def test_a_lasting_fault_is_believed_after_ten_seconds_and_two_polls(
    *, a_wait: Given, snapshot: Given, a_pod: Given, reason: str, message: str
) -> None:
    bad = Found(snapshot(pods=(waiting(a_pod("web-new-0"), reason, message),)))
    state, events, _ = play(a_wait(), (0.0, bad), (9.9, bad))
    assert state.outcome is None
    assert any(isinstance(event, Waiting) for event in events)
    state, _, _ = play(state, (10.0, bad))
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED
    assert reason in outcome(state).reason


def test_a_fault_that_heals_in_between_starts_again(a_wait: Given, snapshot: Given, a_pod: Given) -> None:
    bad = Found(snapshot(pods=(waiting(a_pod("web-new-0"), "ErrImagePull", NOT_FOUND),)))
    fine = Found(snapshot(pods=(a_pod("web-new-0"),)))
    state, _, _ = play(a_wait(), (0.0, bad), (5.0, fine), (6.0, bad), (15.0, bad))
    assert state.outcome is None


def test_a_back_off_that_names_no_cause_keeps_the_one_that_was_seen(
    a_wait: Given, snapshot: Given, a_pod: Given
) -> None:
    """Older kubelets hide it."""
    bad = Found(snapshot(pods=(waiting(a_pod("web-new-0"), "ErrImagePull", NOT_FOUND),)))
    hidden = Found(snapshot(pods=(waiting(a_pod("web-new-0"), "ImagePullBackOff", 'Back-off pulling image "a:b"'),)))
    state, _, _ = play(a_wait(), (0.0, bad), (5.0, hidden), (10.0, hidden))
    assert "not found" in outcome(state).reason
    state, _, _ = play(a_wait(), (0.0, hidden), (30.0, hidden))
    assert state.outcome is None


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImagePull", "dial tcp: lookup registry.example.test: no such host"),
        ("ErrImagePull", "429 Too Many Requests"),
        ("CreateContainerConfigError", "failed to sync secret cache: timed out"),
        ("CreateContainerError", "context deadline exceeded"),
    ],
)
def test_a_fault_that_may_pass_is_reported_and_waits_for_the_deadline_or_a_minute(
    *, a_wait: Given, snapshot: Given, a_pod: Given, reason: str, message: str
) -> None:
    """Deployments have a progress deadline; StatefulSets and DaemonSets have none."""
    bad = Found(snapshot(pods=(waiting(a_pod("web-new-0"), reason, message),)))
    state, events, _ = play(a_wait(), (0.0, bad), (90.0, bad))
    assert state.outcome is None
    assert any(isinstance(event, Waiting) and reason in event.reason for event in events)
    stateful = replace(bad.value, workload=replace(bad.value.workload, revision="web-new"))
    state, _, _ = play(a_wait("shop/sts/web"), (0.0, Found(stateful)), (59.0, Found(stateful)))
    assert state.outcome is None
    state, _, _ = play(state, (60.0, Found(stateful)))
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED


def crashing(pod: Pod, restarts: int, phase: ContainerPhase) -> Pod:
    reason = "CrashLoopBackOff" if phase is ContainerPhase.WAITING else ""
    state = replace(pod.containers[0], ready=False, restarts=restarts, phase=phase, reason=reason, last_exit_code=3)
    return replace(pod, ready=False, containers=(state,))


def test_a_crash_is_hopeless_at_the_third_restart(a_wait: Given, snapshot: Given, a_pod: Given) -> None:
    def at(restarts: int, phase: ContainerPhase) -> Found[Snapshot]:
        return Found(snapshot(pods=(crashing(a_pod("web-new-0"), restarts, phase),)))

    state, events, _ = play(a_wait(), (0.0, at(0, ContainerPhase.RUNNING)), (5.0, at(2, ContainerPhase.WAITING)))
    assert state.outcome is None
    assert any(isinstance(event, Waiting) and "exit code 3" in event.reason for event in events)
    state, _, _ = play(state, (6.0, at(3, ContainerPhase.RUNNING)))
    assert outcome(state).exit is ExitCode.ROLLOUT_FAILED


def test_restarts_of_long_ago_are_no_crash_loop(a_wait: Given, snapshot: Given, a_pod: Given) -> None:
    """A running pod, not ready for a moment, with restarts from before the wait."""
    old = Found(snapshot(pods=(crashing(a_pod("web-new-0"), 7, ContainerPhase.RUNNING),)))
    state, _, _ = play(a_wait(), (0.0, old), (30.0, old))
    assert state.outcome is None


def test_a_missing_workload_is_unproven_unless_it_is_waited_for(a_wait: Given) -> None:
    absent = NotFound('deployments.apps "web" not found')
    state, _, _ = play(a_wait(), (0.0, absent))
    assert outcome(state).exit is ExitCode.ROLLOUT_UNPROVEN
    assert "--wait-for-workload" in outcome(state).hint
    patient = a_wait(wait_for_workload=True)
    state, _, _ = play(patient, (0.0, absent), (99.0, absent))
    assert state.outcome is None
    state, _, _ = play(state, (100.0, absent))
    assert outcome(state).exit is ExitCode.TIMEOUT


@pytest.mark.parametrize("deleting", [True, False])
def test_a_workload_that_vanishes_is_given_ten_seconds_to_come_back(
    *, a_wait: Given, snapshot: Given, deleting: bool
) -> None:
    gone: Poll[Snapshot] = Found(snapshot(deleting=True)) if deleting else NotFound("not found")
    state, _, _ = play(a_wait(), (0.0, Found(snapshot())), (1.0, gone), (10.9, gone))
    assert state.outcome is None
    state, _, _ = play(state, (11.0, gone))
    assert outcome(state).exit is ExitCode.ROLLOUT_UNPROVEN
    assert "deleted" in outcome(state).reason


def test_a_workload_created_again_counts_only_with_the_image(a_wait: Given, snapshot: Given) -> None:
    polls: list[tuple[float, Poll[Snapshot]]] = [(0.0, Found(snapshot("0aa11bb2"))), (1.0, NotFound("not found"))]
    state, _, _ = play(a_wait(), *polls, (2.0, Found(snapshot(uid="u2"))), (7.0, Found(snapshot(uid="u2"))))
    assert outcome(state).exit is ExitCode.OK
    state, _, _ = play(a_wait(), *polls, (2.0, Found(snapshot("0aa11bb2", uid="u2"))))
    assert outcome(state).exit is ExitCode.ROLLOUT_UNPROVEN


def test_a_silent_cluster_is_borne_for_the_unreachable_timeout(a_wait: Given) -> None:
    state, events, wait = play(a_wait(), (0.1, LOST), (1.0, LOST), (5.0, LOST), (30.0, LOST), (59.0, LOST))
    assert [type(event) for event in events] == [ContactLost]
    assert wait == pytest.approx(1.0)
    state, _, _ = play(state, (60.0, LOST))
    assert outcome(state).exit is ExitCode.UNREACHABLE
    assert "connection refused" in outcome(state).reason


def test_an_answer_after_silence_is_reported_and_restarts_the_timeout(a_wait: Given, snapshot: Given) -> None:
    old = Found(snapshot("0aa11bb2"))
    state, events, _ = play(a_wait(), (0.0, old), (7.0, LOST), (20.0, old), (79.0, LOST))
    assert state.outcome is None
    assert [event for event in events if isinstance(event, ContactRestored)] == [
        ContactRestored(away=18.5)
    ]  # there was no request before 1.5


def test_polls_come_further_apart_while_there_is_no_answer(a_wait: Given) -> None:
    state, waits = a_wait(), []
    for now in range(10, 16):
        step = decide(state, LOST, float(now))
        state, wait = step.state, step.delay
        waits.append(wait)
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_settle_time_survives_a_poll_that_failed(a_wait: Given, snapshot: Given) -> None:
    done = Found(snapshot())
    state, _, wait = play(a_wait(), (0.0, done), (5.5, Unavailable("reset", FailureKind.CONNECTION)))
    assert state.outcome is None
    assert wait is not None
    assert wait > 0
    state, _, _ = play(state, (7.0, done))
    assert outcome(state).exit is ExitCode.OK


def test_a_refusal_is_believed_at_once_if_nothing_was_ever_allowed(a_wait: Given) -> None:
    state, _, _ = play(a_wait(), (0.0, Denied("forbidden", "ask for the right")))
    assert outcome(state) == RolloutOutcome(exit=ExitCode.DENIED, reason="forbidden", hint="ask for the right")


def test_a_refusal_after_success_is_given_the_time_of_a_silence(a_wait: Given, snapshot: Given) -> None:
    """An API server that restarts refuses valid credentials for seconds."""
    no = Denied("You must be logged in")
    state, events, _ = play(
        a_wait(), (0.0, Found(snapshot("0aa11bb2"))), *((now, no) for now in (2.0, 4.0, 6.0, 30.0, 61.0))
    )
    assert state.outcome is None
    assert [event.reason for event in events if isinstance(event, ContactLost)] == ["You must be logged in"]
    failed, _, _ = play(state, (61.5, no))  # the first request that failed was due at 1.5
    assert outcome(failed).exit is ExitCode.DENIED
    healed, _, _ = play(state, (61.5, Found(snapshot("0aa11bb2"))), (63.0, no))
    assert healed.outcome is None


def test_a_silence_of_refusals_and_refused_connections_in_turn_is_not_a_refusal(a_wait: Given, snapshot: Given) -> None:
    """An API server that restarts refuses one connection and one token in turn."""
    no, old = Denied("You must be logged in"), Found(snapshot("0aa11bb2"))
    turns = ((float(2 * turn), no if turn % 2 else LOST) for turn in range(1, 31))
    state, _, _ = play(a_wait(), (0.0, old), *turns)
    assert state.outcome is None
    state, _, _ = play(state, (62.0, no))
    assert outcome(state).exit is ExitCode.UNREACHABLE


def test_a_refusal_neither_restores_contact_nor_restarts_the_unreachable_timeout(
    a_wait: Given, snapshot: Given
) -> None:
    no, old = Denied("You must be logged in"), Found(snapshot("0aa11bb2"))
    state, events, _ = play(a_wait(), (0.0, old), (2.0, LOST), (8.0, LOST), (20.0, no), (40.0, LOST))
    assert not [event for event in events if isinstance(event, ContactRestored)]
    restored = play(state, (50.0, old))[1]
    assert [event for event in restored if isinstance(event, ContactRestored)] == [ContactRestored(away=48.5)]
    state, _, _ = play(state, (61.5, LOST))  # the first request that failed was due at 1.5
    assert outcome(state).exit is ExitCode.UNREACHABLE


def test_a_short_unreachable_timeout_of_refusals_alone_ends_denied(a_wait: Given, snapshot: Given) -> None:
    no, old = Denied("You must be logged in"), Found(snapshot("0aa11bb2"))
    state, _, wait = play(a_wait(unreachable_timeout=3.0), (0.0, old), (2.0, no))
    assert state.outcome is None
    assert wait == pytest.approx(2.0)
    state, _, _ = play(state, (4.5, no))
    assert outcome(state).exit is ExitCode.DENIED
    assert "You must be logged in" in outcome(state).reason


def test_a_hopeless_refusal_is_final_even_after_success(a_wait: Given, snapshot: Given) -> None:
    no = Denied('context "x" does not exist', final=True)
    state, _, _ = play(a_wait(), (0.0, Found(snapshot("0aa11bb2"))), (2.0, no))
    assert outcome(state).exit is ExitCode.DENIED


def test_only_changes_are_reported(a_wait: Given, snapshot: Given) -> None:
    old = Found(snapshot("0aa11bb2"))
    _, events, _ = play(a_wait(), *((float(now), old) for now in range(20)))
    assert [type(event) for event in events] == [RolloutChanged]
