"""The real `homelab-watch` against a real Woodpecker: every verdict that a person meets."""

from __future__ import annotations

import pytest

from homelab_hooks.exit_codes import ExitCode
from tests.real.branch import FAILS, PASSES, Branch

pytestmark = pytest.mark.real

REFUSED = 2
"""requests of a watch whose token is refused, at most"""
BROKEN = "skip_clone: true\nsteps:\n  test:\n    image: sh\n    commands: [\n"


def test_a_success_ends_with_0(branch: Branch) -> None:
    sha = branch.push(branch.waits)

    watched = branch.watch(act=lambda _, status: branch.opened() if status == "running" else None)

    assert watched.code == ExitCode.OK
    assert watched.result["verdict"] == "passed"
    assert watched.result["sha"] == sha
    assert [pipeline["status"] for pipeline in watched.result["pipelines"]] == ["success"]


def test_the_last_line_alone_is_on_stdout(branch: Branch) -> None:
    sha = branch.push(PASSES)
    number = branch.ended()["number"]

    done = branch.run("homelab-watch")

    assert done.code == ExitCode.OK, done.err
    assert done.out.startswith(
        f"homelab: passed exit=0 sha={sha} pipelines=#{number} url={branch.servers.ci.url}/repos/"
    )
    assert done.out.count("\n") == 1


def test_a_failure_ends_with_1_and_names_the_step(branch: Branch) -> None:
    branch.push(FAILS)

    watched = branch.watch()

    assert watched.code == ExitCode.FAILED
    assert "test" in watched.result["reason"]
    assert "3" in watched.result["reason"]


def test_one_red_workflow_of_two_ends_with_1_and_is_named(branch: Branch) -> None:
    branch.push_workflows(build=PASSES, lint=FAILS)

    watched = branch.watch()

    assert watched.code == ExitCode.FAILED
    assert "lint" in watched.result["reason"]
    assert {event["name"] for event in watched.events_of("workflow")} == {"build", "lint"}


def test_a_step_that_cancels_the_pipeline_is_a_failure_and_no_person(branch: Branch) -> None:
    branch.push_config(
        "skip_clone: true\nsteps:\n  boom: {image: sh, failure: cancel, commands: [exit 7]}\n"
        "  never: {image: sh, commands: [echo]}\n"
    )

    watched = branch.watch()

    assert watched.code == ExitCode.FAILED
    assert "boom" in watched.result["reason"]


def test_a_broken_configuration_ends_with_1_and_says_so(branch: Branch) -> None:
    branch.push_config(BROKEN)

    watched = branch.watch()

    assert watched.code == ExitCode.FAILED
    assert [pipeline["status"] for pipeline in watched.result["pipelines"]] == ["error"]
    assert "yaml" in watched.result["reason"].lower()


def test_a_skip_marker_ends_with_3_and_is_named(branch: Branch) -> None:
    branch.push(PASSES, message="words only [skip ci]")

    watched = branch.watch("--appear-timeout", "1s")

    assert watched.code == ExitCode.NO_PIPELINE
    assert "[skip ci]" in watched.result["reason"]


def test_a_workflow_whose_conditions_do_not_match_ends_with_3(branch: Branch) -> None:
    branch.push_config("when: [{event: cron}]\nskip_clone: true\nsteps: {test: {image: sh, commands: [echo]}}\n")

    watched = branch.watch("--appear-timeout", "1s")

    assert watched.code == ExitCode.NO_PIPELINE


def test_a_step_that_may_fail_does_not_decide(branch: Branch) -> None:
    branch.push_config(
        "skip_clone: true\nsteps:\n  lint: {image: sh, failure: ignore, commands: [exit 4]}\n"
        "  test: {image: sh, commands: [echo]}\n"
    )

    watched = branch.watch()

    assert watched.code == ExitCode.OK


def test_a_server_that_restarts_during_the_watch_changes_nothing(branch: Branch) -> None:
    branch.push(branch.waits)
    restarted: list[int] = []

    def act(number: int, status: str) -> None:
        if status == "running" and not restarted:
            restarted.append(number)
            branch.begun()
            branch.servers.ci.restart()
            branch.opened()

    watched = branch.watch(act=act)

    assert watched.code == ExitCode.OK
    assert watched.numbers == restarted


def test_one_poll_is_124_while_it_runs_and_then_the_verdict(branch: Branch) -> None:
    branch.push(branch.waits)
    before = branch.run("homelab", "ci", "status")
    branch.opened(2)
    branch.ended()

    after = branch.run("homelab", "ci", "status")

    assert before.code == ExitCode.TIMEOUT, before.err
    assert after.code == ExitCode.FAILED, after.err


def test_a_refused_token_ends_with_4_and_is_not_tried_again(branch: Branch) -> None:
    branch.push(PASSES)
    branch.ended()
    before = len(branch.servers.ci.requests())
    branch.servers.environ["WOODPECKER_TOKEN"], token = (
        "not-a-valid-token",
        branch.servers.environ["WOODPECKER_TOKEN"],
    )

    watched = branch.watch()
    branch.servers.environ["WOODPECKER_TOKEN"] = token

    assert watched.code == ExitCode.DENIED
    assert len(branch.servers.ci.requests()) - before <= REFUSED
    assert "WOODPECKER_TOKEN" in watched.result["reason"]


def test_a_repository_that_ci_does_not_know_ends_with_4(branch: Branch) -> None:
    watched = branch.watch("--repo", "acme/other")

    assert watched.code == ExitCode.DENIED
    assert "acme/other" in watched.result["reason"]
