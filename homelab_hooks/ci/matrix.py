"""Names the workflows of a matrix by the axes in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.ci.model import Workflow

MAX_AXES = 10
"""axes of a matrix that are shown"""


def tell_cells_apart(workflows: Sequence[Workflow]) -> tuple[Workflow, ...]:
    """Return the workflows, each with only the axes that distinguish it from the others of the same name.

    An axis that has the same value in every cell says nothing, and may be so long that the others are cut off. If more
    than `MAX_AXES` differ, those that are needed to tell the cells apart come first. A workflow without others of its
    name keeps its first axes.
    """
    chosen = {
        name: _choose_axes([one for one in workflows if one.name == name]) for name in {w.name for w in workflows}
    }
    return tuple(
        workflow._replace(axes=tuple(axis for axis in workflow.axes if axis.name in chosen[workflow.name]))
        for workflow in workflows
    )


def _choose_axes(cells: Sequence[Workflow]) -> frozenset[str]:
    """Return the names of the axes to show."""
    values = [{axis.name: axis.value for axis in cell.axes} for cell in cells]
    names = sorted({name for cell in values for name in cell})
    differing = [name for name in names if len({cell.get(name) for cell in values}) > 1] or names
    if len(differing) <= MAX_AXES:
        return frozenset(differing)
    needed: list[str] = []
    for name in differing:
        before = len({tuple(cell.get(one) for one in needed) for cell in values})
        if len({tuple(cell.get(one) for one in (*needed, name)) for cell in values}) > before:
            needed.append(name)
    return frozenset([*needed, *(name for name in differing if name not in needed)][:MAX_AXES])
