"""One watch of a push, from its record to its last word: in the foreground, or left behind."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.stage import FollowUp
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.background import notify, push_check
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord, WatchRegistry, finish_record
from homelab_hooks.hooks.pre_push.target import is_target
from homelab_hooks.land.request import Landed
from homelab_hooks.system import process_table
from homelab_hooks.system.expiry import exit_after
from homelab_hooks.verdict import Verdict

MAX_EXTRA_S = 600.0
"""seconds beyond all timeouts after which a waiter ends whatever happens; a push may take from them"""
MAX_LOG_CHARS = 256 * 1024
"""characters of progress in a log, at most"""


def run_background(session: Session, ticket: WatchJob) -> int:
    """What a waiter does: see whether the push landed, watch if it did, write down and tell how it ended."""
    session.world.terminal.limit_log(MAX_LOG_CHARS)
    session.world.chdir(Path(ticket.directory))
    vigil = PushWatch(session, ticket)
    code = session.run_guarded(vigil.wait_then_watch)
    vigil.finish(notifies=True)
    return code


def run_foreground(session: Session, ticket: WatchJob, config: Config) -> int:
    """The same for a push that has landed, with somebody who looks on; nothing where it is watched already."""
    vigil = PushWatch(session, ticket)
    code = session.run_guarded(lambda: vigil.watch(config, WatchPhase.WATCHING))
    vigil.finish(notifies=False)
    return code


class PushWatch:
    """A watch of one push; `end` is called however it ended."""

    def __init__(self, session: Session, ticket: WatchJob) -> None:
        self._session = session
        self._ticket = ticket
        self._store: WatchRegistry | None = None
        self._record: WatchRecord | None = None
        self._config: Config | None = None

    def _stage(self, config: Config) -> FollowUp:
        given = Namespace(**self._ticket.options)
        return FollowUp(config, self._session, given, watching=True, deploying=True)

    @property
    def _git(self) -> ReadOnlyRepository:
        return self._session.world.git_readonly

    def wait_then_watch(self) -> int:
        """Wait for the push if it goes on, then watch."""
        config = self._session.config(Namespace(**{**self._ticket.options, "output": "plain"}))
        exit_after(_max_duration(config))
        return self.watch(config, WatchPhase.PUSHING if self._ticket.push_process else WatchPhase.WATCHING)

    def watch(self, config: Config, state: WatchPhase) -> int:
        """Watch, as the only one who does; a watch that only waits for this push's end is taken over."""
        world, ticket = self._session.world, self._ticket
        common = self._git.location.common_dir()
        if common is None:
            raise CommandError("this is no git repository", hint="it may have been removed since the push")
        now = world.clock.wall()
        record = WatchRecord(
            sha=ticket.sha, branch=ticket.branch, remote=format_remote_url(ticket.remote), process=os.getpid(),
            host=os.uname().nodename, began_at=now, expires_at=now + _max_duration(config), state=state, log=ticket.log,
            landed=True if ticket.push_process is None else None,
        )  # fmt: skip
        store = WatchRegistry(common)
        over = frozenset({WatchPhase.PUSHING}) if state is WatchPhase.WATCHING else frozenset[WatchPhase]()
        if not self._written(lambda: store.claim(record, over=over)):
            return 0
        self._store, self._record, self._config = store, record, config
        world.chdir(common)
        return self._watch(config) if self._landed(config) else int(ExitCode.OK)

    def finish(self, *, notifies: bool) -> None:
        """Write down how it ended, and tell who is to be told; of a push that did not land git itself has told."""
        session, record, store = self._session, self._record, self._store
        if record is None or store is None or self._config is None or session.result is None:
            return
        done = finish_record(
            record, result=notify.result_dict(session.result, session.world), now=session.world.clock.wall()
        )
        if self._written(lambda: store.save(done)) and notifies and record.landed is not False:
            shell = self._ticket.session_leader
            notify.send_notification(session.result, session.world, self._config, shell=shell, tell=session.tell)

    def _landed(self, config: Config) -> bool:
        """Whether there is something to watch; the record says so too."""
        ticket, session = self._ticket, self._session
        assert self._record is not None  # noqa: S101 - claimed
        assert self._store is not None  # noqa: S101 - the same
        if ticket.push_process is not None:
            push_check.wait_for_exit(
                ticket.push_process, there=process_table.is_same_process, clock=session.world.clock
            )
            answer = push_check.push_landed(self._git, ticket)
            store, record = self._store, replace(self._record, landed=answer, state=WatchPhase.WATCHING)
            self._record = record
            if not self._written(lambda: store.save(record)):
                self._record = None  # somebody took over, who watches in the foreground
                return False
            if answer is not True:
                session.finish(
                    _not_landed_verdict(ticket, answer, again=self._stage(config).resume_command(ticket.sha))
                )
                return False
        if not is_target(ticket.branch, ticket.remote, config, self._git):
            with contextlib.suppress(OSError):
                self._store.delete(self._record)
            self._record = None
            return False
        return True

    def _written(self, keep: Callable[[], bool]) -> bool:
        """What is written down is for others; where the disk refuses it, the watch goes on as if it were."""
        try:
            return keep()
        except OSError as error:
            text = f"this watch is not written down: {error}"
            self._session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
            return True

    def _watch(self, config: Config) -> int:
        session, ticket = self._session, self._ticket
        server = session.world.server(config)
        stage = self._stage(config)
        session.tell(
            Start(command="git push", sha=ticket.sha, server=str(server), resume=stage.resume_command(ticket.sha))
        )
        url = next(iter(self._git.remotes.push_urls(ticket.remote)), ticket.remote)
        there = Landed(sha=ticket.sha, branch=ticket.branch, remote=ticket.remote, push_url=url)
        return session.finish(stage.run(there))


def _not_landed_verdict(ticket: WatchJob, answer: bool | None, *, again: str) -> Verdict:  # noqa: FBT001 - a fact of three values
    if answer is False:
        return Verdict(
            exit=ExitCode.OK, label="nothing", sha=ticket.sha, reason="the push did not land: nothing to watch"
        )
    return Verdict(
        exit=ExitCode.UNREACHABLE,
        sha=ticket.sha,
        reason=f"it is unknown whether the push to {ticket.branch} landed: "
        f"{format_remote_url(ticket.remote)} does not answer",
        hint=f"if it did: {again}",
    )


def _max_duration(config: Config) -> float:
    """Seconds after which a watch has ended for certain."""
    return config.timeout + (config.rollout_timeout if config.deploy else 0.0) + MAX_EXTRA_S
