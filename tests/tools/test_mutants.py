"""The mutation register matches the code, and the runner reports which mutations the tests catch."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from homelab_hooks.system.process_runner import ProcessRunner
from tools.docs import PACKAGE, ROOT
from tools.mutants.__main__ import MutantOutcome, run_mutants
from tools.mutants.mutant import Change, Defence
from tools.mutants.register import REGISTER
from tools.syntax import nodes, source

LISTS = "tests/cli/test_usage.py::test_the_manifest_lists_every_verb_with_its_tier"
MANIFEST = "cli/commands/manifest.py"


def test_each_defence_has_a_name_of_its_own() -> None:
    names = [defence.name for defence in REGISTER]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9-]+", name)] == []


CHANGES = [change for defence in REGISTER for change in defence.changes]


def test_what_is_taken_out_is_there_once() -> None:
    assert [
        change
        for change in CHANGES
        if source(PACKAGE / change.file).count(change.text) != 1 or change.instead == change.text
    ] == []


@pytest.mark.slow
def test_what_remains_is_a_program() -> None:
    for change in CHANGES:
        broken = source(PACKAGE / change.file).replace(change.text, change.instead)
        if change.file.endswith(".py"):
            ast.parse(broken)
        else:  # a shim
            assert ProcessRunner(os.environ).run(["sh", "-n"], stdin=broken.encode()).ok, change


def test_the_tests_that_must_fail_are_there() -> None:
    for test in (test for defence in REGISTER for test in defence.tests):
        file, _, name = test.partition("[")[0].partition("::")
        assert name in {node.name for node in nodes(ROOT / file, ast.FunctionDef)}, test


@pytest.mark.slow
def test_so_are_the_cases_of_them_that_are_named() -> None:
    tests = sorted({test for defence in REGISTER for test in defence.tests if "[" in test})
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", *tests]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


@pytest.mark.slow
def test_a_copy_runs_what_is_in_it_and_each_end_is_reported(tmp_path: Path) -> None:
    """The program is broken where no test imports it: a test that fails has started the copy's own."""
    broken = Change(MANIFEST, "from __future__ import annotations", "from __future__ import nonsense")
    missed = Change(
        MANIFEST, '"""homelab manifest: list all commands with their access tiers.', '"""homelab manifest: all verbs.'
    )
    found = run_mutants(
        (
            Defence("a", "", (broken,), (LISTS,)),
            Defence("b", "", (missed,), (LISTS,)),
            Defence("c", "", (Change(MANIFEST, "nowhere in it", ""),), (LISTS,)),
        ),
        tmp_path,
    )
    assert [finding.outcome for _, finding in found] == [
        MutantOutcome.CAUGHT,
        MutantOutcome.SURVIVED,
        MutantOutcome.NOT_APPLIED,
    ]
