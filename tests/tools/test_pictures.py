"""Recordings of landings are drawn as SVG without a script, and the diagrams contain every stage and hook."""

from __future__ import annotations

import sys
from xml.etree import ElementTree as ET

import pytest

from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from tools.diagrams import BY_PULL_REQUEST, BY_PUSH, RETRIES, landing_states, push_sequence
from tools.docs import ROOT
from tools.landing_calls import stage_exits, stage_functions, stage_order
from tools.pictures import PICTURES
from tools.recording import Frame, Line, Span, draw, record

SVG = "{http://www.w3.org/2000/svg}"
MAX_PICTURE_BYTES = 300_000


def frame(at_s: float, *texts: str) -> Frame:
    """A screen of 32 lines without colors."""
    lines: list[Line] = [(Span(0, text, "", is_bold=False),) for text in texts]
    return Frame(at_s, (*lines, *[()] * (32 - len(texts))))


def test_a_line_that_stays_is_drawn_once_and_the_end_is_shown_without_animation() -> None:
    """So that a picture is small, and readable where nothing is animated."""
    drawn = draw(
        [frame(0.0, "$ git land"), frame(1.0, "$ git land", "running <1>"), frame(5.0, "$ git land", "passed")],
        title="a landing",
    )

    tree = ET.fromstring(drawn)  # noqa: S314 - our own
    shown = {"".join(text.itertext()): text.get("class", "") for text in tree.iter(f"{SVG}text")}
    assert shown == {"$ git land": "", "running <1>": "t0 h", "passed": "t1"}
    assert "@keyframes t0{0.00%{visibility:hidden}10.00%{visibility:visible}50.00%{visibility:hidden}}" in drawn
    assert "@keyframes t1{0.00%{visibility:hidden}50.00%{visibility:visible}}" in drawn


def test_a_command_is_recorded_in_a_terminal_of_80_columns() -> None:
    """Colors are kept, and spaces at the end are not."""
    program = r"import os; print(chr(27) + '[1;32m' + 'ok' + chr(27) + '[0m', os.get_terminal_size().columns)"

    frames = record([sys.executable, "-S", "-c", program])

    assert frames[-1].lines[0] == (Span(0, "ok", "green", is_bold=True), Span(2, " 80", "", is_bold=False))


@pytest.mark.parametrize("scenario", PICTURES)
def test_a_recording_in_the_documents_is_small_and_names_its_result(scenario: str) -> None:
    """If not: `python -m tools.pictures`. The README shows it, and nothing in it runs or is loaded from elsewhere."""
    text = PICTURES[scenario].read_text(encoding="utf-8")

    tree = ET.fromstring(text)  # noqa: S314 - our own
    names = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert names == {"svg", "title", "style", "rect", "text", "tspan"}
    assert "url(" not in text
    assert len(text.encode()) < MAX_PICTURE_BYTES
    assert f"homelab: {'deployed' if scenario == 'green' else 'failed'} exit=" in text
    assert f"(docs/{PICTURES[scenario].name})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_diagram_of_a_landing_has_every_stage_of_the_code() -> None:
    """A stage that is run nowhere on the two ways, or is new, would be missing."""
    ways = {*stage_order(cut=BY_PUSH), *stage_order(cut=BY_PULL_REQUEST)}
    before_landing = {stage for stage in stage_functions() if stage is not Stage.WATCH}

    assert ways == before_landing
    assert set(RETRIES) <= ways
    assert all(f"{stage} --> {stage}_exit" in landing_states() for stage in ways)


def test_the_exit_codes_of_a_stage_are_those_that_its_code_returns() -> None:
    """Some that are easy to check by reading."""
    assert stage_exits()[Stage.FETCH] == (ExitCode.REFUSED, ExitCode.PUSH_FAILED)
    assert stage_exits()[Stage.VERIFY] == (ExitCode.REFUSED, ExitCode.VERIFY_FAILED)
    assert ExitCode.CONFLICT in stage_exits()[Stage.MERGE]


def test_the_diagram_of_a_push_has_the_questions_of_the_hook() -> None:
    """They are numbered in the hook's theory, and each is asked of git's state."""
    assert push_sequence().count("reference_transaction->>reference_transaction: ") == 6
