"""Reads the tracked file of a commit: it may differ from that of the working tree."""

from __future__ import annotations

from collections.abc import Mapping

from homelab_hooks.config import files
from homelab_hooks.config.resolve import TRACKED_FILE
from homelab_hooks.git.reader import ReadOnlyRepository


def load_settings_at(git: ReadOnlyRepository, name: str) -> Mapping[str, object]:
    """Return the settings in .homelab.toml of a commit; none if the commit is not here, or the file is not a text.

    Raises:
        CommandError: the file is malformed.
    """
    found = git.history.resolve(name)
    texts = git.files.read_texts(found.sha, (TRACKED_FILE,)) if found and git.history.has_commit(found.sha) else None
    return files.parse_tracked_settings(texts[TRACKED_FILE].encode()) if texts else {}
