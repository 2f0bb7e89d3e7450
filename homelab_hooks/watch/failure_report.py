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
from homelab_hooks.polling.outcome import Decision, Denied, Found, Poll, Unavailable
from homelab_hooks.text.sanitize import truncate_text
from homelab_hooks.watch import log_tail
from homelab_hooks.watch.failed_step import find_culprit, find_failed_cells
from homelab_hooks.watch.log_tail import LogTail
from homelab_hooks.watch.state import CiWatchState

TAIL_LINES = 20
"""lines of the failed step that are shown"""
CELL_TAIL_LINES = 8
"""lines of each failed step if several cells of a matrix failed"""
MAX_REPORTED_CELLS = 6
"""cells of a matrix whose lines are shown; the others are named"""
REPORT_REQUEST_TIMEOUT_S = 2.0
"""seconds for one request: the report takes at most about ten seconds"""
FAILING_STATUSES = frozenset({Status.FAILURE, Status.ERROR, Status.SUCCESS, Status.KILLED})
"""statuses of pipelines that may contain a failed step"""


class WatchClock(loop.Clock, Protocol):
    """A clock that also has the time of day."""

    def wall(self) -> float:
        """Return the time of day in unix seconds."""


class FailedStep(NamedTuple):
    """A step that made a pipeline fail."""

    pipeline: Pipeline
    workflow: Workflow
    step: Step


def find_failed_steps(watch: CiWatchState) -> tuple[FailedStep, ...]:
    """Return the step that caused the failure of the first failed pipeline whose detail is known.

    If it is in a cell of a matrix, the steps that failed in the other cells follow.
    """
    for track in watch.tracks:
        # A named workflow may have failed while its pipeline still runs.
        detail = track.known_detail if watch.scope.workflows else track.final_detail
        failed = tuple(w for w in detail.failed_workflows if watch.scope.counts(w)) if detail else ()
        if detail and failed and (watch.scope.workflows or detail.status in FAILING_STATUSES):
            cells = [(cell, find_culprit((cell,))[1]) for cell in find_failed_cells(failed)]
            if found := tuple(FailedStep(detail, cell, step) for cell, step in cells if step is not None):
                return found
    return ()


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
    failures = find_failed_steps(watch)
    shown = failures[:MAX_REPORTED_CELLS]
    if not shown:
        return
    read_log = make_log_reader(logs, repo, shown[0].pipeline.run, within=REPORT_REQUEST_TIMEOUT_S)
    starts = tuple(log_tail.start_tail(one.step, one.pipeline, wall_time=clock.wall()) for one in shown)
    last_lines = TAIL_LINES if len(failures) == 1 else CELL_TAIL_LINES
    for failed, gathered in zip(shown, read_logs_to_end(read_log, starts, clock=clock), strict=True):
        _report_step(failed, gathered, watch, last_lines, emit)
    if hidden := failures[MAX_REPORTED_CELLS:]:
        names = ", ".join(one.workflow.title for one in hidden)
        emit(Log(source="homelab", text=truncate_text(f"{len(hidden)} more failed: {names}")))


def _report_step(
    failed: FailedStep, gathered: LogTail, watch: CiWatchState, last_lines: int, emit: Callable[[Event], None]
) -> None:
    """Report the last lines of a failed step, and the command for the rest."""
    workflow, step = failed.workflow, failed.step
    for line in log_tail.make_log_events(gathered.lines, log_tail.format_log_source(workflow, step), last=last_lines):
        emit(line)
    about = shlex.quote(watch.scope.tag or watch.scope.sha)
    name = f"{workflow.title}/{step.name}" if workflow.axes else step.name
    rest = f"homelab ci logs {about} --step {shlex.quote(name)}"
    if gathered.lines and watch.rules.has_commands:
        hidden = len(gathered.lines) - last_lines
        more = f"{hidden} lines before these" if hidden > 0 else "whole log"
        text = f"for the {more}, run: {rest}" + ("" if gathered.complete else "; more lines may arrive later")
    elif watch.rules.has_commands:
        text = f"no log of step {name} has arrived yet; to read it later, run: {rest}"
    else:
        text = "" if gathered.lines else f"the log of step {name} cannot be read{_quote_failure(gathered)}"
    if text:
        emit(Log(source="homelab", text=text))
    if workflow.url:
        emit(Log(source="homelab", text=f"details: {workflow.url}"))


def _quote_failure(gathered: LogTail) -> str:
    return f": {gathered.failure}" if gathered.failure else ""


ReadLog = Callable[[Step], Poll[tuple[LogLine, ...]]]
"""requests the log of a step of one pipeline"""


def make_log_reader(logs: LogSource, repo: Repo, run: RunRef, *, within: float) -> ReadLog:
    """Return a function that requests the logs of a pipeline's steps, with `within` seconds for each request."""
    return lambda step: logs.log(repo, run, step, within=within)


def read_log_to_end(read_log: ReadLog, start: LogTail, *, clock: WatchClock) -> LogTail:
    """Return the log of a step, polled until it stops growing. A request that failed is repeated only in time."""
    until = clock.now() + log_tail.LOG_TIMEOUT_S

    def fetch(state: LogTail) -> Poll[tuple[LogLine, ...]]:
        is_over = state.failure and clock.now() >= until
        return Denied(state.failure) if is_over else read_log(state.step)

    return poll_until_decided(start, fetch=fetch, decide=log_tail.decide_log_tail, emit=lambda _: None, clock=clock)


def read_logs_to_end(read_log: ReadLog, starts: tuple[LogTail, ...], *, clock: WatchClock) -> tuple[LogTail, ...]:
    """Return the logs of several steps, polled together until each stops growing; the time is for all of them."""
    began_at = clock.now()
    until = began_at + log_tail.LOG_TIMEOUT_S
    starts = tuple(tail._replace(began_at=began_at, last_growth_at=began_at) for tail in starts)

    def read(tail: LogTail) -> Poll[tuple[LogLine, ...]]:
        return read_log(tail.step) if clock.now() < until else Unavailable("the time for all logs is over")

    def fetch(tails: tuple[LogTail, ...]) -> Poll[tuple[Poll[tuple[LogLine, ...]], ...]]:
        return Found(tuple(Found(tail.lines) if tail.complete else read(tail) for tail in tails))

    def decide(
        tails: tuple[LogTail, ...], poll: Poll[tuple[Poll[tuple[LogLine, ...]], ...]], now: float
    ) -> Decision[tuple[LogTail, ...]]:
        polls = poll.value if isinstance(poll, Found) else ()
        decisions = [
            Decision(tail) if tail.complete else log_tail.decide_log_tail(tail, one, now)
            for tail, one in zip(tails, polls, strict=True)
        ]
        delays = [decision.delay for decision in decisions if decision.delay is not None]
        return Decision(tuple(decision.state for decision in decisions), delay=min(delays, default=None))

    return poll_until_decided(starts, fetch=fetch, decide=decide, emit=lambda _: None, clock=clock)
