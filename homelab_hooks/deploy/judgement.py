"""What one snapshot may come to, and what of the looks before it counts."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.deploy.trouble import Crashed, Evidence, Trouble
from homelab_hooks.kubectl.facts import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier looks left behind for the judgement of this one."""

    kind: Kind
    first: bool = False
    """no look saw the workload before"""
    came: str = ""
    """the proving image that was seen before; empty when none came yet"""
    earlier: tuple[str, ...] = ()
    """the images it ran before that"""
    moved: bool = False
    """the pods are further than at the look before"""
    evidence: tuple[Evidence, ...] = ()
    hopeless: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Vanishing:
    """It is being deleted."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The commit's image has not come."""

    detail: str
    image: str


@dataclass(frozen=True, slots=True)
class Unproven:
    """It cannot be shown that the workload runs the commit, and waiting changes nothing."""

    reason: str
    hint: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The rollout failed."""

    reason: str
    image: str = ""
    crashed: Crashed | None = None
    """whose last words may say why"""


@dataclass(frozen=True, slots=True)
class Rolling:
    """The image has come and is being rolled out; `held` says what holds it back, if something does."""

    image: str
    detail: str = ""
    held: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Complete:
    """At this look all pods are new, available and alike."""

    image: str
    detail: str = ""


Judgement = Vanishing | Awaiting | Unproven | Failed | Rolling | Complete
