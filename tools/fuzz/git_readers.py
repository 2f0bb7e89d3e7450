"""What git says, what it tells a hook, and processes as the system lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from homelab_hooks.config.resolve import GitConfigEntry
from homelab_hooks.errors import CommandError
from homelab_hooks.git import push_result, remote_url
from homelab_hooks.git.command import error_message
from homelab_hooks.git.history import Commit
from homelab_hooks.git.hook_config import HookConfig
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.runner import PLAIN_CALL, GitCall
from homelab_hooks.hooks.pre_push.input import PushInput, from_pre_commit, parse_git_input
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.system import process_table
from homelab_hooks.system.completed import Completed
from tools.fuzz import seeds, texts
from tools.fuzz.fed import LOOKS, SHA, FuzzTarget
from tools.fuzz.promises import hold


def remotes(data: bytes) -> None:
    """Any URL says an owner and a name, or why it does not."""
    url = data.decode("utf-8", "surrogateescape")
    found = remote_url.parse_remote_url(url)
    if isinstance(found, remote_url.RepoAddress):
        assert found.namespace
        assert found.name
        assert found.host
    else:
        assert found.reason
    assert not texts.harmful(remote_url.format_remote_url(url))


def pushes(data: bytes) -> None:
    """Whatever is said of a push, it has an outcome; a good one only with git's own word for it."""
    text = data.decode("utf-8", "replace")
    out, _, err = text.partition("\x1f")
    for code in (0, 1, 128, -9):
        found = push_result.parse_push_output(code, out, err, ref="refs/heads/main", sha=SHA)
        hold(found, push_result.PushResult)
        assert found.status is not push_result.PushStatus.ACCEPTED or code == 0 or "refs/heads/main" in out
        assert not any(texts.harmful(line) for line in (*found.output, found.reason, found.link)), found
        assert not texts.harmful(error_message(Completed(code, b"", err.encode())))


class CannedGit:
    """A git that prints this whatever its arguments (`homelab_hooks.git.runner.GitRunner`)."""

    untrusted, ssh_batch = True, False

    def __init__(self, done: Completed) -> None:
        self._done = done

    def run(self, args: Sequence[str], call: GitCall = PLAIN_CALL) -> Completed:
        """It, again."""
        del args, call
        return self._done

    def at(self, directory: Path) -> CannedGit:
        """The same in another directory."""
        del directory
        return self


def _seen(look: Poll[str]) -> str:
    """What a look saw; empty where it saw nothing."""
    assert isinstance(look, LOOKS)
    return look.value if isinstance(look, Found) else ""


ASKED: tuple[tuple[Callable[[Repository], object], Any], ...] = (
    (lambda git: git.location.config_entries(), tuple[GitConfigEntry, ...]),
    (lambda git: git.location.identity(), str),
    (lambda git: git.location.top_level(), Path | None),
    (lambda git: git.history.resolve("main"), Commit | None),
    (lambda git: git.history.parents(SHA), tuple[str, ...]),
    (lambda git: git.history.commits_ahead(of=SHA, sha=SHA), int),
    (lambda git: git.history.unpushed_count(SHA), int),
    (lambda git: git.history.has_ci_configuration(SHA, ("ci",)), bool | None),
    (lambda git: git.remotes.remote_names(), tuple[str, ...]),
    (lambda git: git.remotes.push_urls("origin"), tuple[str, ...]),
    (lambda git: _seen(git.remotes.head_branch("origin")), str),
    (lambda git: _seen(git.remotes.ls_remote_branch("https://git.example.test/a", "main")), str),
    (lambda git: git.remotes.reflog_length("origin", "main"), int),
    (lambda git: git.remotes.last_push_commit("origin", "main"), str),
    (lambda git: git.remotes.tracking_branches_at("origin", SHA), tuple[str, ...]),
    (lambda git: git.worktree.uncommitted_changes(), tuple[str, ...]),
    (lambda git: git.worktree.hidden_changes(), tuple[str, ...]),
    (lambda git: git.operations.last_rebase("topic"), tuple[str, str]),
    (lambda git: git.worktree.unmerged_files(), tuple[str, ...]),
    (lambda git: git.preview.merge(SHA, SHA).conflicts, tuple[str, ...]),
    (lambda git: git.worktree.modified_since_tree(SHA, [".", ".."]), tuple[str, ...]),
    (lambda git: git.worktrees.worktree_branches(), Mapping[str, str]),
    (lambda git: git.submodules.gitlinks(SHA), Mapping[str, str]),
    (lambda git: git.gitcrypt.plaintext_files(SHA, since=""), tuple[str, ...]),
)


def git_says(data: bytes) -> None:
    """Whatever git prints, and however it ends, each verb is a value of its type or a Problem."""
    out, _, err = data.partition(b"\x1f")
    for code in (0, 1, 128):
        mouth = CannedGit(Completed(code, out, err))
        git = Repository(mouth)
        for ask, kind in ASKED:
            try:
                hold(ask(git), kind)
            except CommandError as problem:
                assert problem.message  # noqa: PT017 - most inputs end well
        hold(HookConfig(mouth).hook_commands("--local"), Mapping[str, str])


def pushing(data: bytes) -> None:
    """The input of a pre-push hook is a push, whose updates have a commit and a ref; so with what a framework sets."""
    text = data.decode("utf-8", "surrogateescape")
    found = parse_git_input("origin", "", text)
    hold(found, PushInput)
    assert all(update.sha and update.ref for update in found.updates)
    names = ("REMOTE_BRANCH", "REMOTE_NAME", "TO_REF", "LOCAL_BRANCH", "REMOTE_URL")
    told = {f"PRE_COMMIT_{name}": line for name, line in zip(names, text.split("\n"), strict=False)}
    made = from_pre_commit(told, lambda name: name)
    hold(made, PushInput | None)


def processes(data: bytes) -> None:
    """Whatever the system says of a process, it is one, or there is none."""
    text = data.decode("utf-8", "replace")
    for read in (process_table.parse_stat, process_table.parse_ps):
        hold(read(7, text), process_table.ProcessInfo | None)


_PUSH = "To https://git.example.test/a/b\n{}\trefs/heads/main:refs/heads/main\t{}\nDone\n\x1f{}"

TARGETS = {
    "remotes": FuzzTarget(remotes, (
        b"git@git.example.test:acme/app.git", b"https://bob:s@git.example.test:8443/a/b/c/", b"[git@host:2222]:a/b",
        b"ssh://[::1]:22/git/a/b", b"ext::sh -c x", b"C:\\x", b"file:///srv/a", b"../app",
        b"git@ssh.dev.azure.com:v3/o/p/r",
    )),
    "push": FuzzTarget(pushes, (
        *(_PUSH.format(*row).encode() for row in (
            (" ", "1..2", ""), ("!", "[rejected] (fetch first)", "hint: x\nerror: failed to push some refs to 'x'"),
            ("!", "[remote rejected] (pre-receive hook declined)", "remote: error: GH006: no\nremote: https://x/pulls"),
            ("!", "[remote rejected] (failed to update ref)", f"remote: error: is at {SHA} but expected {SHA}"),
        )), *seeds.pushes(),
    )),
    "git": FuzzTarget(git_says, (
        b"local\0user.name\nAnn\0global\0core.bare\0", b"origin\nforgejo\n", f"{SHA}\trefs/heads/main\n".encode(),
        b"ref: refs/heads/main\tHEAD\n", f"{SHA} update by push\n".encode(), b"12\n", b" M a\0UU b\0",
        f"160000 commit {SHA}\tlib\0".encode(), f"100644 blob {SHA}\t.\0".encode(), f"{SHA} a.key\n".encode(),
        f"worktree /src\0HEAD {SHA}\0branch refs/heads/main\0\0".encode(), b"git version 2.54.1",
        b"hook.homelab-x.command\nf\0hook.homelab-x.event\npre-push\0", b"refs/remotes/origin/main\n", b"/src/app\n",
        b"\x1ffatal: detected dubious ownership in repository at '/src'\n", b"Ann <a@example.test> 1795465876 +0000\n",
    )),
    "pushing": FuzzTarget(pushing, (
        f"refs/heads/main {SHA} refs/heads/main {'0' * 40}\nHEAD@{{1 day ago}} {SHA} refs/heads/x {SHA}\n".encode(),
        f"refs/heads/main\norigin\n{SHA}\nmain\nhttps://git.example.test/a".encode(),
    )),
    "processes": FuzzTarget(processes, (
        b"7 (git (x) y) S 1 7 7 34819 7 4194560 1 0 0 0 0 0 0 0 20 0 1 0 99 1 1 1\n",
        b"    1 Ss   ttys003  Tue Nov 24 08:00:00 2026 /usr/bin/git\n",
    )),
}  # fmt: skip
