"""Submodules: the commits that are recorded for them, updating and pushing them."""

from __future__ import annotations

import os
from pathlib import Path

from homelab_hooks.git.command import GitCommands, split_arguments
from homelab_hooks.git.location import Location
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener

_GITLINK = "160000"
_TRUE = {"true", "yes", "on", "1"}


class Submodules:
    """Reads and updates initialized submodules; a directory without a repository is left alone."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def has_submodules(self) -> bool:
        """Return whether there is a .gitmodules file."""
        top = self._location.top_level()
        return top is not None and (top / ".gitmodules").is_file()

    def recurses_on_push(self) -> bool:
        """Return whether a push must check or push submodules: push.recurseSubmodules, else submodule.recurse."""
        if not self.has_submodules():
            return False
        own = self._location.config_value("push.recurseSubmodules")
        return own not in {"no", "false"} if own else self._location.config_value("submodule.recurse").lower() in _TRUE

    def pushes_submodules(self) -> bool:
        """Return whether a push must push submodules too, and not only check them."""
        return self.recurses_on_push() and self._location.config_value("push.recurseSubmodules") != "check"

    def gitlinks(self, sha: str) -> dict[str, str]:
        """Return the commit that is recorded for each initialized submodule in a commit, by path."""
        entries = self._git.list_tree("ls-tree", "-r", "-z", "--full-tree", sha)
        return {path: link for mode, link, path in entries if mode == _GITLINK and self._submodule(path) is not None}

    def submodule_head(self, path: str) -> str:
        """Return the commit that is checked out in a submodule."""
        return self._git.line(*self._inside(path), "rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def update_submodules(self, *paths: str, listener: OutputListener | None = None) -> Completed:
        """Check out the commits that the index records for submodules; fetches those that are missing.

        Returns the result of the first call that failed, else of the last one.
        """
        top = str(self._location.top_level())
        command = ("-C", top, "submodule", "--quiet", "update", "--checkout", "--recursive", "--")
        done = Completed(0)
        for some in split_arguments(paths):
            done = self._git.run_with_remote(*command, *some, listener=listener)
            if not done.ok:
                break
        return done

    def is_unpushed_in_submodule(self, path: str, sha: str) -> bool:
        """Return whether no remote-tracking branch of a submodule contains a commit."""
        return bool(self._git.line(*self._inside(path), "rev-list", "--max-count=1", sha, "--not", "--remotes"))

    def push_submodule(self, path: str, *, listener: OutputListener | None = None) -> Completed:
        """Run `git push` in a submodule with its own settings."""
        return self._git.run_with_remote(*self._inside(path), "push", listener=listener)

    def _inside(self, path: str) -> tuple[str, ...]:
        # Without --work-tree, a GIT_WORK_TREE of the user would point to another one.
        there = self._submodule(path)
        return "-C", str(there), f"--git-dir={there}/.git", f"--work-tree={there}"

    def _submodule(self, path: str) -> Path | None:
        top = self._location.top_level()
        # Path.exists raises OSError for a name that is too long for a file; a commit may hold one.
        return top / path if top and os.path.exists(top / path / ".git") else None  # noqa: PTH110 - as just said
