"""Modules come from where packages are installed, then from PYTHONPATH, and never from the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab_hooks.app.interpreter import safe_import_path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in ("repository/.git", "repository/src/deep", "repository-too", "installed", "spack"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "repository/src")
    return tmp_path / "repository"


@pytest.mark.parametrize(
    ("python_path", "kept"),
    [
        ("{repository}", []),
        ("{repository}/src", []),
        ("{repository}/src/../src/deep", []),
        ("{above}/link", []),
        ("{above}/spack", ["{above}/spack"]),
        ("{repository}:{above}/spack:{repository}/src", ["{above}/spack"]),
        ("{above}/repository-too", ["{above}/repository-too"]),
    ],
)
@pytest.mark.parametrize("below", ["", "src/deep"])
def test_what_the_repository_adds_is_left_out(repository: Path, python_path: str, kept: list[str], below: str) -> None:
    places = {"repository": repository, "above": repository.parent}
    added, installed = python_path.format(**places), str(repository.parent / "installed")
    found = safe_import_path([*added.split(":"), installed], added, str(repository / below))
    assert found == [installed, *(entry.format(**places) for entry in kept)]


def test_the_current_directory_is_left_out_where_python_adds_it(repository: Path) -> None:
    """`python -m` adds it by its name, `python -c` by an empty one."""
    assert safe_import_path([str(repository), "/lib"], "", str(repository)) == ["/lib"]
    assert safe_import_path(["/lib"], "", str(repository)) == ["/lib"]


def test_an_environment_in_the_repository_stays(repository: Path) -> None:
    """A virtual environment in the repository was not added by PYTHONPATH."""
    site = f"{repository}/.venv/lib/python3/site-packages"
    assert safe_import_path([str(repository), site], str(repository), str(repository)) == [site]
