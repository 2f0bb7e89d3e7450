"""The Kubernetes objects of a simulated rollout, as an API server returns them."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab_hooks.text.json_fields import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleApp:
    """A Deployment with one container."""

    namespace: str = "shop"
    name: str = "web"
    repository: str = "registry.example.test/app"
    replicas: int = 2
    moving_tag: str = ""
    """the tag of every image, such as latest; empty: the tag is that of the revision"""
    digests: Mapping[str, str] = field(default_factory=dict)
    """the digest of the image of each revision; others have one that is made up"""

    def image(self, revision: str) -> str:
        """Return the image that the template of a revision names."""
        return f"{self.repository}:{self.moving_tag or revision}"

    def image_id(self, revision: str) -> str:
        """Return the `imageID` of the pods of a revision."""
        made_up = f"sha256:{hashlib.sha256(revision.encode()).hexdigest()}"
        return f"{self.repository}@{self.digests.get(revision, made_up)}"


def make_deployment(app: SampleApp, tag: str, *, number: int, generation: int, counts: tuple[int, int, int]) -> Json:
    """Return the Deployment.

    Args:
        number: the revision, which is also the observed generation.
        counts: total, updated, and available pods.
    """
    total, updated, available = counts
    missing = total - available
    status: dict[str, Any] = {
        "observedGeneration": number, "replicas": total, "updatedReplicas": updated, "readyReplicas": available,
        "availableReplicas": available, **({"unavailableReplicas": missing} if missing else {}),
        "conditions": [{
            "type": "Progressing", "status": "True", "message": f"ReplicaSet of {app.name}",
            "reason": "ReplicaSetUpdated" if missing else "NewReplicaSetAvailable",
        }],
    }  # fmt: skip
    return stamp_version({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(app, app.name, generation=generation, annotations=_revision_annotation(number)),
        "spec": {
            "replicas": app.replicas,
            "selector": {"matchLabels": {"app": app.name}},
            "strategy": {"type": "RollingUpdate"},
            "progressDeadlineSeconds": 600,
            "template": _template(app, tag, {"app": app.name}),
        },
        "status": status,
    })  # fmt: skip


def make_replica_set(app: SampleApp, tag: str, *, number: int, replicas: int) -> Json:
    """Return the ReplicaSet of one image tag and revision."""
    name, labels = f"{app.name}-{tag}", {"app": app.name, "pod-template-hash": tag}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            **_meta(app, name, generation=1, annotations=_revision_annotation(number), labels=labels),
            "ownerReferences": [_owner("Deployment", app.name)],
        },
        "spec": {"replicas": replicas, "template": _template(app, tag, labels)},
        "status": {"replicas": replicas, "observedGeneration": 1},
    }


def make_pod(app: SampleApp, tag: str, name: str, state: str) -> Json:
    """Return a pod; `state`: creating, starting, ready, terminating, pulling, or `crashing N` with N restarts."""
    labels = {"app": app.name, "pod-template-hash": tag}
    image = app.image(tag)
    up = state in {"ready", "terminating"}
    meta = {
        **_meta(app, name, generation=1, labels=labels),
        "ownerReferences": [_owner("ReplicaSet", f"{app.name}-{tag}")],
        **({"deletionTimestamp": "2026-01-01T00:00:30Z"} if state == "terminating" else {}),
    }
    container = {
        "name": "app", "image": image, "ready": up, "restartCount": 0, "lastState": {},
        "imageID": app.image_id(tag) if up else "",
        "state": {"running": {}} if up or state == "starting" else {"waiting": {"reason": "ContainerCreating"}},
        **_failure_state(state, image),
    }  # fmt: skip
    conditions = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": "True" if up else "False"},
    ]
    status = {"phase": "Running" if up else "Pending", "conditions": conditions, "containerStatuses": [container]}
    spec = _template(app, tag, labels)["spec"]
    return stamp_version({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status})


def stamp_version(raw: dict[str, Any]) -> Json:
    """Return an object with a resource version that is another one after each change."""
    raw["metadata"]["resourceVersion"] = str(zlib.crc32(repr(raw).encode()))
    return raw


def _failure_state(state: str, image: str) -> dict[str, Any]:
    if state == "pulling":
        message = f'failed to resolve reference "{image}": {image}: not found'
        return {"state": {"waiting": {"reason": "ErrImagePull", "message": message}}}
    if state.startswith("crashing") and (restarts := int(state.split()[1])):
        ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
        return {
            "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}},
            "lastState": ended,
        }
    return {}


def _template(app: SampleApp, tag: str, labels: dict[str, str]) -> dict[str, Any]:
    container = {"name": "app", "image": app.image(tag)}
    # Each revision has a template of its own: `kubectl rollout restart` adds this annotation.
    restarted = {"annotations": {"kubectl.kubernetes.io/restartedAt": tag}} if app.moving_tag else {}
    return {"metadata": {"labels": labels, **restarted}, "spec": {"containers": [container]}}


def _meta(
    app: SampleApp,
    name: str,
    *,
    generation: int,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "name": name, "namespace": app.namespace, "uid": _uid(name), "generation": generation,
        "resourceVersion": "1", "labels": labels or {"app": app.name}, "annotations": annotations or {},
    }  # fmt: skip


def _revision_annotation(number: int) -> dict[str, str]:
    return {"deployment.kubernetes.io/revision": str(number)}


def _owner(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": _uid(name), "controller": True}


def _uid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
