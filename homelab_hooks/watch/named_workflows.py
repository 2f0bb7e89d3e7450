"""Determines the result of a pipeline from the workflows that the user named; the others are only shown.

A name stands for every cell of a matrix. Workflows end before their pipeline does, and one in a final state keeps it
(recording 04-depends-on), so a running pipeline is decided as soon as all named workflows have ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.ci.model import Pipeline, Status, Workflow
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.watch.failed_step import describe_failure, find_remedy
from homelab_hooks.watch.result import Ruling


def evaluate_workflows(detail: Pipeline, names: Sequence[str], about: str = "") -> Ruling | None:
    """Return the result of the named workflows of a pipeline; None if one of them has not ended.

    A workflow that was stopped has no result of its own: what stopped the pipeline is the result.

    Args:
        about: the commit or tag, for the hint.
    """
    cells = {name: tuple(w for w in detail.workflows if w.name == name) for name in names}
    exits = {name: _evaluate_cells(found, detail.status) for name, found in cells.items()}
    known = {name: exit_ for name, exit_ in exits.items() if exit_ is not None}
    is_red = detail.status.is_final and ExitCode.FAILED in known.values()  # also if another one was stopped
    if len(known) < len(names) and not is_red:
        return None
    worst = choose_worst_exit(known.values())
    chosen = [name for name, exit_ in known.items() if exit_ is worst]
    if worst is ExitCode.OK:
        return Ruling(worst, f"{_format_names(chosen)} of {detail.run} passed{_describe_rest(detail)}")
    if worst is ExitCode.FAILED:
        failed = tuple(w for name in chosen for w in cells[name] if w.state.is_failed)
        return Ruling(worst, f"{detail.run} failed: {describe_failure(failed)}", find_remedy(failed, about))
    return _rule_not_run(detail, chosen, is_skipped=bool(cells[chosen[0]]))


def _evaluate_cells(cells: tuple[Workflow, ...], pipeline: Status) -> ExitCode | None:
    """Return the result of the workflows of one name; None while one is running, or if one was stopped."""
    if not cells:
        return ExitCode.NO_PIPELINE if pipeline.is_final and not pipeline.is_cancelled else None
    states = {cell.state for cell in cells}
    if not states <= {Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.SKIPPED}:
        return None
    if any(state.is_failed for state in states):
        return ExitCode.FAILED
    if Status.SKIPPED in states:
        return None if pipeline.is_cancelled else ExitCode.NO_PIPELINE
    return ExitCode.OK


def _format_names(names: Sequence[str]) -> str:
    return f"workflow{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _describe_rest(detail: Pipeline) -> str:
    """Return what became of the pipeline, unless it passed too."""
    if detail.status is Status.SUCCESS:
        return ""
    if not detail.status.is_final:
        return f"; {detail.run} is still {detail.status}, but its other workflows do not decide"
    if detail.status.is_cancelled:
        return f"; {detail.run} was stopped later"
    return f"; {detail.run} failed in other workflows, which do not decide"


def _rule_not_run(detail: Pipeline, names: Sequence[str], *, is_skipped: bool) -> Ruling:
    """Return the result of workflows that the pipeline does not have, or that it skipped."""
    ran = ", ".join(dict.fromkeys(w.name for w in detail.workflows if w.state is not Status.SKIPPED)) or "nothing"
    if is_skipped:
        reason = f"{_format_names(names)} of {detail.run} {'were' if len(names) > 1 else 'was'} skipped"
        hint = "check the workflows that it depends on, and its `when` conditions"
    else:
        reason = f"{detail.run} ended without {_format_names(names)}"
        hint = "check the name (--workflow, homelab.workflow) and the `when` conditions of the workflow"
    return Ruling(ExitCode.NO_PIPELINE, f"{reason}; what ran: {ran}", hint)
