"""The worktree and the branch in which a revert is made: created for one commit, and removed with its landing."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.preflight import state_file
from homelab_hooks.land.revert import LeftWorktree, may_discard
from homelab_hooks.land.state import reporting_disk_errors
from homelab_hooks.land.task_worktree import (
    WORKTREES_DIR,
    TaskWorktree,
    create_worktree,
    locate_worktree,
    remove_empty_folders,
)
from homelab_hooks.system.file_lock import LockHeldError, describe_process, hold_lock
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.sanitize import strip_control_chars

_OWNER = "homelab"
"""the first part of the branch: homelab/revert-SHA"""
_TOPIC_DIGITS = 12
"""digits of the commit in the name of the worktree and its branch"""
_LOCK = "homelab-revert.lock"
"""in the worktree's git directory, so that it is removed with the worktree; exists once the files are checked out"""


def locate_revert_worktree(commit: str, git: Repository) -> TaskWorktree:
    """Return the path and the branch for the revert of a commit, whether or not they exist."""
    return locate_worktree(_topic(commit), git=git, user=_OWNER)


def _topic(commit: str) -> str:
    return f"revert-{commit[:_TOPIC_DIGITS]}"


@contextlib.contextmanager
def open_revert_worktree(commit: str, tip: str, git: Repository) -> Iterator[TaskWorktree]:
    """Create the worktree for the revert of a commit on top of `tip`, and hold its lock.

    The caller holds the lock of the repository's landings until the worktree's own is held: two processes do not create
    the same one.

    Raises:
        CommandError: (refused) another process is reverting the commit, an earlier revert of it left a worktree with
            work, or git refuses.
    """
    new = locate_revert_worktree(commit, git)
    discard_left_worktree(commit, tip, git)
    with contextlib.ExitStack() as held:
        try:
            create_worktree(_topic(commit), new, git=git, start=tip)
            held.enter_context(hold_worktree(git.at(new.path), commit))
        except BaseException:
            remove_revert_worktree(commit, git)
            raise
        yield new


@contextlib.contextmanager
def hold_worktree(inside: Repository, commit: str) -> Iterator[None]:
    """Hold the lock of a revert's worktree.

    Raises CommandError (refused) if another process holds it, or it cannot be written.

    Args:
        inside: the repository as seen from the worktree.
    """
    path = _lock_path(inside)
    with contextlib.ExitStack() as stack:
        try:
            with reporting_disk_errors(path):
                stack.enter_context(hold_lock(path, describe_process(f"reverting {short_sha(commit)}")))
        except LockHeldError as held:
            raise CommandError(
                f"{short_sha(commit)} is being reverted already: {strip_control_chars(str(held)) or 'unknown process'}",
                hint="wait for the other landing to finish or stop it, then run the same command again",
                exit=ExitCode.REFUSED,
            ) from held
        yield


def _lock_path(inside: Repository) -> Path:
    return inside.location.worktree_file(_LOCK)


def discard_left_worktree(commit: str, tip: str, git: Repository) -> None:
    """Remove what an earlier revert of the commit left, if nothing in it is worth keeping; else raise CommandError.

    Args:
        tip: the target's commit.
    """
    old = locate_revert_worktree(commit, git)
    if str(old.path) not in git.worktrees.worktree_branches():
        _require_no_work_on_branch(old, tip, git)
        git.worktrees.delete_branch(old.branch, sha=git.history.branch_commit(old.branch))
        return
    inside = git.at(old.path)
    if old.path.is_dir():
        with contextlib.ExitStack() as stack:
            if is_complete := _lock_path(inside).exists():
                stack.enter_context(hold_worktree(inside, commit))
            state = state_file(inside).load()
            left = LeftWorktree(
                state,
                is_complete=is_complete,
                is_contained=git.history.is_ancestor(older=inside.history.head(), newer=tip),
                has_unsaved_files=bool(inside.worktree.unsaved_files()),
            )
        if not may_discard(left):
            raise _left_error(commit, old, has_landing=state is not None)
    else:
        _require_no_work_on_branch(old, tip, git)
    remove_revert_worktree(commit, git)


def _require_no_work_on_branch(old: TaskWorktree, tip: str, git: Repository) -> None:
    """Raise CommandError if a branch without a worktree has a revert that is not on the target."""
    sha = git.history.branch_commit(old.branch)
    if sha and not git.history.is_ancestor(older=sha, newer=tip):
        raise CommandError(
            f"the branch {old.branch} of an earlier revert already exists",
            hint=f"land the branch, or delete it with git branch -D {old.branch}",
            exit=ExitCode.REFUSED,
        )


def _left_error(commit: str, old: TaskWorktree, *, has_landing: bool) -> CommandError:
    path = strip_control_chars(str(old.path))
    hint = f"run cd {shlex.quote(path)}, then git land --continue, or git land --abort"
    if not has_landing:
        remove = f"git worktree remove --force {shlex.quote(path)} && git branch -D {old.branch}"
        hint = f"use the worktree, or remove it with {remove}"
    what = f"an earlier revert of {short_sha(commit)} is not finished: {path}"
    return CommandError(what, hint=hint, exit=ExitCode.REFUSED)


def remove_revert_worktree(commit: str, git: Repository) -> str:
    """Remove the worktree and the branch of a commit's revert, as far as they exist; return why not, empty if done.

    Args:
        git: the repository as seen from outside the worktree.
    """
    old = locate_revert_worktree(commit, git)
    if str(old.path) in git.worktrees.worktree_branches():
        done = git.worktrees.remove_worktree(old.path, even_dirty=True)
        if not done.ok:
            return error_message(done)
        remove_empty_folders(_topic(commit), old)
    sha = git.history.branch_commit(old.branch)
    deleted = git.worktrees.delete_branch(old.branch, sha=sha) if sha else None
    return error_message(deleted) if deleted is not None and not deleted.ok else ""


def base_outside(inside: Repository, commit: str) -> Path:
    """Return a directory of the repository outside a revert's worktree: the one that holds `.worktrees`."""
    base = locate_revert_worktree(commit, inside).base
    if inside.at(base).location.common_dir() == inside.location.common_dir():
        return base
    common = inside.location.common_dir()
    assert common is not None  # noqa: S101 - a landing runs inside a repository
    return common


def is_revert_worktree(path: Path | None, branch: str, commit: str) -> bool:
    """Return whether a worktree and its branch are those that `git land --revert` creates for a commit.

    >>> is_revert_worktree(Path("/r/.worktrees/revert-0123456789ab"), "homelab/revert-0123456789ab", "0123456789abcdef")
    True
    """
    return (
        bool(commit)
        and path is not None
        and (path.parts[-2:] == (WORKTREES_DIR, _topic(commit)) and branch == f"{_OWNER}/{_topic(commit)}")
    )
