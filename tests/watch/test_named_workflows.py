"""Only the named workflows decide, from the detail, and only they are waited for; the others are shown."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import Pipeline, Status, Workflow
from homelab_hooks.events import Event, WorkflowChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind, Found
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import Frame, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.watch.branch_status import query_branch_status
from homelab_hooks.watch.named_workflows import evaluate_workflows
from homelab_hooks.watch.state import WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

GROUP = ("push", "refs/heads/main")
NAMED = scope_of(OURS)._replace(workflows=("deploy",))
OK, FAILED, NONE = ExitCode.OK, ExitCode.FAILED, ExitCode.NO_PIPELINE


def detail(status: str, *flows: str) -> Pipeline:
    """A pipeline whose workflows are given as `name state`."""
    pairs = [flow.split() for flow in flows]
    workflows = tuple(
        Workflow(pid=1 + place, name=name, state=Status(state)) for place, (name, state) in enumerate(pairs)
    )
    return Pipeline(run_ref(1), 1, GROUP, *GROUP, "main", OURS, Status(status), workflows=workflows)


@pytest.mark.parametrize(
    ("status", "flows", "exit_"),
    [
        ("running", "deploy running,lint failure", None),
        ("running", "deploy success,lint running", OK),
        ("running", "deploy failure,lint running", FAILED),
        ("running", "lint running", None),
        ("failure", "deploy success,lint failure", OK),
        ("success", "deploy error,lint success", FAILED),
        ("success", "lint success", NONE),
        ("failure", "deploy skipped,lint failure", NONE),
        ("killed", "deploy success,lint killed", OK),
        ("killed", "deploy killed,lint success", None),
        ("killed", "deploy skipped,lint killed", None),
        ("killed", "lint killed", None),
        ("running", "deploy success,deploy running", None),
        ("failure", "deploy success,deploy failure", FAILED),
        ("success", "deploy success,deploy skipped", NONE),
        ("success", "deploy unknown,lint success", None),
    ],
)
def test_the_named_workflow_decides_with_all_cells_of_its_matrix(
    status: str, flows: str, exit_: ExitCode | None
) -> None:
    found = evaluate_workflows(detail(status, *flows.split(",")), ("deploy",))
    assert (found and found.exit) == exit_


def test_the_worst_of_several_named_workflows_counts() -> None:
    found = evaluate_workflows(detail("failure", "a success", "b failure", "c skipped"), ("a", "b", "c"))
    assert found is not None
    assert found.exit is FAILED


@pytest.mark.parametrize(("status", "b", "exit_"), [("killed", "killed", FAILED), ("running", "running", None)])
def test_a_named_workflow_that_failed_counts_although_another_one_was_stopped(
    status: str, b: str, exit_: ExitCode | None
) -> None:
    found = evaluate_workflows(detail(status, "a failure", f"b {b}"), ("a", "b"))
    assert (found and found.exit) == exit_


def test_a_pipeline_without_the_named_workflow_names_it_and_those_that_ran() -> None:
    found = evaluate_workflows(detail("success", "build success", "lint success", "late skipped"), ("deploy",))
    assert found is not None
    assert found.reason == "#1 ended without workflow deploy; what ran: build, lint"
    assert "--workflow" in found.hint


def flows(deploy: str, lint: str) -> tuple[ScriptedWorkflow, ...]:
    return tuple(
        ScriptedWorkflow(name, state, (ScriptedStep("run", state, exit_code=int(state == "failure")),))
        for name, state in (("deploy", deploy), ("lint", lint))
    )


def script(deploy: str, lint: str, *, deploy_at: float = 20.0, ends_at: float = 60.0) -> PipelineTimeline:
    """Two workflows; `deploy` ends first, and the pipeline with `lint`."""
    final = "failure" if "failure" in {deploy, lint} else "success"
    return PipelineTimeline(
        (
            Frame(0.0, "created"),
            Frame(0.1, "pending", flows("pending", "pending")),
            Frame(0.2, "running", flows("running", "running")),
            Frame(deploy_at, "running", flows(deploy, "running")),
            Frame(ends_at, final, flows(deploy, lint)),
        )
    )


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
@pytest.mark.parametrize(("deploy", "exit_"), [("success", OK), ("failure", FAILED)])
def test_a_watch_ends_with_the_named_workflow_and_shows_the_others(stream: str, deploy: str, exit_: ExitCode) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(script(deploy, "failure"), at=1.0)
    events: list[Event] = []
    verdict = woodpecker.watch(scope=NAMED, tell=events.append)
    assert verdict.exit is exit_, verdict
    assert woodpecker.clock.t < (45 if exit_ is FAILED else 30)
    assert "workflow deploy" in verdict.reason
    assert {event.name for event in events if isinstance(event, WorkflowChanged)} == {"deploy", "lint"}


@pytest.mark.parametrize("stream", ["up", ""], ids=["stream", "list"])
def test_an_error_of_the_configuration_counts_whatever_is_named(stream: str) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(timelines.make_config_error())
    assert woodpecker.watch(scope=NAMED).exit is FAILED


def test_a_detail_that_never_comes_is_no_result() -> None:
    gone = RequestFailed(FailureKind.STATUS, "the server returned 500")
    woodpecker = InMemoryWoodpecker(stream="", bad=lambda path, _: gone if "pipelines/" in path else None)
    woodpecker.push(script("success", "success"))
    verdict = woodpecker.watch(scope=NAMED, timeouts=WatchTimeouts(unreachable=30))
    assert verdict.exit is ExitCode.UNREACHABLE
    assert woodpecker.clock.t < 100
    assert woodpecker.count() < 110


def test_a_pipeline_that_was_superseded_after_the_named_workflow_passed_is_0() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(script("success", "success"))
    woodpecker.push(timelines.make_green(20), at=40.0, sha=NEWER)
    assert woodpecker.watch(scope=NAMED).exit is OK


@pytest.mark.parametrize(
    ("script_", "number", "red"),
    [
        (script("success", "failure"), 2, False),
        (script("failure", "success"), 2, True),
        (timelines.make_config_error(), 2, True),
        (timelines.make_green(5), 1, False),
        (timelines.make_cancelled(after=3), 1, False),
        (script("success", "failure", ends_at=900), 2, False),
    ],
    ids=["green", "red", "error", "without it", "cancelled", "running"],
)
def test_the_color_of_a_branch_is_that_of_the_named_workflow(
    script_: PipelineTimeline, number: int, *, red: bool
) -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(script("success", "success"), sha=NEWER)
    woodpecker.push(script_, at=100.0)
    woodpecker.clock.t = 300.0
    found = query_branch_status(["acme/app"], "main", lambda: woodpecker.ci, seconds=30.0, workflows=("deploy",))
    assert isinstance(found, Found)
    assert found.value.pipeline is not None
    assert (found.value.pipeline.number, found.value.is_red) == (number, red)


@pytest.mark.parametrize(("stream", "most"), [("up", 45), ("", 190)], ids=["stream", "list"])
def test_ten_minutes_cost_no_more_requests_than_without_a_name(stream: str, most: int) -> None:
    woodpecker = InMemoryWoodpecker(stream=stream)
    woodpecker.push(script("success", "success", deploy_at=590.0, ends_at=600.0), at=1.0)
    assert woodpecker.watch(scope=NAMED).exit is OK
    assert woodpecker.count(r"/api/(user|repos)") <= most
