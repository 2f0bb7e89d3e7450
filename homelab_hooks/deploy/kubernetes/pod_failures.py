"""Problems of new pods, and how long each has lasted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from homelab_hooks.deploy.assessment import CrashedContainer
from homelab_hooks.deploy.kubernetes.pull_error import is_lasting_pull_error
from homelab_hooks.deploy.poll_interval import PERMANENT_AFTER_S
from homelab_hooks.kubectl.model import ContainerPhase, ContainerState, Pod, Workload, WorkloadKind
from homelab_hooks.text.humanize import pluralize
from homelab_hooks.text.sanitize import truncate_text

TRANSIENT_LIMIT_S = 60.0
"""seconds after which a transient problem fails the rollout, for kinds without a progress deadline"""
MAX_RESTARTS = 3
"""the number of restarts from which a crash counts as a crash loop"""

_WITH_DEADLINE = {WorkloadKind.DEPLOYMENT, WorkloadKind.ROLLOUT}
"""kinds whose controller ends a rollout without progress"""
_PULL = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"}
_WRONG_NAME = {"InvalidImageName", "ErrImageNeverPull"}
_NO_CAUSE = re.compile(r"^(Back-off pulling image \S+\s*)?$")
_MAX_TEXT_CHARS = 400
_NO_REASON = {"", "Error", "Completed"}
"""reasons of an ended container that add nothing to its exit code"""
_CACHE = re.compile(r"failed to sync .* cache", re.IGNORECASE)


class ProblemKind(Enum):
    """When a problem fails the rollout."""

    CRASH_LOOP = auto()
    """at once"""
    PERMANENT = auto()
    """after `PERMANENT_AFTER_S`"""
    TRANSIENT = auto()
    """when the progress deadline passes; without one, after `TRANSIENT_LIMIT_S`"""
    DEGRADED = auto()
    """after `TRANSIENT_LIMIT_S`: the controller reports the rollout as degraded or aborted"""


@dataclass(frozen=True, slots=True)
class PodProblem:
    """A problem in one snapshot."""

    key: str
    kind: ProblemKind
    text: str
    cause_unknown: bool = False
    """the message does not contain the cause; an earlier snapshot may"""
    crashed_container: CrashedContainer | None = None


@dataclass(frozen=True, slots=True)
class ObservedProblem:
    """A problem, when it was first seen, and in how many snapshots."""

    problem: PodProblem
    since: float
    snapshots: int


def update_ages(
    before: Sequence[ObservedProblem], now_seen: Sequence[PodProblem], now: float
) -> tuple[ObservedProblem, ...]:
    """Return the problems after one more snapshot; those that are gone are dropped."""
    known = {evidence.problem.key: evidence for evidence in before}
    return tuple(_with_age(known.get(problem.key), problem, now) for problem in now_seen)


def _with_age(known: ObservedProblem | None, problem: PodProblem, now: float) -> ObservedProblem:
    if known is None:
        return ObservedProblem(problem, now, 1)
    if problem.cause_unknown and known.problem.kind is ProblemKind.PERMANENT:
        return replace(known, snapshots=known.snapshots + 1)
    if known.problem.kind is not problem.kind:
        return ObservedProblem(problem, now, 1)
    # ErrImagePull and ImagePullBackOff alternate: the first text is kept, so that one problem is reported once.
    kept = known.problem if problem.key.startswith("image ") else problem
    return ObservedProblem(kept, known.since, known.snapshots + 1)


def fatal_problem(evidence: Iterable[ObservedProblem], kind: WorkloadKind, now: float) -> PodProblem | None:
    """Return the first problem that fails the rollout; None if none does yet."""
    for each in evidence:
        lasted = now - each.since if each.snapshots > 1 else -1.0
        match each.problem.kind:
            case ProblemKind.CRASH_LOOP:
                return each.problem
            case ProblemKind.PERMANENT if lasted >= PERMANENT_AFTER_S:
                return each.problem
            case ProblemKind.TRANSIENT if kind not in _WITH_DEADLINE and lasted >= TRANSIENT_LIMIT_S:
                return each.problem
            case ProblemKind.DEGRADED if lasted >= TRANSIENT_LIMIT_S:
                return each.problem
            case _:
                continue
    return None


def find_problems(pods: Iterable[Pod], first_restarts: Mapping[str, int], workload: Workload) -> tuple[PodProblem, ...]:
    """Return the problems of the new pods, the worst first, each key once.

    Args:
        first_restarts: restarts by pod uid, in the first poll that saw the pod.
        workload: has why pods cannot be created, and whether the rollout is degraded, in the controller's words.
    """
    found = list(_workload_problems(workload))
    for pod in pods:
        found += _pod_problems(pod, first_restarts.get(pod.uid, pod.restarts))
    found.sort(key=lambda problem: list(ProblemKind).index(problem.kind))
    return tuple({problem.key: problem for problem in reversed(found)}.values())[::-1]


def _workload_problems(workload: Workload) -> Iterable[PodProblem]:
    if workload.cannot_create:
        yield PodProblem("create", ProblemKind.TRANSIENT, f"pods cannot be created: {workload.cannot_create}")
    # The phase is that of the template only once the controller has observed it.
    if workload.phase is not None and workload.phase.degraded and workload.observed == workload.generation:
        yield PodProblem("degraded", ProblemKind.DEGRADED, f"the Rollout is degraded: {workload.phase.degraded}")


def problem_keys(pod: Pod) -> tuple[str, ...]:
    """Return a key for each current problem of a pod; it changes with each restart."""
    return tuple(problem.text for problem in _pod_problems(pod, 0))


def _pod_problems(pod: Pod, first: int) -> Iterable[PodProblem]:
    if pod.unschedulable:
        yield PodProblem("schedule", ProblemKind.TRANSIENT, f"pod {pod.name} cannot be scheduled: {pod.unschedulable}")
    for container in pod.containers:
        if (problem := _container_problem(pod, container)) is not None:
            yield problem
        if _is_crashed(container) or (pod.restarts > first and _has_recovered(container)):
            kind = ProblemKind.CRASH_LOOP if pod.restarts >= MAX_RESTARTS else ProblemKind.TRANSIENT
            text, who = _crash_text(pod, container), CrashedContainer(pod.name, container.name)
            yield PodProblem(f"crash {container.name}", kind, text, crashed_container=who)


def _container_problem(pod: Pod, container: ContainerState) -> PodProblem | None:
    if container.phase is not ContainerPhase.WAITING:
        return None
    where = f"{_location(pod, container)}: {container.reason}"
    text = truncate_text(f"{where}: {container.message}" if container.message else where, _MAX_TEXT_CHARS)
    if container.reason in _WRONG_NAME:
        return PodProblem(f"image {container.name}", ProblemKind.PERMANENT, text)
    if container.reason in _PULL:
        certain = is_lasting_pull_error(container.message)
        cause_unknown = bool(_NO_CAUSE.match(container.message))
        return PodProblem(
            f"image {container.name}", ProblemKind.PERMANENT if certain else ProblemKind.TRANSIENT, text, cause_unknown
        )
    if container.reason == "CreateContainerConfigError":
        kind = ProblemKind.TRANSIENT if _CACHE.search(container.message) else ProblemKind.PERMANENT
        return PodProblem(f"config {container.name}", kind, text)
    if container.reason in {"CreateContainerError", "RunContainerError"}:
        return PodProblem(f"start {container.name}", ProblemKind.TRANSIENT, text)
    return None


def _is_crashed(container: ContainerState) -> bool:
    """Return whether the container is down after a crash; a completed init container is not."""
    if container.ready or container.restarts == 0:
        return False
    if container.phase is ContainerPhase.TERMINATED:
        return not (container.init and container.exit_code == 0)
    return container.phase is ContainerPhase.WAITING and container.reason in {"CrashLoopBackOff", "RunContainerError"}


def _has_recovered(container: ContainerState) -> bool:
    return container.phase is ContainerPhase.RUNNING and not container.ready and container.last_exit_code is not None


def _crash_text(pod: Pod, container: ContainerState) -> str:
    ended = container.phase is ContainerPhase.TERMINATED
    code = container.exit_code if ended else container.last_exit_code
    reason = container.reason if ended else container.last_reason
    backing_off = [container.reason] if container.phase is ContainerPhase.WAITING else []
    causes = [*backing_off, *([reason] if reason not in _NO_REASON else [])]
    how = ", ".join(dict.fromkeys([*causes, *([f"exit code {code}"] if code is not None else [])]))
    return f"{_location(pod, container)} crashed ({how}), restarted {pluralize(pod.restarts, 'time')}"


def _location(pod: Pod, container: ContainerState) -> str:
    return f"pod {pod.name}, {'init container' if container.init else 'container'} {container.name}"
