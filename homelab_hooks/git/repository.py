"""A repository and one of its worktrees, for landing."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.gitcrypt import GitCrypt
from homelab_hooks.git.history import History
from homelab_hooks.git.location import Location, LocationFacts
from homelab_hooks.git.notes import Notes
from homelab_hooks.git.operation import Operations
from homelab_hooks.git.preview import Preview
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.runner import GitRunner
from homelab_hooks.git.submodules import Submodules
from homelab_hooks.git.transfer import Transfer
from homelab_hooks.git.worktree import Worktree
from homelab_hooks.git.worktrees import WorktreeList


class Repository:
    """Composes everything that is done with git in one directory.

    Args:
        runner: starts git, in the directory that is meant.
        facts: what a location of the same directory and environment has read.
    """

    def __init__(self, runner: GitRunner, facts: LocationFacts | None = None) -> None:
        self._runner = runner
        git = GitCommands(runner)
        self.location = Location(git, facts)
        self.history = History(git, self.location)
        self.remotes = Remotes(git)
        self.worktree = Worktree(git, self.location)
        self.operations = Operations(git, self.location)
        self.preview = Preview(git, self.location)
        self.worktrees = WorktreeList(git, self.location)
        self.submodules = Submodules(git, self.location)
        self.transfer = Transfer(git, self.location, self.submodules)
        self.gitcrypt = GitCrypt(git, self.location)
        self.notes = Notes(git)

    def at(self, directory: Path) -> Repository:
        """Return this repository as seen from another directory."""
        return Repository(self._runner.at(directory))
