"""What the answer of a running service shows about a commit."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Shown(Enum):
    """What an answer shows about the commit."""

    OURS = auto()
    OTHER = auto()
    NAMELESS = auto()
    SILENT = auto()


class LiveAnswer(NamedTuple):
    """One answer of the service: what it shows, and in words what was seen."""

    shown: Shown
    seen: str
