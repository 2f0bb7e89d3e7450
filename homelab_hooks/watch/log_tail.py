"""A step's log as it arrives: what is new in it, and when it is complete. Pure."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import LogLine, Pipeline, Step, Workflow
from homelab_hooks.events import Log
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.sanitize import strip_control_chars

LOG_TIMEOUT_S = 5.0
"""seconds that a finished step's log is waited for (contract, section 5)"""
QUIET_PERIOD_S = 1.2
"""seconds without a new line after which it is complete: agents send a second after the last line (measured, A3)"""
STALE_AFTER_S = 60.0
"""seconds after a pipeline's end when no line is on its way any more"""
POLL_INTERVAL_S = 0.3
"""seconds between two looks"""


class LogTail(NamedTuple):
    """What is known of one step's log."""

    step: Step
    timeout: float = LOG_TIMEOUT_S
    """seconds that more is waited for"""
    already_final: bool = False
    """its pipeline ended so long ago that nothing more is on its way"""
    began_at: float | None = None
    last_growth_at: float = 0.0
    lines: tuple[LogLine, ...] = ()
    complete: bool = False
    """false at the end: more may come later"""


def start_tail(step: Step, pipeline: Pipeline, *, wall_time: float, timeout: float = LOG_TIMEOUT_S) -> LogTail:
    """Nothing known yet; how long to wait depends on how long ago the pipeline ended by its server's clock."""
    already_final = 0 < pipeline.finished < wall_time - STALE_AFTER_S
    return LogTail(step, 0.0 if already_final else timeout, already_final)


def decide_log_tail(tail: LogTail, poll: Poll[tuple[LogLine, ...]], now: float) -> Decision[LogTail]:
    """Take in one look at the log; it only ever grows, and a shorter answer is an older one."""
    began_at = now if tail.began_at is None else tail.began_at
    if tail.began_at is None:
        tail = tail._replace(began_at=now, last_growth_at=now)
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
    return Decision(tail, delay=POLL_INTERVAL_S)


def format_log_source(workflow: Workflow, step: Step) -> str:
    """As events name it."""
    return f"step {workflow.name}/{step.name}"


def make_log_events(lines: tuple[LogLine, ...], name: str, *, last: int | None = None) -> tuple[Log, ...]:
    """The lines as events, colours kept; a line that was overwritten by a carriage return shows its last state."""
    shown = lines if last is None else lines[-last:] if last else ()
    return tuple(Log(source=name, text=render_line(line.text)) for line in shown)


def render_line(text: str) -> str:
    r"""What a terminal would show of a line.

    >>> render_line("10%\r50%\r100%\r")
    '100%'
    """
    return strip_control_chars(text.rstrip("\r\n").rpartition("\r")[2], colour=True)
