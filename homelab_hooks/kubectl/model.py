"""What we know about a workload: the facts of one look, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

from homelab_hooks.errors import CommandError


class WorkloadKind(StrEnum):
    """The kinds of workload that can be waited for."""

    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    DAEMONSET = "daemonset"


_KINDS = {
    **dict.fromkeys(
        ("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"), WorkloadKind.DEPLOYMENT
    ),
    **dict.fromkeys(
        ("statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"), WorkloadKind.STATEFULSET
    ),
    **dict.fromkeys(("daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"), WorkloadKind.DAEMONSET),
}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class WorkloadTarget:
    """One workload in the cluster.

    >>> str(WorkloadTarget.parse("shop/web")), str(WorkloadTarget.parse("shop/sts/db"))
    ('shop/web', 'shop/statefulset/db')
    """

    namespace: str
    kind: WorkloadKind
    name: str

    @classmethod
    def parse(cls, text: str) -> WorkloadTarget:
        """NAMESPACE/NAME (a Deployment) or NAMESPACE/KIND/NAME, the kind also by kubectl's short names.

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
            raise CommandError(f"{text!r} is not a deploy target", hint="write NAMESPACE/NAME or NAMESPACE/KIND/NAME")
        if kind.lower() not in _KINDS:
            raise CommandError(
                f"{text!r} is not a deploy target: {kind!r} is not a kind that can be waited for",
                hint="a kind is deployment, statefulset or daemonset",
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
    """What pods are made from, as far as a proof can be found in it; two that differ make different pods."""

    containers: tuple[Container, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaCounts:
    """The workload's own counters; absent ones are 0, as the API means it."""

    desired: int
    total: int
    updated: int
    available: int
    unavailable: int = 0
    ready: int = 0

    @property
    def is_rolled_out(self) -> bool:
        """All wanted pods are new and available, and no other pod is counted."""
        return self.total == self.updated == self.available == self.desired and not self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet as it was read once."""

    uid: str
    generation: int
    observed: int
    """the newest generation that its controller has taken up; 0 for none"""
    template: Template
    counts: ReplicaCounts
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    selector: str = ""
    """its pods' labels in kubectl's syntax"""
    revision: str = ""
    """its current revision: a number for Deployments, a name for StatefulSets, not told by DaemonSets"""
    deleting: bool = False
    paused: bool = False
    progress_deadline_message: str = ""
    """the progress deadline passed: the controller's words"""
    cannot_create: str = ""
    """pods cannot be created (a quota, an admission): the controller's words"""
    uses_on_delete: bool = False
    """pods are replaced only when somebody deletes them"""
    partition: int = 0
    """pods with a lower ordinal stay old"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A ReplicaSet or ControllerRevision of a workload."""

    name: str
    uid: str
    number: int
    template: Template
    hash: str = ""
    """how its pods' label names it, where pods belong to the workload itself"""


class ContainerPhase(Enum):
    """What a container is doing."""

    UNKNOWN = auto()
    WAITING = auto()
    RUNNING = auto()
    TERMINATED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """A container of a pod: `reason`, `message` and `exit_code` of its phase, the `last_` ones of its run before."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of a workload, by owner."""

    name: str
    uid: str
    revision: str
    """name of the revision that made it; empty when that is gone"""
    ready: bool = False
    terminating: bool = False
    finished: bool = False
    """it runs no more (evicted, failed, succeeded) and only lingers in the list"""
    unschedulable: str = ""
    """why no node takes it: the scheduler's words"""
    containers: tuple[ContainerState, ...] = ()

    @property
    def is_active(self) -> bool:
        """It runs or is about to, and is not on its way out."""
        return not self.terminating and not self.finished

    @property
    def restarts(self) -> int:
        """Restarts of all its containers, init containers included."""
        return sum(container.restarts for container in self.containers)
