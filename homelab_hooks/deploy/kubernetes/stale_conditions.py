"""Drops the conditions of a workload that are about an earlier revision."""

from __future__ import annotations

import re
from dataclasses import replace

from homelab_hooks.kubectl.model import Revision, Workload, WorkloadKind

_NAMED_OBJECT = re.compile(r'\b(?:ReplicaSet|pods?) "([^"]*)"')
_OWNS_REPLICA_SETS = {WorkloadKind.DEPLOYMENT, WorkloadKind.ROLLOUT}


def drop_stale_conditions(workload: Workload, current: Revision | None, kind: WorkloadKind) -> Workload:
    """Return the workload without the conditions whose message names another ReplicaSet than the current one.

    A progress deadline that has passed stays reported until the controller has progressed with the next rollout, and
    a failure to create pods may be that of an old ReplicaSet that is scaled up.
    """
    if kind not in _OWNS_REPLICA_SETS or current is None:
        return workload
    return replace(
        workload,
        progress_deadline_message=_keep_current(workload.progress_deadline_message, current.name),
        cannot_create=_keep_current(workload.cannot_create, current.name),
    )


def _keep_current(message: str, name: str) -> str:
    """Return the message; empty if it names another ReplicaSet, or a pod of another one.

    >>> _keep_current('ReplicaSet "web-old" has timed out progressing.', "web-new")
    ''
    >>> _keep_current('pods "web-new-x2k4l" is forbidden: exceeded quota', "web-new")
    'pods "web-new-x2k4l" is forbidden: exceeded quota'
    >>> _keep_current("admission webhook denied the request", "web-new")
    'admission webhook denied the request'
    """
    named = _NAMED_OBJECT.search(message)
    is_current = named is None or named.group(1) == name or named.group(1).startswith(f"{name}-")
    return message if is_current else ""
