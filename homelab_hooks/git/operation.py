"""Unfinished operations in a work tree: merge, rebase, cherry-pick, revert, am, bisect."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.system.completed import Completed

_SIGNS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
"""files in the git directory by which the operation is recognized, in order: a rebase that stops in a pick has
CHERRY_PICK_HEAD too"""
_SEQUENCE = "sequencer/todo"
"""the remaining picks or reverts; exists between two of them too"""
_MAX_FILE_BYTES = 4096
"""bytes that are read of one of these files at most"""


class UnfinishedOperation(NamedTuple):
    """An unfinished operation; false if there is none.

    Git stores it as files in the work tree's git directory. A file's name alone does not tell who began the operation,
    so the commits that it joins are read as well.
    """

    name: str = ""
    """merge, rebase, cherry-pick, revert, am or bisect, as `git NAME --abort` takes it"""
    branch: str = ""
    """the full name of the branch that it will move; empty if unknown"""
    began_at: str = ""
    """the branch's commit when a merge or rebase began; empty if unknown"""
    incoming: tuple[str, ...] = ()
    """the commits that are merged in, or that is rebased onto; empty if unknown"""

    def __bool__(self) -> bool:
        return bool(self.name)


class Operations:
    """Reads the operation in progress, finishes it and undoes it."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def current_operation(self) -> UnfinishedOperation:
        """Return the operation in progress in this work tree."""
        own = self._location.git_dir()
        if own is None:
            return UnfinishedOperation()
        sign = next((sign for sign in _SIGNS if (own / sign).exists()), "")
        match _SIGNS.get(sign, ""):
            case "merge":
                branch = self._git.line("symbolic-ref", "--quiet", "HEAD")
                head = self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
                return UnfinishedOperation("merge", branch, head, tuple(_read_small_file(own / sign).split()))
            case "rebase":
                branch, head, onto = (
                    _read_small_file(own / sign / name) for name in ("head-name", "orig-head", "onto")
                )
                return UnfinishedOperation("rebase", branch, head, (onto,) if onto else ())
            case "":
                return UnfinishedOperation(_series_name(own))
            case name:
                return UnfinishedOperation(name)

    def continue_operation(self, name: str) -> Completed:
        """Finish a merge or rebase whose conflicts are resolved.

        The message is used as if the editor had been closed at once: comment lines are removed as commit.cleanup says.
        """
        return self._git.run(*((name, "--continue") if name == "rebase" else ("commit", "--edit")))

    def abort_operation(self, name: str) -> Completed:
        """Undo a merge or rebase in progress."""
        return self._git.run(name, "--abort")

    def last_rebase(self, branch: str) -> tuple[str, str]:
        """Return the commits that a branch was rebased from and onto, if a rebase moved it last; else empty.

        From its reflog: `rebase (finish): refs/heads/topic onto SHA`.
        """
        ref = f"refs/heads/{branch}"
        moves = self._git.lines("reflog", "show", "--no-show-signature", "-2", "--format=%H %gs", ref, "--")
        prefix = f"rebase (finish): {ref} onto "
        if len(moves) < 2 or not moves[0].partition(" ")[2].startswith(prefix):  # noqa: PLR2004 - this one and the one before
            return "", ""
        return moves[1].partition(" ")[0], moves[0].partition(prefix)[2]


def _series_name(own: Path) -> str:
    """Return which series is in progress: cherry-pick or revert; empty if none is."""
    if not (own / _SEQUENCE).exists():
        return ""
    return "revert" if _read_small_file(own / _SEQUENCE).startswith("revert") else "cherry-pick"


def _read_small_file(path: Path) -> str:
    """Return the beginning of a small file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""
