"""The probe for Kubernetes workloads: polls them with kubectl, and assesses each poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from homelab_hooks.deploy.assessment import RolloutComplete
from homelab_hooks.deploy.kubernetes import pod_failures, poll_depth
from homelab_hooks.deploy.kubernetes.assess import RolloutHistory, assess, unproven_at_timeout
from homelab_hooks.deploy.kubernetes.commit_match import match_commit
from homelab_hooks.deploy.kubernetes.crash_logs import CrashLogs
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.match import CommitMatch, EvidencePending, NewerCommit, SameCommit
from homelab_hooks.deploy.kubernetes.poller import WorkloadPoller
from homelab_hooks.deploy.kubernetes.revisions import find_current_revision, split_pods
from homelab_hooks.deploy.kubernetes.snapshot import (
    PodProgress,
    RolloutObservation,
    Snapshot,
    WorkloadMemory,
    WorkloadOnly,
    get_memory,
    workload_target,
)
from homelab_hooks.deploy.kubernetes.stale_conditions import drop_stale_conditions
from homelab_hooks.deploy.kubernetes.standstill import HeldUpPods, find_standstill, track_unready
from homelab_hooks.deploy.proof import Assessed, InstanceCounts
from homelab_hooks.deploy.state import PollTiming, RolloutState
from homelab_hooks.events import Event
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import Workload, WorkloadKind
from homelab_hooks.polling.outcome import Poll

if TYPE_CHECKING:
    from homelab_hooks.deploy.kubernetes.resource import ResourceObservation
    from homelab_hooks.deploy.kubernetes.resource_poller import ResourcePoller


class KubernetesProbe:
    """Polls workloads with pods, and resources without (`deploy.proof.DeliveryProbe`).

    Args:
        evidence: asks git, the registry, or the service what an image is.
        now: returns the time, to limit each call to the time that is left.
        wake: ends the current sleep of the wait; None: kubectl's watches are not used.
        tell: receives the last log lines of a container whose crash failed the rollout.
    """

    def __init__(
        self,
        kubectl: Kubectl,
        evidence: EvidenceSource,
        *,
        now: Callable[[], float],
        wake: Callable[[], None] | None,
        tell: Callable[[Event], None],
    ) -> None:
        self._poller = WorkloadPoller(kubectl, evidence, now, wake)
        self._resources: ResourcePoller | None = None
        self._poller_args = (kubectl, evidence, now)
        self._crash_logs = CrashLogs(kubectl, tell)

    def poll(self, state: RolloutState) -> Poll[RolloutObservation | ResourceObservation] | None:
        """Return the current observation of one target; print the crash logs instead if it has failed."""
        if state.outcome is not None:
            self._crash_logs.report(state)
            return None
        return self._poller.poll(state) if workload_target(state).kind.owns_pods else self._poll_resource(state)

    def assess(
        self, observation: RolloutObservation | ResourceObservation, state: RolloutState, now: float
    ) -> Assessed:
        """Return the assessment of one poll."""
        if isinstance(observation, Snapshot | WorkloadOnly):
            return assess_observation(observation, state, now)
        from homelab_hooks.deploy.kubernetes.resource_assess import assess_resource

        return assess_resource(observation, state, now)

    def _poll_resource(self, state: RolloutState) -> Poll[ResourceObservation] | None:
        """Poll a target without pods; most waits have none, so the modules for them are imported here."""
        if self._resources is None:
            from homelab_hooks.deploy.kubernetes.resource_poller import ResourcePoller

            self._resources = ResourcePoller(*self._poller_args)
        return self._resources.poll(state)

    def close(self) -> None:
        """End kubectl's watches."""
        self._poller.close()


def assess_observation(observation: RolloutObservation, state: RolloutState, now: float) -> Assessed:
    """Return the assessment of one poll, given what is remembered of the workload."""
    match observation:
        case Snapshot():
            return _assess_snapshot(observation, state, now)
        case WorkloadOnly(workload=workload, watched=watched, missing=missing):
            memory = poll_depth.record_poll(get_memory(state), workload, now, watched=watched)
            old = max(0, workload.counts.total - workload.counts.updated)
            return Assessed(
                identity=workload.uid,
                progress=_progress(workload, old),
                timing=build_poll_timing(memory, workload_target(state).kind),
                memory=memory,
                missing=missing,
            )


def _assess_snapshot(snapshot: Snapshot, state: RolloutState, now: float) -> Assessed:
    workload, memory = snapshot.workload, get_memory(state)
    named = match_commit(snapshot, state.expectation)
    if state.uid and workload.uid != state.uid:
        memory = replace(memory, last_snapshot=None, pod_progress=None, first_restarts={}, evidence=())
    memory = poll_depth.record_poll(memory, workload, now, watched=snapshot.watched)
    memory = _record_match(memory, snapshot, named, now)
    if not state.proven_image and not isinstance(named, EvidencePending):
        memory = replace(memory, evidence=())  # the problems of pods that may have been of another image
    history = RolloutHistory(
        target=workload_target(state),
        first_poll=not state.proven_image and not state.previous_images,
        proven_image=state.proven_image,
        previous_images=state.previous_images,
        evidence=memory.evidence,
        gave_up=memory.outage_since is not None and now - memory.outage_since >= state.timeouts.unreachable_timeout,
    )
    if not snapshot.without_pods:
        taken_at = now if snapshot.taken_at is None else snapshot.taken_at
        memory = replace(memory, last_snapshot=snapshot, last_snapshot_at=taken_at)
        proves = isinstance(named, SameCommit | NewerCommit | EvidencePending)
        memory, history = _record_pods(memory, history, snapshot, now, proves=proves)
    assessment = assess(snapshot, state.expectation, history)
    if isinstance(assessment, RolloutComplete):
        assessment = replace(assessment, since=snapshot.unchanged_since)
    return Assessed(
        identity=workload.uid,
        progress=_progress(workload, None if memory.pod_progress is None else memory.pod_progress.old),
        timing=build_poll_timing(memory, workload_target(state).kind),
        memory=memory,
        assessment=assessment,
        image=named.image,
        proves=isinstance(named, SameCommit | NewerCommit),
        undecided=isinstance(named, EvidencePending),
        at_timeout=unproven_at_timeout(named),
    )


def _record_match(memory: WorkloadMemory, snapshot: Snapshot, named: CommitMatch, now: float) -> WorkloadMemory:
    """Return the memory with how long the evidence has been incomplete, and whether it is in the pods."""
    is_undecided = isinstance(named, EvidencePending)
    is_outage = isinstance(named, EvidencePending) and named.is_outage
    before, outage = memory.undecided_since, memory.outage_since
    return replace(
        memory,
        undecided_since=(now if before is None else before) if is_undecided else None,
        outage_since=(now if outage is None else outage) if is_outage else None,
        proof_is_in_pods=not snapshot.without_pods,
    )


def _record_pods(
    memory: WorkloadMemory, history: RolloutHistory, snapshot: Snapshot, now: float, *, proves: bool
) -> tuple[WorkloadMemory, RolloutHistory]:
    """Return the memory and the history with the problems and the progress of the new pods added."""
    new, old = split_pods(snapshot, history.kind)
    restarts = {**{pod.uid: pod.restarts for pod in new}, **memory.first_restarts}
    progress, before = PodProgress(sum(pod.ready for pod in new), len(old)), memory.pod_progress
    if before is None:
        progressed = bool(new) and progress.ready == len(new)
    else:
        progressed = progress.ready > before.ready or progress.old < before.old
    evidence = memory.evidence
    if proves:
        current = find_current_revision(snapshot, history.kind)
        workload = drop_stale_conditions(snapshot.workload, current, history.kind)
        seen = pod_failures.find_problems(new, restarts, workload)
        evidence = pod_failures.update_ages(evidence, seen, now)
    fatal = pod_failures.fatal_problem(evidence, history.kind, now)
    since = track_unready(snapshot.pods, memory.unready_since, now)
    ending = [pod for pod in snapshot.pods if pod.terminating]
    standstill = find_standstill(HeldUpPods(history.target, new, old, ending, snapshot.warnings, since), now)
    return (
        replace(memory, pod_progress=progress, first_restarts=restarts, evidence=evidence, unready_since=since),
        replace(history, progressed=progressed, evidence=evidence, fatal=fatal, standstill=standstill),
    )


def _progress(workload: Workload, old: int | None) -> InstanceCounts:
    """Return the counts; how many are updated is unknown until the controller has counted those of this template."""
    counts, is_observed = workload.counts, workload.observed == workload.generation
    updated = counts.updated if is_observed else None
    return InstanceCounts(
        desired=counts.desired, updated=updated, ready=counts.ready, available=counts.available, old=old
    )


def build_poll_timing(memory: WorkloadMemory, kind: WorkloadKind) -> PollTiming:
    """Return the facts that the time of the next poll depends on, independent of the vendor."""
    usual, workload = poll_depth.usual_pod_time(memory), memory.last_workload
    return PollTiming(
        changing_since=memory.counters_changed_at,
        changed_at=memory.changed_at,
        complete=workload is not None and workload.counts.is_rolled_out,
        watched=memory.watched,
        unexplained=poll_depth.pods_missing(memory, kind),
        problems_since=tuple(each.since for each in memory.evidence),
        undecided_since=memory.undecided_since,
        expected_end_at=memory.pods_climbed_at + usual if usual else None,
        instance_s=usual,
    )
