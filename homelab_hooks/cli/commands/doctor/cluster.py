"""Checks of kubectl and the configured workloads: installed, reachable, permitted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.text.humanize import join_names, pluralize

if TYPE_CHECKING:
    from homelab_hooks.deploy.kubernetes.resource import Resource

CALL_TIMEOUT_S = 4.0
"""seconds for one call of kubectl"""


def cluster_checks(config: Config, kubectl: Kubectl) -> tuple[DoctorCheck, ...]:
    """Return one check for each configured workload."""
    if not config.deploy:
        return (DoctorCheck("kubectl", _no_target_configured, ""),)
    return tuple(
        DoctorCheck(
            text,
            partial(_check_workload, text, kubectl),
            "to see the error, run: kubectl cluster-info",
            ExitCode.UNREACHABLE,
        )
        for text in config.deploy
    )


def _no_target_configured() -> Iterator[Finding]:
    yield Finding(
        "kubectl",
        FindingStatus.SKIPPED,
        "no workload set (git config --add homelab.deploy NAMESPACE/NAME)",
    )


def _check_workload(text: str, kubectl: Kubectl) -> Iterator[Finding]:
    """Make the three requests of every poll; each needs a permission of its own."""
    target = WorkloadTarget.parse(text)
    if not target.kind.owns_pods:
        yield from _check_resource(text, target, kubectl)
        return
    try:
        found = kubectl.workload(target, within=CALL_TIMEOUT_S)
        if not isinstance(found, Found):
            yield _poll_finding(text, found)
            return
        revisions = kubectl.revisions(target, found.value, within=CALL_TIMEOUT_S)
        if not isinstance(revisions, Found):
            yield _poll_finding(text, revisions)
            return
        pods = kubectl.pods(target, found.value, revisions.value, within=CALL_TIMEOUT_S)
        if not isinstance(pods, Found):
            yield _poll_finding(text, pods)
            return
    except CommandError as problem:
        yield _no_kubectl(problem)
        return
    images = ", ".join(container.image for container in found.value.template.containers)
    yield Finding(
        text,
        FindingStatus.OK,
        f"running {images}; {pluralize(len(pods.value), 'pod')} readable",
    )


def _check_resource(text: str, target: WorkloadTarget, kubectl: Kubectl) -> Iterator[Finding]:
    """Make the only request of every poll of a target without pods of its own."""
    from homelab_hooks.deploy.kubernetes.resource_poller import PARSERS

    try:
        found = kubectl.resource(target, PARSERS[target.kind], within=CALL_TIMEOUT_S)
    except CommandError as problem:
        yield _no_kubectl(problem)
        return
    if not isinstance(found, Found):
        yield _poll_finding(text, found)
        return
    named = _describe_resource(found.value)
    yield Finding(text, FindingStatus.OK, f"at {named}" if named else "has no revision yet")


def _describe_resource(resource: Resource) -> str:
    from homelab_hooks.kubectl.argo_cd import ArgoApplication
    from homelab_hooks.kubectl.cron_job import CronJob
    from homelab_hooks.kubectl.flux import Kustomization

    match resource:
        case CronJob(workload=workload):
            return join_names(container.image for container in workload.template.containers)
        case Kustomization(applied=applied):
            return applied
        case ArgoApplication(revisions=revisions):
            return join_names(revisions)


def _no_kubectl(problem: CommandError) -> Finding:
    """Return the finding; a landing would have pushed by then, and exit with 8."""
    return Finding("kubectl", FindingStatus.PROBLEM, problem.message, problem.hint, ExitCode.UNREACHABLE)


def _poll_finding(text: str, poll: NotFound | Unavailable | Denied) -> Finding:
    match poll:
        case NotFound(reason, hint):
            hint = hint or "check homelab.deploy and the context: kubectl config get-contexts"
            return Finding(text, FindingStatus.PROBLEM, reason, hint, ExitCode.ROLLOUT_UNPROVEN)
        case Unavailable(reason):
            hint = "to see the error, run: kubectl cluster-info"
            return Finding(
                text, FindingStatus.PROBLEM, f"could not reach the cluster: {reason}", hint, ExitCode.UNREACHABLE
            )
        case Denied(reason, hint, exit_):
            return Finding(text, FindingStatus.PROBLEM, reason, hint, exit_)
