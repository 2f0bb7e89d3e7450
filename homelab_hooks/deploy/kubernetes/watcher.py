"""Watches a workload and its pods to end a sleep early; a watch event is never evidence (ADR 10)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from homelab_hooks.deploy.kubernetes import pod_failures
from homelab_hooks.deploy.kubernetes.poll_depth import WatchState, only_counters_changed
from homelab_hooks.deploy.kubernetes.snapshot import memory_of, workload_target
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.client import Kubectl, LineFollower
from homelab_hooks.kubectl.model import Pod, Workload

RETRY_DELAYS_S = (15.0, 60.0, 240.0)
"""seconds before a watch without events is started again; after the last one it is not"""
GOOD_AFTER_S = 30.0
"""seconds after which a watch that ends has been a good one"""
LAG_LIMIT_S = 2.0
"""seconds after which a watch that lags behind what was read is given up"""
EXTRA_DURATION_S = 60.0
"""seconds that a watch may go on after the time given, for the settle time"""


class KubectlWatch:
    """One watch: restarted when it ends, given up when it is useless."""

    def __init__(self, begin: Callable[[], LineFollower], now: Callable[[], float]) -> None:
        self._begin, self._now = begin, now
        self._following: LineFollower | None = None
        self._began = self._retry_at = float("-inf")
        self._failures = 0
        self.lines = 0
        """received since it began"""

    @property
    def up(self) -> bool:
        """Whether it has delivered events and is still running."""
        return self._following is not None and self._following.alive and self.lines > 0

    def ensure_running(self) -> None:
        """Start it if it is not running and not given up."""
        now = self._now()
        if self._following is not None and not self._following.alive:
            self._ended(now)
        if self._following is None and now >= self._retry_at and self._failures < len(RETRY_DELAYS_S):
            self.lines, self._began = 0, now
            self._following = self._begin()

    def give_up(self) -> None:
        """End a watch that does not report what was read."""
        if self._following is not None:
            self._following.close()
            self._began = self._now()
            self._ended(self._began)

    def close(self) -> None:
        """End it."""
        if self._following is not None:
            self._following.close()

    def _ended(self, now: float) -> None:
        self._following = None
        if self.lines and now - self._began >= GOOD_AFTER_S:
            self._failures = 0
            return
        self._retry_at = now + RETRY_DELAYS_S[min(self._failures, len(RETRY_DELAYS_S) - 1)]
        self._failures += 1


class WorkloadWatcher:
    """Watches one workload.

    Args:
        wake: cuts the wait's current sleep short.
        now: monotonic seconds.
    """

    def __init__(self, kubectl: Kubectl, *, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._kubectl, self._wake, self._now = kubectl, wake, now
        self._lock = threading.Lock()
        self._told: Workload | None = None
        self._gone = self._fresh = False
        self._signs: dict[str, tuple[str, ...]] = {}
        self._alarm = float("-inf")
        self._behind: tuple[float, int] | None = None
        self._workload: KubectlWatch | None = None
        self._pods: KubectlWatch | None = None

    def watch_state(self, state: RolloutState, rolling: Workload | None) -> WatchState:
        """Return what the watches reported; starts those that should run.

        Args:
            rolling: the workload, once its pods matter.
        """
        if self._workload is None:
            self._workload = KubectlWatch(lambda: self._listen(state), self._now)
        self._workload.ensure_running()
        if rolling is not None:
            if self._pods is None:
                self._pods = KubectlWatch(lambda: self._listen_to_pods(state, rolling), self._now)
            self._pods.ensure_running()
        with self._lock:
            up = self._workload.up and self._behind is None and (self._pods is None or self._pods.up)
            alarm = self._alarm >= memory_of(state).last_snapshot_at
            told = self._told if self._fresh and up else None
            return WatchState(up=up, workload=told, gone=self._gone and self._workload.up, pod_problem=alarm)

    def verify_against(self, read: Workload) -> None:
        """Compare with what was read; give up a watch that lags behind."""
        watch, now = self._workload, self._now()
        if watch is None or not watch.up:
            return
        with self._lock:
            agrees = (
                self._told is not None and self._told.counts == read.counts and only_counters_changed(self._told, read)
            )
            before, self._fresh = self._behind, False
            if agrees:
                self._behind = None
            elif before is None or before[1] != watch.lines:
                self._behind = (now, watch.lines)
            deaf = not agrees and before is not None and before[1] == watch.lines and now - before[0] >= LAG_LIMIT_S
            if deaf:
                self._behind = None
        if deaf:
            watch.give_up()

    def close(self) -> None:
        """End the watches."""
        for watch in (self._workload, self._pods):
            if watch is not None:
                watch.close()

    def _listen(self, state: RolloutState) -> LineFollower:
        return self._kubectl.watch_workload(workload_target(state), self._hear, self._wake, lasts=self._left(state))

    def _listen_to_pods(self, state: RolloutState, workload: Workload) -> LineFollower:
        return self._kubectl.watch_pods(
            workload_target(state), workload, self._hear_pod, self._wake, lasts=self._left(state)
        )

    def _left(self, state: RolloutState) -> float:
        return max(0.0, state.deadline - self._now()) + state.timeouts.settle + EXTRA_DURATION_S

    def _hear(self, workload: Workload | None) -> None:
        with self._lock:
            news = workload is None or workload != self._told
            self._told = workload or self._told
            self._gone, self._fresh = workload is None, True
            if self._workload is not None:
                self._workload.lines += 1
        if news:
            self._wake()

    def _hear_pod(self, pod: Pod | None) -> None:
        with self._lock:
            if self._pods is not None:
                self._pods.lines += 1
            signs = pod_failures.problem_keys(pod) if pod is not None else ()
            news = pod is not None and bool(signs) and self._signs.get(pod.uid) != signs
            if pod is not None:
                self._signs[pod.uid] = signs
            if news:
                self._alarm = self._now()
        if news:
            self._wake()
