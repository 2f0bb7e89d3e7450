"""What a coding agent's files look like, what is to be written into them, and the record of what was."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple


class AgentClient(StrEnum):
    """A coding agent that can be set up."""

    CLAUDE = "claude"
    CODEX = "codex"


class OptionFact(NamedTuple):
    """An option of a command, as the manifest has it."""

    name: str
    tier: str
    takes_value: bool


class CommandFact(NamedTuple):
    """A command, as the manifest has it."""

    words: tuple[str, ...]
    alias: str
    tier: str
    summary: str
    options: tuple[OptionFact, ...] = ()
    choices: tuple[str, ...] = ()
    """the values of a required argument; the command line has one of them"""
    needs_argument: bool = False
    """whether an argument without choices is required, so that no fixed command line exists"""


class JsonEntry(NamedTuple):
    """An item of an array in a JSON file."""

    path: tuple[str, ...]
    """the keys that lead to the array"""
    value: Any


class OwnedFile(NamedTuple):
    """A file that is ours alone."""

    path: Path
    text: str


class SharedFile(NamedTuple):
    """A JSON file of the user's, into which entries are written."""

    path: Path
    entries: tuple[JsonEntry, ...]


AgentFile = OwnedFile | SharedFile


class FileState(NamedTuple):
    """What is at a path."""

    data: bytes | None = None
    """None: there is nothing"""
    problem: str = ""
    """why it cannot be edited: a symbolic link, a directory, ..."""
    mode: int = 0o600


class InstallReceipt(NamedTuple):
    """What was at a path before the installation, and what was written: enough to restore every byte."""

    before: bytes | None
    after_digest: str
    entries: tuple[JsonEntry, ...] = ()
    made_folders: tuple[str, ...] = ()
    """the folders that were created for the file, innermost first"""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> InstallReceipt:
        """Return the receipt of an object. Raises KeyError, TypeError, or ValueError if it is damaged."""
        import base64

        before = raw["before"]
        return cls(
            before=None if before is None else base64.b64decode(before, validate=True),
            after_digest=_as_text(raw["after_digest"]),
            entries=tuple(JsonEntry(tuple(map(_as_text, entry["path"])), entry["value"]) for entry in raw["entries"]),
            made_folders=tuple(map(_as_text, raw["made_folders"])),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object that `from_json` reads."""
        import base64

        return {
            "before": None if self.before is None else base64.b64encode(self.before).decode("ascii"),
            "after_digest": self.after_digest,
            "entries": [{"path": list(entry.path), "value": entry.value} for entry in self.entries],
            "made_folders": list(self.made_folders),
        }


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value
