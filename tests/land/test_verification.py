"""Which command verifies a repository, and why that one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.verification import (
    VerificationRun,
    choose_candidate,
    detect_command,
    probe_with,
    verification_error,
)
from homelab_hooks.system.process_runner import ProcessRunner

FOUND = [
    (
        {".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks:\n  - id: x\n    stages: [pre-push]\n"},
        "pre-commit run --all-files",
    ),
    ({"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, "make test"),
    ({"GNUmakefile": "test:\n"}, "make test"),
    ({"justfile": "test *args:\n  x\n"}, "just test"),
    ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python -m pytest"),
    ({"pyproject.toml": '[dependency-groups]\ndev = ["pytest>=8"]\n'}, "python -m pytest"),
    ({"package.json": '{"scripts": {"test": "vitest"}}'}, "npm test"),
    ({"go.mod": "module x"}, "go test ./..."),
    ({"Cargo.toml": "[package]"}, "cargo test"),
]

NOT_FOUND = [
    {},
    {".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks:\n  - id: x\n    stages: [pre-commit]\n"},
    {"Makefile": "test := 1\ntests:\n\ttrue\n"},
    {"justfile": "test := 'x'\n"},
    {"pyproject.toml": "[project]\nname = 'mypytest-thing'\n"},
    {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
    {"package.json": "not json"},
    {"package.json": "[]"},
]


@pytest.mark.parametrize(("files", "command"), FOUND, ids=[next(iter(row[0])) for row in FOUND])
def test_a_repository_shows_how_it_is_verified(files: dict[str, str], command: str) -> None:
    found = detect_command(files.get)
    assert found is not None
    assert found.candidates[0].command.startswith(command)
    assert next(iter(files)) in found.why


@pytest.mark.parametrize("files", NOT_FOUND)
def test_what_only_looks_like_it_is_not_taken(files: dict[str, str]) -> None:
    assert detect_command(files.get) is None


def test_the_first_sign_counts() -> None:
    """The order is that of docs/landing.md; each sign hides those after it."""
    files: dict[str, str] = {}
    for sign, command in reversed(FOUND):
        files = {**files, **sign}
        found = detect_command(files.get)
        assert found is not None
        assert found.candidates[0].command.startswith(command)


PYTEST = {"pyproject.toml": "[tool.pytest.ini_options]\n"}
HOOKS = FOUND[0][0]


@pytest.mark.parametrize(
    ("files", "installed", "command"),
    [
        (PYTEST, "python python3", "python -m pytest"),
        (PYTEST, "python3", "python3 -m pytest"),
        (HOOKS, "pre-commit prek", "pre-commit run"),
        (HOOKS, "prek", "prek run"),
        ({"go.mod": ""}, "go", "go test"),
    ],
)
def test_the_program_that_can_be_run_is_used(files: dict[str, str], installed: str, command: str) -> None:
    found = detect_command(files.get)
    assert found is not None
    chosen = choose_candidate(found, lambda probe: probe[0] in installed.split())
    assert chosen.command.startswith(command)


@pytest.mark.parametrize(
    ("files", "names", "needs"),
    [
        (PYTEST, "python3 -m pytest", "pytest"),
        (HOOKS, "prek", "pre-commit or prek"),
        ({"go.mod": ""}, "go", "go"),
    ],
)
def test_a_check_that_cannot_be_run_is_refused_and_not_replaced_by_a_weaker_one(
    files: dict[str, str], names: str, needs: str
) -> None:
    found = detect_command({**files, "Cargo.toml": ""}.get)
    assert found is not None
    with pytest.raises(CommandError, match=f"cannot run .*{names}") as refused:
        choose_candidate(found, lambda probe: probe[0] == "cargo")
    assert refused.value.exit is ExitCode.REFUSED
    assert refused.value.hint.startswith(f"install {needs}, or set")


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "#!/no/such/python\n", "", None])
def test_a_program_on_the_path_that_cannot_be_run_is_passed_over(tmp_path: Path, content: str | None) -> None:
    """A shim of pyenv for another version, a script of a virtual environment that was moved, an empty file."""
    if content is not None:
        (tmp_path / "python").write_text(content)
        (tmp_path / "python").chmod(0o755)
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "python3").chmod(0o755)
    found = detect_command(PYTEST.get)
    assert found is not None
    can_run = probe_with(ProcessRunner({"PATH": str(tmp_path)}))
    assert choose_candidate(found, can_run).command == "python3 -m pytest"


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("sh -c 'kill -KILL $$'; exit $?", "exited with code 137 (killed by SIGKILL)"),
        ("exit 128", "exited with code 128"),
        ("exit 255", "exited with code 255"),
    ],
)
def test_the_signal_that_ended_a_verification_is_named(script: str, how: str) -> None:
    run = VerificationRun(script, None)
    done = ProcessRunner(os.environ).run(["sh", "-c", script])
    assert verification_error(run, done, hint="").message == f"verification failed: `{script}` {how}"
