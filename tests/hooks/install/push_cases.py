"""Kinds of push and ref update: each is done with real git and says what must have been called afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.hooks.install.sandbox import HookSandbox, fired

Push = Callable[[HookSandbox], list[str]]
MAIN = "refs/remotes/origin/main"


class PushCase(NamedTuple):
    """A kind, with the git it needs, and whether it can be told apart without what pre-push noted."""

    act: Push
    since: tuple[int, int] = (2, 28)
    noted_only: bool = False


KINDS: dict[str, PushCase] = {}


def kind(*, since: tuple[int, int] = (2, 28), noted_only: bool = False) -> Callable[[Push], Push]:
    """Put a function into the table, under its name as a sentence."""

    def enter(act: Push) -> Push:
        KINDS[act.__name__.replace("_", " ")] = PushCase(act, since, noted_only)
        return act

    return enter


# What fires


@kind()
def the_target(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_quietly(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.push("--quiet", "--porcelain", "origin", f"{sha}:refs/heads/main")
    return [fired(MAIN, sha)]


@kind()
def the_target_without_verification(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_by_force(sandbox: HookSandbox) -> list[str]:
    sandbox.elsewhere()
    sha = sandbox.mine.commit("a")
    sandbox.push("--force", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_with_a_lease(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("commit", "--quiet", "--amend", "-m", "again")
    sandbox.push("--force-with-lease", "origin", "HEAD:main")
    return [fired(MAIN, sandbox.mine.head)]


@kind()
def the_target_from_its_own_branch(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("switch", "--quiet", "main")
    sha = sandbox.mine.commit("a")
    sandbox.push()
    return [fired(MAIN, sha)]


@kind()
def the_target_from_a_detached_head(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("switch", "--quiet", "--detach")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD~0:refs/heads/main")
    return [fired(MAIN, sha)]


@kind()
def the_target_twice(sandbox: HookSandbox) -> list[str]:
    first = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    second = sandbox.mine.commit("b")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, first), fired(MAIN, second)]


@kind()
def the_target_back_and_forth(sandbox: HookSandbox) -> list[str]:
    before, sha = sandbox.mine.head, sandbox.mine.commit("a")
    for commit in (sha, before, sha):
        sandbox.push("--force", "origin", f"{commit}:refs/heads/main")
    return [fired(MAIN, sha), fired(MAIN, before), fired(MAIN, sha)]


@kind()
def the_target_and_others(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.mine.git("tag", "v1")
    sandbox.push("origin", "HEAD:refs/heads/a", "HEAD:main", "HEAD:refs/heads/z", "v1")
    return [fired(MAIN, sha)]


@kind()
def all_branches(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("switch", "--quiet", "main")
    sha = sandbox.mine.commit("a")
    sandbox.push("--all", "origin")
    return [fired(MAIN, sha)]


@kind()
def the_target_with_its_tags_at_once(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.mine.git("tag", "-m", "x", "v1")
    sandbox.push("--follow-tags", "--atomic", "origin", "HEAD:main", "HEAD:refs/heads/b")
    return [fired(MAIN, sha)]


@kind()
def the_target_where_another_ref_is_refused(sandbox: HookSandbox) -> list[str]:
    sandbox.server_hook("update", "case $1 in */no) exit 1 ;; esac")
    sha = sandbox.mine.commit("a")
    assert sandbox.git("push", "origin", "HEAD:refs/heads/no", "HEAD:main").code == 1
    return [fired(MAIN, sha)]


@kind()
def the_target_from_a_linked_worktree(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("worktree", "add", "--quiet", "-b", "there", "../there")
    there = sandbox.folder / "workshop" / "there"
    sandbox.git("commit", "--quiet", "--allow-empty", "-m", "x", at=there)
    assert sandbox.git("push", "origin", "HEAD:main", at=there).ok
    return [fired(MAIN, sandbox.mine.sha("there"))]


@kind()
def the_target_from_a_folder_below(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("deep/er/a")
    assert sandbox.git("push", "origin", "HEAD:main", at=sandbox.mine.path / "deep" / "er").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_from_far_away(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("remote", "set-url", "origin", str(sandbox.server))
    sha = sandbox.mine.commit("a")
    places = {"GIT_DIR": str(sandbox.mine.path / ".git"), "GIT_WORK_TREE": str(sandbox.mine.path)}
    assert sandbox.git("push", "origin", "HEAD:main", at=sandbox.folder, env=places).ok
    return [fired(MAIN, sha)]


@kind()
def the_target_by_an_alias(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "alias.up", "push --no-verify")
    sha = sandbox.mine.commit("a")
    assert sandbox.git("-c", "core.quotePath=false", "up", "origin", "HEAD:main").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_by_a_shells_alias(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "alias.up", "!true && git push")
    sha = sandbox.mine.commit("a")
    assert sandbox.git("up", "origin", "HEAD:main").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_behind_another_tools_hook(sandbox: HookSandbox) -> list[str]:
    """As pre-commit does it: our hook is renamed, and started by something other than git."""
    for name in ("pre-push", "reference-transaction"):
        hook = sandbox.hooks / name
        if hook.exists():
            hook.rename(f"{hook}.legacy")
            hook.write_text('#!/bin/sh\nsh -c \'"$@"; exit $?\' x "$0.legacy" "$@"\n')
            hook.chmod(0o755)
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_to_another_push_url(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("remote", "set-url", "--push", "origin", str(sandbox.server))
    sandbox.mine.git("remote", "set-url", "origin", "../srv/elsewhere.git")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_to_two_push_urls(sandbox: HookSandbox) -> list[str]:
    """Git moves the tracking ref after each."""
    second = sandbox.folder / "second.git"
    sandbox.git("clone", "--quiet", "--bare", str(sandbox.server), str(second))
    for url in (sandbox.server, second):
        sandbox.mine.git("remote", "set-url", "--add", "--push", "origin", str(url))
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_that_is_named_in_the_environment(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", "HEAD:refs/heads/stable", env={"HOMELAB_TARGET": "stable"})
    return [fired("refs/remotes/origin/stable", sha)]


@kind()
def the_target_that_is_named_in_the_settings(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "homelab.target", "next/stable")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", "HEAD:refs/heads/stable", "HEAD:refs/heads/next/stable")
    return [fired("refs/remotes/origin/next/stable", sha)]


@kind()
def any_branch_where_the_tracked_file_may_name_the_target(sandbox: HookSandbox) -> list[str]:
    """It is for homelab to decide."""
    sha = sandbox.mine.commit(".homelab.toml", 'target = "stable"\n')
    sandbox.push("origin", "HEAD:refs/heads/stable")
    return [fired("refs/remotes/origin/stable", sha)]


@kind()
def any_branch_without_a_target_setting(sandbox: HookSandbox) -> list[str]:
    """It is for homelab to decide."""
    sandbox.mine.git("remote", "set-head", "origin", "--delete")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:refs/heads/new")
    return [fired("refs/remotes/origin/new", sha)]


@kind()
def a_target_with_a_strange_name(sandbox: HookSandbox) -> list[str]:
    name = "a;touch$IFS'bad'|\"`b`&$(c)ü"
    sandbox.mine.git("config", "homelab.target", name)
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", f"HEAD:refs/heads/{name}")
    assert not (sandbox.mine.path / "bad").exists()
    return [fired(f"refs/remotes/origin/{name}", sha)]


@kind()
def the_target_of_a_remote_with_a_slash_in_its_name(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("remote", "rename", "origin", "team/origin")
    sandbox.mine.git("config", "homelab.target", "main")
    sha = sandbox.mine.commit("a")
    sandbox.push("team/origin", "HEAD:main", "HEAD:refs/heads/origin/main")
    return [fired("refs/remotes/team/origin/main", sha)]


@kind()
def the_target_of_a_repository_whose_git_directory_is_elsewhere(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("init", "--quiet", f"--separate-git-dir={sandbox.folder / 'apart'}")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_after_the_refs_were_packed(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("pack-refs", "--all", "--prune")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind(noted_only=True)
def the_target_where_git_keeps_no_reflog(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "core.logAllRefUpdates", "false")
    (sandbox.mine.path / ".git" / "logs" / MAIN).unlink(missing_ok=True)
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_after_a_push_that_failed(sandbox: HookSandbox) -> list[str]:
    sandbox.server_hook("pre-receive", "exit 1")
    sandbox.mine.commit("a")
    assert sandbox.git("push", "origin", "HEAD:main").code == 1
    sandbox.server_hook("pre-receive", "exit 0")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, sandbox.mine.head)]


@kind(since=(2, 45))
def the_target_in_a_repository_with_reftables(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("refs", "migrate", "--ref-format=reftable")
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def sha256(sandbox: HookSandbox) -> list[str]:
    server, mine = sandbox.folder / "s256.git", sandbox.folder / "m256"
    assert sandbox.git("init", "--quiet", "--bare", "--object-format=sha256", str(server)).ok
    assert sandbox.git("init", "--quiet", "--object-format=sha256", str(mine)).ok
    sandbox.hooks.rename(mine / ".git" / "hooks")
    for command in (
        ("remote", "add", "origin", str(server)),
        ("commit", "--quiet", "--allow-empty", "-m", "x"),
        ("push", "origin", "HEAD:main"),
    ):
        assert sandbox.git(*command, at=mine).ok
    return [fired(MAIN, sandbox.git("rev-parse", "HEAD", at=mine).out.strip())]


# What is silent


@kind()
def up_to_date(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    sandbox.push("origin", "HEAD:main")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def up_to_date_after_a_push_from_before_the_hooks(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    assert sandbox.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    sandbox.age()
    sandbox.push("origin", "HEAD:main")
    return []


@kind(noted_only=True)
def up_to_date_a_moment_after_a_push_from_before_the_hooks(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    assert sandbox.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    sandbox.push("origin", "HEAD:main")
    return []


@kind()
def up_to_date_after_a_silenced_push(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    sandbox.push("origin", "HEAD:main")
    sandbox.push("--no-verify", "origin", "HEAD:main")
    return []


@kind()
def up_to_date_a_moment_after_a_fetch(sandbox: HookSandbox) -> list[str]:
    sandbox.elsewhere()
    sandbox.mine.git("fetch", "--quiet")
    sandbox.mine.git("merge", "--quiet", "--ff-only", "origin/main")
    sandbox.push("origin", "HEAD:main")
    return []


@kind(noted_only=True)
def up_to_date_because_somebody_else_pushed_it(sandbox: HookSandbox) -> list[str]:
    """The tracking ref moves with this push, but nothing was pushed."""
    sha = sandbox.mine.commit("a")
    sandbox.git("push", "--quiet", str(sandbox.server), f"{sha}:refs/heads/main", env={"HOMELAB_NO_WATCH": "1"})
    sandbox.push("origin", "HEAD:main")
    return []


@kind()
def a_fetch(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.elsewhere()
    sandbox.mine.git("fetch", "--quiet")
    assert sandbox.mine.sha("origin/main") == sha
    return []


@kind()
def a_fetch_of_new_branches_and_of_a_branch_called_push(sandbox: HookSandbox) -> list[str]:
    sandbox.elsewhere("push")
    sandbox.elsewhere("new")
    sandbox.mine.git("fetch", "--quiet", "--prune", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    sandbox.mine.git("fetch", "--quiet", "origin", "push")
    assert sandbox.mine.sha("origin/push")
    return []


@kind()
def a_fetch_of_what_was_pushed_from_here(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("a")
    sandbox.git("push", "--quiet", str(sandbox.server), f"{sha}:refs/heads/main", env={"HOMELAB_NO_WATCH": "1"})
    sandbox.mine.git("fetch", "--quiet", "origin")
    return []


@kind()
def a_pull(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("switch", "--quiet", "main")
    sandbox.elsewhere()
    sandbox.mine.git("pull", "--quiet", "--ff-only")
    return []


@kind()
def a_rehearsed_push(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("--dry-run", "origin", "HEAD:main")
    return []


@kind()
def a_push_that_is_too_late(sandbox: HookSandbox) -> list[str]:
    sandbox.elsewhere()
    sandbox.mine.commit("a")
    assert sandbox.git("push", "origin", "HEAD:main").code == 1
    return []


@kind()
def a_push_that_the_server_refuses(sandbox: HookSandbox) -> list[str]:
    sandbox.server_hook("pre-receive", "exit 1")
    sandbox.mine.commit("a")
    assert sandbox.git("push", "origin", "HEAD:main").code == 1
    return []


@kind()
def an_atomic_push_of_which_a_part_is_refused(sandbox: HookSandbox) -> list[str]:
    sandbox.server_hook("update", "case $1 in */no) exit 1 ;; esac")
    sandbox.mine.commit("a")
    assert sandbox.git("push", "--atomic", "origin", "HEAD:refs/heads/no", "HEAD:main").code == 1
    return []


@kind()
def a_push_to_nowhere(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.mine.git("remote", "set-url", "origin", "../srv/gone.git")
    assert sandbox.git("push", "origin", "HEAD:main").code == 128
    return []


@kind()
def a_tag(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("tag", "main-1")
    sandbox.push("origin", "main-1")
    return []


@kind()
def a_deletion(sandbox: HookSandbox) -> list[str]:
    sandbox.push("origin", "HEAD:refs/heads/gone", env={"HOMELAB_NO_WATCH": "1"})
    sandbox.push("origin", ":refs/heads/gone")
    return []


@kind()
def a_deletion_of_the_target(sandbox: HookSandbox) -> list[str]:
    sandbox.push("origin", "HEAD:refs/heads/old")
    sandbox.push("--delete", "origin", "old", env={"HOMELAB_TARGET": "old"})
    return []


@kind()
def another_branch(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("--set-upstream", "origin", "feature")
    return []


@kind()
def a_branch_whose_name_ends_like_the_target(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:refs/heads/not/main", env={"HOMELAB_TARGET": "main"})
    return []


@kind()
def a_review_and_notes(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.mine.git("notes", "add", "-m", "x")
    sandbox.push("origin", "HEAD:refs/for/main", "refs/notes/commits")
    return []


@kind()
def the_target_of_which_no_tracking_ref_is_kept(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "remote.origin.fetch", "+refs/heads/feature:refs/remotes/origin/feature")
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return []


@kind()
def hooks_switched_off(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    assert sandbox.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    return []


@kind()
def a_silenced_push(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    return []


@kind()
def git_lands_own_push(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", env={"HOMELAB_IN_LAND": "1"})
    return []


@kind()
def a_push_where_the_stage_is_off(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.git("config", "homelab.postPush", "off")
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main")
    return []


@kind()
def housekeeping(sandbox: HookSandbox) -> list[str]:
    sandbox.mine.commit("a")
    sandbox.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    sandbox.mine.git("pack-refs", "--all")
    sandbox.mine.git("gc", "--quiet")
    sandbox.mine.git("reflog", "expire", "--all")
    sandbox.mine.git("remote", "prune", "origin")
    return []


@kind()
def work_on_local_branches(sandbox: HookSandbox) -> list[str]:
    mine = sandbox.mine
    mine.commit("a")
    mine.git("branch", "push")
    mine.git("branch", "-m", "push", "main-2")
    mine.write("README", "changed\n")
    mine.git("stash", "push", "--quiet")
    mine.git("stash", "pop", "--quiet")
    mine.git("commit", "--quiet", "-am", "b")
    mine.git("rebase", "--quiet", "--force-rebase", "HEAD~1")
    mine.git("tag", "v1")
    mine.git("worktree", "add", "--quiet", "--detach", "../there")
    mine.git("branch", "-D", "main-2")
    return []


@kind()
def remote_refs_moved_by_hand(sandbox: HookSandbox) -> list[str]:
    sha = sandbox.mine.commit("push")
    sandbox.mine.git("update-ref", "-m", "update by push", MAIN, sha)
    sandbox.mine.git("remote", "set-head", "origin", "main")
    sandbox.mine.git("remote", "rename", "origin", "push")
    return []


def by_url(sandbox: HookSandbox) -> list[str]:
    """Old git moves no tracking ref then; since 2.56 it does where one remote has this push URL."""
    sandbox.mine.git("remote", "set-url", "origin", str(sandbox.server))
    before, sha = sandbox.mine.sha("origin/main"), sandbox.mine.commit("a")
    sandbox.push(str(sandbox.server), "HEAD:main")
    return [fired(MAIN, sha)] if sandbox.mine.sha("origin/main") != before else []


kind()(by_url)
