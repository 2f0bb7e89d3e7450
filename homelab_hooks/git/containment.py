"""What git can say about two commits."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol


class Containment(Enum):
    """Whether one commit's history contains another."""

    CONTAINS = auto()
    NOT_CONTAINED = auto()
    UNKNOWN = auto()
    """not known here, also after asking the remote once; or there is no repository"""


class ContainmentCheck(Protocol):
    """Answers whether `newer` contains `ours`; `newer` may be an abbreviated sha."""

    def __call__(self, *, newer: str, ours: str) -> Containment:
        """Never raises; what cannot be found out is UNKNOWN."""
