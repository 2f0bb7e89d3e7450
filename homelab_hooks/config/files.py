"""The user's small files that hold settings: .homelab.toml, woodpecker-cli's context, Vault's token."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab_hooks.config.resolve import TRACKED_FILE
from homelab_hooks.errors import CommandError

MAX_FILE_BYTES = 1024 * 1024
"""bytes of a tracked file"""


def load_tracked_settings(top: Path | None) -> Mapping[str, object]:
    """What .homelab.toml at the work tree's root says. Raises CommandError where it is malformed."""
    try:
        return tomllib.loads(read_bounded_file(top / TRACKED_FILE).decode()) if top else {}
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:  # TOML's and UTF-8's complaints, and brackets without an end
        raise CommandError(f"{TRACKED_FILE} is malformed: {error}", hint="mend it, or remove it") from None


def read_bounded_file(path: Path) -> bytes:
    """A file that others wrote: a regular one, and no more of it than a person would write. Raises OSError otherwise.

    A tracked link may lead to a device that never ends.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES)


def read_woodpecker_cli_server(config_home: Path) -> str:
    """The server of woodpecker-cli's current context, or of its older configuration; empty where it has none."""
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
    """A small file's text; empty where it cannot be read."""
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return ""


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_small_text(path) or "{}")
    except (ValueError, RecursionError):
        return {}
