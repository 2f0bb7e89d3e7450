"""Task work trees: created below the main work tree, and removed without losing changes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git import remote_url as remotes
from homelab_hooks.git.command import error_message
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.fetch_error import fetch_error
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.text import sanitize
from homelab_hooks.text.humanize import join_names, pluralize

WORKTREES_DIR = ".worktrees"
_GIT_CRYPT_DIR = "git-crypt"


@dataclass(frozen=True, slots=True)
class TaskWorktree:
    """The path and branch of a topic's work tree."""

    path: Path
    branch: str
    main_path: Path
    """the repository's first work tree"""


def locate_worktree(topic: str, *, git: Repository, user: str) -> TaskWorktree:
    """Return the path and branch of a topic, whether or not it exists. Raises CommandError for an invalid name."""
    owner = user if user and git.location.is_valid_branch(user) and "/" not in user else "user"
    branch = f"{owner}/{topic}"
    if not topic or topic.startswith("-") or not git.location.is_valid_branch(branch):
        raise CommandError(
            f"{sanitize.strip_control_chars(branch)} is not a valid branch name",
            hint="name the topic with letters, digits and dashes",
        )
    main = git.worktrees.main_worktree()
    if git.location.common_dir() is None or main is None:
        raise CommandError("no main work tree found", hint="run this command inside a clone", exit=ExitCode.REFUSED)
    return TaskWorktree(main / WORKTREES_DIR / topic, branch, main)


def start_worktree(topic: str, *, git: Repository, user: str, remote: str = "", onto: str = "") -> Path:
    """Create a work tree on a new branch that starts at the target's present commit; return its path."""
    new = locate_worktree(topic, git=git, user=user)
    if new.path.exists() or f"refs/heads/{new.branch}" in git.worktrees.worktree_branches().values():
        raise CommandError(
            f"a work tree for {topic} already exists: {sanitize.strip_control_chars(str(new.path))}",
            hint=f"use it, or remove it with: homelab work clean {topic}",
            exit=ExitCode.REFUSED,
        )
    tip = _fetch_target(git, remote, onto)
    _ignore_folder(git.at(new.main_path))
    done = git.at(new.main_path).worktrees.add_worktree(new.path, branch=new.branch, start=tip)
    if not done.ok:
        raise CommandError(f"could not create the work tree: {error_message(done)}", exit=ExitCode.REFUSED)
    _link_git_crypt_keys(git, new.path)
    filled = git.at(new.path).worktrees.checkout_files()
    if not filled.ok:
        raise CommandError(
            f"could not check out files in {sanitize.strip_control_chars(str(new.path))}: {error_message(filled)}",
            exit=ExitCode.REFUSED,
        )
    return new.path


def remove_worktree(topic: str, *, git: Repository, user: str, force: bool = False) -> str:
    """Remove a topic's work tree and branch; return a sentence for the user.

    Args:
        force: also with changes, and with commits that no remote has.
    """
    old = locate_worktree(topic, git=git, user=user)
    outside = git.at(old.main_path)
    if str(old.path) not in outside.worktrees.worktree_branches():
        raise CommandError(
            f"there is no work tree for {topic}: {sanitize.strip_control_chars(str(old.path))}", exit=ExitCode.REFUSED
        )
    if git.location.top_level() == old.path:
        raise CommandError(
            "cannot remove the current work tree",
            hint=f"leave it first: cd {sanitize.strip_control_chars(str(old.main_path))}",
            exit=ExitCode.REFUSED,
        )
    sha = outside.history.branch_commit(old.branch)
    if not force:
        _require_saved(git.at(old.path), outside, old, sha)
    done = outside.worktrees.remove_worktree(old.path, even_dirty=force)
    if not done.ok:
        raise CommandError(f"could not remove the work tree: {error_message(done)}", exit=ExitCode.REFUSED)
    with contextlib.suppress(
        OSError
    ):  # a topic with slashes leaves parent directories; other work trees may be in them
        for folder in old.path.parents:
            folder.rmdir()
    deleted = outside.worktrees.delete_branch(old.branch, sha=sha) if sha else done
    if not deleted.ok:
        return f"removed the work tree but not the branch {old.branch}: {error_message(deleted)}"
    return f"removed the work tree and the branch {old.branch}"


def _fetch_target(git: Repository, remote: str, onto: str) -> str:
    branch = git.history.current_branch()
    chosen = remotes.choose_remote(
        git.remotes.remote_names(),
        wanted=remote,
        push_remote=git.remotes.push_remote(branch),
        push_default=git.remotes.push_default(),
    )
    asked = Found(onto) if onto else git.remotes.head_branch(chosen.name)
    if isinstance(asked, Unavailable):
        reason = f"cannot reach {remotes.format_remote_url(chosen.name)}: {asked.reason}"
        raise CommandError(
            f"could not determine the target branch: {reason}",
            hint=f"{asked.hint or 'check the network'}, then run the same command again",
            exit=ExitCode.PUSH_FAILED,
        )
    if isinstance(asked, NotFound):
        what = f"{remotes.format_remote_url(chosen.name)} has no default branch"
        raise CommandError(what, hint="name the target with --onto BRANCH", exit=ExitCode.REFUSED)
    target = asked.value
    named = chosen.name if chosen.name in git.remotes.remote_names() else ""
    tip, done = git.transfer.fetch_tip(chosen.name, target, remote=named)
    if not tip:
        raise fetch_error(done, f"{remotes.format_remote_url(chosen.name)}/{sanitize.strip_control_chars(target)}")
    return tip


def _ignore_folder(main: Repository) -> None:
    """Add the directory to .git/info/exclude, so that `git status` does not list the work trees."""
    if main.location.is_ignored(f"{WORKTREES_DIR}/"):
        return
    exclude = main.location.git_path("info/exclude")
    exclude.parent.mkdir(parents=True, exist_ok=True)
    there = exclude.read_text(encoding="utf-8", errors="surrogateescape") if exclude.exists() else ""
    gap = "" if not there or there.endswith("\n") else "\n"
    with exclude.open("a", encoding="utf-8") as file:
        file.write(f"{gap}/{WORKTREES_DIR}/\n")


def _link_git_crypt_keys(git: Repository, path: Path) -> None:
    """Link git-crypt's keys, which it looks for in each work tree's own git directory."""
    common, own = git.location.common_dir(), git.at(path).location.git_dir()
    if common and own and (common / _GIT_CRYPT_DIR).is_dir() and not (own / _GIT_CRYPT_DIR).exists():
        (own / _GIT_CRYPT_DIR).symlink_to(common / _GIT_CRYPT_DIR, target_is_directory=True)


def _require_saved(inside: Repository, outside: Repository, old: TaskWorktree, sha: str) -> None:
    lost = inside.worktrees.unsaved_changes()
    if lost:
        raise CommandError(
            f"the work tree has changes that would be lost: {join_names(change[3:] for change in lost)}",
            hint="commit and land them, or discard them with --force",
            exit=ExitCode.REFUSED,
        )
    unlanded = outside.history.unpushed_count(sha) if sha else 0
    if unlanded:
        raise CommandError(
            f"{old.branch} has {pluralize(unlanded, 'commit')} that no remote has",
            hint="land them, or discard them with --force",
            exit=ExitCode.REFUSED,
        )
