"""Assesses one poll of a target without pods of its own, given how long its failure has lasted."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from homelab_hooks.deploy.assessment import Assessment, RolloutFailed
from homelab_hooks.deploy.kubernetes.application import report_application
from homelab_hooks.deploy.kubernetes.cron_job import report_cron_job
from homelab_hooks.deploy.kubernetes.kustomization import report_kustomization
from homelab_hooks.deploy.kubernetes.pod_failures import TRANSIENT_LIMIT_S
from homelab_hooks.deploy.kubernetes.resource import (
    ResourceMemory,
    ResourceObservation,
    ResourceReport,
    get_resource_memory,
)
from homelab_hooks.deploy.kubernetes.snapshot import describe_command, workload_target
from homelab_hooks.deploy.proof import NO_INSTANCES, Assessed
from homelab_hooks.deploy.state import PollTiming, RolloutState
from homelab_hooks.kubectl.argo_cd import ArgoApplication
from homelab_hooks.kubectl.cron_job import CronJob
from homelab_hooks.kubectl.flux import Kustomization


def assess_resource(observation: ResourceObservation, state: RolloutState, now: float) -> Assessed:
    """Return the assessment of one poll; a failure decides once it has lasted `TRANSIENT_LIMIT_S`."""
    report = _report(observation, state)
    memory = _remember(get_resource_memory(state), observation, report, now)
    resource = observation.resource
    return Assessed(
        identity=resource.workload.uid if isinstance(resource, CronJob) else resource.uid,
        progress=NO_INSTANCES,
        timing=PollTiming(changing_since=memory.changed_at, changed_at=memory.changed_at),
        memory=memory,
        assessment=_decide(report, memory, state, now),
        image=report.name,
        proves=report.proves,
        undecided=report.undecided,
        at_timeout=report.at_timeout,
    )


def _report(observation: ResourceObservation, state: RolloutState) -> ResourceReport:
    match observation.resource:
        case CronJob() as found:
            return report_cron_job(found, observation.evidence, state, observation.running_jobs)
        case Kustomization() as found:
            return report_kustomization(found, observation.evidence.containment, state)
        case ArgoApplication() as found:
            return report_application(found, observation.evidence.containment, state)
        case _:
            assert_never(observation.resource)


def _remember(
    memory: ResourceMemory, observation: ResourceObservation, report: ResourceReport, now: float
) -> ResourceMemory:
    """Return the memory after one more poll; a failure that is retried keeps its age."""
    if observation.resource != memory.last:
        memory = replace(memory, last=observation.resource, changed_at=now)
    failure = report.failure
    if failure is None:
        return replace(memory, failure_key="", failing_polls=0)
    if failure.key == memory.failure_key:
        return replace(memory, failing_polls=memory.failing_polls + (not failure.retried))
    if failure.retried:
        return replace(memory, failure_key="", failing_polls=0)
    return replace(memory, failure_key=failure.key, failing_since=now, failing_polls=1)


def _decide(report: ResourceReport, memory: ResourceMemory, state: RolloutState, now: float) -> Assessment:
    failure = report.failure
    if failure is None or failure.retried or memory.failing_polls <= 1:
        return report.assessment
    if now - memory.failing_since < TRANSIENT_LIMIT_S:
        return report.assessment
    return RolloutFailed(failure.text, report.name, describe_command(workload_target(state)))
