"""The assessment of one poll of a rollout, independent of the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CrashedContainer:
    """A container that crashed; its last log lines may show why."""

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
    """It cannot be verified that the workload runs the commit, and waiting would not change that."""

    reason: str
    hint: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class RolloutFailed:
    """The rollout failed."""

    reason: str
    image: str = ""
    hint: str = ""
    """a command that shows more"""
    crashed_container: CrashedContainer | None = None
    """the container whose last log lines may show the cause"""
    unknown_commit: bool = False
    """whether the commit that runs instead is unknown: it may contain the expected one, and then nothing has failed"""


@dataclass(frozen=True, slots=True)
class RolloutProgressing:
    """The commit's image is being rolled out; `blocked_by` is the cause of a standstill, empty if there is none."""

    image: str
    detail: str = ""
    blocked_by: str = ""
    blocked_hint: str = ""


@dataclass(frozen=True, slots=True)
class RolloutComplete:
    """In this poll every instance is of the new version, available, and of the same image."""

    image: str
    detail: str = ""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """restarts by the instance's id; a restart during the settle time starts the settle time again"""
    proof: str = ""
    """the evidence that the image is of the commit, as in `its tag`"""
    since: float | None = None
    """since when this is known to have been so, in the clock's seconds; None: since the assessment"""


Assessment = Deleting | ImagePending | ImageUnproven | RolloutFailed | RolloutProgressing | RolloutComplete
