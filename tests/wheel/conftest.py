"""The project as a wheel, installed into a place of its own."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Installed:
    """A prefix with the wheel in it; the dependencies are those of the interpreter that runs the tests."""

    prefix: Path
    environ: dict[str, str]

    def run(self, *argv: str, stdin: str = "", at: Path | None = None, **environ: str) -> Completed:
        known = ProcessRunner({**self.environ, **environ})
        return known.run(list(argv), cwd=at or self.prefix, stdin=stdin.encode(), timeout=HANG_S)

    def share(self, name: str) -> Path:
        return self.prefix / "share" / name


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sources as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    argv = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    done = ProcessRunner(os.environ).run(argv, timeout=HANG_S)
    assert done.ok, done.err
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a virtual environment: PYTHONPATH would put it behind the installation that runs the tests."""
    prefix = tmp_path_factory.mktemp("prefix")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(prefix / "bin" / "python")]
    for argv in (
        [sys.executable, "-m", "venv", "--without-pip", str(prefix)],
        [*pip, "install", "--quiet", "--no-deps", "--ignore-installed", str(wheel)],
    ):
        done = ProcessRunner(os.environ).run(argv, timeout=HANG_S)
        assert done.ok, done.err
    packages = next(prefix.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    home = prefix / "home"
    home.mkdir()
    environ = {
        "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "MANPAGER": "cat",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return Installed(prefix, environ)
