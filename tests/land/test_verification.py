"""Which command verifies a repository, and why that one."""

from __future__ import annotations

import pytest

from homelab_hooks.land.verification import detect_command

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
    assert found.command.startswith(command)
    assert next(iter(files)) in found.why


@pytest.mark.parametrize("files", NOT_FOUND)
def test_what_only_looks_like_it_is_not_taken(files: dict[str, str]) -> None:
    assert detect_command(files.get) is None


def test_the_first_sign_counts() -> None:
    """The order is that of the contract; each sign hides those after it."""
    files: dict[str, str] = {}
    for sign, command in reversed(FOUND):
        files = {**files, **sign}
        found = detect_command(files.get)
        assert found is not None
        assert found.command.startswith(command)
