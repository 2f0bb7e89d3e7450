"""The sh shims: harmless where anything is missing, quiet, quick, and the same under every sh."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from homelab_hooks.hooks.install import shims
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process import ProcessRunner
from tests.cli.shell import PROGRAMS
from tests.hooks.install.conftest import Made
from tests.hooks.install.install_helpers import put_in, write
from tests.hooks.install.sandbox import HOOKS, Desk, copied, fired, gits
from tests.waiting import HANG_S

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
MAIN = "refs/remotes/origin/main"
ZEROS = "0" * 40


def shell(name: str) -> list[str]:
    """How a shell is started; skips where it is not here."""
    program = shutil.which(SHELLS[name][0])
    if program is None:
        pytest.skip(f"{name} is not installed here")
    return [program, *SHELLS[name][1:]]


def test_every_shim_is_posix_sh() -> None:
    for hook in HOOKS.iterdir():
        text = hook.read_text()
        assert text.startswith("#!/bin/sh\n")
        assert "[[" not in text
        assert os.access(hook, os.X_OK)
        for name in SHELLS:
            if shutil.which(name):
                assert ProcessRunner(os.environ).run([*shell(name), "-n", str(hook)]).ok


def test_the_path_of_homelab_is_written_in_whatever_it_is() -> None:
    for program in ("", "/opt/homelab", '/opt/it\'s "$HOME"; a\\b/homelab'):
        assert shims.embedded_path(shims.shim_text("reference-transaction", program)) == program


@pytest.mark.slow
@pytest.mark.parametrize("name", SHELLS)
def test_each_shell_fires_and_stays_silent_alike(name: str, made: Made, tmp_path: Path) -> None:
    """The shims and the hook that was there before run in this shell."""
    git = gits()[0]
    desk = copied(made(git, ()), tmp_path, git)
    interpreter = " ".join(shell(name))
    for hook in shims.INSTALLED_HOOKS:
        write(
            desk.hooks / f"{hook}.before-homelab", f'#!{interpreter}\ncat >/dev/null\necho {hook} >>"{tmp_path}/log"\n'
        )
        write(desk.hooks / hook, shims.shim_text(hook, "").replace("#!/bin/sh", f"#!{interpreter}"))
    sha = desk.mine.commit("a")
    first = desk.push("origin", "HEAD:main", "HEAD:refs/heads/b")
    desk.push("origin", "HEAD:main")
    desk.elsewhere("new")
    desk.mine.git("fetch", "--quiet")
    second = desk.mine.commit("b")
    desk.push("--no-verify", "origin", "HEAD:main")
    desk.push("--no-verify", "origin", "HEAD:main")

    assert desk.calls == [fired(MAIN, sha), fired(MAIN, second)]
    assert "pre-push\n" in (tmp_path / "log").read_text()
    assert not re.search("sh: |not found|line [0-9]", first.err)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("state", ["preparing", "prepared", "aborted", "", "committed", "new-state"])
def test_no_state_and_no_input_makes_the_trigger_fail(name: str, state: str, tmp_path: Path) -> None:
    trigger = [*shell(name), str(HOOKS / "reference-transaction"), *([state] if state else [])]
    for lines in (
        "",
        "nonsense\n",
        f"{ZEROS} ref:refs/heads/x refs/remotes/origin/HEAD\n",
        f"{ZEROS} {'a' * 40} refs/remotes/origin/main",
        f"{ZEROS} {'a' * 40} refs/remotes/origin/$(touch bad)`touch bad`;touch\tbad\n",
    ):
        done = ProcessRunner({"PATH": os.environ["PATH"]}).run(trigger, stdin=lines.encode(), cwd=tmp_path)
        assert (done.code, done.out, done.err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def whole_day(desk: Desk, env: Mapping[str, str]) -> list[Completed]:
    """Every sort of git operation."""
    (desk.mine.path / "README").write_text("changed\n")
    return [
        desk.git(*command, env=env)
        for command in (
            ("stash",),
            ("stash", "pop"),
            ("commit", "--quiet", "-am", "a"),
            ("branch", "another"),
            ("tag", "v1"),
            ("push", "origin", "HEAD:main"),
            ("push", "--no-verify", "origin", "HEAD:refs/heads/b", "v1"),
            ("fetch", "--prune"),
            ("rebase", "--quiet", "--force-rebase", "HEAD~1"),
            ("worktree", "add", "--quiet", "--detach", "../there"),
            ("gc", "--quiet"),
            ("pack-refs", "--all"),
            ("push", "origin", ":refs/heads/b"),
            ("branch", "-D", "another"),
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize("git", gits())
@pytest.mark.parametrize("left", ["nothing", "a program without its interpreter", "a program that fails"])
def test_git_works_on_where_the_package_was_uninstalled(made: Made, tmp_path: Path, git: str, left: str) -> None:
    """Neither PATH nor the recorded path has homelab."""
    desk = copied(made(git, ()), tmp_path, git)
    put_in(desk)
    for spy in desk.programs.iterdir():
        spy.unlink()
    if left != "nothing":
        write(desk.programs / "homelab", "#!/gone/python\n" if "interpreter" in left else "#!/bin/sh\nexit 3\n")

    for done in whole_day(desk, {}):
        assert done.ok, done
        assert not re.search(r"homelab(?!-)|hooks/|not found", done.err.replace(str(tmp_path), "")), done


@pytest.mark.slow
def test_homelab_is_found_by_its_recorded_path_where_the_path_lacks_it(desk: Desk, tmp_path: Path) -> None:
    elsewhere = tmp_path / "it's here"
    desk.programs.rename(elsewhere)
    write(desk.hooks / "reference-transaction", shims.shim_text("reference-transaction", str(elsewhere / "homelab")))
    sha = desk.mine.commit("a")
    done = desk.push("origin", "HEAD:main")
    assert desk.calls == [fired(MAIN, sha)]
    assert "verdict" in done.err


@pytest.mark.slow
def test_a_push_is_told_without_a_proc_file_system(desk: Desk) -> None:
    """Where `ps` has to say what runs: macOS, the BSDs."""
    if shutil.which("ps") is None:
        pytest.skip("ps is not installed here")
    for hook in shims.INSTALLED_HOOKS:
        write(desk.hooks / hook, shims.shim_text(hook, "").replace("/proc/", "/gone/"))
    first = desk.mine.commit("a")
    desk.push("origin", "HEAD:main", "HEAD:refs/heads/b")
    desk.push("origin", "HEAD:main")
    second = desk.mine.commit("b")
    desk.push("--no-verify", "origin", "HEAD:main")
    desk.elsewhere("new")
    desk.mine.git("fetch", "--quiet")
    assert desk.calls == [fired(MAIN, first), fired(MAIN, second)]


@pytest.mark.slow
def test_a_push_over_http_fires_once(desk: Desk) -> None:
    """There a process of its own speaks to the server."""
    put_in(desk)
    with GitServer(desk.server.parent.parent, desk.environ) as server:
        desk.mine.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")
        first = desk.mine.commit("a")
        desk.push("origin", "HEAD:main")
        second = desk.mine.commit("b")
        desk.push("--no-verify", "origin", "HEAD:main")
        desk.push("origin", "HEAD:main")
    assert desk.calls == [fired(MAIN, first), fired(MAIN, second)]


@pytest.mark.slow
@pytest.mark.parametrize("refs", [3, 40])
def test_many_refs_in_one_push_fire_for_the_target_alone(desk: Desk, refs: int) -> None:
    put_in(desk)
    sha = desk.mine.commit("a")
    desk.push("--quiet", "origin", *(f"HEAD:refs/heads/b{n}" for n in range(refs)), "HEAD:main", "HEAD:refs/heads/z")
    assert desk.calls == [fired(MAIN, sha)]


@pytest.mark.slow
def test_two_pushes_at_once_from_two_worktrees_both_fire(desk: Desk) -> None:
    """Each knows the note that is its own."""
    put_in(desk)
    desk.mine.git("config", "homelab.target", "main")
    desk.git("init", "--quiet", "--bare", str(desk.folder / "second.git"))
    desk.mine.git("remote", "add", "second", str(desk.folder / "second.git"))
    desk.mine.git("worktree", "add", "--quiet", "--detach", "../there")
    sha = desk.mine.commit("a")
    processes = ProcessRunner(desk.environ)
    places = ((desk.mine.path, "origin"), (desk.mine.path.parent / "there", "second"))
    pushing = [
        processes.spawn(["git", "-C", str(path), "push", "--quiet", remote, f"{sha}:refs/heads/main"])
        for path, remote in places
    ]
    clock = SystemClock()
    while any(push.alive for push in pushing):
        clock.sleep(0.02)
    for push in pushing:
        push.stop()
    assert sorted(desk.calls) == [fired(MAIN, sha), fired("refs/remotes/second/main", sha)]


@pytest.mark.slow
def test_git_lands_own_push_starts_nothing(desk: Desk) -> None:
    put_in(desk)
    desk.mine.commit("a")
    environ = {**desk.environ, "PATH": f"{desk.programs}:{desk.environ['PATH']}"}
    land = [str(PROGRAMS / "git-land"), "--no-ci-watch", "--no-verify", "--output", "plain"]
    done = ProcessRunner(environ).run(land, cwd=desk.mine.path, timeout=HANG_S)
    assert done.ok, done
    assert "landed=yes" in done.out
    desk.push("--no-verify", "origin", "HEAD:main")
    assert desk.calls == []


@pytest.mark.slow
def test_a_fetch_and_a_commit_start_no_program(desk: Desk) -> None:
    """A thousand refs come as a thousand transactions."""
    put_in(desk)
    for name in ("cat", "date", "grep", "mkdir", "ps", "stat", "tail", "tr"):
        write(desk.programs / name, f'#!/bin/sh\necho {name} >>"{desk.called}"\n')
    desk.elsewhere("new")
    desk.called.unlink(missing_ok=True)
    desk.mine.git("fetch", "--quiet", "origin")
    desk.mine.git("commit", "--quiet", "--allow-empty", "-m", "x")
    assert desk.mine.sha("origin/new")
    assert desk.calls == []


@pytest.mark.slow
def test_a_red_verdict_does_not_change_gits_exit_code(desk: Desk) -> None:
    put_in(desk)
    desk.mine.commit("a")
    assert desk.git("push", "--quiet", "origin", "HEAD:main", env={"WATCH_CODE": "1"}).ok
    assert len(desk.calls) == 1


@pytest.mark.slow
def test_a_post_push_shim_ends_with_the_watchs_code(desk: Desk) -> None:
    sha = desk.mine.head
    shim = [str(HOOKS / "post-push"), "origin", "https://git.example.test/acme/app.git"]
    lines = (
        f"HEAD@{{1 day ago}} {sha} refs/heads/main {ZEROS}", f"(delete) {ZEROS} refs/heads/x {sha}",
        f"v1 {sha} refs/tags/v1 {ZEROS}",
    )  # fmt: skip

    done = ProcessRunner({**desk.environ, "WATCH_CODE": "7"}).run(
        shim, stdin="".join(f"{line}\n" for line in lines).encode(), cwd=desk.mine.path
    )

    assert done.code == 7
    assert desk.calls == [f"homelab-watch --event push {sha} []"]
