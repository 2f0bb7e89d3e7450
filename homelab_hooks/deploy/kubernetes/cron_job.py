"""Assesses one poll of a CronJob: its template names the commit, and nothing is rolled out."""

from __future__ import annotations

from homelab_hooks.deploy.assessment import RolloutComplete
from homelab_hooks.deploy.kubernetes.assess import RolloutHistory, assess, unproven_at_timeout
from homelab_hooks.deploy.kubernetes.commit_match import match_commit
from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.kubernetes.match import EvidencePending, NewerCommit, SameCommit
from homelab_hooks.deploy.kubernetes.resource import ResourceReport
from homelab_hooks.deploy.kubernetes.snapshot import template_snapshot, workload_target
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.cron_job import CronJob, RunningJob
from homelab_hooks.text.humanize import join_names, pluralize


def report_cron_job(
    found: CronJob,
    evidence: Evidence,
    state: RolloutState,
    running_jobs: tuple[RunningJob, ...] | None,
) -> ResourceReport:
    """Return what a CronJob shows about the commit: jobs that start from now on run its template.

    Args:
        running_jobs: None if they could not be listed.
    """
    snapshot = template_snapshot(found.workload, evidence)
    named = match_commit(snapshot, state.expectation)
    if found.workload.deleting or not isinstance(named, SameCommit | NewerCommit):
        history = RolloutHistory(
            target=workload_target(state),
            first_poll=not state.proven_image and not state.previous_images,
            proven_image=state.proven_image,
            previous_images=state.previous_images,
        )
        return ResourceReport(
            assessment=assess(snapshot, state.expectation, history),
            name=named.image,
            undecided=isinstance(named, EvidencePending),
            at_timeout=unproven_at_timeout(named),
        )
    notes = [
        f"included in newer deploy {named.name}" if isinstance(named, NewerCommit) else "",
        "it is suspended: no job starts until it is resumed" if found.suspended else "from its next job on",
        _describe_jobs(found, running_jobs),
    ]
    complete = RolloutComplete(named.image, "; ".join(note for note in notes if note), proof=named.proof)
    return ResourceReport(assessment=complete, name=named.image, proves=True)


def _describe_jobs(found: CronJob, running_jobs: tuple[RunningJob, ...] | None) -> str:
    """Return which running jobs have an older template; the wait does not wait for them."""
    if running_jobs is None:
        return f"{pluralize(found.active, 'job')} of an unknown template still running"
    containers = found.workload.template.containers
    older = [job.name for job in running_jobs if job.template.containers != containers]
    return f"{pluralize(len(older), 'job')} of an older template still running: {join_names(older)}" if older else ""
