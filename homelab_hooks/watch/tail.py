"""A step's log as it arrives: what is new in it, and when it is complete. Pure."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from homelab_hooks.events import Log
from homelab_hooks.looks import Absent, Denied, Look, Missed, Seen, Turn
from homelab_hooks.model import LogLine, Pipeline, Step, Workflow
from homelab_hooks.text import clean

PATIENCE = 5.0
"""seconds that a finished step's log is waited for (contract, section 5)"""
QUIET = 1.2
"""seconds without a new line after which it is complete: agents send a second after the last line (measured, A3)"""
LONG_AGO = 60.0
"""seconds after a pipeline's end when no line is on its way any more"""
EVERY = 0.3
"""seconds between two looks"""


class Tail(NamedTuple):
    """What is known of one step's log."""

    step: int
    patience: float = PATIENCE
    """seconds that more is waited for"""
    over: bool = False
    """its pipeline ended so long ago that nothing more is on its way"""
    began: float | None = None
    grew_at: float = 0.0
    lines: tuple[LogLine, ...] = ()
    complete: bool = False
    """false at the end: more may come later"""


def begin(step: int, pipeline: Pipeline, *, wall: float, patience: float = PATIENCE) -> Tail:
    """Nothing known yet; how long to wait depends on how long ago the pipeline ended by its server's clock."""
    over = 0 < pipeline.finished < wall - LONG_AGO
    return Tail(step, 0.0 if over else patience, over)


def turn(tail: Tail, look: Look[tuple[LogLine, ...]], now: float) -> Turn[Tail]:
    """Take in one look at the log; it only ever grows, and a shorter answer is an older one."""
    began = now if tail.began is None else tail.began
    if tail.began is None:
        tail = tail._replace(began=now, grew_at=now)
    match look:
        case Seen(lines) if len(lines) > len(tail.lines):
            tail = tail._replace(lines=lines, grew_at=now)
        case Denied():
            return Turn(tail)
        case Seen() | Absent() | Missed():
            pass
        case _:
            assert_never(look)
    quiet = 0.0 if tail.over else QUIET
    if tail.lines and now - tail.grew_at >= quiet:
        return Turn(tail._replace(complete=True))
    if now - began >= max(tail.patience, quiet if tail.lines else 0.0):
        return Turn(tail._replace(complete=tail.over and isinstance(look, Seen | Absent)))
    return Turn(tail, wait=EVERY)


def source(workflow: Workflow, step: Step) -> str:
    """As events name it."""
    return f"step {workflow.name}/{step.name}"


def told(lines: tuple[LogLine, ...], name: str, *, last: int | None = None) -> tuple[Log, ...]:
    """The lines as events, colours kept; a line that was overwritten by a carriage return shows its last state."""
    shown = lines if last is None else lines[-last:] if last else ()
    return tuple(Log(source=name, text=visible(line.text)) for line in shown)


def visible(text: str) -> str:
    r"""What a terminal would show of a line.

    >>> visible("10%\r50%\r100%\r")
    '100%'
    """
    return clean(text.rstrip("\r\n").rpartition("\r")[2], colour=True)
