"""Reports why CI failed: configuration errors, or the failed step's last lines and the command for the rest."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Status, Step, Workflow
from homelab_hooks.ci.provider import LogSource
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.polling import loop
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Poll
from homelab_hooks.watch import log_tail
from homelab_hooks.watch.log_tail import LogTail
from homelab_hooks.watch.ruling import find_culprit
from homelab_hooks.watch.state import CiWatchState

TAIL_LINES = 20
"""lines of the failed step that are shown"""
REPORT_REQUEST_TIMEOUT_S = 2.0
"""seconds for one request: the report takes at most about ten seconds"""
FAILING_STATUSES = frozenset({Status.FAILURE, Status.ERROR, Status.SUCCESS, Status.KILLED})
"""statuses of pipelines that may contain a failed step"""


class WatchClock(loop.Clock, Protocol):
    """A clock that also knows the time of day."""

    def wall(self) -> float:
        """Return the time of day in unix seconds."""


class FailedStep(NamedTuple):
    """A step that made a pipeline fail."""

    pipeline: Pipeline
    workflow: Workflow
    step: Step


def find_failed_steps(watch: CiWatchState) -> tuple[FailedStep, ...]:
    """Return the step that caused the failure of each failed pipeline whose detail is known."""
    found = []
    for track in watch.tracks:
        detail = track.final_detail
        if detail and detail.status in FAILING_STATUSES and detail.failed_workflows:
            workflow, step = find_culprit(detail.failed_workflows)
            if step is not None:
                found.append(FailedStep(detail, workflow, step))
    return tuple(found)


def format_config_errors(watch: CiWatchState) -> tuple[Log, ...]:
    """Return the configuration errors and warnings of pipelines in `error`, as events."""
    logs = []
    for track in watch.tracks:
        if track.pipeline.status is Status.ERROR:
            for error in track.pipeline.config_errors:
                level = LogLevel.WARNING if error.is_warning else LogLevel.ERROR
                location = f"{error.location}: " if error.location else ""
                logs += [Log(source="config", text=location + line, level=level) for line in error.message.splitlines()]
    return tuple(logs)


def report_failure(
    watch: CiWatchState, logs: LogSource, repo: Repo, *, clock: WatchClock, emit: Callable[[Event], None]
) -> None:
    """Report what is known about the failure. An error here does not change the verdict."""
    for log in format_config_errors(watch):
        emit(log)
    for failed in find_failed_steps(watch)[:1]:
        start = log_tail.start_tail(failed.step, failed.pipeline, wall_time=clock.wall())
        gathered = read_log_to_end(
            make_log_reader(logs, repo, failed.pipeline.run, within=REPORT_REQUEST_TIMEOUT_S), start, clock=clock
        )
        name = log_tail.format_log_source(failed.workflow, failed.step)
        for line in log_tail.make_log_events(gathered.lines, name, last=TAIL_LINES):
            emit(line)
        about = shlex.quote(watch.scope.tag or watch.scope.sha)
        rest = f"homelab ci logs {about} --step {shlex.quote(failed.step.name)}"
        if gathered.lines:
            hidden = len(gathered.lines) - TAIL_LINES
            more = f"{hidden} lines before these" if hidden > 0 else "the whole log"
            text = f"{more}: {rest}" + ("" if gathered.complete else "; more lines may arrive later")
        else:
            text = f"no log of step {failed.step.name} has arrived yet; to read it later, run: {rest}"
        emit(Log(source="homelab", text=text))
        if failed.workflow.url:
            emit(Log(source="homelab", text=f"see {failed.workflow.url}"))


ReadLog = Callable[[Step], Poll[tuple[LogLine, ...]]]
"""requests the log of a step of one pipeline"""


def make_log_reader(logs: LogSource, repo: Repo, run: RunRef, *, within: float) -> ReadLog:
    """Return a function that requests the logs of a pipeline's steps, with `within` seconds for each request."""
    return lambda step: logs.log(repo, run, step, within=within)


def read_log_to_end(read_log: ReadLog, start: LogTail, *, clock: WatchClock) -> LogTail:
    """Return the log of a step, polled until it stops growing."""

    def fetch(state: LogTail) -> Poll[tuple[LogLine, ...]]:
        return read_log(state.step)

    return poll_until_decided(start, fetch=fetch, decide=log_tail.decide_log_tail, emit=lambda _: None, clock=clock)
