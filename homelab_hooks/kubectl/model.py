"""Workloads, revisions, and pods as one request returned them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from homelab_hooks.errors import CommandError


class WorkloadKind(StrEnum):
    """Kinds of workload whose rollout can be awaited."""

    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    DAEMONSET = "daemonset"
    ROLLOUT = "rollout"
    """of Argo Rollouts"""
    CRONJOB = "cronjob"
    KUSTOMIZATION = "kustomization"
    """of Flux"""
    APPLICATION = "application"
    """of Argo CD"""

    @property
    def resource(self) -> str:
        """Return the resource as kubectl is asked for it: with its group where other groups may have the kind too."""
        group = _GROUPS[self]
        return self.value if group == "apps" else f"{self.value}s.{group}"

    @property
    def owns_pods(self) -> bool:
        """Return whether its pods are those of a rollout: it replaces them, and its status counts them."""
        return self not in {WorkloadKind.CRONJOB, WorkloadKind.KUSTOMIZATION, WorkloadKind.APPLICATION}


_GROUPS = {
    WorkloadKind.DEPLOYMENT: "apps",
    WorkloadKind.STATEFULSET: "apps",
    WorkloadKind.DAEMONSET: "apps",
    WorkloadKind.ROLLOUT: "argoproj.io",
    WorkloadKind.CRONJOB: "batch",
    WorkloadKind.KUSTOMIZATION: "kustomize.toolkit.fluxcd.io",
    WorkloadKind.APPLICATION: "argoproj.io",
}
_SHORT_NAMES = {
    "deploy": WorkloadKind.DEPLOYMENT,
    "sts": WorkloadKind.STATEFULSET,
    "ds": WorkloadKind.DAEMONSET,
    "ro": WorkloadKind.ROLLOUT,
    "cj": WorkloadKind.CRONJOB,
    "ks": WorkloadKind.KUSTOMIZATION,
    "app": WorkloadKind.APPLICATION,
    "apps": WorkloadKind.APPLICATION,
}
_KINDS = _SHORT_NAMES | {
    f"{name}{suffix}": kind
    for kind, group in _GROUPS.items()
    for name in (kind.value, f"{kind.value}s")
    for suffix in ("", f".{group}")
}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class WorkloadTarget:
    """One workload in the cluster, or one resource of a tool that deploys workloads.

    >>> str(WorkloadTarget.parse("shop/web")), str(WorkloadTarget.parse("shop/sts/db"))
    ('shop/web', 'shop/statefulset/db')
    >>> str(WorkloadTarget.parse("flux-system/kustomizations.kustomize.toolkit.fluxcd.io/apps"))
    'flux-system/kustomization/apps'
    """

    namespace: str
    kind: WorkloadKind
    name: str

    @classmethod
    def parse(cls, text: str) -> WorkloadTarget:
        """Parse NAMESPACE/NAME (a Deployment) or NAMESPACE/KIND/NAME; kubectl's short names of the kind are accepted.

        Raises:
            CommandError: the text is neither.
        """
        match text.split("/"):
            case [namespace, name]:
                kind = WorkloadKind.DEPLOYMENT.value
            case [namespace, kind, name]:
                pass
            case _:
                namespace = kind = name = ""
        if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(name)):
            raise CommandError(f"{text!r} is not a workload", hint="expected NAMESPACE/NAME or NAMESPACE/KIND/NAME")
        if kind.lower() not in _KINDS:
            raise CommandError(
                f"{text!r} is not a workload: {kind!r} is not a supported kind",
                hint=f"expected the kind {', '.join(list(WorkloadKind)[:-1])}, or {list(WorkloadKind)[-1]}",
            )
        return cls(namespace, _KINDS[kind.lower()], name)

    def __str__(self) -> str:
        middle = "" if self.kind is WorkloadKind.DEPLOYMENT else f"{self.kind}/"
        return f"{self.namespace}/{middle}{self.name}"


@dataclass(frozen=True, slots=True)
class Container:
    """A main container of a template."""

    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """The part of a pod template in which a commit can be named; different templates create different pods."""

    containers: tuple[Container, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaCounts:
    """The workload's own counters; absent ones are 0, as in the API."""

    desired: int
    total: int
    updated: int
    available: int
    unavailable: int = 0
    ready: int = 0

    @property
    def is_rolled_out(self) -> bool:
        """Return whether all desired pods are updated and available, and no other pod is counted."""
        return self.total == self.updated == self.available == self.desired and not self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPhase:
    """What the controller of Argo Rollouts reports beyond what a Deployment's does."""

    finished: bool
    """its phase is Healthy, and the current revision is the stable one: every step has been taken"""
    detail: str = ""
    """the phase, the canary step, and the controller's message"""
    paused_by: str = ""
    """why it is paused, in the controller's terms (such as CanaryPauseStep); empty if it is not"""
    degraded: str = ""
    """the controller's message if the rollout is degraded or aborted"""
    template_of: str = ""
    """the workload whose template it runs instead of its own (`workloadRef`)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet, Rollout, or CronJob as one request returned it."""

    uid: str
    generation: int
    observed: int
    """the newest generation that its controller has observed; 0 for none"""
    template: Template
    counts: ReplicaCounts
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    selector: str = ""
    """its pods' labels in kubectl's syntax"""
    matches_own_selector: bool = False
    """its own labels match the selector too, so that one call can list its pods and the workload"""
    revision: str = ""
    """its current revision: a number for Deployments, a name for StatefulSets, a hash for Rollouts, else empty"""
    deleting: bool = False
    paused: bool = False
    progress_deadline_message: str = ""
    """the controller's message if the progress deadline passed"""
    cannot_create: str = ""
    """the controller's message if pods cannot be created (a quota, an admission webhook)"""
    uses_on_delete: bool = False
    """pods are replaced only when the user deletes them"""
    partition: int = 0
    """pods with a lower ordinal are not updated"""
    phase: RolloutPhase | None = None
    """what the controller of a Rollout reports about it; None for other kinds"""
    resource_version: str = field(default="", compare=False)
    """the version of the object: another one after each change, and never the same again"""


class PodsAndWorkload(NamedTuple):
    """The pods of a workload, and the workload as it was read after them."""

    pods: tuple[Pod, ...]
    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A ReplicaSet or ControllerRevision of a workload."""

    name: str
    uid: str
    number: int
    template: Template
    hash: str = ""
    """its name in the pods' label, where the workload itself owns the pods"""


class ContainerPhase(Enum):
    """The state of a container."""

    UNKNOWN = auto()
    WAITING = auto()
    RUNNING = auto()
    TERMINATED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """A container of a pod: `reason`, `message`, and `exit_code` of its phase, the `last_` ones of its run before."""

    name: str
    init: bool = False
    ready: bool = False
    restarts: int = 0
    phase: ContainerPhase = ContainerPhase.UNKNOWN
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    last_reason: str = ""
    last_exit_code: int | None = None
    digest: str = ""
    """what tells two images apart: the digest of the manifest, or else the image's own ID"""
    manifest_digest: str = ""
    """by which a registry knows the image; empty if it was built or imported on the node"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod that a workload owns."""

    name: str
    uid: str
    revision: str
    """name of the revision that created it; empty if that was deleted"""
    ready: bool = False
    terminating: bool = False
    finished: bool = False
    """it has ended (evicted, failed, succeeded) and is still listed"""
    unschedulable: str = ""
    """the scheduler's message if no node can run it"""
    node: str = ""
    """the node that it runs on; empty until it is scheduled"""
    containers: tuple[ContainerState, ...] = ()
    resource_version: str = field(default="", compare=False)
    """as that of a workload"""

    @property
    def is_active(self) -> bool:
        """Return whether it runs or will run, and is not terminating."""
        return not self.terminating and not self.finished

    @property
    def restarts(self) -> int:
        """Return the restarts of all its containers, init containers included."""
        return sum(container.restarts for container in self.containers)
