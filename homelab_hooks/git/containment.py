"""Checks whether one commit contains another."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol


class Containment(Enum):
    """Whether one commit's history contains another."""

    CONTAINS = auto()
    NOT_CONTAINED = auto()
    ABSENT = auto()
    """a commit is not in the repository, and the remote, which responded, does not have it on the branch"""
    UNKNOWN = auto()
    """a commit is not in the repository and could not be fetched, or git runs outside a repository"""

    @property
    def is_known(self) -> bool:
        """Whether the histories could be compared."""
        return self in {Containment.CONTAINS, Containment.NOT_CONTAINED}


class ContainmentCheck(Protocol):
    """Checks whether `newer` contains `ours`; `newer` may be an abbreviated SHA."""

    def __call__(self, *, newer: str, ours: str) -> Containment:
        """Return the containment; ABSENT or UNKNOWN if the commits cannot be compared."""
