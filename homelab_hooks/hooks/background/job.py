"""What a waiter is told by the hook that leaves it behind."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from homelab_hooks.app.runtime import JOB_VARIABLE, Runtime
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.background.registry import WatchRegistry, record_name
from homelab_hooks.system import process_table
from homelab_hooks.system.process_table import ProcessInfo

WORKER_COMMAND = ("-P", "-m", "homelab_hooks.cli", "hooks", "waiter")
"""with Python: a waiter, whose modules do not come from the directory that it happens to be in"""

_MAX_INT = 2**53


class WatchJob(NamedTuple):
    """One commit on one branch of a remote."""

    sha: str
    branch: str
    remote: str
    """a name, or a URL, which may hold a password"""
    directory: str
    """of the repository's work tree"""
    log: str = ""
    reflog_length: int = 0
    """how often the tracking branch had been moved before the push"""
    push_process: ProcessInfo | None = None
    """the git that pushes; None: the push is over, and it landed"""
    session_leader: ProcessInfo | None = None
    """the leader of the session whose terminal the push was made on"""
    options: Mapping[str, str | Sequence[str]] = {}
    """settings that the hook was given as options"""

    @property
    def name(self) -> str:
        """Of the record."""
        return record_name(self.sha, self.branch, format_remote_url(self.remote))

    @classmethod
    def parse(cls, text: str) -> WatchJob | None:
        """From JSON; None where it is no ticket."""
        try:
            raw = json.loads(text)
            push, shell = (ProcessInfo(*raw[key]) if raw[key] else None for key in ("push_process", "session_leader"))
            return _validate(cls(**{**raw, "push_process": push, "session_leader": shell}))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _validate(ticket: WatchJob) -> WatchJob:
    """The ticket. Raises TypeError where a value is not of its kind."""
    told: Any = ticket  # what JSON gave, whatever the fields are declared as
    texts = [told.sha, told.branch, told.remote, told.directory, told.log]
    numbers = [told.reflog_length]
    for process in (told.push_process, told.session_leader):
        if process is not None:
            numbers += process[:3]
            texts += process[3:]
    for value in told.options.values():
        texts += value if isinstance(value, list) else [value]
    if not (all(isinstance(text, str) for text in texts) and all(_is_number(number) for number in numbers)):
        raise TypeError("no ticket")
    return ticket


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) < _MAX_INT


def spawn_watcher(world: Runtime, ticket: WatchJob) -> Path | None:
    """Leave a waiter behind; its log. None where the commit is watched already, or this is no repository."""
    common = world.git_readonly.location.common_dir()
    if common is None:
        return None
    store = WatchRegistry(common)
    if store.is_watched(ticket.name, world.clock.wall()):
        return None
    log = store.log_of(ticket.name)
    told = json.dumps(ticket._replace(log=str(log), session_leader=_session_leader())._asdict())
    argv = [sys.executable, *WORKER_COMMAND, ticket.sha]
    world.hook_runner.spawn(argv, cwd=Path("/"), env={JOB_VARIABLE: told}, log=log)
    return log


def find_git_push() -> ProcessInfo | None:
    """The git that runs this hook: the nearest among those that we descend from."""
    return next((one for one in process_table.ancestors(os.getpid()) if one.name == "git"), None)


def _session_leader() -> ProcessInfo | None:
    mine = process_table.process_info(os.getpid())
    leader = process_table.process_info(mine.session) if mine and mine.terminal else None
    return leader if mine and leader and leader.terminal == mine.terminal else None
