"""The state of the live view: events reduced to the current stage, pipelines, rollouts, and wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar, assert_never

from homelab_hooks.events import (
    REMOVED_STATUS,
    Answer,
    BackgroundWatch,
    ChainStarted,
    ContactLost,
    ContactRestored,
    Event,
    Finding,
    Log,
    LogLevel,
    PipelineChanged,
    Progress,
    Result,
    RolloutChanged,
    SettingShown,
    StageChanged,
    Start,
    StepChanged,
    VerbListed,
    Waiting,
    WorkflowChanged,
    format_running_source,
)
from homelab_hooks.text.sanitize import is_unfinished
from homelab_hooks.views.live.chain_row import RUNNING, ChainCell, update_chain
from homelab_hooks.views.live.timeline import add_to_timeline

E = TypeVar("E", bound=Event)
MAX_STEP_LINES = 3
"""lines of each running step that are shown where there is room"""
MAX_TAIL_LINES = 5
"""lines of the running verification command that are shown"""


class Timestamp(NamedTuple):
    """A point in time on both clocks, in seconds: `now` is monotonic, `wall` is Unix time."""

    now: float
    wall: float


class Tracked(NamedTuple, Generic[E]):
    """The latest event about an item."""

    event: E
    since: Timestamp
    """when it was first seen in this state"""
    transition_seen: bool = False
    """whether it was seen in another state before; only then `since` is when the state began"""


class LiveState(NamedTuple):
    """Everything in progress; the end of a stage removes what belongs to it."""

    stage: Tracked[StageChanged] | None = None
    pipelines: Mapping[int, Tracked[PipelineChanged]] = {}
    workflows: Mapping[tuple[int, int], Tracked[WorkflowChanged]] = {}
    """by pipeline number and workflow pid: matrix runs share a name"""
    steps: Mapping[tuple[int, int], Tracked[StepChanged]] = {}
    rollouts: Mapping[str, Tracked[RolloutChanged]] = {}
    waiting: Tracked[Waiting] | None = None
    contact_lost: Tracked[ContactLost] | None = None
    tail: tuple[str, ...] = ()
    """the last lines of the running verification command"""
    outputs: Mapping[str, tuple[str, ...]] = {}
    """the last lines of running steps, by the source of their lines"""
    last_source: str = ""
    """the source of the last log line in the scrollback"""
    last_detail: str = ""
    """the detail of the stage that ended last"""
    chain: tuple[ChainCell, ...] = ()
    """the links that follow a push, from the begin of the chain to the result"""
    timeline: tuple[ChainCell, ...] = ()
    """the stages that have ended, until the result"""


def apply_event(state: LiveState, event: Event, at: Timestamp) -> LiveState:  # noqa: C901, PLR0911, PLR0912 - one case per event; mypy checks all
    """Return the state after an event."""
    match event:
        case StageChanged():
            chain, timeline = update_chain(state.chain, event, at.now), add_to_timeline(state.timeline, event)
            if event.progress is Progress.STARTED:
                return LiveState(stage=Tracked(event, at), chain=chain, timeline=timeline)
            return LiveState(last_detail=event.detail, chain=chain, timeline=timeline)
        case ChainStarted():
            return state._replace(chain=tuple(ChainCell(link) for link in event.links))
        case PipelineChanged():
            return _on_pipeline(state, event, at)
        case WorkflowChanged():
            workflows = _track(state.workflows, (event.pipeline, event.pid), event, at)
            return state._replace(workflows=workflows, waiting=None)
        case StepChanged():
            steps = _track(state.steps, (event.pipeline, event.pid), event, at)
            return state._replace(steps=steps, outputs=_outputs_after(state, event), waiting=None)
        case Waiting():
            return state._replace(waiting=Tracked(event, at))
        case ContactLost():
            return state._replace(contact_lost=Tracked(event, at))
        case ContactRestored():
            return state._replace(contact_lost=None)
        case Log():
            return _on_log(state, event)
        case RolloutChanged():
            return state._replace(rollouts=_track(state.rollouts, event.target, event, at), waiting=None)
        case Start() | Finding() | BackgroundWatch() | SettingShown() | VerbListed() | Answer():
            return state
        case Result():
            return LiveState()
        case _:
            assert_never(event)


def _outputs_after(state: LiveState, event: StepChanged) -> Mapping[str, tuple[str, ...]]:
    """Return the output of the steps that still run."""
    source = format_running_source(event.pipeline, event.pid)
    if event.state == RUNNING or source not in state.outputs:
        return state.outputs
    return {other: lines for other, lines in state.outputs.items() if other != source}


def _on_log(state: LiveState, log: Log) -> LiveState:
    if is_step_output(log):
        lines = (*state.outputs.get(log.source, ()), log.text)[-MAX_STEP_LINES:]
        return state._replace(outputs={**state.outputs, log.source: lines})
    if is_transient(log):
        tail = state.tail[:-1] if state.tail and is_unfinished(state.tail[-1], log.text) else state.tail
        return state._replace(tail=(*tail, log.text)[-MAX_TAIL_LINES:])
    return state._replace(last_source=log.source)


def is_transient(log: Log) -> bool:
    """Return whether a line is shown in the live region only: output of what may still succeed."""
    return (log.source == "verify" and log.level is LogLevel.INFO) or is_step_output(log)


def is_step_output(log: Log) -> bool:
    """Return whether a running step printed the line."""
    return log.source.startswith("running #")


def _on_pipeline(state: LiveState, event: PipelineChanged, at: Timestamp) -> LiveState:
    """Replace older pipelines of the same event and ref by the newer one, and drop one that the server has removed."""
    if event.status == REMOVED_STATUS:
        others = {number: tracked for number, tracked in state.pipelines.items() if number != event.number}
        return state._replace(pipelines=others, waiting=None)
    old = state.pipelines.get(event.number)
    if old and event.expected is None:
        event = event._replace(expected=old.event.expected)
    kept = {
        number: tracked
        for number, tracked in state.pipelines.items()
        if number >= event.number or (tracked.event.trigger, tracked.event.ref) != (event.trigger, event.ref)
    }
    # Another pipeline, such as the one that a landing waits for, does not end the wait.
    waiting = None if event.deciding else state.waiting
    return state._replace(pipelines=_track(kept, event.number, event, at), waiting=waiting)


K = TypeVar("K")
C = TypeVar("C", PipelineChanged, WorkflowChanged, StepChanged, RolloutChanged)


def _track(known: Mapping[K, Tracked[C]], key: K, event: C, at: Timestamp) -> dict[K, Tracked[C]]:
    """Return the items with this event; if it does not change the state, the time of the state is kept."""
    old = known.get(key)
    if old is None:
        return {**known, key: Tracked(event, at)}
    same = get_event_state(old.event) == get_event_state(event)
    return {**known, key: old._replace(event=event) if same else Tracked(event, at, transition_seen=True)}


def get_event_state(event: PipelineChanged | WorkflowChanged | StepChanged | RolloutChanged) -> str:
    """Return the state of an item, whichever field of the event holds it."""
    match event:
        case PipelineChanged():
            return event.status
        case RolloutChanged():
            return event.phase
        case WorkflowChanged() | StepChanged():
            return event.state
