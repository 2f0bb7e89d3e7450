"""A working tree: its changes, and merges and rebases in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import FULL_STATUS, GitCommands, error_message, split_arguments
from homelab_hooks.git.location import Location
from homelab_hooks.git.pid_file import MERGE_PID_FILE, PidFile
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.text.sanitize import strip_control_chars

_LIST_PATHS = ("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree")
# Otherwise merge.* and branch.NAME.mergeOptions could leave a merge uncommitted.
_WHOLE_MERGE = ("--no-edit", "--no-autostash", "--commit", "--no-squash", "--ff")
# A format with a line break makes a to-do list that git itself cannot read.
_OWN_REBASE = (
    "-c", "rebase.autoStash=false", "-c", "rebase.updateRefs=false", "-c", "rebase.instructionFormat=",
)  # fmt: skip

# With revert.reference, the first line of the message is a comment.
_OWN_REVERT = ("-c", "revert.reference=false")


_HEADS = "refs/heads/"
_DETACHED, _UNBORN = "(detached)", "(initial)"
"""what `git status` prints in place of a branch and of a commit"""


class WorktreeStatus(NamedTuple):
    """What is checked out, and what differs from it."""

    branch: str
    """empty if HEAD is detached"""
    head: str
    """the commit; empty before the first one"""
    changes: tuple[str, ...]
    """tracked files that differ from HEAD or the index, each as `XY path`"""


def parse_status(entries: Iterable[str]) -> WorktreeStatus:
    """Return what the entries of `git status --porcelain=v2 --branch -z --no-renames` say; git-status(1).

    >>> shown = ["# branch.oid 1f", "# branch.head main", "1 .M N... 100644 100644 100644 aa aa a file"]
    >>> parse_status([*shown, "u UU N... 100644 100644 100644 100644 aa bb cc both"])
    WorktreeStatus(branch='main', head='1f', changes=(' M a file', 'UU both'))
    """
    headers, changes = dict[str, str](), list[str]()
    for entry in entries:
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind in _FIELDS_BEFORE_PATH:
            fields = rest.split(" ", _FIELDS_BEFORE_PATH[kind])
            changes.append(f"{fields[0].replace('.', ' ')} {fields[-1]}")
    head = headers.get("branch.oid", _UNBORN)
    return WorktreeStatus(headers.get("branch.head", ""), "" if head == _UNBORN else head, tuple(changes))


_FIELDS_BEFORE_PATH = {"1": 7, "u": 9}
"""fields between the kind of an entry and its path: of a changed file, and of one with conflicts"""


class Worktree:
    """Reads and changes a working tree; never checks out another branch."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location
        self._pid_file = PidFile(location, MERGE_PID_FILE)

    def lock_file(self) -> Path | None:
        """Return the lock file of a git process that is running here or was killed; None if there is none."""
        return self.find_lock(self._git.line("symbolic-ref", "--quiet", "HEAD").removeprefix(_HEADS))

    def find_lock(self, branch: str) -> Path | None:
        """Return the same, given the branch that is checked out; empty if HEAD is detached."""
        own, common = self._location.git_dir(), self._location.common_dir()
        if own is None or common is None:
            return None
        locks = [own / "index.lock", own / "HEAD.lock", *([common / f"{_HEADS}{branch}.lock"] if branch else [])]
        return next((lock for lock in locks if lock.exists()), None)

    def uncommitted_changes(self) -> tuple[str, ...]:
        """Return tracked files that differ from HEAD or the index, each as `XY path`; those that settings hide too."""
        return self.status().changes

    def status(self) -> WorktreeStatus:
        """Return the branch, its commit, and the changes, from one call.

        For a submodule's changes, git starts another git in the submodule, which runs with the submodule's own
        settings. A read-only runner does not do that.
        """
        within = "dirty" if self._git.untrusted else "untracked"
        options = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
        shown = parse_status(self._git.list_entries(*FULL_STATUS, *options, f"--ignore-submodules={within}"))
        branch = shown.branch
        if branch == _DETACHED:  # a branch may have that name
            branch = self._git.line("symbolic-ref", "--quiet", "HEAD").removeprefix(_HEADS)
        names = {entry[3:] for entry in shown.changes}
        hidden = (f" M {path}" for path in self._unnoticed_changes() if path not in names)
        return WorktreeStatus(branch, shown.head, (*shown.changes, *hidden))

    def unsaved_files(self) -> tuple[str, ...]:
        """Return files whose content would be lost with the working tree: untracked, changed, and hidden changes."""
        shown = self._git.list_entries(*FULL_STATUS, "--untracked-files=all")
        found = [*(entry[3:] for entry in shown), *self.hidden_changes(), *self._unnoticed_changes()]
        return tuple(dict.fromkeys(found))

    def hidden_changes(self) -> tuple[str, ...]:
        """Return files marked assume-unchanged or skip-worktree that differ from the index.

        `git status` skips them, so it is run with a copy of the index in which the marks are removed. A file that a
        sparse checkout leaves out is not a change.
        """
        marked = self._marked()
        if not marked:
            return ()
        with tempfile.TemporaryDirectory(prefix="homelab-index-") as folder:
            index = Path(folder) / "index"
            try:
                shutil.copyfile(self._location.git_path("index"), index)
            except (OSError, ValueError) as error:  # ValueError: git named a path with a NUL
                reason = (getattr(error, "strerror", "") or str(error)).lower()
                raise CommandError(f"git's index cannot be read: {reason}", exit=ExitCode.REFUSED) from error
            for paths in split_arguments(marked):
                for mark in ("--no-assume-unchanged", "--no-skip-worktree"):
                    self._git.run(
                        "-C", str(self._location.top_level()), "update-index", mark, "--", *paths, index=index
                    )
            seen = self._git.list_entries(*FULL_STATUS, "--untracked-files=no", "--ignore-submodules=all", index=index)
        return tuple(sorted({entry[3:] for entry in seen if entry[1] != " "} & set(marked)))

    def _unnoticed_changes(self) -> tuple[str, ...]:
        """Return files that differ from HEAD, but that settings hide from `git status`.

        With a file system monitor, or if only size and time are compared, git can take a changed file for an unchanged
        one. Then all files are compared by content, with an index that knows none of them.
        """
        if (
            not self._looks_at_less()
            or self._git.line("config", "--type=bool", "--get", "core.sparseCheckout") == "true"
        ):
            return ()
        with tempfile.TemporaryDirectory(prefix="homelab-index-") as folder:
            index = Path(folder) / "index"
            done = self._git.run("--no-replace-objects", "read-tree", "HEAD", index=index)
            if not done.ok:
                message = f"could not compare the files with HEAD: {error_message(done)}"
                raise CommandError(message, exit=ExitCode.REFUSED)
            seen = self._git.list_entries(*FULL_STATUS, "--untracked-files=no", "--ignore-submodules=all", index=index)
        return tuple(entry[3:] for entry in seen if entry[1] != " ")

    def _looks_at_less(self) -> bool:
        values = {entry.key: entry.value.lower() for entry in self._location.config_entries()}
        return (
            values.get("core.fsmonitor", "false") not in {"", "false", "no", "off", "0"}
            or values.get("core.checkstat") == "minimal"
            or values.get("core.trustctime") in {"false", "no", "off", "0"}
        )

    def _marked(self) -> list[str]:
        """Return the marked files, without those that a sparse checkout leaves out."""
        entries = self._git.list_entries("ls-files", "-v", "-z", "--full-name", "--", ":/")
        marked = [entry[2:] for entry in entries if entry[0] == "S" or entry[0].islower()]
        sparse = bool(marked) and self._git.line("config", "--type=bool", "--get", "core.sparseCheckout") == "true"
        left_out = {entry[2:] for entry in entries if sparse and entry[0] in "Ss"} - set(self.existing_paths(marked))
        return [path for path in marked if path not in left_out]

    def unmerged_files(self) -> tuple[str, ...]:
        """Return files with conflicts in path order, relative to this directory."""
        entries = self._git.list_entries("ls-files", "--unmerged", "-z", "--", ":/")
        return tuple(sorted({entry.partition("\t")[2] for entry in entries}))

    def resolved_files(self) -> tuple[str, ...]:
        """Return files whose conflicts were resolved and staged since HEAD, in path order, from the index."""
        entries = self._git.list_entries("ls-files", "--resolve-undo", "-z", "--", ":/")
        return tuple(sorted({entry.partition("\t")[2] for entry in entries}))

    def merge(self, sha: str, *, message: str, listener: OutputListener | None = None) -> Completed:
        """Merge a commit into the branch; the user's hooks and commit signing apply."""
        return self._pid_file.run(self._git, "merge", *_WHOLE_MERGE, "-m", message, sha, listener=listener)

    def rebase(self, onto: str, *, listener: OutputListener | None = None) -> Completed:
        """Rebase the branch onto a commit."""
        return self._pid_file.run(self._git, *_OWN_REBASE, "rebase", "--no-fork-point", onto, listener=listener)

    def revert(self, sha: str, *, mainline: int = 0, listener: OutputListener | None = None) -> Completed:
        """Take a commit back in the index and the files, and prepare the message; the caller commits.

        `git revert` itself would commit without the pre-commit and commit-msg hooks.

        Args:
            mainline: the number of the parent that stays, for a merge.
        """
        parent = ("-m", str(mainline)) if mainline else ()
        return self._pid_file.run(self._git, *_OWN_REVERT, "revert", "--no-commit", *parent, sha, listener=listener)

    def reset_keep(self, sha: str) -> Completed:
        """Reset branch and working tree to a commit; git refuses if changes would be lost."""
        return self._git.run("reset", "--keep", "--quiet", sha)

    def reset_merge(self) -> Completed:
        """Discard staged changes in the index and the files; unstaged changes are kept."""
        return self._git.run("reset", "--merge", "--quiet", "HEAD")

    def index_tree(self) -> str:
        """Return the tree that a commit of the index would have; empty if there are conflicts."""
        return self._git.line("write-tree")

    def added_files(self, tree: str) -> tuple[str, ...]:
        """Return the files of a tree that HEAD does not have."""
        return self._git.list_entries(
            "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=A", "HEAD", tree
        )

    def touched_files(self, sha: str) -> tuple[str, ...]:
        """Return the files that differ between HEAD and a commit."""
        return self._git.list_entries("diff-tree", "-r", "-z", "--name-only", "--no-renames", "HEAD", sha)

    def existing_paths(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of the files that exist."""
        top = self._location.top_level() or Path()
        return tuple(path for path in paths if os.path.lexists(top / path))

    def modified_since_tree(self, tree: str, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of the files that exist and differ from a tree."""
        top = self._location.top_level() or Path()
        # An empty file: git was killed after creating it and before writing it.
        here = [path for path in paths if os.path.lexists(top / path) and (top / path).lstat().st_size]
        wanted, found = dict[str, str](), dict[str, str]()
        for some in split_arguments(here):
            entries = self._git.list_tree(
                "--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *some
            )
            wanted |= {path: sha for _, sha, path in entries}
            # For a link git hashes the file it points to, so a link counts as different and is left alone.
            done = self._git.run("-C", str(top), "hash-object", "--", *some)
            found |= dict(zip(some, done.out.split(), strict=False)) if done.ok else {}
        return tuple(path for path in here if path not in wanted or found.get(path) != wanted[path])

    def remove_file(self, path: str) -> None:
        """Remove a file and the directories that become empty; a path that is not a file is left alone.

        Raises:
            CommandError: (refused) it cannot be removed.
        """
        top = self._location.top_level() or Path()
        try:
            (top / path).unlink()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CommandError(f"cannot remove {strip_control_chars(path)}: {reason}", exit=ExitCode.REFUSED) from error
        with contextlib.suppress(OSError):
            for folder in (top / path).parents:
                folder.rmdir()

    def restore(self, paths: Sequence[str]) -> Completed:
        """Restore files from HEAD; return the result of the first call that failed, else of the last one."""
        top, done = str(self._location.top_level()), Completed(0)
        for some in split_arguments(paths):
            done = self._git.run("-C", top, "--literal-pathspecs", "checkout", "--quiet", "HEAD", "--", *some)
            if not done.ok:
                break
        return done
