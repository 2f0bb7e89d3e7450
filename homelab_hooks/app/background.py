"""Starts background watchers; imports little, because a push waits for it."""

from __future__ import annotations

import sys
from pathlib import Path

from homelab_hooks.app.runtime import JOB_VARIABLE, Runtime
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.notify import find_session_leader
from homelab_hooks.hooks.background.registry import WatchRegistry

WATCHER_COMMAND = ("-P", "-m", "homelab_hooks.cli", "hooks", "watcher")
"""arguments for Python; -P, because modules must not come from the current directory"""


def spawn_watcher(runtime: Runtime, job: WatchJob) -> Path | None:
    """Start a background watcher, and return its log; None if the commit is watched already.

    Raises:
        OSError: the log cannot be created, or the process cannot be started.
    """
    common = runtime.git_readonly.location.common_dir()
    if common is None:
        return None
    registry = WatchRegistry(common)
    if registry.is_watched(job.name, runtime.clock.wall()):
        return None
    log = registry.log_of(job.name)
    full = job._replace(log=str(log), session_leader=find_session_leader())
    argv = [sys.executable, *WATCHER_COMMAND, job.sha]
    runtime.hook_runner.spawn(argv, cwd=Path("/"), env={JOB_VARIABLE: full.to_json()}, log=log)
    return log
