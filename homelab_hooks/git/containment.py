"""Checks whether one commit contains another."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol


class Containment(Enum):
    """Whether one commit's history contains another."""

    CONTAINS = auto()
    NOT_CONTAINED = auto()
    UNKNOWN = auto()
    """a commit is in neither the repository nor the remote, or git runs outside a repository"""


class ContainmentCheck(Protocol):
    """Checks whether `newer` contains `ours`; `newer` may be an abbreviated SHA."""

    def __call__(self, *, newer: str, ours: str) -> Containment:
        """Return the containment; UNKNOWN on any failure."""
