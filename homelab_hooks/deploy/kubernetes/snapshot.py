"""What one look with kubectl returns, and what the probe keeps of it for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homelab_hooks.deploy.kubernetes.pod_failures import ObservedProblem
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.model import Pod, Revision, Workload, WorkloadTarget


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


@dataclass(frozen=True, slots=True)
class PodProgress:
    """How far the pods were at a look."""

    ready: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadMemory:
    """What the probe knows of one workload between two looks; times in the clock's seconds."""

    last_workload: Workload | None = None
    """the workload as it was read or heard last"""
    last_snapshot: Snapshot | None = None
    """the last snapshot with all its parts"""
    last_snapshot_at: float = 0.0
    counters_changed_at: float
    """since when it has this template and this size"""
    changed_at: float
    """since when its counters are as they are"""
    pods_climbed_at: float
    """when the last pod was made from its present template"""
    watched: bool = False
    """a change would end the sleep early"""
    pod_progress: PodProgress | None = None
    first_restarts: Mapping[str, int] = field(default_factory=dict)
    """of each pod by its uid, at the first look that saw it"""
    evidence: tuple[ObservedProblem, ...] = ()


def memory_of(state: RolloutState) -> WorkloadMemory:
    """Return what the probe kept of this workload; before the first look, that nothing has changed since the start."""
    if isinstance(state.memory, WorkloadMemory):
        return state.memory
    return WorkloadMemory(counters_changed_at=state.began, changed_at=state.began, pods_climbed_at=state.began)


def workload_target(state: RolloutState) -> WorkloadTarget:
    """Return the workload that is waited for. Raises TypeError for another probe's target."""
    if not isinstance(state.target, WorkloadTarget):
        raise TypeError(f"{state.target} is not a Kubernetes workload")
    return state.target
