"""Finds out whether a failed step was red before this commit, from earlier pipelines of the branch.

Best effort, after the verdict: one page of the list, and a handful of details, within a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, RunRef, Status, Workflow
from homelab_hooks.ci.provider import RunFilter, RunSource
from homelab_hooks.events import Event, Log
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Found
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.failure_report import FailedStep, find_failed_steps
from homelab_hooks.watch.state import CiWatchState

MAX_DETAILS = 5
"""details that are requested"""
ALL_REQUESTS_TIMEOUT_S = 4.0
"""seconds for all requests together"""
ONE_REQUEST_TIMEOUT_S = 2.0
"""seconds for one of them"""


class StepHistory(NamedTuple):
    """What earlier pipelines say about a step, so far."""

    failed: FailedStep
    earlier: tuple[Pipeline, ...]
    """earlier pipelines of the branch that passed or failed, the newest first; those that are not yet evaluated"""
    red_since: Pipeline | None = None
    """the oldest of the unbroken series in which the step was red"""
    green: Pipeline | None = None
    """the newest in which it was not"""

    @property
    def next_question(self) -> RunRef | None:
        """Return the pipeline whose detail is needed next; None if the answer is known, or no other is left."""
        return None if self.green or not self.earlier else self.earlier[0].run


def start_history(failed: FailedStep, rows: Iterable[Pipeline]) -> StepHistory:
    """Return the history before any detail is known; the pipelines of the commit itself do not count."""
    own = failed.pipeline
    earlier = [
        row
        for row in rows
        if (row.event, row.branch) == (own.event, own.branch)
        and row.number < own.number
        and row.commit != own.commit
        and row.status in {Status.SUCCESS, Status.FAILURE}
    ]
    return _pass_green(StepHistory(failed, tuple(sorted(earlier, key=lambda row: -row.number))))


def add_detail(history: StepHistory, detail: Pipeline) -> StepHistory:
    """Return the history after the detail of the pipeline that was asked for; a step that did not run says nothing."""
    row, rest = history.earlier[0], history._replace(earlier=history.earlier[1:])
    state = _find_state(detail.workflows, history.failed) if detail.commit == row.commit else None
    if state is Status.SUCCESS:
        return rest._replace(green=row)
    return _pass_green(rest._replace(red_since=row) if state is Status.FAILURE else rest)


def _pass_green(history: StepHistory) -> StepHistory:
    """Return the history if the next pipeline passed: the step was then not red in it, and no detail is needed."""
    first = next(iter(history.earlier), None)
    return history._replace(green=first) if first and first.status is Status.SUCCESS else history


def _find_state(workflows: tuple[Workflow, ...], failed: FailedStep) -> Status | None:
    """Return whether the same step passed or failed; None if it did neither."""
    title, name = failed.workflow.title, failed.step.name
    for workflow in workflows:
        for step in workflow.steps:
            if (workflow.title, step.name) == (title, name):
                is_red = step.state.is_failed and workflow.state.is_failed
                return Status.FAILURE if is_red else Status.SUCCESS if step.state is Status.SUCCESS else None
    return None


def describe_history(history: StepHistory) -> str:
    """Return since when the step is red, as one sentence; empty if nothing is known."""
    step = f"step {history.failed.step.name} of workflow {history.failed.workflow.title}"
    if red := history.red_since:
        least = "" if history.green else " at least"
        return f"{step} was already red before this commit: since {short_sha(red.commit)} ({red.run}){least}"
    if green := history.green:
        return f"{step} was not red before this commit: {green.run} ({short_sha(green.commit)}) is the last without it"
    return ""


def report_already_red(
    watch: CiWatchState, runs: RunSource, repo: Repo, *, clock: Clock, emit: Callable[[Event], None]
) -> None:
    """Report whether the step that failed was red before. What cannot be read in time is left out."""
    failed = next(iter(find_failed_steps(watch)), None)
    if failed is None:
        return
    until = clock.now() + ALL_REQUESTS_TIMEOUT_S
    only = RunFilter(events=frozenset({failed.pipeline.event}), branch=failed.pipeline.branch)
    rows = runs.pipelines(repo, within=ONE_REQUEST_TIMEOUT_S, only=only)
    history = start_history(failed, rows.value if isinstance(rows, Found) else ())
    for _ in range(MAX_DETAILS):
        run, left = history.next_question, until - clock.now()
        if run is None or left <= 0:
            break
        answer = runs.pipeline(repo, run, within=min(ONE_REQUEST_TIMEOUT_S, left))
        if not isinstance(answer, Found):
            break
        history = add_detail(history, answer.value)
    if text := describe_history(history):
        emit(Log(source="homelab", text=text))
