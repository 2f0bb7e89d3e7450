"""The common timelines: green, red, blocked, cancelled, and what else a pipeline can come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from homelab_hooks.demo.script import FLUSH, GONE, At, Complaint, Lines, Script, Step, Workflow

PENDING_AT = 0.1
RUNNING_AT = 0.2
"""seconds from the row to `pending` and `running` on an idle server (measured: about 0.2 and 0.4)"""
IDLE = frozenset({"skipped", "canceled", "pending"})
"""final states of steps that took no time"""

Log = Sequence[str]
SAID: Log = ("it failed",)
"""a step that fails says why: whoever hears nothing of it waits for more"""


def runs(
    steps: Sequence[Step],
    *,
    seconds: float = 1.0,
    name: str = "woodpecker",
    status: str | None = None,
    logs: Mapping[str, Log] | None = None,
) -> Script:
    """One workflow whose steps run one after another.

    Args:
        steps: as they are at the end.
        seconds: from the row's first sight to its final status.
        status: the final one; None: failure if a step failed, else success.
        logs: lines by step, there FLUSH seconds after the step ended.
    """
    waiting = Workflow(name, "pending", tuple(Step(s.name, type=s.type) for s in steps))
    frames = [At(0.0, "created"), At(PENDING_AT, "pending", (waiting,)), At(RUNNING_AT, "running")]
    busy = [s for s in steps if s.state not in IDLE]
    each = max(seconds - RUNNING_AT, 0.0) / max(len(busy), 1)
    now, done, ends = RUNNING_AT, waiting.steps, {}
    for i, step in enumerate(steps):
        if step.state not in IDLE:
            done = _put(done, i, replace(step, state="running", exit_code=0, error=""))
            frames.append(At(now, "running", (replace(waiting, state="running", steps=done),)))
            now += each
        done = _put(done, i, step)
        ends[step.name] = now
    final = status or ("failure" if any(s.state in {"failure", "error"} for s in steps) else "success")
    error = next((s.error for s in steps if s.state in {"failure", "error"}), "")
    frames.append(At(now, final, (replace(waiting, state=final, steps=done, error=error),)))
    lines = tuple(Lines(ends[s] + FLUSH, s, tuple(map(str.encode, text))) for s, text in (logs or {}).items())
    return Script(tuple(frames), lines)


def _put(steps: tuple[Step, ...], index: int, step: Step) -> tuple[Step, ...]:
    return (*steps[:index], step, *steps[index + 1 :])


def green(seconds: float = 1.0, *, steps: Sequence[str] = ("build", "test"), log: Log = ()) -> Script:
    """All steps succeed; `log` is the last step's."""
    done = [Step(name, "success") for name in steps]
    return runs(done, seconds=seconds, logs={steps[-1]: log} if log else None)


def red(
    step: str = "test",
    *,
    exit_code: int = 1,
    log: Log = SAID,
    error: str = "",
    seconds: float = 1.0,
) -> Script:
    """`build` succeeds, `step` fails, `publish` is skipped."""
    return runs(
        (Step("build", "success"), Step(step, "failure", exit_code, error), Step("publish", "skipped")),
        seconds=seconds,
        logs={step: log} if log else None,
    )


def flaky(first: Script, then: Script) -> Script:
    """Plays `first`; a restart plays `then`."""
    return replace(first, again=restart(then))


def restart(script: Script) -> Script:
    """As a restart plays it: `pending` is the first that is seen (measured, 10)."""
    rest = [frame for frame in script.frames if frame.status not in {"created", "blocked"}]
    start = rest[0].t if rest else 0.0
    frames = tuple(replace(frame, t=max(frame.t - start, 0.0)) for frame in rest)
    return replace(script, frames=frames, logs=tuple(replace(part, t=max(part.t - start, 0.0)) for part in script.logs))


def blocked(then: Script | None = None) -> Script:
    """Waits for an approval, then plays `then` (green by default)."""
    waiting = Workflow("woodpecker", "blocked", (Step("build", "blocked"),))
    return Script((At(0.0, "blocked"), At(0.08, "blocked", (waiting,))), approved=restart(then or green()))


def declined(after: float = 0.5, *, by: str = "alice") -> Script:
    """Blocked, and declined by a person."""
    no = Workflow("woodpecker", "declined", (Step("build", "declined"),))
    return Script((*blocked().frames, At(after, "declined", (no,), reviewed_by=by)))


def cancelled(after: float = 0.5, *, by: str = "alice") -> Script:
    """Killed by a person while it runs; the workflow ends a moment later."""
    return _killed(after, (("canceled_by_user", by),))


def superseded(by: int, after: float = 0.5) -> Script:
    """Killed by a newer pipeline's number; a real second push does it by itself."""
    return _killed(after, (("superseded_by", by),))


def cancelled_by_step(step: str = "boom", *, exit_code: int = 7, seconds: float = 1.0) -> Script:
    """A step with `failure: cancel` failed: `killed`, and yet the commit's own fault."""
    steps = (Step(step, "failure", exit_code), Step("later", "canceled"))
    script = runs(steps, seconds=seconds, status="killed", logs={step: SAID})
    last = replace(script.frames[-1], cancel_info=(("canceled_by_step", step),))
    return replace(script, frames=(*script.frames[:-1], last))


def _killed(after: float, info: tuple[tuple[str, str | int], ...]) -> Script:
    start = runs((Step("build", "success"),), seconds=after + 1.0)
    before = tuple(frame for frame in start.frames if frame.t < after)
    flow = Workflow("woodpecker", "running", (Step("build", "killed", error="Canceled"),))
    return Script(
        (
            *before,
            At(after, "killed", (flow,), cancel_info=info),
            At(after + 0.1, "killed", (replace(flow, state="killed"),)),
        )
    )


def created_then_gone(after: float = 0.3) -> Script:
    """Filtered, or no configuration: the row comes and goes, and its number is used again."""
    return Script((At(0.0, "created"), At(after, GONE)))


def never() -> Script:
    """No row at all: a lost webhook, or a skip marker."""
    return Script(())


def config_error(*messages: str, after: float = 0.3) -> Script:
    """The configuration is broken: `error`, no workflows."""
    found = tuple(Complaint(message) for message in messages or ("yaml: line 3: mapping values are not allowed",))
    warning = Complaint("Consider adding a `when` block", "bad_habit", warning=True, data=(("file", "woodpecker"),))
    return Script((At(0.0, "created"), At(after, "error", errors=(warning, *found))))


def stuck(step: str = "test") -> Script:
    """Runs for ever: its agent died."""
    flow = Workflow("woodpecker", "running", (Step("build", "success"), Step(step, "running")))
    return Script(
        (At(0.0, "created"), At(PENDING_AT, "pending", (_waiting(flow),)), At(RUNNING_AT, "running", (flow,)))
    )


def pending() -> Script:
    """Waits for an agent for ever."""
    flow = _waiting(Workflow("woodpecker", "running", (Step("build"),)))
    return Script((At(0.0, "created"), At(PENDING_AT, "pending", (flow,))))


def _waiting(workflow: Workflow) -> Workflow:
    return replace(workflow, state="pending", steps=tuple(Step(step.name) for step in workflow.steps))
