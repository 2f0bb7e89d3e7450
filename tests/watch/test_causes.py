"""What the commit did not cause is told apart: a clone or an image that failed, a full concurrency group, a marker."""

from __future__ import annotations

from typing import Any

import pytest

from homelab_hooks.ci.woodpecker.parse import parse_pipeline, parse_queue
from homelab_hooks.events import Event, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import ScriptedStep
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.state import WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

DENIED = "Error response from daemon: pull access denied for acme/app, repository does not exist"


@pytest.mark.parametrize("named", [(), ("woodpecker",)], ids=["all", "named"])
@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (ScriptedStep("clone", "failure", 128, type="clone"), "could not be cloned"),
        (ScriptedStep("build", "failure", error=DENIED), "image could not be pulled"),
        (ScriptedStep("build", "failure", error="ImagePullBackOff"), "image could not be pulled"),
        (ScriptedStep("build", "failure", 1), ""),
        (ScriptedStep("build", "failure", 1, error="failed to start"), ""),
    ],
)
def test_a_restart_is_named_for_what_the_commit_did_not_cause(
    step: ScriptedStep, hint: str, named: tuple[str, ...]
) -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_timeline([step], seconds=3))
    verdict = woodpecker.watch(scope=scope_of(OURS)._replace(workflows=named))
    assert verdict.exit is ExitCode.FAILED
    assert hint in verdict.hint
    assert (f"homelab ci restart {OURS}" in verdict.hint) == bool(hint)


def test_a_workflow_whose_image_could_not_be_pulled_says_so() -> None:
    flow = {"pid": 1, "name": "w", "state": "failure", "error": DENIED}
    raw = {"number": 7, "event": "push", "commit": OURS, "status": "failure", "workflows": [flow]}
    assert parse_pipeline(raw).workflows[0].is_pull_failure


def task(number: int, name: str, group: str = "8-deploy", limit: int = 1) -> dict[str, Any]:
    return {
        "name": name, "repo_id": 8, "pipeline_number": number, "concurrency_group": group, "concurrency_limit": limit,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pending", "running", "limited"),
    [
        ([task(5, "deploy")], [task(4, "deploy")], [(run_ref(5), "deploy", 1)]),
        ([task(5, "deploy", limit=2)], [task(4, "deploy", limit=2)], []),
        ([task(5, "deploy")], [task(4, "deploy", group="9-deploy")], []),
        ([task(5, "deploy", group="", limit=0)], [task(4, "deploy", group="", limit=0)], []),
        ([{"name": "deploy"}], None, []),
    ],
)
def test_a_full_concurrency_group_is_read_from_the_queue(pending: Any, running: Any, limited: list[Any]) -> None:
    queue = parse_queue({"stats": {}, "paused": False, "pending": pending, "running": running})
    assert [(limit.run, limit.workflow, limit.running) for limit in queue.limited] == limited


def test_a_pipeline_that_waits_for_its_concurrency_group_says_so() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.book.workers = 4
    woodpecker.push(timelines.make_stuck(), sha="f" * 40, branch="dev", ref="refs/heads/dev")
    woodpecker.push(timelines.make_pending())
    woodpecker.book.concurrency = {"woodpecker": 1}
    events: list[Event] = []
    assert woodpecker.watch(timeouts=WatchTimeouts(overall=60), tell=events.append).exit is ExitCode.TIMEOUT
    said = [event for event in events if isinstance(event, Waiting) and event.remedy]
    assert ["concurrency group" in event.reason for event in said] == [True]
    assert "raise the `concurrency` limit of workflow woodpecker" in said[0].remedy


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_a_skip_marker_ends_the_watch_at_once(stream: str) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream, facts=CommitFacts(message="Update the notes [skip  ci]"))
    verdict = woodpecker.watch()
    assert (verdict.exit, woodpecker.clock.t < 2) == (ExitCode.NO_PIPELINE, True)
    assert "the commit message contains [skip  ci]" in verdict.reason


def test_a_skip_marker_says_nothing_about_other_events() -> None:
    woodpecker = InMemoryWoodpecker(stream="", facts=CommitFacts(message="Update the notes [skip ci]"))
    woodpecker.push(timelines.make_green(30), at=20.0, event="manual")
    assert woodpecker.watch(scope=scope_of(OURS, events=frozenset({"manual"}))).exit is ExitCode.OK


def test_a_commit_with_a_skip_marker_that_has_a_pipeline_is_watched() -> None:
    """It was started by hand, or the forge took the message of another commit."""
    woodpecker = InMemoryWoodpecker(stream="", facts=CommitFacts(message="Update the notes [CI SKIP]"))
    woodpecker.push(timelines.make_green(30))
    assert woodpecker.watch().exit is ExitCode.OK


def test_a_commit_without_a_marker_is_waited_for() -> None:
    woodpecker = InMemoryWoodpecker(stream="", facts=CommitFacts(message="Update the notes [skip actions]"))
    woodpecker.push(timelines.make_green(30), at=20.0)
    assert woodpecker.watch().exit is ExitCode.OK
