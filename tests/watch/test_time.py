"""What the timeouts of a watch count: the server's silence, and neither our own nor time in which nothing was asked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.active_clock import MAX_LATE_WAKE_S, ActiveClock
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.poll_interval import INTERVALS
from homelab_hooks.watch.state import WatchTimeouts
from tests.support.clock import FakeClock
from tests.watch.run_without_sockets import Bad, InMemoryWoodpecker, StreamClock

HEADERS = {"x-woodpecker-version": "3.17.0"}
GONE = RequestFailed(FailureKind.STATUS, "the server returned 503")
REFUSALS = {
    "401": HttpResponse(401, HEADERS, b"User not authorized", 0.01),
    "403": HttpResponse(403, HEADERS, b"User not authorized", 0.01),
    "404": HttpResponse(404, HEADERS, b"", 0.01),
}


def between(answer: HttpResponse | RequestFailed, since: float, until: float = 1e9) -> Bad:
    return lambda _path, t: answer if since <= t < until else None


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
@pytest.mark.parametrize("lasts", [8.0, 60.0, 170.0])
@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_after_success_is_ridden_out(status: str, lasts: float, stream: str) -> None:
    """The forge of CI restarts, or a proxy in front of it."""
    woodpecker = InMemoryWoodpecker(stream=stream, bad=between(REFUSALS[status], 30, 30 + lasts))
    woodpecker.push(timelines.make_green(240), at=1.0)
    events: list[Event] = []
    assert woodpecker.watch(tell=events.append).exit is ExitCode.OK
    assert len([event for event in events if isinstance(event, ContactLost)]) == (1 if lasts > 20 or not stream else 0)


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_of_the_first_list_is_ridden_out(status: str) -> None:
    """The token was accepted and the repository found a moment before."""
    woodpecker = InMemoryWoodpecker(bad=lambda path, t: REFUSALS[status] if "pipelines?" in path and t < 8 else None)
    woodpecker.push(timelines.make_green(20), at=1.0)
    assert woodpecker.watch().exit is ExitCode.OK


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_that_stays_is_denied_after_the_time_of_a_silence(status: str) -> None:
    woodpecker = InMemoryWoodpecker(stream="", bad=between(REFUSALS[status], 30))
    woodpecker.push(timelines.make_green(900), at=1.0)
    assert woodpecker.watch().exit is ExitCode.DENIED
    assert 205 <= woodpecker.clock.t <= 225


@pytest.mark.parametrize("unreachable", [5.0, 10.0, 15.0])
def test_time_in_which_nothing_was_asked_is_not_silence(unreachable: float) -> None:
    """With the event stream up a poll is sent every 20 seconds."""
    woodpecker, failed = InMemoryWoodpecker(), [0.0]
    woodpecker.push(timelines.make_green(300), at=1.0)

    def fail_for_a_moment(_path: str, t: float) -> RequestFailed | None:
        failed[0] = failed[0] or (t if t >= 60 else 0.0)
        return GONE if failed[0] and t < failed[0] + unreachable / 2 else None

    woodpecker.bad = fail_for_a_moment
    assert woodpecker.watch(timeouts=WatchTimeouts(unreachable=unreachable)).exit is ExitCode.OK


def longest_gap(moments: list[float]) -> float:
    return max(after - before for before, after in pairwise([0.0, *moments]))


@pytest.mark.parametrize(
    ("status", "seconds", "asked"),
    [(429, "12", 12.0), (503, "60", 60.0), (503, "Fri, 15 Jan 2027 08:02:00 GMT", 120.0), (502, "170", 170.0)],
)
@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_a_server_that_asks_to_wait_is_not_asked_earlier_and_is_reported_as_lost(
    status: int, seconds: str, asked: float, stream: str
) -> None:
    """Lost contact is reported after 5 s and a heartbeat a minute, whatever the server asks for (contract 4 and 14)."""
    headers = {**HEADERS, "retry-after": seconds, "date": "Fri, 15 Jan 2027 08:00:00 GMT"}
    refused: list[float] = []

    def refuse_once(path: str, t: float) -> HttpResponse | None:
        if "stream" in path or t < 20 or (refused and t - refused[0] > 2):
            return None
        refused.append(t)
        return HttpResponse(status, headers, b"", 0.01)

    woodpecker = InMemoryWoodpecker(stream=stream, bad=refuse_once)
    woodpecker.push(timelines.make_green(400), at=1.0)
    events: list[tuple[float, Event]] = []
    assert woodpecker.watch(tell=lambda event: events.append((woodpecker.clock.t, event))).exit is ExitCode.OK

    asked_again = next(t for t, path in woodpecker.requests if t > refused[-1] and "stream" not in path)
    assert refused[-1] + asked <= asked_again <= refused[-1] + asked + 1
    reported = [t for t, event in events if isinstance(event, ContactLost)]
    assert len(reported) == 1
    assert reported[0] - refused[0] == pytest.approx(5.0, abs=0.1)
    assert sum(isinstance(event, ContactRestored) for _, event in events) == 1
    assert longest_gap([t for t, _ in events]) < 61 + INTERVALS.unestimated_max_s, "a heartbeat waits for a poll"


@pytest.mark.parametrize("seconds", ["170", "4000"])
def test_a_server_that_asks_to_wait_past_the_timeout_is_asked_once_at_its_end(seconds: str) -> None:
    headers = {**HEADERS, "retry-after": seconds}
    woodpecker = InMemoryWoodpecker(stream="", bad=between(HttpResponse(503, headers, b"", 0.01), 0.0))
    assert woodpecker.watch(timeouts=WatchTimeouts(unreachable=100.0)).exit is ExitCode.UNREACHABLE
    assert [round(t) for t, _ in woodpecker.requests] == [0, 100]


@pytest.mark.parametrize("since", [0.0, 7.0, 33.0])
@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_a_heartbeat_comes_every_minute_while_every_request_hangs(stream: str, since: float) -> None:
    hanging = RequestFailed(FailureKind.TIMEOUT, "no complete response within 15 s")
    woodpecker = InMemoryWoodpecker(stream=stream, bad=between(hanging, since))
    woodpecker.push(timelines.make_green(900), at=1.0)
    moments: list[float] = []
    timeouts = WatchTimeouts(unreachable=600.0)
    verdict = woodpecker.watch(timeouts=timeouts, tell=lambda _: moments.append(woodpecker.clock.t))
    assert verdict.exit is ExitCode.UNREACHABLE
    assert longest_gap([*moments, woodpecker.clock.t]) <= 60
    assert len(moments) < 30


@pytest.mark.parametrize("unreachable", [5.0, 10.0, 60.0])
def test_silence_ends_the_watch_after_its_time(unreachable: float) -> None:
    woodpecker = InMemoryWoodpecker(bad=between(GONE, 60))
    woodpecker.push(timelines.make_green(300), at=1.0)
    assert woodpecker.watch(timeouts=WatchTimeouts(unreachable=unreachable)).exit is ExitCode.UNREACHABLE
    assert 60 + unreachable <= woodpecker.clock.t <= 60 + 21 + unreachable


@pytest.mark.parametrize(
    ("away", "created"),
    [((0.0, 100.0), 130.0), ((5.0, 150.0), 200.0), ((5.0, 170.0), 282.0)],
    ids=["at first", "later", "at the very end"],
)
def test_the_appear_timeout_counts_time_in_contact(away: tuple[float, float], created: float) -> None:
    woodpecker = InMemoryWoodpecker(stream="", bad=between(GONE, *away))
    woodpecker.push(timelines.make_green(10), at=created)
    assert woodpecker.watch().exit is ExitCode.OK


def test_the_appear_timeout_ends_when_its_time_in_contact_is_over() -> None:
    woodpecker = InMemoryWoodpecker(stream="", bad=between(GONE, 20, 100))
    assert woodpecker.watch().exit is ExitCode.NO_PIPELINE
    assert 200 <= woodpecker.clock.t <= 217


@pytest.mark.parametrize("stopped_at", [3.0, 40.0, 100.0])
@pytest.mark.parametrize("stopped_for", [200.0, 3600.0, 40_000.0])
@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_a_process_that_was_stopped_resumes_where_it_was(stream: str, stopped_for: float, stopped_at: float) -> None:
    """Ctrl-Z and fg: no timeout counts the time, although the first request after it fails."""
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(timelines.make_green(stopped_for + 300), at=1.0)
    woodpecker.clock.stops = {stopped_at: stopped_for}
    woodpecker.bad = between(GONE, stopped_at + stopped_for, stopped_at + stopped_for + 40)
    assert woodpecker.watch().exit is ExitCode.OK


@pytest.mark.parametrize("stopped_for", [200.0, 3600.0])
def test_a_process_that_was_stopped_waits_on_for_a_pipeline_to_appear(stopped_for: float) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_green(10), at=stopped_for + 100)
    woodpecker.clock.stops = {10.0: stopped_for}
    assert woodpecker.watch().exit is ExitCode.OK


@pytest.mark.parametrize("stopped_for", [200.0, 3600.0])
def test_a_process_that_was_stopped_during_a_request_resumes(stopped_for: float) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_green(stopped_for + 100), at=1.0)

    def stop(path: str, t: float) -> RequestFailed | None:
        if "pipelines?" not in path or not 40 <= t < 40 + stopped_for:
            return None
        woodpecker.clock.t += stopped_for
        return GONE

    woodpecker.bad = stop
    assert woodpecker.watch(timeouts=WatchTimeouts(overall=9e9)).exit is ExitCode.OK


def test_a_sleep_that_ends_a_little_late_counts() -> None:
    clock = FakeClock()
    active = ActiveClock(clock)
    late = [MAX_LATE_WAKE_S, MAX_LATE_WAKE_S + 0.5, 3600.0]
    clock.while_asleep = lambda: setattr(clock, "time", clock.time + late.pop(0))
    active.sleep(1.0)
    assert active.now() == 1.0 + MAX_LATE_WAKE_S
    active.sleep(1.0)
    active.sleep(1.0)
    assert active.now() == 3.0 + MAX_LATE_WAKE_S


DECIDED = {
    ExitCode.FAILED: timelines.make_red(seconds=5),
    ExitCode.CANCELLED: timelines.make_cancelled(after=5),
    ExitCode.BLOCKED: timelines.make_blocked(),
}


@pytest.mark.parametrize("exit_", DECIDED, ids=lambda exit_: exit_.verdict)
@pytest.mark.parametrize("first", [True, False], ids=["decided first", "running first"])
def test_a_decided_pipeline_beside_a_running_one_counts_at_the_timeout(exit_: ExitCode, *, first: bool) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    pair = [(DECIDED[exit_], "push"), (timelines.make_green(900), "tag")]
    for timeline, event in pair if first else reversed(pair):
        woodpecker.push(timeline, at=1.0, event=event, ref=f"refs/{event}s/v1")
    verdict = woodpecker.watch(timeouts=WatchTimeouts(overall=30))
    assert verdict.exit is exit_, verdict
    assert "timed out: #" in verdict.reason
    assert len(verdict.pipelines) == 2


def test_a_green_pipeline_beside_a_running_one_is_a_timeout() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_green(5), at=1.0)
    woodpecker.push(timelines.make_green(900), at=1.0, event="tag", ref="refs/tags/v1")
    verdict = woodpecker.watch(timeouts=WatchTimeouts(overall=30))
    assert (verdict.exit, verdict.reason) == (ExitCode.TIMEOUT, "timed out: #2 is running")


def reports(
    woodpecker: InMemoryWoodpecker, *, overall: float, chosen: Callable[[Waiting], bool] = lambda _: True
) -> list[float]:
    """When a watch reported why it waits."""
    found: list[float] = []

    def tell(event: Event) -> None:
        if isinstance(event, Waiting) and chosen(event):
            found.append(woodpecker.clock.t)

    assert woodpecker.watch(timeouts=WatchTimeouts(overall=overall), tell=tell).exit is ExitCode.TIMEOUT
    return found


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
@pytest.mark.parametrize(("workers", "paused", "word"), [(0, False, "no agent"), (1, True, "paused")])
@pytest.mark.parametrize("at", [0.5, 17.0])
def test_what_holds_up_a_pending_pipeline_is_reported_after_thirty_seconds(
    stream: str, workers: int, word: str, at: float, *, paused: bool
) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.book.workers, woodpecker.book.paused = workers, paused
    woodpecker.push(timelines.make_pending(), at=at)
    first = reports(woodpecker, overall=200, chosen=lambda event: word in event.reason)[0]
    assert at + 30 <= first <= at + 35


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_a_heartbeat_comes_every_minute(stream: str) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(timelines.make_stuck(), at=1.0)
    times = reports(woodpecker, overall=500)
    gaps = [later - earlier for earlier, later in pairwise(times[1:])]
    assert gaps
    assert all(59 <= gap <= 65 for gap in gaps), gaps


def test_time_in_these_tests_passes_only_in_a_sleep() -> None:
    clock = StreamClock()
    clock.stops = {5.0: 100.0}
    clock.sleep(4.0)
    assert clock.now() == 4.0
    clock.sleep(1.0)
    assert clock.now() == 105.0
