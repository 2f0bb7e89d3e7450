"""Common pipeline timelines: green, red, blocked, cancelled, superseded, and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from homelab_hooks.simulators.woodpecker.script import (
    DELETED,
    LOG_FLUSH_DELAY_S,
    Frame,
    LogChunk,
    PipelineTimeline,
    ScriptedError,
    ScriptedStep,
    ScriptedWorkflow,
)

PENDING_AT_S = 0.1
RUNNING_AT_S = 0.2
"""seconds from creation to `pending` and to `running` on an idle server (recording 02-success)"""
IDLE_STATES = frozenset({"skipped", "canceled", "pending"})
"""states of steps that take no time"""

LogText = Sequence[str]
FAILURE_LOG: LogText = ("it failed",)
"""a failed step has a log: without one, the watch would wait for it"""


def make_timeline(
    steps: Sequence[ScriptedStep],
    *,
    seconds: float = 1.0,
    name: str = "woodpecker",
    status: str | None = None,
    logs: Mapping[str, LogText] | None = None,
) -> PipelineTimeline:
    """Return the timeline of one workflow whose steps run in sequence.

    Args:
        steps: the steps in their final state.
        seconds: from creation to the final status.
        status: the final status; None: failure if a step failed, else success.
        logs: lines by step, available LOG_FLUSH_DELAY_S after the step ended.
    """
    waiting = ScriptedWorkflow(name, "pending", tuple(ScriptedStep(s.name, type=s.type) for s in steps))
    frames = [Frame(0.0, "created"), Frame(PENDING_AT_S, "pending", (waiting,)), Frame(RUNNING_AT_S, "running")]
    busy = [s for s in steps if s.state not in IDLE_STATES]
    each = max(seconds - RUNNING_AT_S, 0.0) / max(len(busy), 1)
    now, done, ends = RUNNING_AT_S, waiting.steps, {}
    for i, step in enumerate(steps):
        if step.state not in IDLE_STATES:
            done = _replace_step(done, i, replace(step, state="running", exit_code=0, error=""))
            frames.append(Frame(now, "running", (replace(waiting, state="running", steps=done),)))
            now += each
        done = _replace_step(done, i, step)
        ends[step.name] = now
    final = status or ("failure" if any(s.state in {"failure", "error"} for s in steps) else "success")
    error = next((s.error for s in steps if s.state in {"failure", "error"}), "")
    frames.append(Frame(now, final, (replace(waiting, state=final, steps=done, error=error),)))
    lines = tuple(
        LogChunk(ends[s] + LOG_FLUSH_DELAY_S, s, tuple(map(str.encode, text))) for s, text in (logs or {}).items()
    )
    return PipelineTimeline(tuple(frames), lines)


def _replace_step(steps: tuple[ScriptedStep, ...], index: int, step: ScriptedStep) -> tuple[ScriptedStep, ...]:
    return (*steps[:index], step, *steps[index + 1 :])


def make_green(
    seconds: float = 1.0, *, steps: Sequence[str] = ("build", "test"), log: LogText = ()
) -> PipelineTimeline:
    """Return a timeline in which all steps succeed; `log` is the log of the last step."""
    done = [ScriptedStep(name, "success") for name in steps]
    return make_timeline(done, seconds=seconds, logs={steps[-1]: log} if log else None)


def print_while_running(timeline: PipelineTimeline, prints: Mapping[str, LogText]) -> PipelineTimeline:
    """Return the timeline with the lines of steps, one after the other while each runs."""
    chunks: list[LogChunk] = []
    for frame, after in pairwise(timeline.frames):
        running = [step.name for flow in frame.workflows or () for step in flow.steps if step.state == "running"]
        for name in running:
            gap = (after.t - frame.t) / (len(prints.get(name, ())) + 1)
            lines = enumerate(prints.get(name, ()), 1)
            chunks += [LogChunk(frame.t + gap * place, name, (line.encode(),)) for place, line in lines]
    return replace(timeline, logs=(*chunks, *timeline.logs))


def make_red(
    step: str = "test",
    *,
    exit_code: int = 1,
    log: LogText = FAILURE_LOG,
    error: str = "",
    seconds: float = 1.0,
) -> PipelineTimeline:
    """Return a timeline in which `build` succeeds, `step` fails, and `publish` is skipped."""
    return make_timeline(
        (
            ScriptedStep("build", "success"),
            ScriptedStep(step, "failure", exit_code, error),
            ScriptedStep("publish", "skipped"),
        ),
        seconds=seconds,
        logs={step: log} if log else None,
    )


def make_flaky(first: PipelineTimeline, then: PipelineTimeline) -> PipelineTimeline:
    """Return `first`, with `then` as the timeline of a restart."""
    return replace(first, on_restart=restart_timeline(then))


def restart_timeline(timeline: PipelineTimeline) -> PipelineTimeline:
    """Return the timeline of a restart, which starts with `pending` (recording 10-restart)."""
    rest = [frame for frame in timeline.frames if frame.status not in {"created", "blocked"}]
    start = rest[0].t if rest else 0.0
    frames = tuple(replace(frame, t=max(frame.t - start, 0.0)) for frame in rest)
    return replace(
        timeline, frames=frames, logs=tuple(replace(part, t=max(part.t - start, 0.0)) for part in timeline.logs)
    )


def make_blocked(then: PipelineTimeline | None = None) -> PipelineTimeline:
    """Return a timeline that waits for approval and continues with `then` (default: green)."""
    waiting = ScriptedWorkflow("woodpecker", "blocked", (ScriptedStep("build", "blocked"),))
    return PipelineTimeline(
        (Frame(0.0, "blocked"), Frame(0.08, "blocked", (waiting,))), on_approval=restart_timeline(then or make_green())
    )


def make_declined(after: float = 0.5, *, by: str = "alice") -> PipelineTimeline:
    """Return a timeline that waits for approval, and is declined by the user `by`."""
    workflow = ScriptedWorkflow("woodpecker", "declined", (ScriptedStep("build", "declined"),))
    return PipelineTimeline((*make_blocked().frames, Frame(after, "declined", (workflow,), reviewed_by=by)))


def make_cancelled(after: float = 0.5, *, by: str = "alice") -> PipelineTimeline:
    """Return a timeline that the user `by` cancels while it runs; the workflow ends shortly after."""
    return _make_killed(after, (("canceled_by_user", by),))


def make_superseded(by: int, after: float = 0.5) -> PipelineTimeline:
    """Return a timeline that pipeline `by` supersedes; for a simulated second push this happens by itself."""
    return _make_killed(after, (("superseded_by", by),))


def make_cancelled_by_step(step: str = "boom", *, exit_code: int = 7, seconds: float = 1.0) -> PipelineTimeline:
    """Return a timeline that is killed because a step with `failure: cancel` failed, which counts as a failure."""
    steps = (ScriptedStep(step, "failure", exit_code), ScriptedStep("later", "canceled"))
    timeline = make_timeline(steps, seconds=seconds, status="killed", logs={step: FAILURE_LOG})
    last = replace(timeline.frames[-1], cancel_info=(("canceled_by_step", step),))
    return replace(timeline, frames=(*timeline.frames[:-1], last))


def _make_killed(after: float, info: tuple[tuple[str, str | int], ...]) -> PipelineTimeline:
    start = make_timeline((ScriptedStep("build", "success"),), seconds=after + 1.0)
    before = tuple(frame for frame in start.frames if frame.t < after)
    flow = ScriptedWorkflow("woodpecker", "running", (ScriptedStep("build", "killed", error="Canceled"),))
    return PipelineTimeline(
        (
            *before,
            Frame(after, "killed", (flow,), cancel_info=info),
            Frame(after + 0.1, "killed", (replace(flow, state="killed"),)),
        )
    )


def make_created_then_gone(after: float = 0.3) -> PipelineTimeline:
    """Return a timeline that ends with a deletion, as if filtered or without configuration; the number is reused."""
    return PipelineTimeline((Frame(0.0, "created"), Frame(after, DELETED)))


def make_no_pipeline() -> PipelineTimeline:
    """Return an empty timeline, as for a lost webhook or a skip marker: no pipeline is created."""
    return PipelineTimeline(())


def make_config_error(*messages: str, after: float = 0.3) -> PipelineTimeline:
    """Return a timeline that ends with `error` and no workflows, as for an invalid configuration."""
    found = tuple(ScriptedError(message) for message in messages or ("yaml: line 3: mapping values are not allowed",))
    warning = ScriptedError("Consider adding a `when` block", "bad_habit", warning=True, data=(("file", "woodpecker"),))
    return PipelineTimeline((Frame(0.0, "created"), Frame(after, "error", errors=(warning, *found))))


def make_stuck(step: str = "test") -> PipelineTimeline:
    """Return a timeline that runs forever, as if its agent had died."""
    flow = ScriptedWorkflow("woodpecker", "running", (ScriptedStep("build", "success"), ScriptedStep(step, "running")))
    return PipelineTimeline(
        (
            Frame(0.0, "created"),
            Frame(PENDING_AT_S, "pending", (_waiting(flow),)),
            Frame(RUNNING_AT_S, "running", (flow,)),
        )
    )


def make_pending() -> PipelineTimeline:
    """Return a timeline that waits for an agent forever."""
    flow = _waiting(ScriptedWorkflow("woodpecker", "running", (ScriptedStep("build"),)))
    return PipelineTimeline((Frame(0.0, "created"), Frame(PENDING_AT_S, "pending", (flow,))))


def _waiting(workflow: ScriptedWorkflow) -> ScriptedWorkflow:
    return replace(workflow, state="pending", steps=tuple(ScriptedStep(step.name) for step in workflow.steps))
