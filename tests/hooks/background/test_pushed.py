"""What follows a plain push: foreground, background or nothing, told truly, once, and never in the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import process_info
from tests.cli.shell import PROGRAMS
from tests.hooks.background.sandbox import TOKEN, PushSandbox
from tests.waiting import wait_until

pytestmark = pytest.mark.slow  # real pushes with real hooks

PUSH = ("push", "--quiet", "origin", "HEAD:main")


def test_in_the_foreground_the_verdict_stands_on_gits_stderr_and_git_ends_with_0(sandbox: PushSandbox) -> None:
    sandbox.config("homelab.postPush", "foreground")
    sha = sandbox.commit(timelines.make_red(log=["boom"]))

    done = sandbox.git(*PUSH)

    assert (done.code, done.out) == (0, "")
    assert f"homelab: failed exit=1 sha={sha} pipelines=#1" in done.err
    assert f"to resume, run: homelab follow {sha}" in done.err
    record = sandbox.record()
    assert (record["landed"], record["result"]["exit"], record["branch"]) == (True, 1, "main")
    assert not sandbox.heard.exists(), "the verdict was shown on stderr, so no notification is sent"


def test_in_the_background_the_push_returns_at_once_and_the_end_is_notified(sandbox: PushSandbox) -> None:
    """No terminal is there: that is the default."""
    sha = sandbox.commit(timelines.make_red(log=["boom"]))

    done = sandbox.git("push", "origin", "HEAD:main")

    assert done.code == 0
    assert "watching CI in the background" in done.err
    told = sandbox.notification()
    assert (told["event"], told["verdict"], told["exit"], told["sha"]) == ("result", "failed", 1, sha)
    record = sandbox.record()
    assert record["result"]["pipelines"][0]["number"] == 1
    assert f"homelab: failed exit=1 sha={sha}" in sandbox.log()


def test_the_watcher_holds_nothing_of_the_pushs(sandbox: PushSandbox) -> None:
    """Its own session, no inherited descriptor, / as its directory; only the user can read its log and record."""
    sandbox.commit(timelines.make_stuck())
    assert sandbox.git(*PUSH).code == 0, "it returned, though CI never ends"
    wait_until(lambda: sandbox.woodpecker.count("pipelines") > 0)
    (number,) = sandbox.watchers()

    wait_until(lambda: set(_pipes(sandbox.proc(number)).values()) <= {2}, "one end of a pipe is another process's")
    links = _descriptors(sandbox.proc(number))
    assert links["0"] == "/dev/null"
    assert {links["1"], links["2"]} == {str(next(sandbox.watches.glob("*.log")))}
    assert not [link for link in links.values() if link.startswith("/dev/pts")]
    assert str((sandbox.proc(number) / "cwd").readlink()) == "/"
    assert os.getsid(number) == number
    assert TOKEN not in (sandbox.proc(number) / "cmdline").read_text()
    for path in sandbox.watches.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert TOKEN not in path.read_text()


def _descriptors(process: Path) -> dict[str, str]:
    """What each descriptor of a running process leads to; it may close one at any moment."""
    found = {}
    for link in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[link.name] = str(link.readlink())
    return found


def _pipes(process: Path) -> Counter[str]:
    """How many ends of each pipe the process has: two of its own pipes, but one while it reads from a git."""
    return Counter(link for link in _descriptors(process).values() if link.startswith("pipe:"))


def test_a_watcher_that_is_stopped_leaves_a_record_and_says_how_to_resume(sandbox: PushSandbox) -> None:
    sha = sandbox.commit(timelines.make_stuck())
    sandbox.git(*PUSH)
    wait_until(lambda: sandbox.woodpecker.count("pipelines") > 0)
    (number,) = sandbox.watchers()

    os.kill(number, signal.SIGTERM)

    record = sandbox.record()
    assert (record["result"]["verdict"], record["result"]["exit"]) == ("interrupted", 143)
    assert f"homelab follow {sha}" in record["result"]["hint"]
    wait_until(lambda: process_info(number) is None)


def test_status_forgets_after_an_hour_what_was_watched_of_another_commit(sandbox: PushSandbox) -> None:
    sha = sandbox.commit(timelines.make_green())
    sandbox.git(*PUSH)
    sandbox.record()
    sandbox.commit()
    assert "last watch" in sandbox.shell("homelab", "ci", "status").err
    (path,) = sandbox.watches.glob("*.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "ended": record["ended"] - 3700}))
    assert "last watch" not in sandbox.shell("homelab", "ci", "status").err
    assert "last watch" in sandbox.shell("homelab", "ci", "status", sha).err


def test_status_shows_what_is_watched_now_and_what_was_last(sandbox: PushSandbox) -> None:
    sandbox.commit(timelines.make_green())
    sandbox.git(*PUSH)
    sandbox.notification()
    sha = sandbox.commit(timelines.make_stuck())
    sandbox.git(*PUSH)
    number = sandbox.wait_for_watcher()

    seen = sandbox.shell("homelab", "ci", "status")

    assert f"watching: {sha[:10]} on main" in seen.err
    assert "on main: passed exit=0" in seen.err
    assert len(seen.lines) == 1

    os.kill(number, signal.SIGKILL)
    wait_until(lambda: not sandbox.watchers())
    assert "watching" not in sandbox.shell("homelab", "ci", "status").err, "its process is dead"


def test_a_second_push_of_the_same_commit_starts_no_second_watcher(sandbox: PushSandbox) -> None:
    sha = sandbox.commit(timelines.make_stuck())
    sandbox.git(*PUSH)
    first = [sandbox.wait_for_watcher()]

    again = sandbox.shell("homelab", "hooks", "pushed", "refs/remotes/origin/main", sha)

    assert (again.code, again.out, again.err) == (0, "", "")
    assert sandbox.watchers() == first


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
def test_what_is_not_to_be_watched_is_passed_over_in_silence(
    sandbox: PushSandbox, settings: Sequence[str], refspec: str
) -> None:
    sandbox.commit(timelines.make_green())
    if settings:
        sandbox.config(*settings)

    done = sandbox.git("push", "--quiet", "origin", refspec)

    assert (done.code, done.out, done.err) == (0, "", "")
    assert sandbox.records() == []


def test_a_target_that_only_the_remote_can_tell_is_asked_for(sandbox: PushSandbox) -> None:
    sandbox.clone.git("remote", "set-head", "origin", "--delete")
    sandbox.commit(timelines.make_green())

    sandbox.git(*PUSH)
    assert sandbox.notification()["verdict"] == "passed"

    sandbox.heard.unlink()
    sandbox.git("push", "--quiet", "origin", "HEAD:other")
    wait_until(lambda: not sandbox.watchers())
    assert len(sandbox.records()) == 1
    assert not sandbox.heard.exists()


def test_a_work_tree_that_is_removed_while_a_watch_runs_changes_nothing(sandbox: PushSandbox) -> None:
    sandbox.clone.git("worktree", "add", "--quiet", "-b", "task", "../task")
    tree = sandbox.clone.path.parent / "task"
    sandbox.clone.git("-C", str(tree), "commit", "--quiet", "--allow-empty", "-m", "x")
    sha = sandbox.clone.git("-C", str(tree), "rev-parse", "HEAD")
    sandbox.woodpecker.push("acme/app", "main", sha, timelines.make_stuck())
    done = ProcessRunner(sandbox.environ).run(["git", *PUSH], cwd=tree)
    assert done.code == 0
    wait_until(lambda: sandbox.woodpecker.count("pipelines") > 0)

    sandbox.clone.git("worktree", "remove", "--force", str(tree))
    sandbox.passes(sha)

    assert sandbox.notification()["verdict"] == "passed"


def test_a_watch_runs_where_git_refuses_git_directories_that_it_merely_finds(sandbox: PushSandbox) -> None:
    """The watcher runs git in the git directory, because the worktree may be removed."""
    sandbox.commit(timelines.make_green())
    setting = {"GIT_CONFIG_KEY_0": "safe.bareRepository", "GIT_CONFIG_VALUE_0": "explicit"}
    sandbox.clone.git("remote", "set-head", "origin", "--delete")
    assert sandbox.git(*PUSH, GIT_CONFIG_COUNT="1", **setting).code == 0
    assert sandbox.notification()["verdict"] == "passed"


def test_a_notification_that_fails_is_written_down(sandbox: PushSandbox) -> None:
    sandbox.commit(timelines.make_green())
    sandbox.git(*PUSH, HOMELAB_NOTIFY="echo secret >&2; exit 3")
    wait_until(lambda: "exited with code 3" in sandbox.log())
    assert "warning: the command from environment HOMELAB_NOTIFY exited with code 3" in sandbox.log()


def test_the_notifying_command_has_none_of_our_tokens(sandbox: PushSandbox) -> None:
    sandbox.commit(timelines.make_green())
    sandbox.git(*PUSH, HOMELAB_NOTIFY=f"env >'{sandbox.heard}.new'; mv '{sandbox.heard}.new' '{sandbox.heard}'")
    wait_until(sandbox.heard.exists)
    assert TOKEN not in sandbox.heard.read_text()
    assert "HOMELAB_WATCH_JOB" not in sandbox.heard.read_text()


def test_the_desktop_is_notified_with_our_own_words_where_there_is_one(
    sandbox: PushSandbox, workshop: ScratchRepositories
) -> None:
    programs = workshop.folder / "programs"
    workshop.write_hook("notify-send",
    f"printf '%s\\n' \"$@\" >'{sandbox.heard}.new'; mv '{sandbox.heard}.new' '{sandbox.heard}'",
                  where=programs)  # fmt: skip
    sha = sandbox.commit(timelines.make_green())
    path = f"{programs}:{sandbox.environ['PATH']}"
    sandbox.git(*PUSH, HOMELAB_NOTIFY="", PATH=path, DISPLAY=":9")
    wait_until(sandbox.heard.exists)
    assert sandbox.heard.read_text().splitlines() == [
        "--app-name=homelab", f"homelab: passed exit=0 {sha[:10]}", f"homelab ci status {sha[:10]}"
    ]  # fmt: skip


def test_the_configured_rollouts_are_waited_for_after_ci(sandbox: PushSandbox, tmp_path: Path) -> None:
    sandbox.config("homelab.deploy", "shop/web")
    sandbox.config("homelab.settle", "0.2s")
    clock = SystemClock()
    stage = DeploymentScript(SampleApp(), now=clock.now)
    stage.deploy(sandbox.commit(timelines.make_green()), ScriptedRollout(image_after=0.0, lag=0.1, pod_takes=0.1))
    with KubernetesSimulator(stage.at, now=clock.now) as cluster:
        sandbox.git(*PUSH, KUBECONFIG=str(cluster.kubeconfig(tmp_path / "config")))
        told = sandbox.notification()
    assert (told["verdict"], told["deploys"][0]["target"]) == ("deployed", "shop/web")


def test_the_watcher_takes_no_module_from_the_repository(sandbox: PushSandbox) -> None:
    """Python would look for modules in the directory where it is started."""
    for name in ("json.py", "homelab_hooks.py", "argparse.py"):
        sandbox.clone.commit(name, "open('ran', 'w')\n")
    sandbox.commit(timelines.make_green())
    assert sandbox.git(*PUSH).code == 0
    ran = sandbox.clone.path / "ran"
    wait_until(lambda: sandbox.heard.exists() or ran.exists())
    assert not ran.exists()


def test_the_tracked_file_names_no_command_that_hears(sandbox: PushSandbox) -> None:
    sandbox.clone.write(".homelab.toml", 'notify = "touch ../owned"\n')
    seen = sandbox.shell("homelab", "config", HOMELAB_NOTIFY="")
    assert "ignoring `notify` in .homelab.toml: it can only be set in git config" in seen.err
    assert "(bell and title of the terminal, notify-send)" in seen.out


def test_a_commit_is_looked_for_under_the_name_of_the_remote_that_was_pushed_to(
    sandbox: PushSandbox, workshop: ScratchRepositories
) -> None:
    """`forgejo` is the likelier remote, but the push went to `origin`."""
    del workshop
    sandbox.clone.git("remote", "add", "forgejo", "https://git.example.test/other/app.git")
    sandbox.clone.git("config", "remote.origin.pushurl", "ssh://git@git.example.test/acme/app.git")
    sha = sandbox.commit(timelines.make_green())
    argv = [str(PROGRAMS / "homelab"), "hooks", "pushed", "refs/remotes/origin/main", sha]

    done = ProcessRunner({**sandbox.environ, "HOMELAB_CI_REPO": ""}).run(
        [*argv, "--output", "plain"], cwd=sandbox.clone.path
    )

    assert done.code == 0
    assert sandbox.notification()["verdict"] == "passed"
    assert sandbox.woodpecker.count("lookup/acme") == 1
    assert sandbox.woodpecker.count("lookup/other") == 0


def test_where_nothing_can_be_written_down_it_is_said_that_no_watch_runs(sandbox: PushSandbox) -> None:
    (sandbox.clone.path / ".git/homelab").write_text("a file where a directory should be")
    sandbox.commit(timelines.make_green())

    done = sandbox.git(*PUSH)

    assert done.code == 0
    assert "warning: no watcher is running for this push: " in done.err
    assert "fault" not in done.err


def test_where_nothing_can_be_written_down_a_user_at_the_terminal_sees_the_verdict(sandbox: PushSandbox) -> None:
    (sandbox.clone.path / ".git/homelab").write_text("a file where a directory should be")
    sandbox.config("homelab.postPush", "foreground")
    sandbox.commit(timelines.make_red())

    done = sandbox.git(*PUSH)

    assert "warning: could not record this watch: " in done.err
    assert "homelab: failed exit=1" in done.err


def test_a_disk_that_fails_during_a_watch_does_not_keep_its_end_from_being_reported(sandbox: PushSandbox) -> None:
    sha = sandbox.commit(timelines.make_stuck())
    sandbox.git(*PUSH)
    sandbox.wait_for_watcher()
    sandbox.watches.rename(sandbox.watches.with_name("elsewhere"))
    sandbox.watches.write_text("a file where a directory should be")
    sandbox.passes(sha)

    assert sandbox.notification()["verdict"] == "passed"
