"""The objects of Flux, Argo CD, Argo Rollouts, and CronJobs, as an API server returns them.

Written by hand from the projects' API documentation (`kubectl.flux`, `kubectl.argo_cd`, `kubectl.argo_rollout`), not
recorded.
"""

from __future__ import annotations

import uuid
from typing import Any

from homelab_hooks.simulators.kubernetes.objects import stamp_version
from homelab_hooks.text.json_fields import Json

NAMESPACE = "shop"


def make_kustomization(
    applied: str, attempted: str = "", ready: str = "True", *, observed: int = 2, generation: int = 2, **more: Any
) -> Json:
    """Return the Kustomization `web`.

    Args:
        ready: the status of the condition Ready, and after a space its reason.
        observed: the observed generation of the status and of the condition.
        more: fields of the status; `spec` is merged into the spec.
    """
    status, _, reason = ready.partition(" ")
    condition = {"type": "Ready", "status": status, "reason": reason or "ReconciliationSucceeded", "message": "said so"}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": make_metadata("web", generation=generation),
        "spec": {"sourceRef": {"kind": "GitRepository", "name": "web"}, **more.pop("spec", {})},
        "status": {
            "observedGeneration": observed,
            "lastAppliedRevision": applied,
            "lastAttemptedRevision": attempted or applied,
            "conditions": [{**condition, "observedGeneration": observed}],
            **more,
        },
    }


def make_application(
    revision: str | tuple[str, ...], sync: str = "Synced", health: str = "Healthy", *,
    operation: tuple[str, str] | None = None, auto: bool = True, **more: Any,
) -> Json:  # fmt: skip
    """Return the application `web`.

    Args:
        revision: what the live objects are compared with; a tuple if it has several sources.
        operation: the revision and the phase of the last sync operation; None if there was none.
        auto: whether auto-sync is on.
        more: fields of the status; `requested` is an operation that has not begun.
    """
    several = isinstance(revision, tuple)
    requested = more.pop("requested", None)
    status: dict[str, Any] = {
        "sync": {"status": sync, "revisions" if several else "revision": revision},
        "health": {"status": health},
        **more,
    }
    if operation is not None:
        result = {"revision": operation[0]}
        status["operationState"] = {"phase": operation[1], "message": "said so", "syncResult": result}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": make_metadata("web", generation=7),
        "spec": {"syncPolicy": {"automated": {}} if auto else {}},
        "status": status,
        **({"operation": requested} if requested is not None else {}),
    }


def make_cron_job(tag: str, *, suspended: bool = False, active: tuple[str, ...] = ()) -> Json:
    """Return the CronJob `web`; `active` are the names of its running Jobs."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": make_metadata("web", generation=2),
        "spec": {"suspend": suspended, "jobTemplate": {"spec": {"template": make_pod_template(tag, "web")}}},
        "status": {"active": [{"kind": "Job", "name": name} for name in active]},
    }


def make_job(name: str, tag: str) -> Json:
    """Return a running Job of the CronJob `web`."""
    owner = {"kind": "CronJob", "name": "web", "uid": make_uid("web"), "controller": True}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**make_metadata(name, generation=1), "ownerReferences": [owner]},
        "spec": {"template": make_pod_template(tag, name)},
        "status": {"active": 1},
    }


def make_rollout(tag: str, phase: str = "Healthy", *, observed: str = "2", **more: Any) -> list[Json]:
    """Return the Rollout `web` with one pod, its ReplicaSet, and the pod, all of this tag.

    Args:
        observed: the observed generation, which Argo Rollouts writes as a string.
        more: fields of the status; `spec` is merged into the spec.
    """
    steps = {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "strategy": steps, **more.pop("spec", {})}
    status = {
        "observedGeneration": observed, "phase": phase, "currentPodHash": tag, "stableRS": tag, "replicas": 1,
        "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, **more,
    }  # fmt: skip
    rollout = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": make_metadata("web", generation=2),
        "spec": {"template": make_pod_template(tag, "web"), **spec},
        "status": status,
    }
    return [stamp_version(rollout), make_rollout_replica_set(tag), make_rollout_pod(tag)]


def make_rollout_replica_set(tag: str) -> Json:
    """Return the ReplicaSet of a tag, whose hash is the tag, with a label that the Rollout adds to canaries."""
    labels = {"app": "web", "rollouts-pod-template-hash": tag}
    template = make_pod_template(tag, "web")
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            **make_metadata(f"web-{tag}", generation=1, labels=labels), "ownerReferences": [_owner("Rollout", "web")],
        },
        "spec": {"template": {**template, "metadata": {"labels": {**labels, "role": "canary"}}}},
    }  # fmt: skip


def make_rollout_pod(tag: str, *, ready: bool = True) -> Json:
    """Return the pod of a tag."""
    labels = {"app": "web", "rollouts-pod-template-hash": tag}
    state = {"name": "app", "ready": ready, "restartCount": 0, "state": {"running": {}}}
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [state],
    }
    meta = make_metadata(f"web-{tag}-x", generation=1, labels=labels)
    return stamp_version({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "ownerReferences": [_owner("ReplicaSet", f"web-{tag}")]},
        "spec": make_pod_template(tag, "web")["spec"],
        "status": status,
    })  # fmt: skip


def make_pod_template(tag: str, name: str) -> Json:
    """Return a pod template whose container runs an image of this tag."""
    containers = [{"name": "app", "image": f"registry.example.test/app:{tag}"}]
    return {"metadata": {"labels": {"app": "web", "job-name": name}}, "spec": {"containers": containers}}


def make_metadata(name: str, *, generation: int, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the metadata of an object; its uid follows from its name."""
    return {
        "name": name, "namespace": NAMESPACE, "uid": make_uid(name), "generation": generation,
        "resourceVersion": "1", "labels": labels or {}, "annotations": {},
    }  # fmt: skip


def make_uid(name: str) -> str:
    """Return the uid of an object of this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{NAMESPACE}/{name}"))


def _owner(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "uid": make_uid(name), "controller": True}
