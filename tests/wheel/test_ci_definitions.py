"""The project's own CI: its definitions are valid, are free of known weaknesses, and run what `.ci/run` runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S
from tests.wheel.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
PIPELINES = sorted((ROOT / ".woodpecker").iterdir())
PROGRAMS = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", WORKFLOWS), ("vendor.woodpecker-ci", PIPELINES)],
    ids=["workflows", "pipelines"],
)
def test_the_definitions_match_their_schema(schema: str, files: list[Path]) -> None:
    argv = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
    done = ProcessRunner({}).run(argv, timeout=HANG_S)
    assert done.ok, done.out


@pytest.mark.slow
def test_the_workflows_have_no_known_weakness() -> None:
    argv = [str(PROGRAMS / "zizmor"), "--offline", "--no-progress", "--persona", "auditor", str(ROOT / ".github")]
    done = ProcessRunner({}).run(argv, timeout=HANG_S)
    assert done.ok, done.out


@pytest.mark.parametrize("path", [*WORKFLOWS, *PIPELINES], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_definition_runs_the_whole_check(path: Path) -> None:
    """A step of its own in one of them would be a check that the others, and developers, do not run."""
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = [
        *(step for job in definition.get("jobs", {}).values() for step in job["steps"]),
        *definition.get("steps", {}).values(),
    ]
    commands = [command for step in steps for command in step.get("commands", [step.get("run", "")])]
    assert ".ci/run" in commands
    assert [command for command in commands if "pytest" in command] == []
