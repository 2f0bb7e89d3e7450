"""Every test that docs/contract-tests.md names exists, and every promise there has one."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT

ROWS = [
    line
    for line in (ROOT / "docs/contract-tests.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| promise ")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0].removeprefix("| "))
def test_the_tests_of_a_promise_exist(row: str) -> None:
    promise, tests = row.removeprefix("| ").removesuffix(" |").split(" | ")
    named = TEST.findall(tests)
    assert promise
    assert len(named) + tests.count("`make bench`") == tests.count(", ") + 1, "nothing else is named"
    assert [f"{path}::{name}" for path, name in named if name not in functions_of(path)] == []


def test_the_page_has_all_its_rows() -> None:
    assert len(ROWS) > 150
