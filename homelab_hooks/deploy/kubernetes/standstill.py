"""Names what holds a rollout up: pods that do not start, do not become ready, or do not end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from homelab_hooks.kubectl.events import PodWarning
from homelab_hooks.kubectl.model import ContainerPhase, Pod, WorkloadKind, WorkloadTarget

LASTING_S = 10.0
"""seconds after which a pod that reports no warning is named: most pods start, or end, within them"""
_STARTING = {"ContainerCreating", "PodInitializing"}
_REPLACES_WITHOUT_WAITING = {WorkloadKind.DEPLOYMENT, WorkloadKind.ROLLOUT}
"""kinds that start new pods while old ones end, unless their strategy is Recreate: then the new ones come last"""
_REMEDIES = {
    "FailedMount": "create what the volume is made from (a ConfigMap, a Secret, a claim), and check its name and keys",
    "FailedAttachVolume": "detach the volume from the node that still has it, or wait until that node is back",
    "FailedCreatePodSandBox": "check the network plugin and the container runtime of the node",
    "NetworkNotReady": "check the network plugin of the node",
    "Unhealthy": "check the probe and the log of the pod",
    "FailedPreStopHook": "check the preStop hook of the pod",
    "FailedKillPod": "check the container runtime of the node",
}
"""by the reason of an event (kubelet, pkg/kubelet/events/event.go; attach/detach controller)"""


class HeldUpPods(NamedTuple):
    """The pods of a rollout that are not where it waits for them to be."""

    target: WorkloadTarget
    new: Sequence[Pod]
    """active pods of the current revision"""
    old: Sequence[Pod]
    """active pods of other revisions"""
    ending: Sequence[Pod]
    """pods that are terminating"""
    warnings: Mapping[str, PodWarning]
    """the newest warning by the pod's uid"""
    since: Mapping[str, float]
    """when each pod was first seen to be not ready, or terminating, by its uid"""


class Standstill(NamedTuple):
    """What holds a rollout up, and what to do about it."""

    reason: str
    remedy: str


def track_unready(pods: Iterable[Pod], before: Mapping[str, float], now: float) -> dict[str, float]:
    """Return since when each pod is not ready, or is terminating, by its uid."""
    waiting = (pod for pod in pods if not pod.finished and (pod.terminating or not pod.ready))
    return {pod.uid: before.get(pod.uid, now) for pod in waiting}


def find_standstill(pods: HeldUpPods, now: float) -> Standstill | None:
    """Return what holds the rollout up; None while nothing is known to.

    A pod with a warning counts in the second snapshot that shows it; another one after `LASTING_S`. Old pods matter
    where the controller waits for them: a StatefulSet does not replace a pod that is not ready and of another revision
    than the last good one, and a terminating pod keeps its name and its volumes.
    """
    unready = [pod for pod in pods.new if not pod.ready]
    for pod in unready:
        if (warning := pods.warnings.get(pod.uid)) and now > pods.since.get(pod.uid, now):
            text = f"pod {pod.name}: {warning.reason}: {warning.message}".removesuffix(": ")
            return Standstill(text, _REMEDIES.get(warning.reason, _describe(pods.target, pod)))
    lasting = [pod for pod in unready if _has_lasted(pod, pods, now)]
    if starting := [pod for pod in lasting if _starting_reason(pod)]:
        return Standstill(
            f"pod {starting[0].name}: {_starting_reason(starting[0])}", _describe(pods.target, starting[0])
        )
    return _find_old_pod(pods, now) or next((_not_ready(pod, pods) for pod in lasting), None)


def _find_old_pod(pods: HeldUpPods, now: float) -> Standstill | None:
    namespace = pods.target.namespace
    if pods.target.kind is WorkloadKind.STATEFULSET:
        broken = next((pod for pod in pods.old if not pod.ready and _has_lasted(pod, pods, now)), None)
        if broken is not None:
            reason = f"pod {broken.name} of an earlier revision is not ready{_old_cause(broken)}"
            return Standstill(f"{reason}, and the StatefulSet waits for it", _delete(namespace, broken))
    ending = next((pod for pod in pods.ending if _has_lasted(pod, pods, now)), None)
    if ending is None or (pods.new and pods.target.kind in _REPLACES_WITHOUT_WAITING):
        return None
    where = f" on node {ending.node}" if ending.node else ""
    return Standstill(
        f"pod {ending.name} is terminating{where}",
        f"if that node is gone, run kubectl -n {namespace} delete pod {ending.name} --force",
    )


def _not_ready(pod: Pod, pods: HeldUpPods) -> Standstill | None:
    main = [container for container in pod.containers if not container.init]
    if not main or any(container.phase is not ContainerPhase.RUNNING for container in main):
        return None
    return Standstill(f"pod {pod.name} is running, but not ready", _describe(pods.target, pod))


def _has_lasted(pod: Pod, pods: HeldUpPods, now: float) -> bool:
    return now - pods.since.get(pod.uid, now) >= LASTING_S


def _starting_reason(pod: Pod) -> str:
    return next((each.reason for each in pod.containers if each.reason in _STARTING), "")


def _old_cause(pod: Pod) -> str:
    reason = next((each.reason for each in pod.containers if each.reason and not each.ready), "")
    return f" ({reason})" if reason else ""


def _describe(target: WorkloadTarget, pod: Pod) -> str:
    return f"see `kubectl -n {target.namespace} describe pod/{pod.name}`"


def _delete(namespace: str, pod: Pod) -> str:
    return f"run kubectl -n {namespace} delete pod {pod.name}"
