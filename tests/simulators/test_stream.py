"""The event stream sends what the recorded one sent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S

SHA = "a" * 40


@pytest.fixture
def listen(woodpecker: WoodpeckerSimulator) -> Iterator[Callable[..., http.client.HTTPResponse]]:
    """`listen(token=)`: an open stream."""
    opened: list[http.client.HTTPConnection] = []

    def one(token: str = "alice-token") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", woodpecker.port, timeout=HANG_S)
        opened.append(connection)
        connection.request("GET", "/api/stream/events", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse()

    yield one
    for connection in opened:
        connection.close()


def blocks(stream: http.client.HTTPResponse, count: int) -> list[str]:
    """The next events and pings."""
    found = []
    for _ in range(count):
        lines = iter(lambda: stream.readline().decode().rstrip("\n"), "")
        found.append("\n".join(lines))
    return found


def event_of(block: str) -> tuple[str, str]:
    event = json.loads(block.removeprefix("data: "))
    return event["repo"]["full_name"], event["pipeline"]["status"]


def test_a_ping_comes_at_once_and_an_event_for_each_change(
    woodpecker: WoodpeckerSimulator, listen: Any, clock: Any
) -> None:
    stream = listen()
    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    assert blocks(stream, 1) == [": ping"]
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(steps=("test",)))
    clock.time += 2
    assert [event_of(block)[1] for block in blocks(stream, 5)] == [
        "created",
        "pending",
        "running",
        "running",
        "success",
    ]
    clock.time += 31
    assert blocks(stream, 1) == [": ping"]


def test_an_event_has_the_recorded_shape(
    woodpecker: WoodpeckerSimulator, listen: Any, clock: Any, recording: Any
) -> None:
    """The first one carries the workflows of a pipeline that is only `created`."""
    chunks = next(one for one in recording("18-event-stream")["exchanges"] if one["kind"] == "sse")
    recorded = json.loads(chunks["response"]["chunks"][1]["data"].removeprefix("data: "))
    stream = listen()
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(steps=("hello",)))
    clock.time += 0.06
    mine = json.loads(blocks(stream, 2)[1].removeprefix("data: "))
    assert list(mine["repo"]) == list(recorded["repo"])
    assert list(mine["pipeline"]) == list(recorded["pipeline"])
    assert list(mine["pipeline"]["workflows"][0]["children"][0]) == list(
        recorded["pipeline"]["workflows"][0]["children"][0]
    )


def test_the_stream_is_later_than_the_list(woodpecker: WoodpeckerSimulator, listen: Any, ask: Any, clock: Any) -> None:
    woodpecker.lag = 3.0
    stream = listen()
    blocks(stream, 1)
    woodpecker.push("acme/app", "main", SHA, timelines.make_created_then_gone(after=10))
    clock.time += 2.9
    assert ask("/api/repos/8/pipelines").json[0]["status"] == "created"
    clock.time += 0.2
    assert event_of(blocks(stream, 1)[0]) == ("acme/app", "created")


def test_private_repositories_are_listed_for_those_who_may_read_them(
    woodpecker: WoodpeckerSimulator, listen: Any, clock: Any
) -> None:
    hers, bad, his = listen("carol-token"), listen("bad"), listen("bob-token")
    for name in ("acme/secret", "acme/other"):
        woodpecker.push(name, "main", SHA, timelines.make_created_then_gone(after=5))
        clock.time += 1
    assert event_of(blocks(hers, 2)[1])[0] == "acme/other"
    assert event_of(blocks(bad, 2)[1])[0] == "acme/other"
    assert [event_of(block)[0] for block in blocks(his, 3)[1:]] == ["acme/secret", "acme/other"]


def test_a_dropped_stream_ends_without_its_last_chunk(woodpecker: WoodpeckerSimulator, listen: Any) -> None:
    stream = listen()
    blocks(stream, 1)
    woodpecker.drop_streams()
    with pytest.raises(http.client.IncompleteRead):
        stream.read()


def test_a_stream_can_be_open_and_silent(woodpecker: WoodpeckerSimulator, listen: Any, clock: Any) -> None:
    woodpecker.fail(FaultRule(fault=faults.Hang(FaultPoint.HEADERS), path="/stream/"))
    stream = listen()
    woodpecker.push("acme/app", "main", SHA, timelines.make_green())
    clock.time += 5
    stream.fp.raw._sock.settimeout(0.15)
    with pytest.raises(TimeoutError):
        stream.readline()


def test_no_change_is_lost_whatever_the_fractions_of_a_second(
    woodpecker: WoodpeckerSimulator, listen: Any, clock: Any
) -> None:
    stream = listen()
    for i in range(20):
        clock.time += 0.1 + i / 7
        woodpecker.push("acme/app", f"b{i}", SHA, timelines.make_created_then_gone(after=0.3))
        woodpecker.push("acme/app", f"c{i}", SHA, timelines.make_config_error(after=0.7 / (i + 1)))
    clock.time += 20
    found = [event_of(block)[1] for block in blocks(stream, 61)[1:]]
    assert [found.count(status) for status in ("created", "error")] == [40, 20]
