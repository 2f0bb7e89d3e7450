"""Polls workloads with kubectl: a consistent snapshot, the workload alone, or the last watch event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from homelab_hooks.config.image_proof import ProofKind
from homelab_hooks.deploy.kubernetes import poll_depth
from homelab_hooks.deploy.kubernetes.commit_match import match_commit, proves_commit
from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.match import EvidencePending, NewerCommit, SameCommit
from homelab_hooks.deploy.kubernetes.poll_depth import PollDepth, WatchState
from homelab_hooks.deploy.kubernetes.revisions import find_current_revision
from homelab_hooks.deploy.kubernetes.snapshot import (
    RolloutObservation,
    Snapshot,
    WorkloadOnly,
    get_memory,
    keep_known_kind,
    workload_target,
)
from homelab_hooks.deploy.kubernetes.watcher import WorkloadWatcher
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import PodsAndWorkload, Revision, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable

T = TypeVar("T")
_WARNINGS_INTERVAL_S = 60.0
"""seconds between two requests for the warnings about pods"""
_MAX_TRIES = 3
"""snapshots of a workload that changes meanwhile, and calls for one part of a snapshot"""


class WorkloadPoller:
    """Polls workloads, and asks for the evidence about their images.

    Args:
        evidence: asks git, the registry, or the service.
        now: returns the time, to limit each call to the time that is left.
        wake: ends the current sleep of the wait; None: no watches are started.
    """

    def __init__(
        self,
        kubectl: Kubectl,
        evidence: EvidenceSource,
        now: Callable[[], float],
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._kubectl = kubectl
        self._evidence = evidence
        self._now = now
        self._wake = wake
        self._watchers: dict[WorkloadTarget, WorkloadWatcher] = {}
        self._needs_two_calls: set[WorkloadTarget] = set()
        """the targets that could not be listed with their pods in one call"""

    def close(self) -> None:
        """End the watches."""
        for watcher in self._watchers.values():
            watcher.close()

    def poll(self, state: RolloutState) -> Poll[RolloutObservation] | None:
        """Return an observation; None if no poll is due and no watch event calls for one."""
        watch_state = self._watch_state(state, get_memory(state).last_workload if state.proven_image else None)
        match poll_depth.poll_depth(state, watch_state, self._now()):
            case PollDepth.NONE:
                return None
            case PollDepth.WATCH_ONLY:
                workload = watch_state.workload or get_memory(state).last_workload
                return Found(WorkloadOnly(workload=workload, watched=watch_state.up)) if workload else None
            case PollDepth.WORKLOAD:
                return self._with_watch_state(state, self._workload_first(state))
            case PollDepth.SNAPSHOT:
                taken = self._consistent_snapshot(state, get_memory(state).last_workload)
                return self._with_watch_state(state, self._confirm_contact(state, taken))

    def _watch_state(self, state: RolloutState, rolling: Workload | None) -> WatchState:
        if self._wake is None or not state.contact.ever_answered:  # a second login would begin beside the first one
            return WatchState()
        return self._watcher(state, self._wake).watch_state(state, rolling)

    def _watcher(self, state: RolloutState, wake: Callable[[], None]) -> WorkloadWatcher:
        if workload_target(state) not in self._watchers:
            self._watchers[workload_target(state)] = WorkloadWatcher(self._kubectl, wake=wake, now=self._now)
        return self._watchers[workload_target(state)]

    def _with_watch_state(self, state: RolloutState, poll: Poll[RolloutObservation]) -> Poll[RolloutObservation]:
        """Add to an observation whether the watches are up."""
        if self._wake is None or not isinstance(poll, Found):
            return poll
        watcher, observation = self._watcher(state, self._wake), poll.value
        watcher.verify_against(observation.workload)
        is_proven = state.proven_image or (
            isinstance(observation, Snapshot) and proves_commit(observation, state.expectation)
        )
        return Found(
            replace(observation, watched=watcher.watch_state(state, observation.workload if is_proven else None).up)
        )

    def _workload_first(self, state: RolloutState) -> Poll[RolloutObservation]:
        """Poll the workload, then its pods too if the workload alone does not suffice."""
        read = self._read(state)
        if not isinstance(read, Found):
            return read
        workload = read.value
        if state.proven_image and poll_depth.workload_suffices(state, workload, self._now()):
            return Found(WorkloadOnly(workload=workload))
        bare = Snapshot(workload=workload, kind=workload_target(state).kind, without_pods=True)
        bare = self._evidence.complete(bare, state.expectation)
        if not state.proven_image and not _needs_pods(bare, state.expectation):
            return Found(bare)
        return self._consistent_snapshot(state, workload, bare.evidence)

    def _consistent_snapshot(
        self, state: RolloutState, first: Workload | None, evidence: Evidence | None = None
    ) -> Poll[RolloutObservation]:
        """Take a snapshot; if the workload changes meanwhile, take another one, starting with the changed workload.

        Args:
            evidence: what this poll has asked about the first workload already.
        """
        for _ in range(_MAX_TRIES):
            if first is None:
                read = self._read(state)
                if not isinstance(read, Found):
                    return read
                first = read.value
            taken = self._snapshot(state, first, evidence or Evidence())
            if not isinstance(taken, Workload):
                return taken
            first, evidence = taken, None
        return Unavailable(f"the workload changed during each of {_MAX_TRIES} polls", FailureKind.BODY)

    def _confirm_contact(self, state: RolloutState, taken: Poll[RolloutObservation]) -> Poll[RolloutObservation]:
        """Read the workload after an incomplete snapshot that began with that of an earlier poll.

        The calls of a snapshot may fail one by one, but a server that answers none of them is not reached.
        """
        if not (isinstance(taken, Found) and isinstance(taken.value, WorkloadOnly) and taken.value.missing):
            return taken
        read = self._read(state)
        return Found(replace(taken.value, workload=read.value)) if isinstance(read, Found) else read

    def _snapshot(
        self, state: RolloutState, first: Workload, evidence: Evidence
    ) -> Poll[RolloutObservation] | Workload:
        """Read the revisions and pods, then the workload again; return the workload if it has changed meanwhile."""
        revisions = self._revisions(state, first)
        if not isinstance(revisions, Found):
            return _incomplete(revisions, first)
        taken = self._now()
        read = self._pods_then_workload(state, first, revisions.value)
        if not isinstance(read, PodsAndWorkload):
            return read
        if not _is_same_workload(first, read.workload):
            return read.workload
        snapshot = Snapshot(
            workload=read.workload, kind=workload_target(state).kind, revisions=revisions.value, pods=read.pods,
            taken_at=taken, unchanged_since=self._unchanged_since(state, read, taken), evidence=evidence,
        )  # fmt: skip
        snapshot = self._with_events(state, self._evidence.complete(snapshot, state.expectation))
        return Found(self._with_warnings(state, snapshot))

    def _unchanged_since(self, state: RolloutState, read: PodsAndWorkload, taken: float) -> float | None:
        """Return since when what was read is known to have been so, by the versions in watch events; None if unknown.

        Never before the pods were requested. The answer of a live URL has no version.
        """
        if self._wake is None or state.expectation.proof.kind is ProofKind.LIVE:
            return None
        versions = {pod.uid: pod.resource_version for pod in read.pods if pod.is_active}
        versions[read.workload.uid] = read.workload.resource_version
        since = self._watcher(state, self._wake).find_unchanged_since(versions)
        return None if since is None else max(taken, since)

    def _pods_then_workload(
        self, state: RolloutState, first: Workload, revisions: tuple[Revision, ...]
    ) -> PodsAndWorkload | Poll[RolloutObservation]:
        """Read the pods, and then the workload: in one call of kubectl where possible, else in two."""
        target = workload_target(state)
        if first.matches_own_selector and target not in self._needs_two_calls:
            both = self._kubectl.pods_then_workload(target, first, revisions, within=state.call_timeout(self._now()))
            if isinstance(both, Found):
                value: PodsAndWorkload = both.value
                return value
            has_timed_out = isinstance(both, Unavailable) and both.kind is FailureKind.TIMEOUT
            if has_timed_out or isinstance(both, Denied):  # the user may get the workload, but not list workloads
                self._needs_two_calls.add(target)
            if has_timed_out:
                return _incomplete(both, first)
        pods = self._retry(lambda: self._kubectl.pods(target, first, revisions, within=state.call_timeout(self._now())))
        if not isinstance(pods, Found):
            return _incomplete(pods, first)
        again = self._read(state)
        if isinstance(again, Unavailable):
            return _incomplete(again, first)
        return PodsAndWorkload(pods.value, again.value) if isinstance(again, Found) else again

    def _read(self, state: RolloutState) -> Found[Workload] | NotFound | Unavailable | Denied:
        found = self._retry(
            lambda: self._kubectl.workload(workload_target(state), within=state.call_timeout(self._now()))
        )
        return keep_known_kind(found, state)

    @staticmethod
    def _retry(
        call: Callable[[], Found[T] | NotFound | Unavailable | Denied],
    ) -> Found[T] | NotFound | Unavailable | Denied:
        """Return the result of a call that is repeated at once if it fails quickly.

        An API server behind a load balancer may answer only some of the calls, and a snapshot needs four in a row.
        """
        poll = call()
        for _ in range(_MAX_TRIES - 1):
            if not isinstance(poll, Unavailable) or poll.kind is FailureKind.TIMEOUT:
                break
            poll = call()
        return poll

    def _revisions(
        self, state: RolloutState, workload: Workload
    ) -> Found[tuple[Revision, ...]] | NotFound | Unavailable | Denied:
        """Return the last snapshot's revisions if they are still valid, else get them."""
        last = get_memory(state).last_snapshot
        unexplained = last is not None and last.workload.counts.is_rolled_out and state.settling is None
        if last is not None and not unexplained and _is_same_workload(last.workload, workload):
            kept = replace(last, workload=workload)
            if find_current_revision(kept, workload_target(state).kind) is not None:
                return Found(last.revisions)
        return self._retry(
            lambda: self._kubectl.revisions(workload_target(state), workload, within=state.call_timeout(self._now()))
        )

    def _with_events(self, state: RolloutState, snapshot: Snapshot) -> Snapshot:
        """Add why pods cannot be created, from events; only Deployments and Rollouts have that in their status."""
        workload = snapshot.workload
        living = sum(pod.is_active for pod in snapshot.pods)
        has_reason = workload_target(state).kind in {WorkloadKind.DEPLOYMENT, WorkloadKind.ROLLOUT}
        if has_reason or living >= workload.counts.desired:
            return snapshot
        why = self._kubectl.cannot_create(workload_target(state), workload, within=state.call_timeout(self._now()))
        return replace(snapshot, workload=replace(workload, cannot_create=why))

    def _with_warnings(self, state: RolloutState, snapshot: Snapshot) -> Snapshot:
        """Add the warnings about pods that were not ready in the last snapshot either, requested once in a while."""
        memory, now = get_memory(state), self._now()
        waiting = {
            pod.uid for pod in snapshot.pods if pod.is_active and not pod.ready and pod.uid in memory.unready_since
        }
        if not waiting:
            return snapshot
        last = memory.last_snapshot
        if last is not None and last.warned_at is not None and now - last.warned_at < _WARNINGS_INTERVAL_S:
            return replace(snapshot, warnings=last.warnings, warned_at=last.warned_at)
        warnings = self._kubectl.pod_warnings(workload_target(state), within=state.call_timeout(now))
        return replace(snapshot, warnings=warnings, warned_at=now)


def _needs_pods(snapshot: Snapshot, expectation: Expectation) -> bool:
    """Return whether to poll the pods: once the template names the commit and is observed, or if only they show it."""
    match match_commit(snapshot, expectation):
        case EvidencePending(needs_pods=needs_pods):
            return needs_pods
        case SameCommit() | NewerCommit():
            return snapshot.workload.observed == snapshot.workload.generation
        case _:
            return False


def _incomplete(poll: NotFound | Unavailable | Denied, workload: Workload) -> Found[WorkloadOnly] | Denied:
    """Return what was read of an incomplete snapshot: the server answers, although not every call."""
    return poll if isinstance(poll, Denied) else Found(WorkloadOnly(workload=workload, missing=poll.reason))


def _is_same_workload(first: Workload, again: Workload) -> bool:
    return (first.uid, first.generation, first.template) == (again.uid, again.generation, again.template)
