"""The wait for a free branch on a fake clock: outages, heartbeats, timeouts, and what is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.events import ContactLost, ContactRestored, Event, PipelineChanged, Waiting
from homelab_hooks.land.queue_decision import TargetTip
from homelab_hooks.land.queue_machine import (
    BranchIsFree,
    BranchObservation,
    NoAnswer,
    PushRefused,
    QueueRequest,
    QueueState,
    StillBusy,
    begin_queue,
    decide_queue,
)
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from tests.land.test_queue_decision import TIP, row
from tests.support.clock import FakeClock

SIGN = ".woodpecker.yaml has a path condition"
Answers = Callable[[float], Poll[BranchObservation]]


def play(answers: Answers, **changes: object) -> tuple[QueueState, list[tuple[float, Event]], list[float]]:
    """Wait on a fake clock; return the last state, the events, and the times of the polls."""
    clock, events, polls = FakeClock(), list[tuple[float, Event]](), list[float]()
    known = QueueRequest(
        "main", WhenBusy.AUTO, TIP, cancels=True, timeout_at=3600.0, appear_s=120.0, unreachable_s=180.0
    )
    request = known._replace(**changes)  # type: ignore[arg-type]  # a test's shorthand

    def fetch(state: QueueState) -> Poll[BranchObservation]:
        del state
        polls.append(clock.now())
        return answers(clock.now())

    state = poll_until_decided(
        begin_queue(request, clock.now()),
        fetch=fetch,
        decide=decide_queue,
        emit=lambda event: events.append((clock.now(), event)),
        clock=clock,
    )
    return state, events, polls


def busy_until(end: float, *rows: Pipeline, then: Sequence[Pipeline] = (), stream_up: bool = False) -> Answers:
    return lambda now: Found(BranchObservation(rows if now < end else tuple(then), sign=SIGN, stream_up=stream_up))


def test_the_wait_ends_when_the_pipeline_has_ended() -> None:
    """What is waited for, whose it is, how long it usually takes, and how it ended are reported."""
    earlier = row(140, Status.SUCCESS, started=1, finished=241)
    state, events, _ = play(busy_until(130.0, row(141), earlier, then=[row(141, Status.FAILURE), earlier]))
    assert state.result == BranchIsFree(waited=True)
    changes = [(event.status, event.deciding) for _, event in events if isinstance(event, PipelineChanged)]
    assert changes == [("running", False), ("failure", False)]
    waits = [(round(at), event) for at, event in events if isinstance(event, Waiting)]
    assert [at // 60 for at, _ in waits] == [0, 1, 2]
    assert waits[0][1].reason == (
        "#141 of aaaaaaaaaa by bob (running); usually 4m00s; "
        f"a push would cancel it, and its work may not be repeated: {SIGN}"
    )


def test_a_free_branch_takes_one_request() -> None:
    state, events, polls = play(busy_until(0.0))
    assert (state.result, events, len(polls)) == (BranchIsFree(), [], 1)


@pytest.mark.parametrize(("stream_up", "most"), [(True, 45), (False, 190)])
def test_the_polls_of_ten_minutes_are_no_more_than_a_watch_sends(
    stream_up: bool,  # noqa: FBT001 - with and without the event stream
    most: int,
) -> None:
    _, _, polls = play(busy_until(600.0, row(141), stream_up=stream_up))
    assert len(polls) <= most


def test_a_tip_without_a_pipeline_is_waited_for_until_the_appear_timeout() -> None:
    """Then it is pushed; a pipeline that vanished again was filtered out, and is not waited for."""
    awaited = Found(BranchObservation((), TargetTip(TIP, since=0.0), SIGN))
    state, _, polls = play(lambda _: awaited)
    assert state.result == BranchIsFree(waited=True)
    assert 120.0 <= polls[-1] < 123.0
    created = Found(BranchObservation((row(141, Status.CREATED),), sign=SIGN))
    state, events, polls = play(lambda now: created if now < 5 else awaited)
    assert state.result == BranchIsFree(waited=True)
    assert polls[-1] < 7.0
    assert [event.status for _, event in events if isinstance(event, PipelineChanged)][-1] == "removed"


@pytest.mark.parametrize(("timeout", "last"), [(0.0, 0.0), (300.0, 300.0)])
def test_the_timeout_ends_the_wait(timeout: float, last: float) -> None:
    """With 0, the branch is polled once."""
    state, _, polls = play(busy_until(900.0, row(141)), timeout_at=timeout)
    assert state.result == StillBusy("#141 of aaaaaaaaaa by bob (running)")
    assert polls[-1] == last


@pytest.mark.parametrize("setting", [WhenBusy.AUTO, WhenBusy.WAIT, WhenBusy.REFUSE])
def test_an_outage_is_retried_and_never_ends_with_a_blind_push(setting: WhenBusy) -> None:
    """Where the server would cancel a pipeline, or the user wants to wait."""
    state, events, polls = play(lambda _: Unavailable("connection refused"), when_busy=setting)
    assert state.result == NoAnswer("connection refused")
    assert 180.0 <= polls[-1] < 196.0
    assert next(type(event) for _, event in events) is ContactLost

    def back(now: float) -> Poll[BranchObservation]:
        return Unavailable("502") if now < 60 else Found(BranchObservation(()))

    state, events, _ = play(back, when_busy=setting)
    assert isinstance(state.result, BranchIsFree)
    assert isinstance(events[-1][1], ContactRestored)


@pytest.mark.parametrize(("setting", "cancels"), [(WhenBusy.PUSH, True), (WhenBusy.AUTO, False)])
def test_an_answer_that_only_informs_is_not_waited_for(
    setting: WhenBusy,
    cancels: bool,  # noqa: FBT001 - a column of the table
) -> None:
    state, _, polls = play(lambda _: Unavailable("502"), when_busy=setting, cancels=cancels)
    assert state.result == BranchIsFree("it is not known what runs on main: 502")
    assert len(polls) == 1


def test_a_refused_token_is_believed_after_the_unreachable_timeout() -> None:
    """The preflight has used it; a server that restarts refuses valid tokens for seconds."""
    state, _, polls = play(lambda _: Denied("the token is not valid", "create one"), when_busy=WhenBusy.WAIT)
    assert state.result == PushRefused("the token is not valid", "create one")
    assert polls[-1] >= 180.0
