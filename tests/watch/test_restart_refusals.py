"""`homelab ci restart` where a start is refused: the reason at once, and never 0 for what was not restarted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from homelab_hooks.app.watch_setup import only_contact_events
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.poller import WatchRequest
from homelab_hooks.watch.restart_plan import ManualRun, NothingToDo, Rerun, plan_restart
from homelab_hooks.watch.restart_request import RestartOutcome, add_problems, apply_restart_plan
from homelab_hooks.watch.snapshot import make_one_poll_timeouts, take_snapshot
from homelab_hooks.watch.start_search import CONFIRM_TIMEOUT_S
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

RED = timelines.make_flaky(timelines.make_red(), then=timelines.make_green(30))
OWN: Mapping[str, str] = {"x-woodpecker-version": "3.17.0"}


def response(status: int, body: bytes = b"", **headers: str) -> HttpResponse:
    """A response of the server itself."""
    return HttpResponse(
        status, {**OWN, **{name.replace("_", "-"): value for name, value in headers.items()}}, body, 0.1
    )


def after(*scripts: PipelineTimeline) -> InMemoryWoodpecker:
    """A server on which these pipelines of our commit ended long ago, the first of a push, the second of a pull."""
    woodpecker = InMemoryWoodpecker(stream="")
    for script, event in zip(scripts, ("push", "pull_request"), strict=False):
        woodpecker.push(script, event=event)
    woodpecker.clock.t = 600.0
    return woodpecker


def restart(woodpecker: InMemoryWoodpecker, answers: Mapping[int, HttpResponse]) -> tuple[RestartOutcome, list[Event]]:
    """The outcome of a restart whose POSTs for these numbers are answered so, and do nothing."""
    events: list[Event] = []
    seen = woodpecker.survey()
    plan = plan_restart(seen, OURS, manual=ManualRun(is_requested=not seen.tracks, branches=("main",)), force=False)
    assert not isinstance(plan, NothingToDo)
    paths = {f"/api/repos/8/pipelines/{number}": answer for number, answer in answers.items()}
    woodpecker.bad = lambda path, _: paths.get(path) if woodpecker.posts[-1:] == [path] else None
    woodpecker.effect = False
    return apply_restart_plan(plan, seen, woodpecker.ci, clock=woodpecker.clock, emit=events.append), events


def refusal(woodpecker: InMemoryWoodpecker, answers: Mapping[int, HttpResponse]) -> CommandError:
    with pytest.raises(CommandError) as caught:
        restart(woodpecker, answers)
    return caught.value


@pytest.mark.parametrize("cause", ["context deadline exceeded", "invalid status code 502", "EOF"])
def test_a_configuration_that_the_forge_did_not_return_needs_a_webhook_and_no_fix(cause: str) -> None:
    """Contract 5: nothing was stored, so a restart cannot help, and there is nothing to fix."""
    woodpecker = after(timelines.make_config_error(f"could not load config from forge: {cause}"))
    seen = woodpecker.survey()
    caught = refusal(woodpecker, {})
    assert (seen.verdict.exit, caught.exit) == (ExitCode.FAILED, ExitCode.REFUSED)
    assert "the forge did not return it" in caught.message
    assert seen.verdict.hint == caught.hint
    assert "homelab ci restart --redeliver" in caught.hint
    assert "fix" not in caught.hint


REFUSALS = {
    "400": (response(400, b"cannot restart a blocked pipeline"), "cannot restart a blocked pipeline", ""),
    "409": (response(409, b"conflict"), "409 (conflict)", ""),
    "422": (response(422), "422", ""),
    "429": (response(429, retry_after="3"), "429", "try again after 3 s"),
    "429 for a century": (
        response(429, date="Mon, 30 Nov 2026 12:00:00 GMT", retry_after="Wed, 30 Dec 2099 12:00:00 GMT"),
        "429",
        "",
    ),
    "307": (response(307, location="https://sso.example.test/"), "redirects to https://sso.example.test", "login"),
    "a web page": (HttpResponse(200, {"content-type": "text/html"}, b"<html>", 0.1), "a web page", "login"),
    "a page of a proxy": (HttpResponse(405, {"server": "nginx"}, b"<html>", 0.1), "not from Woodpecker", ""),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_start_that_is_plainly_refused_ends_at_once_with_the_servers_reason(name: str) -> None:
    answer, reason, hint = REFUSALS[name]
    woodpecker = after(RED)
    caught = refusal(woodpecker, {1: answer})
    assert caught.exit is ExitCode.REFUSED
    assert caught.message.startswith("#1 was not restarted: ")
    assert reason in caught.message
    assert hint in caught.hint
    assert (len(woodpecker.posts), woodpecker.clock.t < 602) == (1, True)


OPEN = {
    "500": response(500),
    "502 of a proxy": HttpResponse(502, {}, b"<html>", 0.1),
    "408": response(408),
    "204": response(204),
    "an empty 200": response(200),
    "the old number": response(
        200, b'{"number": 1, "status": "pending", "event": "push", "commit": "%s"}' % (b"a" * 40)
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_start_that_may_have_happened_is_searched_for(name: str) -> None:
    woodpecker = after(RED)
    caught = refusal(woodpecker, {1: OPEN[name]})
    assert caught.exit is ExitCode.UNREACHABLE
    assert "the start was not confirmed" in caught.message
    assert woodpecker.clock.t >= 600 + CONFIRM_TIMEOUT_S


FILTERED = response(204, pipeline_filtered="true")


@pytest.mark.parametrize(
    ("answer", "exit_"), [(FILTERED, ExitCode.NO_PIPELINE), (response(409), ExitCode.REFUSED)], ids=["204", "409"]
)
@pytest.mark.parametrize("refused", [1, 2])
def test_of_two_pipelines_the_one_that_was_not_restarted_counts(
    answer: HttpResponse, exit_: ExitCode, refused: int
) -> None:
    outcome, events = restart(after(RED, RED), {refused: answer})
    assert [row.parent for row in outcome.started] == [run_ref(3 - refused)]
    warnings = [event.text for event in events if isinstance(event, Log) and event.level is LogLevel.WARNING]
    assert [text.partition(":")[0] for text in warnings] == [f"#{refused} was not restarted"]
    verdict = add_problems(Verdict(exit=ExitCode.OK, label="passed"), outcome.problems)
    assert (verdict.exit, verdict.label, verdict.reason) == (exit_, "", warnings[0])


def test_a_configuration_error_next_to_a_restarted_pipeline_counts() -> None:
    woodpecker = after(RED, timelines.make_config_error())
    plan = plan_restart(woodpecker.survey(), OURS, manual=ManualRun(), force=False)
    assert isinstance(plan, Rerun)
    assert (plan.runs, [one.run for one in plan.misconfigured]) == ((run_ref(1),), [run_ref(2)])
    outcome, _ = restart(woodpecker, {})
    verdict = add_problems(Verdict(exit=ExitCode.OK), outcome.problems)
    assert verdict.exit is ExitCode.REFUSED
    assert "#2 has a configuration error" in verdict.reason


@pytest.mark.parametrize(
    ("watched", "problem", "worst"),
    [
        (ExitCode.FAILED, ExitCode.REFUSED, ExitCode.FAILED),
        (ExitCode.BLOCKED, ExitCode.NO_PIPELINE, ExitCode.BLOCKED),
        (ExitCode.TIMEOUT, ExitCode.NO_PIPELINE, ExitCode.NO_PIPELINE),
        (ExitCode.NO_PIPELINE, ExitCode.REFUSED, ExitCode.REFUSED),
        (ExitCode.OK, ExitCode.NO_PIPELINE, ExitCode.NO_PIPELINE),
    ],
)
def test_the_worst_of_the_watch_and_of_what_was_not_restarted_counts(
    watched: ExitCode, problem: ExitCode, worst: ExitCode
) -> None:
    verdict = add_problems(Verdict(exit=watched, reason="theirs"), (CommandError("mine", exit=problem),))
    assert (verdict.exit, verdict.reason) == (worst, "theirs" if worst is watched else "mine")


def new_row(number: int, commit: str) -> HttpResponse:
    """The answer to a start."""
    body = f'{{"number": {number}, "status": "pending", "event": "push", "commit": "{commit}", "parent": 1}}'
    return response(200, body.encode())


def test_a_rerun_of_another_commit_does_not_name_a_branch_that_moved() -> None:
    caught = refusal(after(RED), {1: new_row(2, NEWER)})
    assert caught.exit is ExitCode.NO_PIPELINE
    assert "although it restarts #1" in caught.message
    assert "has moved" not in caught.message


def test_heartbeats_come_while_the_first_list_is_refused() -> None:
    woodpecker = after(RED)
    woodpecker.bad = lambda path, _: response(403) if "pipelines?" in path else None
    events: list[Event] = []
    request = WatchRequest(scope=scope_of(OURS), repo_names=("acme/app",))
    seen = take_snapshot(
        request,
        woodpecker.sources(),
        clock=woodpecker.clock,
        emit=only_contact_events(events.append),
        timeouts=make_one_poll_timeouts(180.0),
    )
    assert seen.verdict.exit in {ExitCode.DENIED, ExitCode.UNREACHABLE}
    beats = [event for event in events if isinstance(event, Waiting)]
    assert len(beats) == 2
    assert all("access denied" in event.reason for event in beats)


def test_the_first_poll_of_a_commit_is_not_reported_as_waiting() -> None:
    events: list[Event] = []
    only_contact_events(events.append)(Waiting(reason="no pipeline for this commit yet", elapsed=0.1))
    assert events == []
