"""Reads the text of a setting, or says what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_INVALID_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$|/\.|\.lock/")
"""what git allows in no branch's name (git-check-ref-format); a leading dash would be taken for an option"""
_WORKLOAD = re.compile(r"[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9.]+)?/[a-z0-9][a-z0-9.-]*")


def make_choice_parser(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)} is expected")
        return text

    return parse


def parse_repo_name(text: str) -> str:
    """A repository's name in CI.

    >>> parse_repo_name("/acme/app/")
    'acme/app'
    """
    parts = text.strip("/").split("/")
    if len(parts) < 2 or not all(parts) or not text.isprintable() or " " in text:  # noqa: PLR2004 - owner and name
        raise ValueError("OWNER/NAME is expected")
    return "/".join(parts)


def parse_ref_name(text: str) -> str:
    """The name of a branch or a remote."""
    if _INVALID_REF.search(text):
        raise ValueError("a name that git allows is expected, like main or origin")
    return text


def parse_workload(text: str) -> str:
    """A deploy target's text; which kinds there are is known to kubectl's facts."""
    if not _WORKLOAD.fullmatch(text):
        raise ValueError("NAMESPACE/NAME or NAMESPACE/KIND/NAME is expected")
    return text


def parse_path(text: str) -> Path:
    """A file's path; `~` is the user's home."""
    return Path(text).expanduser()


def parse_vault_path(text: str) -> str:
    """A secret's place in Vault: MOUNT/PATH.

    >>> parse_vault_path("/kv/ci/global/")
    'kv/ci/global'
    """
    found = text.strip("/")
    parts = found.split("/")
    if len(parts) < 2 or not all(parts) or {".", ".."} & set(parts) or re.search(r"[\s?#%]", found):  # noqa: PLR2004 - mount and path
        raise ValueError("MOUNT/PATH is expected, like secret/ci/global")
    return found
