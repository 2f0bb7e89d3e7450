"""The user's small files that hold settings: .homelab.toml, woodpecker-cli's context, Vault's token."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab_hooks.config import TRACKED
from homelab_hooks.errors import Problem

LIMIT = 1024 * 1024
"""bytes of a tracked file"""


def tracked(top: Path | None) -> Mapping[str, object]:
    """What .homelab.toml at the work tree's root says. Raises Problem where it is malformed."""
    try:
        return tomllib.loads(plain(top / TRACKED).decode()) if top else {}
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:  # TOML's and UTF-8's complaints, and brackets without an end
        raise Problem(f"{TRACKED} is malformed: {error}", hint="mend it, or remove it") from None


def plain(path: Path) -> bytes:
    """A file that others wrote: a regular one, and no more of it than a person would write. Raises OSError otherwise.

    A tracked link may lead to a device that never ends.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(LIMIT)


def context_server(config_home: Path) -> str:
    """The server of woodpecker-cli's current context, or of its older configuration; empty where it has none."""
    folder = config_home / "woodpecker"
    match _json(folder / "contexts.json"):
        case {"current_context": str(current), "contexts": dict(contexts)}:
            found = contexts.get(current)
        case _:
            found = None
    for place in (found, _json(folder / "config.json")):
        match place:
            case {"server_url": str(url)} if url.strip():
                return url.strip()
            case _:
                pass
    return ""


def text(path: Path) -> str:
    """A small file's text; empty where it cannot be read."""
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return ""


def _json(path: Path) -> Any:
    try:
        return json.loads(text(path) or "{}")
    except (ValueError, RecursionError):
        return {}
