"""Builds the events for the difference between two states of a pipeline."""

from __future__ import annotations

from homelab_hooks.ci.model import Pipeline, Step, Workflow
from homelab_hooks.events import Event, PipelineChanged, PipelineResult, StepChanged, WorkflowChanged
from homelab_hooks.watch.state import CiWatchState


def build_pipeline_event(
    watch: CiWatchState, row: Pipeline, *, deciding: bool = True, note: str = ""
) -> PipelineChanged:
    """Return the event for a pipeline as it is now."""
    return PipelineChanged(
        number=row.number,
        trigger=row.event,
        ref=row.ref or row.branch,
        status=row.raw_status or row.status.value,
        url=row.url,
        sha=row.commit,
        deciding=deciding,
        note=note,
        started=row.started,
        expected=watch.expected_duration_s,
        interrupted=row.is_interrupted or None,
        took=row.duration_s if row.status.is_final else None,
    )


def build_pipeline_result(row: Pipeline) -> PipelineResult:
    """Return a pipeline as the result shows it."""
    return PipelineResult(
        number=row.number,
        event=row.event,
        ref=row.ref,
        status=row.raw_status or row.status.value,
        url=row.url,
        interrupted=row.is_interrupted or None,
    )


def diff_details(old: Pipeline | None, new: Pipeline) -> tuple[Event, ...]:
    """Return an event for each workflow and step whose state changed; for all of them if nothing was known."""
    before = {w.pid: w for w in old.workflows} if old and old.run == new.run else {}
    events: list[Event] = []
    for workflow in new.workflows:
        events += _diff_workflow(new.number, before.get(workflow.pid), workflow)
    return tuple(events)


def _diff_workflow(number: int, old: Workflow | None, new: Workflow) -> list[Event]:
    steps = {step.pid: step for step in old.steps} if old else {}
    changed = [s for s in new.steps if s.pid not in steps or steps[s.pid].state is not s.state]
    events: list[Event] = [_build_step_event(number, new, step) for step in changed]
    if old is None or old.state is not new.state:
        event = WorkflowChanged(
            pipeline=number,
            pid=new.pid,
            name=new.name,
            state=new.state.value,
            took=_duration(new.started, new.finished),
            error=new.error,
            axes=new.axes or None,
        )
        events.insert(len(events) if new.state.is_final else 0, event)
    return events


def _build_step_event(number: int, workflow: Workflow, step: Step) -> StepChanged:
    return StepChanged(
        pipeline=number,
        workflow=workflow.name,
        pid=step.pid,
        name=step.name,
        state=step.state.value,
        exit_code=step.exit_code,
        took=_duration(step.started, step.finished),
        error=step.error,
        axes=workflow.axes or None,
    )


def _duration(started: int, finished: int) -> float | None:
    return float(finished - started) if 0 < started <= finished else None
