"""Task worktrees: created below the main worktree, and removed without losing changes."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git import remote_url as remotes
from homelab_hooks.git.command import error_message
from homelab_hooks.git.remotes import choose_remote, find_push_settings
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.fetch_error import fetch_error
from homelab_hooks.land.nested_work import describe_nested_work
from homelab_hooks.land.preconditions import lock_error, no_head_branch_hint
from homelab_hooks.land.state import landing_holder
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.text import sanitize
from homelab_hooks.text.humanize import join_names, pluralize

WORKTREES_DIR = ".worktrees"
_GIT_CRYPT_DIR = "git-crypt"
_HAS_SUBMODULES = "working trees containing submodules cannot be"
"""git worktree remove, without --force"""


@dataclass(frozen=True, slots=True)
class TaskWorktree:
    """The path and branch of a topic's worktree."""

    path: Path
    branch: str
    base: Path
    """the directory that holds `.worktrees`"""
    is_main: bool
    """`base` is the main worktree"""
    elsewhere: Path | None = None
    """the worktree at another path that has the branch checked out, such as one that was moved"""


def locate_worktree(topic: str, *, git: Repository, user: str) -> TaskWorktree:
    """Return the path and branch of a topic, whether or not it exists. Raises CommandError for an invalid name."""
    owner = user if user and git.location.is_valid_branch(user) and "/" not in user else "user"
    branch = f"{owner}/{topic}"
    # Git names its own directory of a worktree after the last part, and cannot use one that is called @.
    if not topic or topic.startswith("-") or Path(topic).name == "@" or not git.location.is_valid_branch(branch):
        raise CommandError(
            f"{sanitize.strip_control_chars(branch)} is not a valid branch name",
            hint="use letters, digits, and dashes in the name of the topic",
        )
    common, main = git.location.common_dir(), git.worktrees.main_worktree()
    if common is None:
        raise CommandError("not a git repository", hint="run this command in a git repository", exit=ExitCode.REFUSED)
    listed = git.worktrees.worktree_branches()
    base = main or _base_beside(common, [Path(path) for path in listed])
    there = next((Path(path) for path, ref in listed.items() if ref == f"refs/heads/{branch}"), None)
    place = base / WORKTREES_DIR / topic
    made_here = there is not None and (
        there.parts[-len(Path(topic).parts) - 1 :] == (WORKTREES_DIR, *Path(topic).parts)
        or there == place.resolve()  # .worktrees can be a link to another disk
    )
    path = there if there is not None and made_here else place
    return TaskWorktree(path, branch, base, main is not None, elsewhere=None if path == there else there)


def _base_beside(common: Path, worktrees: Sequence[Path]) -> Path:
    """Return the directory for the worktrees of a repository without a main one: beside the others, in none of them.

    Git would delete a worktree that is inside another one together with that.
    """
    outside = [path for path in worktrees if WORKTREES_DIR not in path.parts]
    beside = [common.parent, *(path.parent for path in outside)]
    used = [place for place in beside if any(path.parent == place for path in outside)] or beside
    free = [place for place in used if not any(place.is_relative_to(path) for path in outside)]
    return free[0] if free else common


def start_worktree(  # noqa: PLR0913 - what the command was called with
    topic: str,
    *,
    git: Repository,
    user: str,
    remote: str = "",
    onto: str = "",
    report: Callable[[str], None] = lambda _: None,
) -> Path:
    """Create a worktree on a new branch that starts at the target's present commit; return its path.

    Args:
        report: called before what may take seconds.
    """
    new = locate_worktree(topic, git=git, user=user)
    _require_new(topic, new, git)
    create_worktree(topic, new, git=git, start=_fetch_target(git, remote, onto, report))
    return new.path


def create_worktree(topic: str, new: TaskWorktree, *, git: Repository, start: str) -> None:
    """Create a worktree on a new branch at a commit, and check out its files. Raises CommandError if git refuses."""
    if new.is_main:
        _ignore_folder(git if git.location.top_level() == new.base else git.at(new.base), new.base / WORKTREES_DIR)
    done = git.worktrees.add_worktree(new.path, branch=new.branch, start=start)
    if not done.ok:
        if not os.path.lexists(new.path):  # git created the branch before it failed
            git.worktrees.delete_branch(new.branch, sha=start)
        raise CommandError(f"could not create the worktree: {error_message(done)}", exit=ExitCode.REFUSED)
    _link_git_crypt_keys(git, new.path)
    filled = git.at(new.path).worktrees.checkout_files()
    if not filled.ok:
        raise CommandError(
            f"could not check out files in {sanitize.strip_control_chars(str(new.path))}: {error_message(filled)}",
            hint=f"fix the cause, then run homelab work clean --force {topic} and the same command again",
            exit=ExitCode.REFUSED,
        )


def _require_new(topic: str, new: TaskWorktree, git: Repository) -> None:
    """Raise CommandError if the path or the branch of a new worktree is taken."""
    shown = sanitize.strip_control_chars(str(new.path))
    if new.elsewhere:
        raise _moved_error(new.branch, new.elsewhere)
    link = new.base / WORKTREES_DIR
    owner = git.at(link.resolve()).location.top_level() if link.is_symlink() and link.is_dir() else None
    if owner:  # git would delete it together with that one
        raise CommandError(
            f"{sanitize.strip_control_chars(str(link))} leads into another worktree: "
            f"{sanitize.strip_control_chars(str(owner))}",
            hint=f"link {WORKTREES_DIR} to a directory outside every worktree, or remove the link",
            exit=ExitCode.REFUSED,
        )
    if str(new.path) in git.worktrees.worktree_branches():
        what = f"a worktree for {topic} already exists: {shown}"
        hint = f"use the existing worktree, or run homelab work clean {topic}"
    elif os.path.lexists(new.path):
        what, hint = f"{shown} exists and is not a worktree of this repository", "move it away, or choose another topic"
    elif git.history.branch_commit(new.branch):
        what = f"the branch {new.branch} already exists"
        hint = f"delete it with git branch -d {new.branch}, or choose another topic"
    else:
        return
    raise CommandError(what, hint=hint, exit=ExitCode.REFUSED)


def _moved_error(branch: str, path: Path) -> CommandError:
    """Return the error for a branch that a worktree at another path has: it may be the user's own."""
    shown = sanitize.strip_control_chars(str(path))
    return CommandError(
        f"{branch} is checked out in another worktree: {shown}",
        hint=f"use the worktree, or remove it with git worktree remove {shlex.quote(shown)} and git branch -d {branch}",
        exit=ExitCode.REFUSED,
    )


def _require_no_landing(git: Repository, path: Path) -> None:
    """Raise CommandError if a landing is running in the worktree, which would then lose its files."""
    holder = sanitize.strip_control_chars(landing_holder(git.location.homelab_dir()))
    if holder.endswith(f" in {sanitize.strip_control_chars(str(path))}"):
        raise CommandError(
            f"a landing is running in the worktree: {holder}",
            hint="wait for the landing to finish or stop it, then run the same command again",
            exit=ExitCode.REFUSED,
        )


def remove_worktree(topic: str, *, git: Repository, user: str, force: bool = False) -> str:
    """Remove a topic's worktree and branch; return a sentence for the user.

    Args:
        force: also with changes, and with commits that no remote has.
    """
    old = locate_worktree(topic, git=git, user=user)
    listed = git.worktrees.worktree_branches()
    if str(old.path) not in listed:
        if old.elsewhere:
            raise _moved_error(old.branch, old.elsewhere)
        raise CommandError(
            f"there is no worktree for {topic}: {sanitize.strip_control_chars(str(old.path))}", exit=ExitCode.REFUSED
        )
    if git.location.top_level() == old.path:
        raise CommandError(
            "cannot remove the current worktree",
            hint=f"leave the worktree first: cd {sanitize.strip_control_chars(str(old.base))}",
            exit=ExitCode.REFUSED,
        )
    _require_no_landing(git, old.path)
    sha = git.history.branch_commit(old.branch)
    if not force:
        _require_saved(git.at(old.path), git, old, sha)
    done = git.worktrees.remove_worktree(old.path, even_dirty=force)
    if _HAS_SUBMODULES in done.err:  # git does not look into them, but all their work is saved: see above
        done = git.worktrees.remove_worktree(old.path, even_dirty=True)
    if not done.ok:
        raise _remove_error(old.path, done)
    remove_empty_folders(topic, old)
    deleted = git.worktrees.delete_branch(old.branch, sha=sha) if sha else done
    if not deleted.ok:
        return f"removed the worktree but not the branch {old.branch}: {error_message(deleted)}"
    return f"removed the worktree and the branch {old.branch}"


def _remove_error(path: Path, done: Completed) -> CommandError:
    """Return why git did not remove a worktree, with what helps."""
    hint = ""
    if "locked working tree" in done.err:
        hint = f"run git worktree unlock {shlex.quote(str(path))}, then run the same command again"
    elif "validation failed" in done.err:
        hint = _move_away_hint(path)
    message = f"could not remove the worktree: {error_message(done).removesuffix(';')}"
    return CommandError(message, hint=hint, exit=ExitCode.REFUSED)


def _move_away_hint(path: Path) -> str:
    """Return the hint for something else at the path of a worktree; git then takes it for deleted by hand."""
    return f"move {sanitize.strip_control_chars(str(path))} away, then run the same command again"


def remove_empty_folders(topic: str, old: TaskWorktree) -> None:
    """Remove `.worktrees`, and below it the directories of a topic with slashes, as far as they are empty.

    The directories above are the user's, and so is the place that a worktree was moved to.
    """
    last = len(Path(topic).parts) - (old.is_main and old.path != old.base / WORKTREES_DIR / topic)
    with contextlib.suppress(OSError):  # other worktrees may be in them
        for folder in old.path.parents[:last]:
            folder.rmdir()


def choose_target(git: Repository, remote: str, onto: str) -> tuple[str, str]:
    """Return the remote and the target branch that the settings mean. Raises CommandError if there is none.

    Args:
        remote: from an option or a setting; empty: chosen.
        onto: from an option or a setting; empty: the remote's HEAD branch.
    """
    settings = find_push_settings(git.location.config_entries())
    chosen = choose_remote(
        git.remotes.remote_names(),
        wanted=remote,
        push_remote=settings.by_branch.get(git.history.current_branch(), ""),
        push_default=settings.default,
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
        name = remotes.format_remote_url(chosen.name)
        what = f"could not determine the target branch: {name} has no HEAD branch"
        raise CommandError(what, hint=no_head_branch_hint(name), exit=ExitCode.REFUSED)
    return chosen.name, asked.value


def _fetch_target(git: Repository, remote: str, onto: str, report: Callable[[str], None]) -> str:
    chosen, target = choose_target(git, remote, onto)
    named = chosen if chosen in git.remotes.remote_names() else ""
    report(f"fetching {remotes.format_remote_url(chosen)}/{sanitize.strip_control_chars(target)}")
    tip, done = git.transfer.fetch_tip(chosen, target, remote=named)
    if not tip:
        raise fetch_error(done, f"{remotes.format_remote_url(chosen)}/{sanitize.strip_control_chars(target)}")
    return tip


def _ignore_folder(main: Repository, folder: Path) -> None:
    """Add the directory to .git/info/exclude, so that `git status` does not list the worktrees."""
    slash = "" if folder.is_symlink() else "/"  # a link, perhaps to another disk, is a file to git
    if main.location.is_ignored(f"{folder}{slash}"):
        return
    exclude = main.location.git_path("info/exclude")
    exclude.parent.mkdir(parents=True, exist_ok=True)
    there = exclude.read_text(encoding="utf-8", errors="surrogateescape") if exclude.exists() else ""
    gap = "" if not there or there.endswith("\n") else "\n"
    with exclude.open("a", encoding="utf-8") as file:
        file.write(f"{gap}/{WORKTREES_DIR}{slash}\n")


def _link_git_crypt_keys(git: Repository, path: Path) -> None:
    """Link git-crypt's keys, which it looks for in each worktree's own git directory."""
    common, own = git.location.common_dir(), git.at(path).location.git_dir()
    if common and own and (common / _GIT_CRYPT_DIR).is_dir() and not (own / _GIT_CRYPT_DIR).exists():
        (own / _GIT_CRYPT_DIR).symlink_to(common / _GIT_CRYPT_DIR, target_is_directory=True)


def _require_saved(inside: Repository, git: Repository, old: TaskWorktree, sha: str) -> None:
    if not old.path.is_dir():  # deleted by hand: only the branch can be lost
        _require_pushed(git, old, sha, head=sha)
        return
    if inside.location.common_dir() != git.location.common_dir() or inside.location.top_level() != old.path:
        what = f"{sanitize.strip_control_chars(str(old.path))} is not a worktree of this repository"
        raise CommandError(what, hint=_move_away_hint(old.path), exit=ExitCode.REFUSED)
    lost = inside.worktree.unsaved_files()
    if lost:
        raise CommandError(
            f"the worktree has changes that would be lost: {join_names(lost)}",
            hint="commit and land the changes, or pass --force to discard them",
            exit=ExitCode.REFUSED,
        )
    nested = describe_nested_work(inside, old.path)
    if nested:
        raise CommandError(
            f"the worktree contains repositories with work that would be lost: {join_names(nested)}",
            hint="push their commits or move them away, or pass --force to discard them",
            exit=ExitCode.REFUSED,
        )
    lock = inside.worktree.lock_file()
    if lock and lock.parent == inside.location.git_dir():  # a locked branch is not deleted, which is reported
        raise lock_error(str(lock))
    _require_pushed(git, old, sha, head=inside.history.head())


def _require_pushed(git: Repository, old: TaskWorktree, sha: str, *, head: str) -> None:
    unlanded = max((git.history.unpushed_count(each) for each in {sha, head} - {""}), default=0)
    if unlanded:
        raise CommandError(
            f"{old.branch if head == sha else 'the worktree'} has {pluralize(unlanded, 'commit')} that no remote has",
            hint="land the commits, or pass --force to discard them",
            exit=ExitCode.REFUSED,
        )
