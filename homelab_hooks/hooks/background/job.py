"""The job of a background watcher: which push to watch, passed from the hook that starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.background.registry import record_name
from homelab_hooks.system.process_table import ProcessInfo
from homelab_hooks.text.json_fields import MAX_INT


class WatchJob(NamedTuple):
    """One commit that is being pushed, or was pushed, to one branch of a remote."""

    sha: str
    branch: str
    remote: str
    """a name, or a URL, which may hold a password"""
    directory: str
    """the repository's worktree"""
    log: str = ""
    spawned_at_ms: int = 0
    """when its watcher was started, in unix milliseconds; 0: not known"""
    reflog_length: int = 0
    """entries in the tracking branch's reflog before the push"""
    push_process: ProcessInfo | None = None
    """the git process that pushes; None: the push has ended, and it landed"""
    session_leader: ProcessInfo | None = None
    """the leader of the session whose terminal the push was made from"""
    options: Mapping[str, str | Sequence[str]] = {}
    """settings that the hook, or homelab follow, was given as options"""
    scope: str = ""
    """of a commit that has landed, and that homelab follow or git land hands over; empty for a push"""

    @property
    def name(self) -> str:
        """Return the name of its record in the registry."""
        return record_name(self.sha, self.branch, format_remote_url(self.remote), self.scope)

    def to_json(self) -> str:
        """Return the job as JSON text, for `parse`."""
        return json.dumps(self._asdict())

    @classmethod
    def parse(cls, text: str) -> WatchJob | None:
        """Return the job from JSON text; None if the text is not a job."""
        try:
            raw = json.loads(text)
            push, shell = (ProcessInfo(*raw[key]) if raw[key] else None for key in ("push_process", "session_leader"))
            return _validate(cls(**{**raw, "push_process": push, "session_leader": shell}))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _validate(job: WatchJob) -> WatchJob:
    """Return the job. Raises TypeError if a field has the wrong type."""
    raw: Any = job  # JSON values; the declared types are not checked yet
    texts = [raw.sha, raw.branch, raw.remote, raw.directory, raw.log, raw.scope]
    numbers = [raw.reflog_length, raw.spawned_at_ms]
    for process in (raw.push_process, raw.session_leader):
        if process is not None:
            numbers += process[:3]
            texts += process[3:]
    for value in raw.options.values():
        texts += value if isinstance(value, list) else [value]
    if not (all(isinstance(text, str) for text in texts) and all(_is_number(number) for number in numbers)):
        raise TypeError("not a job")
    return job


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) < MAX_INT
