"""Prints the last log lines of crashed containers: best effort, once per failure, never part of the verdict."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.deploy.kubernetes.snapshot import workload_target
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget

CRASH_LOG_LINES = 10
"""lines of a container's log that are shown at most"""
LOG_TIMEOUT_S = 5.0
"""seconds that kubectl may take"""


class CrashLogs:
    """Prints the crash logs of a rollout that has failed."""

    def __init__(self, kubectl: Kubectl, tell: Callable[[Event], None]) -> None:
        self._kubectl = kubectl
        self._tell = tell
        self._reported: set[WorkloadTarget] = set()

    def report(self, state: RolloutState) -> None:
        """Print the crash log of a failure once, and immediately, because its pod may be deleted soon."""
        if state.outcome is None or state.outcome.crashed_container is None:
            return
        target, crashed = workload_target(state), state.outcome.crashed_container
        if target in self._reported:
            return
        self._reported.add(target)
        lines = self._kubectl.previous_logs(
            target, crashed.pod, crashed.container, count=CRASH_LOG_LINES, within=LOG_TIMEOUT_S
        )
        for line in lines:
            self._tell(Log(source=f"pod {crashed.pod}/{crashed.container}", text=line, level=LogLevel.ERROR))
        command = self._kubectl.log_command(target, crashed.pod, crashed.container)
        self._tell(Log(source="homelab", text=f"for the {'whole ' if lines else ''}log, run: {command}"))
