"""The result of one poll with kubectl, and what the probe keeps until the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.kubernetes.pod_failures import ObservedProblem
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.events import PodWarning
from homelab_hooks.kubectl.model import Pod, Revision, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The workload, its revisions, and its pods at one moment, and what is known about their images."""

    workload: Workload
    kind: WorkloadKind = WorkloadKind.DEPLOYMENT
    revisions: tuple[Revision, ...] = ()
    pods: tuple[Pod, ...] = ()
    without_pods: bool = False
    """revisions and pods were not requested, because the workload alone is enough"""
    is_template_only: bool = False
    """whether it has no pods to read, as a CronJob: only the template can show the commit"""
    watched: bool = False
    """whether a watch is up that would end the sleep early"""
    warnings: Mapping[str, PodWarning] = field(default_factory=dict)
    """the newest warning about each pod, by its uid; requested only while pods do not become ready"""
    warned_at: float | None = None
    """when the warnings were requested"""
    taken_at: float | None = None
    """when its pods were requested, in the clock's seconds; None: at the moment of the assessment"""
    unchanged_since: float | None = None
    """since when the workload and its active pods have had the versions that were read, in the clock's seconds"""
    evidence: Evidence = field(default_factory=Evidence)


def template_snapshot(workload: Workload, evidence: Evidence | None = None) -> Snapshot:
    """Return the snapshot of a CronJob: it has pods only while it runs, and its template shows what they will be."""
    return Snapshot(
        workload=workload, kind=WorkloadKind.CRONJOB, evidence=evidence or Evidence(), without_pods=True,
        is_template_only=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOnly:
    """The workload alone, between two snapshots: enough for the progress, never for a verdict."""

    workload: Workload
    watched: bool = False
    missing: str = ""
    """why the rest of a snapshot could not be read; empty if it was not requested"""


RolloutObservation = Snapshot | WorkloadOnly


@dataclass(frozen=True, slots=True)
class PodProgress:
    """The numbers of ready and old pods in one poll."""

    ready: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadMemory:
    """What the probe keeps of one workload between two polls; times in the clock's seconds."""

    last_workload: Workload | None = None
    """the workload as it was last read, or received from a watch"""
    last_snapshot: Snapshot | None = None
    """the last snapshot with all its parts"""
    last_snapshot_at: float = 0.0
    counters_changed_at: float
    """when its template or size last changed"""
    changed_at: float
    """when its counters last changed"""
    pods_climbed_at: float
    """when the last pod was created from its current template"""
    watched: bool = False
    """whether a watch is up that would end the sleep early"""
    pod_progress: PodProgress | None = None
    first_restarts: Mapping[str, int] = field(default_factory=dict)
    """restarts by the pod's uid, in the first poll that saw the pod"""
    unready_since: Mapping[str, float] = field(default_factory=dict)
    """when each pod was first seen to be not ready, or terminating, by its uid"""
    evidence: tuple[ObservedProblem, ...] = ()
    undecided_since: float | None = None
    """since when the evidence about the image has been incomplete"""
    outage_since: float | None = None
    """since when a server that has the evidence has not answered"""
    proof_is_in_pods: bool = False
    """whether the last poll read the pods to find out what runs"""


def get_memory(state: RolloutState) -> WorkloadMemory:
    """Return what the probe keeps of this workload; before the first poll, an empty one that begins with the wait."""
    if isinstance(state.memory, WorkloadMemory):
        return state.memory
    return WorkloadMemory(counters_changed_at=state.began, changed_at=state.began, pods_climbed_at=state.began)


def workload_target(state: RolloutState) -> WorkloadTarget:
    """Return the workload that is waited for. Raises TypeError for another probe's target."""
    if not isinstance(state.target, WorkloadTarget):
        raise TypeError(f"{state.target} is not a Kubernetes workload")
    return state.target


def describe_command(target: WorkloadTarget) -> str:
    """Return the hint with the command that shows more of a target."""
    return f"see `kubectl -n {target.namespace} describe {target.kind.resource}/{target.name}`"


def keep_known_kind(poll: Found[T] | NotFound | Unavailable | Denied, state: RolloutState) -> Poll[T]:
    """Return the poll; if the cluster no longer has a kind that it had during this wait, nothing is known.

    Its API server is being restarted, or the controller that defines the kind is being upgraded.
    """
    if isinstance(poll, NotFound) and poll.hint and state.uid:
        return Unavailable(poll.reason, FailureKind.STATUS)
    return poll
