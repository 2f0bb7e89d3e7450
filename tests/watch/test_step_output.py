"""The logs of running steps are shown, and no more: they are bounded, end silently, and change no verdict."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Status, Step, Workflow
from homelab_hooks.ci.woodpecker.log_stream import (
    MAX_LINE_EVENT_BYTES,
    MAX_LINES_PER_CHUNK,
    MAX_STREAM_BYTES,
    LogEventParser,
    LogStreamReader,
)
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.simulators.woodpecker.script import LogChunk
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.watch.step_output import MAX_OPEN_STREAMS, MAX_STREAMS, StepOutput
from tests.ci.values import APP, run_ref
from tests.waiting import HANG_S, wait_until
from tests.watch.random_history import OURS
from tests.watch.run_over_sockets import Watching, watch
from tests.watch.shared_clock import SharedClock

RECORDINGS = Path(__file__).parent.parent / "recordings" / "woodpecker"
PING = b": ping\n\n"


def line_event(number: int, text: str, kind: int = 0) -> bytes:
    """A line as the server sends it."""
    data = base64.b64encode(text.encode()).decode()
    entry = {"id": number, "step_id": 7, "time": 0, "line": number, "data": data, "type": kind}
    return b"id: %d\ndata: %s\n\n" % (number, json.dumps(entry).encode())


WHOLE = PING + line_event(0, "compiling") + PING + line_event(1, "12 of 40 \u2713") + b"event: eof\ndata: eof\n\n"
LINES = [LogLine(0, "compiling"), LogLine(1, "12 of 40 \u2713")]


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(min_value=0, max_value=len(WHOLE)), max_size=6))
def test_lines_are_read_however_the_chunks_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    parser = LogEventParser()
    found = [line for at, until in pairwise(places) for line in parser.feed(WHOLE[at:until])]
    assert found == LINES


@pytest.mark.parametrize(
    "event",
    [
        b"data: eof\n\n",
        b"data: []\n\n",
        b"data: [" + b"[" * 5000 + b"\n\n",
        b"data: \xff\n\n",
        b"event: error\ndata: process not found\n\n",
        line_event(3, "exit code", kind=2),
        b"\n\n",
    ],
)
def test_what_is_no_line_is_left_out(event: bytes) -> None:
    """Errors, exit codes, and what a proxy may send."""
    assert LogEventParser().feed(event + line_event(4, "next")) == [LogLine(4, "next")]


@pytest.mark.parametrize("name", ["02-success", "02c-late-logs"])
def test_recorded_streams_have_no_lines_and_end(name: str) -> None:
    """An agent sends nothing while a step prints all the time; the view then shows no line."""
    recording = load_recording(RECORDINGS / f"{name}.json.gz")
    streams = [one for one in recording["exchanges"] if "/stream/logs/" in one["request"]["path"]]
    assert streams
    for stream in streams:
        parser = LogEventParser()
        assert [line for chunk in stream["response"]["chunks"] for line in parser.feed(chunk["data"].encode())] == []


class Speaker:
    """A client whose stream consists of these chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.read = chunks, 0
        self.closed = threading.Event()

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        """Pass on the chunks."""
        del path, idle_timeout
        for chunk in self.chunks:
            self.read += 1
            on_chunk(chunk)
        return RequestFailed(FailureKind.CONNECTION, "the stream ended")

    def close(self) -> None:
        """The reader has ended."""
        self.closed.set()


def received(speaker: Speaker) -> list[str]:
    """The lines that a reader passes on."""
    texts: list[str] = []
    LogStreamReader(speaker, "/api/stream/logs/8/1/7", lambda line: texts.append(line.text)).start()
    assert speaker.closed.wait(HANG_S)
    return texts


def test_of_many_lines_at_once_only_the_last_are_passed_on() -> None:
    texts = received(Speaker(b"".join(line_event(number, str(number)) for number in range(1000))))
    assert texts == [str(number) for number in range(1000 - MAX_LINES_PER_CHUNK, 1000)]


@pytest.mark.slow
def test_a_stream_is_bounded_in_bytes() -> None:
    """A step may print for hours, and a broken server for ever."""
    pings = Speaker(*[PING * 10_000] * (MAX_STREAM_BYTES // len(PING * 10_000) + 5))
    assert received(pings) == []
    assert pings.read < len(pings.chunks)
    endless = Speaker(*[b"x" * 65536] * 100)
    assert received(endless) == []
    assert endless.read == MAX_LINE_EVENT_BYTES // 65536 + 1


def test_nothing_is_passed_on_after_close() -> None:
    """The result has been printed by then."""
    texts: list[str] = []
    speaker = Speaker(line_event(0, "late"))
    reader = LogStreamReader(speaker, "/", lambda line: texts.append(line.text))
    reader.close()
    reader.start()
    assert speaker.closed.wait(HANG_S)
    assert texts == []


class Streams:
    """The streams that were opened; each is closed with its step."""

    def __init__(self) -> None:
        self.opened: list[Hashable] = []
        self.open: dict[Hashable, Callable[[LogLine], None]] = {}
        self.logs: list[Log] = []
        self.output = StepOutput(self._open, self.logs.append)

    def _open(self, repo: Repo, run: RunRef, step: Step, on_line: Callable[[LogLine], None]) -> OpenedStream:
        assert repo == APP
        assert run == run_ref(141)
        self.opened.append(step.id)
        self.open[step.id] = on_line
        return OpenedStream(self, step.id)

    def show(self, *steps: Step) -> None:
        """A poll that has read the pipeline with these steps."""
        workflow = Workflow(pid=1, name="build", state=Status.RUNNING, steps=steps)
        self.output.update(APP, (pipeline_of(workflow),))


class OpenedStream:
    """One open stream."""

    def __init__(self, streams: Streams, step: Hashable) -> None:
        self._streams, self._step = streams, step

    def close(self) -> None:
        """It is open no more."""
        del self._streams.open[self._step]


def pipeline_of(workflow: Workflow) -> Pipeline:
    """A pipeline that runs this workflow."""
    return Pipeline(
        run=run_ref(141), number=141, group="push", event="push", ref="refs/heads/main", branch="main", commit=OURS,
        status=Status.RUNNING, workflows=(workflow,),
    )  # fmt: skip


def step_of(number: int, state: Status = Status.RUNNING, kind: str = "commands") -> Step:
    return Step(id=5000 + number, pid=number, name=f"step{number}", state=state, kind=kind)


def test_a_stream_is_open_while_its_step_runs() -> None:
    """Of clones and services nothing is shown, and a step that runs again is another one."""
    streams = Streams()
    streams.show(step_of(1, kind="clone"), step_of(2, kind="service"), step_of(3), step_of(4, Status.PENDING))
    assert list(streams.open) == [5003]
    streams.open[5003](LogLine(0, "10%\r\x1b[32m40%\x1b[0m\r\n"))
    streams.open[5003](LogLine(1, ""))
    assert streams.logs == [Log("running #141/3", "40%")]
    streams.output.update(APP, ())
    assert list(streams.open) == [5003]
    streams.show(step_of(3, Status.SUCCESS), step_of(4))
    assert list(streams.open) == [5004]
    streams.output.close()
    assert streams.open == {}


def test_the_number_of_streams_is_bounded() -> None:
    """Each is a request; a stream that failed is not opened again."""
    streams = Streams()
    for number in range(1, 20):
        running = [step_of(other) for other in range(number, number + 5)]
        streams.show(*running)
        streams.show(*running)
        assert len(streams.open) <= MAX_OPEN_STREAMS
    assert len(streams.opened) == len(set(streams.opened)) == MAX_STREAMS


BUILD_OUTPUT = replace(
    timelines.make_green(seconds=20),
    logs=(LogChunk(2.0, "build", (b"compiling",)), LogChunk(4.0, "build", (b"linking",))),
)


def test_the_simulated_server_streams_what_a_step_prints_while_it_runs(
    woodpecker: WoodpeckerSimulator, time: SharedClock
) -> None:
    """It has no line from before it was opened, and ends with the workflow."""
    woodpecker.push("acme/app", "main", OURS, BUILD_OUTPUT)
    time.advance(3.0)
    path = f"/api/stream/logs/8/1/{woodpecker.store.rows[0].first_step}"
    clients = [
        HttpClient(parse_server_url(woodpecker.url), clock=woodpecker.clock, token="alice-token") for _ in range(2)
    ]
    running: list[bytes] = []
    reader = threading.Thread(target=clients[0].stream, args=(path, running.append), kwargs={"idle_timeout": HANG_S})
    reader.start()
    wait_until(lambda: running == [PING])
    time.advance(2.0)
    wait_until(lambda: LogEventParser().feed(b"".join(running)) == [LogLine(1, "linking")])
    time.advance(20.0)
    reader.join(HANG_S)
    assert b"".join(running).endswith(b"event: eof\ndata: eof\n\n")
    late: list[bytes] = []
    ended = clients[1].stream(path, late.append, idle_timeout=HANG_S)
    assert b"".join(late) == PING + b"event: error\ndata: step not running (anymore)\n\n"
    assert ended.reason == "the stream ended"
    for client in clients:
        client.close()


LOG_PATH = "/api/stream/logs/"
FAULTS: dict[str, tuple[FaultRule, ...]] = {
    "absent": (FaultRule(fault=faults.StatusFault(code=404), path=LOG_PATH),),
    "a web page": (FaultRule(fault=faults.WEB_PAGE, path=LOG_PATH),),
    "open and silent": (FaultRule(fault=faults.Hang(FaultPoint.HEADERS), path=LOG_PATH),),
    "endless": (FaultRule(fault=faults.Endless(b"data: " + b"x" * 65536), path=LOG_PATH),),
    "well": (),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_log_stream_changes_a_verdict(woodpecker: WoodpeckerSimulator, name: str) -> None:
    """Nor is anything printed about one that fails."""
    woodpecker.push("acme/app", "main", OURS, timelines.make_red(seconds=6))
    woodpecker.fail(*FAULTS[name])
    ended = watch(woodpecker, Watching(shows_output=True))
    assert ended.verdict.exit is ExitCode.FAILED
    assert "stream" not in ended.said
    wait_until(lambda: woodpecker.count(LOG_PATH) >= 1)
    assert woodpecker.count(LOG_PATH) <= 2
