"""The real `homelab-watch` while people restart, cancel, approve and push again on a real Woodpecker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.exit_codes import ExitCode
from tests.real.branch import PASSES, Branch
from tests.real.real_servers import RealServers

pytestmark = pytest.mark.real


@pytest.fixture
def gated(servers: RealServers) -> Iterator[None]:
    """Every pipeline of the repository needs an approval."""
    path = f"/api/repos/{servers.repo}"
    servers.ci.api.request("PATCH", path, json={"require_approval": "all_events"}).raise_for_status()
    yield
    servers.ci.api.request("PATCH", path, json={"require_approval": "forks"}).raise_for_status()


def test_a_restart_of_a_failed_pipeline_decides_instead_of_it(branch: Branch) -> None:
    branch.push(branch.waits)
    branch.opened(1)
    failed = branch.ended()["number"]
    branch.opened(0)

    branch.post(failed)
    watched = branch.watch()

    assert watched.code == ExitCode.OK
    assert watched.numbers == [branch.rows()[0]["number"]]
    assert watched.numbers[0] > failed


def test_a_restart_during_the_watch_takes_over(branch: Branch) -> None:
    branch.push(branch.waits)
    first: list[int] = []

    def act(number: int, status: str) -> None:
        if status != "running":
            return
        if not first:
            first.append(number)
            branch.begun()
            branch.post(number)
        elif number != first[0]:
            branch.opened(1)

    watched = branch.watch(act=act)

    assert watched.code == ExitCode.FAILED
    assert watched.numbers == [branch.rows()[0]["number"]]
    assert watched.numbers[0] > first[0]


def test_a_pipeline_that_a_person_cancels_ends_with_5(branch: Branch) -> None:
    branch.push(branch.waits)

    def act(number: int, status: str) -> None:
        if status == "running":
            branch.begun()
            branch.post(number, "cancel")

    watched = branch.watch(act=act)

    assert watched.code == ExitCode.CANCELLED
    assert "ann" in watched.result["reason"]


@pytest.mark.usefixtures("gated")
def test_a_blocked_pipeline_ends_with_7_and_once_approved_with_0(branch: Branch) -> None:
    branch.push(PASSES)

    watched = branch.watch()
    number = watched.numbers[0]
    branch.post(number, "approve")
    again = branch.watch()

    assert watched.code == ExitCode.BLOCKED
    assert watched.result["url"] == f"{branch.servers.ci.url}/repos/{branch.servers.repo}/pipeline/{number}"
    assert again.code == ExitCode.OK
    assert again.numbers == [number]


@pytest.mark.usefixtures("gated")
def test_a_pipeline_that_a_person_declines_ends_with_5(branch: Branch) -> None:
    branch.push(PASSES)
    branch.post(branch.rows()[0]["number"], "decline")

    watched = branch.watch()

    assert watched.code == ExitCode.CANCELLED


def test_a_newer_push_that_contains_the_commit_is_followed(branch: Branch) -> None:
    ours = branch.push(branch.waits)

    def act(number: int, status: str) -> None:
        if status == "running" and len(branch.pushed) == 1:
            branch.begun()
            branch.push(branch.waits)
        elif status == "running" and number == branch.rows()[0]["number"]:
            branch.opened()

    watched = branch.watch(ours, act=act)

    assert watched.code == ExitCode.OK
    assert watched.result["sha"] == ours
    assert watched.numbers == [branch.rows()[0]["number"]]


def test_a_newer_push_without_the_commit_ends_with_6(branch: Branch) -> None:
    ours = branch.push(branch.waits)

    def act(_: int, status: str) -> None:
        if status == "running" and len(branch.pushed) == 1:
            branch.begun()
            branch.checkout.git("reset", "--quiet", "--hard", "HEAD~1")
            branch.push(branch.waits, force=True)

    watched = branch.watch(ours, act=act)
    branch.opened()

    assert watched.code == ExitCode.SUPERSEDED
    assert f"#{branch.rows()[0]['number']}" in watched.result["reason"]
