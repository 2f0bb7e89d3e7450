"""How often a watch asks, and how soon it knows: the budgets and latencies of docs/benchmarks.md, simulated."""

from __future__ import annotations

import statistics

import pytest

from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S
from homelab_hooks.events import Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.poller import BEST_EFFORT_TIMEOUT_S
from homelab_hooks.watch.state import WatchTimeouts
from tests.watch.random_history import OLDER
from tests.watch.run_without_sockets import InMemoryWoodpecker, StreamClock, attempts

TEN = 600.0


def known(woodpecker: InMemoryWoodpecker, took: float) -> float:
    """Three earlier successful pipelines of the branch, ended by now; the moment."""
    at = 0.0
    for _ in range(3):
        woodpecker.push(timelines.make_green(took), at=at, sha=OLDER)
        at += took + 30
    woodpecker.clock.t = at
    return at


@pytest.mark.parametrize("usual", [0.0, 0.9, 1.0, 1.1], ids=["unknown", "shorter", "as ever", "longer"])
@pytest.mark.parametrize(("stream", "most"), [("up", 45), ("", 190)], ids=["stream up", "stream down"])
def test_a_ten_minute_watch_stays_within_its_requests(stream: str, most: int, usual: float) -> None:
    """Those that try to open the stream again are counted, too."""
    woodpecker = InMemoryWoodpecker(stream=stream)
    begin = known(woodpecker, TEN * usual) if usual else 0.0
    woodpecker.push(timelines.make_green(TEN), at=begin + 0.5)

    verdict = woodpecker.watch()

    assert verdict.exit is ExitCode.OK
    assert TEN <= woodpecker.clock.t - begin < TEN + 5
    assert len(woodpecker.requests) + (1 if stream else attempts(TEN)) <= most


@pytest.mark.parametrize(("stream", "most"), [("up", 60 + 2 * 30), ("", 190)], ids=["stream up", "stream down"])
def test_a_pipeline_of_many_steps_costs_little_more(stream: str, most: int) -> None:
    """With the stream each step may wake the watch; without it, steps do not change the pace."""
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(timelines.make_green(TEN, steps=[f"step{n}" for n in range(30)]))

    assert woodpecker.watch().exit is ExitCode.OK
    assert len(woodpecker.requests) + (1 if stream else attempts(TEN)) <= most


LENGTHS = [3, 4.4, 7.1, 9.9, 12.3, 20, 31.7, 47, 61.3, 95, 120, 183.1, 240, 301, 420]


def delays(stream: str, *, history: bool) -> list[float]:
    """Seconds from the end of pipelines of many lengths to the verdict on them."""
    found = []
    for length in LENGTHS:
        woodpecker = InMemoryWoodpecker(stream=stream)
        begin = known(woodpecker, length * 1.02) if history else 0.0
        woodpecker.push(timelines.make_green(length), at=begin + 0.3)
        assert woodpecker.watch().exit is ExitCode.OK
        found.append(woodpecker.clock.t - (begin + 0.3 + length))
    return found


@pytest.mark.parametrize("history", [True, False], ids=["duration known", "duration unknown"])
@pytest.mark.parametrize(("stream", "median", "worst"), [("up", 0.3, 1.5), ("", 1.5, 4.6)], ids=["up", "down"])
def test_the_end_is_known_soon(stream: str, median: float, worst: float, *, history: bool) -> None:
    found = delays(stream, history=history)

    assert statistics.median(found) <= median
    assert max(found) <= worst


@pytest.mark.parametrize("stream", ["silent", "pings"])
def test_a_stream_that_misses_changes_counts_as_down(stream: str) -> None:
    """Open, perhaps with pings, but without our events: a buffering proxy, or a server that died."""
    found = []
    for length in LENGTHS[6:]:
        woodpecker = InMemoryWoodpecker(stream=stream)
        woodpecker.push(timelines.make_green(length), at=0.3)
        assert woodpecker.watch().exit is ExitCode.OK
        found.append(woodpecker.clock.t - (0.3 + length))

    assert max(found) <= 4.6


def test_a_stream_that_is_late_is_no_slower_than_none() -> None:
    """A slow forge delays the last event by seconds (recording 17b-slow-forge-status)."""
    woodpecker = InMemoryWoodpecker(lag=3.0)
    woodpecker.push(timelines.make_green(60), at=0.3)

    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t - 60.3 <= 4.6


def test_a_laptop_that_slept_resumes_where_it_was() -> None:
    """The wall clock jumps by eight hours, monotonic time does not, so no timeout expires."""
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red(seconds=100), at=0.3)

    def sleep_once(event: Event) -> None:
        if isinstance(event, Waiting):
            woodpecker.clock.jump = 8 * 3600.0

    verdict = woodpecker.watch(tell=sleep_once)

    assert woodpecker.clock.jump
    assert verdict.exit is ExitCode.FAILED
    assert woodpecker.clock.t < 130


@pytest.mark.parametrize("skew", [3600.0, -3600.0], ids=["ahead", "behind"])
def test_a_clock_that_is_wrong_by_an_hour_makes_no_watch_slower_than_an_unknown_duration(skew: float) -> None:
    """Else what is due long ago, or never, would be asked for seldom."""
    for length in (12.3, 17.9, 20.0, 24.6):
        woodpecker = InMemoryWoodpecker(stream="")
        begin = known(woodpecker, length)
        woodpecker.push(timelines.make_green(length), at=begin + 0.3)
        woodpecker.clock.jump = skew
        assert woodpecker.watch().exit is ExitCode.OK
        assert woodpecker.clock.t - (begin + 0.3 + length) <= 2.3


def test_a_wall_clock_that_runs_backwards_changes_the_pace_only() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    begin = known(woodpecker, 60)
    woodpecker.push(timelines.make_green(60), at=begin + 0.3)
    woodpecker.clock.jump = -9e8

    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t < begin + 66


def test_a_detail_that_hangs_delays_the_verdict_by_seconds_only() -> None:
    silence = RequestFailed(FailureKind.TIMEOUT, "no complete response")
    woodpecker = InMemoryWoodpecker(stream="", bad=lambda path, _: silence if "pipelines/" in path else None)
    woodpecker.push(timelines.make_green(120), at=0.3)

    verdict = woodpecker.watch()

    assert verdict.exit is ExitCode.OK
    assert woodpecker.clock.t <= 120.3 + 4 + 2 * BEST_EFFORT_TIMEOUT_S + 1
    assert {deadline for path, deadline in woodpecker.deadlines if "pipelines/" in path} == {BEST_EFFORT_TIMEOUT_S}
    assert {deadline for path, deadline in woodpecker.deadlines if "pipelines?" in path} == {REQUEST_TIMEOUT_S}


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream up", "stream down"])
def test_a_detail_that_hangs_is_not_asked_for_again_and_again(stream: str) -> None:
    silence = RequestFailed(FailureKind.TIMEOUT, "no complete response")
    woodpecker = InMemoryWoodpecker(stream=stream, bad=lambda path, _: silence if "pipelines/" in path else None)
    woodpecker.push(timelines.make_green(300, steps=[f"step{n}" for n in range(20)]), at=0.3)

    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.count("pipelines/") <= 6


@pytest.mark.parametrize(
    ("timeouts", "exit_"),
    [(WatchTimeouts(overall=5), ExitCode.TIMEOUT), (WatchTimeouts(unreachable=5), ExitCode.UNREACHABLE)],
    ids=["timeout", "unreachable"],
)
def test_a_server_that_hangs_from_the_start_takes_no_longer_than_the_timeout(
    timeouts: WatchTimeouts, exit_: ExitCode
) -> None:
    """The time until the first answer counts, too."""
    woodpecker = InMemoryWoodpecker(
        stream="", bad=lambda *_: RequestFailed(FailureKind.TIMEOUT, "no complete response")
    )

    assert woodpecker.watch(timeouts=timeouts).exit is exit_
    assert 5 <= woodpecker.clock.t <= 7


def test_time_in_the_tests_passes_only_in_a_sleep() -> None:
    clock = StreamClock()
    clock.sleep(3600)
    assert clock.now() == 3600
