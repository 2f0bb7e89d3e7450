"""The work tree: its state, merges and rebases in it, and other work trees."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.places import Places
from homelab_hooks.proc import Done

OPERATIONS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
"""what git leaves in the git directory while an operation is not finished"""
_OWN_REBASE = ("-c", "rebase.autoStash=false", "-c", "rebase.updateRefs=false")


class WorkTree(Places):
    """Looks at the work tree and changes it; never checks another branch out."""

    def operation(self) -> str:
        """The operation in progress (merge, rebase, ...); empty where there is none."""
        return next((word for name, word in OPERATIONS.items() if self.git_path(name).exists()), "")

    def changes(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD or the index, each as `XY path`; untracked files are none."""
        return self._list("--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames")

    def unmerged(self) -> tuple[str, ...]:
        """Files with conflicts, in path order."""
        return tuple(sorted(set(self._list("diff", "--name-only", "--diff-filter=U", "-z"))))

    def merge(self, sha: str, *, message: str) -> Done:
        """Merge a commit into the branch, as the user would: his hooks and signing apply."""
        return self._run("merge", "--no-edit", "--no-autostash", "-m", message, sha)

    def rebase(self, onto: str) -> Done:
        """Put the branch's own commits on top of `onto`."""
        return self._run(*_OWN_REBASE, "rebase", "--no-fork-point", onto)

    def go_on(self, operation: str) -> Done:
        """Finish a merge or rebase whose conflicts are resolved."""
        return self._run(operation, "--continue") if operation == "rebase" else self._run("commit", "--no-edit")

    def give_up(self, operation: str) -> Done:
        """Undo a merge or rebase in progress."""
        return self._run(operation, "--abort")

    def reset_keep(self, sha: str) -> Done:
        """Set branch and work tree back to a commit; refuses where that would lose changes."""
        return self._run("reset", "--keep", "--quiet", sha)

    def reset_merge(self) -> Done:
        """Undo what is staged, in the index and in the files; changes that are not staged stay."""
        return self._run("reset", "--merge", "--quiet", "HEAD")

    def index_tree(self) -> str:
        """The tree that a commit of the index would have; empty while there are conflicts."""
        return self._line("write-tree")

    def merged_tree(self, a: str, b: str) -> str:
        """The tree that a merge of two commits has; empty where it conflicts, or git is older than 2.38."""
        return self._line("merge-tree", "--write-tree", a, b)

    def last_move(self) -> str:
        """What the reflog says moved HEAD last: `rebase (finish): ...`; empty where there is no reflog."""
        return self._line("reflog", "show", "-1", "--format=%gs", "HEAD", "--")

    def main_work_tree(self) -> Path | None:
        """The repository's first work tree, also when called from a linked one; None for a bare one."""
        entries = self.work_trees()
        return Path(next(iter(entries))) if entries else None

    def work_trees(self) -> dict[str, str]:
        """Each work tree's path with the branch checked out in it (a full ref; empty when detached)."""
        found: dict[str, str] = {}
        for block in self._run("worktree", "list", "--porcelain", "-z").out.split("\0\0"):
            fields = dict(line.partition(" ")[::2] for line in block.split("\0") if line)
            if "worktree" in fields and "bare" not in fields:
                found[fields["worktree"]] = fields.get("branch", "")
        return found

    def add_work_tree(self, path: Path, *, branch: str, start: str) -> Done:
        """A new work tree, still without files, on a new branch.

        It has no upstream: a bare `git push` there reaches nobody's target.
        """
        return self._run("worktree", "add", "--quiet", "--no-checkout", "--no-track", "-b", branch, str(path), start)

    def fill(self) -> Done:
        """Put the files of HEAD into a work tree that has none."""
        return self._run("reset", "--hard", "--quiet", "HEAD")

    def leftovers(self) -> tuple[str, ...]:
        """Everything that removing this work tree would lose, untracked files too, each as `XY path`."""
        return self._list("--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")

    def ignores(self, name: str) -> bool:
        """Whether git overlooks a path below the work tree's root."""
        return self._run("check-ignore", "--quiet", "--", name).ok

    def remove_work_tree(self, path: Path, *, even_dirty: bool = False) -> Done:
        """Remove a work tree; git refuses one with changes unless told."""
        force = ("--force", "--force") if even_dirty else ()
        return self._run("worktree", "remove", *force, "--", str(path))

    def delete_branch(self, branch: str, *, sha: str) -> Done:
        """Delete a branch that still is at `sha`."""
        return self._run("update-ref", "-d", f"refs/heads/{branch}", sha)
