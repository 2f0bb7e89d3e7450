"""Finds the current revision of a workload, and its pods."""

from __future__ import annotations

from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.kubectl.model import Pod, Revision, WorkloadKind


def find_current_revision(snapshot: Snapshot, kind: WorkloadKind) -> Revision | None:
    """Return the revision of the workload's current template; None until its controller has created it.

    The number (or name) alone is not enough: just after a change it is still that of the old revision.
    """
    workload, revisions = snapshot.workload, snapshot.revisions
    if kind is WorkloadKind.ROLLOUT:  # its ReplicaSets may have labels and annotations of their own (canaryMetadata)
        found = next((each for each in revisions if each.hash and each.hash == workload.revision), None)
        return found if found is not None and found.template.containers == workload.template.containers else None
    if kind is WorkloadKind.DEPLOYMENT:
        found = next((each for each in revisions if str(each.number) == workload.revision), None)
    elif kind is WorkloadKind.STATEFULSET:
        found = next((each for each in revisions if each.name == workload.revision), None)
    else:  # the status of a DaemonSet does not name its revision
        found = max(revisions, key=lambda revision: revision.number, default=None)
    return found if found is not None and found.template == workload.template else None


def split_pods(snapshot: Snapshot, kind: WorkloadKind) -> tuple[tuple[Pod, ...], tuple[Pod, ...]]:
    """Return the active pods of the current revision, and those of other revisions."""
    current = find_current_revision(snapshot, kind)
    name = current.name if current else None
    living = [pod for pod in snapshot.pods if pod.is_active]
    return tuple(pod for pod in living if pod.revision == name), tuple(pod for pod in living if pod.revision != name)
