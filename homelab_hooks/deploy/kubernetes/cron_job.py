"""Assesses one poll of a CronJob: its template names the commit, and nothing is rolled out."""

from __future__ import annotations

from collections.abc import Mapping

from homelab_hooks.deploy.assessment import ImageUnproven, RolloutComplete
from homelab_hooks.deploy.kubernetes.assess import RolloutHistory, assess
from homelab_hooks.deploy.kubernetes.commit_match import NewerCommit, SameCommit, match_commit
from homelab_hooks.deploy.kubernetes.resource import ResourceReport
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot, workload_target
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.cron_job import CronJob, RunningJob
from homelab_hooks.text.humanize import join_names, pluralize


def report_cron_job(
    found: CronJob,
    containment: Mapping[str, Containment],
    state: RolloutState,
    running_jobs: tuple[RunningJob, ...] | None,
) -> ResourceReport:
    """Return what a CronJob shows about the commit: jobs that start from now on run its template.

    Args:
        running_jobs: None if they could not be listed.
    """
    if not state.proven_image and _has_no_digest(found, state.expectation):
        image = found.workload.template.containers[0].image
        reason = f"a CronJob has no pods whose digest could be compared, and {image} names none"
        hint = "pin the digest in the template, or choose another proof with --image-proof"
        return ResourceReport(assessment=ImageUnproven(reason, hint, image), name=image)
    snapshot = Snapshot(workload=found.workload, containment=containment, without_pods=True)
    named = match_commit(snapshot, state.expectation)
    if found.workload.deleting or not isinstance(named, SameCommit | NewerCommit):
        history = RolloutHistory(
            target=workload_target(state),
            first_poll=not state.uid,
            proven_image=state.proven_image,
            previous_images=state.previous_images,
        )
        return ResourceReport(assessment=assess(snapshot, state.expectation, history), name=named.image)
    notes = [
        f"included in newer deploy {named.name}" if isinstance(named, NewerCommit) else "",
        "it is suspended: no job starts until it is resumed" if found.suspended else "from its next job on",
        _describe_jobs(found, running_jobs),
    ]
    complete = RolloutComplete(named.image, "; ".join(note for note in notes if note))
    return ResourceReport(assessment=complete, name=named.image, proves=True)


def _has_no_digest(found: CronJob, expectation: Expectation) -> bool:
    """Return whether a digest is expected and no image of the template has one."""
    images = [container.image for container in found.workload.template.containers]
    is_digest = isinstance(expectation.proof, image_ref.DigestProof)
    return is_digest and bool(images) and not any(image_ref.extract_digest(image) for image in images)


def _describe_jobs(found: CronJob, running_jobs: tuple[RunningJob, ...] | None) -> str:
    """Return which running jobs have an older template; the wait does not wait for them."""
    if running_jobs is None:
        return f"{pluralize(found.active, 'job')} of an unknown template still running"
    containers = found.workload.template.containers
    older = [job.name for job in running_jobs if job.template.containers != containers]
    return f"{pluralize(len(older), 'job')} of an older template still running: {join_names(older)}" if older else ""
