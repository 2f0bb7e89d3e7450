"""`homelab ci restart`: what it starts, what it refuses, and that a start is asked for once only."""

from __future__ import annotations

import pytest

from homelab_hooks.demo import timelines
from homelab_hooks.demo.script import Script
from homelab_hooks.errors import Problem
from homelab_hooks.events import Event
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Fault
from homelab_hooks.reply import NoReply, Reply
from homelab_hooks.watch.restart import Nothing, Plan, Retrigger, StartManually, plan
from homelab_hooks.watch.retrigger import retrigger
from tests.watch.history import NEWER, OURS
from tests.watch.pure import Pure

LATER = 600.0
RED = timelines.flaky(timelines.red(), then=timelines.green(30))


def planned(site: Pure, *, branches: tuple[str, ...] = ("main",), force: bool = False) -> Plan:
    return plan(site.survey(), OURS, branches=branches, force=force)


def refusal(site: Pure, *, branches: tuple[str, ...] = ("main",)) -> Problem:
    with pytest.raises(Problem) as caught:
        planned(site, branches=branches)
    return caught.value


def after(*scripts: Script) -> Pure:
    """A site on which our commit was pushed with these, the last one long ago."""
    site = Pure(stream="")
    for script in scripts:
        site.push(script)
    site.sky.t = LATER
    return site


@pytest.mark.parametrize(
    "script", [RED, timelines.cancelled(), timelines.cancelled_by_step()], ids=["red", "cancelled", "by a step"]
)
def test_a_pipeline_that_failed_is_started_again(script: Script) -> None:
    assert planned(after(script)) == Retrigger((1,))


@pytest.mark.parametrize("script", [timelines.green(), timelines.stuck(), timelines.blocked(), timelines.declined()])
def test_what_has_not_failed_is_left_alone(script: Script) -> None:
    found = planned(after(script))
    assert isinstance(found, Nothing)
    assert "#1 is " in found.reason


def test_only_those_that_failed_are_started_again() -> None:
    site = after(RED)
    site.push(timelines.green(), event="tag", ref="refs/tags/v1", branch="")
    site.push(RED, event="pull_request", ref="refs/pull/1/head")
    site.sky.t += LATER
    assert planned(site) == Retrigger((1, 3))


def test_a_restart_that_would_kill_a_newer_commits_run_is_refused_unless_forced() -> None:
    """A restart cancels whatever runs on the branch (measured, B4)."""
    site = after(RED)
    site.push(timelines.stuck(), at=LATER, sha=NEWER)
    site.sky.t += 5

    caught = refusal(site)

    assert caught.exit is Exit.REFUSED
    assert "#2" in caught.what
    assert "--force" in caught.hint
    assert planned(site, force=True) == Retrigger((1,))


@pytest.mark.parametrize(("event", "branch"), [("push", "other"), ("tag", "main"), ("push", "main")])
def test_runs_of_another_branch_or_event_and_those_that_ended_are_not_killed(event: str, branch: str) -> None:
    site = after(RED)
    ended = (event, branch) == ("push", "main")
    script = timelines.green() if ended else timelines.stuck()
    site.push(script, at=LATER, sha=NEWER, event=event, branch=branch, ref=f"refs/heads/{branch}")
    site.sky.t += 5
    assert planned(site) == Retrigger((1,))


def test_a_broken_configuration_is_refused_for_a_restart_uses_the_stored_one() -> None:
    caught = refusal(after(timelines.config_error()))
    assert caught.exit is Exit.REFUSED
    assert "stored configuration" in caught.what
    assert "push" in caught.hint


def test_a_lost_webhook_is_made_up_for_on_a_branchs_tip() -> None:
    assert planned(after()) == StartManually("main")


def test_a_commit_without_a_pipeline_that_is_no_tip_is_not_built_by_hand() -> None:
    """A manual run builds the tip: another commit."""
    caught = refusal(after(), branches=())
    assert caught.exit is Exit.NO_PIPELINE
    assert "another commit" in caught.what


def test_a_server_that_cannot_be_asked_is_no_lost_webhook() -> None:
    site = after()
    site.bad = lambda *_: NoReply(Fault.TIMEOUT, "no whole answer")
    assert refusal(site).exit is Exit.UNREACHABLE


def started(site: Pure) -> str:
    """Restart what failed; a sentence."""
    events: list[Event] = []
    seen = site.survey()
    wanted = plan(seen, OURS, branches=("main",), force=False)
    assert not isinstance(wanted, Nothing)
    return retrigger(wanted, seen, site.ci, clock=site.sky, tell=events.append)


def test_a_restart_is_watched_to_its_own_end() -> None:
    site = after(RED)
    assert started(site) == "#2 restarts #1"
    verdict = site.watch()
    assert (verdict.exit, [p.number for p in verdict.pipelines]) == (Exit.OK, [2])
    assert site.posts == ["/api/repos/8/pipelines/1"]


def test_a_manual_run_is_watched_to_its_own_end() -> None:
    site = after()
    site.book.tips[8, "main"] = OURS
    assert started(site) == "#1 was started by hand"
    verdict = site.watch()
    assert (verdict.exit, verdict.pipelines[0].event) == (Exit.OK, "manual")


LOST: dict[str, NoReply | Reply] = {
    "500": Reply(500, {}, b"", 0.1),
    "no answer": NoReply(Fault.TIMEOUT, "no whole answer"),
    "reset": NoReply(Fault.CONNECTION, "reset"),
    "cut": NoReply(Fault.BODY, "broke off"),
    "a web page": Reply(200, {"content-type": "text/html"}, b"<html>", 0.1),
}


@pytest.mark.parametrize("name", LOST)
def test_a_start_whose_answer_was_lost_is_found_in_the_list_and_not_repeated(name: str) -> None:
    """A 500 may have made the row all the same (measured, B10)."""
    site = after(RED)
    site.bad = lambda path, t: LOST[name] if site.posts and path == site.posts[-1] and t < LATER + 40 else None
    assert started(site) == "#2 restarts #1"
    assert len(site.posts) == 1


def test_another_push_is_not_taken_for_the_manual_run_that_was_lost() -> None:
    site = after()
    site.book.tips[8, "main"] = OURS
    site.push(timelines.green(), at=LATER + 1, sha=NEWER, branch="other")
    site.effect = False
    site.bad = lambda path, _: LOST["500"] if path in site.posts else None
    with pytest.raises(Problem) as caught:
        started(site)
    assert caught.value.exit is Exit.UNREACHABLE


@pytest.mark.parametrize("name", LOST)
def test_a_start_that_was_never_confirmed_is_unreachable_and_not_repeated(name: str) -> None:
    site = after(RED)
    site.effect = False
    site.bad = lambda path, t: LOST[name] if site.posts and path == site.posts[-1] and t < LATER + 40 else None
    with pytest.raises(Problem) as caught:
        started(site)
    assert caught.value.exit is Exit.UNREACHABLE
    assert "not confirmed" in caught.value.what
    assert len(site.posts) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_start_that_is_refused_ends_at_once(status: int) -> None:
    no = Reply(status, {"x-woodpecker-version": "3.17.0"}, b"", 0.1)
    site = after(RED)
    site.bad = lambda path, t: no if site.posts and path == site.posts[-1] and t < LATER + 40 else None
    with pytest.raises(Problem) as caught:
        started(site)
    assert caught.value.exit is Exit.DENIED
    assert len(site.posts) == 1
