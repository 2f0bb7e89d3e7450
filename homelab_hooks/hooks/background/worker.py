"""Watches one push: waits for it to end, claims the watch, follows the commit, and records the result."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Protocol

from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.choice import FollowChoice, choose_links, longest_wait_s
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.background import push_check
from homelab_hooks.hooks.background.chain_key import describe_chain
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord, WatchRegistry, finish_record
from homelab_hooks.hooks.pre_push.target import is_target
from homelab_hooks.land.landed import Landed
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system import process_table
from homelab_hooks.verdict import Verdict

MAX_EXTRA_S = 600.0
"""seconds added to the sum of all timeouts, for the push; a background watch has ended after them in any case"""


class WorkerClock(Clock, Protocol):
    """Monotonic time for waiting, wall time for the record that other processes read."""

    def wall(self) -> float:
        """Return the time in Unix seconds."""


class WatchHost(Protocol):
    """The process that a watch runs in."""

    @property
    def git_readonly(self) -> ReadOnlyRepository:
        """Return git in the current directory; it never prompts."""

    @property
    def clock(self) -> WorkerClock:
        """Return a clock of monotonic and wall time."""

    def enter_git_dir(self, directory: Path) -> None:
        """Run git in the repository's git directory from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCallbacks:
    """What a watch calls.

    Args:
        emit: shows an event.
        record_events: records every event from now on in this file, for callers that attach to the watch.
        follow: follows a commit that has landed, and returns the verdict.
        resume_command: the command that follows the job's commit, for hints.
    """

    emit: Callable[[Event], None]
    record_events: Callable[[Path], None]
    follow: Callable[[Landed], Verdict]
    resume_command: str


class PushWatch:
    """The watch of one push.

    Several processes may want to watch the same commit on the same branch: the pre-push hook starts a watcher before
    the push, and the reference-transaction hook another one after it. The registry's record decides which of them does.

    Args:
        config: the settings that are in effect when the watch begins.
    """

    def __init__(self, job: WatchJob, config: Config, host: WatchHost, callbacks: WatchCallbacks) -> None:
        self._job = job
        self._config = config
        self._host = host
        self._callbacks = callbacks
        self._registry: WatchRegistry | None = None
        self._record: WatchRecord | None = None

    def run(self, phase: WatchPhase) -> Verdict | None:
        """Watch, and return the verdict; None if another process watches this push, or it is not to the target.

        A watch in the phase `watching` takes over from one that only waits for the push to end.

        Raises:
            CommandError: the repository is gone.
        """
        host, job = self._host, self._job
        common = host.git_readonly.location.common_dir()
        if common is None:
            raise CommandError("not a git repository", hint="the repository may have been removed since the push")
        record = make_record(job, self._config, process=os.getpid(), state=phase, now=host.clock.wall())
        registry = WatchRegistry(common)
        over = frozenset({WatchPhase.PUSHING}) if phase is WatchPhase.WATCHING else frozenset[WatchPhase]()
        # A watcher that a busy machine starts late may find that the foreground has watched the push meanwhile.
        since = job.spawned_at_ms / 1000 if phase is WatchPhase.PUSHING and job.spawned_at_ms else inf
        if not self._try_saving(lambda: registry.claim(record, over=over, unless_ended_since=since)):
            return None
        self._registry, self._record = registry, record
        self._callbacks.record_events(registry.events_of(record))
        host.enter_git_dir(common)  # the worktree may be removed during the watch
        if job.push_process is not None:
            verdict = self._wait_for_push(job.push_process, record, registry)
            if verdict is not None or self._record is None:
                return verdict
        if not job.scope and not is_target(job.branch, job.remote, self._config, host.git_readonly):
            with contextlib.suppress(OSError):
                registry.delete(self._record)
            self._record = None
            return None
        return self._follow()

    def record_result(self, result: Mapping[str, Any]) -> bool:
        """Save the result, and return whether the user is to be notified.

        The user is not notified of a push that did not land, since git has reported that, nor by a watch that another
        process has taken over.

        Args:
            result: the `result` object of --output json.
        """
        record, registry = self._record, self._registry
        if record is None or registry is None:
            return False
        ended = finish_record(record, result=result, now=self._host.clock.wall())
        return self._try_saving(lambda: registry.save(ended)) and record.landed is not False

    def _wait_for_push(
        self, push: process_table.ProcessInfo, record: WatchRecord, registry: WatchRegistry
    ) -> Verdict | None:
        """Wait until the push has ended; return the verdict if it did not land, None to continue.

        `self._record` is None afterwards if another process, which watches in the foreground, has taken over.
        """
        push_check.wait_for_exit(push, is_running=process_table.is_same_process, clock=self._host.clock)
        landed = push_check.push_landed(self._host.git_readonly, self._job)
        watching = self._record = record._replace(landed=landed, state=WatchPhase.WATCHING)
        if not self._try_saving(lambda: registry.save(watching)):
            self._record = None
            return None
        return None if landed else _not_landed_verdict(self._job, landed, self._callbacks.resume_command)

    def _try_saving(self, save: Callable[[], bool]) -> bool:
        """Return what `save` returns; True with a warning if the disk fails.

        Only other processes read the record, so a watch that cannot write it continues and notifies.
        """
        try:
            return save()
        except OSError as error:
            text = f"could not record this watch: {error}"
            self._callbacks.emit(Log(source="homelab", text=text, level=LogLevel.WARNING))
            return True

    def _follow(self) -> Verdict:
        job = self._job
        url = next(iter(self._host.git_readonly.remotes.push_urls(job.remote)), job.remote)
        landed = Landed(sha=job.sha, branch=job.branch, remote=job.remote, push_url=url)
        return self._callbacks.follow(landed)


def _not_landed_verdict(job: WatchJob, landed: bool | None, resume_command: str) -> Verdict:  # noqa: FBT001 - a fact of three values
    if landed is False:
        return Verdict(exit=ExitCode.OK, label="nothing", sha=job.sha, reason="the push did not land: nothing to watch")
    return Verdict(
        exit=ExitCode.UNREACHABLE,
        sha=job.sha,
        reason=f"unknown whether the push to {job.branch} landed: {format_remote_url(job.remote)} did not respond",
        hint=f"if the push landed, to watch it, run: {resume_command}",
    )


def make_record(job: WatchJob, config: Config, *, process: int, state: WatchPhase, now: float) -> WatchRecord:
    """Return the record of a watch that begins.

    Args:
        process: the ID of the process that watches.
        now: unix seconds.
    """
    info = process_table.process_info(process)
    return WatchRecord(
        sha=job.sha, branch=job.branch, remote=format_remote_url(job.remote), process=process,
        host=os.uname().nodename, began_at=now, expires_at=now + max_duration_s(config), state=state, log=job.log,
        landed=True if job.push_process is None else None, process_began=info.began if info else "",
        boot=process_table.boot_id(), chain=describe_chain(config, deploying=not job.options.get("no_deploy")),
        scope=job.scope,
    )  # fmt: skip


def max_duration_s(config: Config) -> float:
    """Return the seconds after which a watch has ended in any case."""
    links = choose_links(FollowChoice(follow=config.follow, deploy=config.deploy, deploy_given=True))
    return longest_wait_s(links, timeout=config.timeout, rollout_timeout=config.rollout_timeout) + MAX_EXTRA_S
