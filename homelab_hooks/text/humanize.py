"""Parts of our sentences: names in a row, and how many there are of a thing."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.text.sanitize import strip_control_chars

MAX_NAMES = 10
"""names that are said in a row"""
SHA_DIGITS = 10
"""of a commit in a sentence: unambiguous in a repository of a million objects"""
IMAGE_SHA_DIGITS = 8
"""of a commit beside image tags and pipelines, as CI abbreviates it there"""


def join_names(names: Iterable[str]) -> str:
    """Some names in one line, control characters removed.

    >>> join_names(["a", "b"])
    'a, b'
    """
    cleaned = [strip_control_chars(name) for name in names]
    more = len(cleaned) - MAX_NAMES
    return ", ".join(cleaned[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def pluralize(number: int, noun: str) -> str:
    """A number of things.

    >>> pluralize(1, "commit"), pluralize(0, "commit")
    ('1 commit', '0 commits')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short_sha(sha: str, digits: int = SHA_DIGITS) -> str:
    """Return an abbreviated commit.

    >>> short_sha("0123456789abcdef")
    '0123456789'
    """
    return sha[:digits]
