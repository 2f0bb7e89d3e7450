"""Which pipelines decide, and what is said where none does (contract, section 5): whole watches without sockets."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from homelab_hooks.demo import timelines
from homelab_hooks.demo.script import At, Script, Step, Workflow
from homelab_hooks.events import Event, PipelineChanged
from homelab_hooks.exits import CI_WORST_FIRST, Exit, worst
from homelab_hooks.history import Containment
from homelab_hooks.looks import Fault, Look, Missed, Seen
from homelab_hooks.model import EVENTS, Pipeline, Status, Stopped
from homelab_hooks.watch.absence import CommitFacts, why_none
from homelab_hooks.watch.contact import TELL_AFTER
from homelab_hooks.watch.machine import turn
from homelab_hooks.watch.state import Patience, Scope, Sight, Watch
from tests.watch.history import NEWER, OLDER, OURS
from tests.watch.pure import Pure

TAG: dict[str, Any] = {"event": "tag", "ref": "refs/tags/v1", "branch": ""}
PULL: dict[str, Any] = {"event": "pull_request", "ref": "refs/pull/1/head", "refspec": "topic:main"}
CRON: dict[str, Any] = {"event": "cron", "ref": "refs/heads/main"}
SHORT = Patience(timeout=300, appear=20)


def numbers(site: Pure, scope: Scope | None = None) -> tuple[Exit, list[int]]:
    verdict = site.watch(patience=SHORT, scope=scope)
    return verdict.exit, [pipeline.number for pipeline in verdict.pipelines]


@pytest.mark.parametrize("event", EVENTS)
def test_each_event_that_decides_decides_alone(event: str) -> None:
    site = Pure()
    site.push(timelines.red(), event=event)
    assert numbers(site) == (Exit.FAILED, [1])


@pytest.mark.parametrize("event", ["cron", "pull_request_closed", "pull_request_metadata"])
def test_an_event_that_does_not_decide_is_shown_and_leaves_no_pipeline(event: str) -> None:
    site = Pure()
    told: list[Event] = []
    site.push(timelines.green(), event=event)
    verdict = site.watch(patience=SHORT, tell=told.append)
    assert verdict.exit is Exit.NO_PIPELINE
    assert {(one.number, one.deciding) for one in told if isinstance(one, PipelineChanged)} == {(1, False)}


def test_cron_decides_where_it_is_named() -> None:
    site = Pure()
    site.push(timelines.green())
    site.push(timelines.red(), **CRON)
    assert numbers(site, Scope(sha=OURS, events=frozenset({"cron"}))) == (Exit.FAILED, [2])


def test_a_tag_selects_the_tags_pipelines() -> None:
    site = Pure()
    site.push(timelines.red())
    site.push(timelines.green(), **TAG)
    assert numbers(site, Scope(sha=OURS, ref="refs/tags/v1")) == (Exit.OK, [2])


def test_a_push_of_the_same_commit_to_another_branch_does_not_decide_a_landing() -> None:
    site = Pure()
    site.push(timelines.red(), branch="topic", ref="refs/heads/topic")
    site.push(timelines.green())
    assert numbers(site, Scope(sha=OURS, events=frozenset({"push"}), branch="main")) == (Exit.OK, [2])


def test_two_refs_of_the_same_event_both_decide() -> None:
    site = Pure()
    site.push(timelines.red(seconds=5), branch="topic", ref="refs/heads/topic")
    site.push(timelines.green(seconds=50))
    assert numbers(site) == (Exit.FAILED, [1, 2])
    assert site.sky.t >= 50


def test_push_tag_and_pull_request_are_waited_for_and_the_worst_counts() -> None:
    site = Pure()
    site.push(timelines.green(seconds=30))
    site.push(timelines.cancelled(after=5), **TAG)
    site.push(timelines.blocked(), **PULL)
    assert numbers(site) == (Exit.CANCELLED, [1, 2, 3])


@pytest.mark.parametrize(("better", "worse"), [(b, a) for a, b in combinations(CI_WORST_FIRST, 2)], ids=str)
def test_the_worse_of_two_counts_in_the_contracts_order(better: Exit, worse: Exit) -> None:
    assert CI_WORST_FIRST == (4, 8, 1, 5, 6, 7, 3, 124, 0)
    assert worst([better, worse]) is worst([worse, better]) is worse


def test_another_commit_with_the_same_beginning_does_not_decide() -> None:
    site = Pure()
    site.push(timelines.red(), sha=OURS[:39] + "b")
    site.push(timelines.green(), event="tag", ref="refs/tags/v1")
    assert numbers(site) == (Exit.OK, [2])


def test_a_restart_of_a_restart_decides() -> None:
    site = Pure(stream="")
    script = timelines.flaky(timelines.red(), then=timelines.flaky(timelines.red(), then=timelines.green(20)))
    site.push(script)
    for t in (10.0, 20.0):
        site.sky.t = t
        site.book.restart(site.repo, site.book.rows[-1], t)
    verdict = site.watch()
    assert [p.number for p in verdict.pipelines] == [3]


def superseded(newer: str, *, version: str = "3.17.0", script: Script | None = None) -> Pure:
    """Our run is superseded at 10 s by a newer commit's."""
    site = Pure(version=version)
    site.push(timelines.green(60))
    site.push(script or timelines.red(seconds=30), at=10.0, sha=newer)
    return site


@pytest.mark.parametrize("version", ["3.17.0", "3.13.0", "2.8.3"])
def test_a_newer_commit_that_contains_ours_is_followed(version: str) -> None:
    """Servers before 3.14 do not say who ended it: a newer one on the branch did."""
    site = superseded(NEWER, version=version)
    told: list[Event] = []
    verdict = site.watch(tell=told.append)
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (Exit.FAILED, [2])
    assert any(isinstance(one, PipelineChanged) and "following it" in one.note for one in told)


@pytest.mark.parametrize("version", ["3.17.0", "2.8.3"])
def test_a_newer_commit_that_does_not_contain_ours_is_6(version: str) -> None:
    verdict = superseded(OLDER, version=version).watch()
    assert verdict.exit is Exit.SUPERSEDED
    assert "does not contain it" in verdict.reason


def test_a_newer_commit_that_stays_unknown_is_6_with_that_reason() -> None:
    verdict = superseded("d" * 40).watch()
    assert verdict.exit is Exit.SUPERSEDED
    assert "not known here" in verdict.reason


def test_a_chain_of_newer_commits_is_followed_to_its_end() -> None:
    site = superseded(NEWER, script=timelines.green(60))
    site.push(timelines.green(20), at=20.0, sha=NEWER)
    assert numbers(site) == (Exit.OK, [3])


def test_a_chain_that_ends_in_a_commit_without_ours_is_6() -> None:
    site = superseded(NEWER, script=timelines.green(60))
    site.push(timelines.green(20), at=20.0, sha=OLDER)
    assert numbers(site)[0] is Exit.SUPERSEDED


def test_before_3_14_a_kill_with_nothing_newer_is_a_persons() -> None:
    site = Pure(version="2.8.3")
    site.push(timelines.cancelled(after=3))
    assert numbers(site) == (Exit.CANCELLED, [1])


def test_a_restart_of_an_older_commit_supersedes_ours() -> None:
    """It kills whatever runs on the branch (measured, B4)."""
    site = Pure(stream="")
    site.push(timelines.red(), sha=OLDER)
    site.push(timelines.green(60), at=5.0)
    site.book.restart(site.repo, site.book.rows[0], 15.0)
    assert numbers(site)[0] is Exit.SUPERSEDED


def test_workflows_that_still_run_under_killed_change_nothing() -> None:
    """For ever, if their agent is gone (measured, A2)."""
    flow = Workflow("w", "running", (Step("build", "running"),))
    info = (("canceled_by_user", "alice"),)
    site = Pure()
    site.push(Script((At(0, "created"), At(0.1, "running", (flow,)), At(3, "killed", (flow,), cancel_info=info))))
    assert numbers(site) == (Exit.CANCELLED, [1])


def test_a_workflow_that_was_skipped_by_its_dependency_leaves_the_failure_as_the_reason() -> None:
    """Its steps are killed (measured, B11)."""
    lint = Workflow("lint", "failure", (Step("style", "failure", 1),))
    ship = Workflow("ship", "skipped", (Step("push", "killed"),))
    site = Pure()
    site.push(Script((At(0, "running", (lint, ship)), At(3, "failure", (lint, ship)))))
    verdict = site.watch()
    assert verdict.exit is Exit.FAILED
    assert "step style of workflow lint" in verdict.reason


def test_a_pipeline_whose_every_workflow_was_skipped_passes_and_says_so() -> None:
    flow = Workflow("ship", "skipped", (Step("push", "skipped"),))
    site = Pure()
    site.push(Script((At(0, "running", (flow,)), At(3, "success", (flow,)))))
    verdict = site.watch()
    assert verdict.exit is Exit.OK
    assert "skipped" in verdict.reason


def test_a_row_that_is_created_for_ever_is_undecided() -> None:
    site = Pure()
    site.push(Script((At(0, "created"),)))
    verdict = site.watch(patience=SHORT)
    assert verdict.exit is Exit.TIMEOUT
    assert "#1 is created" in verdict.reason
    assert 300 <= site.sky.t <= 302


def test_a_server_of_version_2_8_is_watched_as_one_of_today() -> None:
    for script, exit_ in ((timelines.green(), Exit.OK), (timelines.red(), Exit.FAILED)):
        site = Pure(version="2.8.3")
        site.push(script, at=2.0)
        assert numbers(site) == (exit_, [1])


def test_a_commit_far_down_the_list_is_found() -> None:
    site = Pure(stream="")
    site.push(timelines.red())
    for number in range(130):
        site.push(timelines.green(), sha=OLDER, branch=f"b{number}", ref=f"refs/heads/b{number}")
    site.sky.t = 60.0
    assert numbers(site) == (Exit.FAILED, [1])


def test_ours_is_not_lost_when_many_newer_ones_push_it_down() -> None:
    site = Pure(stream="")
    site.push(timelines.red(seconds=100))
    for number in range(80):
        site.push(timelines.green(), at=number + 1.0, sha=OLDER, branch=f"b{number}", ref=f"refs/heads/b{number}")
    assert numbers(site) == (Exit.FAILED, [1])


REASONS = [
    (CommitFacts(message="docs [skip ci]"), False, "[skip ci]", "without it"),
    (CommitFacts(message="docs [CI SKIP]", configured=True), False, "[CI SKIP]", "restart"),
    (CommitFacts(configured=False), False, "no Woodpecker configuration", ".woodpecker"),
    (CommitFacts(configured=True), True, "filtered", "when"),
    (CommitFacts(configured=True, tip=False), False, "not the tip", "tip of the branch"),
    (CommitFacts(configured=True, tip=False, pushed=True), False, "not the tip", "tip of the branch"),
    (CommitFacts(configured=True, tip=False, pushed=False), False, "on no branch of the remote", "git land"),
    (CommitFacts(active=False, message="[skip ci]"), False, "not active", "activate"),
    (CommitFacts(configured=True, tip=True), False, "webhook", "homelab ci restart"),
]


@pytest.mark.parametrize(("facts", "filtered", "word", "remedy"), REASONS, ids=lambda one: str(one)[:25])
def test_no_pipeline_has_its_reason_and_its_remedy(
    facts: CommitFacts, word: str, remedy: str, *, filtered: bool
) -> None:
    reason, hint = why_none(facts, filtered=filtered)
    assert word in reason
    assert remedy in hint


def test_lost_contact_is_told_after_five_seconds_and_not_before() -> None:
    state, told = Watch(scope=Scope(sha=OURS)), []
    look: Look[Sight] = Missed("reset", Fault.CONNECTION)
    for t in (0.0, TELL_AFTER - 0.1, TELL_AFTER, TELL_AFTER + 1):
        step = turn(state, look, t)
        state = step.state
        told.append([type(event).__name__ for event in step.events if type(event).__name__ == "LostContact"])
    assert TELL_AFTER == 5.0
    assert told == [[], [], ["LostContact"], []]


@pytest.mark.parametrize("containment", list(Containment), ids=lambda one: one.name)
def test_a_commit_is_asked_about_once(containment: Containment) -> None:
    """A remote is not fetched from again and again."""
    killed = Pipeline(1, "push", "refs/heads/main", "main", OURS, Status.KILLED, version="3.17.0")
    ours = killed._replace(stopped=Stopped(superseded_by=2))
    newer = killed._replace(number=2, commit=NEWER, status=Status.RUNNING)
    state = turn(Watch(scope=Scope(sha=OURS)), Seen(Sight(rows=(newer, ours))), 0.0).state
    assert state.ask.commits == (NEWER,)
    state = turn(state, Seen(Sight(rows=(newer, ours), contained={NEWER: containment})), 1.0).state
    assert state.ask.commits == ()
