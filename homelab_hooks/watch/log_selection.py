"""Selects the steps whose logs are shown, and names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Status, Step, Workflow
from homelab_hooks.errors import CommandError
from homelab_hooks.text.sanitize import strip_control_chars

_STARTED_STATUSES = {Status.RUNNING, Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED}


class LogSelection(NamedTuple):
    """Which steps: one by name, all, or those that failed."""

    step: str = ""
    all: bool = False
    last_lines: int | None = None
    """how many of the last lines to show; None for all"""
    workflows: tuple[str, ...] = ()
    """only steps of workflows with these names; empty: of all"""


class SelectedStep(NamedTuple):
    """A step whose log is shown."""

    workflow: Workflow
    step: Step

    @property
    def title(self) -> str:
        """Return the heading of the step's log."""
        code = f", exit code {self.step.exit_code}" if self.step.exit_code else ""
        error = f", {self.step.error}" if self.step.error else ""
        return strip_control_chars(f"{self.name}: {self.step.state}{code}{error}")

    @property
    def name(self) -> str:
        """Return the name that distinguishes the step from every other of the pipeline, as `--step` takes it."""
        return f"{self.workflow.title}/{self.step.name}" if self.step.name else self.workflow.title

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that selects the step; the shorter ones may select others too."""
        return self.step.name, f"{self.workflow.name}/{self.step.name}", self.name


def select_steps(pipeline: Pipeline, selection: LogSelection) -> tuple[SelectedStep, ...]:
    """Return the selected steps. Raises CommandError if no step has the given name."""
    steps = _list_steps(pipeline, selection)
    if selection.step:
        found = [c for c in steps if selection.step in c.names]
        if not found:
            names = ", ".join(strip_control_chars(c.name) for c in steps) or "none yet"
            raise CommandError(f"{pipeline.run} has no step {selection.step!r}", hint=f"expected one of {names}")
        return tuple(found)
    if selection.all:
        return tuple(c for c in steps if c.step.state in _STARTED_STATUSES)
    return tuple(c for c in steps if c.step.state.is_failed)


def has_selected_step(pipeline: Pipeline, selection: LogSelection) -> bool:
    """Return whether the pipeline has the step that is selected by name, if one is."""
    steps = _list_steps(pipeline, selection)
    return not selection.step or any(selection.step in one.names for one in steps)


def _list_steps(pipeline: Pipeline, selection: LogSelection) -> list[SelectedStep]:
    """Return the steps of the pipeline, or of the selected workflows of it."""
    named = (w for w in pipeline.workflows if not selection.workflows or w.name in selection.workflows)
    return [SelectedStep(workflow, step) for workflow in named for step in workflow.steps]


def select_workflow_errors(pipeline: Pipeline, names: Sequence[str] = ()) -> tuple[SelectedStep, ...]:
    """Return the failed workflows that no failed step explains, each as a step without a name.

    With names, only workflows of these names are returned.

    A workflow that fails before its first step (an image that cannot be pulled) has an error and no log.
    """
    return tuple(
        SelectedStep(workflow, Step(id=("workflow", workflow.pid), pid=0, name="", state=workflow.state))
        for workflow in pipeline.failed_workflows
        if workflow.error
        and (not names or workflow.name in names)
        and not any(step.state.is_failed for step in workflow.steps)
    )
