"""What one look at a rollout amounts to, in no vendor's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CrashedContainer:
    """A container that crashed, whose last log lines may say why."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class Deleting:
    """The workload is being deleted."""


@dataclass(frozen=True, slots=True)
class ImagePending:
    """The workload does not name the commit yet."""

    detail: str
    image: str


@dataclass(frozen=True, slots=True)
class ImageUnproven:
    """It cannot be shown that the workload runs the commit, and waiting changes nothing."""

    reason: str
    hint: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class RolloutFailed:
    """The rollout failed."""

    reason: str
    image: str = ""
    hint: str = ""
    """the command that shows more"""
    crashed_container: CrashedContainer | None = None
    """its last log lines may say why"""
    unknown_commit: bool = False
    """it holds only if the commit that runs instead does not contain the expected one, which git does not know yet"""


@dataclass(frozen=True, slots=True)
class RolloutProgressing:
    """The commit's image is being rolled out; `blocked_by` says what holds it back, if anything does."""

    image: str
    detail: str = ""
    blocked_by: str = ""
    blocked_hint: str = ""


@dataclass(frozen=True, slots=True)
class RolloutComplete:
    """At this look everything that runs is new, available and alike."""

    image: str
    detail: str = ""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """of each instance by its id: one that rises while the rollout must stay complete starts that time again"""


Assessment = Deleting | ImagePending | ImageUnproven | RolloutFailed | RolloutProgressing | RolloutComplete
