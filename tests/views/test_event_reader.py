"""What the JSON view writes of an event is read back as the same event."""

from __future__ import annotations

import json

import pytest

from homelab_hooks import events
from homelab_hooks.events import Event, Log, LogLevel, Progress, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.event_reader import read_event
from homelab_hooks.views.ndjson import EVENT_NAMES, event_object

PIPELINE = events.PipelineResult(7, "push", "refs/heads/main", "success", "https://ci.example.test/7")
AXES = (events.MatrixAxis("GO", "1.22"),)
EVENTS: tuple[Event, ...] = (
    events.Start("git push", sha="9f2c", resume=("homelab", "follow", "9f2c")),
    events.ChainStarted(("ci", "deploy:web/shop")),
    events.StageChanged(Stage.WATCH, Progress.DONE, took=2.5, link="ci"),
    events.PipelineChanged(7, "push", "refs/heads/main", "running", deciding=False, expected=12.0, interrupted=True),
    events.WorkflowChanged(7, 1, "test", "success", took=1.0, axes=AXES),
    events.StepChanged(7, "test", 2, "build", "failure", exit_code=1, axes=AXES),
    events.Waiting("for a pipeline", elapsed=60.0),
    events.ContactLost("connection refused", 170.0),
    events.ContactRestored(3.0),
    Log("homelab", "a warning", LogLevel.WARNING),
    events.RolloutChanged("web/shop", "progressing", desired=3, ready=0),
    events.Finding("token", events.FindingStatus.PROBLEM, "expired", exit=ExitCode.DENIED),
    events.BackgroundWatch("9f2c", "main", under_way=False, age=3.0, verdict="passed", exit=ExitCode.OK),
    events.SettingShown("timeout", "5m", "option --timeout"),
    events.VerbListed("ci watch", "read", "wait for CI", "homelab-watch"),
    events.Answer(".worktrees/topic"),
    Log("homelab", "to resume, run: homelab follow 9f2c", resume=("homelab", "follow", "9f2c")),
    events.Result(
        "failed", ExitCode.FAILED, sha="9f2c", pipelines=(PIPELINE,), landed=True,
        deploys=(events.DeployResult("web/shop", "deployed", "3 of 3"),), link="ci",
        resume=("homelab", "follow"),
        links=(events.LinkResult("ci", "failed", ExitCode.FAILED, took=1.5), events.LinkResult("run:true")), took=2.0,
        revert=events.RevertResult("9f2c", sha="a1b2", exit=ExitCode.OK),
    ),
)  # fmt: skip


def test_every_event_is_read_back() -> None:
    assert {type(event) for event in EVENTS} == set(EVENT_NAMES)
    for event in EVENTS:
        line = json.dumps(event_object(event, Redactor(()), seq=1, time="2026-11-30T12:00:00+00:00"))
        assert read_event(json.loads(line)) == event


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"event": "new"},
        {"event": "chain", "links": ["ci", 7]},
        {"event": ["log"]},
        {"event": "log"},
        {"event": "log", "source": "x", "text": 3},
        {"event": "log", "source": "x", "text": "y", "level": "loud"},
        {"event": "result", "verdict": "passed", "exit": 999},
        {"event": "result", "verdict": "passed", "exit": 0, "pipelines": 3},
        {"event": "result", "verdict": "passed", "exit": 0, "links": [3]},
        {"event": "waiting", "reason": "x", "elapsed": True},
    ],
)
def test_what_is_no_event_is_left_out(raw: dict[str, object]) -> None:
    assert read_event(raw) is None
