"""The objects of a cluster over time, from a recording or a script."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.text.json_fields import Json

ClusterTimeline = Callable[[float], Sequence[Json]]
"""returns all objects of the cluster, by the seconds since its start"""

PLURALS = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "ReplicaSet": "replicasets",
    "ControllerRevision": "controllerrevisions",
    "Pod": "pods",
    "Event": "events",
    "CronJob": "cronjobs",
    "Job": "jobs",
    "Kustomization": "kustomizations",
    "Application": "applications",
    "Rollout": "rollouts",
}
GROUP_VERSIONS = {
    "pods": "v1",
    "events": "v1",
    "cronjobs": "batch/v1",
    "jobs": "batch/v1",
    "kustomizations": "kustomize.toolkit.fluxcd.io/v1",
    "applications": "argoproj.io/v1alpha1",
    "rollouts": "argoproj.io/v1alpha1",
}
"""the group and version of a resource, by its plural; `apps/v1` for the others"""


def group_version(plural: str) -> str:
    """Return the group and version of a resource, as in its `apiVersion`; without a group, it is a core resource."""
    return GROUP_VERSIONS.get(plural, "apps/v1")


def group_of(plural: str) -> str:
    """Return the group of a resource; empty for a core resource."""
    return group_version(plural).rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class ObjectScript:
    """Objects by the seconds from which they are there."""

    steps: Sequence[tuple[float, Sequence[Json]]]

    def at(self, t: float) -> Sequence[Json]:
        """Return the objects `t` seconds after the start; those of the first step also before its time."""
        return next((objects for since, objects in reversed(self.steps) if since <= t), self.steps[0][1])


@dataclass(frozen=True, slots=True)
class RolloutRecording:
    """A recorded rollout; the first snapshot also applies before its time, and the last one after the end."""

    kind: str
    namespace: str
    name: str
    snapshots: tuple[Json, ...]

    @classmethod
    def load(cls, path: Path) -> RolloutRecording:
        """Read a gzip-compressed JSON recording."""
        raw = json.loads(gzip.decompress(path.read_bytes()))
        return cls(raw["kind"], raw["namespace"], raw["name"], tuple(raw["snapshots"]))

    @property
    def end_s(self) -> float:
        """Return the time of the last snapshot, in seconds."""
        return float(self.snapshots[-1]["t"])

    def at(self, t: float) -> Sequence[Json]:
        """Return the objects `t` seconds after the start."""
        snapshot = next((each for each in reversed(self.snapshots) if each["t"] <= t), self.snapshots[0])
        workload = snapshot.get(self.kind)
        revisions = snapshot.get("replicasets") or snapshot.get("controllerrevisions") or []
        return [*([workload] if workload else []), *revisions, *snapshot["pods"]]


def select_objects(objects: Sequence[Json], plural: str, namespace: str, selector: str = "") -> list[Json]:
    """Return the objects of one kind (by its plural) in a namespace that match a selector such as `app=web,tier`."""
    wanted = [part.partition("=") for part in selector.split(",") if part]
    return [
        each
        for each in objects
        if PLURALS[each["kind"]] == plural
        and each["metadata"]["namespace"] == namespace
        and all(_has_label(each, key.strip(), value.strip("=")) for key, _, value in wanted)
    ]


def _has_label(raw: Json, key: str, value: str) -> bool:
    labels = raw["metadata"].get("labels") or {}
    return key in labels and (not value or labels[key] == value)
