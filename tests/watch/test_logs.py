"""`homelab ci logs`: what has arrived is shown, late logs are waited for, a follower sees each line once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from homelab_hooks.ci.model import LogLine, Pipeline
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind, Found
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import (
    Frame,
    LogChunk,
    PipelineTimeline,
    ScriptedStep,
    ScriptedWorkflow,
)
from homelab_hooks.watch.failure_report import REPORT_REQUEST_TIMEOUT_S
from homelab_hooks.watch.log_follow import GIVE_UP_AFTER_S, QUIET_AFTER_END_S
from homelab_hooks.watch.log_selection import LogSelection, SelectedStep, select_steps
from homelab_hooks.watch.log_tail import LOG_TIMEOUT_S, QUIET_PERIOD_S, decide_log_tail, render_line, start_tail
from homelab_hooks.watch.logs import LogReader
from tests.ci.values import APP, run_ref
from tests.waiting import HANG_S
from tests.watch.run_without_sockets import InMemoryWoodpecker

BOTH = timelines.make_timeline(
    (ScriptedStep("build", "success"), ScriptedStep("test", "failure", 1), ScriptedStep("publish", "skipped")),
    seconds=20.2,
    logs={"build": [f"b{n}" for n in range(5)], "test": [f"t{n}" for n in range(5)]},
)


class LogReading:
    """A reader and what it showed."""

    def __init__(self, woodpecker: InMemoryWoodpecker, script: PipelineTimeline = BOTH, *, at: float = 3600.0) -> None:
        self.woodpecker = woodpecker
        self.headings: list[str] = []
        self.lines: list[str] = []
        woodpecker.push(script)
        woodpecker.clock.t = at
        self.reader = LogReader(woodpecker.ci, APP, clock=woodpecker.clock, out=self._out)

    def _out(self, selected: SelectedStep, line: LogLine | None) -> None:
        if line is None:
            self.headings.append(selected.title)
        else:
            self.lines.append(line.text)

    @property
    def pipeline(self) -> Pipeline:
        found = self.woodpecker.ci.runs.pipeline(APP, run_ref(1), within=HANG_S)
        assert isinstance(found, Found)
        pipeline: Pipeline = found.value
        return pipeline

    def show(self, choice: LogSelection | None = None) -> Sequence[str]:
        self.reader.show(self.pipeline, choice or LogSelection())
        return self.lines


def test_the_failed_steps_are_shown() -> None:
    one = LogReading(InMemoryWoodpecker())
    assert one.show() == ["t0", "t1", "t2", "t3", "t4"]
    assert one.headings == ["woodpecker/test: failure, exit code 1"]


def test_a_step_is_shown_by_its_name() -> None:
    assert LogReading(InMemoryWoodpecker()).show(LogSelection(step="build")) == ["b0", "b1", "b2", "b3", "b4"]
    assert LogReading(InMemoryWoodpecker()).show(LogSelection(step="woodpecker/build")) == [
        "b0",
        "b1",
        "b2",
        "b3",
        "b4",
    ]


def test_only_steps_of_the_named_workflows_are_shown() -> None:
    pipeline = LogReading(InMemoryWoodpecker()).pipeline
    assert len(select_steps(pipeline, LogSelection(workflows=("woodpecker",)))) == 1
    assert select_steps(pipeline, LogSelection(workflows=("other",))) == ()


def test_every_step_that_started_is_shown() -> None:
    one = LogReading(InMemoryWoodpecker())
    assert len(one.show(LogSelection(all=True))) == 10
    assert [heading.partition(":")[0] for heading in one.headings] == ["woodpecker/build", "woodpecker/test"]


@pytest.mark.parametrize(("tail", "shown"), [(0, []), (2, ["t3", "t4"]), (99, ["t0", "t1", "t2", "t3", "t4"])])
def test_only_the_last_lines_are_shown_if_wished(tail: int, shown: list[str]) -> None:
    assert LogReading(InMemoryWoodpecker()).show(LogSelection(last_lines=tail)) == shown


def test_a_step_that_does_not_exist_is_a_usage_error_that_names_those_there_are() -> None:
    with pytest.raises(CommandError) as caught:
        select_steps(LogReading(InMemoryWoodpecker()).pipeline, LogSelection(step="tset"))
    assert caught.value.exit is ExitCode.USAGE
    assert "woodpecker/build, woodpecker/test, woodpecker/publish" in caught.value.hint


def test_a_log_that_is_late_is_waited_for() -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, at=20.3)
    assert one.show() == ["t0", "t1", "t2", "t3", "t4"]
    assert woodpecker.clock.t < 24


def parts(*pieces: tuple[float, str]) -> PipelineTimeline:
    """Red at 20 s, with these lines of `test`."""
    script = timelines.make_red(seconds=20)
    return replace(script, logs=tuple(LogChunk(t, "test", (text.encode(),)) for t, text in pieces))


def test_a_busy_agents_log_is_shown_as_far_as_it_came_and_named() -> None:
    """The rest comes 13 s late (recording 02c-late-logs)."""
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, parts((33, "late")), at=20.3)
    assert one.show() == []
    assert woodpecker.clock.t <= 20.3 + LOG_TIMEOUT_S + 1
    assert [title.partition(":")[0] for title in one.reader.incomplete] == ["woodpecker/test"]


def quiet(*steps: str) -> PipelineTimeline:
    """Red at 20 s, where these steps write nothing."""
    script = timelines.make_red(seconds=20)
    return replace(script, logs=tuple(line for line in script.logs if line.step not in steps))


def test_a_step_that_wrote_nothing_says_so_once_nothing_can_come_any_more() -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, quiet("build", "test"))
    assert one.show(LogSelection(all=True)) == ["(no output)", "(no output)"]
    assert one.reader.incomplete == ()
    assert woodpecker.clock.t < 3601


def test_several_logs_that_are_late_are_waited_for_together() -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, quiet("build", "test"), at=20.3)
    assert one.show(LogSelection(all=True)) == ["(no output yet)"]
    assert len(one.reader.incomplete) == 2
    assert [step for step, _ in one.reader.missing] == ["woodpecker/test"], "the one that failed"
    assert woodpecker.clock.t <= 20.3 + LOG_TIMEOUT_S + 1


def test_a_log_that_grows_when_the_time_for_all_is_over_is_not_called_whole() -> None:
    """Four steps' whole logs have used up the time by then."""
    late = tuple(LogChunk(t, "test", (text.encode(),)) for t, text in ((21.0, "one"), (25.9, "two")))
    one = LogReading(InMemoryWoodpecker(), replace(timelines.make_red(seconds=20), logs=late), at=20.3)
    shown = one.show(LogSelection(all=True))
    assert shown == ["one", "two"] or [title.partition(":")[0] for title in one.reader.incomplete][-1:] == [
        "woodpecker/test"
    ]


@pytest.mark.parametrize("request_s", [0.0, 0.01, 0.07, 0.15])
def test_the_last_request_begins_when_the_quiet_period_is_over(request_s: float) -> None:
    """However long requests take, the last pause is no longer than it has to be."""
    pipeline = LogReading(InMemoryWoodpecker()).pipeline
    tail = start_tail(pipeline.workflows[0].steps[1], pipeline, wall_time=0.0)
    asked_at, now = 0.0, request_s
    while (decision := decide_log_tail(tail, Found((LogLine(0, "failed"),)), now)).delay is not None:
        tail, asked_at = decision.state, now + decision.delay
        now = asked_at + request_s
    assert decision.state.complete
    assert asked_at == pytest.approx(request_s + QUIET_PERIOD_S, abs=max(0.002, request_s))


def test_a_log_that_grows_in_parts_is_read_to_its_end() -> None:
    one = LogReading(InMemoryWoodpecker(), parts((20.5, "one"), (21.5, "two"), (22.5, "three")), at=20.3)
    assert one.show() == ["one", "two", "three"]
    assert one.reader.incomplete == ()


NOT_FOUND = HttpResponse(404, {"x-woodpecker-version": "3.17.0"}, b"", 0.01)
BAD_LOGS: dict[str, RequestFailed | HttpResponse] = {
    "404": NOT_FOUND,
    "400": HttpResponse(400, {"x-woodpecker-version": "3.17.0"}, b"", 0.01),
    "401": HttpResponse(401, {"x-woodpecker-version": "3.17.0"}, b"", 0.01),
    "500": HttpResponse(500, {"x-woodpecker-version": "3.17.0"}, b"", 0.01),
    "a web page": HttpResponse(200, {"content-type": "text/html"}, b"<!doctype html>", 0.01),
    "an empty body": HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, b"", 0.01),
    "no JSON": HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, b"[{", 0.01),
    "another shape": HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, b'{"a": 1}', 0.01),
    "a hang": RequestFailed(FailureKind.TIMEOUT, "no complete response"),
    "a reset": RequestFailed(FailureKind.CONNECTION, "reset"),
}


@pytest.mark.parametrize("name", BAD_LOGS)
@pytest.mark.parametrize("at", [20.3, 3600.0], ids=["just ended", "long ago"])
def test_a_log_that_cannot_be_read_is_missing_with_the_reason(name: str, at: float) -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, at=at)
    woodpecker.bad = lambda path, _: BAD_LOGS[name] if "/logs/" in path else None
    assert one.show() == []
    assert [step for step, _ in one.reader.missing] == ["woodpecker/test"]
    assert all(reason for _, reason in one.reader.missing)


@pytest.mark.parametrize("at", [20.3, 3600.0], ids=["just ended", "long ago"])
def test_a_server_that_hangs_is_not_waited_for_at_each_step(at: float) -> None:
    steps = tuple(ScriptedStep(f"step{number}", "failure", 1) for number in range(10))
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, timelines.make_timeline(steps, seconds=20.2), at=at)
    woodpecker.bad = lambda path, _: BAD_LOGS["a hang"] if "/logs/" in path else None
    one.show()
    assert len(one.reader.missing) == 10
    assert woodpecker.clock.t - at < REQUEST_TIMEOUT_S + 9 * REPORT_REQUEST_TIMEOUT_S + LOG_TIMEOUT_S


def test_of_several_logs_only_the_one_that_cannot_be_read_is_missing() -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker)
    first = one.pipeline.workflows[0].steps[0]
    woodpecker.bad = lambda path, _: NOT_FOUND if path.endswith(f"/{first.id}") else None
    assert one.show(LogSelection(all=True)) == ["t0", "t1", "t2", "t3", "t4"]
    assert [step for step, _ in one.reader.missing] == ["woodpecker/build"]


def test_a_log_that_has_not_arrived_is_missing_too() -> None:
    one = LogReading(InMemoryWoodpecker(), parts((33, "late")), at=20.3)
    one.show()
    assert one.reader.missing == (("woodpecker/test", "not arrived yet"),)


def test_the_empty_log_of_a_running_step_is_named_and_not_missing() -> None:
    one = LogReading(InMemoryWoodpecker(), timelines.make_stuck(), at=30.0)
    one.show(LogSelection(step="test"))
    assert one.lines == ["(no output yet)"]
    assert one.reader.missing == ()


def test_a_pipeline_without_an_end_time_is_over_too() -> None:
    """`finished` is 0 if the workflow that settled last was skipped (recording 04-depends-on)."""
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, quiet("test"))
    one.reader.show(one.pipeline._replace(finished=0), LogSelection())
    assert one.lines == ["(no output)"]
    assert one.reader.missing == ()


@pytest.mark.parametrize("name", BAD_LOGS)
def test_a_follower_follows_to_the_end_and_names_the_log_that_cannot_be_read(name: str) -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, at=1.0)
    steps = one.pipeline.workflows[0].steps
    woodpecker.bad = lambda path, _: BAD_LOGS[name] if path.endswith(f"/{steps[1].id}") else None

    ended = one.reader.follow(one.pipeline, LogSelection())

    assert ended.status == "failure"
    assert one.lines == ["b0", "b1", "b2", "b3", "b4"]
    assert [step for step, _ in one.reader.missing] == ["woodpecker/test"]


def test_a_follower_reads_a_log_that_could_not_be_read_for_a_while() -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, at=1.0)
    woodpecker.bad = lambda path, t: NOT_FOUND if "/logs/" in path and t < 22 else None
    one.reader.follow(one.pipeline, LogSelection())
    assert len(one.lines) == 10
    assert one.reader.missing == ()


def test_a_follower_names_a_failed_step_without_output() -> None:
    one = LogReading(InMemoryWoodpecker(), quiet("test"), at=1.0)
    one.reader.follow(one.pipeline, LogSelection())
    assert one.lines == ["(no output)"]


CELLS = tuple((("GO", go), ("OS", os)) for go in ("1.21", "1.22") for os in ("bsd", "linux"))


def matrix(*failing: int) -> PipelineTimeline:
    """One step in each of four cells, ended at 20 s; these fail, and each has a log of its own."""

    def cell(number: int, state: str, code: int) -> ScriptedWorkflow:
        return ScriptedWorkflow("test", state, (ScriptedStep("unit", state, code),), environ=CELLS[number])

    begin = tuple(cell(number, "pending", 0) for number in range(4))
    end = tuple(cell(n, "failure" if n in failing else "success", 1 if n in failing else 0) for n in range(4))
    frames = (Frame(0.0, "created"), Frame(0.1, "pending", begin), Frame(0.2, "running"), Frame(20.0, "failure", end))
    return PipelineTimeline(frames)


def test_the_cells_of_a_matrix_are_told_apart_by_their_axes() -> None:
    one = LogReading(InMemoryWoodpecker(), matrix(0, 2))
    one.show()
    assert one.headings == [
        "test (GO=1.21, OS=bsd)/unit: failure, exit code 1",
        "test (GO=1.22, OS=bsd)/unit: failure, exit code 1",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("unit", 4), ("test/unit", 4), ("test (GO=1.22, OS=linux)/unit", 1), ("test (GO=1.21, OS=bsd)/unit", 1)],
)
def test_a_cell_is_chosen_by_its_axes(name: str, shown: int) -> None:
    one = LogReading(InMemoryWoodpecker(), matrix(0))
    one.show(LogSelection(step=name))
    assert len(one.headings) == shown
    assert shown > 1 or one.headings[0].startswith(f"{name}: ")


def test_a_cell_that_does_not_exist_is_a_usage_error_that_names_those_there_are() -> None:
    with pytest.raises(CommandError) as caught:
        select_steps(LogReading(InMemoryWoodpecker(), matrix(0)).pipeline, LogSelection(step="test (GO=1.20)/unit"))
    assert "test (GO=1.21, OS=linux)/unit" in caught.value.hint


def test_a_follower_sees_each_line_once_in_order_to_the_end() -> None:
    """The log stream's `eof` comes before the last lines (recording 02c-late-logs), so the log must stop growing."""
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, parts((5, "a"), (12, "b"), (19, "c"), (21.9, "d")), at=1.0)

    ended = one.reader.follow(one.pipeline, LogSelection())

    assert one.lines == ["a", "b", "c", "d"]
    assert ended.status == "failure"
    assert 21.9 + QUIET_AFTER_END_S <= woodpecker.clock.t <= 28


def test_a_follower_waits_for_a_log_of_which_nothing_came() -> None:
    """Where the failed step has no line yet, it waits as long as `ci logs` would."""
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, parts((24.5, "late")), at=1.0)

    one.reader.follow(one.pipeline, LogSelection())

    assert one.lines == ["late"]


def test_a_follower_of_a_step_waits_until_it_is_there() -> None:
    one = LogReading(InMemoryWoodpecker(), at=0.0)
    one.woodpecker.clock.t = 0.05

    one.reader.follow(one.pipeline, LogSelection(step="test"))

    assert one.lines == ["t0", "t1", "t2", "t3", "t4"]


def test_a_follower_of_a_step_that_never_comes_says_so_at_the_end() -> None:
    one = LogReading(InMemoryWoodpecker(), at=0.1)
    with pytest.raises(CommandError):
        one.reader.follow(one.pipeline, LogSelection(step="nonsense"))


def test_a_follower_rides_out_a_flap() -> None:
    silence = RequestFailed(FailureKind.TIMEOUT, "no complete response")
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, parts((5, "a"), (19, "b")), at=1.0)
    pipeline = one.pipeline
    woodpecker.bad = lambda _, t: silence if 8 < t < 30 else None

    one.reader.follow(pipeline, LogSelection())

    assert one.lines == ["a", "b"]


GONE = RequestFailed(FailureKind.TIMEOUT, "no complete response")
NO = HttpResponse(401, {"x-woodpecker-version": "3.17.0"}, b"", 0.01)


@pytest.mark.parametrize(
    ("bad", "exit_"), [(GONE, ExitCode.UNREACHABLE), (NO, ExitCode.DENIED)], ids=["gone", "refused"]
)
def test_a_follower_gives_up_where_no_answer_comes_any_more(bad: RequestFailed | HttpResponse, exit_: ExitCode) -> None:
    woodpecker = InMemoryWoodpecker()
    one = LogReading(woodpecker, at=1.0)
    pipeline = one.pipeline
    woodpecker.bad = lambda _, t: bad if t > 8 else None

    with pytest.raises(CommandError) as caught:
        one.reader.follow(pipeline, LogSelection())

    assert caught.value.exit is exit_
    assert woodpecker.clock.t < 8 + GIVE_UP_AFTER_S + 30


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("10%\r50%\r100%", "100%"),
        ("100%\r\n", "100%"),
        ("a\tb", "a b"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]8;;https://evil.example.test\x07link\x1b]8;;\x07", "link"),
        ("\x9b31m\x85\u2028\u202ex", "x"),
        ("", ""),
    ],
)
def test_a_line_is_shown_as_a_terminal_would_and_no_more(raw: str, shown: str) -> None:
    assert render_line(raw) == shown
