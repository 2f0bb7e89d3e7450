"""All verbs on one repository."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.crypt import Crypt
from homelab_hooks.git.exchange import Exchange
from homelab_hooks.git.executor import Executor
from homelab_hooks.git.history import History
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.worktree import WorkTree
from homelab_hooks.git.worktrees import WorkTrees


class Git(WorkTree, WorkTrees, Exchange, Crypt, Remotes, History):
    """Git in one directory, started by whichever executor it is given."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor)

    def at(self, directory: Path) -> Git:
        """The same in another directory."""
        return Git(self._git.at(directory))
