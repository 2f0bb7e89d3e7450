"""The shipped JSON Schema, ready to judge what a command wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(formats=[])
SCHEMA: dict[str, Any] = json.loads((files("homelab_hooks") / "schema" / "events.json").read_text("utf-8"))


@FORMATS.checks("date-time", raises=ValueError)
def is_rfc3339(value: object) -> bool:
    """Whether it is a time with its offset."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def objects(lines: Iterable[str]) -> list[dict[str, Any]]:
    """What each line says; each is valid, they count from 1, and the last and only the last is the result."""
    found = [json.loads(line, parse_constant=_no_number) for line in lines]
    for one in found:
        kind = one.get("event")
        assert kind in SCHEMA["$defs"], one
        judge = Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}, format_checker=FORMATS)
        assert [error.message for error in judge.iter_errors(one)] == [], one
    assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
    assert [one["event"] == "result" for one in found] == [False] * (len(found) - 1) + [True]
    return found


def _no_number(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")
