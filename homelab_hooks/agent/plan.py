"""Decides what to write into each file of a coding agent, and what to restore.

Installing and uninstalling share one question: what would the file be without us (the baseline)?

* It is as we left it: what was there before, byte for byte.
* It was changed since: without our entries. A file that is ours alone and was changed is left to its user.
* We have written nothing: as it is.

Uninstalling writes the baseline. Installing writes the baseline with our entries, so that a newer version replaces the
entries of an older one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.agent.model import AgentFile, FileState, InstallReceipt, JsonEntry, OwnedFile, SharedFile
from homelab_hooks.text.json_edit import add_items, parse_json, remove_items

MAX_FILE_BYTES = 1_000_000
"""bytes of a file that is edited; a settings file has some thousands"""


class FileChange(NamedTuple):
    """A file that changes, and how."""

    path: Path
    before: bytes | None
    after: bytes | None
    """None: it is removed"""
    receipt: InstallReceipt | None = None
    """to be kept for the uninstallation; None: none is needed any longer"""
    mode: int = 0o600


class FileRefused(NamedTuple):
    """A file that is not edited."""

    path: Path
    reason: str
    remedy: str


def digest_of(data: bytes | None) -> str:
    """Return a digest of what is at a path; of nothing it is empty."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def plan_install(file: AgentFile, state: FileState, receipt: InstallReceipt | None) -> FileChange | FileRefused | None:
    """Return how the file changes; None if everything is in it."""
    base = _find_baseline(file, state, receipt)
    if isinstance(base, FileRefused):
        return base
    if isinstance(file, OwnedFile):
        if base.data is not None:
            return FileRefused(file.path, "exists, and was not written by homelab", f"move {file.path} away")
        return _change(file.path, state, base.data, file.text, ())
    try:
        if state.data is not None and _is_complete(state.data.decode(), file.entries, receipt):
            return None
        text = (base.data or b"{}\n").decode()
        entries = _missing_entries(text, file.entries)
        return _change(file.path, state, base.data, _add_entries(text, entries), entries)
    except ValueError as error:
        return _refuse_json(file.path, str(error))


def _change(
    path: Path, state: FileState, before: bytes | None, text: str, entries: tuple[JsonEntry, ...]
) -> FileChange | None:
    after = text.encode()
    kept = InstallReceipt(before=before, after_digest=digest_of(after), entries=entries)
    return None if after == state.data else FileChange(path, state.data, after, kept, state.mode)


def _is_complete(text: str, entries: Sequence[JsonEntry], receipt: InstallReceipt | None) -> bool:
    """Return whether every entry is in the text, in whatever order, and none of an older version is."""
    stale = [entry for entry in receipt.entries if entry not in entries] if receipt else []
    return not _missing_entries(text, entries) and len(_missing_entries(text, stale)) == len(stale)


def plan_uninstall(
    file: AgentFile, state: FileState, receipt: InstallReceipt | None
) -> FileChange | FileRefused | None:
    """Return how the file changes; None if there is nothing of ours in it."""
    if receipt is None:
        return None
    base = _find_baseline(file, state, receipt)
    if isinstance(base, FileRefused):
        return base
    return FileChange(file.path, state.data, base.data, None, state.mode)


class _Baseline(NamedTuple):
    data: bytes | None


def _find_baseline(file: AgentFile, state: FileState, receipt: InstallReceipt | None) -> _Baseline | FileRefused:
    """Return what the file would be without us."""
    if state.problem:
        return FileRefused(file.path, state.problem, f"make {file.path} a regular file that you can write")
    if receipt is not None and digest_of(state.data) == receipt.after_digest:
        return _Baseline(receipt.before)
    if isinstance(file, OwnedFile):
        if receipt is not None and state.data not in {None, receipt.before}:
            return FileRefused(file.path, "was changed since homelab wrote it", f"move {file.path} away")
        return _Baseline(state.data)
    return _clean_shared(file, state.data, receipt)


def _clean_shared(file: SharedFile, data: bytes | None, receipt: InstallReceipt | None) -> _Baseline | FileRefused:
    """Return a file of the user's without our entries."""
    if data is None:
        return _Baseline(None)
    try:
        text = data.decode()
        parse_json(text)
        for entry in receipt.entries if receipt else ():
            text = remove_items(text, entry.path, [entry.value])
    except UnicodeDecodeError:
        return _refuse_json(file.path, "it is not UTF-8")
    except ValueError as error:
        return _refuse_json(file.path, str(error))
    return _Baseline(text.encode())


def _refuse_json(path: Path, problem: str) -> FileRefused:
    return FileRefused(path, f"cannot be edited: {problem}", f"make {path} plain JSON, without comments")


def _missing_entries(text: str, entries: Sequence[JsonEntry]) -> tuple[JsonEntry, ...]:
    """Return the entries that the user does not have already; those are not ours to remove."""
    root = parse_json(text).value
    return tuple(entry for entry in entries if entry.value not in _array_at(root, entry.path))


def _array_at(value: object, path: Sequence[str]) -> list[object]:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _add_entries(text: str, entries: Sequence[JsonEntry]) -> str:
    for path in dict.fromkeys(entry.path for entry in entries):
        text = add_items(text, path, [entry.value for entry in entries if entry.path == path])
    return text
