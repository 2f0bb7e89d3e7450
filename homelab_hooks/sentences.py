"""Parts of our sentences: names in a row, and how many there are of a thing."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.text import clean

MOST = 10
"""names that are said in a row"""


def listed(names: Iterable[str]) -> str:
    """Some names in one line, control characters removed.

    >>> listed(["a", "b"])
    'a, b'
    """
    cleaned = [clean(name) for name in names]
    more = len(cleaned) - MOST
    return ", ".join(cleaned[:MOST]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "commit"), counted(0, "commit")
    ('1 commit', '0 commits')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
