"""The repository's worktrees: listing, adding, and removing them."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.system.completed import Completed


class WorktreeList:
    """Lists, adds, and removes worktrees and their branches."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def main_worktree(self) -> Path | None:
        """Return the main worktree, also from a linked one; None for a bare repository, or if it cannot be found.

        Git lists it as the directory above `.git`, which is wrong for a submodule and for --separate-git-dir: there the
        git directory is elsewhere, and only the main worktree has a reference to it.
        """
        own, common = self._location.git_dir(), self._location.common_dir()
        if own is not None and own == common:
            return self._location.top_level()
        first = next(iter(self.worktree_branches()), "")
        return Path(first) if first and common is not None and Path(first, ".git") == common else None

    def worktree_branches(self) -> dict[str, str]:
        """Return each worktree's path and the branch checked out there (a full ref; empty if HEAD is detached)."""
        found: dict[str, str] = {}
        for block in self._git.run("worktree", "list", "--porcelain", "-z").out.split("\0\0"):
            fields = dict(line.partition(" ")[::2] for line in block.split("\0") if line)
            if "worktree" in fields and "bare" not in fields:
                found[fields["worktree"]] = fields.get("branch", "")
        return found

    def add_worktree(self, path: Path, *, branch: str, start: str) -> Completed:
        """Add a worktree without files, on a new branch.

        The branch has no upstream, so that a bare `git push` there cannot push to the target.
        """
        return self._git.run(
            "worktree", "add", "--quiet", "--no-checkout", "--no-track", "-b", branch, str(path), start
        )

    def checkout_files(self) -> Completed:
        """Check out HEAD into a worktree without files."""
        return self._git.run("reset", "--hard", "--quiet", "HEAD")

    def remove_worktree(self, path: Path, *, even_dirty: bool = False) -> Completed:
        """Remove a worktree; git refuses one with changes unless `even_dirty`."""
        force = ("--force",) if even_dirty else ()  # a second one would remove a locked worktree
        return self._git.run("worktree", "remove", *force, "--", str(path))

    def delete_branch(self, branch: str, *, sha: str) -> Completed:
        """Delete a branch if it is still at `sha`."""
        return self._git.run("update-ref", "-d", f"refs/heads/{branch}", sha)
