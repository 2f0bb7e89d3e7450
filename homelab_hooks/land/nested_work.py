"""Finds work in other repositories and worktrees inside a worktree: removing it would lose that too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.git.repository import Repository
from homelab_hooks.text.humanize import pluralize

_RUNS_PROGRAMS = r"^(filter\..*|include\.path|includeif\..*)$"
"""settings that let `git status` run programs; a downloaded directory can hold a repository with any setting"""


def describe_nested_work(outer: Repository, path: Path) -> tuple[str, ...]:
    """Return each repository or worktree below a directory whose work would be lost with it, and what the work is.

    Git status lists a nested repository that is not ignored as one untracked entry, and an ignored one not at all. A
    clean clone, such as one that a package manager made, is not named: its commits are on a remote.

    Args:
        outer: the worktree at `path`; the repositories of its submodules are deleted with it.
    """
    own = outer.location.git_dir() or path
    found = ((folder, _describe_work(outer.at(folder), folder, (path, own))) for folder in find_nested(path))
    return tuple(f"{os.path.relpath(folder, path)} ({work})" for folder, work in found if work)


def find_nested(path: Path) -> Iterator[Path]:
    """Yield the directories below this one that have a `.git`: repositories, submodules and worktrees."""
    for folder, folders, files in os.walk(path):
        if ".git" in folders:
            folders.remove(".git")
        elif ".git" not in files:
            continue
        if Path(folder) != path:
            yield Path(folder)


def _describe_work(nested: Repository, folder: Path, removed: tuple[Path, ...]) -> str:
    """Return what would be lost with a nested repository or worktree; empty if nothing.

    Args:
        folder: where it is.
        removed: the directories that are removed.
    """
    top, common = nested.location.top_level(), nested.location.common_dir()
    if top is None or common is None:
        return "git cannot read it"
    if top.resolve() != folder.resolve():
        return ""  # its `.git` is not a repository
    if any(common.resolve().is_relative_to(each.resolve()) for each in removed):
        if nested.location.has_local_setting(_RUNS_PROGRAMS):
            return "its settings run programs, so it was not examined"
        count = nested.history.unpushed_count("--all")
    else:
        count = nested.history.unreferenced_count()
    try:
        changed = nested.worktree.unsaved_files()
    except CommandError as problem:
        return problem.message
    if changed:
        return "uncommitted changes"
    return f"{pluralize(count, 'commit')} that no remote has" if count else ""
