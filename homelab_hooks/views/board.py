"""What the live view knows: events folded into stage, pipelines, rollouts and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar, assert_never

from homelab_hooks.events import (
    Back,
    Event,
    Finding,
    Level,
    Log,
    LostContact,
    PipelineChanged,
    Progress,
    Result,
    RolloutChanged,
    StageChanged,
    Start,
    StepChanged,
    Waiting,
    Watched,
    WorkflowChanged,
)

E = TypeVar("E", bound=Event)
TAIL = 5
"""lines of a running verification that are kept"""


class Moment(NamedTuple):
    """A time on both clocks: `now` never runs backwards, `wall` is in unix seconds."""

    now: float
    wall: float


class Told(NamedTuple, Generic[E]):
    """The last event about something."""

    event: E
    at: Moment
    """since when it is in this state"""
    witnessed: bool = False
    """whether it was known in another state before: only then `at` is when that began"""


class Board(NamedTuple):
    """Everything that is going on; a stage that ends takes what belongs to it away."""

    stage: Told[StageChanged] | None = None
    pipelines: Mapping[int, Told[PipelineChanged]] = {}
    workflows: Mapping[tuple[int, int], Told[WorkflowChanged]] = {}
    """by the numbers of pipeline and workflow: matrix runs share a name"""
    steps: Mapping[tuple[int, int], Told[StepChanged]] = {}
    rollouts: Mapping[str, Told[RolloutChanged]] = {}
    waiting: Told[Waiting] | None = None
    lost: Told[LostContact] | None = None
    tail: tuple[str, ...] = ()
    """the last lines of a running verification"""
    speaker: str = ""
    """whose line was the last one that stays"""
    said: str = ""
    """the last word of the stage that ended last"""


def fold(board: Board, event: Event, at: Moment) -> Board:  # noqa: C901, PLR0911 - one row an event, and mypy sees that none is missing
    """The board after an event."""
    match event:
        case StageChanged():
            ended = event.progress is not Progress.STARTED
            return Board(said=event.detail) if ended else Board(stage=Told(event, at))
        case PipelineChanged():
            return _pipeline(board, event, at)
        case WorkflowChanged():
            workflows = _put(board.workflows, (event.pipeline, event.pid), event, at)
            return board._replace(workflows=workflows, waiting=None)
        case StepChanged():
            return board._replace(steps=_put(board.steps, (event.pipeline, event.pid), event, at), waiting=None)
        case Waiting():
            return board._replace(waiting=Told(event, at))
        case LostContact():
            return board._replace(lost=Told(event, at))
        case Back():
            return board._replace(lost=None)
        case Log():
            return _heard(board, event)
        case RolloutChanged():
            return board._replace(rollouts=_put(board.rollouts, event.target, event, at), waiting=None)
        case Start() | Finding() | Watched():
            return board
        case Result():
            return Board()
        case _:
            assert_never(event)


def _heard(board: Board, log: Log) -> Board:
    if passing(log):
        return board._replace(tail=(*board.tail, log.text)[-TAIL:])
    return board._replace(speaker=log.source)


def passing(log: Log) -> bool:
    """Whether a line is shown only while it is among the last ones: what a verification that may yet succeed says."""
    return log.source == "verify" and log.level is Level.INFO


def _pipeline(board: Board, event: PipelineChanged, at: Moment) -> Board:
    """A newer number takes the place of the older one of the same (event, ref)."""
    old = board.pipelines.get(event.number)
    if old and event.expected is None:
        event = event._replace(expected=old.event.expected)
    kept = {
        number: told
        for number, told in board.pipelines.items()
        if number >= event.number or (told.event.trigger, told.event.ref) != (event.trigger, event.ref)
    }
    return board._replace(pipelines=_put(kept, event.number, event, at), waiting=None)


K = TypeVar("K")
C = TypeVar("C", PipelineChanged, WorkflowChanged, StepChanged, RolloutChanged)


def _put(known: Mapping[K, Told[C]], key: K, event: C, at: Moment) -> dict[K, Told[C]]:
    """With the event in its place; one that changes no state keeps the time of that state."""
    old = known.get(key)
    if old is None:
        return {**known, key: Told(event, at)}
    same = state(old.event) == state(event)
    return {**known, key: old._replace(event=event) if same else Told(event, at, witnessed=True)}


def state(event: PipelineChanged | WorkflowChanged | StepChanged | RolloutChanged) -> str:
    """Its state, whatever the event calls it."""
    match event:
        case PipelineChanged():
            return event.status
        case RolloutChanged():
            return event.phase
        case WorkflowChanged() | StepChanged():
            return event.state
