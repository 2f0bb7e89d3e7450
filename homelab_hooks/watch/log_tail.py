"""Decides when the log of a step that is being received is complete."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import LogLine, Pipeline, Step, Workflow
from homelab_hooks.events import Log
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.sanitize import strip_control_chars

LOG_TIMEOUT_S = 5.0
"""seconds to wait for a finished step's log"""
QUIET_PERIOD_S = 1.2
"""seconds without a new line after which the log is complete; agents send a second late (recording 02c-late-logs)"""
STALE_AFTER_S = 60.0
"""seconds after a pipeline's end after which no more lines arrive"""
POLL_INTERVAL_S = 0.2
"""seconds between two polls; the last one comes when the quiet period is over"""
_MIN_DELAY_S = 0.001
"""seconds between two polls where a sum of floating-point numbers falls just short of the quiet period"""


class LogTail(NamedTuple):
    """What has arrived of one step's log."""

    step: Step
    timeout: float = LOG_TIMEOUT_S
    """seconds to wait for more lines"""
    already_final: bool = False
    """its pipeline ended so long ago that no more lines arrive"""
    began_at: float | None = None
    last_growth_at: float = 0.0
    lines: tuple[LogLine, ...] = ()
    complete: bool = False
    """if it is false at the end, more lines may come later"""
    failure: str = ""
    """why the last poll brought no log; empty if it brought one"""


def start_tail(step: Step, pipeline: Pipeline, *, wall_time: float, timeout: float = LOG_TIMEOUT_S) -> LogTail:
    """Return the initial state; the time to wait depends on when the pipeline ended by its server's clock."""
    # `finished` stays 0 if the workflow that settled last was skipped (recording 04-depends-on).
    ended_at = pipeline.finished or (pipeline.updated if pipeline.status.is_final else 0)
    already_final = 0 < ended_at < wall_time - STALE_AFTER_S
    return LogTail(step, 0.0 if already_final else timeout, already_final)


def decide_log_tail(tail: LogTail, poll: Poll[tuple[LogLine, ...]], now: float) -> Decision[LogTail]:
    """Apply one poll of the log. A log only grows, so a shorter response is outdated."""
    began_at = now if tail.began_at is None else tail.began_at
    if tail.began_at is None:
        tail = tail._replace(began_at=now, last_growth_at=now)
    tail = tail._replace(failure=poll.reason if isinstance(poll, Denied | Unavailable) else "")
    match poll:
        case Found(lines) if len(lines) > len(tail.lines):
            tail = tail._replace(lines=lines, last_growth_at=now)
        case Denied():
            return Decision(tail)
        case Found() | NotFound() | Unavailable():
            pass
        case _:
            assert_never(poll)
    quiet_period = 0.0 if tail.already_final else QUIET_PERIOD_S
    if tail.lines and now - tail.last_growth_at >= quiet_period:
        return Decision(tail._replace(complete=True))
    if now - began_at >= max(tail.timeout, quiet_period if tail.lines else 0.0):
        return Decision(tail._replace(complete=tail.already_final and isinstance(poll, Found | NotFound)))
    quiet_left = tail.last_growth_at + quiet_period - now if tail.lines else POLL_INTERVAL_S
    return Decision(tail, delay=min(POLL_INTERVAL_S, max(quiet_left, _MIN_DELAY_S)))


def format_log_source(workflow: Workflow, step: Step) -> str:
    """Return the source of the step's `log` events; of the workflow's, for a step without a name."""
    return f"step {workflow.title}/{step.name}" if step.name else f"workflow {workflow.title}"


def make_log_events(lines: tuple[LogLine, ...], name: str, *, last: int | None = None) -> tuple[Log, ...]:
    """Return the lines as events, with their colors; a line that overwrites itself shows its last state."""
    shown = lines if last is None else lines[-last:] if last else ()
    return tuple(Log(source=name, text=render_line(line.text)) for line in shown)


def render_line(text: str) -> str:
    r"""Return what a terminal would show of a line.

    >>> render_line("10%\r50%\r100%\r")
    '100%'
    """
    return strip_control_chars(text.rstrip("\r\n").rpartition("\r")[2], color=True)
