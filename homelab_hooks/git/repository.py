"""All verbs on one repository."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.gitcrypt import GitCrypt
from homelab_hooks.git.history import History
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.runner import GitRunner
from homelab_hooks.git.transfer import Transfer
from homelab_hooks.git.worktree import Worktree
from homelab_hooks.git.worktrees import WorktreeList


class Git(Worktree, WorktreeList, Transfer, GitCrypt, Remotes, History):
    """Git in one directory, started by whichever executor it is given."""

    def __init__(self, executor: GitRunner) -> None:
        super().__init__(executor)

    def at(self, directory: Path) -> Git:
        """The same in another directory."""
        return Git(self._git.at(directory))
