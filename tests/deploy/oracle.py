"""Whether a rollout is done, read from the raw objects by a rule of its own: what the judgment is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homelab_hooks.text.json_fields import Json

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet"}


def done(objects: Sequence[Json], wanted: str) -> bool:
    """As many pods as wanted live, each is ready with the wanted tag in `app`, and the workload wants that tag."""
    workload = next((each for each in objects if each["kind"] in WORKLOADS), None)
    if workload is None or tag(workload["spec"]["template"]) != wanted:
        return False
    alive = [each for each in objects if each["kind"] == "Pod" and lives(each)]
    return len(alive) >= max(1, desired(workload)) and all(serves(each, wanted) for each in alive)


def desired(workload: Json) -> int:
    """How many pods are wanted."""
    if workload["kind"] == "DaemonSet":
        return int(workload["status"].get("desiredNumberScheduled", 0))
    return int(workload["spec"]["replicas"])


def lives(pod: Json) -> bool:
    """It is not on its way out, and has not ended."""
    return "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") not in {"Failed", "Succeeded"}


def serves(pod: Json, wanted: str) -> bool:
    """It is ready, and its main container is the wanted one."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return tag(pod) == wanted and conditions.get("Ready") == "True"


def tag(raw: Any) -> str:
    """The tag of the container `app`."""
    images = [each["image"] for each in raw["spec"]["containers"] if each["name"] == "app"]
    return str(images[0]).rpartition(":")[2]
