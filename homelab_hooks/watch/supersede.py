"""Decides whether a newer pipeline repeats the work of the one that it superseded.

That its commit contains the older one is not enough. A workflow with a `path` condition, or a script that compares with
the commit before it, does only what changed since then, and the pipeline that was stopped half-way counts as the one
before: what it left undone is never done. So the newer pipeline counts as a repetition only if everything shows that:
every workflow of the older one is among its own, and nothing at either commit depends on the previous one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.sanitize import truncate_text

MAX_STOPPED_COLUMNS = 70
"""columns in which stopped steps are named: a message has to hold the reason too"""
NO_WORKFLOWS = "the workflows that were stopped are not known"


def find_doubt(
    ours: Pipeline | None, newer: Pipeline | None, dependence: Mapping[str, str], names: Sequence[str]
) -> str:
    """Return why the newer pipeline may not repeat our work, in words; empty if everything shows that it does.

    Args:
        ours: the superseded pipeline with its workflows; None if they cannot be read.
        newer: the same for the newer pipeline.
        dependence: by commit, the first sign that a run of it depends on the commit before; empty: there is none.
        names: the workflows that decide; empty: all.
    """
    if ours is None or newer is None:
        return NO_WORKFLOWS if newer else "its workflows cannot be read"
    theirs = {workflow.title for workflow in newer.workflows}
    missing = [w.title for w in ours.workflows if (not names or w.name in names) and w.title not in theirs]
    if missing or not ours.workflows:
        return f"it does not run workflow {missing[0]}" if missing else NO_WORKFLOWS
    for commit in (ours.commit, newer.commit):
        sign = dependence.get(commit, "the configuration cannot be read")
        if sign:
            return f"{sign} ({short_sha(commit)})"
    return ""


def list_begun(ours: Pipeline | None) -> frozenset[str]:
    """Return the workflows of a superseded pipeline that had begun, which the newer one has to run."""
    never_began = {Status.CREATED, Status.PENDING, Status.BLOCKED, Status.SKIPPED, Status.CANCELED}
    return frozenset(w.title for w in ours.workflows if w.state not in never_began) if ours else frozenset()


def find_left_out(begun: frozenset[str], newer: Pipeline | None) -> str:
    """Return the first workflow of those that had begun that the newer pipeline, which has ended, did not run."""
    skipped = {w.title for w in newer.workflows if w.state is Status.SKIPPED} if newer else set()
    return min(begun & skipped, default="")


def describe_stopped(ours: Pipeline | None) -> str:
    """Return in which steps the pipeline was stopped, as a clause after "was stopped"; empty if not known."""
    if ours is None:
        return ""
    if not ours.is_interrupted:
        return " before anything ran"
    stopped = [
        f"step {step.name} of workflow {workflow.title}"
        for workflow in ours.workflows
        for step in workflow.steps
        if step.state in {Status.RUNNING, Status.KILLED} and step.kind != "service"
    ]
    more = f" and {len(stopped) - 1} more" if len(stopped) > 1 else ""
    return f" during {truncate_text(stopped[0], MAX_STOPPED_COLUMNS)}{more}" if stopped else ""
