"""Long names stay different, and long commands whole, in every view and at every width."""

from __future__ import annotations

import json
import shlex

import pytest

from homelab_hooks.events import (
    Event,
    Finding,
    FindingStatus,
    Log,
    MatrixAxis,
    PipelineChanged,
    Result,
    Start,
    StepChanged,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.ndjson import NdjsonView
from homelab_hooks.views.plain import PlainView
from tests.views.scene import Page
from tests.views.terminal_emulator import Show, TerminalEmulator

IMAGE = f"registry.example.test/team/builder@sha256:{63 * 'a'}"
COMMAND = shlex.join(["homelab", "ci", "logs", 40 * "f", "--step", f"test (IMAGE={IMAGE}1)/unit", "--repo", "a/b"])
RESULT = Result("failed", ExitCode.FAILED)
SAYING: dict[str, Event] = {
    "start": Start("homelab-watch", resume=(*shlex.split(COMMAND), "--timeout", "5m")),
    "log": Log("homelab", f"for the whole log, run: {COMMAND}"),
    "waiting": Waiting(reason="#5 is running without a change for 10m " * 9, remedy=f"if it hangs, run {COMMAND}"),
    "finding": Finding("ci", FindingStatus.PROBLEM, "the server cannot be reached", remedy=f"run {COMMAND}"),
    "result": RESULT._replace(reason="it failed", hint=f"to see more, run: {COMMAND}"),
}


def plain(*events: Event) -> list[str]:
    page = Page()
    view = PlainView(page, Redactor())
    for event in events:
        view.tell(event)
    return page.stderr


@pytest.mark.parametrize("name", SAYING)
def test_plain_lines_fold_a_command_and_do_not_cut_it(name: str) -> None:
    lines = plain(SAYING[name])
    assert all(len(line) < 200 for line in lines)
    argv = shlex.split(COMMAND)
    words = shlex.split("\n".join(lines).replace("\\\n", "").replace("it ", ""))
    assert " ".join(argv) in " ".join(words)


@pytest.mark.parametrize("name", SAYING)
def test_json_has_the_whole_command(name: str) -> None:
    page = Page()
    NdjsonView(page, Redactor(), lambda: "2026-01-01T00:00:00Z").tell(SAYING[name])
    values = json.loads(page.stdout[0]).values()
    assert any(COMMAND in (shlex.join(value) if isinstance(value, list) else str(value)) for value in values)


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("name", [name for name in SAYING if name != "start"])
def test_the_live_view_shows_the_whole_command(name: str, columns: int) -> None:
    show = Show(TerminalEmulator(columns, 24))
    show.tell(SAYING[name], *([] if name == "result" else [RESULT]))
    seen = "".join(line.ljust(columns) for line in [*show.emulator.scrolled, *show.emulator.lines])
    assert COMMAND in seen


CELLS = [(MatrixAxis("IMAGE", f"{IMAGE}{number}"),) for number in "12"]


@pytest.mark.parametrize(
    "events",
    [
        [WorkflowChanged(1, 1, "test", "failure", axes=axes) for axes in CELLS],
        [StepChanged(1, "test", 2, "unit", "failure", axes=axes) for axes in CELLS],
    ],
    ids=["workflow", "step"],
)
def test_cells_whose_names_are_cut_are_told_apart(events: list[Event]) -> None:
    first, second = plain(*events)
    assert first != second
    assert max(len(first), len(second)) < 80


@pytest.mark.parametrize("columns", [40, 80])
def test_cells_are_told_apart_in_the_live_region(columns: int) -> None:
    show = Show(TerminalEmulator(columns, 24))
    show.tell(
        PipelineChanged(1, "push", "refs/heads/main", "running"),
        *(WorkflowChanged(1, pid, "test", "running", axes=axes) for pid, axes in enumerate(CELLS, 1)),
    )
    show.after(0.5)
    rows = [line for line in show.emulator.lines if "test (" in line]
    assert (len(rows), len(set(rows))) == (2, 2)
