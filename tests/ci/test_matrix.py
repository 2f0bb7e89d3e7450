"""Cells of a matrix: their names differ wherever their axes do, however many and long these are."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.matrix import MAX_AXES, tell_cells_apart
from homelab_hooks.ci.model import Status, Workflow
from homelab_hooks.ci.woodpecker.parse import parse_pipeline
from homelab_hooks.events import MatrixAxis

IMAGE = f"registry.example.test/team/builder@sha256:{64 * 'a'}"
SHARED = {f"A{number:02}": "1" for number in range(11)}


def cell(axes: dict[str, str], *, name: str = "test", pid: int = 1) -> Workflow:
    return Workflow(pid, name, Status.FAILURE, axes=tuple(MatrixAxis(*pair) for pair in sorted(axes.items())))


def titles(*cells: dict[str, str]) -> list[str]:
    return [one.title for one in tell_cells_apart([cell(axes) for axes in cells])]


NAMED: dict[str, tuple[list[dict[str, str]], list[str]]] = {
    "all differ": ([{"GO": "1", "OS": "a"}, {"GO": "2", "OS": "b"}], ["test (GO=1, OS=a)", "test (GO=2, OS=b)"]),
    "a grid": (
        [{"GO": go, "OS": os} for go in "12" for os in "ab"],
        ["test (GO=1, OS=a)", "test (GO=1, OS=b)", "test (GO=2, OS=a)", "test (GO=2, OS=b)"],
    ),
    "one long shared axis": ([{"BASE": IMAGE, "PY": v} for v in "12"], ["test (PY=1)", "test (PY=2)"]),
    "only the twelfth axis": ([{**SHARED, "Z": v} for v in "12"], ["test (Z=1)", "test (Z=2)"]),
    "only the first axis": ([{"0": v, **SHARED} for v in "12"], ["test (0=1)", "test (0=2)"]),
    "an axis that some lack": ([{"A": "1"}, {"A": "1", "B": "x"}], ["test", "test (B=x)"]),
    "an empty value": ([{"A": ""}, {"A": "x"}], ["test (A=)", "test (A=x)"]),
    "a value like two axes": (
        [{"A": "1, B=2"}, {"A": "1", "B": "2"}], ['test (A="1, B=2")', "test (A=1, B=2)"]
    ),
    "one cell": ([{"A": "1", "B": "2"}], ["test (A=1, B=2)"]),
    "the same twice": ([{"A": "1"}, {"A": "1"}], ["test (A=1)", "test (A=1)"]),
    "no matrix": ([{}, {}], ["test", "test"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_cells_are_named_by_what_differs(name: str) -> None:
    cells, expected = NAMED[name]
    assert titles(*cells) == expected


def test_of_more_axes_than_are_shown_those_that_tell_the_cells_apart_come_first() -> None:
    """Twenty axes differ, and only the last two distinguish the cells 2, 3 and 4 from each other."""
    first = {f"A{number:02}": "x" for number in range(18)}
    others = {f"A{number:02}": "y" for number in range(18)}
    cells = [{**first, "Y": "1", "Z": "1"}, *({**others, "Y": y, "Z": z} for y, z in ("12", "21", "22"))]
    found = tell_cells_apart([cell(axes) for axes in cells])
    assert len({one.title for one in found}) == len(cells)
    assert {len(one.axes) for one in found} == {MAX_AXES}


def test_the_axes_of_another_workflow_do_not_count() -> None:
    found = tell_cells_apart([cell({"A": "1"}), cell({"A": "2"}), cell({"A": "1"}, name="lint")])
    assert [one.title for one in found] == ["test (A=1)", "test (A=2)", "lint (A=1)"]


def test_the_cells_of_a_detail_are_told_apart() -> None:
    workflows = [
        {"pid": pid, "name": "test", "state": "failure", "environ": {**SHARED, "BASE": IMAGE, "Z": str(pid)}}
        for pid in (1, 2)
    ]
    detail = {"number": 1, "status": "failure", "event": "push", "commit": 40 * "a", "workflows": workflows}
    assert [one.title for one in parse_pipeline(detail).workflows] == ["test (Z=1)", "test (Z=2)"]
