"""Reads the files that contain settings: .homelab.toml, woodpecker-cli's context, Vault's token."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab_hooks.config.resolve import TRACKED_FILE
from homelab_hooks.errors import CommandError

MAX_FILE_BYTES = 1024 * 1024
"""bytes of a tracked file that are read"""


def load_tracked_settings(top: Path | None) -> Mapping[str, object]:
    """Return the settings in .homelab.toml at the root of the working tree. Raises CommandError if it is malformed."""
    try:
        return tomllib.loads(read_bounded_file(top / TRACKED_FILE).decode()) if top else {}
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:  # malformed TOML or UTF-8, or endless brackets
        raise CommandError(
            f"{TRACKED_FILE} is malformed: {error}", hint=f"fix the syntax of {TRACKED_FILE}, or remove the file"
        ) from None


def read_bounded_file(path: Path) -> bytes:
    """Return the first `MAX_FILE_BYTES` of a regular file. Raises OSError if it is not one.

    A tracked symbolic link may point to a device that never ends.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES)


def read_woodpecker_cli_server(config_home: Path) -> str:
    """Return the server of woodpecker-cli's current context, or of its older configuration; empty if there is none."""
    folder = config_home / "woodpecker"
    match _read_json(folder / "contexts.json"):
        case {"current_context": str(current), "contexts": dict(contexts)}:
            found = contexts.get(current)
        case _:
            found = None
    for place in (found, _read_json(folder / "config.json")):
        match place:
            case {"server_url": str(url)} if url.strip():
                return url.strip()
            case _:
                pass
    return ""


def read_small_text(path: Path) -> str:
    """Return the text of a small file; empty if it cannot be read."""
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return ""


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_small_text(path) or "{}")
    except (ValueError, RecursionError):
        return {}
