"""A mirror: which answers end the wait, and that an outage is not taken for a mirror that is out of date."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.mirror import MirrorLimits, MirrorState, MirrorTip, decide_mirror, start_mirror
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable

SHA = "a" * 40
HERE = Found(MirrorTip(SHA, Containment.CONTAINS))
NEWER = Found(MirrorTip("b" * 40, Containment.CONTAINS))
BEHIND = Found(MirrorTip("c" * 40, Containment.NOT_CONTAINED, 3))
DIVERGED = Found(MirrorTip("d" * 40, Containment.NOT_CONTAINED))
FOREIGN = Found(MirrorTip("e" * 40, Containment.UNKNOWN))
DOWN = Unavailable("connection refused", hint="check the network")
LIMITS = MirrorLimits(overall=600.0, appear=120.0, unreachable=180.0)


def play(
    answer: Callable[[float], Poll[MirrorTip]], limits: MirrorLimits = LIMITS
) -> tuple[MirrorState, float, list[Event]]:
    """The settled state, how long it took, and the events; the answers depend on the seconds since the begin."""
    now, events = 50.0, list[Event]()
    state = start_mirror(SHA, "github", "main", limits, now)
    for _ in range(10_000):
        decision = decide_mirror(state, answer(now - 50.0), now)
        state, events = decision.state, [*events, *decision.events]
        if decision.delay is None:
            return state, now - 50.0, events
        now += decision.delay
    raise AssertionError("the wait has no end")


@pytest.mark.parametrize(
    ("answer", "exit_", "reason"),
    [
        (HERE, ExitCode.OK, "main on github is at aaaaaaaaaa"),
        (NEWER, ExitCode.OK, "which contains aaaaaaaaaa"),
        (BEHIND, ExitCode.NO_PIPELINE, "main on github is at cccccccccc, 3 commits behind after 2m00s"),
        (DIVERGED, ExitCode.NO_PIPELINE, "which does not contain the commit"),
        (FOREIGN, ExitCode.NO_PIPELINE, "a commit that is not in this repository"),
        (NotFound(), ExitCode.NO_PIPELINE, "github has no branch main"),
        (DOWN, ExitCode.UNREACHABLE, "no usable response from github for 3m00s: connection refused"),
        (Denied("access denied", "check the key"), ExitCode.DENIED, "access denied"),
    ],
)
def test_what_the_mirror_answers_decides(answer: Poll[MirrorTip], exit_: ExitCode, reason: str) -> None:
    state, _, _ = play(lambda _: answer)
    assert state.verdict is not None
    assert state.verdict.exit is exit_
    assert reason in state.verdict.reason


def test_a_mirror_that_lags_is_waited_for_and_how_far_it_is_behind_is_said() -> None:
    state, took, events = play(lambda seconds: BEHIND if seconds < 7 else HERE)
    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.OK
    assert took == 7.0
    assert [event.reason for event in events if isinstance(event, Waiting)] == [
        "main on github is at cccccccccc, 3 commits behind"
    ]


def test_the_time_of_an_outage_does_not_count_as_lag() -> None:
    """Behind for 60 s, away for 150 s, behind for 20 s, then there: in contact it is less than the appear-timeout."""
    state, _, events = play(lambda s: DOWN if 60 <= s < 210 else BEHIND if s < 230 else HERE)
    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.OK
    assert {type(event) for event in events} >= {ContactLost, ContactRestored}


def test_the_whole_wait_has_an_end_and_a_refusal_after_success_is_given_time() -> None:
    state, took, _ = play(lambda _: BEHIND, LIMITS._replace(overall=30.0))
    assert (state.verdict and state.verdict.exit, took) == (ExitCode.TIMEOUT, 30.0)
    state, _, _ = play(lambda s: Denied("access denied") if 1 <= s < 30 else HERE if s >= 30 else BEHIND)
    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.OK


def test_without_waiting_one_answer_decides() -> None:
    state, took, _ = play(lambda _: BEHIND, LIMITS._replace(appear=0.0))
    assert (state.verdict and state.verdict.exit, took) == (ExitCode.NO_PIPELINE, 0.0)
