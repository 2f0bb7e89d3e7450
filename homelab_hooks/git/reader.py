"""A repository that is only read."""

from __future__ import annotations

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.commit_files import CommitFiles
from homelab_hooks.git.history import History
from homelab_hooks.git.location import Location
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.runner import GitRunner


class ReadOnlyRepository:
    """What a watch reads of one repository: its location, history, remotes, and files of commits.

    A watch is started by a hook while the user waits for the prompt, so the modules that change a repository are not
    imported for it.
    """

    def __init__(self, runner: GitRunner) -> None:
        git = GitCommands(runner)
        self.location = Location(git)
        self.history = History(git, self.location)
        self.remotes = Remotes(git)
        self.files = CommitFiles(git)
