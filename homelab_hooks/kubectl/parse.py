"""Parses the JSON of workloads and revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homelab_hooks.kubectl import argo_rollout
from homelab_hooks.kubectl.events import event_time
from homelab_hooks.kubectl.model import Container, ReplicaCounts, Revision, Template, Workload, WorkloadKind
from homelab_hooks.text.json_fields import MAX_INT, Json
from homelab_hooks.text.sanitize import replace_control_chars, strip_control_chars

_REVISION = "deployment.kubernetes.io/revision"
_ADDED_BY_CONTROLLER = ("pod-template-hash", argo_rollout.POD_HASH_LABEL)


def parse_workload(kind: WorkloadKind, raw: Json) -> Workload:
    """Return the workload that an API object describes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the object is not a workload.
    """
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    strategy = spec.get("updateStrategy") or {}
    is_rollout = kind is WorkloadKind.ROLLOUT
    phase = argo_rollout.parse_rollout_phase(spec, status) if is_rollout else None
    return Workload(
        uid=str(meta["uid"]),
        generation=to_int(meta["generation"]),
        observed=argo_rollout.parse_observed_generation(status)
        if is_rollout
        else to_int(status.get("observedGeneration")),
        template=Template() if phase and phase.template_of else parse_template(spec["template"]),
        counts=_parse_counts(kind, spec, status),
        annotations=to_text_map(meta.get("annotations")),
        labels=to_text_map(meta.get("labels")),
        selector=parse_selector(spec.get("selector") or {}),
        matches_own_selector=matches_selector(spec.get("selector") or {}, meta.get("labels") or {}),
        revision=_current_revision(kind, meta, status),
        deleting=bool(meta.get("deletionTimestamp")),
        paused=bool(phase.paused_by if phase else spec.get("paused")),
        progress_deadline_message=_find_condition(conditions, "Progressing", "ProgressDeadlineExceeded"),
        cannot_create=_find_condition(conditions, "ReplicaFailure", ""),
        uses_on_delete=strategy.get("type") == "OnDelete",
        partition=to_int((strategy.get("rollingUpdate") or {}).get("partition"))
        if kind is WorkloadKind.STATEFULSET
        else 0,
        phase=phase,
        resource_version=str(meta.get("resourceVersion") or ""),
    )


def _current_revision(kind: WorkloadKind, meta: Json, status: Json) -> str:
    match kind:
        case WorkloadKind.DEPLOYMENT:
            return to_text_map(meta.get("annotations")).get(_REVISION, "")
        case WorkloadKind.ROLLOUT:
            return strip_control_chars(status.get("currentPodHash") or "")
        case _:
            return strip_control_chars(status.get("updateRevision", ""))


def parse_revisions(uid: str, raw: Json) -> tuple[Revision, ...]:
    """Return the revisions in a list that the workload with this uid owns."""
    return tuple(_parse_revision(item) for item in raw["items"] if uid in owner_uids(item))


def parse_failed_create(uid: str, raw: Json) -> str:
    """Return the message of the newest event about creating pods if it is a failure, else an empty text."""
    about = [
        each
        for each in raw["items"]
        if each["involvedObject"].get("uid") == uid and each.get("reason") in {"FailedCreate", "SuccessfulCreate"}
    ]
    newest = max(about, key=event_time, default=None)
    return strip_control_chars(newest["message"]) if newest is not None and newest["reason"] == "FailedCreate" else ""


def parse_template(raw: Json) -> Template:
    """Return a pod template without what controllers add to it."""
    meta = raw.get("metadata") or {}
    labels = to_text_map(meta.get("labels"))
    for label in _ADDED_BY_CONTROLLER:
        labels.pop(label, None)
    return Template(
        containers=tuple(_parse_container(each) for each in raw["spec"]["containers"]),
        annotations=to_text_map(meta.get("annotations")),
        labels=labels,
    )


def parse_selector(raw: Json) -> str:
    """Return a label selector in kubectl's syntax.

    >>> parse_selector({"matchLabels": {"app": "web"}, "matchExpressions": [
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


def matches_selector(raw: Json, labels: Json) -> bool:
    """Return whether a label selector selects an object with these labels; an empty one selects nothing.

    >>> matches_selector({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "a"})
    True
    >>> matches_selector({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["b"]}]}, {"tier": "a"})
    False
    """
    pairs, expressions = raw.get("matchLabels") or {}, raw.get("matchExpressions") or ()
    return bool(pairs or expressions) and (
        all(labels.get(key) == value for key, value in pairs.items())
        and all(_matches_expression(each, labels) for each in expressions)
    )


def _matches_expression(raw: Json, labels: Json) -> bool:
    key, values = raw["key"], raw.get("values") or ()
    match raw["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def find_object(kind: WorkloadKind, name: str, raw: Json) -> Json:
    """Return the object of this kind and name in a list. Raises LookupError if the list lacks it."""
    found = (each for each in raw["items"] if each["kind"].lower() == kind.value and each["metadata"]["name"] == name)
    one: Json | None = next(found, None)
    if one is None:
        raise LookupError(name)
    return one


def owner_uids(raw: Json) -> set[str]:
    """Return the uids of an object's controllers."""
    return {str(ref["uid"]) for ref in raw["metadata"].get("ownerReferences") or () if ref.get("controller")}


def to_int(value: Any) -> int:
    """Return a count, 0 for an absent one. Raises ValueError or TypeError if it is not a number, or above 2**53."""
    number = int(value or 0)
    if abs(number) > MAX_INT:
        raise ValueError("count out of range")
    return number


def to_text_map(raw: Json | None) -> dict[str, str]:
    """Return annotations or labels, fit to be shown."""
    return {str(key): replace_control_chars(str(value)) for key, value in (raw or {}).items()}


def _parse_revision(raw: Json) -> Revision:
    meta = raw["metadata"]
    labels = meta.get("labels") or {}
    history = raw.get("data")  # a ControllerRevision has one
    return Revision(
        name=strip_control_chars(meta["name"]),
        uid=str(meta["uid"]),
        number=to_int(raw.get("revision") or (meta.get("annotations") or {}).get(_REVISION)),
        template=parse_template((history if history is not None else raw)["spec"]["template"]),
        hash=strip_control_chars(labels.get("controller-revision-hash") or labels.get(argo_rollout.POD_HASH_LABEL, "")),
    )


def _parse_container(raw: Json) -> Container:
    env = {
        str(each["name"]): replace_control_chars(str(each["value"])) for each in raw.get("env") or () if "value" in each
    }
    return Container(strip_control_chars(raw["name"]), replace_control_chars(raw.get("image") or ""), env)


def _parse_counts(kind: WorkloadKind, spec: Json, status: Json) -> ReplicaCounts:
    if kind is WorkloadKind.DAEMONSET:
        return ReplicaCounts(
            desired=to_int(status.get("desiredNumberScheduled")),
            total=to_int(status.get("currentNumberScheduled")),
            updated=to_int(status.get("updatedNumberScheduled")),
            available=to_int(status.get("numberAvailable")),
            unavailable=to_int(status.get("numberUnavailable")),
            ready=to_int(status.get("numberReady")),
        )
    return ReplicaCounts(
        desired=to_int(spec.get("replicas", 1)),
        total=to_int(status.get("replicas")),
        updated=to_int(status.get("updatedReplicas")),
        available=to_int(status.get("availableReplicas")),
        unavailable=to_int(status.get("unavailableReplicas")),
        ready=to_int(status.get("readyReplicas")),
    )


def _find_condition(conditions: Mapping[str, Json], name: str, reason: str) -> str:
    """Return the message of a condition that reports a problem; empty if it does not."""
    found = conditions.get(name) or {}
    bad = found.get("reason") == reason if reason else found.get("status") == "True"
    return strip_control_chars(found.get("message") or found.get("reason") or name) if bad else ""
