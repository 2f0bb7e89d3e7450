"""Copies of the project, with programs of their own, in which a defence can be taken out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.docs import PACKAGE, ROOT
from tools.mutants.mutant import Change

PARTS = ("homelab_hooks", "hooks", "tests", "tools", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
OURS = {"homelab": "homelab", "homelab-watch": "homelab_watch", "git-land": "git_land"}
HERE = Path(sys.executable).parent


class ProjectCopy:
    """A copy of the project: its tests, and every process that they start, run what is in it and nothing else.

    Args:
        folder: is made.
        source: a checkout, or another copy's `project`, with what it has compiled.
    """

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        left = ("__pycache__", ".hypothesis") if source == ROOT else ()
        for part in PARTS:
            found = source / part
            if found.is_dir():
                shutil.copytree(found, self.project / part, ignore=shutil.ignore_patterns(*left), symlinks=True)
            else:
                shutil.copy2(found, self.project / part)
        self._programs = folder / "environment/bin"
        self._install(folder / "environment")

    def _install(self, folder: Path) -> None:
        """An environment whose Python finds this copy first, then the libraries that we have; and the programs."""
        venv.create(folder, symlinks=True)
        libraries = sysconfig.get_path("purelib")
        inner = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        Path(inner, "copy.pth").write_text(f"{self.project}\n{libraries}\n", encoding="utf-8")
        for program in HERE.iterdir():
            mine = self._programs / program.name
            if program.name in OURS:
                name = OURS[program.name]
                text = (
                    f"#!{self._programs}/python\nimport sys\nfrom homelab_hooks.cli import {name}\nsys.exit({name}())\n"
                )
                mine.write_text(text, encoding="utf-8")
                mine.chmod(0o755)
            elif not mine.exists():
                mine.symlink_to(program)

    def change(self, changes: Iterable[Change]) -> str:
        """Make the changes; what stands against one, empty where nothing does."""
        for file, text, instead in changes:
            path = self.project / PACKAGE.name / file
            before = path.read_text(encoding="utf-8")
            if before.count(text) != 1:
                return f"{file} holds {text!r} {before.count(text)} times"
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
                compiled.unlink()
            path.write_text(before.replace(text, instead), encoding="utf-8")
        return ""

    def run(self, tests: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
        """Run these tests of the copy."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
        elsewhere = [part for part in environ.get("PATH", "").split(os.pathsep) if Path(part) != HERE]
        quiet = ("-q", "--tb=no", "-rfE", "-p", "no:cacheprovider")
        return subprocess.run(
            [self._programs / "python", "-m", "pytest", *quiet, *options, *tests],
            cwd=self.project, env={**environ, "PATH": os.pathsep.join(elsewhere), "COLUMNS": "240"},
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
