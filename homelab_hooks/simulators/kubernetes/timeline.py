"""The objects of a cluster over time: recorded ones, or written down."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
ClusterTimeline = Callable[[float], Sequence[Json]]
"""all objects of the cluster, so many seconds after it began"""

PLURALS = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "ReplicaSet": "replicasets",
    "ControllerRevision": "controllerrevisions",
    "Pod": "pods",
    "Event": "events",
}


@dataclass(frozen=True, slots=True)
class RolloutRecording:
    """A recorded rollout; before its first snapshot it shows that one, after the last it goes on as that."""

    kind: str
    namespace: str
    name: str
    snapshots: tuple[Json, ...]

    @classmethod
    def load(cls, path: Path) -> RolloutRecording:
        """Read a gzip-compressed recording."""
        raw = json.loads(gzip.decompress(path.read_bytes()))
        return cls(raw["kind"], raw["namespace"], raw["name"], tuple(raw["snapshots"]))

    @property
    def end_s(self) -> float:
        """The time of its last snapshot, in seconds."""
        return float(self.snapshots[-1]["t"])

    def at(self, t: float) -> Sequence[Json]:
        """All objects as they were."""
        snapshot = next((each for each in reversed(self.snapshots) if each["t"] <= t), self.snapshots[0])
        workload = snapshot.get(self.kind)
        revisions = snapshot.get("replicasets") or snapshot.get("controllerrevisions") or []
        return [*([workload] if workload else []), *revisions, *snapshot["pods"]]


def select_objects(objects: Sequence[Json], plural: str, namespace: str, selector: str = "") -> list[Json]:
    """The objects of one kind (by its plural), in a namespace, with labels such as `app=web,tier`."""
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
