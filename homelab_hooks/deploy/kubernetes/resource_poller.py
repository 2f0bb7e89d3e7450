"""Polls targets without pods of their own with kubectl: one request for each poll that is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.resource import Resource, ResourceObservation
from homelab_hooks.deploy.kubernetes.snapshot import keep_known_kind, template_snapshot, workload_target
from homelab_hooks.deploy.poll_interval import INTERVALS
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.argo_cd import ArgoApplication, parse_application
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.cron_job import CronJob, RunningJob, parse_cron_job
from homelab_hooks.kubectl.flux import Kustomization, parse_kustomization
from homelab_hooks.kubectl.model import WorkloadKind
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.text.json_fields import Json

PARSERS: dict[WorkloadKind, Callable[[Json], Resource]] = {
    WorkloadKind.CRONJOB: parse_cron_job,
    WorkloadKind.KUSTOMIZATION: parse_kustomization,
    WorkloadKind.APPLICATION: parse_application,
}


class ResourcePoller:
    """Polls CronJobs, Kustomizations, and Applications. They change seldom, so they are not watched.

    Args:
        evidence: asks git and the registry.
        now: returns the time, to limit each call to the time that is left.
    """

    def __init__(self, kubectl: Kubectl, evidence: EvidenceSource, now: Callable[[], float]) -> None:
        self._kubectl = kubectl
        self._evidence = evidence
        self._now = now

    def poll(self, state: RolloutState) -> Poll[ResourceObservation] | None:
        """Return an observation; None if no poll is due."""
        if self._now() < state.due_at - INTERVALS.slack_s:
            return None
        target = workload_target(state)
        found = self._kubectl.resource(target, PARSERS[target.kind], within=state.call_timeout(self._now()))
        if not isinstance(found, Found):
            return keep_known_kind(found, state)
        evidence = self._find_evidence(found.value, state.expectation)
        jobs = self._running_jobs(state, found.value)
        return Found(ResourceObservation(resource=found.value, evidence=evidence, running_jobs=jobs))

    def _find_evidence(self, resource: Resource, expectation: Expectation) -> Evidence:
        """Return the answers about the images of a CronJob, or about the commits of another resource."""
        if isinstance(resource, CronJob):
            return self._evidence.complete(template_snapshot(resource.workload), expectation).evidence
        names = find_unknown_commits(resource, expectation)
        return Evidence(containment={name: self._evidence.compare_commit(name, expectation.sha) for name in names})

    def _running_jobs(self, state: RolloutState, resource: Resource) -> tuple[RunningJob, ...] | None:
        """Return the running Jobs; best effort, since they are only reported."""
        if not isinstance(resource, CronJob) or not resource.active:
            return ()
        jobs = self._kubectl.running_jobs(
            workload_target(state), resource.workload.uid, within=state.call_timeout(self._now())
        )
        return jobs.value if isinstance(jobs, Found) else None


def find_unknown_commits(resource: Kustomization | ArgoApplication, expectation: Expectation) -> tuple[str, ...]:
    """Return the commits that git must compare with the expected one."""
    match resource:
        case Kustomization():
            named = (resource.applied_commits, resource.attempted_commits)
        case ArgoApplication(operation=operation):
            named = (resource.commits, operation.commits if operation else ())
        case _:
            assert_never(resource)
    if expectation.exact:
        return ()
    # If one of several sources has the commit itself, the others need not be known: they may be other repositories.
    unproven = [commits for commits in named if not any(expectation.sha.startswith(commit) for commit in commits)]
    return tuple(dict.fromkeys(commit for commits in unproven for commit in commits))
