"""What is known about the hooks of a place before anything is changed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.hooks.install.managers import HookManager, identify_manager

BACKUP_SUFFIX, LEGACY_SUFFIX, TEMP_SUFFIX = ".before-homelab", ".legacy", ".homelab-new-"
"""endings of: a hook that was there before ours, one that pre-commit and prek moved away, one that is being written"""


class FileKind(Enum):
    """What stands under a hook's name."""

    MISSING = "nothing"
    FILE = "a file"
    LINK = "a symbolic link"
    FOLDER = "a directory"


class HookFile(NamedTuple):
    """A file in a hooks directory, or its absence; `text` is None where there is none to read."""

    path: Path
    kind: FileKind = FileKind.MISSING
    text: str | None = None
    executable: bool = False

    @property
    def owner(self) -> HookManager:
        """Whose it is; what cannot be read is the user's."""
        return HookManager.NOBODY if self.kind is FileKind.MISSING else identify_manager(self.text or "")

    @property
    def exists(self) -> bool:
        """Whether there is anything."""
        return self.kind is not FileKind.MISSING


class HookSlot(NamedTuple):
    """One hook in one hooks directory.

    Args:
        entry: what git would run.
        kept: the hook that was there before ours.
        legacy: what pre-commit or prek moved away for their own.
        tracked: git tracks the file that would be written.
        visible: a file that is written there would be seen by `git status`.
    """

    name: str
    file: HookFile
    backup: HookFile
    legacy: HookFile
    tracked: bool = False
    shows_in_status: bool = False

    @property
    def installed(self) -> HookFile | None:
        """Our shim, where it is run: under its own name, or moved away by a tool that starts it."""
        if self.file.owner is HookManager.OURS:
            return self.file
        return self.legacy if self.legacy.owner is HookManager.OURS and self.file.owner.is_manager else None

    @property
    def backup_is_current(self) -> bool:
        """Whether the kept hook is what git would run: an installation was cut short between two steps."""
        return self.file.exists and self.backup.exists and self.file.text == self.backup.text


class HooksDir(NamedTuple):
    """A hooks directory with the hooks that matter to us.

    Args:
        origin: which setting names it, as `git config core.hooksPath (global)`; empty for git's own.
        shared: it serves other repositories too.
        missing: what is wrong with the place itself; empty where nothing is.
        left: files that a cut-short installation left.
    """

    path: Path
    hooks: tuple[HookSlot, ...]
    origin: str = ""
    shared: bool = False
    problem: str = ""
    leftovers: tuple[Path, ...] = ()


class InstallScope(NamedTuple):
    """One repository, or all of them.

    Args:
        option: of `git config`: --local or --global.
        shelf: where shims lie that git's settings name.
    """

    option: str
    shim_dir: Path


class HookFacts(NamedTuple):
    """All that a plan needs to know.

    Args:
        folder: where git looks for hooks; None where there is no such place (for all repositories, no core.hooksPath).
        also: git's own directory, where it is another: hooks of ours may be left in it.
        settings: what git's settings of this scope say about our hooks: section to command.
        shelved: the text of each shim on the shelf.
        notes: files that the hooks write while they work.
    """

    scope: InstallScope
    git: tuple[int, int]
    hooks_dir: HooksDir | None
    other_dirs: HooksDir | None = None
    hook_config: tuple[tuple[str, str], ...] = ()
    installed_shims: tuple[tuple[str, str], ...] = ()
    notes: tuple[Path, ...] = ()
