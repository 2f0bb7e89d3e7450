"""The process id of a git that changes something, so that it is found even if its landing was killed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.system.process_table import command_line

PUSH_PID_FILE = "homelab/push.pid"
"""holds the process id of a landing's push, under the git directory of its worktree"""
MERGE_PID_FILE = "homelab/merge.pid"
"""holds the process id of a landing's merge or rebase, in the same place"""


class PidFile:
    """A file that holds the process id of a running git.

    Args:
        name: the path under the git directory of the worktree.
    """

    def __init__(self, location: Location, name: str) -> None:
        self._location = location
        self._name = name

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return self._location.worktree_file(self._name)

    def run(self, git: GitCommands, *args: str, listener: OutputListener | None = None) -> Completed:
        """Run git with its process id in the file: git continues if only this process is killed."""
        done = git.run(*args, pid_file=self.path, listener=listener)
        self.clear()
        return done

    def read(self) -> int:
        """Return the recorded process id, of a process that may have ended; 0 if there is none."""
        try:
            return int(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def running(self, *marks: str) -> int:
        """Return the recorded process id if the process still runs and has one of `marks` in its arguments; else 0.

        Another process may have the number by now.
        """
        number = self.read()
        command = command_line(number) if number else ""
        return number if any(mark and mark in command for mark in marks) else 0

    def clear(self) -> None:
        """Remove the file; if that fails, it names a process that has ended."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
