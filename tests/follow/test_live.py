"""A live answer: which histories of answers end the wait, and with what."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from homelab_hooks.events import Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.live import LiveLimits, LiveWait, decide_live, start_live
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.polling.outcome import Found

OURS, OTHER, NAMELESS, SILENT = (LiveAnswer(shown, shown.name.lower()) for shown in Shown)
TIMEOUT, SETTLE = 60.0, 5.0


def play(
    answers: Sequence[LiveAnswer], *, timeout: float = TIMEOUT, settle: float = SETTLE, is_slice: bool = False
) -> tuple[LiveWait, float]:
    """The settled state and how long it took; the last answer is repeated."""
    now = 1_000.0
    limits = LiveLimits(timeout, settle, is_slice=is_slice)
    state = start_live("a" * 40, limits, url="https://shop.example.test/", now=now)
    for index in range(10_000):
        decision = decide_live(state, Found(answers[min(index, len(answers) - 1)]), now)
        state = decision.state
        if decision.delay is None:
            return state, now - 1_000.0
        now += decision.delay
    raise AssertionError("the wait has no end")


@pytest.mark.parametrize(
    ("answers", "exit_", "took"),
    [
        ([OURS], ExitCode.OK, SETTLE),
        ([SILENT, OTHER, NAMELESS, OURS], ExitCode.OK, 3 + SETTLE),
        ([OURS, OURS, OTHER, OURS], ExitCode.OK, 3 + SETTLE),
        ([OURS, SILENT, OURS], ExitCode.OK, 2 + SETTLE),
        ([OTHER], ExitCode.TIMEOUT, TIMEOUT),
        ([SILENT, OTHER, SILENT], ExitCode.TIMEOUT, TIMEOUT),
        ([NAMELESS], ExitCode.ROLLOUT_UNPROVEN, TIMEOUT),
        ([OTHER, NAMELESS], ExitCode.ROLLOUT_UNPROVEN, TIMEOUT),
        ([SILENT], ExitCode.ROLLOUT_FAILED, TIMEOUT),
        ([*[OTHER] * 58, OURS], ExitCode.OK, 58 + SETTLE),
    ],
)
def test_what_was_seen_decides_at_the_timeout(answers: Sequence[LiveAnswer], exit_: ExitCode, took: float) -> None:
    state, seconds = play(answers)
    assert state.verdict is not None
    assert (state.verdict.exit, seconds) == (exit_, took)


def test_without_a_settle_time_one_answer_is_enough_and_without_a_timeout_one_is_asked_for() -> None:
    assert play([OURS], settle=0.0)[1] == 0.0
    state, seconds = play([OTHER], timeout=0.0)
    assert (state.verdict and state.verdict.exit, seconds) == (ExitCode.TIMEOUT, 0.0)


@pytest.mark.parametrize("answer", [OTHER, NAMELESS, SILENT])
def test_the_end_of_a_call_leaves_open_what_it_has_not_seen(answer: LiveAnswer) -> None:
    state, seconds = play([answer], timeout=3.0, is_slice=True)
    assert state.verdict is not None
    assert (state.verdict.exit, seconds) == (ExitCode.TIMEOUT, 3.0)


def test_what_is_waited_for_is_reported_on_change_and_once_a_minute() -> None:
    state = start_live("a" * 40, LiveLimits(600.0, 5.0), url="", now=0.0)
    said = []
    for second in range(180):
        decision = decide_live(state, Found(SILENT if second < 30 else OTHER), float(second))
        state = decision.state
        said += [(second, event.reason) for event in decision.events if isinstance(event, Waiting)]
    assert said == [(0, "silent"), (30, "other"), (90, "other"), (150, "other")]


@pytest.mark.parametrize("batch", range(10))
def test_success_means_that_the_commit_was_named_through_the_whole_settle_time(batch: int) -> None:
    for seed in range(batch * 20, batch * 20 + 20):
        judge(seed)


def judge(seed: int) -> None:
    """An oracle that knows nothing of the machine: the last answers, over the settle time, all named the commit."""
    draw = random.Random(seed)  # noqa: S311 - repeatable histories, no secrets
    answers = [draw.choice([OURS, OURS, OURS, OTHER, NAMELESS, SILENT]) for _ in range(80)]
    state, seconds = play(answers)
    assert state.verdict is not None
    seen = answers[: int(seconds) + 1]
    if state.verdict.exit is ExitCode.OK:
        assert seen[-int(SETTLE) - 1 :] == [OURS] * (int(SETTLE) + 1)
    else:
        assert seen[-1] is not OURS
        assert seconds >= TIMEOUT
