"""`homelab ci restart`: what it starts, what it refuses, and that a start is asked for once only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab_hooks.ci.model import Pipeline
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, PipelineChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import BEST_EFFORT_TIMEOUT_S
from homelab_hooks.watch.restart_plan import ManualRun, NothingToDo, Rerun, RestartPlan, StartManually, plan_restart
from homelab_hooks.watch.restart_request import apply_restart_plan
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

LATER = 600.0
NOT_MANUAL = ManualRun(branches=("main",))
MANUAL = ManualRun(is_requested=True, branches=("main",))
RED = timelines.make_flaky(timelines.make_red(), then=timelines.make_green(30))


def planned(woodpecker: InMemoryWoodpecker, *, manual: ManualRun = NOT_MANUAL, force: bool = False) -> RestartPlan:
    return plan_restart(woodpecker.survey(), OURS, manual=manual, force=force)


def refusal(woodpecker: InMemoryWoodpecker, *, manual: ManualRun = NOT_MANUAL) -> CommandError:
    with pytest.raises(CommandError) as caught:
        planned(woodpecker, manual=manual)
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
    """A restart cancels whatever runs on the branch (recording 10-restart)."""
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


def test_a_commit_without_a_pipeline_is_refused_with_every_remedy() -> None:
    """A manual pipeline is not that of a push, so it is started only on request."""
    caught = refusal(after())
    assert caught.exit is ExitCode.REFUSED
    assert all(word in caught.hint for word in ("--redeliver", "git commit --allow-empty", "--manual"))
    assert planned(after(), manual=MANUAL) == StartManually("main")


@pytest.mark.parametrize(
    ("facts", "manual", "remedy"),
    [
        (CommitFacts(message="docs [skip ci]"), NOT_MANUAL, "without [skip ci]; --manual"),
        (CommitFacts(has_ci_config=True, is_filtered=True), NOT_MANUAL, "`when` conditions"),
        (CommitFacts(has_ci_config=False), NOT_MANUAL._replace(has_config=False), ".woodpecker"),
        (CommitFacts(is_pushed=False), ManualRun(), "push the commit"),
    ],
    ids=["skip marker", "filtered", "no configuration", "not pushed"],
)
def test_a_redelivery_is_no_remedy_for_a_push_that_was_not_lost(
    facts: CommitFacts, manual: ManualRun, remedy: str
) -> None:
    woodpecker = after()
    woodpecker.facts = facts
    caught = refusal(woodpecker, manual=manual)
    assert caught.exit is ExitCode.REFUSED
    assert remedy in caught.hint
    assert "--redeliver" not in caught.hint
    assert ("--manual" in caught.hint) is bool(manual.branches and manual.has_config)


def test_a_commit_without_a_pipeline_that_is_not_a_tip_is_not_built_by_hand() -> None:
    """A manual run builds the tip: another commit."""
    caught = refusal(after(), manual=ManualRun(is_requested=True))
    assert caught.exit is ExitCode.REFUSED
    assert "another commit" in caught.message


def test_a_manual_pipeline_is_not_started_beside_another_one() -> None:
    caught = refusal(after(timelines.make_config_error()), manual=MANUAL)
    assert caught.exit is ExitCode.REFUSED
    assert "#1 is error" in caught.message


def test_a_server_that_cannot_be_asked_is_not_a_lost_webhook() -> None:
    woodpecker = after()
    woodpecker.bad = lambda *_: RequestFailed(FailureKind.TIMEOUT, "no complete response")
    assert refusal(woodpecker).exit is ExitCode.UNREACHABLE


Started = tuple[tuple[Pipeline, ...], list[Event]]


def start(woodpecker: InMemoryWoodpecker, scope: WatchScope | None = None) -> Started:
    """Restart what failed: the new pipelines, and what was reported."""
    events: list[Event] = []
    seen = woodpecker.survey(scope=scope)
    wanted = plan_restart(seen, OURS, manual=MANUAL._replace(is_requested=not seen.tracks), force=False)
    assert not isinstance(wanted, NothingToDo)
    return apply_restart_plan(wanted, seen, woodpecker.ci, clock=woodpecker.clock, emit=events.append).started, events


def started(woodpecker: InMemoryWoodpecker) -> str:
    """Restart what failed; the sentences about it."""
    return "; ".join(event.text for event in start(woodpecker)[1] if isinstance(event, Log))


def test_a_restart_is_watched_to_its_own_end() -> None:
    woodpecker = after(RED)
    new, events = start(woodpecker)
    assert [event.text for event in events if isinstance(event, Log)] == ["#2 restarts #1"]
    assert [(event.number, event.url) for event in events if isinstance(event, PipelineChanged)] == [(2, new[0].url)]
    verdict = woodpecker.watch(started=new)
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (ExitCode.OK, [2])
    assert woodpecker.posts == ["/api/repos/8/pipelines/1"]


def test_a_manual_run_is_watched_to_its_own_end() -> None:
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    assert started(woodpecker) == "#1 was started manually"
    verdict = woodpecker.watch()
    assert (verdict.exit, verdict.pipelines[0].event) == (ExitCode.OK, "manual")


@pytest.mark.parametrize("older", [0.5, 8.0, 90.0, 900.0])
@pytest.mark.parametrize("end", [timelines.make_green(30), timelines.make_red()], ids=["green", "red"])
@pytest.mark.parametrize("detail", [True, False], ids=["", "no detail"])
def test_a_restarted_pipeline_is_waited_for_whatever_an_older_list_shows(
    older: float, end: PipelineTimeline, *, detail: bool
) -> None:
    """A cache, or a replica that lags behind, still shows the pipeline that failed, and only that one."""
    woodpecker = after(timelines.make_flaky(timelines.make_red(), then=end))
    stale = woodpecker.request("GET", "/api/repos/8/pipelines?page=1&perPage=50")
    assert isinstance(stale, HttpResponse)
    new, _ = start(woodpecker)
    until = woodpecker.clock.t + older
    gone = HttpResponse(404, {"x-woodpecker-version": "3.17.0"}, b"", 0.1)
    woodpecker.bad = lambda path, t: (
        stale if "pipelines?" in path and t < until else gone if not detail and "pipelines/2" in path else None
    )
    verdict = woodpecker.watch(started=new)
    assert verdict.exit is (ExitCode.FAILED if end == timelines.make_red() else ExitCode.OK)
    assert [p.number for p in verdict.pipelines] == [2]
    assert woodpecker.clock.t >= until


def test_a_restart_that_no_list_ever_shows_ends_with_the_timeout_and_not_with_the_old_failure() -> None:
    woodpecker = after(RED)
    stale = woodpecker.request("GET", "/api/repos/8/pipelines?page=1&perPage=50")
    new, _ = start(woodpecker)
    woodpecker.bad = lambda path, _: stale if "pipelines?" in path else LOST["500"] if "pipelines/2" in path else None
    verdict = woodpecker.watch(started=new, timeouts=WatchTimeouts(overall=300))
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (ExitCode.TIMEOUT, [2])


TAG = "refs/tags/v1"
TAG_OBJECT = "7" * 40
TAG_SCOPES = {
    "lightweight": scope_of(OURS, ref=TAG),
    "annotated": scope_of(OURS, ref=TAG)._replace(tag_objects=frozenset({TAG_OBJECT})),
    "its full SHA": scope_of(OURS)._replace(tag_objects=frozenset({TAG_OBJECT})),
}


@pytest.mark.parametrize("name", TAG_SCOPES)
@pytest.mark.parametrize("branches", [("main",), ()], ids=["a branch's tip", "no tip"])
def test_a_tag_without_a_pipeline_is_not_started_by_hand(name: str, branches: tuple[str, ...]) -> None:
    """A manual pipeline builds a branch, so it would not be the tag's."""
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    manual = ManualRun(is_requested=True, branches=branches)
    with pytest.raises(CommandError) as caught:
        plan_restart(woodpecker.survey(scope=TAG_SCOPES[name]), OURS, manual=manual, force=True)
    assert caught.value.exit is ExitCode.REFUSED
    assert "never a tag" in caught.value.message
    assert "push it again" in caught.value.hint
    assert woodpecker.posts == []


def test_a_tags_pipeline_that_failed_is_started_again() -> None:
    woodpecker = after()
    woodpecker.push(RED, sha=TAG_OBJECT, event="tag", ref=TAG, branch="")
    woodpecker.clock.t += LATER
    new, _ = start(woodpecker, TAG_SCOPES["annotated"])
    verdict = woodpecker.watch(scope=TAG_SCOPES["annotated"], started=new)
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (ExitCode.OK, [2])


def test_a_manual_start_that_is_filtered_out_ends_at_once() -> None:
    """Woodpecker answers 204 with `Pipeline-Filtered: true`, and no row ever appears."""
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = OURS
    woodpecker.book.manual_timeline = timelines.make_no_pipeline()
    begin = woodpecker.clock.t
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.NO_PIPELINE
    assert "no workflow's conditions match" in caught.value.message
    assert "event: manual" in caught.value.hint
    assert (len(woodpecker.posts), woodpecker.clock.t - begin < 2) == (1, True)


FILTERED = replace(timelines.make_red(), on_restart=timelines.make_no_pipeline())


def test_a_restart_that_is_filtered_out_ends_at_once() -> None:
    with pytest.raises(CommandError) as caught:
        started(after(FILTERED))
    assert caught.value.exit is ExitCode.NO_PIPELINE
    assert "#1 was not restarted" in caught.value.message


def test_of_two_restarts_the_one_that_is_filtered_out_does_not_keep_the_other_from_starting() -> None:
    woodpecker = after(FILTERED)
    woodpecker.push(RED, event="pull_request", ref="refs/pull/1/head")
    woodpecker.clock.t += LATER
    new, events = start(woodpecker)
    assert [row.parent for row in new] == [run_ref(2)]
    assert "#1 was not restarted: no workflow's conditions match" in [e.text for e in events if isinstance(e, Log)]


@pytest.mark.parametrize("headers", [{}, {"pipeline-filtered": "false"}, {"pipeline-filtered": ""}], ids=str)
def test_an_empty_answer_alone_is_not_taken_for_filtered(headers: dict[str, str]) -> None:
    woodpecker = after(RED)
    empty = HttpResponse(204, {"x-woodpecker-version": "3.17.0", **headers}, b"", 0.1)
    woodpecker.bad = lambda path, t: (
        empty if woodpecker.posts and path == woodpecker.posts[-1] and t < LATER + 40 else None
    )
    assert started(woodpecker) == "#2 restarts #1"


@pytest.mark.parametrize("script", [RED, timelines.make_no_pipeline()], ids=["restart", "manual"])
@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_user_who_may_only_read_is_told_that_push_access_is_missing(
    script: PipelineTimeline, visibility: str
) -> None:
    """Woodpecker answers 404, as for a repository that it does not know."""
    woodpecker = after()
    woodpecker.book.repositories[:] = [replace(woodpecker.repo, visibility=visibility)]
    woodpecker.token = "carol-token"
    woodpecker.push(script)
    woodpecker.clock.t += LATER
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.DENIED
    assert "no push access to acme/app" in caught.value.message
    assert "activate" not in caught.value.hint
    assert len(woodpecker.posts) == 1


def test_a_restart_in_a_repository_that_is_not_active_says_so() -> None:
    woodpecker = after(RED)
    woodpecker.book.repositories[:] = [replace(woodpecker.repo, active=False)]
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.DENIED
    assert "not active" in caught.value.message


def test_a_manual_run_of_another_commit_is_not_followed() -> None:
    """The branch has moved since it was fetched."""
    woodpecker = after()
    woodpecker.book.tips[8, "main"] = NEWER
    with pytest.raises(CommandError) as caught:
        started(woodpecker)
    assert caught.value.exit is ExitCode.NO_PIPELINE
    assert f"homelab-watch {NEWER}" in caught.value.hint


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
    "no answer": RequestFailed(FailureKind.TIMEOUT, "no complete response"),
    "reset": RequestFailed(FailureKind.CONNECTION, "reset"),
    "cut": RequestFailed(FailureKind.BODY, "broke off"),
    "cut in the middle": HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, b'{"numb', 0.1),
    "null": HttpResponse(200, {"x-woodpecker-version": "3.17.0"}, b"null", 0.1),
}


@pytest.mark.parametrize("name", LOST)
def test_a_start_whose_answer_was_lost_is_found_in_the_list_and_not_repeated(name: str) -> None:
    """A 500 may have made the row all the same (recording 10-restart)."""
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
