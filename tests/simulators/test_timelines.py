"""The timelines go through the statuses that were measured, and people can change their course."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline, iterate_frames
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator

SHA, OTHER = "a" * 40, "b" * 40
Ask = Callable[..., Any]
LIST = "/api/repos/8/pipelines"


def statuses(script: PipelineTimeline) -> list[str]:
    """Without repetitions."""
    found = [frame.status for frame in iterate_frames(script, float("inf"))]
    return [status for i, status in enumerate(found) if i == 0 or found[i - 1] != status]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (timelines.make_green(), "created pending running success"),
        (timelines.make_red(), "created pending running failure"),
        (timelines.make_blocked(), "blocked"),
        (timelines.make_declined(), "blocked declined"),
        (timelines.make_cancelled(), "created pending running killed"),
        (timelines.make_superseded(2), "created pending running killed"),
        (timelines.make_cancelled_by_step(), "created pending running killed"),
        (timelines.make_created_then_gone(), "created gone"),
        (timelines.make_config_error(), "created error"),
        (timelines.make_stuck(), "created pending running"),
        (timelines.make_pending(), "created pending"),
        (timelines.make_no_pipeline(), ""),
        (timelines.restart_timeline(timelines.make_green()), "pending running success"),
    ],
)
def test_each_timeline_goes_the_measured_way(script: PipelineTimeline, expected: str) -> None:
    assert statuses(script) == expected.split()


def seen(ask: Ask, number: int) -> Any:
    return next((row for row in ask(LIST).json if row["number"] == number), None)


def test_a_restart_is_a_new_number_of_the_same_commit(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_flaky(timelines.make_red(), timelines.make_green()))
    clock.time += 5
    new = ask(f"{LIST}/1", method="POST").json
    assert (new["number"], new["parent"], new["rerun_count"], new["status"]) == (2, 1, 1, "pending")
    clock.time += 5
    assert [(row["number"], row["status"], row["commit"]) for row in ask(LIST).json] == [
        (2, "success", SHA),
        (1, "failure", SHA),
    ]


def test_a_restart_of_a_cancelled_one_carries_the_stale_cancel_info(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=3))
    clock.time += 1
    assert ask(f"{LIST}/1/cancel", method="POST").status == 204
    assert ask(f"{LIST}/1/cancel", method="POST").status == 400
    ask(f"{LIST}/1", method="POST")
    clock.time += 5
    assert (seen(ask, 2)["status"], seen(ask, 2)["cancel_info"]) == ("success", {"canceled_by_user": "alice"})
    assert (seen(ask, 1)["status"], seen(ask, 1)["cancel_info"]) == ("killed", {"canceled_by_user": "alice"})


def test_a_cancelled_one_is_killed_while_its_workflow_still_runs(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=3))
    clock.time += 1
    ask(f"{LIST}/1/cancel", method="POST")
    detail = ask(f"{LIST}/1").json
    assert (detail["status"], detail["workflows"][0]["state"]) == ("killed", "running")
    clock.time += 0.2
    assert ask(f"{LIST}/1").json["workflows"][0]["state"] == "killed"


def test_what_is_cancelled_before_it_ran_is_canceled(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_pending())
    clock.time += 1
    ask(f"{LIST}/1/cancel", method="POST")
    detail = ask(f"{LIST}/1").json
    states = (detail["status"], detail["workflows"][0]["state"], detail["workflows"][0]["children"][0]["state"])
    assert states == ("canceled", "skipped", "canceled")


def test_a_newer_push_on_the_branch_supersedes(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=10))
    clock.time += 1
    woodpecker.push("acme/app", "other", OTHER, timelines.make_green())
    woodpecker.push("acme/app", "main", OTHER, timelines.make_green())
    assert seen(ask, 1)["status"] == "running"
    clock.time += 0.3
    assert (seen(ask, 1)["status"], seen(ask, 1)["cancel_info"]) == ("killed", {"superseded_by": 3})
    assert seen(ask, 2)["status"] == "running"


def test_a_blocked_newer_one_supersedes_only_when_it_is_approved(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=10))
    woodpecker.push("acme/app", "main", OTHER, timelines.make_blocked(timelines.make_green()))
    clock.time += 1
    assert [row["status"] for row in ask(LIST).json] == ["blocked", "running"]
    before = ask(f"{LIST}/2").json["workflows"][0]["children"][0]["id"]
    assert ask(f"{LIST}/2", method="POST").body == b"cannot restart a pipeline with status blocked"
    approved = ask(f"{LIST}/2/approve", method="POST", token="bob-token").json
    assert (approved["status"], approved["reviewed_by"]) == ("pending", "bob")
    assert approved["workflows"][0]["children"][0]["id"] != before
    clock.time += 5
    assert [row["status"] for row in ask(LIST).json] == ["success", "killed"]


def test_a_declined_one_stays_declined(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_blocked())
    clock.time += 1
    assert ask(f"{LIST}/1/decline", method="POST").json["status"] == "declined"
    assert ask(f"{LIST}/1/decline", method="POST").status == 500
    clock.time += 100
    assert seen(ask, 1)["status"] == "declined"


def test_a_filtered_row_goes_and_its_number_is_used_again(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_created_then_gone())
    assert seen(ask, 1)["commit"] == SHA
    clock.time += 1
    assert ask(LIST).json == []
    assert ask(f"{LIST}/1").status == 404
    woodpecker.push("acme/app", "main", OTHER, timelines.make_green())
    assert seen(ask, 1)["commit"] == OTHER


def test_a_restart_of_a_broken_configuration_is_500_and_yet_a_row(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_config_error())
    clock.time += 1
    assert ask(f"{LIST}/1", method="POST").status == 500
    assert [(row["number"], row["status"], row["parent"]) for row in ask(LIST).json] == [
        (2, "error", 1),
        (1, "error", 0),
    ]


def test_a_manual_one_builds_the_branchs_tip(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_no_pipeline())
    assert ask(LIST).json == []
    new = ask(LIST, method="POST", body='{"branch": "main", "variables": {"A": "b"}}').json
    assert (new["event"], new["commit"], new["variables"], new["status"]) == ("manual", SHA, {"A": "b"}, "pending")
    assert ask(LIST, method="POST", body='{"branch": "nope"}').status == 500


def test_an_admin_deletes_what_is_over(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green())
    clock.time += 0.5
    assert ask(f"{LIST}/1", method="DELETE").body == b"Cannot delete pipeline with status running"
    clock.time += 5
    assert ask(f"{LIST}/1", method="DELETE").status == 204
    assert ask(LIST).json == []


def test_tag_pull_request_and_cron_are_listed_with_their_ref(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    woodpecker.push("acme/app", "", SHA, timelines.make_green(), event="tag", ref="refs/tags/v1")
    woodpecker.push(
        "acme/app",
        "main",
        SHA,
        timelines.make_green(),
        event="pull_request",
        ref="refs/pull/7/head",
        refspec="topic:main",
    )
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(), event="cron", author="", extra={"cron": "nightly"})
    rows = ask(LIST).json
    assert [(row["event"], row["ref"]) for row in rows] == [
        ("cron", "refs/heads/main"),
        ("pull_request", "refs/pull/7/head"),
        ("tag", "refs/tags/v1"),
    ]
    assert [row["event"] for row in ask(f"{LIST}?event=tag,cron&branch=main").json] == ["cron"]


def test_the_end_of_a_pipeline_is_known_on_the_given_clock(woodpecker: WoodpeckerSimulator, clock: Any) -> None:
    start = clock.time
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=2), after=3)
    assert woodpecker.ended("acme/app", 1) == pytest.approx(start + 5)
