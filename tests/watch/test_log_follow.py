"""`homelab ci logs --follow`: silence is reported, and what never ends is not followed for ever."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import LogLine, Pipeline
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind, Found
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import (
    DELETED,
    Frame,
    PipelineTimeline,
    ScriptedStep,
    ScriptedWorkflow,
)
from homelab_hooks.watch.log_follow import GIVE_UP_AFTER_S
from homelab_hooks.watch.log_selection import LogSelection, SelectedStep
from homelab_hooks.watch.logs import LogReader
from tests.ci.values import APP, run_ref
from tests.waiting import HANG_S
from tests.watch.random_history import OLDER
from tests.watch.run_without_sockets import InMemoryWoodpecker


class LogFollowing:
    """A follower of #1, and what it showed and reported."""

    def __init__(self, script: PipelineTimeline, *, at: float = 1.0) -> None:
        self.woodpecker = InMemoryWoodpecker(stream="")
        self.woodpecker.push(script)
        self.woodpecker.clock.t = at
        self.shown: list[tuple[str, str]] = []
        self.events: list[tuple[float, Event]] = []
        self.reader = LogReader(self.woodpecker.ci, APP, clock=self.woodpecker.clock, out=self._out)
        found = self.woodpecker.ci.runs.pipeline(APP, run_ref(1), within=HANG_S)
        assert isinstance(found, Found)
        self.pipeline: Pipeline = found.value

    def _out(self, selected: SelectedStep, line: LogLine | None) -> None:
        self.shown.append((selected.title, line.text if line else ""))

    def follow(self, selection: LogSelection | None = None) -> Pipeline:
        clock = self.woodpecker.clock
        return self.reader.follow(
            self.pipeline, selection or LogSelection(), emit=lambda event: self.events.append((clock.t, event))
        )

    def times(self, kind: type[Event]) -> list[float]:
        return [at for at, event in self.events if isinstance(event, kind)]


BAD: dict[str, RequestFailed | HttpResponse] = {
    "503": HttpResponse(503, {"x-woodpecker-version": "3.17.0"}, b"", 0.1),
    "503 with Retry-After": HttpResponse(503, {"x-woodpecker-version": "3.17.0", "retry-after": "90"}, b"", 0.1),
    "403": HttpResponse(403, {"x-woodpecker-version": "3.17.0"}, b"", 0.1),
    "a web page": HttpResponse(200, {"content-type": "text/html"}, b"<html>", 0.1),
    "a hang": RequestFailed(FailureKind.TIMEOUT, "no complete response"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_silent_server_is_reported_and_a_heartbeat_comes_each_minute(name: str) -> None:
    one = LogFollowing(timelines.make_red(seconds=20))
    one.woodpecker.bad = lambda _, t: BAD[name] if 5 < t < 150 else None
    ended = one.follow()
    (lost,) = one.times(ContactLost)
    assert lost <= (5 + 8 if name != "a hang" else 5 + 17)
    beats = one.times(Waiting)
    assert [round((at - lost) // 60) for at in beats] == [1, 2]
    assert all(at - before <= 60 + 17 for before, at in zip([lost, *beats], beats, strict=False))
    assert len(one.times(ContactRestored)) == 1
    assert ended.status == "failure"


def test_a_pipeline_without_new_lines_has_a_heartbeat_each_minute() -> None:
    one = LogFollowing(timelines.make_red(seconds=200, log=["boom"]))
    one.follow()
    waits = [event for _, event in one.events if isinstance(event, Waiting)]
    assert [event.reason for event in waits] == ["#1 is running"] * len(waits)
    assert len(waits) >= 2


def test_lines_are_the_heartbeat_where_they_come() -> None:
    """No line is printed between them."""
    one = LogFollowing(timelines.make_green(seconds=50))
    one.follow()
    assert one.events == []


LATER_BLOCKED = PipelineTimeline((Frame(0.0, "created"), Frame(0.1, "pending"), Frame(30.0, "blocked")))


@pytest.mark.parametrize("script", [timelines.make_blocked(), LATER_BLOCKED], ids=["at once", "later"])
def test_a_pipeline_that_waits_for_approval_is_not_followed_any_longer(script: PipelineTimeline) -> None:
    one = LogFollowing(script)
    one.woodpecker.bad = lambda _, t: BAD["503"] if t > 100 else None  # ends a follower that goes on
    assert one.follow().status == "blocked"
    assert one.woodpecker.clock.t < 35


def test_a_follower_returns_the_last_status() -> None:
    assert LogFollowing(timelines.make_cancelled()).follow().status == "killed"


def test_the_log_of_another_commit_is_not_followed() -> None:
    """The server reused the number."""
    one = LogFollowing(PipelineTimeline((Frame(0.0, "created"), Frame(0.2, "running"), Frame(5.0, DELETED))))
    one.woodpecker.push(timelines.make_red(seconds=20), at=6.0, sha=OLDER)
    with pytest.raises(CommandError) as caught:
        one.follow()
    assert caught.value.exit is ExitCode.NO_PIPELINE
    assert "#1 now belongs to commit cccccccccc" in caught.value.message
    assert one.shown == []
    assert one.woodpecker.clock.t < 6 + GIVE_UP_AFTER_S + 30


def workflows(*steps: ScriptedStep, error: str) -> PipelineTimeline:
    """A pipeline that fails at 10 s with a workflow of these steps and this error."""
    broken = ScriptedWorkflow("build", "failure", steps, error=error)
    fine = ScriptedWorkflow("lint", "success", (ScriptedStep("ruff", "success"),))
    return PipelineTimeline((Frame(0.0, "running", ()), Frame(10.0, "failure", (broken, fine))))


BROKEN = {
    "no steps": (workflows(error="pull denied"), [("build: failure", ""), ("build: failure", "pull denied")]),
    "only skipped ones": (
        workflows(ScriptedStep("test", "skipped"), error="pull denied"),
        [("build: failure", ""), ("build: failure", "pull denied")],
    ),
    "a failed one": (workflows(ScriptedStep("test", "failure", 1), error="exit code 1"), []),
    "no error": (workflows(error=""), []),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("follow", [False, True], ids=["show", "follow"])
def test_the_error_of_a_workflow_that_no_step_explains_is_shown(name: str, *, follow: bool) -> None:
    script, shown = BROKEN[name]
    one = LogFollowing(script, at=1.0 if follow else 600.0)
    if follow:
        one.follow()
    else:
        one.reader.show(one.pipeline, LogSelection())
    assert [pair for pair in one.shown if pair[0] == "build: failure"] == shown
