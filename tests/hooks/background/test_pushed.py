"""What follows a plain push: foreground, background or nothing, told truly, once, and never in the way."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process import ProcessRunner
from homelab_hooks.system.process_table import process_info
from tests.cli.shell import PROGRAMS
from tests.hooks.background.sandbox import TOKEN, Desk
from tests.waiting import wait_until

pytestmark = pytest.mark.slow  # real pushes with real hooks

PUSH = ("push", "--quiet", "origin", "HEAD:main")


def test_in_the_foreground_the_verdict_stands_on_gits_stderr_and_git_ends_with_0(desk: Desk) -> None:
    desk.config("homelab.postPush", "foreground")
    sha = desk.commit(timelines.make_red(log=["boom"]))

    done = desk.git(*PUSH)

    assert (done.code, done.out) == (0, "")
    assert f"homelab: failed exit=1 sha={sha} pipelines=#1" in done.err
    assert f"to resume: homelab-watch {sha}" in done.err
    record = desk.record()
    assert (record["landed"], record["result"]["exit"], record["branch"]) == (True, 1, "main")
    assert not desk.heard.exists(), "somebody looked on"


def test_in_the_background_the_push_returns_at_once_and_the_end_is_notified(desk: Desk) -> None:
    """No terminal is there: that is the default."""
    sha = desk.commit(timelines.make_red(log=["boom"]))

    done = desk.git("push", "origin", "HEAD:main")

    assert done.code == 0
    assert "watching CI in the background" in done.err
    told = desk.notification()
    assert (told["event"], told["verdict"], told["exit"], told["sha"]) == ("result", "failed", 1, sha)
    record = desk.record()
    assert record["result"]["pipelines"][0]["number"] == 1
    assert f"homelab: failed exit=1 sha={sha}" in desk.log()


def test_the_waiter_holds_nothing_of_the_pushs(desk: Desk) -> None:
    """Its own session, no descriptor of ours, the root as its directory; log and record are the user's alone."""
    desk.commit(timelines.make_stuck())
    assert desk.git(*PUSH).code == 0, "it returned, though CI never ends"
    wait_until(lambda: desk.site.count("pipelines") > 0)
    (number,) = desk.waiters()

    links = {link.name: str(link.readlink()) for link in (desk.proc(number) / "fd").iterdir()}
    assert links["0"] == "/dev/null"
    assert {links["1"], links["2"]} == {str(next(desk.watches.glob("*.log")))}
    assert not [link for link in links.values() if link.startswith(("pipe:", "/dev/pts"))]
    assert str((desk.proc(number) / "cwd").readlink()) == "/"
    assert os.getsid(number) == number
    assert TOKEN not in (desk.proc(number) / "cmdline").read_text()
    for path in desk.watches.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert TOKEN not in path.read_text()


def test_a_waiter_that_is_told_to_end_leaves_a_record_and_says_how_to_go_on(desk: Desk) -> None:
    sha = desk.commit(timelines.make_stuck())
    desk.git(*PUSH)
    wait_until(lambda: desk.site.count("pipelines") > 0)
    (number,) = desk.waiters()

    os.kill(number, signal.SIGTERM)

    record = desk.record()
    assert (record["result"]["verdict"], record["result"]["exit"]) == ("interrupted", 143)
    assert f"homelab-watch {sha}" in record["result"]["hint"]
    wait_until(lambda: process_info(number) is None)


def test_status_forgets_after_an_hour_what_was_watched_of_another_commit(desk: Desk) -> None:
    sha = desk.commit(timelines.make_green())
    desk.git(*PUSH)
    desk.record()
    desk.commit()
    assert "last watch" in desk.shell("homelab", "ci", "status").err
    (path,) = desk.watches.glob("*.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "ended": record["ended"] - 3700}))
    assert "last watch" not in desk.shell("homelab", "ci", "status").err
    assert "last watch" in desk.shell("homelab", "ci", "status", sha).err


def test_status_shows_what_is_watched_now_and_what_was_last(desk: Desk) -> None:
    desk.commit(timelines.make_green())
    desk.git(*PUSH)
    desk.notification()
    sha = desk.commit(timelines.make_stuck())
    desk.git(*PUSH)
    number = desk.wait_for_waiter()

    seen = desk.shell("homelab", "ci", "status")

    assert f"watching: {sha[:12]} on main" in seen.err
    assert "on main: passed exit=0" in seen.err
    assert len(seen.lines) == 1

    os.kill(number, signal.SIGKILL)
    wait_until(lambda: not desk.waiters())
    assert "watching" not in desk.shell("homelab", "ci", "status").err, "its process is dead"


def test_a_second_push_of_the_same_commit_starts_no_second_waiter(desk: Desk) -> None:
    sha = desk.commit(timelines.make_stuck())
    desk.git(*PUSH)
    first = [desk.wait_for_waiter()]

    again = desk.shell("homelab", "hooks", "pushed", "refs/remotes/origin/main", sha)

    assert (again.code, again.out, again.err) == (0, "", "")
    assert desk.waiters() == first


@pytest.mark.parametrize(
    ("settings", "refspec"),
    [
        ((), "HEAD:other"),
        (("homelab.postPush", "off"), "HEAD:main"),
        (("homelab.target", "release"), "HEAD:main"),
        (("homelab.remote", "elsewhere"), "HEAD:main"),
    ],
    ids=["another branch", "off", "another target", "another remote"],
)
def test_what_is_not_to_be_watched_is_passed_over_in_silence(desk: Desk, settings: Sequence[str], refspec: str) -> None:
    desk.commit(timelines.make_green())
    if settings:
        desk.config(*settings)

    done = desk.git("push", "--quiet", "origin", refspec)

    assert (done.code, done.out, done.err) == (0, "", "")
    assert desk.records() == []


def test_a_target_that_only_the_remote_can_tell_is_asked_for(desk: Desk) -> None:
    desk.clone.git("remote", "set-head", "origin", "--delete")
    desk.commit(timelines.make_green())

    desk.git(*PUSH)
    assert desk.notification()["verdict"] == "passed"

    desk.heard.unlink()
    desk.git("push", "--quiet", "origin", "HEAD:other")
    wait_until(lambda: not desk.waiters())
    assert len(desk.records()) == 1
    assert not desk.heard.exists()


def test_a_work_tree_that_is_removed_while_somebody_waits_changes_nothing(desk: Desk) -> None:
    desk.clone.git("worktree", "add", "--quiet", "-b", "task", "../task")
    tree = desk.clone.path.parent / "task"
    desk.clone.git("-C", str(tree), "commit", "--quiet", "--allow-empty", "-m", "x")
    sha = desk.clone.git("-C", str(tree), "rev-parse", "HEAD")
    desk.site.push("acme/app", "main", sha, timelines.make_stuck())
    done = ProcessRunner(desk.environ).run(["git", *PUSH], cwd=tree)
    assert done.code == 0
    wait_until(lambda: desk.site.count("pipelines") > 0)

    desk.clone.git("worktree", "remove", "--force", str(tree))
    desk.passes(sha)

    assert desk.notification()["verdict"] == "passed"


def test_a_notification_that_fails_is_written_down(desk: Desk) -> None:
    desk.commit(timelines.make_green())
    desk.git(*PUSH, HOMELAB_NOTIFY="echo secret >&2; exit 3")
    wait_until(lambda: "ended with 3" in desk.log())
    assert "warning: the command from environment HOMELAB_NOTIFY ended with 3" in desk.log()


def test_the_notifying_command_has_none_of_our_tokens(desk: Desk) -> None:
    desk.commit(timelines.make_green())
    desk.git(*PUSH, HOMELAB_NOTIFY=f"env >'{desk.heard}.new'; mv '{desk.heard}.new' '{desk.heard}'")
    wait_until(desk.heard.exists)
    assert TOKEN not in desk.heard.read_text()
    assert "HOMELAB_WATCH_JOB" not in desk.heard.read_text()


def test_the_desktop_is_told_with_our_own_words_where_there_is_one(desk: Desk, workshop: ScratchRepositories) -> None:
    programs = workshop.folder / "programs"
    workshop.write_hook("notify-send",
    f"printf '%s\\n' \"$@\" >'{desk.heard}.new'; mv '{desk.heard}.new' '{desk.heard}'",
                  where=programs)  # fmt: skip
    sha = desk.commit(timelines.make_green())
    path = f"{programs}:{desk.environ['PATH']}"
    desk.git(*PUSH, HOMELAB_NOTIFY="", PATH=path, DISPLAY=":9")
    wait_until(desk.heard.exists)
    assert desk.heard.read_text().splitlines() == [
        "--app-name=homelab", f"homelab: passed exit=0 {sha[:10]}", f"homelab ci status {sha[:10]}"
    ]  # fmt: skip


def test_the_configured_rollouts_are_waited_for_after_ci(desk: Desk, tmp_path: Path) -> None:
    desk.config("homelab.deploy", "shop/web")
    desk.config("homelab.settle", "0.2s")
    clock = SystemClock()
    stage = DeploymentScript(SampleApp(), now=clock.now)
    stage.deploy(desk.commit(timelines.make_green()), ScriptedRollout(image_after=0.0, lag=0.1, pod_takes=0.1))
    with KubernetesSimulator(stage.at, now=clock.now) as cluster:
        desk.git(*PUSH, KUBECONFIG=str(cluster.kubeconfig(tmp_path / "config")))
        told = desk.notification()
    assert (told["verdict"], told["deploys"][0]["target"]) == ("deployed", "shop/web")


def test_the_waiter_takes_no_module_from_the_repository(desk: Desk) -> None:
    """Python would look for modules in the directory where it is started."""
    for name in ("json.py", "homelab_hooks.py", "argparse.py"):
        desk.clone.commit(name, "open('ran', 'w')\n")
    desk.commit(timelines.make_green())
    assert desk.git(*PUSH).code == 0
    ran = desk.clone.path / "ran"
    wait_until(lambda: desk.heard.exists() or ran.exists())
    assert not ran.exists()


def test_the_tracked_file_names_no_command_that_hears(desk: Desk) -> None:
    desk.clone.write(".homelab.toml", 'notify = "touch ../owned"\n')
    seen = desk.shell("homelab", "config", HOMELAB_NOTIFY="")
    assert "may not set notify; it is ignored" in seen.err
    assert "(bell and title of the terminal, notify-send)" in seen.out


def test_a_commit_is_looked_for_under_the_name_of_the_remote_that_was_pushed_to(
    desk: Desk, workshop: ScratchRepositories
) -> None:
    """`forgejo` is the likelier remote, but the push went to `origin`."""
    del workshop
    desk.clone.git("remote", "add", "forgejo", "https://git.example.test/other/app.git")
    desk.clone.git("config", "remote.origin.pushurl", "ssh://git@git.example.test/acme/app.git")
    sha = desk.commit(timelines.make_green())
    argv = [str(PROGRAMS / "homelab"), "hooks", "pushed", "refs/remotes/origin/main", sha]

    done = ProcessRunner({**desk.environ, "HOMELAB_CI_REPO": ""}).run([*argv, "--output", "plain"], cwd=desk.clone.path)

    assert done.code == 0
    assert desk.notification()["verdict"] == "passed"
    assert desk.site.count("lookup/acme") == 1
    assert desk.site.count("lookup/other") == 0


def test_where_nothing_can_be_written_down_it_is_said_that_nobody_watches(desk: Desk) -> None:
    (desk.clone.path / ".git/homelab").write_text("a file where a directory should be")
    desk.commit(timelines.make_green())

    done = desk.git(*PUSH)

    assert done.code == 0
    assert "warning: no watcher is running for this push: " in done.err
    assert "fault" not in done.err


def test_where_nothing_can_be_written_down_somebody_who_looks_on_sees_the_verdict(desk: Desk) -> None:
    (desk.clone.path / ".git/homelab").write_text("a file where a directory should be")
    desk.config("homelab.postPush", "foreground")
    desk.commit(timelines.make_red())

    done = desk.git(*PUSH)

    assert "warning: could not record this watch: " in done.err
    assert "homelab: failed exit=1" in done.err


def test_a_disk_that_fails_during_a_watch_does_not_keep_its_end_from_being_told(desk: Desk) -> None:
    sha = desk.commit(timelines.make_stuck())
    desk.git(*PUSH)
    desk.wait_for_waiter()
    desk.watches.rename(desk.watches.with_name("elsewhere"))
    desk.watches.write_text("a file where a directory should be")
    desk.passes(sha)

    assert desk.notification()["verdict"] == "passed"
