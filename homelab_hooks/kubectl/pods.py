"""Parses the JSON of pods."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import ContainerPhase, ContainerState, Pod, Revision
from homelab_hooks.kubectl.parse import owner_uids, to_int
from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import strip_control_chars

_HASH = "controller-revision-hash"
_FINISHED_PHASES = {"Failed", "Succeeded"}
_PHASES = {
    "waiting": ContainerPhase.WAITING,
    "running": ContainerPhase.RUNNING,
    "terminated": ContainerPhase.TERMINATED,
}


def parse_pods(uid: str, revisions: Sequence[Revision], raw: Json) -> tuple[Pod, ...]:
    """Return the pods in a list that the workload with this uid, or one of its revisions, owns."""
    found = ((item, _owning_revision(item, uid, revisions)) for item in raw["items"])
    return tuple(parse_pod(item, revision) for item, revision in found if revision is not None)


def _owning_revision(raw: Json, uid: str, revisions: Sequence[Revision]) -> str | None:
    """Return the revision that created a pod; None if the pod is not the workload's."""
    above = owner_uids(raw)
    by_owner = next((revision.name for revision in revisions if revision.uid in above), None)
    if by_owner is not None or uid not in above:
        return by_owner
    label = (raw["metadata"].get("labels") or {}).get(_HASH, "")
    return next((revision.name for revision in revisions if label in {revision.name, revision.hash}), "")


def parse_pod(raw: Json, revision: str) -> Pod:
    """Return the pod that an API object describes, as one of this revision."""
    meta, status = raw["metadata"], raw.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    stuck = scheduled.get("status") == "False"
    return Pod(
        name=strip_control_chars(meta["name"]),
        uid=str(meta["uid"]),
        revision=revision,
        ready=(conditions.get("Ready") or {}).get("status") == "True",
        terminating=bool(meta.get("deletionTimestamp")),
        finished=status.get("phase") in _FINISHED_PHASES,
        node=strip_control_chars((raw.get("spec") or {}).get("nodeName") or ""),
        unschedulable=strip_control_chars(scheduled.get("message") or scheduled.get("reason") or "not scheduled")
        if stuck
        else "",
        containers=(
            *(_parse_state(each, init=True) for each in status.get("initContainerStatuses") or ()),
            *(_parse_state(each, init=False) for each in status.get("containerStatuses") or ()),
        ),
        resource_version=str(meta.get("resourceVersion") or ""),
    )


def _parse_state(raw: Json, *, init: bool) -> ContainerState:
    state = raw.get("state") or {}
    key = next((key for key in _PHASES if state.get(key) is not None), "")
    now = state.get(key) or {}
    before = (raw.get("lastState") or {}).get("terminated") or {}
    return ContainerState(
        name=strip_control_chars(raw["name"]),
        init=init,
        ready=bool(raw.get("ready")),
        restarts=to_int(raw.get("restartCount")),
        phase=_PHASES.get(key, ContainerPhase.UNKNOWN),
        reason=strip_control_chars(now.get("reason") or ""),
        message=strip_control_chars(now.get("message") or ""),
        exit_code=_exit_code(now),
        last_reason=strip_control_chars(before.get("reason") or ""),
        last_exit_code=_exit_code(before),
        digest=image_ref.extract_digest(raw.get("imageID") or ""),
        manifest_digest=image_ref.extract_manifest_digest(raw.get("imageID") or ""),
    )


def _exit_code(state: Json) -> int | None:
    code = state.get("exitCode")
    return None if code is None else to_int(code)
