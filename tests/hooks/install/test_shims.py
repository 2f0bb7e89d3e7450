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
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS
from tests.hooks.install.conftest import Made
from tests.hooks.install.install_helpers import put_in, write
from tests.hooks.install.sandbox import HOOKS, HookSandbox, copied, fired, gits
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
    sandbox = copied(made(git, ()), tmp_path, git)
    interpreter = " ".join(shell(name))
    for hook in shims.INSTALLED_HOOKS:
        write(
            sandbox.hooks / f"{hook}.before-homelab",
            f'#!{interpreter}\ncat >/dev/null\necho {hook} >>"{tmp_path}/log"\n',
        )
        write(sandbox.hooks / hook, shims.shim_text(hook, "").replace("#!/bin/sh", f"#!{interpreter}"))
    sha = sandbox.mine.commit("a")
    first = sandbox.push("origin", "HEAD:main", "HEAD:refs/heads/b")
    sandbox.push("origin", "HEAD:main")
    sandbox.elsewhere("new")
    sandbox.mine.git("fetch", "--quiet")
    second = sandbox.mine.commit("b")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    sandbox.push("--no-verify", "origin", "HEAD:main")

    assert sandbox.calls == [fired(MAIN, sha), fired(MAIN, second)]
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


def whole_day(sandbox: HookSandbox, env: Mapping[str, str]) -> list[Completed]:
    """Every sort of git operation."""
    (sandbox.mine.path / "README").write_text("changed\n")
    return [
        sandbox.git(*command, env=env)
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
    sandbox = copied(made(git, ()), tmp_path, git)
    put_in(sandbox)
    for spy in sandbox.programs.iterdir():
        spy.unlink()
    if left != "nothing":
        write(sandbox.programs / "homelab", "#!/gone/python\n" if "interpreter" in left else "#!/bin/sh\nexit 3\n")

    for done in whole_day(sandbox, {}):
        assert done.ok, done
        assert not re.search(r"homelab(?!-)|hooks/|not found", done.err.replace(str(tmp_path), "")), done


@pytest.mark.slow
def test_homelab_is_found_by_its_recorded_path_where_the_path_lacks_it(sandbox: HookSandbox, tmp_path: Path) -> None:
    elsewhere = tmp_path / "it's here"
    sandbox.programs.rename(elsewhere)
    write(sandbox.hooks / "reference-transaction", shims.shim_text("reference-transaction", str(elsewhere / "homelab")))
    sha = sandbox.mine.commit("a")
    done = sandbox.push("origin", "HEAD:main")
    assert sandbox.calls == [fired(MAIN, sha)]
    assert "verdict" in done.err


@pytest.mark.slow
def test_a_push_is_reported_without_a_proc_file_system(sandbox: HookSandbox) -> None:
    """Where `ps` has to say what runs: macOS, the BSDs."""
    if shutil.which("ps") is None:
        pytest.skip("ps is not installed here")
    for hook in shims.INSTALLED_HOOKS:
        write(sandbox.hooks / hook, shims.shim_text(hook, "").replace("/proc/", "/gone/"))
    first = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", "HEAD:refs/heads/b")
    sandbox.push("origin", "HEAD:main")
    second = sandbox.mine.commit("b")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    sandbox.elsewhere("new")
    sandbox.mine.git("fetch", "--quiet")
    assert sandbox.calls == [fired(MAIN, first), fired(MAIN, second)]


@pytest.mark.slow
def test_a_push_over_http_fires_once(sandbox: HookSandbox) -> None:
    """There a process of its own speaks to the server."""
    put_in(sandbox)
    with GitServer(sandbox.server.parent.parent, sandbox.environ) as server:
        sandbox.mine.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")
        first = sandbox.mine.commit("a")
        sandbox.push("origin", "HEAD:main")
        second = sandbox.mine.commit("b")
        sandbox.push("--no-verify", "origin", "HEAD:main")
        sandbox.push("origin", "HEAD:main")
    assert sandbox.calls == [fired(MAIN, first), fired(MAIN, second)]


@pytest.mark.slow
@pytest.mark.parametrize("refs", [3, 40])
def test_many_refs_in_one_push_fire_for_the_target_alone(sandbox: HookSandbox, refs: int) -> None:
    put_in(sandbox)
    sha = sandbox.mine.commit("a")
    sandbox.push("--quiet", "origin", *(f"HEAD:refs/heads/b{n}" for n in range(refs)), "HEAD:main", "HEAD:refs/heads/z")
    assert sandbox.calls == [fired(MAIN, sha)]


@pytest.mark.slow
def test_two_pushes_at_once_from_two_worktrees_both_fire(sandbox: HookSandbox) -> None:
    """Each knows the note that is its own."""
    put_in(sandbox)
    sandbox.mine.git("config", "homelab.target", "main")
    sandbox.git("init", "--quiet", "--bare", str(sandbox.folder / "second.git"))
    sandbox.mine.git("remote", "add", "second", str(sandbox.folder / "second.git"))
    sandbox.mine.git("worktree", "add", "--quiet", "--detach", "../there")
    sha = sandbox.mine.commit("a")
    processes = ProcessRunner(sandbox.environ)
    places = ((sandbox.mine.path, "origin"), (sandbox.mine.path.parent / "there", "second"))
    pushing = [
        processes.spawn(["git", "-C", str(path), "push", "--quiet", remote, f"{sha}:refs/heads/main"])
        for path, remote in places
    ]
    clock = SystemClock()
    while any(push.alive for push in pushing):
        clock.sleep(0.02)
    for push in pushing:
        push.stop()
    assert sorted(sandbox.calls) == [fired(MAIN, sha), fired("refs/remotes/second/main", sha)]


@pytest.mark.slow
def test_git_lands_own_push_starts_nothing(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    sandbox.mine.commit("a")
    environ = {**sandbox.environ, "PATH": f"{sandbox.programs}:{sandbox.environ['PATH']}"}
    land = [str(PROGRAMS / "git-land"), "--no-ci-watch", "--no-verify", "--output", "plain"]
    done = ProcessRunner(environ).run(land, cwd=sandbox.mine.path, timeout=HANG_S)
    assert done.ok, done
    assert "landed=yes" in done.out
    sandbox.push("--no-verify", "origin", "HEAD:main")
    assert sandbox.calls == []


@pytest.mark.slow
def test_a_fetch_and_a_commit_start_no_program(sandbox: HookSandbox) -> None:
    """A thousand refs come as a thousand transactions."""
    put_in(sandbox)
    for name in ("cat", "date", "grep", "mkdir", "ps", "stat", "tail", "tr"):
        write(sandbox.programs / name, f'#!/bin/sh\necho {name} >>"{sandbox.called}"\n')
    sandbox.elsewhere("new")
    sandbox.called.unlink(missing_ok=True)
    sandbox.mine.git("fetch", "--quiet", "origin")
    sandbox.mine.git("commit", "--quiet", "--allow-empty", "-m", "x")
    assert sandbox.mine.sha("origin/new")
    assert sandbox.calls == []


@pytest.mark.slow
def test_a_red_verdict_does_not_change_gits_exit_code(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    sandbox.mine.commit("a")
    assert sandbox.git("push", "--quiet", "origin", "HEAD:main", env={"WATCH_CODE": "1"}).ok
    assert len(sandbox.calls) == 1


@pytest.mark.slow
def test_a_post_push_shim_ends_with_the_watchs_code(sandbox: HookSandbox) -> None:
    sha = sandbox.mine.head
    shim = [str(HOOKS / "post-push"), "origin", "https://git.example.test/acme/app.git"]
    lines = (
        f"HEAD@{{1 day ago}} {sha} refs/heads/main {ZEROS}", f"(delete) {ZEROS} refs/heads/x {sha}",
        f"v1 {sha} refs/tags/v1 {ZEROS}",
    )  # fmt: skip

    done = ProcessRunner({**sandbox.environ, "WATCH_CODE": "7"}).run(
        shim, stdin="".join(f"{line}\n" for line in lines).encode(), cwd=sandbox.mine.path
    )

    assert done.code == 7
    assert sandbox.calls == [f"homelab-watch --event push {sha} []"]
