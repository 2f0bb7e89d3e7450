"""Kinds of push and ref update: each is done with real git and says what must have been called afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.hooks.install.sandbox import Desk, fired

Kind = Callable[[Desk], list[str]]
MAIN = "refs/remotes/origin/main"


class Row(NamedTuple):
    """A kind, with the git it needs, and whether it can be told apart without what pre-push noted."""

    act: Kind
    since: tuple[int, int] = (2, 28)
    noted_only: bool = False


KINDS: dict[str, Row] = {}


def kind(*, since: tuple[int, int] = (2, 28), noted_only: bool = False) -> Callable[[Kind], Kind]:
    """Put a function into the table, under its name as a sentence."""

    def enter(act: Kind) -> Kind:
        KINDS[act.__name__.replace("_", " ")] = Row(act, since, noted_only)
        return act

    return enter


# What fires


@kind()
def the_target(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_quietly(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.push("--quiet", "--porcelain", "origin", f"{sha}:refs/heads/main")
    return [fired(MAIN, sha)]


@kind()
def the_target_without_verification(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_by_force(desk: Desk) -> list[str]:
    desk.elsewhere()
    sha = desk.mine.commit("a")
    desk.push("--force", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_with_a_lease(desk: Desk) -> list[str]:
    desk.mine.git("commit", "--quiet", "--amend", "-m", "again")
    desk.push("--force-with-lease", "origin", "HEAD:main")
    return [fired(MAIN, desk.mine.head)]


@kind()
def the_target_from_its_own_branch(desk: Desk) -> list[str]:
    desk.mine.git("switch", "--quiet", "main")
    sha = desk.mine.commit("a")
    desk.push()
    return [fired(MAIN, sha)]


@kind()
def the_target_from_a_detached_head(desk: Desk) -> list[str]:
    desk.mine.git("switch", "--quiet", "--detach")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD~0:refs/heads/main")
    return [fired(MAIN, sha)]


@kind()
def the_target_twice(desk: Desk) -> list[str]:
    first = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    second = desk.mine.commit("b")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, first), fired(MAIN, second)]


@kind()
def the_target_back_and_forth(desk: Desk) -> list[str]:
    before, sha = desk.mine.head, desk.mine.commit("a")
    for commit in (sha, before, sha):
        desk.push("--force", "origin", f"{commit}:refs/heads/main")
    return [fired(MAIN, sha), fired(MAIN, before), fired(MAIN, sha)]


@kind()
def the_target_and_others(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.mine.git("tag", "v1")
    desk.push("origin", "HEAD:refs/heads/a", "HEAD:main", "HEAD:refs/heads/z", "v1")
    return [fired(MAIN, sha)]


@kind()
def all_branches(desk: Desk) -> list[str]:
    desk.mine.git("switch", "--quiet", "main")
    sha = desk.mine.commit("a")
    desk.push("--all", "origin")
    return [fired(MAIN, sha)]


@kind()
def the_target_with_its_tags_at_once(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.mine.git("tag", "-m", "x", "v1")
    desk.push("--follow-tags", "--atomic", "origin", "HEAD:main", "HEAD:refs/heads/b")
    return [fired(MAIN, sha)]


@kind()
def the_target_where_another_ref_is_refused(desk: Desk) -> list[str]:
    desk.server_hook("update", "case $1 in */no) exit 1 ;; esac")
    sha = desk.mine.commit("a")
    assert desk.git("push", "origin", "HEAD:refs/heads/no", "HEAD:main").code == 1
    return [fired(MAIN, sha)]


@kind()
def the_target_from_a_linked_worktree(desk: Desk) -> list[str]:
    desk.mine.git("worktree", "add", "--quiet", "-b", "there", "../there")
    there = desk.folder / "workshop" / "there"
    desk.git("commit", "--quiet", "--allow-empty", "-m", "x", at=there)
    assert desk.git("push", "origin", "HEAD:main", at=there).ok
    return [fired(MAIN, desk.mine.sha("there"))]


@kind()
def the_target_from_a_folder_below(desk: Desk) -> list[str]:
    sha = desk.mine.commit("deep/er/a")
    assert desk.git("push", "origin", "HEAD:main", at=desk.mine.path / "deep" / "er").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_from_far_away(desk: Desk) -> list[str]:
    desk.mine.git("remote", "set-url", "origin", str(desk.server))
    sha = desk.mine.commit("a")
    places = {"GIT_DIR": str(desk.mine.path / ".git"), "GIT_WORK_TREE": str(desk.mine.path)}
    assert desk.git("push", "origin", "HEAD:main", at=desk.folder, env=places).ok
    return [fired(MAIN, sha)]


@kind()
def the_target_by_an_alias(desk: Desk) -> list[str]:
    desk.mine.git("config", "alias.up", "push --no-verify")
    sha = desk.mine.commit("a")
    assert desk.git("-c", "core.quotePath=false", "up", "origin", "HEAD:main").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_by_a_shells_alias(desk: Desk) -> list[str]:
    desk.mine.git("config", "alias.up", "!true && git push")
    sha = desk.mine.commit("a")
    assert desk.git("up", "origin", "HEAD:main").ok
    return [fired(MAIN, sha)]


@kind()
def the_target_behind_another_tools_hook(desk: Desk) -> list[str]:
    """As pre-commit leaves it: ours renamed, and started by something that is no git."""
    for name in ("pre-push", "reference-transaction"):
        hook = desk.hooks / name
        if hook.exists():
            hook.rename(f"{hook}.legacy")
            hook.write_text('#!/bin/sh\nsh -c \'"$@"; exit $?\' x "$0.legacy" "$@"\n')
            hook.chmod(0o755)
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_to_another_push_url(desk: Desk) -> list[str]:
    desk.mine.git("remote", "set-url", "--push", "origin", str(desk.server))
    desk.mine.git("remote", "set-url", "origin", "../srv/elsewhere.git")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_to_two_push_urls(desk: Desk) -> list[str]:
    """Git moves the tracking ref after each."""
    second = desk.folder / "second.git"
    desk.git("clone", "--quiet", "--bare", str(desk.server), str(second))
    for url in (desk.server, second):
        desk.mine.git("remote", "set-url", "--add", "--push", "origin", str(url))
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_that_is_named_in_the_environment(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main", "HEAD:refs/heads/stable", env={"HOMELAB_TARGET": "stable"})
    return [fired("refs/remotes/origin/stable", sha)]


@kind()
def the_target_that_is_named_in_the_settings(desk: Desk) -> list[str]:
    desk.mine.git("config", "homelab.target", "next/stable")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main", "HEAD:refs/heads/stable", "HEAD:refs/heads/next/stable")
    return [fired("refs/remotes/origin/next/stable", sha)]


@kind()
def any_branch_where_the_tracked_file_may_name_the_target(desk: Desk) -> list[str]:
    """It is for homelab to decide."""
    sha = desk.mine.commit(".homelab.toml", 'target = "stable"\n')
    desk.push("origin", "HEAD:refs/heads/stable")
    return [fired("refs/remotes/origin/stable", sha)]


@kind()
def any_branch_where_nobody_names_the_target(desk: Desk) -> list[str]:
    """It is for homelab to decide."""
    desk.mine.git("remote", "set-head", "origin", "--delete")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:refs/heads/new")
    return [fired("refs/remotes/origin/new", sha)]


@kind()
def a_target_with_a_strange_name(desk: Desk) -> list[str]:
    name = "a;touch$IFS'bad'|\"`b`&$(c)ü"
    desk.mine.git("config", "homelab.target", name)
    sha = desk.mine.commit("a")
    desk.push("origin", f"HEAD:refs/heads/{name}")
    assert not (desk.mine.path / "bad").exists()
    return [fired(f"refs/remotes/origin/{name}", sha)]


@kind()
def the_target_of_a_remote_with_a_slash_in_its_name(desk: Desk) -> list[str]:
    desk.mine.git("remote", "rename", "origin", "team/origin")
    desk.mine.git("config", "homelab.target", "main")
    sha = desk.mine.commit("a")
    desk.push("team/origin", "HEAD:main", "HEAD:refs/heads/origin/main")
    return [fired("refs/remotes/team/origin/main", sha)]


@kind()
def the_target_of_a_repository_whose_git_directory_is_elsewhere(desk: Desk) -> list[str]:
    desk.mine.git("init", "--quiet", f"--separate-git-dir={desk.folder / 'apart'}")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_after_the_refs_were_packed(desk: Desk) -> list[str]:
    desk.mine.git("pack-refs", "--all", "--prune")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind(noted_only=True)
def the_target_where_git_keeps_no_reflog(desk: Desk) -> list[str]:
    desk.mine.git("config", "core.logAllRefUpdates", "false")
    (desk.mine.path / ".git" / "logs" / MAIN).unlink(missing_ok=True)
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def the_target_after_a_push_that_failed(desk: Desk) -> list[str]:
    desk.server_hook("pre-receive", "exit 1")
    desk.mine.commit("a")
    assert desk.git("push", "origin", "HEAD:main").code == 1
    desk.server_hook("pre-receive", "exit 0")
    desk.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, desk.mine.head)]


@kind(since=(2, 45))
def the_target_in_a_repository_with_reftables(desk: Desk) -> list[str]:
    desk.mine.git("refs", "migrate", "--ref-format=reftable")
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def sha256(desk: Desk) -> list[str]:
    server, mine = desk.folder / "s256.git", desk.folder / "m256"
    assert desk.git("init", "--quiet", "--bare", "--object-format=sha256", str(server)).ok
    assert desk.git("init", "--quiet", "--object-format=sha256", str(mine)).ok
    desk.hooks.rename(mine / ".git" / "hooks")
    for command in (
        ("remote", "add", "origin", str(server)),
        ("commit", "--quiet", "--allow-empty", "-m", "x"),
        ("push", "origin", "HEAD:main"),
    ):
        assert desk.git(*command, at=mine).ok
    return [fired(MAIN, desk.git("rev-parse", "HEAD", at=mine).out.strip())]


# What is silent


@kind()
def up_to_date(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    desk.push("origin", "HEAD:main")
    desk.push("--no-verify", "origin", "HEAD:main")
    return [fired(MAIN, sha)]


@kind()
def up_to_date_after_a_push_from_before_the_hooks(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    assert desk.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    desk.age()
    desk.push("origin", "HEAD:main")
    return []


@kind(noted_only=True)
def up_to_date_a_moment_after_a_push_from_before_the_hooks(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    assert desk.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    desk.push("origin", "HEAD:main")
    return []


@kind()
def up_to_date_after_a_silenced_push(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    desk.push("origin", "HEAD:main")
    desk.push("--no-verify", "origin", "HEAD:main")
    return []


@kind()
def up_to_date_a_moment_after_a_fetch(desk: Desk) -> list[str]:
    desk.elsewhere()
    desk.mine.git("fetch", "--quiet")
    desk.mine.git("merge", "--quiet", "--ff-only", "origin/main")
    desk.push("origin", "HEAD:main")
    return []


@kind(noted_only=True)
def up_to_date_because_somebody_else_pushed_it(desk: Desk) -> list[str]:
    """The tracking ref moves with this push, but nothing was pushed."""
    sha = desk.mine.commit("a")
    desk.git("push", "--quiet", str(desk.server), f"{sha}:refs/heads/main", env={"HOMELAB_NO_WATCH": "1"})
    desk.push("origin", "HEAD:main")
    return []


@kind()
def a_fetch(desk: Desk) -> list[str]:
    sha = desk.elsewhere()
    desk.mine.git("fetch", "--quiet")
    assert desk.mine.sha("origin/main") == sha
    return []


@kind()
def a_fetch_of_new_branches_and_of_a_branch_called_push(desk: Desk) -> list[str]:
    desk.elsewhere("push")
    desk.elsewhere("new")
    desk.mine.git("fetch", "--quiet", "--prune", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    desk.mine.git("fetch", "--quiet", "origin", "push")
    assert desk.mine.sha("origin/push")
    return []


@kind()
def a_fetch_of_what_was_pushed_from_here(desk: Desk) -> list[str]:
    sha = desk.mine.commit("a")
    desk.git("push", "--quiet", str(desk.server), f"{sha}:refs/heads/main", env={"HOMELAB_NO_WATCH": "1"})
    desk.mine.git("fetch", "--quiet", "origin")
    return []


@kind()
def a_pull(desk: Desk) -> list[str]:
    desk.mine.git("switch", "--quiet", "main")
    desk.elsewhere()
    desk.mine.git("pull", "--quiet", "--ff-only")
    return []


@kind()
def a_rehearsed_push(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("--dry-run", "origin", "HEAD:main")
    return []


@kind()
def a_push_that_is_too_late(desk: Desk) -> list[str]:
    desk.elsewhere()
    desk.mine.commit("a")
    assert desk.git("push", "origin", "HEAD:main").code == 1
    return []


@kind()
def a_push_that_the_server_refuses(desk: Desk) -> list[str]:
    desk.server_hook("pre-receive", "exit 1")
    desk.mine.commit("a")
    assert desk.git("push", "origin", "HEAD:main").code == 1
    return []


@kind()
def an_atomic_push_of_which_a_part_is_refused(desk: Desk) -> list[str]:
    desk.server_hook("update", "case $1 in */no) exit 1 ;; esac")
    desk.mine.commit("a")
    assert desk.git("push", "--atomic", "origin", "HEAD:refs/heads/no", "HEAD:main").code == 1
    return []


@kind()
def a_push_to_nowhere(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.mine.git("remote", "set-url", "origin", "../srv/gone.git")
    assert desk.git("push", "origin", "HEAD:main").code == 128
    return []


@kind()
def a_tag(desk: Desk) -> list[str]:
    desk.mine.git("tag", "main-1")
    desk.push("origin", "main-1")
    return []


@kind()
def a_deletion(desk: Desk) -> list[str]:
    desk.push("origin", "HEAD:refs/heads/gone", env={"HOMELAB_NO_WATCH": "1"})
    desk.push("origin", ":refs/heads/gone")
    return []


@kind()
def a_deletion_of_the_target(desk: Desk) -> list[str]:
    desk.push("origin", "HEAD:refs/heads/old")
    desk.push("--delete", "origin", "old", env={"HOMELAB_TARGET": "old"})
    return []


@kind()
def another_branch(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("--set-upstream", "origin", "feature")
    return []


@kind()
def a_branch_whose_name_ends_like_the_target(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("origin", "HEAD:refs/heads/not/main", env={"HOMELAB_TARGET": "main"})
    return []


@kind()
def a_review_and_notes(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.mine.git("notes", "add", "-m", "x")
    desk.push("origin", "HEAD:refs/for/main", "refs/notes/commits")
    return []


@kind()
def the_target_of_which_no_tracking_ref_is_kept(desk: Desk) -> list[str]:
    desk.mine.git("config", "remote.origin.fetch", "+refs/heads/feature:refs/remotes/origin/feature")
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return []


@kind()
def hooks_switched_off(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    assert desk.git("-c", "core.hooksPath=/dev/null", "push", "origin", "HEAD:main").ok
    return []


@kind()
def a_silenced_push(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    return []


@kind()
def git_lands_own_push(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main", env={"HOMELAB_IN_LAND": "1"})
    return []


@kind()
def a_push_where_the_stage_is_off(desk: Desk) -> list[str]:
    desk.mine.git("config", "homelab.postPush", "off")
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main")
    return []


@kind()
def housekeeping(desk: Desk) -> list[str]:
    desk.mine.commit("a")
    desk.push("origin", "HEAD:main", env={"HOMELAB_NO_WATCH": "1"})
    desk.mine.git("pack-refs", "--all")
    desk.mine.git("gc", "--quiet")
    desk.mine.git("reflog", "expire", "--all")
    desk.mine.git("remote", "prune", "origin")
    return []


@kind()
def work_on_local_branches(desk: Desk) -> list[str]:
    mine = desk.mine
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
def remote_refs_moved_by_hand(desk: Desk) -> list[str]:
    sha = desk.mine.commit("push")
    desk.mine.git("update-ref", "-m", "update by push", MAIN, sha)
    desk.mine.git("remote", "set-head", "origin", "main")
    desk.mine.git("remote", "rename", "origin", "push")
    return []


def by_url(desk: Desk) -> list[str]:
    """Old git moves no tracking ref then; since 2.56 it does where one remote has this push URL."""
    desk.mine.git("remote", "set-url", "origin", str(desk.server))
    before, sha = desk.mine.sha("origin/main"), desk.mine.commit("a")
    desk.push(str(desk.server), "HEAD:main")
    return [fired(MAIN, sha)] if desk.mine.sha("origin/main") != before else []


kind()(by_url)
