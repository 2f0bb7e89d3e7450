"""Why CI is red: the step, its last lines and the command for the rest, within ten seconds or not at all."""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import replace

import pytest

from homelab_hooks.events import Event, Log, LogLevel, MatrixAxis, StepChanged, WorkflowChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import (
    Frame,
    LogChunk,
    PipelineTimeline,
    ScriptedError,
    ScriptedStep,
    ScriptedWorkflow,
)
from homelab_hooks.text.redaction import Redactor, sanitize_text
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.failure_report import CELL_TAIL_LINES, MAX_REPORTED_CELLS, TAIL_LINES
from tests.ci.values import scope_of
from tests.watch.random_history import OURS
from tests.watch.run_without_sockets import SERVER_URL, InMemoryWoodpecker

HOUR = 3600.0


def watch_and_collect_logs(woodpecker: InMemoryWoodpecker) -> tuple[Verdict, list[Log]]:
    """The verdict and all log lines that were emitted."""
    events: list[Event] = []
    verdict = woodpecker.watch(tell=events.append)
    return verdict, [event for event in events if isinstance(event, Log)]


def red(woodpecker: InMemoryWoodpecker, script: PipelineTimeline) -> tuple[Verdict, list[str], list[str]]:
    """The verdict on a red pipeline, the step's lines, and our own words."""
    woodpecker.push(script)
    verdict, logs = watch_and_collect_logs(woodpecker)
    assert verdict.exit is ExitCode.FAILED
    lines = [log.text for log in logs if log.source.startswith("step ")]
    return verdict, lines, [log.text for log in logs if log.source == "homelab"]


def test_the_failing_steps_last_lines_are_shown_with_the_command_for_the_rest() -> None:
    log = [f"line {number}" for number in range(50)]
    verdict, lines, words = red(InMemoryWoodpecker(), timelines.make_red("unit", exit_code=3, log=log))
    assert "step unit of workflow woodpecker failed with exit code 3" in verdict.reason
    assert lines == log[-TAIL_LINES:]
    assert f"for the 30 lines before these, run: homelab ci logs {OURS} --step unit" in words
    assert any(word.startswith("details: ") and word.endswith("/repos/8/pipeline/1/1") for word in words)


def test_the_command_for_the_rest_names_the_step_whatever_it_is_called() -> None:
    """A user may paste it into a shell as it is."""
    name = "unit; touch 'x' $(id)"
    _, _, words = red(InMemoryWoodpecker(), timelines.make_red(name, log=["boom"]))
    command = next(word.partition(": ")[2] for word in words if word.startswith("for the whole log"))
    assert shlex.split(command) == ["homelab", "ci", "logs", OURS, "--step", name]


def test_two_names_do_not_swallow_the_words_between_them() -> None:
    """One begins an escape sequence, the other one ends it."""
    verdict, _, _ = red(
        InMemoryWoodpecker(), timelines.make_timeline((ScriptedStep("unit\x1b]0;", "failure", 1),), name="w\x07")
    )
    assert "step unit0; of workflow w failed" in sanitize_text(verdict.reason, Redactor())


def test_a_log_that_comes_a_second_late_is_waited_for() -> None:
    """Always so: agents send a second after the last line (recording 02c-late-logs)."""
    woodpecker = InMemoryWoodpecker()
    _, lines, words = red(woodpecker, timelines.make_red(seconds=20, log=["boom"]))
    assert lines == ["boom"]
    assert 21 <= woodpecker.clock.t <= 24
    assert f"for the whole log, run: homelab ci logs {OURS} --step test" in words


def late(seconds: float) -> PipelineTimeline:
    """Red at 20 s; its log comes some seconds after that."""
    script = timelines.make_red(seconds=20, log=["boom"])
    return replace(script, logs=tuple(replace(part, t=20 + seconds) for part in script.logs))


def test_a_busy_agents_log_is_waited_for_five_seconds_and_then_named() -> None:
    """It comes after 13 s (recording 02c-late-logs)."""
    woodpecker = InMemoryWoodpecker()
    _, lines, words = red(woodpecker, late(13))
    assert lines == []
    assert f"no log of step test has arrived yet; to read it later, run: homelab ci logs {OURS} --step test" in words
    assert 25 <= woodpecker.clock.t <= 26


def test_a_growing_log_is_shown_as_far_as_it_came() -> None:
    script = timelines.make_red(seconds=20)
    parts = tuple(LogChunk(20 + number, "test", (f"line {number}".encode(),)) for number in range(60))
    woodpecker = InMemoryWoodpecker()
    _, lines, words = red(woodpecker, replace(script, logs=parts))
    assert lines[0] == "line 0"
    assert woodpecker.clock.t <= 26
    assert any("more lines may arrive later" in word for word in words)


BAD: dict[str, RequestFailed | HttpResponse] = {
    "hangs": RequestFailed(FailureKind.TIMEOUT, "no complete response"),
    "500": HttpResponse(500, {}, b"", 0.1),
    "empty": HttpResponse(200, {}, b"", 0.1),
    "a web page": HttpResponse(200, {"content-type": "text/html"}, b"<html>", 0.1),
    "null": HttpResponse(200, {}, b"null", 0.1),
    "refused": HttpResponse(401, {"x-woodpecker-version": "3"}, b"", 0.1),
    "gone": HttpResponse(404, {"x-woodpecker-version": "3"}, b"", 0.1),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "empty" else ()) for name in BAD]
)
def test_a_log_that_is_unavailable_costs_ten_seconds_at_most_and_no_verdict(name: str) -> None:
    woodpecker = InMemoryWoodpecker(bad=lambda path, _: BAD[name] if "/logs/" in path else None)
    verdict, lines, words = red(woodpecker, timelines.make_red(seconds=20, log=["boom"]))
    assert verdict.exit is ExitCode.FAILED
    assert lines == []
    assert any("no log of step test has arrived" in word for word in words)
    assert woodpecker.clock.t <= 30


def test_a_pipeline_that_ended_long_ago_is_not_waited_for() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(seconds=20))
    woodpecker.clock.t = HOUR
    verdict, _ = watch_and_collect_logs(woodpecker)
    assert verdict.exit is ExitCode.FAILED
    assert woodpecker.clock.t - HOUR < 0.5


def test_lines_are_cleaned_and_keep_their_colors() -> None:
    """Carriage returns leave what a terminal would show; other control characters go."""
    log = ["\x1b[31mred\x1b[0m", "10%\r50%\r100%\r", "bell\x07 \x1b[2Jcursor", "\x1b]0;title\x07x", "a\u202eb"]
    _, lines, _ = red(InMemoryWoodpecker(), timelines.make_red(log=log))
    assert lines == ["\x1b[31mred\x1b[0m", "100%", "bell cursor", "x", "ab"]


def test_lines_that_are_null_twice_or_out_of_order_are_put_right() -> None:
    """An empty line has no data; a repeated answer repeats no line."""
    rows = [(2, '"dHdv"'), (1, "null"), (0, '"emVybw=="'), (2, '"dHdv"'), (3, '"%%%"')]
    raw = ",".join(f'{{"line": {line}, "time": 0, "data": {data}, "type": 0}}' for line, data in rows)
    body = HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, f"[{raw}]".encode(), 0.1)
    _, lines, _ = red(InMemoryWoodpecker(bad=lambda path, _: body if "/logs/" in path else None), timelines.make_red())
    assert lines[:3] == ["zero", "", "two"]


def test_a_broken_configuration_shows_every_word_of_it() -> None:
    """Warnings and errors come mixed, in any order, in several lines (recording 05-config-errors)."""
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_config_error("yaml: line 3: no\nsecond line", "steps are missing"))
    verdict, logs = watch_and_collect_logs(woodpecker)
    shown = [(log.text, log.level) for log in logs if log.source == "config"]
    assert verdict.exit is ExitCode.FAILED
    assert "yaml: line 3: no" in verdict.reason
    assert "and push" in verdict.hint
    assert [text for text, level in shown if level is LogLevel.ERROR] == [
        "yaml: line 3: no", "second line", "steps are missing",
    ]  # fmt: skip
    assert [level for _, level in shown].count(LogLevel.WARNING) == 1


def test_a_warning_alone_is_not_a_failure() -> None:
    """A typo in a key gives `success` with a warning (recording 05-config-errors)."""
    script = timelines.make_green()
    warning = (ScriptedError("unknown key: stepz", "linter", warning=True),)
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(replace(script, frames=tuple(replace(frame, errors=warning) for frame in script.frames)))
    assert woodpecker.watch().exit is ExitCode.OK


def ending(*workflows: ScriptedWorkflow, status: str = "failure") -> PipelineTimeline:
    waiting = tuple(replace(w, state="pending", steps=tuple(ScriptedStep(s.name) for s in w.steps)) for w in workflows)
    return PipelineTimeline(
        (Frame(0, "created"), Frame(0.1, "pending", waiting), Frame(0.2, "running"), Frame(5, status, workflows))
    )


BROKEN = ScriptedStep("unit", "failure", 2)
LINT = ScriptedWorkflow("lint", "failure", (ScriptedStep("style", "success"), BROKEN, ScriptedStep("after", "skipped")))
CULPRITS = {
    "the first red workflow's": ending(ScriptedWorkflow("docs", "success", (ScriptedStep("write", "success"),)), LINT),
    "never a step killed under a skipped workflow": ending(
        ScriptedWorkflow("deploy", "skipped", (ScriptedStep("ship", "killed"),)), LINT
    ),
    "never a service": ending(
        replace(LINT, steps=(ScriptedStep("database", "failure", 1, type="service"), *LINT.steps)),
    ),
    "never an ignored one before it": ending(
        replace(LINT, steps=(ScriptedStep("flaky", "failure", 9), BROKEN, ScriptedStep("after", "skipped")))
    ),
    "never a step of a green workflow": ending(
        ScriptedWorkflow("extra", "success", (ScriptedStep("ignored", "failure", 9), ScriptedStep("rest", "success"))),
        LINT,
    ),
    "under a green pipeline too": ending(LINT, status="success"),
}


@pytest.mark.parametrize("name", CULPRITS)
def test_the_culprit_is_named(name: str) -> None:
    verdict, _, _ = red(InMemoryWoodpecker(), CULPRITS[name])
    assert "step unit of workflow lint failed with exit code 2" in verdict.reason, name


def cells(count: int, *, failing: int) -> PipelineTimeline:
    """A matrix of cells with one step each; the first ones fail."""
    end = tuple(
        ScriptedWorkflow(
            "test",
            "failure" if number < failing else "success",
            (ScriptedStep("unit", *(("failure", 1) if number < failing else ("success", 0))),),
            environ=(("PY", f"3.{number}"), ("OS", "linux")),
        )
        for number in range(count)
    )
    return ending(*end, status="failure" if failing else "success")


def logs_by_cell(woodpecker: InMemoryWoodpecker, lines: int = 3) -> None:
    """Each step's log names its cell; the simulator's own scripts cannot, for the cells have one name."""

    def answer(path: str, _: float) -> HttpResponse | None:
        if "/logs/" not in path:
            return None
        number = int(path.rpartition("/")[2]) - woodpecker.book.rows[0].first_step
        texts = [base64.b64encode(f"cell {number} line {line}".encode()).decode() for line in range(lines)]
        rows = [{"line": line, "time": 0, "data": text, "type": 0} for line, text in enumerate(texts)]
        return HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, json.dumps(rows).encode(), 0.1)

    woodpecker.bad = answer


def test_every_failing_cell_of_a_matrix_has_its_last_lines() -> None:
    woodpecker = InMemoryWoodpecker()
    logs_by_cell(woodpecker)
    events: list[Event] = []
    woodpecker.push(cells(4, failing=3))
    verdict = woodpecker.watch(tell=events.append)
    assert "step unit of workflow test (PY=3.0) failed with exit code 1; 2 more of its matrix failed" in (
        verdict.reason
    )
    logs = [event for event in events if isinstance(event, Log)]
    shown = {source: [log.text for log in logs if log.source == source] for source in {log.source for log in logs}}
    for number in range(3):
        assert shown[f"step test (PY=3.{number})/unit"] == [f"cell {number} line {n}" for n in range(3)]
    assert "step test (PY=3.3)/unit" not in shown
    command = f"homelab ci logs {OURS} --step 'test (PY=3.1)/unit'"
    assert f"for the whole log, run: {command}" in shown["homelab"]


def test_the_lines_of_many_cells_are_bounded_and_the_rest_is_named() -> None:
    woodpecker = InMemoryWoodpecker()
    logs_by_cell(woodpecker, lines=500)
    _, lines, words = red(woodpecker, cells(20, failing=20))
    assert len(lines) == CELL_TAIL_LINES * MAX_REPORTED_CELLS
    assert lines[CELL_TAIL_LINES - 1] == "cell 0 line 499"
    assert [word for word in words if word.startswith("14 more failed: test (PY=3.6), ")]


def test_the_logs_of_many_cells_cost_no_more_time_than_one() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.bad = lambda path, _: BAD["hangs"] if "/logs/" in path else None
    _, lines, words = red(woodpecker, cells(8, failing=8))
    assert lines == []
    assert len([word for word in words if "has arrived yet" in word]) == MAX_REPORTED_CELLS
    assert woodpecker.clock.t < 5 + 10


def test_workflows_of_other_names_are_not_cells_of_the_one_that_failed_first() -> None:
    woodpecker = InMemoryWoodpecker()
    other = replace(LINT, name="docs", environ=(("PY", "3.0"),))
    woodpecker.push(ending(replace(LINT, environ=(("PY", "3.0"),)), other))
    verdict, _ = watch_and_collect_logs(woodpecker)
    assert verdict.reason.endswith("step unit of workflow lint (PY=3.0) failed with exit code 2")


def test_events_about_cells_have_their_axes() -> None:
    woodpecker = InMemoryWoodpecker()
    events: list[Event] = []
    woodpecker.push(cells(2, failing=1))
    woodpecker.watch(tell=events.append)
    axes = {event.axes for event in events if isinstance(event, WorkflowChanged)}
    assert axes == {
        (MatrixAxis("PY", "3.0"),),
        (MatrixAxis("PY", "3.1"),),
    }
    assert axes == {event.axes for event in events if isinstance(event, StepChanged)}


def test_red_steps_under_a_green_workflow_are_no_failure() -> None:
    """Ignored, detached and service steps (recording 13-workflow-kinds)."""
    woodpecker = InMemoryWoodpecker()
    steps = (
        ScriptedStep("ignored", "failure", 1),
        ScriptedStep("database", "failure", 1, type="service"),
        ScriptedStep("rest", "success"),
    )
    woodpecker.push(ending(ScriptedWorkflow("w", "success", steps), status="success"))
    assert woodpecker.watch().exit is ExitCode.OK


def test_a_step_without_an_exit_code_is_explained_by_its_error() -> None:
    """Code 0 with state failure is normal where nothing could be started (recording 03-failure)."""
    verdict, _, _ = red(InMemoryWoodpecker(), timelines.make_red("shell", exit_code=0, error="image not found"))
    assert "step shell of workflow woodpecker failed (image not found)" in verdict.reason


KILLED = {
    "cancelled by alice": (timelines.make_cancelled(after=3, by="alice"), ExitCode.CANCELLED),
    "was declined by bob": (timelines.make_declined(by="bob"), ExitCode.CANCELLED),
    "step boom cancelled the rest": (timelines.make_cancelled_by_step("boom"), ExitCode.FAILED),
    "superseded by #9, which cannot be found": (timelines.make_superseded(by=9, after=3), ExitCode.SUPERSEDED),
    "is waiting for approval": (timelines.make_blocked(), ExitCode.BLOCKED),
}


@pytest.mark.parametrize("word", KILLED)
def test_an_early_end_says_by_whom_or_by_what(word: str) -> None:
    script, exit_ = KILLED[word]
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(script)
    woodpecker.clock.t = 1.0 if exit_ is ExitCode.CANCELLED else 0.0
    verdict = woodpecker.watch(scope=scope_of(OURS))
    assert verdict.exit is exit_
    assert word in verdict.reason


def test_an_approval_that_is_missing_gives_its_url() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_blocked())
    assert woodpecker.watch().hint == f"approve the pipeline: {SERVER_URL}/repos/8/pipeline/1"
