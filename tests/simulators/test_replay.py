"""A recording is answered again by its own times, under another commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator

SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"
LIST = "/api/repos/8/pipelines?page=1&perPage=50"
RECORDED = "aded36312a2fd0a0d4968bc4f93ea85530483f9c"
Ask = Callable[..., Any]


def kind(recording: Any, name: str) -> list[Any]:
    return [one for one in recording["exchanges"] if one.get("kind") == name and "response" in one]


@pytest.mark.parametrize(
    "name",
    ["02-success", "03-failure", "05b-config-missing", "07-cancel", "08-superseded", "09-approval", "12-same-sha"],
)
def test_the_list_is_what_it_was_at_each_time(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any, recording: Any, name: str
) -> None:
    scenario = recording(name)
    start = clock.time
    woodpecker.play("acme/app", scenario, SHA)
    for one in kind(scenario, "list"):
        clock.time = start + one["t"] + 0.0001
        recorded = json.loads(one["response"]["body"])
        facts = ("number", "status", "event", "ref", "parent", "cancel_info", "errors")
        mine = ask(LIST).json
        assert [[row.get(f) for f in facts] for row in mine] == [[row.get(f) for f in facts] for row in recorded]
        assert [row["commit"] for row in mine] == [
            SHA if row["commit"] == _first(scenario) else row["commit"] for row in recorded
        ]


def _first(scenario: Any) -> str:
    rows = next(rows for one in kind(scenario, "list") if (rows := json.loads(one["response"]["body"])))
    return str(rows[0]["commit"])


def test_details_and_logs_come_by_their_times(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any, recording: Any
) -> None:
    start = clock.time
    woodpecker.play("acme/app", recording("03-failure"), SHA)
    clock.time = start + 1.7
    detail = ask("/api/repos/8/pipelines/1").json
    assert (detail["commit"], detail["status"], detail["workflows"][0]["children"][2]["exit_code"]) == (
        SHA,
        "running",
        3,
    )
    assert ask("/api/repos/8/logs/1/5006").body == b"null"
    clock.time = start + 8
    assert ask("/api/repos/8/pipelines/1").json["status"] == "failure"
    assert len(ask("/api/repos/8/logs/1/5006").json) == 2
    assert ask("/api/repos/8/logs/1/9999").status == 404
    assert ask("/api/repos/8/pipelines/77").status == 404


def test_recorded_times_become_times_of_now(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any, recording: Any
) -> None:
    clock.time += 1000
    woodpecker.play("acme/app", recording("02-success"), SHA)
    clock.time += 1
    assert abs(ask(LIST).json[0]["created"] - clock.wall()) < 3


def test_filters_and_pages_hold_for_recorded_rows_too(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any, recording: Any
) -> None:
    woodpecker.play("acme/app", recording("12-same-sha"), SHA)
    clock.time += 60
    assert [row["event"] for row in ask("/api/repos/8/pipelines?event=tag,release").json] == ["release", "tag"]
    assert [row["number"] for row in ask("/api/repos/8/pipelines?page=2&perPage=3").json] == [7, 6, 5]


def test_no_recorded_commit_shows_when_each_has_another(
    woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any, recording: Any
) -> None:
    others = {RECORDED: SHA, "a583eff92d343d1d021584820ae19c8c5731d14b": "c" * 40}
    woodpecker.play("acme/app", recording("02c-late-logs"), others)
    clock.time += 60
    assert {row["commit"] for row in ask(LIST).json} == {SHA, "c" * 40}
    assert RECORDED.encode() not in ask(LIST).body


def test_the_recorded_end_is_known(woodpecker: WoodpeckerSimulator, clock: Any, recording: Any) -> None:
    start = clock.time
    scenario = recording("03-failure")
    woodpecker.play("acme/app", scenario, SHA)
    final = next(
        one["t"]
        for one in kind(scenario, "list")
        if '"number":1,' in (body := one["response"]["body"]) and "failure" in body
    )
    assert woodpecker.ended("acme/app", 1) == pytest.approx(start + final)


def test_every_recording_can_be_played(
    woodpecker: WoodpeckerSimulator, ask: Ask, recording: Any, recordings: list[str]
) -> None:
    assert len(recordings) == 28
    for name in recordings:
        woodpecker.play("acme/app", recording(name), SHA)
        assert ask(LIST).status == 200
