"""What is known about the hooks of a place before anything is changed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.hooks.owner import Owner, owner

KEPT, LEGACY, NEW = ".before-homelab", ".legacy", ".homelab-new-"
"""endings of: a hook that was there before ours, one that pre-commit and prek moved away, one that is being written"""


class Kind(Enum):
    """What stands under a hook's name."""

    NOTHING = "nothing"
    FILE = "a file"
    LINK = "a symbolic link"
    FOLDER = "a directory"


class Entry(NamedTuple):
    """A file in a hooks directory, or its absence; `text` is None where there is none to read."""

    path: Path
    kind: Kind = Kind.NOTHING
    text: str | None = None
    executable: bool = False

    @property
    def owner(self) -> Owner:
        """Whose it is; what cannot be read is the user's."""
        return Owner.NOBODY if self.kind is Kind.NOTHING else owner(self.text or "")

    @property
    def there(self) -> bool:
        """Whether there is anything."""
        return self.kind is not Kind.NOTHING


class Hook(NamedTuple):
    """One hook in one hooks directory.

    Args:
        entry: what git would run.
        kept: the hook that was there before ours.
        legacy: what pre-commit or prek moved away for their own.
        tracked: git tracks the file that would be written.
        visible: a file that is written there would be seen by `git status`.
    """

    name: str
    entry: Entry
    kept: Entry
    legacy: Entry
    tracked: bool = False
    visible: bool = False

    @property
    def installed(self) -> Entry | None:
        """Our shim, where it is run: under its own name, or moved away by a tool that starts it."""
        if self.entry.owner is Owner.OURS:
            return self.entry
        return self.legacy if self.legacy.owner is Owner.OURS and self.entry.owner.manages else None

    @property
    def same(self) -> bool:
        """Whether the kept hook is what git would run: an installation was cut short between two steps."""
        return self.entry.there and self.kept.there and self.entry.text == self.kept.text


class Folder(NamedTuple):
    """A hooks directory with the hooks that matter to us.

    Args:
        origin: which setting names it, as `git config core.hooksPath (global)`; empty for git's own.
        shared: it serves other repositories too.
        missing: what is wrong with the place itself; empty where nothing is.
        left: files that a cut-short installation left.
    """

    path: Path
    hooks: tuple[Hook, ...]
    origin: str = ""
    shared: bool = False
    missing: str = ""
    left: tuple[Path, ...] = ()


class Scope(NamedTuple):
    """One repository, or all of them.

    Args:
        option: of `git config`: --local or --global.
        shelf: where shims lie that git's settings name.
    """

    option: str
    shelf: Path


class Facts(NamedTuple):
    """All that a plan needs to know.

    Args:
        folder: where git looks for hooks; None where there is no such place (for all repositories, no core.hooksPath).
        also: git's own directory, where it is another: hooks of ours may be left in it.
        settings: what git's settings of this scope say about our hooks: section to command.
        shelved: the text of each shim on the shelf.
        notes: files that the hooks write while they work.
    """

    scope: Scope
    git: tuple[int, int]
    folder: Folder | None
    also: Folder | None = None
    settings: tuple[tuple[str, str], ...] = ()
    shelved: tuple[tuple[str, str], ...] = ()
    notes: tuple[Path, ...] = ()
