"""Runs the watch of a plain push: in the foreground, or in the process of a background watcher."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from homelab_hooks.app.event_recording import record_events, result_fields
from homelab_hooks.app.follow_setup import FollowScope, FollowUp
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background import notify
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.registry import WatchPhase
from homelab_hooks.hooks.background.worker import PushWatch, WatchCallbacks, max_duration_s
from homelab_hooks.land.landed import Landed
from homelab_hooks.system.expiry import exit_after
from homelab_hooks.verdict import Verdict

MAX_LOG_CHARS = 256 * 1024
"""characters of progress in a background watcher's log"""


def run_background(session: Session, job: WatchJob) -> int:
    """Watch the push as the background watcher: wait until it has ended, follow the commit, record, notify."""
    session.runtime.terminal.limit_log(MAX_LOG_CHARS)
    session.runtime.chdir(Path(job.directory))
    started: list[tuple[PushWatch, Config]] = []

    def run() -> int:
        config = session.config({**job.options, "output": "plain", "sha": job.sha})
        exit_after(max_duration_s(config))
        watch = _create_watch(session, job, config)
        started.append((watch, config))
        return _finish(session, watch.run(WatchPhase.PUSHING if job.push_process else WatchPhase.WATCHING))

    code = session.run_guarded(run)
    for watch, config in started:
        _record_and_notify(session, job, watch, config)
    return code


def run_foreground(session: Session, job: WatchJob, config: Config) -> int:
    """Watch a push that has landed, on the terminal it was made from; record the result, without a notification."""
    started: list[PushWatch] = []

    def run() -> int:
        started.append(_create_watch(session, job, config))
        return _finish(session, started[0].run(WatchPhase.WATCHING))

    code = session.run_guarded(run)
    for watch in started if session.result is not None else ():
        watch.record_result(result_fields(session))
    return code


def _finish(session: Session, verdict: Verdict | None) -> int:
    return int(ExitCode.OK) if verdict is None else session.finish(verdict)


def _create_watch(session: Session, job: WatchJob, config: Config) -> PushWatch:
    scope = FollowScope(deploying=not job.options.get("no_deploy"))
    follow_up = FollowUp(config, session, job.options, scope)
    resume = follow_up.resume_command(job.sha)

    def follow(landed: Landed) -> Verdict:
        server = str(session.runtime.server(config)) if follow_up.watching else ""
        command = "homelab follow" if job.scope else "git push"
        session.tell(Start(command=command, sha=job.sha, server=server, resume=tuple(shlex.split(resume))))
        return follow_up.run(landed)

    callbacks = WatchCallbacks(
        emit=session.tell,
        record_events=lambda path: record_events(session, path),
        follow=follow,
        resume_command=resume,
    )
    return PushWatch(job, config, session.runtime, callbacks)


def _record_and_notify(session: Session, job: WatchJob, watch: PushWatch, config: Config) -> None:
    if session.result is None:
        return
    fields = result_fields(session)
    if not watch.record_result(fields):
        return
    runtime = session.runtime
    targets = notify.NotifyTargets(
        runner=runtime.user_command_runner,
        directory=runtime.directory,
        environ=runtime.environ,
        session_leader=job.session_leader,
        redact=runtime.redact,
    )
    result_json = json.dumps(fields, ensure_ascii=False)
    notify.send_notification(session.result, result_json, config, targets, session.tell)
