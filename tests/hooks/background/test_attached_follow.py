"""`homelab follow` and a background watcher: attach, replay, leave, come back, and take over from a dead one."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.process_table import process_info
from tests.cli.shell import CommandResult
from tests.hooks.background.sandbox import PushSandbox
from tests.waiting import wait_until

pytestmark = pytest.mark.slow  # real watchers


@pytest.fixture
def landed(sandbox: PushSandbox) -> PushSandbox:
    """A clone whose pushes start no watcher by themselves."""
    sandbox.config("homelab.postPush", "off")
    return sandbox


def land(sandbox: PushSandbox, *, stuck: bool = True) -> str:
    sha = sandbox.commit(timelines.make_stuck() if stuck else timelines.make_red(log=["boom"]))
    assert sandbox.git("push", "--quiet", "origin", "HEAD:main").code == 0
    return sha


def follow(sandbox: PushSandbox, *more: str) -> CommandResult:
    return sandbox.shell("homelab", "follow", *more)


def wait_until_gone(number: int) -> None:
    wait_until(lambda: process_info(number) is None)


def test_callers_that_are_killed_change_nothing_and_the_verdict_waits(landed: PushSandbox) -> None:
    sha = land(landed)

    left = follow(landed, "--detach", sha)

    assert (left.code, left.result["verdict"]) == (0, "watching")
    assert f"to resume, run: homelab follow {sha}" in left.err
    watcher = landed.wait_for_watcher()
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        caller = landed.shell.start("homelab", "follow", "--output", "json", sha)
        assert caller.stdout is not None
        while b'"pipeline"' not in caller.stdout.readline():
            pass  # the replay
        os.kill(caller.pid, number)
        out, _ = caller.communicate()
        assert caller.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
        assert number == signal.SIGKILL or json.loads(out.splitlines()[-1])["hint"].startswith("to resume, run: ")
    assert landed.watchers() == [watcher], "computed once"

    landed.passes(sha)
    wait_until_gone(watcher)
    asked = landed.woodpecker.count()
    for _ in range(2):
        done = follow(landed, sha)
        assert (done.code, done.result["verdict"], done.result["link"]) == (0, "passed", "ci")
        assert "#2" in done.err, "the events are replayed"
    assert landed.woodpecker.count() == asked, "a success is answered from the record"
    assert landed.watchers() == []


def test_a_slice_ends_with_124_and_leaves_the_watcher_whose_verdict_two_callers_get(landed: PushSandbox) -> None:
    sha = land(landed)

    first = follow(landed, "--timeout", "1s", sha)
    assert (first.code, first.result["verdict"]) == (124, "timeout")
    assert f"to resume, run: homelab follow {sha}\n" in first.err, "without the short timeout"
    watcher = landed.wait_for_watcher()
    assert follow(landed, "--timeout", "0", sha).code == 124
    assert landed.watchers() == [watcher], "the second slice attached to it"

    callers = [landed.shell.start("homelab", "follow", "--output", "json", sha) for _ in range(2)]
    for caller in callers:
        assert caller.stdout is not None
        while b"attached to" not in caller.stdout.readline():
            pass
    landed.passes(sha)
    for caller in callers:
        out, _ = caller.communicate()
        assert json.loads(out.splitlines()[-1])["verdict"] == "passed"
    wait_until_gone(watcher)


def test_the_timeout_of_the_call_is_not_that_of_the_watchers_links(landed: PushSandbox) -> None:
    sha = land(landed)
    follow(landed, "--detach", "--timeout", "1s", "--appear-timeout", "9m", sha)
    job = (landed.proc(landed.wait_for_watcher()) / "environ").read_text()
    assert '"appear_timeout": "9m"' in job
    assert '"timeout": ' not in job


def test_a_plain_push_s_watcher_is_attached_to_and_another_chain_is_not(sandbox: PushSandbox) -> None:
    sha = land(sandbox)
    watcher = sandbox.wait_for_watcher()

    same = follow(sandbox, "--timeout", "0", sha)
    other = follow(sandbox, "--timeout", "0", "--workflow", "build", sha)

    assert f"attached to the background watcher (process {watcher})" in same.err
    assert "attached" not in other.err


def test_a_dead_watcher_is_replaced_and_that_is_said(landed: PushSandbox) -> None:
    sha = land(landed)
    follow(landed, "--detach", sha)
    watcher = landed.wait_for_watcher()
    os.kill(watcher, signal.SIGKILL)
    wait_until_gone(watcher)
    assert "ended without a result" in follow(landed, "--list").err

    landed.passes(sha)
    done = follow(landed, sha)

    assert (done.code, done.result["verdict"]) == (0, "passed")
    assert f"the background watcher (process {watcher}) ended without a result; following from the start" in done.err
    assert "ended without a result" not in follow(landed, "--list").err


def test_a_red_result_stands_until_the_commit_has_a_newer_pipeline(landed: PushSandbox) -> None:
    sha = land(landed, stuck=False)
    follow(landed, "--detach", sha)
    assert landed.record()["result"]["exit"] == 1
    again = follow(landed, sha)
    assert (again.code, "its result:" in again.err) == (1, True)
    assert "boom" in again.err, "the log of the failed step is replayed"

    landed.passes(sha)
    assert follow(landed, sha).result["verdict"] == "passed"


def test_another_end_is_offered_until_it_was_printed(landed: PushSandbox) -> None:
    sha = land(landed)
    follow(landed, "--detach", sha)
    number = landed.wait_for_watcher()
    wait_until(lambda: landed.woodpecker.count("pipelines") > 0)
    os.kill(number, signal.SIGTERM)
    landed.record()
    assert follow(landed, sha).code == 143
    landed.passes(sha)
    assert follow(landed, sha).code == 0


def test_the_list_shows_what_runs_and_how_the_last_ones_ended(landed: PushSandbox) -> None:
    red = land(landed, stuck=False)
    follow(landed, "--detach", red)
    landed.record()
    running = land(landed)
    follow(landed, "--detach", running)

    done = follow(landed, "--list", "--output", "json")

    rows = [json.loads(line) for line in done.lines]
    assert [(row["sha"], row["under_way"]) for row in rows if row["event"] == "watched"] == [
        (running, True),
        (red, False),
    ]
    assert (done.code, rows[-1]["verdict"]) == (0, "ok")


def test_a_landing_that_is_detached_leaves_a_watcher_that_outlives_its_worktree(
    landed: PushSandbox, tmp_path: Path
) -> None:
    landed.config("homelab.verify", "true")
    landed.clone.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "task"))
    (tmp_path / "task/new").write_text("new\n")
    task = landed.shell
    landed.clone.git("-C", str(tmp_path / "task"), "add", "new")
    landed.clone.git("-C", str(tmp_path / "task"), "commit", "--quiet", "-m", "new")

    done = task("homelab", "work", "land", "--detach", at=tmp_path / "task")

    sha = done.result["sha"]
    assert (done.code, done.result["verdict"], done.result["landed"]) == (0, "watching", "yes")
    assert f"to resume, run: homelab follow {sha}" in done.err
    watcher = landed.wait_for_watcher()
    landed.clone.git("worktree", "remove", "--force", str(tmp_path / "task"))
    landed.woodpecker.push("acme/app", "main", sha, timelines.make_green())
    assert follow(landed, sha).result["verdict"] == "passed"
    wait_until_gone(watcher)
