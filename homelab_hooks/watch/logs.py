"""Shows the logs of steps: those that failed, one by name, or all; to their end if asked to follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Look, Missed, Seen, Turn
from homelab_hooks.loop import drive
from homelab_hooks.model import LogLine, Pipeline, Status, Step, Workflow
from homelab_hooks.text import clean
from homelab_hooks.watch import tail
from homelab_hooks.watch.contact import REFUSALS
from homelab_hooks.watch.reason import Clock, gather
from homelab_hooks.woodpecker.client import Woodpecker

SETTLE = 2.5
"""seconds after the pipeline's end without a new line: agents send a second late, or more (measured, A3)"""
EVERY = 1.0
"""seconds between two looks of a follower"""
LOST = 180.0
"""seconds without a usable answer after which a follower gives up"""
EMPTY = LogLine(0, "(no output)")
"""shown of a step that wrote nothing"""
_STARTED = {Status.RUNNING, Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED}


class Choice(NamedTuple):
    """Which steps: by name, or all, or those that failed."""

    step: str = ""
    all: bool = False
    tail: int | None = None
    """only so many last lines of each"""


class Chosen(NamedTuple):
    """A step whose log is shown."""

    workflow: Workflow
    step: Step

    @property
    def title(self) -> str:
        """As a heading names it."""
        code = f", exit code {self.step.exit_code}" if self.step.exit_code else ""
        error = f", {self.step.error}" if self.step.error else ""
        return clean(f"{self.workflow.name}/{self.step.name}: {self.step.state}{code}{error}")


def choose(pipeline: Pipeline, choice: Choice) -> tuple[Chosen, ...]:
    """The steps that are meant. Raises Problem where none has the name that was given."""
    steps = [Chosen(workflow, step) for workflow in pipeline.workflows for step in workflow.steps]
    if choice.step:
        found = [c for c in steps if choice.step in (c.step.name, f"{c.workflow.name}/{c.step.name}")]
        if not found:
            names = ", ".join(clean(f"{c.workflow.name}/{c.step.name}") for c in steps) or "none yet"
            raise Problem(f"#{pipeline.number} has no step {choice.step!r}", hint=f"its steps: {names}")
        return tuple(found)
    if choice.all:
        return tuple(c for c in steps if c.step.state in _STARTED)
    return tuple(c for c in steps if c.step.state.red)


class Following(NamedTuple):
    """What a follower has shown, and since when nothing new came."""

    pipeline: Pipeline
    shown: tuple[tuple[int, int], ...] = ()
    """the lines shown of each step's id"""
    grew_at: float | None = None
    heard_at: float | None = None
    """when the last usable answer came, or it began"""
    refusals: int = 0
    lost: Missed | Denied | None = None
    """why it gave up"""


class News(NamedTuple):
    """What one look of a follower brought: the pipeline, and the logs of its steps."""

    pipeline: Pipeline
    logs: tuple[tuple[Chosen, tuple[LogLine, ...]], ...]


def turn(state: Following, look: Look[News], now: float) -> Turn[Following]:
    """The end: the pipeline has ended and nothing new came for a while; an `eof` of the stream proves nothing."""
    if state.grew_at is None or state.heard_at is None:
        state = state._replace(grew_at=now, heard_at=now)
    match look:
        case Seen(news):
            return _grown(state._replace(heard_at=now, refusals=0), news, now)
        case Denied() if state.refusals + 1 >= REFUSALS:
            return Turn(state._replace(lost=look))
        case Missed() if state.heard_at is not None and now - state.heard_at >= LOST:
            return Turn(state._replace(lost=look))
        case _:
            refusals = state.refusals + 1 if isinstance(look, Denied) else 0
            return Turn(state._replace(refusals=refusals), wait=2 * EVERY)


def _grown(state: Following, news: News, now: float) -> Turn[Following]:
    counts = tuple((chosen.step.id, len(lines)) for chosen, lines in news.logs)
    moved = counts != state.shown or news.pipeline.status is not state.pipeline.status
    state = state._replace(pipeline=news.pipeline, shown=counts, grew_at=now if moved else state.grew_at)
    bare = any(chosen.step.state.red and not lines for chosen, lines in news.logs)
    quiet = now - (state.grew_at if state.grew_at is not None else now)
    if state.pipeline.status.settled and quiet >= (tail.PATIENCE if bare else SETTLE):
        return Turn(state)
    return Turn(state, wait=EVERY)


class LogReader:
    """Reads the logs of one repository's steps.

    Args:
        out: takes a step's title, and a line of its log or None for a heading.
    """

    def __init__(self, ci: Woodpecker, repo: int, *, clock: Clock, out: Callable[[str, LogLine | None], None]) -> None:
        self._ci, self._repo, self._clock, self._out = ci, repo, clock, out
        self._printed: dict[int, int] = {}
        self.late: tuple[str, ...] = ()
        """the titles of shown steps whose log may not have come to its end"""

    def show(self, pipeline: Pipeline, choice: Choice) -> None:
        """Print each chosen step's log as far as it has arrived; all of them together are waited for once."""
        until = self._clock.now() + tail.PATIENCE
        for chosen in choose(pipeline, choice):
            self._out(chosen.title, None)
            left = max(0.0, until - self._clock.now())
            begin = tail.begin(chosen.step.id, pipeline, wall=self._clock.wall(), patience=left)
            gathered = gather(self._ci, self._repo, pipeline.number, begin, clock=self._clock)
            lines = gathered.lines
            if gathered.complete and not lines:
                self._out(chosen.title, EMPTY)
            self.late += () if gathered.complete else (chosen.title,)
            for line in lines if choice.tail is None else lines[max(0, len(lines) - choice.tail) :]:
                self._out(chosen.title, line)

    def follow(self, pipeline: Pipeline, choice: Choice) -> Pipeline:
        """Print lines as they arrive, until the pipeline has ended; the pipeline as it ended.

        Raises Problem where the server refuses, or gives no usable answer for too long.
        """

        def look(state: Following) -> Look[News]:
            detail = self._ci.pipeline(self._repo, state.pipeline.number)
            if not isinstance(detail, Seen):
                return detail
            logs = tuple((chosen, self._new_lines(detail.value, chosen)) for chosen in _followed(detail.value, choice))
            return Seen(News(detail.value, logs))

        ended = drive(Following(pipeline), look=look, turn=turn, tell=lambda _: None, clock=self._clock)
        if isinstance(ended.lost, Denied):
            raise Problem(ended.lost.reason, hint=ended.lost.hint, exit=ended.lost.exit)
        if ended.lost:
            hint = "the same command shows the log from its beginning"
            raise Problem(f"no usable answer for {LOST:.0f} s: {ended.lost.reason}", hint=hint, exit=Exit.UNREACHABLE)
        return ended.pipeline

    def _new_lines(self, pipeline: Pipeline, chosen: Chosen) -> tuple[LogLine, ...]:
        """Print what is new of a step; all its lines."""
        answer = self._ci.log(self._repo, pipeline.number, chosen.step.id)
        lines = answer.value if isinstance(answer, Seen) else ()
        done = self._printed.get(chosen.step.id, 0)
        for line in lines[done:]:
            self._out(chosen.title, line)
        self._printed[chosen.step.id] = max(done, len(lines))
        return lines


def _followed(pipeline: Pipeline, choice: Choice) -> tuple[Chosen, ...]:
    """A follower sees every step that has started, or the one it named once there is one."""
    try:
        return choose(pipeline, choice._replace(all=True))
    except Problem:
        if pipeline.status.settled:
            raise
        return ()
