"""The common timelines: green, red, blocked, cancelled, and what else a pipeline can come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
"""seconds from the row to `pending` and `running` on an idle server (measured: about 0.2 and 0.4)"""
IDLE_STATES = frozenset({"skipped", "canceled", "pending"})
"""final states of steps that took no time"""

LogText = Sequence[str]
FAILURE_LOG: LogText = ("it failed",)
"""a step that fails says why: whoever hears nothing of it waits for more"""


def make_timeline(
    steps: Sequence[ScriptedStep],
    *,
    seconds: float = 1.0,
    name: str = "woodpecker",
    status: str | None = None,
    logs: Mapping[str, LogText] | None = None,
) -> PipelineTimeline:
    """One workflow whose steps run one after another.

    Args:
        steps: as they are at the end.
        seconds: from the row's first sight to its final status.
        status: the final one; None: failure if a step failed, else success.
        logs: lines by step, there FLUSH seconds after the step ended.
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
    """All steps succeed; `log` is the last step's."""
    done = [ScriptedStep(name, "success") for name in steps]
    return make_timeline(done, seconds=seconds, logs={steps[-1]: log} if log else None)


def make_red(
    step: str = "test",
    *,
    exit_code: int = 1,
    log: LogText = FAILURE_LOG,
    error: str = "",
    seconds: float = 1.0,
) -> PipelineTimeline:
    """`build` succeeds, `step` fails, `publish` is skipped."""
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
    """Plays `first`; a restart plays `then`."""
    return replace(first, on_restart=restart_timeline(then))


def restart_timeline(timeline: PipelineTimeline) -> PipelineTimeline:
    """As a restart plays it: `pending` is the first that is seen (measured, 10)."""
    rest = [frame for frame in timeline.frames if frame.status not in {"created", "blocked"}]
    start = rest[0].t if rest else 0.0
    frames = tuple(replace(frame, t=max(frame.t - start, 0.0)) for frame in rest)
    return replace(
        timeline, frames=frames, logs=tuple(replace(part, t=max(part.t - start, 0.0)) for part in timeline.logs)
    )


def make_blocked(then: PipelineTimeline | None = None) -> PipelineTimeline:
    """Waits for an approval, then plays `then` (green by default)."""
    waiting = ScriptedWorkflow("woodpecker", "blocked", (ScriptedStep("build", "blocked"),))
    return PipelineTimeline(
        (Frame(0.0, "blocked"), Frame(0.08, "blocked", (waiting,))), on_approval=restart_timeline(then or make_green())
    )


def make_declined(after: float = 0.5, *, by: str = "alice") -> PipelineTimeline:
    """Blocked, and declined by a person."""
    workflow = ScriptedWorkflow("woodpecker", "declined", (ScriptedStep("build", "declined"),))
    return PipelineTimeline((*make_blocked().frames, Frame(after, "declined", (workflow,), reviewed_by=by)))


def make_cancelled(after: float = 0.5, *, by: str = "alice") -> PipelineTimeline:
    """Killed by a person while it runs; the workflow ends a moment later."""
    return _make_killed(after, (("canceled_by_user", by),))


def make_superseded(by: int, after: float = 0.5) -> PipelineTimeline:
    """Killed by a newer pipeline's number; a real second push does it by itself."""
    return _make_killed(after, (("superseded_by", by),))


def make_cancelled_by_step(step: str = "boom", *, exit_code: int = 7, seconds: float = 1.0) -> PipelineTimeline:
    """A step with `failure: cancel` failed: `killed`, and yet the commit's own fault."""
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
    """Filtered, or no configuration: the row comes and goes, and its number is used again."""
    return PipelineTimeline((Frame(0.0, "created"), Frame(after, DELETED)))


def make_no_pipeline() -> PipelineTimeline:
    """No row at all: a lost webhook, or a skip marker."""
    return PipelineTimeline(())


def make_config_error(*messages: str, after: float = 0.3) -> PipelineTimeline:
    """The configuration is broken: `error`, no workflows."""
    found = tuple(ScriptedError(message) for message in messages or ("yaml: line 3: mapping values are not allowed",))
    warning = ScriptedError("Consider adding a `when` block", "bad_habit", warning=True, data=(("file", "woodpecker"),))
    return PipelineTimeline((Frame(0.0, "created"), Frame(after, "error", errors=(warning, *found))))


def make_stuck(step: str = "test") -> PipelineTimeline:
    """Runs for ever: its agent died."""
    flow = ScriptedWorkflow("woodpecker", "running", (ScriptedStep("build", "success"), ScriptedStep(step, "running")))
    return PipelineTimeline(
        (
            Frame(0.0, "created"),
            Frame(PENDING_AT_S, "pending", (_waiting(flow),)),
            Frame(RUNNING_AT_S, "running", (flow,)),
        )
    )


def make_pending() -> PipelineTimeline:
    """Waits for an agent for ever."""
    flow = _waiting(ScriptedWorkflow("woodpecker", "running", (ScriptedStep("build"),)))
    return PipelineTimeline((Frame(0.0, "created"), Frame(PENDING_AT_S, "pending", (flow,))))


def _waiting(workflow: ScriptedWorkflow) -> ScriptedWorkflow:
    return replace(workflow, state="pending", steps=tuple(ScriptedStep(step.name) for step in workflow.steps))
