"""The event stream wakes and no more: however it comes cut, late, garbled or not at all, the verdicts are the same."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.ci.model import Status
from homelab_hooks.ci.woodpecker.sse import MAX_EVENT_BYTES, MalformedStream, PipelineHint, SseParser
from homelab_hooks.ci.woodpecker.stream import IDLE_TIMEOUT_S, STEP_WAKE_INTERVAL_S, EventStreamListener
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker import json_v3 as shape, timelines
from homelab_hooks.simulators.woodpecker.script import take_snapshot
from homelab_hooks.simulators.woodpecker.server import STREAM_PATH, WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import PipelineStore, SimulatedRepo
from tests.ci.values import APP, run_ref
from tests.support.clock import FakeClock
from tests.waiting import HANG_S
from tests.watch.random_history import OLDER, OURS
from tests.watch.run_over_sockets import Watching, watch
from tests.watch.run_without_sockets import InMemoryWoodpecker

PING = b": ping\n\n"


def payload(t: float = 0.0, *, sha: str = OURS, repo: int = 8) -> dict[str, Any]:
    """What an event says of a green pipeline at its second t."""
    known = SimulatedRepo(id=repo, full_name="acme/app")
    book = PipelineStore([known], [], wall=1_800_000_000.0)
    row = book.add(known, timelines.make_green(), 0.0, commit=sha, branch="main", ref="refs/heads/main")
    assert row is not None
    now = take_snapshot(row.timeline, t)
    assert now is not None
    return {"repo": shape.encode_repository(known), "pipeline": shape.encode_pipeline(book, row, now, detail=True)}


def event(t: float = 0.0, **facts: Any) -> bytes:
    return b"data: " + shape.encode_json(payload(t, **facts)) + b"\n\n"


WHOLE = PING + event(0.0) + event(0.3) + PING + event(1.0)


def fed(*chunks: bytes) -> list[PipelineHint]:
    stream = SseParser()
    return [hint for chunk in chunks for hint in stream.feed(chunk)]


def test_events_are_read_as_hints() -> None:
    found = fed(WHOLE)
    assert [(hint.repo, hint.number, hint.commit) for hint in found] == [(8, 1, OURS)] * 3
    assert [hint.status for hint in found] == [Status.CREATED, Status.RUNNING, Status.SUCCESS]
    assert [hint.ended for hint in found] == [False, False, True]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@settings(max_examples=40)
@given(cuts=st.lists(st.integers(min_value=0, max_value=len(WHOLE) + 400), max_size=6))
def test_chunks_may_be_cut_anywhere(line_end: bytes, cuts: list[int]) -> None:
    whole = WHOLE.replace(b"\n", line_end)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[since:until] for since, until in pairwise(places)]
    assert fed(*chunks) == fed(WHOLE)


def test_a_byte_at_a_time_is_enough() -> None:
    for whole in (WHOLE, WHOLE.replace(b"\n", b"\r\n")):
        assert fed(*(whole[place : place + 1] for place in range(len(whole)))) == fed(WHOLE)


NONSENSE = [
    b"data: {\n\n",
    b"data: null\n\n",
    b"data: []\n\n",
    b"data: {}\n\n",
    b'data: {"repo": {"id": 8}, "pipeline": null}\n\n',
    b'data: {"repo": null, "pipeline": {}}\n\n',
    b'data: {"repo": {"id": "x"}, "pipeline": {"number": "y"}}\n\n',
    b"data: " + b"[" * 100_000 + b"\n\n",
    b"data:\n\n",
    b"\xff\xfe\x00\n\n",
    b"data: \xff\n\n",
    b"event: eof\ndata: eof\n\n",
    b"\n\n\n\n",
    b"id: 1\nretry: 10\n\n",
    b"<!doctype html>\n<html></html>\n\n",
]


def repr_(raw: bytes) -> str:
    return repr(raw[:30])


@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr_)
def test_nonsense_between_two_events_is_passed_over(nonsense: bytes) -> None:
    assert fed(event(0.0), nonsense, event(1.0)) == fed(event(0.0), event(1.0))


def test_data_in_several_lines_is_one_event() -> None:
    pretty = json.dumps(payload(1.0), indent=1).encode()
    lines = b"".join(b"data: " + line + b"\n" for line in pretty.split(b"\n"))
    assert fed(b"event: message\nid: 7\n" + lines + b"\n") == fed(event(1.0))


def test_an_event_without_an_end_is_garbage() -> None:
    stream = SseParser()
    stream.feed(b"data: " + b"x" * (MAX_EVENT_BYTES - 6))
    with pytest.raises(MalformedStream):
        stream.feed(b"x")


class StreamServer:
    """A server whose stream sends what a test gives it, one connection after the other; the last one stays open."""

    def __init__(self, *connections: tuple[bytes, ...]) -> None:
        self.connections = list(connections)
        self.heard = 0
        self.done = threading.Event()
        self.closed = threading.Event()

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        assert (path, idle_timeout) == (STREAM_PATH, IDLE_TIMEOUT_S)
        self.heard += 1
        for chunk in self.connections.pop(0):
            on_chunk(chunk)
        if not self.connections:
            self.done.set()
            self.closed.wait(HANG_S)
        return RequestFailed(FailureKind.CONNECTION, "the stream ended")

    def close(self) -> None:
        """Nothing to close."""


class ListenerSetup:
    """An event listener, its clock, and how often it called `wake`."""

    def __init__(self, *connections: tuple[bytes, ...]) -> None:
        self.clock, self.wakes = FakeClock(), 0
        self.speaker = StreamServer(*connections)
        self.ear = EventStreamListener(self.speaker, APP, wake=self._woken, now=self.clock.now)
        self.ear.news(OURS, frozenset())

    def _woken(self) -> None:
        self.wakes += 1

    def to_the_end(self) -> None:
        self.ear.start()
        assert self.speaker.done.wait(HANG_S)
        self.ear.close()
        self.speaker.closed.set()


def test_news_of_our_commit_wakes() -> None:
    one = ListenerSetup((PING, event(0.0)))
    one.to_the_end()
    news = one.ear.news(OURS, frozenset())
    assert (one.wakes, news.changed, news.ended) == (1, True, False)


@pytest.mark.parametrize("other", [event(1.0, sha=OLDER), event(1.0, repo=9)], ids=["commit", "repository"])
def test_news_of_others_do_not_wake(other: bytes) -> None:
    one = ListenerSetup((PING, other))
    one.to_the_end()
    assert (one.wakes, one.ear.news(OURS, frozenset()).changed) == (0, False)


def test_a_number_that_is_followed_wakes_whatever_its_commit() -> None:
    one = ListenerSetup((event(1.0, sha=OLDER),))
    one.ear.news(OURS, frozenset({run_ref(1)}))
    one.to_the_end()
    assert (one.wakes, one.ear.news(OURS, frozenset({run_ref(1)})).ended) == (1, True)


def test_mere_steps_wake_no_more_often_than_the_gap() -> None:
    """A change of status or an end wakes at once."""
    assert STEP_WAKE_INTERVAL_S == 5.0
    one = ListenerSetup((event(0.3), event(0.4), event(0.7), event(0.3), event(1.0)))
    one.to_the_end()
    assert one.wakes == 2


def test_news_are_reported_once() -> None:
    one = ListenerSetup((event(1.0),))
    one.to_the_end()
    assert one.ear.news(OURS, frozenset()).changed
    assert not one.ear.news(OURS, frozenset()).changed


@pytest.mark.slow
def test_a_listener_opens_the_stream_again_after_an_end_or_garbage() -> None:
    one = ListenerSetup((PING,), (b"x" * (MAX_EVENT_BYTES + 1),), (event(1.0),))
    one.to_the_end()
    assert one.speaker.heard == 3
    assert one.ear.news(OURS, frozenset()).ended


@pytest.mark.slow
def test_a_stream_that_ended_is_not_up() -> None:
    one = ListenerSetup((PING,), ())
    one.to_the_end()
    assert not one.ear.news(OURS, frozenset()).is_up


@pytest.mark.parametrize("garbage", [*NONSENSE, b": keep-alive\n\n", b":\n\n", b"x" * 1000, b"x\n" * 1000], ids=repr_)
def test_garbage_is_not_a_sign_of_life(garbage: bytes) -> None:
    one = ListenerSetup((garbage, garbage))
    one.to_the_end()
    assert not one.ear.news(OURS, frozenset()).is_up


@pytest.mark.parametrize("sign", [PING, PING.replace(b"\n", b"\r\n"), event(0.3), event(0.3, repo=9)], ids=repr_)
def test_a_ping_and_a_valid_event_are_signs_of_life(sign: bytes) -> None:
    one = ListenerSetup((b"data: {}\n\n", sign))
    one.to_the_end()
    assert one.ear.news(OURS, frozenset()).is_up


def test_a_stream_of_garbage_is_opened_again() -> None:
    """Whatever sends it keeps the connection from being silent."""
    one = ListenerSetup((PING, b"x\n\n"), (event(1.0),))
    chunks = one.speaker.connections[0]
    one.clock.time, one.speaker.connections[0] = 0.0, ()
    handle = one.ear._chunk_handler(SseParser())
    handle(chunks[0])
    one.clock.sleep(IDLE_TIMEOUT_S - 1)
    handle(chunks[1])
    one.clock.sleep(2)
    with pytest.raises(MalformedStream):
        handle(chunks[1])


def test_a_stream_that_is_silent_for_long_is_not_up() -> None:
    """The server pings twice a minute (recording 11c-server-restart)."""
    one = ListenerSetup((PING,))
    one.to_the_end()
    assert one.ear.news(OURS, frozenset()).is_up
    one.clock.sleep(IDLE_TIMEOUT_S + 1)
    assert not one.ear.news(OURS, frozenset()).is_up


STREAMS: dict[str, tuple[FaultRule, ...]] = {
    "absent": (FaultRule(fault=faults.StatusFault(code=404), path=STREAM_PATH),),
    "a web page": (FaultRule(fault=faults.WEB_PAGE, path=STREAM_PATH),),
    "a bad gateway": (FaultRule(fault=faults.BAD_GATEWAY, path=STREAM_PATH),),
    "silent before its headers": (FaultRule(fault=faults.Hang(FaultPoint.BEFORE), path=STREAM_PATH),),
    "open and silent": (FaultRule(fault=faults.Hang(FaultPoint.HEADERS), path=STREAM_PATH),),
    "garbage": (FaultRule(fault=faults.NotHttp(), path=STREAM_PATH),),
    "endless": (FaultRule(fault=faults.Endless(b"data: " + b"x" * 65536), path=STREAM_PATH),),
    "a reset": (FaultRule(fault=faults.Cut(FaultPoint.BODY), path=STREAM_PATH),),
    "refused": (FaultRule(fault=faults.StatusFault(code=401), path=STREAM_PATH),),
    "JSON": (FaultRule(fault=faults.BodyFault(content=b"[]"), path=STREAM_PATH),),
    "well": (),
}
SCRIPTS = {
    ExitCode.OK: timelines.make_green(seconds=4),
    ExitCode.FAILED: timelines.make_red(seconds=4),
    ExitCode.CANCELLED: timelines.make_cancelled(after=3),
    ExitCode.NO_PIPELINE: timelines.make_created_then_gone(after=2),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("exit_", SCRIPTS, ids=lambda one: one.verdict)
@pytest.mark.slow
def test_no_stream_changes_a_verdict(woodpecker: WoodpeckerSimulator, name: str, exit_: ExitCode) -> None:
    woodpecker.push("acme/app", "main", OURS, SCRIPTS[exit_])
    woodpecker.fail(*STREAMS[name])
    ended = watch(woodpecker, Watching(seconds=(60, 8, 20), listen=True))
    assert ended.verdict.exit is exit_
    assert woodpecker.count(STREAM_PATH) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("lag", [3.0, 8.0, 1000.0], ids=str)
def test_a_stream_that_is_late_changes_no_verdict(woodpecker: WoodpeckerSimulator, lag: float) -> None:
    woodpecker.lag = lag
    woodpecker.push("acme/app", "main", OURS, timelines.make_red(seconds=6))
    assert watch(woodpecker, Watching(listen=True)).verdict.exit is ExitCode.FAILED


@pytest.mark.slow
def test_a_stream_that_is_dropped_again_and_again_changes_no_verdict(woodpecker: WoodpeckerSimulator) -> None:
    woodpecker.push("acme/app", "main", OURS, timelines.make_green(seconds=20))
    ended = watch(woodpecker, Watching(listen=True), tell=lambda _: woodpecker.drop_streams())
    assert ended.verdict.exit is ExitCode.OK


def test_a_stream_that_lies_gives_no_verdict() -> None:
    """It says every second that the pipeline is green and over, or nothing but created; the list knows better."""
    rng = random.Random(4)  # noqa: S311 - a story, not a secret
    lies = [event(t) for t in (0.0, 0.3, 1.0)]
    woodpecker = InMemoryWoodpecker(
        lies=lambda since, until: [rng.choice(lies) for _ in range(int(until) - int(since))]
    )
    woodpecker.push(timelines.make_red(seconds=100), at=1.0)
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.FAILED
    assert 101 <= woodpecker.clock.t <= 107
    assert len(woodpecker.requests) < 500


UNTRUE: dict[str, list[bytes]] = {
    "silent": [],
    "garbage": [b"x" * 100 + b"\n\n", b"data: {}\n\n", b": keep-alive\n\n"],
    "a flood of garbage": [b"x\n\n"] * 500,
    "an endless line": [b"x" * 5000],
    "a flood of pings": [PING] * 200,
    "a flood of others": [event(t, repo=9) for t in (0.0, 0.3, 1.0)] * 10,
    "a flood of older commits": [event(t, sha=OLDER) for t in (0.0, 0.3, 1.0)] * 10,
}


@pytest.mark.parametrize(
    "seconds", [1.2, 12.0, *(pytest.param(long, marks=pytest.mark.slow) for long in (25.0, 40.0, 100.0))]
)
@pytest.mark.parametrize("name", UNTRUE)
def test_a_stream_that_says_nothing_about_our_pipeline_delays_no_verdict(name: str, seconds: float) -> None:
    """Neither its first ping nor what else it sends shows that it would report an end."""
    woodpecker = InMemoryWoodpecker(stream="lies", lies=lambda _since, _until: UNTRUE[name])
    woodpecker.push(timelines.make_green(seconds), at=0.3)
    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t - (0.3 + seconds) <= 4.5


@pytest.mark.parametrize(
    "seconds", [10.0, *(pytest.param(long, marks=pytest.mark.slow) for long in (20.0, 30.0, 40.0))]
)
@pytest.mark.parametrize("name", UNTRUE)
def test_it_delays_no_end_of_a_pipeline_that_ran_before_the_watch_began(name: str, seconds: float) -> None:
    """The watch sees no change before the end, so the stream cannot have missed one."""
    woodpecker = InMemoryWoodpecker(stream="lies", lies=lambda _since, _until: UNTRUE[name])
    woodpecker.push(timelines.make_green(seconds, steps=["build"]), at=0.3)
    woodpecker.clock.t = 5.0
    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t - (0.3 + seconds) <= 4.5


@pytest.mark.parametrize("seconds", [1.2, 5.0, 8.0])
def test_a_stream_that_falls_silent_after_the_start_delays_a_quick_end_by_seconds(seconds: float) -> None:
    """A proxy that buffers lets the first events through."""
    woodpecker = InMemoryWoodpecker(
        stream="lies", lies=lambda since, until: [event(0.3)] if since <= 0.9 < until else []
    )
    woodpecker.push(timelines.make_green(seconds), at=0.3)
    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t - (0.3 + seconds) <= 7.0


@pytest.mark.slow
def test_a_flood_of_changes_of_our_pipeline_costs_few_requests() -> None:
    """Each reports another status and, in turn, an end that does not come."""
    flood = [event(t) for t in (0.0, 0.3, 1.0)] * 3
    woodpecker = InMemoryWoodpecker(stream="lies", lies=lambda _since, _until: flood)
    woodpecker.push(timelines.make_green(600), at=0.3)
    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t <= 600.3 + 5
    assert len(woodpecker.requests) < 450


def test_an_end_that_is_announced_in_vain_does_not_hide_the_next_one() -> None:
    woodpecker = InMemoryWoodpecker(
        lies=lambda since, until: [event(1.0)] if int(since / 7) != int(until / 7) and until < 60 else []
    )
    woodpecker.push(timelines.make_green(100), at=0.3)
    assert woodpecker.watch().exit is ExitCode.OK
    assert woodpecker.clock.t <= 100.3 + 1.5
