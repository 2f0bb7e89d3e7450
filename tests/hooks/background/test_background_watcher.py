"""A background watcher that a pre-push hook starts finds out by itself whether the push landed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import process_info
from tests.hooks.background.sandbox import SHIM, PushSandbox
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.slow  # real pushes with real hooks

PUSH = ("push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def left(sandbox: PushSandbox, workshop: ScratchRepositories) -> PushSandbox:
    """Only the pre-push hook, called by git itself."""
    hooks = sandbox.clone.path / ".git/hooks"
    (hooks / "reference-transaction").unlink()
    workshop.write_hook("pre-push", 'exec homelab hooks post-push --output plain "$@"', where=hooks)
    return sandbox


def test_a_push_that_landed_is_watched_and_reported(left: PushSandbox) -> None:
    sha = left.commit(timelines.make_green())

    done = left.git(*PUSH)

    assert done.code == 0
    assert "watching CI in the background if the push lands; log: " in done.err
    assert (left.notification()["verdict"], left.notification()["sha"]) == ("passed", sha)
    assert left.record()["landed"] is True
    assert "http" not in left.record()["remote"]


def test_a_push_that_the_server_refused_is_written_down_and_not_reported(
    left: PushSandbox, workshop: ScratchRepositories
) -> None:
    workshop.write_hook("pre-receive", "exit 1")
    left.commit(timelines.make_green())

    assert left.git(*PUSH).code == 1

    record = left.record()
    assert (record["landed"], record["result"]["verdict"]) == (False, "nothing")
    assert "the push did not land" in left.log()
    wait_until(lambda: process_info(record["process"]) is None)
    assert not left.heard.exists()
    assert left.woodpecker.count() == 0, "CI is not even asked"
    assert "watched last" not in left.shell("homelab", "ci", "status").err


def test_a_dry_run_has_not_landed(left: PushSandbox) -> None:
    left.commit(timelines.make_green())
    assert left.git("push", "--dry-run", "--quiet", "origin", "HEAD:main").code == 0
    assert left.record()["landed"] is False


def test_a_push_that_moved_the_tracking_branch_before_does_not_count_for_this_one(
    left: PushSandbox, workshop: ScratchRepositories
) -> None:
    """The reflog still says `update by push` with this commit, of an hour ago."""
    sha, before = left.commit(timelines.make_green()), workshop.server_commit()
    left.git("-c", "core.hooksPath=/dev/null", *PUSH)
    workshop.origin.git("update-ref", "refs/heads/main", before, sha)
    workshop.write_hook("pre-receive", "exit 1")

    assert left.git(*PUSH).code == 1

    assert left.record()["landed"] is False


@pytest.mark.parametrize("kind", ["url", "pushurl", "no reflog", "no tracking"])
def test_where_the_tracking_branch_cannot_tell_the_server_is_asked(
    left: PushSandbox, workshop: ScratchRepositories, kind: str
) -> None:
    to = "origin"
    if kind == "url":
        to = f"file://{workshop.bare_path}"
    if kind == "pushurl":
        shutil.copytree(workshop.bare_path, workshop.folder / "mirror.git")
        left.clone.git("config", "remote.origin.pushurl", str(workshop.folder / "mirror.git"))
    if kind == "no reflog":
        left.clone.git("config", "core.logAllRefUpdates", "false")
    if kind == "no tracking":
        left.clone.git("config", "remote.origin.fetch", "+refs/heads/none:refs/remotes/origin/none")
    left.commit(timelines.make_green())

    assert left.git("push", "--quiet", to, "HEAD:main").code == 0

    assert left.notification()["verdict"] == "passed"
    assert left.record()["landed"] is True


def test_a_first_push_into_an_empty_repository_is_watched_where_the_target_is_set(
    left: PushSandbox, tmp_path: Path
) -> None:
    ProcessRunner(left.environ).run(["git", "init", "--quiet", "--bare", str(tmp_path / "new.git")])
    left.clone.git("remote", "add", "new", str(tmp_path / "new.git"))
    left.config("homelab.target", "main")
    left.commit(timelines.make_green())

    assert left.git("push", "--quiet", "new", "HEAD:main").code == 0

    assert left.notification()["verdict"] == "passed"


@pytest.mark.parametrize("trouble", ["a malformed setting", "no place for a record"])
def test_whatever_goes_wrong_with_the_watcher_the_push_continues(
    left: PushSandbox, workshop: ScratchRepositories, trouble: str
) -> None:
    sha = left.commit(timelines.make_green())
    if trouble == "a malformed setting":
        left.config("homelab.timeout", "soon")
    else:
        (left.clone.path / ".git/homelab").write_text("a file where a directory should be")

    done = left.git(*PUSH)

    assert (done.code, workshop.server_commit()) == (0, sha)
    assert "warning: no watcher is running for this push: " in done.err


def test_of_several_refs_only_the_target_is_watched(left: PushSandbox) -> None:
    sha = left.commit(timelines.make_green())
    left.clone.git("tag", "v1")
    assert left.git("push", "--quiet", "origin", "HEAD:aaa", "HEAD:main", "v1").code == 0
    left.notification()
    assert [(one["sha"], one["branch"]) for one in left.records()] == [(sha, "main")]


def test_a_deletion_an_up_to_date_push_and_a_silenced_one_leave_no_watcher(left: PushSandbox) -> None:
    left.git("push", "--quiet", "origin", "HEAD:main", "HEAD:gone", HOMELAB_NO_WATCH="1")
    assert left.git("push", "--quiet", "origin", ":gone").code == 0
    assert left.git("push", "origin", "HEAD:main").code == 0
    left.commit()
    assert left.git(*PUSH, HOMELAB_NO_WATCH="1").code == 0
    assert left.records() == []


def test_where_the_post_push_stage_follows_in_the_foreground_the_watcher_gives_way(
    left: PushSandbox, workshop: ScratchRepositories
) -> None:
    """Both hooks are installed: one watch, one record, no notification beside what stands on the terminal."""
    workshop.write_hook("reference-transaction", SHIM, where=left.clone.path / ".git/hooks")
    left.config("homelab.postPush", "foreground")
    left.commit(timelines.make_green(seconds=30))

    done = left.git(*PUSH)

    assert "homelab: passed exit=0" in done.err
    wait_until(lambda: not left.watchers())
    assert left.record()["landed"] is True
    assert not left.heard.exists()
    assert "homelab: passed" not in left.log(), "it has not watched too"


def test_a_process_whose_time_is_up_ends_whatever_it_waits_for(left: PushSandbox) -> None:
    work = "exit_after(0.2); threading.Event().wait(60)"
    source = f"from homelab_hooks.system.expiry import exit_after; import threading; {work}"
    done = ProcessRunner(left.environ).run([sys.executable, "-c", source], timeout=HANG_S)
    assert (done.code, done.timed_out) == (-15, False)
