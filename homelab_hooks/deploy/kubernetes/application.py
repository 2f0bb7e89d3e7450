"""Assesses one poll of an Application of Argo CD (`kubectl.argo_cd` has what its fields mean)."""

from __future__ import annotations

from collections.abc import Mapping

from homelab_hooks.deploy.assessment import Assessment, Deleting, RolloutComplete, RolloutProgressing
from homelab_hooks.deploy.kubernetes.resource import OngoingFailure, ResourceReport
from homelab_hooks.deploy.kubernetes.revision_match import (
    RevisionMatch,
    match_revision,
    report_other_revision,
    report_unnamed_commit,
)
from homelab_hooks.deploy.kubernetes.snapshot import workload_target
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.argo_cd import ArgoApplication
from homelab_hooks.text.humanize import join_names, pluralize

_NO_COMMIT_HINT = "wait for an application with a Git source, or for the workload that it deploys"
_FAILED_PHASES = {"Failed", "Error"}


def report_application(
    found: ArgoApplication, containment: Mapping[str, Containment], state: RolloutState
) -> ResourceReport:
    """Return what an application shows about the commit.

    It has delivered the commit if the live objects are Synced with a revision that contains it, it is Healthy, no
    operation is under way, and the last one succeeded. That one may be of an older revision: Argo CD does not sync a
    revision that changes nothing.
    """
    name = join_names(found.revisions)
    compared = match_revision(found.commits, state.expectation, containment)
    commits = found.operation.commits if found.operation else ()
    applied = match_revision(commits, state.expectation, containment)
    if found.deleting:
        return ResourceReport(assessment=Deleting(), name=name)
    if found.revisions and not found.commits:
        return report_unnamed_commit(state, name, _NO_COMMIT_HINT)
    failure, proves = _find_failure(found, compared, applied), compared.is_ours and found.sync == "Synced"
    if failure is not None and not failure.retried:
        assessed: Assessment = RolloutProgressing(name, blocked_by=failure.text)
    elif compared.is_ours:
        notes = (compared.note, "" if applied.is_ours else "it changed nothing that Argo CD had to sync")
        assessed = _assess_compared(found, "; ".join(note for note in notes if note), state)
    else:
        assessed = report_other_revision(state, compared, name, _pending_note(found, applied)).assessment
    return ResourceReport(assessment=assessed, name=name, proves=proves, failure=failure)


def _find_failure(found: ArgoApplication, compared: RevisionMatch, applied: RevisionMatch) -> OngoingFailure | None:
    """Return the failure of the commit's sync operation, or of its health once it is synced.

    The health of an application that is not synced with the commit is that of an older revision.
    """
    operation = found.operation
    if operation is not None and applied.is_ours:
        key, is_repeated = f"operation {applied.commit}", found.operation_requested
        if operation.phase in _FAILED_PHASES:
            return OngoingFailure(key, f"the sync operation {_describe_operation(found)}", retried=is_repeated)
        if operation.is_running:
            return OngoingFailure(key, f"the sync operation {_describe_operation(found)}", retried=True)
    if found.health == "Degraded" and compared.is_ours and found.sync == "Synced" and not _is_syncing(found):
        return OngoingFailure(f"health {compared.commit}", _describe_health(found))
    return None


def _assess_compared(found: ArgoApplication, note: str, state: RolloutState) -> Assessment:
    """Return the assessment of an application whose target is the commit; `note` is the detail of a success."""
    name = join_names(found.revisions)
    sync_hint = f"sync it: argocd app sync {workload_target(state).namespace}/{workload_target(state).name}"
    if _is_syncing(found):
        text = _describe_operation(found) if found.operation and found.operation.is_running else "was requested"
        return RolloutProgressing(name, f"the sync operation {text}")
    if found.sync == "OutOfSync" and not found.auto_sync:
        return RolloutProgressing(name, blocked_by="it is OutOfSync, and auto-sync is off", blocked_hint=sync_hint)
    if found.sync != "Synced":
        return RolloutProgressing(name, f"its sync status is {found.sync}", blocked_by=join_names(found.problems))
    return _assess_synced(found, note, sync_hint)


def _assess_synced(found: ArgoApplication, note: str, sync_hint: str) -> Assessment:
    name = join_names(found.revisions)
    if found.health == "Suspended":
        return RolloutProgressing(name, blocked_by=_describe_health(found), blocked_hint="resume what is suspended")
    if found.health != "Healthy":
        return RolloutProgressing(name, _describe_health(found))
    if found.operation is not None and found.operation.phase != "Succeeded":
        failed = f"its last sync operation, of another revision, {_describe_operation(found)}"
        return RolloutProgressing(name, blocked_by=failed, blocked_hint=sync_hint)
    return RolloutComplete(name, note)


def _is_syncing(found: ArgoApplication) -> bool:
    return found.operation_requested or (found.operation is not None and found.operation.is_running)


def _pending_note(found: ArgoApplication, applied: RevisionMatch) -> str:
    if found.problems:
        return join_names(found.problems)
    return f"the sync operation of the commit {_describe_operation(found)}" if applied.is_ours else ""


def _describe_operation(found: ArgoApplication) -> str:
    operation = found.operation
    if operation is None:
        return "is unknown"
    verb = {"Running": "is running", "Terminating": "is being terminated", "Succeeded": "succeeded"}
    retries = f" (retried {pluralize(operation.retries, 'time')})" if operation.retries else ""
    return f"{verb.get(operation.phase, 'failed')}{retries}{f': {operation.message}' if operation.message else ''}"


def _describe_health(found: ArgoApplication) -> str:
    message = f": {found.health_message}" if found.health_message else ""
    return f"its health is {found.health or 'unknown'}{message}"
