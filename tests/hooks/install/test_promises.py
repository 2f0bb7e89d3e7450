"""What is promised about a push is what happens: refspecs, git's process name, git-lfs, and other programs' names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.gaps import GIT_PROCESS, WatchedRemote, find_gaps
from tests.cli.shell import Shell
from tests.hooks.install.install_helpers import write
from tests.hooks.install.sandbox import HookSandbox, fired

pytestmark = pytest.mark.slow  # real processes

MAIN = "refs/remotes/origin/main"
ALL = "+refs/heads/*:refs/remotes/origin/*"
REFSPECS = {
    "as git clone sets it": ((ALL,), True),
    "none, as git clone --bare leaves it": ((), False),
    "of another branch, as git clone --single-branch sets it": (
        ("+refs/heads/topic:refs/remotes/origin/topic",),
        False,
    ),
    "of this branch": (("+refs/heads/main:refs/remotes/origin/main",), True),
    "of a mirror": (("+refs/*:refs/*",), False),
    "with this branch excluded from fetches": ((ALL, "^refs/heads/main"), True),
    "without others": ((ALL, "^refs/heads/wip/*"), True),
    "of tags": (("+refs/tags/*:refs/tags/*",), False),
    "of a part of the names": (("+refs/heads/m*:refs/remotes/origin/m*",), True),
}


@pytest.mark.parametrize(("refspecs", "is_noticed"), REFSPECS.values(), ids=REFSPECS)
def test_a_push_is_noticed_exactly_where_no_gap_is_reported(
    sandbox: HookSandbox, refspecs: tuple[str, ...], *, is_noticed: bool
) -> None:
    (sandbox.programs / "homelab").unlink()
    shell = Shell({**sandbox.environ, "HOMELAB_POST_PUSH": "background"}, sandbox.mine.path)
    assert shell("homelab", "hooks", "install").code == 0
    sandbox.mine.git("config", "--unset-all", "remote.origin.fetch")
    for refspec in refspecs:
        sandbox.mine.git("config", "--add", "remote.origin.fetch", refspec)
    promises = {
        "status": shell("homelab", "hooks", "status").err,
        "install": shell("homelab", "hooks", "install").err,
        "doctor": shell("homelab", "doctor").err,
    }
    assert {name: "a plain git push is not detected" not in said for name, said in promises.items()} == dict.fromkeys(
        promises, is_noticed
    )

    log = sandbox.folder / "log"
    write(sandbox.hooks / "reference-transaction", recording(sandbox.hooks / "reference-transaction", log))
    sandbox.push("origin", f"{sandbox.mine.commit('a')}:refs/heads/main")
    assert log.exists() is is_noticed


def test_a_tracking_ref_under_another_remotes_name_is_a_gap() -> None:
    (gap,) = find_gaps(WatchedRemote("origin", ("+refs/heads/*:refs/remotes/upstream/*",), "main"), "git")
    assert "git tracks origin/main as refs/remotes/upstream/main" in gap.reason


def recording(shim: Path, log: Path) -> str:
    """The shim, with a program in place of homelab that records its call."""
    return shim.read_text().replace('"$homelab" hooks pushed', f"echo >>{log}")


@pytest.mark.parametrize(
    ("process", "is_known"),
    [("git", True), ("git-remote-https", True), (".git-wrapped", True), ("/usr/lib/git", True), ("", True),
     ("hub", False), ("git.real", False), ("real-git", False)],
)  # fmt: skip
def test_a_git_that_runs_under_another_name_is_a_gap(process: str, *, is_known: bool) -> None:
    gaps = find_gaps(WatchedRemote("origin", (ALL,), "main"), process)
    assert [process in gap.reason for gap in gaps] == ([] if is_known else [True])


def test_the_shims_recognize_git_by_the_same_names() -> None:
    for name in ("reference-transaction", "pre-push"):
        assert "git | git-* | .git-*)" in (shims.source_dir() / name).read_text()
    assert GIT_PROCESS.fullmatch("git-wrapped")


def test_a_git_that_is_wrapped_under_another_name_is_reported(sandbox: HookSandbox) -> None:
    git = Path(shutil.which("git") or "git")
    shutil.copy(git, sandbox.programs / "git.real")
    write(sandbox.programs / "git", f'#!/bin/sh\nexec "{sandbox.programs}/git.real" "$@"\n')
    (sandbox.programs / "homelab").unlink()
    shell = Shell(sandbox.environ, sandbox.mine.path)
    assert "git runs as git.real" in shell("homelab", "hooks", "install").err


@pytest.mark.parametrize("known", ["opt/homelab", "opt/my tools/home lab", "opt/gone"])
def test_the_recorded_program_wins_over_another_one_of_that_name(sandbox: HookSandbox, known: str) -> None:
    """A pyenv shim without this version, or another tool called homelab, may stand first on PATH."""
    program, log = sandbox.folder / known, sandbox.folder / "log"
    if not known.endswith("gone"):
        write(program, f'#!/bin/sh\necho "$@" >>"{log}"\n')
    write(sandbox.hooks / "reference-transaction", shims.shim_text("reference-transaction", str(program)))
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    if known.endswith("gone"):
        assert sandbox.calls == [fired(MAIN, sha)]
    else:
        assert (log.read_text(), sandbox.calls) == (f"hooks pushed {MAIN} {sha}\n", [])


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_the_age_of_the_reflog_is_told_by_the_clock_of_its_file_system(sandbox: HookSandbox, ahead_s: int) -> None:
    """On a network file system, files have the server's times."""
    write(sandbox.hooks / "reference-transaction", shims.shim_text("reference-transaction", ""))
    write(sandbox.programs / "date", f'#!/bin/sh\nexec /bin/date -d "{ahead_s} seconds" "$@"\n')
    sha = sandbox.mine.commit("a")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    assert sandbox.calls == [fired(MAIN, sha)]
    sandbox.push("--no-verify", "origin", "HEAD:main")
    assert len(sandbox.calls) == 1


KEEPS_LFS = '#!/bin/sh\ngit lfs pre-push "$@"\n'


@pytest.mark.parametrize(
    ("uses_lfs", "kept", "exit_code", "calls"),
    [
        ("", "", 0, 0), ("lfs/", "", 0, 1), ("lfs/", KEEPS_LFS, 0, 1), ("lfs/", "#!/bin/sh\ncat\n", 0, 1),
        ("lfs/", "", 2, 1), ("../.gitattributes", "", 0, 1), ("info/attributes", "", 0, 1),
    ],
)  # fmt: skip
def test_the_hook_of_git_lfs_runs_once_where_ours_is_in_its_place(
    sandbox: HookSandbox, *, uses_lfs: str, kept: str, exit_code: int, calls: int
) -> None:
    """With lfs.storage elsewhere, only the attributes show that git-lfs is used."""
    log = sandbox.folder / "lfs"
    write(sandbox.programs / "git-lfs", f'#!/bin/sh\necho "$*: $(cat)" >>"{log}"\nexit {exit_code}\n')
    if kept:
        write(sandbox.hooks / "pre-push", kept)
    if uses_lfs.endswith("/"):
        (sandbox.mine.path / ".git" / uses_lfs).mkdir()
    elif uses_lfs:
        sandbox.mine.write(f".git/{uses_lfs}", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (sandbox.programs / "homelab").unlink()
    ended = Shell(sandbox.environ, sandbox.mine.path)("homelab", "hooks", "install")
    assert ended.code == 0, ended
    sha = sandbox.mine.commit("a")
    done = sandbox.git("push", "origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    assert done.ok is (exit_code == 0)
    lines = log.read_text().splitlines() if log.exists() else []
    assert [line.startswith("pre-push origin ../srv/acme/app.git: HEAD ") and sha in line for line in lines] == (
        [True] * calls
    )
    status = Shell(sandbox.environ, sandbox.mine.path)("homelab", "hooks", "status").err
    assert ("runs git lfs pre-push" in status) is (bool(uses_lfs) and kept != KEEPS_LFS)


@pytest.mark.skipif(shutil.which("git-lfs") is not None, reason="git-lfs is installed here")
def test_a_missing_git_lfs_is_reported_and_stops_no_push(sandbox: HookSandbox) -> None:
    (sandbox.mine.path / ".git/lfs").mkdir()
    (sandbox.programs / "homelab").unlink()
    assert Shell(sandbox.environ, sandbox.mine.path)("homelab", "hooks", "install").code == 0
    done = sandbox.push("origin", f"{sandbox.mine.commit('a')}:refs/heads/main", env={"HOMELAB_NO_WATCH": "1"})
    assert "its objects are not uploaded" in done.err
