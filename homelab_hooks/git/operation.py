"""Detects unfinished operations in a worktree: merge, rebase, cherry-pick, revert, am, bisect."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.git.pid_file import MERGE_PID_FILE, PidFile
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
_CONFLICT_HINT = re.compile(
    rb"\n+(?:^(?P<scissors>\S+) -+ >8 -+\n(?:^(?P=scissors).*\n)*?)?"
    rb"^(?P<comment>\S+) Conflicts:\n(?:^(?P=comment)\t.*\n?)+\Z",
    re.MULTILINE,
)
"""git's append_conflicts_hint: core.commentChar may be any string; commit.cleanup=scissors puts a line before it"""
_SEQUENCE = "sequencer/todo"
"""the remaining picks or reverts; exists between two of them too"""
_MAX_FILE_BYTES = 4096
"""bytes that are read of one of these files at most"""


class UnfinishedOperation(NamedTuple):
    """An unfinished operation; false if there is none.

    Git stores it as files in the worktree's git directory. A file's name alone does not show who began the operation,
    so the commits that it joins are read as well.
    """

    name: str = ""
    """merge, rebase, cherry-pick, revert, am, or bisect, as `git NAME --abort` takes it"""
    branch: str = ""
    """the full name of the branch that it will move; empty if unknown"""
    began_at: str = ""
    """the branch's commit when a merge or rebase began; empty if unknown"""
    incoming: tuple[str, ...] = ()
    """the commits that are merged in, or that is rebased onto; empty if unknown"""
    is_done: bool = False
    """the branch has the result already: git was killed before it removed its files"""
    skips_commit: bool = False
    """git was killed while it applied a commit of a rebase: if the rebase is continued, it leaves that commit out"""
    mark: str = ""
    """when git began the merge or rebase: two that join the same commits differ in it"""

    def __bool__(self) -> bool:
        return bool(self.name)


def strip_conflict_hint(message: bytes) -> bytes:
    r"""Return a commit message without the list of conflicts that git appends as comments.

    >>> strip_conflict_hint(b"Merge x\n\n#12 is kept\n\n# Conflicts:\n#\ta b\n")
    b'Merge x\n\n#12 is kept\n'
    """
    found = _CONFLICT_HINT.search(message)
    return message[: found.start()] + b"\n" if found else message


class Operations:
    """Reads the operation in progress, finishes it, and undoes it."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location
        self._pid_file = PidFile(location, MERGE_PID_FILE)

    def current_operation(self) -> UnfinishedOperation:
        """Return the operation in progress in this worktree."""
        own = self._location.git_dir()
        if own is None:
            return UnfinishedOperation()
        sign = next((sign for sign in _SIGNS if (own / sign).exists()), "")
        match _SIGNS.get(sign, ""):
            case "merge":
                return self._current_merge(tuple(_read_small_file(own / sign).split()))
            case "rebase":
                return self._current_rebase(own / sign)
            case "revert":
                return self._current_revert(_read_small_file(own / sign))
            case "":
                return UnfinishedOperation(_series_name(own))
            case name:
                return UnfinishedOperation(name)

    def _current_merge(self, incoming: tuple[str, ...]) -> UnfinishedOperation:
        """Return the merge of these commits; git commits it, and runs post-merge, before it removes MERGE_HEAD."""
        branch = self._git.line("symbolic-ref", "--quiet", "HEAD")
        head, *parents = self._git.line("rev-list", "--no-walk", "--parents", "HEAD", "--").split() or [""]
        is_done = bool(incoming) and tuple(parents[1:]) == incoming
        mark = _modified_at(self._location.worktree_file("MERGE_HEAD"))
        return UnfinishedOperation("merge", branch, parents[0] if is_done else head, incoming, is_done, mark=mark)

    def _current_revert(self, commit: str) -> UnfinishedOperation:
        """Return the revert of this commit."""
        branch = self._git.line("symbolic-ref", "--quiet", "HEAD")
        head = self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        mark = _modified_at(self._location.worktree_file("REVERT_HEAD"))
        return UnfinishedOperation("revert", branch, head, (commit,) if commit else (), mark=mark)

    def _current_rebase(self, files: Path) -> UnfinishedOperation:
        """Return the rebase with these files; git moves the branch, and runs post-rewrite, before it removes them."""
        branch, began_at, onto = (_read_small_file(files / name) for name in ("head-name", "orig-head", "onto"))
        on_branch = self._git.line("symbolic-ref", "--quiet", "HEAD") == branch != ""
        head = self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        is_done = on_branch and bool(began_at) and head != began_at
        # Git moves a commit to `done` before it applies it, and writes `stopped-sha` where it stops (sequencer.c).
        skips_commit = bool(_read_small_file(files / "done")) and not (files / "stopped-sha").exists()
        incoming, mark = (onto,) if onto else (), _modified_at(files / "onto")
        return UnfinishedOperation("rebase", branch, began_at, incoming, is_done, skips_commit, mark)

    def continue_operation(self, name: str) -> Completed:
        """Finish a merge or a revert, or continue a rebase, whose conflicts are resolved.

        No editor is opened, so the comments that git wrote into the message are not committed, whatever value
        commit.cleanup has: with `whitespace` and `verbatim`, git leaves it to the user to delete them in the editor.
        """
        if name in {"merge", "revert"}:
            self._strip_conflict_hint()
            return self._pid_file.run(self._git, "commit", "--no-edit")
        done = self._commit_stopped_pick()
        return done if done and not done.ok else self._pid_file.run(self._git, name, "--continue")

    def running_pid(self, target: str) -> int:
        """Return the id of a landing's git that merges or rebases here, even if the landing was killed; 0: none does.

        Args:
            target: the commit that is merged or rebased onto.
        """
        return self._pid_file.running(target, "rebase --continue", "commit --no-edit")

    def clear_pid(self) -> None:
        """Remove the record of the process that merges or rebases."""
        self._pid_file.clear()

    def position(self) -> tuple[str, str]:
        """Return HEAD and the commit at which a rebase stopped; if both stay, a continue made no progress."""
        names = ("HEAD^{commit}", "REBASE_HEAD")
        head, stopped = (self._git.line("rev-parse", "--verify", "--quiet", name) for name in names)
        return head, stopped

    def _strip_conflict_hint(self) -> None:
        path = self._location.worktree_file("MERGE_MSG")
        with contextlib.suppress(OSError):  # git commit says what is wrong with it
            text = path.read_bytes()
            if (stripped := strip_conflict_hint(text)) != text:
                path.write_bytes(stripped)

    def _commit_stopped_pick(self) -> Completed | None:
        """Commit the resolution of a rebase's commit with its own message and author; None if there is none to commit.

        `git rebase --continue` would commit the message with git's comments. As there, no commit hook can refuse it.
        """
        head, stopped = self.position()
        own = self._location.git_dir()
        if not stopped or own is None or not (own / "rebase-merge").exists() or (own / "MERGE_HEAD").exists():
            return None
        if self._git.run("diff-index", "--cached", "--quiet", head, "--").code != 1:
            return None
        return self._git.run("commit", "--quiet", "--no-verify", "--cleanup=verbatim", "-C", stopped)

    def replace_message(self, old: str, new: str) -> None:
        """Replace a text in the message that git has prepared for the commit that ends the operation."""
        path = self._location.worktree_file("MERGE_MSG")
        with contextlib.suppress(OSError):  # git commit says what is wrong with it
            text = path.read_bytes()
            if (changed := text.replace(old.encode(), new.encode())) != text:
                path.write_bytes(changed)

    def close_operation(self, name: str) -> Completed:
        """Remove git's files of a merge or rebase whose result is on the branch."""
        return self._git.run(name, "--quit")

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


def _modified_at(path: Path) -> str:
    """Return when a file was last modified, in nanoseconds; empty if it cannot be read."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return ""
