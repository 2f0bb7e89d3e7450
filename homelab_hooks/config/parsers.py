"""Parsers for the texts of settings. Each raises ValueError with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_INVALID_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$|/\.|\.lock/")
"""what a branch name must not contain (git-check-ref-format); a leading dash would be read as an option"""
_WORKLOAD = re.compile(r"[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9.]+)?/[a-z0-9][a-z0-9.-]*")


def make_choice_parser(*words: str) -> Callable[[str], str]:
    """Return a parser that accepts one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text

    return parse


def parse_bool(text: str) -> bool:
    """Parse a boolean as git does.

    >>> parse_bool("yes"), parse_bool("off")
    (True, False)
    """
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError("expected true or false")
    return words[text.lower()]


def parse_repo_name(text: str) -> str:
    """Parse the name of a repository in CI. It becomes part of a URL's path, so no segment may lead out of it.

    >>> parse_repo_name("/acme/app/")
    'acme/app'
    """
    parts = text.strip("/").split("/")
    if len(parts) < 2 or not all(parts) or not text.isprintable() or re.search(r"[ \\?#]", text):  # noqa: PLR2004 - owner and name
        raise ValueError("expected OWNER/NAME")
    if {".", ".."} & set(parts):
        raise ValueError("expected OWNER/NAME, without . or .. as a part")
    return "/".join(parts)


def parse_ref_name(text: str) -> str:
    """Parse the name of a branch or a remote."""
    if _INVALID_REF.search(text):
        raise ValueError("expected a valid git name, such as main or origin")
    return text


def parse_workflow_name(text: str) -> str:
    """Parse the name of a workflow: the name of its file without the extension."""
    if not text.isprintable() or text != text.strip():
        raise ValueError("expected the name of a workflow, such as deploy")
    return text


def parse_workload(text: str) -> str:
    """Check the form of a workload; the kinds are checked where it is used."""
    if not _WORKLOAD.fullmatch(text):
        raise ValueError("expected NAMESPACE/NAME or NAMESPACE/KIND/NAME")
    return text


def parse_path(text: str) -> Path:
    """Parse the path of a file; `~` is the home directory, and `~USER` that of a user."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError("expected a path; the home directory in it is unknown") from error


def parse_vault_path(text: str) -> str:
    """Parse the path of a secret in Vault: MOUNT/PATH.

    >>> parse_vault_path("/kv/ci/global/")
    'kv/ci/global'
    """
    found = text.strip("/")
    parts = found.split("/")
    if len(parts) < 2 or not all(parts) or {".", ".."} & set(parts) or re.search(r"[\s?#%]", found):  # noqa: PLR2004 - mount and path
        raise ValueError("expected MOUNT/PATH, such as secret/ci/global")
    return found


def parse_vault_namespace(text: str) -> str:
    """Parse a namespace of Vault. It is sent in a header, so it is ASCII without spaces.

    >>> parse_vault_namespace("admin/team-a/")
    'admin/team-a/'
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected a namespace in ASCII without spaces, such as admin/team")
    return text


def parse_notify_url(text: str) -> str:
    """Return a URL of Apprise. Apprise itself says whether it can use it; importing that takes a second."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://\S+", text):  # the scheme is shown
        raise ValueError("expected a URL of Apprise, such as ntfy://TOPIC or mailto://USER:PASSWORD@HOST")
    return text
