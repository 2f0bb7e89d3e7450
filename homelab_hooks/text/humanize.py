"""Formats lists of names, counts, and commit IDs for messages."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.text.sanitize import strip_control_chars

MAX_NAMES = 10
"""names in one message; the rest is counted"""
SHA_DIGITS = 10
"""digits of an abbreviated commit in a message: unambiguous in a repository with a million objects"""
IMAGE_SHA_DIGITS = 8
"""digits of a commit next to image tags, as CI abbreviates it in them"""


def join_names(names: Iterable[str]) -> str:
    """Return names joined by commas, without control characters; after MAX_NAMES the rest is counted.

    >>> join_names(["a", "b"])
    'a, b'
    """
    cleaned = [strip_control_chars(name) for name in names]
    more = len(cleaned) - MAX_NAMES
    return ", ".join(cleaned[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def pluralize(number: int, noun: str) -> str:
    """Return a count and its noun, with an "s" unless it is one.

    >>> pluralize(1, "commit"), pluralize(0, "commit")
    ('1 commit', '0 commits')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short_sha(sha: str, digits: int = SHA_DIGITS) -> str:
    """Return an abbreviated commit ID.

    >>> short_sha("0123456789abcdef")
    '0123456789'
    """
    return sha[:digits]
