"""Assesses one poll of a Kustomization of Flux (`kubectl.flux` has what its fields mean)."""

from __future__ import annotations

from collections.abc import Mapping

from homelab_hooks.deploy.assessment import Deleting, RolloutComplete, RolloutProgressing
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
from homelab_hooks.kubectl.flux import Kustomization

_NO_COMMIT_HINT = (
    "deploy from a GitRepository, or push the OCI artifact with `flux push artifact --revision=BRANCH@sha1:SHA`"
)
_WAITS_FOR_OTHERS = "DependencyNotReady"
"""a reason of Ready=False that is not a failure of this resource"""


def report_kustomization(
    found: Kustomization, containment: Mapping[str, Containment], state: RolloutState
) -> ResourceReport:
    """Return what a Kustomization shows about the commit.

    It has delivered the commit if the applied revision contains it, and Ready=True is about the current generation.
    """
    applied = match_revision(found.applied_commits, state.expectation, containment)
    attempted = match_revision(found.attempted_commits, state.expectation, containment)
    if found.deleting:
        return ResourceReport(assessment=Deleting(), name=found.applied)
    if found.applied and not found.applied_commits and not attempted.commit:
        return report_unnamed_commit(state, found.applied, _NO_COMMIT_HINT)
    failure = _find_failure(found, attempted)
    if failure is not None and not failure.retried:
        assessment = RolloutProgressing(found.applied, blocked_by=failure.text)
        return ResourceReport(assessment=assessment, name=found.applied, proves=applied.is_ours, failure=failure)
    if applied.is_ours:
        assessed = _assess_applied(found, applied, state)
        return ResourceReport(assessment=assessed, name=found.applied, proves=True, failure=failure)
    report = report_other_revision(state, applied, found.applied, _pending_note(found, attempted))
    return ResourceReport(assessment=report.assessment, name=report.name, failure=failure)


def _find_failure(found: Kustomization, attempted: RevisionMatch) -> OngoingFailure | None:
    """Return the failure of an attempt to apply the commit; that of another revision says nothing about it."""
    ready = found.ready
    if not attempted.is_ours or found.suspended or ready.observed not in {None, found.generation}:
        return None
    if ready.status == "True" or ready.reason == _WAITS_FOR_OTHERS:
        return None
    return OngoingFailure(f"ready {attempted.commit}", _describe_ready(found), retried=ready.status != "False")


def _assess_applied(
    found: Kustomization, applied: RevisionMatch, state: RolloutState
) -> RolloutProgressing | RolloutComplete:
    name = found.applied
    if found.suspended:
        return RolloutProgressing(name, blocked_by="it is suspended", blocked_hint=_resume_hint(state))
    is_observed = found.observed == found.generation and found.ready.observed in {None, found.generation}
    if not is_observed:
        return RolloutProgressing(name, "waiting for Flux to observe the new spec")
    if found.ready.status == "True" and not found.reconciling:
        return RolloutComplete(name, applied.note)
    return RolloutProgressing(name, _describe_ready(found))


def _pending_note(found: Kustomization, attempted: RevisionMatch) -> str:
    if found.suspended:
        return "it is suspended"
    if found.ready.status == "False":
        return _describe_ready(found)
    return "Flux is applying it" if attempted.is_ours else ""


def _describe_ready(found: Kustomization) -> str:
    ready = found.ready
    return ": ".join(part for part in (f"Ready={ready.status}", ready.reason, ready.message) if part)


def _resume_hint(state: RolloutState) -> str:
    target = workload_target(state)
    return f"to resume it, run flux resume kustomization {target.name} -n {target.namespace}"
