"""Starts background watchers; imports little, because a push waits for it."""

from __future__ import annotations

import sys
from pathlib import Path

from homelab_hooks.app.runtime import JOB_VARIABLE, Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.notify import find_session_leader
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRegistry

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
    _spawn(runtime, job, log)
    return log


def start_follow_watcher(runtime: Runtime, registry: WatchRegistry, job: WatchJob, config: Config) -> None:
    """Start a background watcher of a commit that has landed, and claim the watch for it.

    The claim is made here, so that the caller can attach without waiting for the process to start. If another watcher
    of the same began in the meantime, this one ends by itself.

    Raises:
        OSError: the log cannot be created, or the process cannot be started.
    """
    from homelab_hooks.hooks.background.worker import make_record

    log = registry.log_of(job.name)
    full = job._replace(log=str(log))
    process = _spawn(runtime, full, log)
    registry.claim(make_record(full, config, process=process, state=WatchPhase.WATCHING, now=runtime.clock.wall()))


def _spawn(runtime: Runtime, job: WatchJob, log: Path) -> int:
    """Start the process, and return its ID."""
    spawned_at_ms = int(runtime.clock.wall() * 1000)
    full = job._replace(log=str(log), session_leader=find_session_leader(), spawned_at_ms=spawned_at_ms)
    argv = [sys.executable, *WATCHER_COMMAND, job.sha]
    return runtime.hook_runner.spawn(argv, cwd=Path("/"), env={JOB_VARIABLE: full.to_json()}, log=log).pid
