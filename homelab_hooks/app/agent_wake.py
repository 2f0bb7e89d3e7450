"""Waits for the background watchers of this repository, once for each of them, for a hook of a coding agent."""

from __future__ import annotations

import contextlib
import shlex

from homelab_hooks.app.session import Session
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord, WatchRegistry
from homelab_hooks.system.file_lock import LockHeldError, describe_process, hold_lock
from homelab_hooks.verdict import VERDICTS

WAKE_INTERVAL_S = 1.0
"""seconds between two reads of a watcher's record"""


def wait_for_watchers(session: Session) -> list[str]:
    """Return a line for each watcher that has ended; none for one that another call waits for or has reported."""
    common, clock = session.runtime.git_readonly.location.common_dir(), session.runtime.clock
    if common is None:
        return []
    registry, lines = WatchRegistry(common), []
    for record in registry.all_records():
        if not registry.is_running(record, clock.wall()):
            continue
        lock = registry.events_of(record).with_suffix(".wake")
        with contextlib.suppress(LockHeldError, OSError), hold_lock(lock, describe_process("waking an agent")):
            known: WatchRecord | None = None  # stays so if it has ended since: the call that held the lock told of it
            while registry.is_running(known or record, clock.wall()):
                clock.sleep(WAKE_INTERVAL_S)
                known = registry.load_same(record)
                if known is None:
                    break
            if known is not None and (line := describe_wake(known)):
                lines.append(line)
            lock.unlink(missing_ok=True)  # while it is held: later it is another call's
    return lines


def describe_wake(record: WatchRecord) -> str:
    """Return what to print about a watcher that has ended; empty if a caller has printed its result.

    Only our own words are printed: a coding agent reads them, and the rest of the result is text from outside.
    """
    if record.delivered:
        return ""
    again = f"for the details, run: {shlex.join(['homelab', 'follow', record.sha, '--output', 'json'])}"
    verdict = (record.result or {}).get("verdict")
    if record.state is not WatchPhase.ENDED or verdict not in VERDICTS:
        return f"homelab: the background watcher of {record.sha} ended without a result; {again}"
    return f"homelab: {verdict}: the background watcher of {record.sha} has ended; {again}"
