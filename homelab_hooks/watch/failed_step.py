"""Finds the step that made a pipeline fail."""

from __future__ import annotations

from homelab_hooks.ci.model import Status, Step, Workflow


def describe_failure(failed: tuple[Workflow, ...]) -> str:
    """Return the step that failed and its workflow as a clause, with the number of other failed cells of its matrix."""
    workflow, step = find_culprit(failed)
    others = len(find_failed_cells(failed)) - 1
    more = f"; {others} more of its matrix failed" if others else ""
    if step is None:
        return f"workflow {workflow.title} failed" + (f" ({workflow.error})" if workflow.error else "") + more
    code = f" with exit code {step.exit_code}" if step.exit_code else (f" ({step.error})" if step.error else "")
    return f"step {step.name} of workflow {workflow.title} failed{code}{more}"


def find_remedy(failed: tuple[Workflow, ...], about: str) -> str:
    """Return what to do about a failure that is not the commit's: a clone or an image that failed; else empty.

    Args:
        about: the commit or tag, as the restart names it.
    """
    if not failed:
        return ""
    workflow, step = find_culprit(failed)
    restart = f"run: homelab ci restart {about}"
    if step and step.kind == "clone":
        return f"the repository could not be cloned; once the forge responds, {restart}"
    if workflow.is_pull_failure or (step and step.is_pull_failure):
        return f"an image could not be pulled; if its name is right, {restart}"
    return ""


def find_failed_cells(failed: tuple[Workflow, ...]) -> tuple[Workflow, ...]:
    """Return the workflow that failed first and, if it is a cell of a matrix, the cells that failed too."""
    workflow, _ = find_culprit(failed)
    cells = [other for other in failed if other.axes and other.name == workflow.name and other.pid != workflow.pid]
    return (workflow, *(sorted(cells, key=lambda cell: cell.pid) if workflow.axes else ()))


def find_culprit(failed: tuple[Workflow, ...]) -> tuple[Workflow, Step | None]:
    """Return the first workflow that failed, with the step that caused it.

    The server does not report which failed step was ignored (`failure: ignore`), so it is the step whose error is the
    workflow's; else the last failed one before the first that was skipped for it; else the last failed one.
    """
    workflow = min(failed, key=lambda w: (w.finished or 2**40, w.pid))
    steps = sorted((step for step in workflow.steps if step.can_be_blamed), key=lambda step: step.pid)
    blamed = [step for step in steps if workflow.error and step.error == workflow.error]
    skipped = min((step.pid for step in workflow.steps if step.state is Status.SKIPPED), default=2**40)
    before = [step for step in steps if step.pid < skipped]
    return workflow, next(iter(blamed or before[-1:] or steps[-1:]), None)
