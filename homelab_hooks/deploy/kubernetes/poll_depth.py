"""Decides how much to request from the API: nothing, the workload alone, or its pods too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from homelab_hooks.deploy.kubernetes.snapshot import WorkloadMemory, get_memory, workload_target
from homelab_hooks.deploy.poll_interval import INTERVALS
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.model import Workload, WorkloadKind


class PollDepth(Enum):
    """What is requested from the API."""

    NONE = auto()
    WATCH_ONLY = auto()
    """nothing; what the watch has delivered is reported"""
    WORKLOAD = auto()
    """the workload, in one request; its pods too if it has changed"""
    SNAPSHOT = auto()
    """a snapshot: the pods, then the workload"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """What the watches delivered. They can end a sleep early, and are never evidence (ADR 10)."""

    up: bool = False
    """whether the watches are running and current"""
    workload: Workload | None = None
    """the workload of the last watch event since the last read; None if there was none"""
    gone: bool = False
    """the workload was deleted"""
    pod_problem: bool = False
    """a pod has had a problem since the last snapshot"""


def poll_depth(state: RolloutState, watch_state: WatchState, now: float) -> PollDepth:
    """Return what to request now; NONE if no poll is due and no watch event calls for one."""
    memory, due = get_memory(state), now >= state.due_at - INTERVALS.slack_s
    if memory.last_workload is None or state.contact.misses or state.gone_since is not None or watch_state.gone:
        return PollDepth.WORKLOAD if due or (watch_state.gone and state.gone_since is None) else PollDepth.NONE
    latest = watch_state.workload or memory.last_workload
    changed = not only_counters_changed(memory.last_workload, latest)
    rolling = bool(state.proven_image) and memory.last_snapshot is not None
    if (
        rolling
        and not changed
        and (
            _rollout_ends(memory.last_workload, latest)
            or _react_to_watch(state, watch_state)
            or (due and is_pod_poll_due(state, now))
        )
    ):
        return PollDepth.SNAPSHOT
    if due or changed:
        return PollDepth.WORKLOAD
    counts_changed = latest.counts != memory.last_workload.counts
    if counts_changed and memory.proof_is_in_pods and not state.proven_image:
        return PollDepth.WORKLOAD  # other pods, and they show what runs
    return (
        PollDepth.WATCH_ONLY if (rolling and counts_changed) or watch_state.up is not memory.watched else PollDepth.NONE
    )


def _rollout_ends(before: Workload, after: Workload) -> bool:
    return before.counts.is_rolled_out is not after.counts.is_rolled_out


def _react_to_watch(state: RolloutState, watch_state: WatchState) -> bool:
    return watch_state.pod_problem and not get_memory(state).evidence


def only_counters_changed(before: Workload, after: Workload) -> bool:
    """Return whether nothing but counters, annotations, and labels differs."""
    return replace(before, counts=after.counts, annotations={}, labels={}) == replace(after, annotations={}, labels={})


def workload_suffices(state: RolloutState, workload: Workload, now: float) -> bool:
    """Return whether the workload alone is enough: nothing but its counters has changed since the last snapshot."""
    last_snapshot = get_memory(state).last_snapshot
    if last_snapshot is None or not only_counters_changed(last_snapshot.workload, workload) or workload.deleting:
        return False
    if workload.counts.is_rolled_out is (state.settling is None):
        return False  # the rollout is complete now, or no longer complete: the pods must be read
    return not is_pod_poll_due(state, now)


def is_pod_poll_due(state: RolloutState, now: float) -> bool:
    """Return whether a new snapshot of the pods is due, independent of the workload."""
    memory, settling = get_memory(state), state.settling
    if settling is not None:
        return now >= settling.since + state.timeouts.settle - INTERVALS.slack_s
    since_snapshot = now - memory.last_snapshot_at + INTERVALS.slack_s
    if memory.evidence:
        return _has_recent_problem(memory, now) or since_snapshot >= INTERVALS.problem_s
    if memory.last_snapshot is None or (memory.last_workload is not None and memory.last_workload.counts.is_rolled_out):
        return True
    if not memory.watched and now - memory.counters_changed_at < INTERVALS.early_phase_s:
        return True
    every = (
        INTERVALS.unexplained_s
        if pods_missing(memory, workload_target(state).kind)
        else INTERVALS.watched_pods_s
        if memory.watched
        else INTERVALS.pods_s
    )
    return since_snapshot >= every


def pods_missing(memory: WorkloadMemory, kind: WorkloadKind) -> bool:
    """Return whether pods are missing, for kinds whose status has no reason for it."""
    last_snapshot = memory.last_snapshot
    if kind in {WorkloadKind.DEPLOYMENT, WorkloadKind.ROLLOUT} or last_snapshot is None:
        return False
    return sum(pod.is_active for pod in last_snapshot.pods) < last_snapshot.workload.counts.desired


def _has_recent_problem(memory: WorkloadMemory, now: float) -> bool:
    return any(now - each.since < INTERVALS.recent_problem_s for each in memory.evidence)


def record_poll(memory: WorkloadMemory, workload: Workload, now: float, *, watched: bool) -> WorkloadMemory:
    """Return the memory after the workload was read or a watch event arrived."""
    before = memory.last_workload
    if before is None or (before.uid, before.generation) != (workload.uid, workload.generation):
        return replace(
            memory,
            last_workload=workload,
            counters_changed_at=now,
            changed_at=now,
            pods_climbed_at=now,
            watched=watched,
        )
    moved = now if before.counts != workload.counts else memory.changed_at
    climbed = now if workload.counts.updated > before.counts.updated else memory.pods_climbed_at
    return replace(memory, last_workload=workload, changed_at=moved, pods_climbed_at=climbed, watched=watched)


def usual_pod_time(memory: WorkloadMemory) -> float:
    """Return the seconds that a pod takes, known once the last one has been created; 0 if unknown."""
    if memory.last_workload is None:
        return 0.0
    counts = memory.last_workload.counts
    if counts.updated < counts.desired or counts.updated < 2:  # noqa: PLR2004 - two pods are needed for one interval
        return 0.0
    return (memory.pods_climbed_at - memory.counters_changed_at) / (counts.updated - 1)
