"""The real `homelab-watch` against a real Woodpecker: every verdict that a person meets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.exits import Exit
from tests.real.branch import FAILS, PASSES, Branch
from tests.real.site import Site

pytestmark = pytest.mark.real

BROKEN = "skip_clone: true\nsteps:\n  test:\n    image: sh\n    commands: [\n"


@pytest.fixture
def gated(site: Site) -> Iterator[None]:
    """Every pipeline of the repository needs an approval."""
    path = f"/api/repos/{site.repo}"
    site.ci.api.patch(path, json={"require_approval": "all_events"}).raise_for_status()
    yield
    site.ci.api.patch(path, json={"require_approval": "forks"}).raise_for_status()


def test_a_success_ends_with_0(branch: Branch) -> None:
    sha = branch.push(branch.waits)

    watched = branch.watch(act=lambda _, status: branch.opened() if status == "running" else None)

    assert watched.code == Exit.OK
    assert watched.result["verdict"] == "passed"
    assert watched.result["sha"] == sha
    assert [pipeline["status"] for pipeline in watched.result["pipelines"]] == ["success"]


def test_the_last_line_alone_is_on_stdout(branch: Branch) -> None:
    sha = branch.push(PASSES)
    number = branch.ended()["number"]

    done = branch.run("homelab-watch")

    assert done.code == Exit.OK, done.err
    assert done.out.startswith(f"homelab: passed exit=0 sha={sha} pipelines=#{number} url={branch.site.ci.url}/repos/")
    assert done.out.count("\n") == 1


def test_a_failure_ends_with_1_and_names_the_step(branch: Branch) -> None:
    branch.push(FAILS)

    watched = branch.watch()

    assert watched.code == Exit.FAILED
    assert "test" in watched.result["reason"]
    assert "3" in watched.result["reason"]


def test_one_red_workflow_of_two_ends_with_1_and_is_named(branch: Branch) -> None:
    branch.push_workflows(build=PASSES, lint=FAILS)

    watched = branch.watch()

    assert watched.code == Exit.FAILED
    assert "lint" in watched.result["reason"]
    assert {event["name"] for event in watched.told("workflow")} == {"build", "lint"}


def test_a_step_that_cancels_the_pipeline_is_a_failure_and_no_person(branch: Branch) -> None:
    branch.push_config(
        "skip_clone: true\nsteps:\n  boom: {image: sh, failure: cancel, commands: [exit 7]}\n"
        "  never: {image: sh, commands: [echo]}\n"
    )

    watched = branch.watch()

    assert watched.code == Exit.FAILED
    assert "boom" in watched.result["reason"]


def test_a_restart_of_a_failed_pipeline_decides_instead_of_it(branch: Branch) -> None:
    branch.push(branch.waits)
    branch.opened(1)
    failed = branch.ended()["number"]
    branch.opened(0)

    branch.post(failed)
    watched = branch.watch()

    assert watched.code == Exit.OK
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
            branch.post(number)
        elif number != first[0]:
            branch.opened(1)

    watched = branch.watch(act=act)

    assert watched.code == Exit.FAILED
    assert watched.numbers == [branch.rows()[0]["number"]]
    assert watched.numbers[0] > first[0]


def test_a_pipeline_that_a_person_cancels_ends_with_5(branch: Branch) -> None:
    branch.push(branch.waits)

    watched = branch.watch(act=lambda number, status: branch.post(number, "cancel") if status == "running" else None)

    assert watched.code == Exit.CANCELLED
    assert "ann" in watched.result["reason"]


@pytest.mark.usefixtures("gated")
def test_a_blocked_pipeline_ends_with_7_and_once_approved_with_0(branch: Branch) -> None:
    branch.push(PASSES)

    watched = branch.watch()
    number = watched.numbers[0]
    branch.post(number, "approve")
    again = branch.watch()

    assert watched.code == Exit.BLOCKED
    assert watched.result["url"] == f"{branch.site.ci.url}/repos/{branch.site.repo}/pipeline/{number}"
    assert again.code == Exit.OK
    assert again.numbers == [number]


@pytest.mark.usefixtures("gated")
def test_a_pipeline_that_a_person_declines_ends_with_5(branch: Branch) -> None:
    branch.push(PASSES)
    branch.post(branch.rows()[0]["number"], "decline")

    watched = branch.watch()

    assert watched.code == Exit.CANCELLED


def test_a_broken_configuration_ends_with_1_and_says_so(branch: Branch) -> None:
    branch.push_config(BROKEN)

    watched = branch.watch()

    assert watched.code == Exit.FAILED
    assert [pipeline["status"] for pipeline in watched.result["pipelines"]] == ["error"]
    assert "yaml" in watched.result["reason"].lower()


def test_a_skip_marker_ends_with_3_and_is_named(branch: Branch) -> None:
    branch.push(PASSES, message="words only [skip ci]")

    watched = branch.watch("--appear-timeout", "1s")

    assert watched.code == Exit.NO_PIPELINE
    assert "[skip ci]" in watched.result["reason"]


def test_a_workflow_whose_conditions_do_not_match_ends_with_3(branch: Branch) -> None:
    branch.push_config("when: [{event: cron}]\nskip_clone: true\nsteps: {test: {image: sh, commands: [echo]}}\n")

    watched = branch.watch("--appear-timeout", "1s")

    assert watched.code == Exit.NO_PIPELINE


def test_a_newer_push_that_contains_the_commit_is_followed(branch: Branch) -> None:
    ours = branch.push(branch.waits)

    def act(number: int, status: str) -> None:
        if status == "running" and len(branch.pushed) == 1:
            branch.push(branch.waits)
        elif status == "running" and number == branch.rows()[0]["number"]:
            branch.opened()

    watched = branch.watch(ours, act=act)

    assert watched.code == Exit.OK
    assert watched.result["sha"] == ours
    assert watched.numbers == [branch.rows()[0]["number"]]


def test_a_newer_push_without_the_commit_ends_with_6(branch: Branch) -> None:
    ours = branch.push(branch.waits)

    def act(_: int, status: str) -> None:
        if status == "running" and len(branch.pushed) == 1:
            branch.checkout.git("reset", "--quiet", "--hard", "HEAD~1")
            branch.push(branch.waits, force=True)

    watched = branch.watch(ours, act=act)
    branch.opened()

    assert watched.code == Exit.SUPERSEDED
    assert f"#{branch.rows()[0]['number']}" in watched.result["reason"]


def test_a_step_that_may_fail_does_not_decide(branch: Branch) -> None:
    branch.push_config(
        "skip_clone: true\nsteps:\n  lint: {image: sh, failure: ignore, commands: [exit 4]}\n"
        "  test: {image: sh, commands: [echo]}\n"
    )

    watched = branch.watch()

    assert watched.code == Exit.OK


def test_a_server_that_restarts_during_the_watch_changes_nothing(branch: Branch) -> None:
    branch.push(branch.waits)
    restarted: list[int] = []

    def act(number: int, status: str) -> None:
        if status == "running" and not restarted:
            restarted.append(number)
            branch.site.ci.restart()
            branch.opened()

    watched = branch.watch(act=act)

    assert watched.code == Exit.OK
    assert watched.numbers == restarted


def test_one_look_is_124_while_it_runs_and_then_the_verdict(branch: Branch) -> None:
    branch.push(branch.waits)
    before = branch.run("homelab", "ci", "status")
    branch.opened(2)
    branch.ended()

    after = branch.run("homelab", "ci", "status")

    assert before.code == Exit.TIMEOUT, before.err
    assert after.code == Exit.FAILED, after.err


def test_a_refused_token_ends_with_4_at_once(branch: Branch) -> None:
    branch.push(PASSES)
    branch.ended()
    branch.site.environ["WOODPECKER_TOKEN"], token = "no-token-of-anybodys", branch.site.environ["WOODPECKER_TOKEN"]

    watched = branch.watch()
    branch.site.environ["WOODPECKER_TOKEN"] = token

    assert watched.code == Exit.DENIED
    assert watched.result["took"] < 3
    assert "WOODPECKER_TOKEN" in watched.result["reason"]


def test_a_repository_that_ci_does_not_know_ends_with_4(branch: Branch) -> None:
    watched = branch.watch("--repo", "acme/other")

    assert watched.code == Exit.DENIED
    assert "acme/other" in watched.result["reason"]
