"""Submodules: where they are, what a commit wants them to be, and their own pushes."""

from __future__ import annotations

import os
from pathlib import Path

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.system.completed import Completed

_GITLINK = "160000"
_TRUE = {"true", "yes", "on", "1"}


class Submodules:
    """Only those that are initialised here; a folder without a repository stays as it is."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def has_submodules(self) -> bool:
        """Whether there can be any."""
        top = self._location.top_level()
        return top is not None and (top / ".gitmodules").is_file()

    def recurses_on_push(self) -> bool:
        """Whether the user wants a push to look after submodules: push.recurseSubmodules, else submodule.recurse."""
        if not self.has_submodules():
            return False
        own = self._location.config_value("push.recurseSubmodules")
        return own not in {"no", "false"} if own else self._location.config_value("submodule.recurse").lower() in _TRUE

    def pushes_submodules(self) -> bool:
        """Whether they are to be pushed with it, and not only looked after."""
        return self.recurses_on_push() and self._location.config_value("push.recurseSubmodules") != "check"

    def gitlinks(self, sha: str) -> dict[str, str]:
        """The commit that each submodule here has in a commit of ours, by its path."""
        entries = self._git.list_tree("ls-tree", "-r", "-z", "--full-tree", sha)
        return {path: link for mode, link, path in entries if mode == _GITLINK and self._submodule(path) is not None}

    def submodule_head(self, path: str) -> str:
        """The commit that is checked out in a submodule."""
        return self._git.line(*self._inside(path), "rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def update_submodules(self, *paths: str) -> Completed:
        """Bring submodules to the commits of the index, fetched where they are not here."""
        return self._git.run_with_remote(
            "-C", str(self._location.top_level()), "submodule", "update", "--checkout", "--recursive", "--", *paths
        )

    def is_unpushed_in_submodule(self, path: str, sha: str) -> bool:
        """Whether a submodule's commit is on none of its remotes, as last heard."""
        return bool(self._git.line(*self._inside(path), "rev-list", "--max-count=1", sha, "--not", "--remotes"))

    def push_submodule(self, path: str) -> Completed:
        """A plain `git push` in a submodule, as its own settings say."""
        return self._git.run_with_remote(*self._inside(path), "push")

    def _inside(self, path: str) -> tuple[str, ...]:
        # A GIT_WORK_TREE of the user's would lead out of it again.
        there = self._submodule(path)
        return "-C", str(there), f"--git-dir={there}/.git", f"--work-tree={there}"

    def _submodule(self, path: str) -> Path | None:
        top = self._location.top_level()
        # Path.exists raises OSError for a name that no file can have; a commit may hold one.
        return top / path if top and os.path.exists(top / path / ".git") else None  # noqa: PTH110 - as just said
