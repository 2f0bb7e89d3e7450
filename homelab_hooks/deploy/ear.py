"""Listens to the watches of a workload and its pods, and wakes the wait; nothing it hears is a verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable

from homelab_hooks.deploy import trouble
from homelab_hooks.deploy.pace import Heard, steady
from homelab_hooks.deploy.state import State
from homelab_hooks.kubectl.facts import Pod, Workload
from homelab_hooks.kubectl.kubectl import Follows, Kubectl

RETRY = (15.0, 60.0, 240.0)
"""seconds before a watch that said nothing is tried again; after the last one it is not"""
HELD = 30.0
"""seconds after which a watch that ends has been a good one"""
BEHIND = 2.0
"""seconds after which a watch that has not said what was read is deaf"""
LONGER = 60.0
"""seconds that a watch may go on after the time given, for the settle time"""


class Watch:
    """One watch: begun, begun again where it ends, given up where it is of no use."""

    def __init__(self, begin: Callable[[], Follows], now: Callable[[], float]) -> None:
        self._begin, self._now = begin, now
        self._following: Follows | None = None
        self._began = self._retry_at = float("-inf")
        self._failures = 0
        self.lines = 0
        """heard since it began"""

    @property
    def up(self) -> bool:
        """It has spoken, and may speak again."""
        return self._following is not None and self._following.alive and self.lines > 0

    def keep(self) -> None:
        """Begin it, if it is not under way and not useless."""
        now = self._now()
        if self._following is not None and not self._following.alive:
            self._ended(now)
        if self._following is None and now >= self._retry_at and self._failures < len(RETRY):
            self.lines, self._began = 0, now
            self._following = self._begin()

    def useless(self) -> None:
        """It does not say what is so: end it."""
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
        if self.lines and now - self._began >= HELD:
            self._failures = 0
            return
        self._retry_at = now + RETRY[min(self._failures, len(RETRY) - 1)]
        self._failures += 1


class Ear:
    """Hears of one workload.

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
        self._workload: Watch | None = None
        self._pods: Watch | None = None

    def heard(self, state: State, rolling: Workload | None) -> Heard:
        """What has been heard by now; watches that should be under way are begun.

        Args:
            rolling: the workload, once its pods matter.
        """
        if self._workload is None:
            self._workload = Watch(lambda: self._listen(state), self._now)
        self._workload.keep()
        if rolling is not None:
            if self._pods is None:
                self._pods = Watch(lambda: self._listen_to_pods(state, rolling), self._now)
            self._pods.keep()
        with self._lock:
            up = self._workload.up and self._behind is None and (self._pods is None or self._pods.up)
            alarm = self._alarm >= state.track.whole_at
            told = self._told if self._fresh and up else None
            return Heard(up=up, workload=told, gone=self._gone and self._workload.up, alarm=alarm)

    def check(self, read: Workload) -> None:
        """Compare with what was read: a watch that stays behind is deaf."""
        watch, now = self._workload, self._now()
        if watch is None or not watch.up:
            return
        with self._lock:
            agrees = self._told is not None and self._told.counts == read.counts and steady(self._told, read)
            before, self._fresh = self._behind, False
            if agrees:
                self._behind = None
            elif before is None or before[1] != watch.lines:
                self._behind = (now, watch.lines)
            deaf = not agrees and before is not None and before[1] == watch.lines and now - before[0] >= BEHIND
            if deaf:
                self._behind = None
        if deaf:
            watch.useless()

    def close(self) -> None:
        """Stop listening."""
        for watch in (self._workload, self._pods):
            if watch is not None:
                watch.close()

    def _listen(self, state: State) -> Follows:
        return self._kubectl.follow(state.target, self._hear, self._wake, lasts=self._left(state))

    def _listen_to_pods(self, state: State, workload: Workload) -> Follows:
        return self._kubectl.follow_pods(state.target, workload, self._hear_pod, self._wake, lasts=self._left(state))

    def _left(self, state: State) -> float:
        return max(0.0, state.deadline - self._now()) + state.terms.settle + LONGER

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
            signs = trouble.signs(pod) if pod is not None else ()
            news = pod is not None and bool(signs) and self._signs.get(pod.uid) != signs
            if pod is not None:
                self._signs[pod.uid] = signs
            if news:
                self._alarm = self._now()
        if news:
            self._wake()
