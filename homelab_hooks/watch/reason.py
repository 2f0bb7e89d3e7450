"""Tells why CI is red: the configuration's errors, or the failing step's last lines and the command for the rest."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks import loop
from homelab_hooks.events import Event, Level, Log
from homelab_hooks.looks import Look
from homelab_hooks.loop import drive
from homelab_hooks.model import LogLine, Pipeline, Status, Step, Workflow
from homelab_hooks.watch import tail
from homelab_hooks.watch.judge import culprit
from homelab_hooks.watch.state import Watch
from homelab_hooks.watch.tail import Tail
from homelab_hooks.woodpecker.client import Woodpecker

LINES = 20
"""lines of the failing step that are shown"""
ANSWER = 2.0
"""seconds for one answer: a reason comes within ten seconds or not at all (issue: Watching)"""
RED = frozenset({Status.FAILURE, Status.ERROR, Status.SUCCESS, Status.KILLED})
"""statuses under which CI may have decided against the commit"""


class Clock(loop.Clock, Protocol):
    """Time, as reading a log needs it."""

    def wall(self) -> float:
        """Unix seconds."""


class Broken(NamedTuple):
    """A step that broke a pipeline."""

    pipeline: Pipeline
    workflow: Workflow
    step: Step


def broken(watch: Watch) -> tuple[Broken, ...]:
    """The step to blame of each red pipeline whose detail is known."""
    found = []
    for thread in watch.threads:
        detail = thread.explained
        if detail and detail.status in RED and detail.red_workflows:
            workflow, step = culprit(detail.red_workflows)
            if step is not None:
                found.append(Broken(detail, workflow, step))
    return tuple(found)


def complaints(watch: Watch) -> tuple[Log, ...]:
    """What the server says about the configuration of pipelines in `error`; warnings too, as such."""
    told = []
    for thread in watch.threads:
        if thread.pipeline.status is Status.ERROR:
            for complaint in thread.pipeline.complaints:
                level = Level.WARNING if complaint.warning else Level.ERROR
                where = f"{complaint.where}: " if complaint.where else ""
                told += [
                    Log(source="config", text=where + line, level=level) for line in complaint.message.splitlines()
                ]
    return tuple(told)


def tell_reason(watch: Watch, ci: Woodpecker, repo: int, *, clock: Clock, tell: Callable[[Event], None]) -> None:
    """Show what there is to show; nothing that goes wrong here changes the verdict."""
    for log in complaints(watch):
        tell(log)
    ci.within(ANSWER)
    for where in broken(watch)[:1]:
        begin = tail.begin(where.step.id, where.pipeline, wall=clock.wall())
        gathered = gather(ci, repo, where.pipeline.number, begin, clock=clock)
        name = tail.source(where.workflow, where.step)
        for line in tail.told(gathered.lines, name, last=LINES):
            tell(line)
        rest = f"homelab ci logs {watch.scope.sha} --step {shlex.quote(where.step.name)}"
        if gathered.lines:
            hidden = len(gathered.lines) - LINES
            more = f"{hidden} lines before these" if hidden > 0 else "the whole log"
            text = f"{more}: {rest}" + ("" if gathered.complete else "; its end may come later")
        else:
            text = f"no log of step {where.step.name} has arrived; later: {rest}"
        tell(Log(source="homelab", text=text))
        if watch.web:
            tell(Log(source="homelab", text=f"see {watch.url(where.pipeline.number)}/{where.workflow.pid}"))


def gather(ci: Woodpecker, repo: int, number: int, begin: Tail, *, clock: Clock) -> Tail:
    """The log of a pipeline's step, waited for until it stops growing."""

    def look(state: Tail) -> Look[tuple[LogLine, ...]]:
        return ci.log(repo, number, state.step)

    return drive(begin, look=look, turn=tail.turn, tell=lambda _: None, clock=clock)
