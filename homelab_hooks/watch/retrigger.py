"""Starts pipelines again, and makes sure that they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.errors import Problem
from homelab_hooks.events import Event, Log
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Look, Missed, Seen, Turn
from homelab_hooks.loop import Clock, drive
from homelab_hooks.model import Pipeline
from homelab_hooks.watch.restart import Retrigger, StartManually
from homelab_hooks.watch.survey import Survey
from homelab_hooks.woodpecker.client import Woodpecker

PATIENCE = 20.0
"""seconds that a pipeline is looked for whose start was not answered"""


def retrigger(
    wanted: Retrigger | StartManually, seen: Survey, ci: Woodpecker, *, clock: Clock, tell: Callable[[Event], None]
) -> str:
    """Start what is wanted; a sentence about what was started. Raises Problem where the server refuses.

    A start is asked for once only: an answer of 500 may have made the row all the same (measured, B10).
    """
    assert seen.repo is not None  # noqa: S101 - there is no plan without a repository
    top = max((row.number for row in seen.rows), default=0)
    told = []
    for number in wanted.numbers if isinstance(wanted, Retrigger) else (0,):
        look = ci.restart(seen.repo.id, number) if number else ci.start(seen.repo.id, _branch(wanted))
        new = look.value if isinstance(look, Seen) else _search(look, ci, seen.repo.id, Wanted(number, top), clock)
        told.append(f"#{new.number} restarts #{number}" if number else f"#{new.number} was started by hand")
        tell(Log(source="homelab", text=told[-1]))
    return "; ".join(told)


def _branch(wanted: Retrigger | StartManually) -> str:
    return wanted.branch if isinstance(wanted, StartManually) else ""


class Wanted(NamedTuple):
    """What is looked for after a start without an answer: above `top`, with this parent (0: started by hand)."""

    parent: int
    top: int
    since: float | None = None
    found: Pipeline | None = None


def _search(look: Look[Pipeline], ci: Woodpecker, repo: int, wanted: Wanted, clock: Clock) -> Pipeline:
    """The row of a start whose answer was lost. Raises Problem where the server said no, or there is none."""
    if isinstance(look, Denied):
        raise Problem(look.reason, hint=look.hint, exit=look.exit)

    def newest(state: Wanted) -> Look[tuple[Pipeline, ...]]:
        del state
        return ci.pipelines(repo, per_page=10)

    ended = drive(wanted, look=newest, turn=turn, tell=lambda _: None, clock=clock)
    if ended.found is None:
        reason = look.reason if isinstance(look, Missed) else "no answer"
        raise Problem(f"the start was not confirmed: {reason}", hint="homelab ci status tells", exit=Exit.UNREACHABLE)
    return ended.found


def turn(state: Wanted, look: Look[tuple[Pipeline, ...]], now: float) -> Turn[Wanted]:
    """Found, or given up."""
    since = now if state.since is None else state.since
    rows = look.value if isinstance(look, Seen) else ()
    new = [
        row
        for row in rows
        if row.number > state.top and row.parent == state.parent and (state.parent or row.event == "manual")
    ]
    if new:
        return Turn(state._replace(found=new[-1]))
    return Turn(state._replace(since=since), wait=None if now - since >= PATIENCE else 1.0)
