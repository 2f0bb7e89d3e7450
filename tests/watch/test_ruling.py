"""Which pipelines decide, and what is said where none does: whole watches without sockets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from homelab_hooks.ci.model import Cancellation, Pipeline, Status
from homelab_hooks.ci.woodpecker.traits import DECIDING_EVENTS, WOODPECKER
from homelab_hooks.events import Event, Log, PipelineChanged
from homelab_hooks.exit_codes import CI_WORST_FIRST, ExitCode, choose_worst_exit
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling.contact import LOST_REPORT_AFTER_S as REPORT_AFTER_S
from homelab_hooks.polling.outcome import FailureKind, Found, Poll, Unavailable
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import Frame, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.no_pipeline import CommitFacts, explain_no_pipeline
from homelab_hooks.watch.ruling import CONTAINMENT_WAIT_S
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchScope, WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OLDER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

TAG: dict[str, Any] = {"event": "tag", "ref": "refs/tags/v1", "branch": ""}
PULL: dict[str, Any] = {"event": "pull_request", "ref": "refs/pull/1/head", "refspec": "topic:main"}
CRON: dict[str, Any] = {"event": "cron", "ref": "refs/heads/main"}
SHORT = WatchTimeouts(overall=300, appear=20)


def numbers(woodpecker: InMemoryWoodpecker, scope: WatchScope | None = None) -> tuple[ExitCode, list[int]]:
    verdict = woodpecker.watch(timeouts=SHORT, scope=scope)
    return verdict.exit, [pipeline.number for pipeline in verdict.pipelines]


@pytest.mark.parametrize("event", DECIDING_EVENTS)
def test_each_event_that_decides_decides_alone(event: str) -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(), event=event)
    assert numbers(woodpecker) == (ExitCode.FAILED, [1])


@pytest.mark.parametrize("event", ["cron", "pull_request_closed", "pull_request_metadata"])
def test_an_event_that_does_not_decide_is_shown_and_leaves_no_pipeline(event: str) -> None:
    woodpecker = InMemoryWoodpecker()
    events: list[Event] = []
    woodpecker.push(timelines.make_green(), event=event)
    verdict = woodpecker.watch(timeouts=SHORT, tell=events.append)
    assert verdict.exit is ExitCode.NO_PIPELINE
    assert {(one.number, one.deciding) for one in events if isinstance(one, PipelineChanged)} == {(1, False)}


def test_cron_decides_where_it_is_named() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_green())
    woodpecker.push(timelines.make_red(), **CRON)
    assert numbers(woodpecker, WatchScope(sha=OURS, events=frozenset({"cron"}))) == (ExitCode.FAILED, [2])


def test_a_tag_selects_the_tags_pipelines() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red())
    woodpecker.push(timelines.make_green(), **TAG)
    assert numbers(woodpecker, scope_of(OURS, ref="refs/tags/v1")) == (ExitCode.OK, [2])


OUTER, INNER = "7" * 40, "8" * 40
"""the SHAs of a tag that points to a tag that points to our commit"""
TAGGED = scope_of(OURS, ref="refs/tags/v1")._replace(tag_objects=frozenset({OUTER, INNER}))


@pytest.mark.parametrize("shown", [OURS, OUTER, INNER], ids=["the commit", "the tag", "the inner tag"])
@pytest.mark.parametrize("exit_", [ExitCode.OK, ExitCode.FAILED])
@pytest.mark.parametrize("event", ["tag", "release"])
def test_a_row_of_a_tag_counts_if_it_shows_the_commit_or_a_tag_that_leads_to_it(
    shown: str, exit_: ExitCode, event: str
) -> None:
    """Gitea and Forgejo send the SHA of an annotated tag itself, other forges that of the commit."""
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red())
    woodpecker.push(timelines.make_green(), **{**TAG, "ref": "refs/tags/v2"}, sha=shown)
    script = timelines.make_green() if exit_ is ExitCode.OK else timelines.make_red()
    woodpecker.push(script, at=3.0, sha=shown, **{**TAG, "event": event})
    assert numbers(woodpecker, TAGGED) == (exit_, [3])


def test_the_pipeline_of_a_tag_that_was_moved_does_not_count() -> None:
    """The row of the tag's former object has the same ref."""
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_green(), sha=NEWER, **TAG)
    assert numbers(woodpecker, TAGGED) == (ExitCode.NO_PIPELINE, [])
    woodpecker.push(timelines.make_red(), at=woodpecker.clock.t, sha=OUTER, **TAG)
    assert numbers(woodpecker, TAGGED) == (ExitCode.FAILED, [2])


def test_the_full_sha_of_a_tag_finds_the_tags_pipeline_too() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_green(), sha=OUTER, **TAG)
    assert numbers(woodpecker, TAGGED._replace(ref="")) == (ExitCode.OK, [1])


def test_a_restart_of_a_tags_pipeline_replaces_it() -> None:
    woodpecker = InMemoryWoodpecker()
    events: list[Event] = []
    woodpecker.push(timelines.make_red(seconds=5), sha=OUTER, **TAG)
    woodpecker.push(timelines.make_green(), at=3.0, sha=OUTER, **TAG)
    verdict = woodpecker.watch(scope=TAGGED, tell=events.append)
    assert (verdict.exit, verdict.sha, [one.number for one in verdict.pipelines]) == (ExitCode.OK, OURS, [2])
    assert "restarted: #2 replaces #1" in {one.note for one in events if isinstance(one, PipelineChanged)}


def test_the_logs_of_a_tags_pipeline_are_asked_for_by_the_tag() -> None:
    """The commit alone does not lead to a row that shows the tag's own SHA."""
    woodpecker = InMemoryWoodpecker()
    events: list[Event] = []
    woodpecker.push(timelines.make_red(), sha=OUTER, **TAG)
    woodpecker.watch(scope=TAGGED, tell=events.append)
    assert any("homelab ci logs v1 --step test" in one.text for one in events if isinstance(one, Log))


def test_a_push_of_the_same_commit_to_another_branch_does_not_decide_a_landing() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(), branch="topic", ref="refs/heads/topic")
    woodpecker.push(timelines.make_green())
    assert numbers(woodpecker, WatchScope(sha=OURS, events=frozenset({"push"}), branch="main")) == (ExitCode.OK, [2])


def test_two_refs_of_the_same_event_both_decide() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(seconds=5), branch="topic", ref="refs/heads/topic")
    woodpecker.push(timelines.make_green(seconds=50))
    assert numbers(woodpecker) == (ExitCode.FAILED, [1, 2])
    assert woodpecker.clock.t >= 50


def test_push_tag_and_pull_request_are_waited_for_and_the_worst_counts() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_green(seconds=30))
    woodpecker.push(timelines.make_cancelled(after=5), **TAG)
    woodpecker.push(timelines.make_blocked(), **PULL)
    assert numbers(woodpecker) == (ExitCode.CANCELLED, [1, 2, 3])


@pytest.mark.parametrize(("better", "worse"), [(b, a) for a, b in combinations(CI_WORST_FIRST, 2)], ids=str)
def test_the_worse_of_two_counts_in_the_documented_order(better: ExitCode, worse: ExitCode) -> None:
    assert CI_WORST_FIRST == (4, 8, 1, 5, 6, 7, 3, 124, 0)
    assert choose_worst_exit([better, worse]) is choose_worst_exit([worse, better]) is worse


def test_another_commit_with_the_same_beginning_does_not_decide() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(timelines.make_red(), sha=OURS[:39] + "b")
    woodpecker.push(timelines.make_green(), event="tag", ref="refs/tags/v1")
    assert numbers(woodpecker) == (ExitCode.OK, [2])


def test_a_restart_of_a_restart_decides() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    script = timelines.make_flaky(
        timelines.make_red(), then=timelines.make_flaky(timelines.make_red(), then=timelines.make_green(20))
    )
    woodpecker.push(script)
    for t in (10.0, 20.0):
        woodpecker.clock.t = t
        woodpecker.book.restart(woodpecker.repo, woodpecker.book.rows[-1], t)
    verdict = woodpecker.watch()
    assert [p.number for p in verdict.pipelines] == [3]


def superseded(newer: str, *, version: str = "3.17.0", script: PipelineTimeline | None = None) -> InMemoryWoodpecker:
    """Our run is superseded at 10 s by a newer commit's."""
    woodpecker = InMemoryWoodpecker(version=version)
    woodpecker.push(timelines.make_green(60))
    woodpecker.push(script or timelines.make_red(seconds=30), at=10.0, sha=newer)
    return woodpecker


@pytest.mark.parametrize("version", ["3.17.0", "3.13.0", "2.8.3"])
def test_a_newer_commit_that_contains_ours_is_followed(version: str) -> None:
    """Servers before 3.14 do not say who ended it: a newer one on the branch did."""
    woodpecker = superseded(NEWER, version=version)
    events: list[Event] = []
    verdict = woodpecker.watch(tell=events.append)
    assert (verdict.exit, [(p.number, p.interrupted) for p in verdict.pipelines]) == (
        ExitCode.FAILED,
        [(1, True), (2, None)],
    )
    assert any(isinstance(one, PipelineChanged) and "following it" in one.note for one in events)


@pytest.mark.parametrize("version", ["3.17.0", "2.8.3"])
def test_a_newer_commit_that_does_not_contain_ours_is_6(version: str) -> None:
    verdict = superseded(OLDER, version=version).watch()
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "does not contain it" in verdict.reason


def test_a_newer_commit_that_stays_unknown_is_6_with_that_reason() -> None:
    verdict = superseded("d" * 40).watch()
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "not in this repository" in verdict.reason


def test_a_newer_commit_that_can_be_fetched_only_later_is_followed() -> None:
    """Git's server was out of reach at the first request."""
    woodpecker = superseded(NEWER, script=timelines.make_green(60))
    answers = iter([Containment.UNKNOWN, Containment.UNKNOWN])

    def compare(*, newer: str, ours: str) -> Containment:
        assert (newer, ours) == (NEWER, OURS)
        return next(answers, Containment.CONTAINS)

    woodpecker.compare = compare
    verdict = woodpecker.watch()
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (ExitCode.OK, [1, 2])


def test_a_chain_of_newer_commits_is_followed_to_its_end() -> None:
    woodpecker = superseded(NEWER, script=timelines.make_green(60))
    woodpecker.push(timelines.make_green(20), at=20.0, sha=NEWER)
    assert numbers(woodpecker) == (ExitCode.OK, [1, 3])


def test_a_chain_that_ends_in_a_commit_without_ours_is_6() -> None:
    woodpecker = superseded(NEWER, script=timelines.make_green(60))
    woodpecker.push(timelines.make_green(20), at=20.0, sha=OLDER)
    assert numbers(woodpecker)[0] is ExitCode.SUPERSEDED


def test_before_3_14_a_kill_with_nothing_newer_is_a_persons() -> None:
    woodpecker = InMemoryWoodpecker(version="2.8.3")
    woodpecker.push(timelines.make_cancelled(after=3))
    assert numbers(woodpecker) == (ExitCode.CANCELLED, [1])


def test_a_restart_of_an_older_commit_supersedes_ours() -> None:
    """It kills whatever runs on the branch (recording 10-restart)."""
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red(), sha=OLDER)
    woodpecker.push(timelines.make_green(60), at=5.0)
    woodpecker.book.restart(woodpecker.repo, woodpecker.book.rows[0], 15.0)
    assert numbers(woodpecker)[0] is ExitCode.SUPERSEDED


def test_workflows_that_still_run_under_killed_change_nothing() -> None:
    """For ever, if their agent is gone (recording 11b-agent-dies)."""
    flow = ScriptedWorkflow("w", "running", (ScriptedStep("build", "running"),))
    info = (("canceled_by_user", "alice"),)
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(
        PipelineTimeline(
            (Frame(0, "created"), Frame(0.1, "running", (flow,)), Frame(3, "killed", (flow,), cancel_info=info))
        )
    )
    assert numbers(woodpecker) == (ExitCode.CANCELLED, [1])


def test_a_workflow_that_was_skipped_by_its_dependency_leaves_the_failure_as_the_reason() -> None:
    """Its steps are killed (recording 04-depends-on)."""
    lint = ScriptedWorkflow("lint", "failure", (ScriptedStep("style", "failure", 1),))
    ship = ScriptedWorkflow("ship", "skipped", (ScriptedStep("push", "killed"),))
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(PipelineTimeline((Frame(0, "running", (lint, ship)), Frame(3, "failure", (lint, ship)))))
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.FAILED
    assert "step style of workflow lint" in verdict.reason


def test_a_pipeline_whose_every_workflow_was_skipped_passes_and_says_so() -> None:
    flow = ScriptedWorkflow("ship", "skipped", (ScriptedStep("push", "skipped"),))
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(PipelineTimeline((Frame(0, "running", (flow,)), Frame(3, "success", (flow,)))))
    verdict = woodpecker.watch()
    assert verdict.exit is ExitCode.OK
    assert "skipped" in verdict.reason


def test_a_row_that_is_created_for_ever_is_undecided() -> None:
    woodpecker = InMemoryWoodpecker()
    woodpecker.push(PipelineTimeline((Frame(0, "created"),)))
    verdict = woodpecker.watch(timeouts=SHORT)
    assert verdict.exit is ExitCode.TIMEOUT
    assert "#1 is created" in verdict.reason
    assert 300 <= woodpecker.clock.t <= 302


def test_a_server_of_version_2_8_is_watched_as_one_of_today() -> None:
    for script, exit_ in ((timelines.make_green(), ExitCode.OK), (timelines.make_red(), ExitCode.FAILED)):
        woodpecker = InMemoryWoodpecker(version="2.8.3")
        woodpecker.push(script, at=2.0)
        assert numbers(woodpecker) == (exit_, [1])


def test_a_commit_far_down_the_list_is_found() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red())
    for number in range(130):
        woodpecker.push(timelines.make_green(), sha=OLDER, branch=f"b{number}", ref=f"refs/heads/b{number}")
    woodpecker.clock.t = 60.0
    assert numbers(woodpecker) == (ExitCode.FAILED, [1])


def test_ours_is_not_lost_when_many_newer_ones_push_it_down() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_red(seconds=100))
    for number in range(80):
        woodpecker.push(
            timelines.make_green(), at=number + 1.0, sha=OLDER, branch=f"b{number}", ref=f"refs/heads/b{number}"
        )
    assert numbers(woodpecker) == (ExitCode.FAILED, [1])


REASONS = [
    (CommitFacts(message="docs [skip ci]"), False, "[skip ci]", "without [skip ci]"),
    (CommitFacts(message="docs [CI SKIP]", has_ci_config=True), False, "[CI SKIP]", "without"),
    (CommitFacts(has_ci_config=False), False, "no Woodpecker configuration", ".woodpecker"),
    (CommitFacts(has_ci_config=True), True, "filtered", "when"),
    (CommitFacts(has_ci_config=True, is_branch_tip=False), False, "not the tip", "tip of the branch"),
    (CommitFacts(has_ci_config=True, is_branch_tip=False, is_pushed=True), False, "not the tip", "tip of the branch"),
    (
        CommitFacts(has_ci_config=True, is_branch_tip=False, is_pushed=False),
        False,
        "not on any known branch of the remote",
        "git land",
    ),
    (CommitFacts(is_repo_active=False, message="[skip ci]"), False, "not active", "activate"),
    (CommitFacts(has_ci_config=True, is_branch_tip=True), False, "webhook", "homelab ci restart --redeliver"),
    (
        CommitFacts(has_ci_config=True),
        False,
        "webhook may have been lost, or no workflow's",
        "homelab ci restart --redeliver",
    ),
    (CommitFacts(has_ci_config=True, is_filtered=True), False, "no workflow's conditions match this push", "when"),
    (CommitFacts(has_ci_config=True, is_filtered=True, event="tag"), False, "match this tag", "when"),
    (CommitFacts(has_ci_config=True, is_filtered=True, is_pushed=False), False, "not on any known branch", "git land"),
]


@pytest.mark.parametrize(
    ("event", "config_file", "is_said"),
    [("push", "", True), ("cron", "", False), ("tag", "", False), ("push", "ci/pipeline.yaml", False)],
)
def test_conditions_explain_only_the_event_and_the_files_that_they_were_read_for(
    event: str, config_file: str, *, is_said: bool
) -> None:
    """CI may read the repository's configuration from another path; the default ones then say nothing."""
    woodpecker = InMemoryWoodpecker(facts=CommitFacts(has_ci_config=True, is_filtered=True))
    woodpecker.book.repositories[:] = [replace(woodpecker.repo, config_file=config_file)]
    verdict = woodpecker.watch(timeouts=SHORT, scope=WatchScope(sha=OURS, events=frozenset({event})))
    assert verdict.exit is ExitCode.NO_PIPELINE
    assert ("filtered: no workflow's conditions match" in verdict.reason) is is_said


def test_a_missing_configuration_is_no_reason_where_ci_reads_it_from_another_path() -> None:
    woodpecker = InMemoryWoodpecker(facts=CommitFacts(has_ci_config=False))
    woodpecker.book.repositories[:] = [replace(woodpecker.repo, config_file="ci/pipeline.yaml")]
    assert "configuration" not in woodpecker.watch(timeouts=SHORT).reason


@pytest.mark.parametrize(("facts", "filtered", "word", "remedy"), REASONS, ids=lambda one: str(one)[:25])
def test_no_pipeline_has_its_reason_and_its_remedy(
    facts: CommitFacts, word: str, remedy: str, *, filtered: bool
) -> None:
    reason, hint = explain_no_pipeline(facts, WOODPECKER, was_filtered=filtered)
    assert word in reason
    assert remedy in hint


def test_lost_contact_is_reported_after_five_seconds_and_not_before() -> None:
    state, events = CiWatchState(scope=scope_of(OURS)), []
    look: Poll[CiObservation] = Unavailable("reset", FailureKind.CONNECTION)
    for t in (0.0, REPORT_AFTER_S - 0.1, REPORT_AFTER_S, REPORT_AFTER_S + 1):
        step = decide_watch(state, look, t)
        state = step.state
        events.append([type(event).__name__ for event in step.events if type(event).__name__ == "ContactLost"])
    assert REPORT_AFTER_S == 5.0
    assert events == [[], [], ["ContactLost"], []]


@pytest.mark.parametrize(
    ("containment", "again_at", "commits"),
    [
        (Containment.CONTAINS, 1.0, ()),
        (Containment.NOT_CONTAINED, 1.0, ()),
        (Containment.ABSENT, 1.0, ()),
        (Containment.UNKNOWN, CONTAINMENT_WAIT_S - 1.0, (NEWER,)),
        (Containment.UNKNOWN, CONTAINMENT_WAIT_S, ()),
    ],
)
def test_a_commit_is_compared_until_the_answer_is_known(
    containment: Containment, again_at: float, commits: tuple[str, ...]
) -> None:
    group = ("push", "refs/heads/main")
    killed = Pipeline(run_ref(1), 1, group, *group, "main", OURS, Status.KILLED, reports_cancellation=True)
    ours = killed._replace(cancellation=Cancellation(superseded_by=run_ref(2)))
    newer = killed._replace(run=run_ref(2), number=2, commit=NEWER, status=Status.RUNNING)
    state = decide_watch(CiWatchState(scope=scope_of(OURS)), Found(CiObservation(rows=(newer, ours))), 0.0).state
    assert state.query.commits == (NEWER,)
    answer = Found(CiObservation(rows=(newer, ours), containment={NEWER: containment}))
    assert decide_watch(state, answer, again_at).state.query.commits == commits
