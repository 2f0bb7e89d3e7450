"""Previews a merge, a pick or a checkout: its result, and the untracked files that it would overwrite."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import GitCommands, split_arguments
from homelab_hooks.git.location import Location

_NAMES = ("-z", "--name-only", "--no-renames", "--no-ext-diff")


class MergePreview(NamedTuple):
    """The result of a merge that was not made; false before git 2.38, which cannot compute it."""

    tree: str = ""
    """the merged tree; files with conflicts have conflict markers"""
    conflicts: tuple[str, ...] = ()
    """the files with conflicts"""

    def __bool__(self) -> bool:
        return bool(self.tree)


class Preview:
    """Computes what git would do; changes neither the branch nor the index nor a file."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def merge(self, a: str, b: str) -> MergePreview:
        """Return the result of a merge of two commits."""
        done = self._git.run("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", a, b)
        tree, *files = done.out.split("\0") if done.code in {0, 1} else [""]
        return MergePreview(tree, tuple(name for name in files if name))

    def pick(self, commit: str, *, onto: str) -> MergePreview:
        """Return the result of applying a commit's changes to another one, as a rebase does.

        Git has `merge-tree --merge-base` since 2.40 only. A commit with the files of `onto` and the parent of `commit`
        has the same merge base.
        """
        parent = self._git.line("rev-parse", "--verify", "--quiet", f"{commit}^")
        if not parent:
            return MergePreview()
        start = self._git.line("commit-tree", f"{onto}^{{tree}}", "-p", parent, "-m", "preview")
        return self.merge(start, commit) if start else MergePreview()

    def revert(self, commit: str, parent: str, *, onto: str) -> MergePreview:
        """Return the result of taking back, on top of `onto`, everything that `commit` has and `parent` has not."""
        trees = (f"{onto}^{{tree}}", f"{parent}^{{tree}}")
        sides = [self._git.line("commit-tree", tree, "-p", commit, "-m", "preview") for tree in trees]
        return self.merge(sides[0], sides[1]) if all(sides) else MergePreview()

    def differing_paths(self, old: str, new: str) -> tuple[str, ...]:
        """Return the files that differ between two commits or trees."""
        return self._git.list_entries("diff-tree", "-r", *_NAMES, old, new)

    def staged_paths(self, tree: str) -> tuple[str, ...]:
        """Return the files whose version in the index differs from a tree."""
        return self._git.list_entries("diff-index", "--cached", *_NAMES, "--ignore-submodules=dirty", tree)

    def changed_paths(self, tree: str) -> tuple[str, ...]:
        """Return the tracked files whose content on disk or in the index differs from a tree."""
        on_disk = self._git.list_entries("diff-index", *_NAMES, "--ignore-submodules=dirty", tree)
        return tuple(sorted({*on_disk, *self.staged_paths(tree)}))

    def touched_paths(self, commit: str, *, known: str) -> tuple[str, ...]:
        """Return the files that any commit up to `commit` changes, without the commits that `known` contains."""
        return self._git.list_entries(
            "log", "-m", *_NAMES, "--format=", "--no-show-signature", commit, f"^{known}", "--"
        )

    def overwritten_files(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return the untracked files, ignored ones included, that git would replace if it wrote these paths.

        Git refuses to overwrite an untracked file, but an ignored one counts as expendable (gitignore(5)). A directory
        is replaced by a file of its name, and a file by a directory.
        """
        top = str(self._location.top_level() or Path())
        folders, files = set[str](), set[str]()
        for name, is_folder in _find_obstacles(top, paths):
            (folders if is_folder else files).add(name)
        found = files - set(self._list_files(top, "--cached", files))
        return tuple(sorted(found | set(self._list_files(top, "--others", folders))))

    def _list_files(self, top: str, which: str, paths: Iterable[str]) -> Iterator[str]:
        for some in split_arguments(sorted(paths)):
            yield from self._git.list_entries("-C", top, "--literal-pathspecs", "ls-files", which, "-z", "--", *some)


def _find_obstacles(top: str, paths: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield what exists where a file is to be written: the path itself, or a file or link in place of a directory.

    Each with whether it is a directory. A link to a directory is not one: git would replace the link.
    """
    kinds: dict[str, bool | None] = {}
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            name = "/".join(parts[:end])
            if name not in kinds:
                kinds[name] = _is_folder(f"{top}/{name}")
            kind = kinds[name]
            if kind is False or (kind and end == len(parts)):
                yield name, kind
            if not kind:
                break


def _is_folder(path: str) -> bool | None:
    """Return whether a path is a directory and not a link to one; None if nothing is there."""
    if not os.path.lexists(path):
        return None
    return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114 - a Path for each would be slow
