"""Watches a workload and its pods to end a sleep early; a watch event is never evidence (ADR 10)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from homelab_hooks.deploy.kubernetes import pod_failures
from homelab_hooks.deploy.kubernetes.poll_depth import WatchState, only_counters_changed
from homelab_hooks.deploy.kubernetes.snapshot import get_memory, workload_target
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.client import Kubectl, LineFollower
from homelab_hooks.kubectl.model import Pod, Workload

RETRY_DELAYS_S = (15.0, 60.0, 240.0)
"""seconds before each restart of a watch that delivered no events; after the last one, it is given up"""
GOOD_AFTER_S = 30.0
"""seconds that a watch must last so that its end does not count as a failure"""
LAG_LIMIT_S = 2.0
"""seconds that a watch may lag behind what was read before it is given up"""
EXTRA_DURATION_S = 60.0
"""seconds that a watch may run beyond the timeout, for the settle time"""


class KubectlWatch:
    """One watch of kubectl; restarted when it ends, until it has failed repeatedly."""

    def __init__(self, begin: Callable[[], LineFollower], now: Callable[[], float]) -> None:
        self._begin, self._now = begin, now
        self._stream: LineFollower | None = None
        self._began = self._retry_at = float("-inf")
        self._failures = 0
        self.lines = 0
        """lines received since the watch began"""

    @property
    def up(self) -> bool:
        """Return whether it has delivered events and is still running."""
        return self._stream is not None and self._stream.alive and self.lines > 0

    def ensure_running(self) -> None:
        """Start the watch if it is not running and has not been given up."""
        now = self._now()
        if self._stream is not None and not self._stream.alive:
            self._ended(now)
        if self._stream is None and now >= self._retry_at and self._failures < len(RETRY_DELAYS_S):
            self.lines, self._began = 0, now
            self._stream = self._begin()

    def give_up(self) -> None:
        """Stop using a watch whose events lag behind the polled state."""
        if self._stream is not None:
            self._stream.close()
            self._began = self._now()
            self._ended(self._began)

    def close(self) -> None:
        """End the watch."""
        if self._stream is not None:
            self._stream.close()

    def _ended(self, now: float) -> None:
        self._stream = None
        if self.lines and now - self._began >= GOOD_AFTER_S:
            self._failures = 0
            return
        self._retry_at = now + RETRY_DELAYS_S[min(self._failures, len(RETRY_DELAYS_S) - 1)]
        self._failures += 1


class WorkloadWatcher:
    """Watches one workload.

    Args:
        wake: ends the current sleep of the wait.
        now: monotonic seconds.
    """

    def __init__(self, kubectl: Kubectl, *, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._kubectl, self._wake, self._now = kubectl, wake, now
        self._lock = threading.Lock()
        self._last_workload: Workload | None = None
        self._gone = self._fresh = False
        self._problems_by_pod: dict[str, tuple[str, ...]] = {}
        self._problem_at = float("-inf")
        self._versions: dict[str, tuple[str, float]] = {}
        """by uid, the last version of each object that was received, and when"""
        self._lagging_since: tuple[float, int] | None = None
        self._workload_watch: KubectlWatch | None = None
        self._pods_watch: KubectlWatch | None = None

    def watch_state(self, state: RolloutState, rolling: Workload | None) -> WatchState:
        """Return what the watches reported; starts those that should run.

        Args:
            rolling: the workload while it rolls out, else None.
        """
        if self._workload_watch is None:
            self._workload_watch = KubectlWatch(lambda: self._watch_workload(state), self._now)
        self._workload_watch.ensure_running()
        if rolling is not None:
            if self._pods_watch is None:
                self._pods_watch = KubectlWatch(lambda: self._watch_pods(state, rolling), self._now)
            self._pods_watch.ensure_running()
        with self._lock:
            up = (
                self._workload_watch.up
                and self._lagging_since is None
                and (self._pods_watch is None or self._pods_watch.up)
            )
            has_problem = self._problem_at >= get_memory(state).last_snapshot_at
            workload = self._last_workload if self._fresh and up else None
            return WatchState(
                up=up, workload=workload, gone=self._gone and self._workload_watch.up, pod_problem=has_problem
            )

    def verify_against(self, read: Workload) -> None:
        """Compare the watch with the workload that was read, and give it up if it lags behind."""
        watch, now = self._workload_watch, self._now()
        if watch is None or not watch.up:
            return
        with self._lock:
            agrees = (
                self._last_workload is not None
                and self._last_workload.counts == read.counts
                and only_counters_changed(self._last_workload, read)
            )
            before, self._fresh = self._lagging_since, False
            if agrees:
                self._lagging_since = None
            elif before is None or before[1] != watch.lines:
                self._lagging_since = (now, watch.lines)
            is_stale = not agrees and before is not None and before[1] == watch.lines and now - before[0] >= LAG_LIMIT_S
            if is_stale:
                self._lagging_since = None
        if is_stale:
            watch.give_up()

    def find_unchanged_since(self, versions: Mapping[str, str]) -> float | None:
        """Return since when all these objects, by uid, have had these versions; None if one was not received.

        What has the same version in a later read has not changed in between. So the read is the evidence, and a watch
        that lags or repeats itself makes the time later, never earlier.
        """
        with self._lock:
            known = {uid: self._versions.get(uid, ("", 0.0)) for uid in versions}
            if any(version == "" or known[uid][0] != version for uid, version in versions.items()):
                return None
            return max(received for _, received in known.values())

    def _record_version(self, received: Workload | Pod) -> None:
        if self._versions.get(received.uid, ("", 0.0))[0] != received.resource_version:
            self._versions[received.uid] = (received.resource_version, self._now())

    def close(self) -> None:
        """End the watches."""
        for watch in (self._workload_watch, self._pods_watch):
            if watch is not None:
                watch.close()

    def _watch_workload(self, state: RolloutState) -> LineFollower:
        return self._kubectl.watch_workload(
            workload_target(state), self._on_workload, self._wake, duration=self._duration(state)
        )

    def _watch_pods(self, state: RolloutState, workload: Workload) -> LineFollower:
        return self._kubectl.watch_pods(
            workload_target(state), workload, self._on_pod, self._wake, duration=self._duration(state)
        )

    def _duration(self, state: RolloutState) -> float:
        return max(0.0, state.deadline - self._now()) + state.timeouts.settle + EXTRA_DURATION_S

    def _on_workload(self, workload: Workload | None) -> None:
        with self._lock:
            changed = workload is None or workload != self._last_workload
            self._last_workload = workload or self._last_workload
            self._gone, self._fresh = workload is None, True
            if workload is not None:
                self._record_version(workload)
            if self._workload_watch is not None:
                self._workload_watch.lines += 1
        if changed:
            self._wake()

    def _on_pod(self, pod: Pod | None) -> None:
        with self._lock:
            if self._pods_watch is not None:
                self._pods_watch.lines += 1
            problems = pod_failures.problem_keys(pod) if pod is not None else ()
            changed = pod is not None and bool(problems) and self._problems_by_pod.get(pod.uid) != problems
            if pod is not None:
                self._problems_by_pod[pod.uid] = problems
                self._record_version(pod)
            if changed:
                self._problem_at = self._now()
        if changed:
            self._wake()
