"""What is asked about a workload, what one look shows of it, and what the answer may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homelab_hooks.deploy.kubernetes.pod_failures import CrashedContainer
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.image_ref import Proof
from homelab_hooks.kubectl.model import Pod, Revision, Workload
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Which commit, proven how."""

    sha: str
    proof: Proof
    container: str = ""
    """the one container that proves; empty for every one whose image names a commit"""
    exact: bool = False
    """a newer commit that contains ours does not count"""

    @property
    def short_sha(self) -> str:
        """The commit as people read it."""
        return short_sha(self.sha, IMAGE_SHA_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutTimeouts:
    """How long to wait for what, in seconds."""

    rollout_timeout: float
    settle: float
    unreachable_timeout: float
    wait_for_workload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The workload, its revisions and pods at one moment; `kin` says what git knows of the names on it."""

    workload: Workload
    revisions: tuple[Revision, ...] = ()
    pods: tuple[Pod, ...] = ()
    without_pods: bool = False
    """revisions and pods were not asked for, because the workload alone tells"""
    watched: bool = False
    """news will wake us"""
    taken_at: float | None = None
    """just before its pods were asked for; None where that was at the moment it is judged"""
    containment: Mapping[str, Containment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOnly:
    """The workload alone, between two snapshots: how far it is, never a verdict."""

    workload: Workload
    watched: bool = False


RolloutObservation = Snapshot | WorkloadOnly


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutOutcome:
    """What the wait for one workload came to."""

    exit: ExitCode
    reason: str
    hint: str = ""
    image: str = ""
    crashed_container: CrashedContainer | None = None
    """whose last words may say why"""
