"""docs/events.md is true: its examples are events of real runs that the schema accepts, one for each kind."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from homelab_hooks.views.event_reader import read_event
from homelab_hooks.views.ndjson import EVENT_NAMES
from tests.docs.pages import ROOT
from tests.views.schema import FORMATS, SCHEMA
from tools.event_examples import RECORDED, record_scenario

EXAMPLES = json.loads(RECORDED.read_text(encoding="utf-8"))


def test_every_event_has_an_example_that_its_schema_accepts() -> None:
    assert set(EXAMPLES) == set(EVENT_NAMES.values())
    page = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    for kind, example in EXAMPLES.items():
        judge = Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}, format_checker=FORMATS)
        assert [error.message for error in judge.iter_errors(example)] == [], example
        assert type(read_event(example)) is {name: cls for cls, name in EVENT_NAMES.items()}[kind]
        assert f"```json\n{json.dumps(example, ensure_ascii=False)}\n```" in page


def test_no_example_names_a_machine() -> None:
    text = RECORDED.read_text(encoding="utf-8")
    assert not [word for word in ("/tmp", "/root", "127.0.0.1", "localhost", "homelab-demo-") if word in text]  # noqa: S108 - no file


@pytest.mark.slow
def test_a_run_of_today_writes_the_events_that_the_page_shows() -> None:
    """The recorded examples age; each event of a landing still has the fields that the page shows for it, or fewer."""
    found = record_scenario("green", ("git-land --output json", "homelab follow --list --output json"))
    kinds = {one["event"] for one in found}
    assert kinds >= {"start", "stage", "log", "pipeline", "workflow", "step", "rollout", "result"}
    for one in found:
        shown = SCHEMA["$defs"][one["event"]]["properties"]
        assert set(one) <= set(shown)
