"""Reads and writes the files of a coding agent, and the receipts of what was written."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from homelab_hooks.agent.model import FileState, InstallReceipt
from homelab_hooks.agent.plan import MAX_FILE_BYTES, FileChange, digest_of
from homelab_hooks.system.atomic_file import replace_file

NEW_FILE_MODE = 0o644


def read_state(path: Path, *, root: Path | None = None) -> FileState:
    """Return what is at a path, and why it cannot be edited, if so.

    Args:
        root: the top of the repository; a folder below it that is a symbolic link could lead anywhere.
    """
    if root is not None and (link := next((up for up in path.parents if root in up.parents and up.is_symlink()), None)):
        return FileState(problem=f"is below the symbolic link {link.name}")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return FileState(mode=NEW_FILE_MODE)
    except OSError as error:
        return FileState(problem=str(error.strerror).lower())
    if problem := describe_problem(found):
        return FileState(problem=problem)
    try:
        return FileState(path.read_bytes(), mode=stat.S_IMODE(found.st_mode))
    except OSError as error:
        return FileState(problem=str(error.strerror).lower())


def describe_problem(found: os.stat_result) -> str:
    """Return why something is not a file that can be replaced by another; empty if it can."""
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link, which would be replaced by a file"
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_nlink > 1:
        return "has other hard links, which would keep the old text"
    if not found.st_mode & stat.S_IWUSR:
        return "is read-only"
    return f"is larger than {MAX_FILE_BYTES} bytes" if found.st_size > MAX_FILE_BYTES else ""


class InstallReceipts:
    """The receipts, one for each path, readable for this user only: a file of settings may contain secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, path: Path) -> InstallReceipt | None:
        """Return the receipt of a path; None if there is none, or it is damaged."""
        try:
            return InstallReceipt.from_json(json.loads(self._file(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def save(self, path: Path, receipt: InstallReceipt) -> None:
        """Keep the receipt. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self._file(path), json.dumps(receipt.to_json()), mode=0o600, durable=True)

    def delete(self, path: Path) -> None:
        """Remove the receipt."""
        self._file(path).unlink(missing_ok=True)

    def _file(self, path: Path) -> Path:
        return self._folder / f"{digest_of(os.fsencode(path))}.json"


def apply_change(change: FileChange, store: InstallReceipts) -> bool:
    """Write the file; return False if it was changed since it was read. Raises OSError.

    The receipt is written first and removed last, so that an interrupted run can be repeated. If the file cannot be
    written, the earlier receipt is put back. Folders that were created for a file are removed with it if they are
    empty.
    """
    if read_state(change.path).data != change.before:
        return False
    earlier = store.load(change.path)
    made = earlier.made_folders if earlier else ()
    if change.receipt is not None:
        made = made or tuple(str(folder) for folder in change.path.parents if not folder.exists())
        store.save(change.path, change.receipt._replace(made_folders=made))
    try:
        _write(change, made)
    except OSError:
        if change.receipt is not None and earlier is not None:  # the file is still what the earlier one describes
            store.save(change.path, earlier)
        raise
    if change.receipt is None:
        store.delete(change.path)
    return True


def _write(change: FileChange, made: Sequence[str]) -> None:
    if change.after is None:
        change.path.unlink(missing_ok=True)
        _remove_empty(made)
    elif change.after != change.before:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(change.path, change.after.decode("utf-8", "surrogateescape"), mode=change.mode, durable=True)


def _remove_empty(folders: Sequence[str]) -> None:
    with contextlib.suppress(OSError):  # not empty
        for folder in folders:
            Path(folder).rmdir()
