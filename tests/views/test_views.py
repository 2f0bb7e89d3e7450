"""The same events into each view: what it shows is a golden file, and no text from outside gets through raw."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator

from homelab_hooks.events import (
    Event,
    Log,
    LogLevel,
    MatrixAxis,
    PipelineResult,
    Result,
    Start,
    StepChanged,
    VerbListed,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.verdict import VERDICTS, choose_verdict
from homelab_hooks.views.ndjson import EVENT_NAMES, NdjsonView
from homelab_hooks.views.plain import PlainView, format_result_line
from tests.views.scene import EVENTS, SECRETS, SHA, Page
from tests.views.schema import SCHEMA, objects

GOLDEN = Path(__file__).parent / "golden"
RESULT_LINE = re.compile(
    r"homelab: [a-z]+(-[a-z]+)* exit=\d+( sha=([0-9a-f]{40}|[0-9a-f]{64}))?( pipelines=#\d+(,#\d+)*)?"
    r"( landed=(yes|no))?( url=\S+)?( link=\S+)? took=\d+\.\d"
)
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def stamp() -> str:
    return "2026-11-24T08:00:00.000+00:00"


def plain(events: tuple[Event, ...]) -> Page:
    page = Page()
    view = PlainView(page, Redactor(SECRETS))
    for event in events:
        view.tell(event)
    return page


def ndjson(events: tuple[Event, ...]) -> Page:
    page = Page()
    view = NdjsonView(page, Redactor(SECRETS), stamp)
    for event in events:
        view.tell(event)
    return page


def golden(name: str, lines: list[str]) -> None:
    """Compare with the golden file; where there is none, write it and fail, so that a person checks it."""
    path, text = GOLDEN / name, "".join(f"{line}\n" for line in lines)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: look at it")
    assert text == path.read_text(encoding="utf-8")


def test_plain_shows_the_scene_as_the_golden_file_has_it() -> None:
    page = plain(EVENTS)
    golden("plain.stderr", page.stderr)
    golden("plain.stdout", page.stdout)


def test_json_shows_the_scene_as_the_golden_file_has_it() -> None:
    page = ndjson(EVENTS)
    golden("ndjson.stdout", page.stdout)
    assert page.stderr == []
    objects(page.stdout)


def test_the_scene_has_every_kind_of_event() -> None:
    assert {type(event) for event in EVENTS} == set(EVENT_NAMES)


@pytest.mark.parametrize("show", [plain, ndjson])
def test_no_secret_and_no_user_part_of_a_url_is_shown(show: Any) -> None:
    page = show((*EVENTS, Log("verify", "t0k\x1b[1men-value and hvs.\x00vault-value")))
    text = "\n".join(page.stdout + page.stderr)
    for secret in (*SECRETS, "p@ss", "ss@", "ann"):
        assert secret not in text


def test_a_secret_that_begins_another_does_not_leave_its_end() -> None:
    assert Redactor(("s3cret", "s3cret-too"))("x s3cret-too") == "x ***"


FEW = settings(max_examples=25)
LONG = st.sampled_from(["漢字" * 90, "x" * 400, "\u202e" * 300, "é" * 199, "\x1b]0;" + "y" * 300])
TEXTS = st.text(max_size=20) | st.text(st.characters(max_codepoint=0xA0), max_size=10) | LONG
SHAS = st.sampled_from([SHA, SHA + "0" * 24])


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type can hold."""
    members = [member for member in get_args(kind) if member is not type(None)]
    if hasattr(kind, "_fields"):
        return made(kind)
    if members and members[-1] is not ...:
        return st.none() | values(members[0])
    if members:
        return st.lists(made(members[0]), max_size=2).map(tuple)
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXTS,
        int: st.integers(1, 10**12),
        float: st.floats(0, 1e9),
        bool: st.booleans(),
    }
    return known[kind] if kind in known else st.sampled_from(list(kind))


def made(kind: Any) -> st.SearchStrategy[Any]:
    """Any event of a kind; `verdict` is our own word, and a sha is one."""
    fields = {name: SHAS if name == "sha" else values(hint) for name, hint in get_type_hints(kind).items()}
    if kind is Result:
        fields["verdict"] = st.sampled_from(VERDICTS)
    if kind is VerbListed:
        fields["tier"] = st.sampled_from(["read", "write"])
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", EVENT_NAMES, ids=lambda kind: EVENT_NAMES[kind])
@FEW
@given(data=st.data())
def test_whatever_an_event_holds_plain_lines_are_clean_and_short(kind: type[Event], data: st.DataObject) -> None:
    page = plain((data.draw(made(kind)),))
    for line in page.stderr:
        assert not CONTROLS.search(line)
        assert len(line) < 200
        assert line.count("漢") * 2 < 200
    assert len(page.stdout) == (1 if kind is Result else 0)
    for line in page.stdout:
        assert RESULT_LINE.fullmatch(line), line
        assert not CONTROLS.search(line)


@pytest.mark.parametrize("kind", EVENT_NAMES, ids=lambda kind: EVENT_NAMES[kind])
@FEW
@given(data=st.data())
def test_whatever_an_event_holds_its_json_is_valid_and_clean(kind: type[Event], data: st.DataObject) -> None:
    last = () if kind is Result else (EVENTS[-1],)
    page = ndjson((data.draw(made(kind)), *last))
    found = objects(page.stdout)
    assert [EVENT_NAMES[kind]] == [one["event"] for one in found][:1]
    for line in page.stdout:
        assert not CONTROLS.search(line)


CELL = (MatrixAxis("GO", "1.22"), MatrixAxis("OS\x1b[2J", "lin\u202eux"))
CELL_EVENTS: tuple[Event, ...] = (
    WorkflowChanged(141, 1, "test", "running", axes=CELL),
    StepChanged(141, "test", 3, "unit", "failure", exit_code=1, axes=CELL),
    WorkflowChanged(141, 2, "docs", "running"),
    Result(verdict="failed", exit=ExitCode.FAILED),
)


def test_the_axes_of_a_matrix_are_in_plain_and_json_and_absent_where_there_is_no_matrix() -> None:
    page = plain(CELL_EVENTS)
    assert page.stderr[:3] == [
        "  test (GO=1.22, OS=linux): running",
        "    test (GO=1.22, OS=linux)/unit: failure (exit code 1)",
        "  docs: running",
    ]
    cell, step, other, _ = objects(ndjson(CELL_EVENTS).stdout)
    assert cell["axes"] == step["axes"] == [{"name": "GO", "value": "1.22"}, {"name": "OS", "value": "linux"}]
    assert (cell["name"], step["workflow"]) == ("test", "test")
    assert "axes" not in other


@pytest.mark.parametrize("exit_", ExitCode)
def test_a_result_has_no_verdict_but_those_of_the_list(exit_: ExitCode) -> None:
    """The session, which writes every result, uses `choose_verdict`; mypy admits no other label."""
    found = {choose_verdict(exit_, label) for label in ("", *VERDICTS, "fine", "PASSED", "passed\n")}
    assert found <= set(VERDICTS)
    assert exit_ is ExitCode.OK or found == {exit_.verdict}
    assert SCHEMA["$defs"]["result"]["properties"]["verdict"]["enum"] == list(VERDICTS)


def test_the_schema_is_one_of_draft_2020_12_and_strict() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert all(one["additionalProperties"] is False for one in SCHEMA["$defs"].values())


def test_the_schema_has_exactly_the_fields_of_the_events() -> None:
    """Required is what is always written: what has no default, or one that says something."""
    for kind, name in EVENT_NAMES.items():
        part, head = SCHEMA["$defs"][name], {"schema", "seq", "time", "event"}
        assert set(part["properties"]) == head | set(kind._fields), name
        always = {f for f in kind._fields if kind._field_defaults.get(f, 0) not in (None, "")}
        assert set(part["required"]) == head | always, name
    assert {part["$ref"] for part in SCHEMA["oneOf"]} == {f"#/$defs/{name}" for name in EVENT_NAMES.values()}


def test_the_result_has_the_documented_fields() -> None:
    result = objects(ndjson((EVENTS[-1],)).stdout)[0]
    assert {"verdict", "exit", "sha", "landed", "pipelines", "deploys", "took"} <= set(result)
    assert set(result["pipelines"][0]) == {"number", "event", "ref", "status", "url"}


def test_a_pipeline_of_the_result_has_all_its_fields_even_where_they_are_empty() -> None:
    bare = Result(verdict="passed", exit=ExitCode.OK, pipelines=(PipelineResult(1, "push", "", "success", ""),))
    assert set(objects(ndjson((bare,)).stdout)[0]["pipelines"][0]) == {"number", "event", "ref", "status", "url"}


@pytest.mark.parametrize(
    "wrong",
    [{"exit": 42}, {"extra": 1}, {"took": "1"}, {"time": "today"}, {"time": "2026-11-24T08:00:00"}, {"schema": 2},
     {"sha": "9f2c"}, {"landed": None}, {"pipelines": [{"number": 1}]}, {"seq": 0}, {"event": "other"}],
    ids=str,
)  # fmt: skip
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    right = json.loads(ndjson((EVENTS[-1],)).stdout[0])
    with pytest.raises(AssertionError):
        objects([json.dumps({**right, **wrong})])


def test_the_result_lines_keys_stand_in_the_documented_order() -> None:
    last = EVENTS[-1]
    assert isinstance(last, Result)
    line = format_result_line(last)
    assert re.findall(r"(\w+)=", line) == ["exit", "sha", "pipelines", "landed", "url", "took"]


def test_a_result_line_without_anything_known_is_short() -> None:
    assert format_result_line(Result(verdict="usage", exit=ExitCode.USAGE)) == "homelab: usage exit=2 took=0.0"


def test_a_warning_and_an_error_are_marked_and_a_strangers_line_is_named() -> None:
    said = plain((Log("homelab", "a", LogLevel.WARNING), Log("homelab", "b", LogLevel.ERROR), Log("verify", "c")))
    assert said.stderr == ["warning: a", "error: b", "verify | c"]


def test_a_long_source_is_printed_above_its_lines_and_not_in_each() -> None:
    source = "step woodpecker/integration-tests"
    page = plain((Log(source, "a"), Log(source, "b"), Log("verify", "c"), Waiting("x"), Log(source, "d")))
    assert page.stderr == [f"{source}:", "  | a", "  | b", "verify | c", "waiting: x (0.0s)", f"{source}:", "  | d"]


def test_a_stages_last_output_is_not_said_twice() -> None:
    assert plain((Start("x"), Result(verdict="failed", exit=ExitCode.FAILED, reason="why"))).stderr == ["x", "why"]
