"""`homelab ci restart`: what it starts, what it refuses, and that a start is asked for once only."""

from __future__ import annotations

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.watch.poller import BEST_EFFORT_TIMEOUT_S
from homelab_hooks.watch.restart import NothingToDo, Rerun, RestartPlan, StartManually, plan_restart
from homelab_hooks.watch.restart_request import apply_restart_plan
from tests.ci.values import run_ref
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

LATER = 600.0
RED = timelines.make_flaky(timelines.make_red(), then=timelines.make_green(30))


def planned(
    woodpecker: InMemoryWoodpecker, *, branches: tuple[str, ...] = ("main",), force: bool = False
) -> RestartPlan:
    return plan_restart(woodpecker.survey(), OURS, branches=branches, force=force)


def refusal(woodpecker: InMemoryWoodpecker, *, branches: tuple[str, ...] = ("main",)) -> CommandError:
    with pytest.raises(CommandError) as caught:
        planned(woodpecker, branches=branches)
    return caught.value


def after(*scripts: PipelineTimeline) -> InMemoryWoodpecker:
    """A site on which our commit was pushed with these, the last one long ago."""
    woodpecker = InMemoryWoodpecker(stream="")
    for script in scripts:
        woodpecker.push(script)
    woodpecker.clock.t = LATER
    return woodpecker


@pytest.mark.parametrize(
    "script",
    [RED, timelines.make_cancelled(), timelines.make_cancelled_by_step()],
    ids=["red", "cancelled", "by a step"],
)
def test_a_pipeline_that_failed_is_started_again(script: PipelineTimeline) -> None:
    assert planned(after(script)) == Rerun((run_ref(1),))


@pytest.mark.parametrize(
    "script", [timelines.make_green(), timelines.make_stuck(), timelines.make_blocked(), timelines.make_declined()]
)
def test_what_has_not_failed_is_left_alone(script: PipelineTimeline) -> None:
    found = planned(after(script))
    assert isinstance(found, NothingToDo)
    assert "#1 is " in found.reason


def test_only_those_that_failed_are_started_again() -> None:
    woodpecker = after(RED)
    woodpecker.push(timelines.make_green(), event="tag", ref="refs/tags/v1", branch="")
    woodpecker.push(RED, event="pull_request", ref="refs/pull/1/head")
    woodpecker.clock.t += LATER
    assert planned(woodpecker) == Rerun((run_ref(1), run_ref(3)))


def test_a_restart_that_would_kill_a_newer_commits_run_is_refused_unless_forced() -> None:
    """A restart cancels whatever runs on the branch (measured, B4)."""
    woodpecker = after(RED)
    woodpecker.push(timelines.make_stuck(), at=LATER, sha=NEWER)
    woodpecker.clock.t += 5

    caught = refusal(woodpecker)

    assert caught.exit is ExitCode.REFUSED
    assert "#2" in caught.message
    assert "--force" in caught.hint
    assert planned(woodpecker, force=True) == Rerun((run_ref(1),))


@pytest.mark.parametrize(("event", "branch"), [("push", "other"), ("tag", "main"), ("push", "main")])
def test_runs_of_another_branch_or_event_and_those_that_ended_are_not_killed(event: str, branch: str) -> None:
    woodpecker = after(RED)
    ended = (event, branch) == ("push", "main")
    script = timelines.make_green() if ended else timelines.make_stuck()
    woodpecker.push(script, at=LATER, sha=NEWER, event=event, branch=branch, ref=f"refs/heads/{branch}")
    woodpecker.clock.t += 5
    assert planned(woodpecker) == Rerun((run_ref(1),))


def test_a_broken_configuration_is_refused_for_a_restart_uses_the_stored_one() -> None:
    caught = refusal(after(timelines.make_config_error()))
    assert caught.exit is ExitCode.REFUSED
    assert "stored configuration" in caught.message
    assert "push" in caught.hint


def test_a_lost_webhook_is_made_up_for_on_a_branchs_tip() -> None:
    assert planned(after()) == StartManually("main")


def test_a_commit_without_a_pipeline_that_is_not_a_tip_is_not_built_by_hand() -> None:
    """A manual run builds the tip: another commit."""
    caught = refusal(after(), branches=())
    assert caught.exit is ExitCode.NO_PIPELINE
    assert "another commit" in caught.message


def test_a_server_that_cannot_be_asked_is_not_a_lost_webhook() -> None:
    woodpecker = after()
    woodpecker.bad = lambda *_: RequestFailed(FailureKind.TIMEOUT, "no whole answer")
    assert refusal(woodpecker).exit is ExitCode.UNREACHABLE


def started(woodpecker: InMemoryWoodpecker) -> str:
    """Restart what failed; a sentence."""
    events: list[Event] = []
    seen = woodpecker.survey()
    wanted = plan_restart(seen, OURS, branches=("main",), force=False)
    assert not isinstance(wanted, NothingToDo)
    return apply_restart_plan(wanted, seen, woodpecker.ci, clock=woodpecker.clock, emit=events.append)


def test_a_restart_is_watched_to_its_own_end() -> None:
    woodpecker = after(RED)
    assert started(woodpecker) == "#2 restarts #1"
    verdict = woodpecker.watch()
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (ExitCode.OK, [2])
    assert woodpecker.posts == ["/api/repos/8/pipelines/1"]


def test_a_manual_run_is_watched_to_its_own_end() -> None:
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    assert started(woodpecker) == "#1 was started manually"
    verdict = woodpecker.watch()
    assert (verdict.exit, verdict.pipelines[0].event) == (ExitCode.OK, "manual")


def test_a_restart_has_fifteen_seconds_though_the_detail_before_it_had_five() -> None:
    """A locked database delays the answer to a POST by up to 15 seconds."""
    woodpecker = after(RED)
    started(woodpecker)
    assert woodpecker.deadlines[-2:] == [
        ("/api/repos/8/pipelines/1", BEST_EFFORT_TIMEOUT_S),
        ("/api/repos/8/pipelines/1", 15.0),
    ]
    assert woodpecker.post_deadlines == [15.0]


def test_a_manual_start_has_fifteen_seconds_too() -> None:
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    started(woodpecker)
    assert woodpecker.post_deadlines == [15.0]


LOST: dict[str, RequestFailed | HttpResponse] = {
    "500": HttpResponse(500, {}, b"", 0.1),
    "no answer": RequestFailed(FailureKind.TIMEOUT, "no whole answer"),
    "reset": RequestFailed(FailureKind.CONNECTION, "reset"),
    "cut": RequestFailed(FailureKind.BODY, "broke off"),
    "a web page": HttpResponse(200, {"content-type": "text/html"}, b"<html>", 0.1),
}


@pytest.mark.parametrize("name", LOST)
def test_a_start_whose_answer_was_lost_is_found_in_the_list_and_not_repeated(name: str) -> None:
    """A 500 may have made the row all the same (measured, B10)."""
    woodpecker = after(RED)
    woodpecker.bad = lambda path, t: (
        LOST[name] if woodpecker.posts and path == woodpecker.posts[-1] and t < LATER + 40 else None
    )
    assert started(woodpecker) == "#2 restarts #1"
    assert len(woodpecker.posts) == 1


def test_another_push_is_not_taken_for_the_manual_run_that_was_lost() -> None:
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    woodpecker.push(timelines.make_green(), at=LATER + 1, sha=NEWER, branch="other")
    woodpecker.effect = False
    woodpecker.bad = lambda path, _: LOST["500"] if path in woodpecker.posts else None
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.UNREACHABLE


@pytest.mark.parametrize("name", LOST)
def test_a_start_that_was_never_confirmed_is_unreachable_and_not_repeated(name: str) -> None:
    woodpecker = after(RED)
    woodpecker.effect = False
    woodpecker.bad = lambda path, t: (
        LOST[name] if woodpecker.posts and path == woodpecker.posts[-1] and t < LATER + 40 else None
    )
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.UNREACHABLE
    assert "not confirmed" in caught.value.message
    assert len(woodpecker.posts) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_start_that_is_refused_ends_at_once(status: int) -> None:
    no = HttpResponse(status, {"x-woodpecker-version": "3.17.0"}, b"", 0.1)
    woodpecker = after(RED)
    woodpecker.bad = lambda path, t: (
        no if woodpecker.posts and path == woodpecker.posts[-1] and t < LATER + 40 else None
    )
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.DENIED
    assert len(woodpecker.posts) == 1
