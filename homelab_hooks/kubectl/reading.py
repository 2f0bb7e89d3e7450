"""The JSON of workloads and revisions, read into facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homelab_hooks.kubectl.facts import Container, Counts, Kind, Revision, Template, Workload
from homelab_hooks.text import clean

_REVISION = "deployment.kubernetes.io/revision"
_ADDED_BY_CONTROLLER = "pod-template-hash"
_LARGEST = 2**53

Json = Mapping[str, Any]


def workload(kind: Kind, raw: Json) -> Workload:
    """A workload from its object.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is no such object.
    """
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    strategy = spec.get("updateStrategy") or {}
    annotations = texts(meta.get("annotations"))
    return Workload(
        uid=str(meta["uid"]),
        generation=whole(meta["generation"]),
        observed=whole(status.get("observedGeneration")),
        template=template(spec["template"]),
        counts=_counts(kind, spec, status),
        annotations=annotations,
        labels=texts(meta.get("labels")),
        selector=selector(spec.get("selector") or {}),
        revision=annotations.get(_REVISION, "") if kind is Kind.DEPLOYMENT else clean(status.get("updateRevision", "")),
        deleting=bool(meta.get("deletionTimestamp")),
        paused=bool(spec.get("paused")),
        deadline_passed=_condition(conditions, "Progressing", "ProgressDeadlineExceeded"),
        cannot_create=_condition(conditions, "ReplicaFailure", ""),
        on_delete=strategy.get("type") == "OnDelete",
        partition=whole((strategy.get("rollingUpdate") or {}).get("partition")) if kind is Kind.STATEFULSET else 0,
    )


def revisions(uid: str, raw: Json) -> tuple[Revision, ...]:
    """The revisions in a list that the workload with this uid owns."""
    return tuple(_revision(item) for item in raw["items"] if uid in owners(item))


def cannot_create(uid: str, raw: Json) -> str:
    """The message of the newest event about making pods, if it tells of a failure."""
    about = [
        each
        for each in raw["items"]
        if each["involvedObject"].get("uid") == uid and each.get("reason") in {"FailedCreate", "SuccessfulCreate"}
    ]
    newest = max(about, key=_when, default=None)
    return clean(newest["message"]) if newest is not None and newest["reason"] == "FailedCreate" else ""


def _when(event: Json) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp"))


def template(raw: Json) -> Template:
    """A pod template; what controllers add to it by themselves is left out."""
    meta = raw.get("metadata") or {}
    labels = texts(meta.get("labels"))
    labels.pop(_ADDED_BY_CONTROLLER, None)
    return Template(
        containers=tuple(_container(each) for each in raw["spec"]["containers"]),
        annotations=texts(meta.get("annotations")),
        labels=labels,
    )


def selector(raw: Json) -> str:
    """A label selector in kubectl's syntax.

    >>> selector({"matchLabels": {"app": "web"}, "matchExpressions": [
    ...     {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "canary", "operator": "DoesNotExist"}]})
    'app=web,tier in (a,b),!canary'
    """
    parts = [f"{key}={value}" for key, value in (raw.get("matchLabels") or {}).items()]
    for each in raw.get("matchExpressions") or ():
        key, values = each["key"], ",".join(each.get("values") or ())
        match each["operator"]:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
            case other:
                raise ValueError(other)
    return ",".join(parts)


def owners(raw: Json) -> set[str]:
    """The uids of what controls an object."""
    return {str(ref["uid"]) for ref in raw["metadata"].get("ownerReferences") or () if ref.get("controller")}


def whole(value: Any) -> int:
    """A count, 0 where there is none. Raises ValueError or TypeError where it is none, or larger than any there is."""
    number = int(value or 0)
    if abs(number) > _LARGEST:
        raise ValueError("no count is so large")
    return number


def texts(raw: Json | None) -> dict[str, str]:
    """Annotations or labels, fit to be shown."""
    return {str(key): clean(str(value)) for key, value in (raw or {}).items()}


def _revision(raw: Json) -> Revision:
    meta = raw["metadata"]
    history = raw.get("data")  # a ControllerRevision has one
    return Revision(
        name=clean(meta["name"]),
        uid=str(meta["uid"]),
        number=whole(raw.get("revision") or (meta.get("annotations") or {}).get(_REVISION)),
        template=template((history if history is not None else raw)["spec"]["template"]),
        hash=clean((meta.get("labels") or {}).get("controller-revision-hash", "")),
    )


def _container(raw: Json) -> Container:
    env = {str(each["name"]): clean(str(each["value"])) for each in raw.get("env") or () if "value" in each}
    return Container(clean(raw["name"]), clean(raw.get("image") or ""), env)


def _counts(kind: Kind, spec: Json, status: Json) -> Counts:
    if kind is Kind.DAEMONSET:
        return Counts(
            desired=whole(status.get("desiredNumberScheduled")),
            total=whole(status.get("currentNumberScheduled")),
            updated=whole(status.get("updatedNumberScheduled")),
            available=whole(status.get("numberAvailable")),
            unavailable=whole(status.get("numberUnavailable")),
            ready=whole(status.get("numberReady")),
        )
    return Counts(
        desired=whole(spec.get("replicas", 1)),
        total=whole(status.get("replicas")),
        updated=whole(status.get("updatedReplicas")),
        available=whole(status.get("availableReplicas")),
        unavailable=whole(status.get("unavailableReplicas")),
        ready=whole(status.get("readyReplicas")),
    )


def _condition(conditions: Mapping[str, Json], name: str, reason: str) -> str:
    """The message of a condition that tells of trouble; empty where there is none."""
    found = conditions.get(name) or {}
    bad = found.get("reason") == reason if reason else found.get("status") == "True"
    return clean(found.get("message") or found.get("reason") or name) if bad else ""
