"""Pipeline timelines as data, and the snapshot of a timeline at a point in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

ACTIVE_STATES = frozenset({"created", "pending", "running", "blocked"})
"""states that a cancel, or a newer pipeline of the same branch, can end (server/pipeline/cancel.go)"""
DELETED = "gone"
"""not a status: the pipeline is deleted at that time (filtered, no configuration, removed by an admin)"""
LOG_FLUSH_DELAY_S = 1.0
"""seconds from the end of a step until its log reaches the server (0.94 to 1.01 in recording 17-http-facts)"""


@dataclass(frozen=True, slots=True)
class ScriptedStep:
    """A step in one state; `type` as Woodpecker names it: commands, plugin, clone, service, cache."""

    name: str
    state: str = "pending"
    exit_code: int = 0
    error: str = ""
    type: str = "commands"


@dataclass(frozen=True, slots=True)
class ScriptedWorkflow:
    """A workflow in one state, with its steps."""

    name: str
    state: str = "pending"
    steps: tuple[ScriptedStep, ...] = ()
    error: str = ""
    environ: tuple[tuple[str, str], ...] = ()
    """the axes of a matrix"""


@dataclass(frozen=True, slots=True)
class ScriptedError:
    """An entry in the `errors` of a pipeline; `data` as in the JSON (null, or file and field)."""

    message: str
    type: str = "compiler"
    warning: bool = False
    data: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The state of a pipeline from `t` seconds after its creation; None keeps the previous value."""

    t: float
    status: str
    workflows: tuple[ScriptedWorkflow, ...] | None = None
    errors: tuple[ScriptedError, ...] | None = None
    cancel_info: tuple[tuple[str, str | int], ...] | None = None
    reviewed_by: str | None = None


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Log lines of a step, available from `t` on; `workflow` is set if step names repeat."""

    t: float
    step: str
    lines: tuple[bytes | None, ...]
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class PipelineTimeline:
    """A pipeline from its creation to its end.

    Attributes:
        on_approval: the timeline after an approval, with times from the approval.
        on_restart: the timeline of a restart; None: this one again, from `pending` on.
    """

    frames: tuple[Frame, ...]
    logs: tuple[LogChunk, ...] = ()
    on_approval: PipelineTimeline | None = None
    on_restart: PipelineTimeline | None = None


@dataclass(frozen=True, slots=True)
class PipelineSnapshot:
    """A pipeline at one point in time; times in seconds from its creation, None: not yet."""

    status: str
    workflows: tuple[ScriptedWorkflow, ...] = ()
    errors: tuple[ScriptedError, ...] = ()
    cancel_info: tuple[tuple[str, str | int], ...] = ()
    reviewed_by: str = ""
    updated: float = 0.0
    started: float | None = None
    finished: float | None = None
    reviewed: float | None = None
    times: dict[tuple[int, int], tuple[float | None, float | None]] = field(default_factory=dict)
    """started and finished of each workflow (index, -1) and step (index, index)"""


def iterate_frames(timeline: PipelineTimeline, t: float) -> Iterator[Frame]:
    """Yield the frames up to `t`, each with the values it inherits."""
    full = Frame(0.0, "", (), (), (), "")
    for frame in timeline.frames:
        if frame.t > t:
            return
        full = Frame(
            frame.t,
            frame.status,
            full.workflows if frame.workflows is None else frame.workflows,
            full.errors if frame.errors is None else frame.errors,
            full.cancel_info if frame.cancel_info is None else frame.cancel_info,
            full.reviewed_by if frame.reviewed_by is None else frame.reviewed_by,
        )
        yield full


def take_snapshot(timeline: PipelineTimeline, t: float) -> PipelineSnapshot | None:
    """Return the pipeline `t` seconds after its creation; None: not created yet, or deleted."""
    past = list(iterate_frames(timeline, t))
    if not past or past[-1].status == DELETED:
        return None
    last = past[-1]
    return PipelineSnapshot(
        last.status,
        last.workflows or (),
        last.errors or (),
        last.cancel_info or (),
        last.reviewed_by or "",
        updated=last.t,
        started=next((f.t for f in past if f.status == "running"), last.t if last.status == "error" else None),
        finished=None if last.status in ACTIVE_STATES else find_end(PipelineTimeline(tuple(past))),
        reviewed=next((f.t for f in past if f.reviewed_by), None),
        times=_times(past),
    )


def find_end(timeline: PipelineTimeline) -> float | None:
    """Return the seconds from creation to the final status; None if there is none."""
    end = None
    for frame in timeline.frames:
        if frame.status in ACTIVE_STATES or frame.status == DELETED:
            end = None
        elif end is None:
            end = frame.t
    return end


def _times(past: list[Frame]) -> dict[tuple[int, int], tuple[float | None, float | None]]:
    times: dict[tuple[int, int], tuple[float | None, float | None]] = {}
    for frame in past:
        for key, state in _states(frame):
            started, finished = times.get(key, (None, None))
            if started is None and state in {"running", "success", "failure"}:
                started = frame.t
            if finished is None and state in {"success", "failure", "killed"} and started is not None:
                finished = frame.t
            times[key] = (started, finished)
    return times


def _states(frame: Frame) -> Iterator[tuple[tuple[int, int], str]]:
    for i, workflow in enumerate(frame.workflows or ()):
        yield (i, -1), workflow.state
        for j, step in enumerate(workflow.steps):
            yield (i, j), step.state


def collect_log(timeline: PipelineTimeline, t: float, workflow: str, step: str) -> tuple[bytes | None, ...]:
    """Return the log lines of a step that are available at `t`."""
    return tuple(
        line
        for part in timeline.logs
        if part.t <= t and part.step == step and part.workflow in {"", workflow}
        for line in part.lines
    )


def cut_timeline(timeline: PipelineTimeline, t: float, *then: Frame) -> PipelineTimeline:
    """Return the timeline up to `t`, continued with other frames."""
    kept = tuple(frame for frame in timeline.frames if frame.t <= t)
    return replace(
        timeline, frames=(*kept, *then), logs=tuple(part for part in timeline.logs if part.t <= t + LOG_FLUSH_DELAY_S)
    )


def cancel_timeline(
    timeline: PipelineTimeline, t: float, info: tuple[tuple[str, str | int], ...], *, linger: float = 0.1
) -> PipelineTimeline:
    """Return the timeline, cancelled at `t`; running workflows are killed `linger` seconds later."""
    now = take_snapshot(timeline, t)
    if now is None:
        return timeline
    never_ran = now.status in {"created", "pending"}
    status = "canceled" if never_ran else "killed"
    if now.status == "blocked":  # its workflows stay as they are (server/pipeline/cancel.go)
        return cut_timeline(timeline, t, Frame(t, status, cancel_info=info))
    first = tuple(_stop_workflow(workflow, "running") for workflow in now.workflows)
    last = tuple(_stop_workflow(workflow, "killed") for workflow in now.workflows)
    tail = () if first == last else (Frame(t + linger, status, last),)
    return cut_timeline(timeline, t, Frame(t, status, first, cancel_info=info), *tail)


def _stop_workflow(workflow: ScriptedWorkflow, running_becomes: str) -> ScriptedWorkflow:
    after = {"running": running_becomes, "pending": "skipped"}.get(workflow.state, workflow.state)
    return replace(workflow, state=after, steps=tuple(_stop_step(step) for step in workflow.steps))


def _stop_step(step: ScriptedStep) -> ScriptedStep:
    if step.state == "running":
        return replace(step, state="killed", error="Canceled")
    return replace(step, state="canceled") if step.state == "pending" else step


def approve_timeline(timeline: PipelineTimeline, t: float, by: str) -> PipelineTimeline:
    """Return the blocked timeline, approved at `t`."""
    rest = timeline.on_approval or PipelineTimeline(())
    later = tuple(replace(frame, t=frame.t + t, reviewed_by=by) for frame in rest.frames)
    logs = tuple(replace(part, t=part.t + t) for part in rest.logs)
    return replace(timeline, frames=(*(f for f in timeline.frames if f.t <= t), *later), logs=(*timeline.logs, *logs))


def decline_timeline(timeline: PipelineTimeline, t: float, by: str) -> PipelineTimeline:
    """Return the blocked timeline, declined at `t`."""
    now = take_snapshot(timeline, t)
    flows = now.workflows if now else ()
    workflows = tuple(
        replace(w, state="declined", steps=tuple(replace(s, state="declined") for s in w.steps)) for w in flows
    )
    return cut_timeline(timeline, t, Frame(t, "declined", workflows, reviewed_by=by))
