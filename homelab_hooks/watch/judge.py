"""The verdict on one pipeline, from what is known of it: a pure function."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple, assert_never

from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment
from homelab_hooks.model import Pipeline, Status, Step, Workflow
from homelab_hooks.watch.state import Thread, Watch

EXPLAIN = 5.0
"""seconds that a pipeline's detail is waited for once the list has decided (contract, section 5)"""
HUNT = 10.0
"""seconds that a superseding pipeline is looked for before it counts as not to be found"""
CANCEL_INFO_SINCE = (3, 14)


class Ruling(NamedTuple):
    """CI has decided: the exit, what happened, what to do."""

    exit: Exit
    reason: str
    hint: str = ""


class Open(Enum):
    """Not decided yet, and what would help."""

    RUNNING = auto()
    """its end"""
    DETAIL = auto()
    """its detail: the workflows behind the colour"""
    SUCCESSOR = auto()
    """the row of the pipeline that superseded it"""
    CONTAINMENT = auto()
    """whether the superseding commit contains ours"""
    FOLLOW = auto()
    """to follow the superseding pipeline, which contains ours"""


def judge(thread: Thread, watch: Watch, rows: tuple[Pipeline, ...], now: float) -> Ruling | Open:
    """The verdict on a thread, or what is missing for one; `rows` are all that the list shows now."""
    pipeline = thread.pipeline
    match pipeline.status:
        case Status.CREATED | Status.PENDING | Status.RUNNING | Status.UNKNOWN:
            return Open.RUNNING
        case Status.SUCCESS | Status.FAILURE | Status.ERROR:
            return _ended(thread, now)
        case Status.KILLED | Status.CANCELED:
            return _stopped(thread, watch, rows, now)
        case Status.BLOCKED | Status.DECLINED | Status.SKIPPED:
            return _not_run(pipeline, watch.url(pipeline.number))
        case _:
            assert_never(pipeline.status)


def _not_run(pipeline: Pipeline, url: str) -> Ruling:
    number = f"#{pipeline.number}"
    if pipeline.status is Status.BLOCKED:
        return Ruling(exit=Exit.BLOCKED, reason=f"{number} waits for an approval", hint=f"approve it: {url}")
    if pipeline.status is Status.DECLINED:
        who = f" by {pipeline.reviewed_by}" if pipeline.reviewed_by else ""
        return Ruling(exit=Exit.CANCELLED, reason=f"{number} was declined{who}")
    return Ruling(exit=Exit.NO_PIPELINE, reason=f"{number} was skipped: nothing ran")


def _ended(thread: Thread, now: float) -> Ruling | Open:
    """Success is cross-checked; a failure names its step."""
    pipeline, detail = thread.pipeline, thread.explained
    if detail is None and thread.settled_at is not None and now - thread.settled_at < EXPLAIN:
        return Open.DETAIL
    number = f"#{pipeline.number}"
    if pipeline.status is Status.ERROR:
        return Ruling(exit=Exit.FAILED, reason=f"{number} could not run: {_finding(detail or pipeline)}", hint=_REPUSH)
    red = detail.red_workflows if detail else ()
    if pipeline.status is Status.SUCCESS and not red:
        ran = not detail or not detail.workflows or any(w.state is not Status.SKIPPED for w in detail.workflows)
        return Ruling(exit=Exit.OK, reason=f"{number} passed" + ("" if ran else " (every workflow was skipped)"))
    if pipeline.status is Status.SUCCESS:
        return Ruling(exit=Exit.FAILED, reason=f"{number} says success, but {_culprit_text(red)}")
    return Ruling(exit=Exit.FAILED, reason=f"{number} failed" + (f": {_culprit_text(red)}" if red else ""))


_REPUSH = "a repaired configuration needs a new push: a restart uses the stored one"


def _finding(pipeline: Pipeline) -> str:
    found = [complaint for complaint in pipeline.complaints if not complaint.warning] or list(pipeline.complaints)
    return found[0].message.splitlines()[0] if found and found[0].message else "the server does not say why"


def _culprit_text(red: tuple[Workflow, ...]) -> str:
    workflow, step = culprit(red)
    if step is None:
        return f"workflow {workflow.name} ended in {workflow.state}" + (
            f" ({workflow.error})" if workflow.error else ""
        )
    code = f" with exit code {step.exit_code}" if step.exit_code else (f" ({step.error})" if step.error else "")
    return f"step {step.name} of workflow {workflow.name} failed{code}"


def culprit(red: tuple[Workflow, ...]) -> tuple[Workflow, Step | None]:
    """The first workflow that went red, with the step that made it so.

    The server does not say which red step was ignored (`failure: ignore`), so: the step whose error is the workflow's;
    else the last red one before the first that was skipped for it; else the last red one.
    """
    workflow = min(red, key=lambda w: (w.finished or 2**40, w.pid))
    steps = sorted((step for step in workflow.steps if step.culprit), key=lambda step: step.pid)
    blamed = [step for step in steps if workflow.error and step.error == workflow.error]
    skipped = min((step.pid for step in workflow.steps if step.state is Status.SKIPPED), default=2**40)
    before = [step for step in steps if step.pid < skipped]
    return workflow, next(iter(blamed or before[-1:] or steps[-1:]), None)


def _stopped(thread: Thread, watch: Watch, rows: tuple[Pipeline, ...], now: float) -> Ruling | Open:
    """Killed or canceled: by a step it is a failure, by a person it is cancelled, by a newer one it depends."""
    pipeline = thread.pipeline
    by = pipeline.stopped
    if by and by.by_step:
        return Ruling(exit=Exit.FAILED, reason=f"#{pipeline.number} failed: step {by.by_step} cancelled the rest")
    if number := successor(pipeline, rows):
        newer = next((row for row in rows if row.number == number), None)
        if newer is not None:
            return _superseded(thread, watch, newer)
        if watch.contradicted or thread.settled_at is None or now - thread.settled_at < HUNT:
            return Open.SUCCESSOR
        reason = f"#{pipeline.number} was superseded by #{number}, which cannot be found"
        return Ruling(exit=Exit.SUPERSEDED, reason=reason)
    who = f" by {by.by_user}" if by and by.by_user else ""
    return Ruling(
        exit=Exit.CANCELLED, reason=f"#{pipeline.number} was cancelled{who}", hint="run it again: homelab ci restart"
    )


def successor(pipeline: Pipeline, rows: tuple[Pipeline, ...]) -> int:
    """The number of the pipeline that superseded this one; 0 where none did.

    Servers before 3.14 do not say: there a newer one of the same event and branch counts.
    """
    if pipeline.stopped and pipeline.stopped.superseded_by:
        return pipeline.stopped.superseded_by
    if (pipeline.stopped and pipeline.stopped.by_user) or tells_why(pipeline.version):
        return 0
    later = [
        row.number
        for row in rows
        if row.number > pipeline.number and (row.event, row.branch) == (pipeline.event, pipeline.branch)
    ]
    return min(later, default=0)


def tells_why(version: str) -> bool:
    """Whether a server of this version says who ended a pipeline.

    >>> tells_why("3.17.0"), tells_why("2.8.3"), tells_why(""), tells_why("next-1a2b")
    (True, False, False, True)
    """
    if not version:
        return False
    parts = version.split(".")
    if not (len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit()):
        return True
    return (int(parts[0]), int(parts[1])) >= CANCEL_INFO_SINCE


def _superseded(thread: Thread, watch: Watch, newer: Pipeline) -> Ruling | Open:
    """A newer pipeline took its place; its commit is compared, for it may be the restart of an older one."""
    ours, number = thread.pipeline.number, newer.number
    if newer.commit in watch.accepted:
        return Open.FOLLOW
    match watch.contained.get(newer.commit):
        case None:
            return Open.CONTAINMENT
        case Containment.CONTAINS:
            return Open.FOLLOW
        case Containment.APART:
            why = f"whose commit {newer.commit[:8]} does not contain it"
        case _:
            why = f"whose commit {newer.commit[:8]} is not known here, so that it cannot be shown to contain it"
    return Ruling(
        exit=Exit.SUPERSEDED,
        reason=f"#{ours} was superseded by #{number}, {why}",
        hint="homelab ci restart runs it again once the branch is quiet",
    )
