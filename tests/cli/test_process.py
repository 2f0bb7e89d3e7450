"""Modules come from where packages are installed, then from PYTHONPATH, and never from the repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from homelab_hooks.cli.process import safe_import_path
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS


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


@pytest.mark.slow
@pytest.mark.parametrize("program", ["homelab", "homelab-watch", "git-land"])
def test_the_library_of_another_python_is_not_used(tmp_path: Path, program: str) -> None:
    """PYTHONHOME is set for it; the user's programs still get the variable."""
    library = tmp_path / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library.mkdir(parents=True)
    for path in Path(os.__file__).parent.iterdir():
        if path.name not in {"lib-dynload", "site-packages"}:  # compiled for another Python, they would not load
            (library / path.name).symlink_to(path)
    (library / "os.py").unlink()
    (library / "os.py").write_text(Path(os.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    done = ProcessRunner({**os.environ, "PYTHONHOME": str(tmp_path)}).run([f"{PROGRAMS}/{program}", "--help"])
    assert (done.code, done.out.startswith("usage: ")) == (0, True), done
    assert "Traceback" not in done.err
