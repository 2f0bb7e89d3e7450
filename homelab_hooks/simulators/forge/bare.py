"""The merges of the simulated forge, as git operations on a bare repository."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner

_REFUSE_PUSHES = """\
while read -r old new ref; do
    if [ "$ref" = "refs/heads/{branch}" ]; then
        printf '\\nerror: \\nerror: Not allowed to push to protected branch {branch}\\nerror: \\n' >&2
        exit 1
    fi
done
"""
"""the text of Gitea's pre-receive hook (recording 01-branch-and-protection)"""


@dataclass(frozen=True)
class BareRepository:
    """A bare repository; `environ` isolates git from the settings of this machine."""

    path: Path
    environ: Mapping[str, str]

    def branches(self) -> dict[str, str]:
        """Return every branch with its commit."""
        rows = self._git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads").splitlines()
        return {name: sha for name, _, sha in (row.rpartition(" ") for row in rows)}

    def has_commit(self, sha: str) -> bool:
        """Return whether a commit is in the repository."""
        return bool(sha) and self._run("cat-file", "-e", f"{sha}^{{commit}}").ok

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether `newer` contains `older`."""
        return self._run("merge-base", "--is-ancestor", older, newer).ok

    def move(self, branch: str, new: str, old: str) -> bool:
        """Move a branch from `old` to `new`; False if it is elsewhere. No hook runs, as for the forge's own merges."""
        return self._run("update-ref", f"refs/heads/{branch}", new, old).ok

    def delete(self, branch: str) -> None:
        """Delete a branch."""
        self._git("update-ref", "-d", f"refs/heads/{branch}")

    def make_merge(self, base: str, head: str, message: str) -> str:
        """Return a merge commit, whose second parent is the head; empty if they conflict."""
        tree = self._merge_trees(base, head)
        return self._git("commit-tree", tree, "-p", base, "-p", head, "-m", message) if tree else ""

    def make_squash(self, base: str, head: str, message: str) -> str:
        """Return one commit with the changes of the head; empty if they conflict."""
        tree = self._merge_trees(base, head)
        return self._git("commit-tree", tree, "-p", base, "-m", message) if tree else ""

    def make_rebase(self, base: str, head: str) -> str:
        """Return the head on top of the base: the head itself if it contains the base; empty if they conflict."""
        if self.is_ancestor(base, head):
            return head
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "tree")
            self._git("worktree", "add", "--quiet", "--detach", str(tree), head)
            runner = ProcessRunner(self.environ)
            done = runner.run(["git", "rebase", "--quiet", base], cwd=tree)
            sha = runner.run(["git", "rev-parse", "HEAD"], cwd=tree).out.strip()
            self._git("worktree", "remove", "--force", str(tree))
        return sha if done.ok else ""

    def conflicts(self, base: str, head: str) -> bool:
        """Return whether a merge of both has conflicts."""
        return not self._merge_trees(base, head)

    def refuse_pushes(self, branch: str) -> None:
        """Refuse direct pushes to a branch, with the text of a protected branch."""
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\n" + _REFUSE_PUSHES.format(branch=branch), encoding="utf-8")
        hook.chmod(0o755)

    def _merge_trees(self, base: str, head: str) -> str:
        done = self._run("merge-tree", "--write-tree", base, head)
        return done.out.split("\n")[0] if done.ok else ""

    def _git(self, *args: str) -> str:
        done = self._run(*args)
        if not done.ok:
            raise RuntimeError(f"git {' '.join(args)}: {done.code}\n{done.err}")
        return done.out.strip()

    def _run(self, *args: str) -> Completed:
        return ProcessRunner(self.environ).run(["git", *args], cwd=self.path)
