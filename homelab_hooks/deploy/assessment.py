"""What one snapshot may come to, and what of the looks before it counts."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.deploy.kubernetes.pod_failures import CrashedContainer, ObservedProblem, PodProblem
from homelab_hooks.kubectl.model import WorkloadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutHistory:
    """What earlier looks left behind for the judgement of this one."""

    kind: WorkloadKind
    first_restarts: bool = False
    """no look saw the workload before"""
    proven_image: str = ""
    """the proving image that was seen before; empty when none came yet"""
    previous_images: tuple[str, ...] = ()
    """the images it ran before that"""
    progressed: bool = False
    """the pods are further than at the look before"""
    evidence: tuple[ObservedProblem, ...] = ()
    fatal: PodProblem | None = None


@dataclass(frozen=True, slots=True)
class Deleting:
    """It is being deleted."""


@dataclass(frozen=True, slots=True)
class ImagePending:
    """The commit's image has not come."""

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
    crashed_container: CrashedContainer | None = None
    """whose last words may say why"""


@dataclass(frozen=True, slots=True)
class RolloutProgressing:
    """The image has come and is being rolled out; `held` says what holds it back, if something does."""

    image: str
    detail: str = ""
    blocked_by: str = ""
    blocked_hint: str = ""


@dataclass(frozen=True, slots=True)
class RolloutComplete:
    """At this look all pods are new, available and alike."""

    image: str
    detail: str = ""


Assessment = Deleting | ImagePending | ImageUnproven | RolloutFailed | RolloutProgressing | RolloutComplete
