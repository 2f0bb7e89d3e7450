"""The facts about installed hooks, collected before anything is changed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.hooks.install.managers import HookManager, identify_manager
from homelab_hooks.hooks.install.shims import is_edited_shim

BACKUP_SUFFIX, LEGACY_SUFFIX, TEMP_SUFFIX = ".before-homelab", ".legacy", ".homelab-new-"
"""suffixes: a preserved hook, a hook that pre-commit or prek renamed, a hook that is being written"""


class FileKind(Enum):
    """What kind of file a hook is."""

    MISSING = "nothing"
    FILE = "a file"
    LINK = "a symbolic link"
    FOLDER = "a directory"


class HookFile(NamedTuple):
    """A file in a hooks directory, or its absence; `text` is None if it cannot be read."""

    path: Path
    kind: FileKind = FileKind.MISSING
    text: str | None = None
    executable: bool = False

    @property
    def owner(self) -> HookManager:
        """Return the tool that wrote the hook; the user, if it cannot be read."""
        return HookManager.NONE if self.kind is FileKind.MISSING else identify_manager(self.text or "")

    @property
    def exists(self) -> bool:
        """Return whether there is any file at this path."""
        return self.kind is not FileKind.MISSING


class HookSlot(NamedTuple):
    """One hook in one hooks directory.

    Args:
        file: the hook that git runs.
        backup: the hook that was there before ours.
        legacy: the hook that pre-commit or prek renamed when they installed theirs.
        tracked: git tracks the file that would be written.
        shows_in_status: `git status` would list a file that is written there.
    """

    name: str
    file: HookFile
    backup: HookFile
    legacy: HookFile
    tracked: bool = False
    shows_in_status: bool = False

    @property
    def installed(self) -> HookFile | None:
        """Return our shim, if it is run: under the hook's name, or renamed by a tool that calls it."""
        if self.file.owner is HookManager.OURS:
            return self.file
        return self.legacy if self.legacy.owner is HookManager.OURS and self.file.owner.is_manager else None

    @property
    def is_edited(self) -> bool:
        """Return whether our installed shim has been edited."""
        return self.installed is not None and is_edited_shim(self.name, self.installed.text or "")

    @property
    def backup_is_current(self) -> bool:
        """Return whether the backup equals the hook that git runs, after an interrupted installation."""
        return self.file.exists and self.backup.exists and self.file.text == self.backup.text


class HooksDir(NamedTuple):
    """A hooks directory, with the hooks that we install.

    Args:
        origin: the setting that names it, such as `git config core.hooksPath (global)`; empty for git's default.
        shared: other repositories use it too.
        problem: what is wrong with the directory itself; empty if nothing is.
        leftovers: temporary files of an interrupted installation.
    """

    path: Path
    hooks: tuple[HookSlot, ...]
    origin: str = ""
    shared: bool = False
    problem: str = ""
    leftovers: tuple[Path, ...] = ()


class InstallScope(NamedTuple):
    """One repository, or all repositories of the user.

    Args:
        option: of `git config`: --local or --global.
        shim_dir: the directory of the shims that config hooks run.
    """

    option: str
    shim_dir: Path


class HookFacts(NamedTuple):
    """Everything that a plan depends on.

    Args:
        hooks_dir: where git looks for hooks; None with --global if core.hooksPath is not set.
        other_dirs: the repository's default hooks directory, if git does not use it; our hooks may still be there.
        hook_config: our config hooks in this scope: section and command.
        installed_shims: name and text of each shim in `scope.shim_dir`.
        notes: state files of the hooks.
        uses_lfs: git-lfs has stored objects in this repository; our pre-push hook then runs its hook too.
    """

    scope: InstallScope
    git: tuple[int, int]
    hooks_dir: HooksDir | None
    other_dirs: HooksDir | None = None
    hook_config: tuple[tuple[str, str], ...] = ()
    installed_shims: tuple[tuple[str, str], ...] = ()
    notes: tuple[Path, ...] = ()
    uses_lfs: bool = False
