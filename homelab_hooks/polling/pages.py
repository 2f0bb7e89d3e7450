"""Reads the pages of a list until the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.polling.outcome import FailureKind, Found, Poll, Unavailable

T = TypeVar("T")


def read_pages(
    read_page: Callable[[int], Poll[tuple[T, ...]]], *, page_size: int, max_pages: int, subject: str
) -> Poll[tuple[T, ...]]:
    """Return the rows of all pages, or the first page that is not Found; Unavailable for a list that is too long.

    A list that was not read to its end is never returned: the row that decides may be the one that is missing.

    Args:
        read_page: reads a page; the first one is 1.
        page_size: a page with fewer rows is the last one.
    """
    rows: list[T] = []
    for page in range(1, max_pages + 1):
        poll = read_page(page)
        if not isinstance(poll, Found):
            return poll
        rows += poll.value
        if len(poll.value) < page_size:
            return Found(tuple(rows))
    return Unavailable(f"{subject} has more than {max_pages * page_size} rows", FailureKind.BODY)
