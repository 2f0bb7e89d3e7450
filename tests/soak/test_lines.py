"""A landing and a watch that get a SIGTERM at any of their lines print a true verdict, and can be resumed.

`HOMELAB_CUTS=300 HOMELAB_SEED=7 .venv/bin/pytest tests/soak/test_lines.py` cuts 300 of each short.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import CommandResult, Shell
from tests.waiting import HANG_S
from tools.soak.lines import COUNTED

pytestmark = pytest.mark.slow

CUTS = int(os.environ.get("HOMELAB_CUTS", "4"))
SEED = int(os.environ.get("HOMELAB_SEED", "2026"))
ROOT = Path(__file__).parents[2]
LAND = ("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", "true")
SHA = "f" * 40


class Cutter:
    """Runs a command as a process of its own, whole or cut short."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._processes = ProcessRunner({**environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""})

    def lines(self, *argv: str, at: Path) -> int:
        """How many lines it has."""
        return int(self.cut(10**9, *argv, at=at).err.rpartition(COUNTED)[2])

    def cut(self, number: int, *argv: str, at: Path) -> CommandResult:
        """What is said where the signal comes at this line."""
        done = self._processes.run(
            [sys.executable, "-m", "tools.soak.lines", str(number), *argv], cwd=at, timeout=HANG_S
        )
        assert not done.timed_out, done
        assert "Traceback" not in done.err, done
        ended = CommandResult(done.code, done.out, done.err)
        assert (len(ended.lines), ended.result["exit"]) == (1, str(done.code)), (number, ended)
        return ended


def test_a_watch_ends_interrupted_or_with_its_verdict(
    seal: dict[str, str], woodpecker: WoodpeckerSimulator, tmp_path: Path
) -> None:
    cutter = Cutter({
        **seal, "WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": "alice-token", "HOMELAB_CI_REPO": "acme/app",
    })  # fmt: skip
    watch, rng = ("homelab-watch", "--output", "plain", SHA), random.Random(SEED)  # noqa: S311 - where to cut, no secret
    woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=5))
    whole = cutter.lines(*watch, at=tmp_path)
    for _ in range(CUTS):
        woodpecker.push("acme/app", "main", SHA, timelines.make_green(seconds=5))
        number = rng.randrange(1, whole)
        ended = cutter.cut(number, *watch, at=tmp_path)
        assert (ended.code, ended.result["verdict"]) in ((143, "interrupted"), (0, "passed")), (number, ended)


def test_a_landing_says_what_is_true_and_can_be_resumed(
    seal: dict[str, str], workshop: ScratchRepositories, tmp_path: Path
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("mine")
    bob.commit("theirs")
    bob.git("push", "--quiet", "origin", "main")
    before, cutter, rng = tmp_path / "before", Cutter(seal), random.Random(SEED)  # noqa: S311 - where to cut, no secret
    shutil.copytree(workshop.folder, before, symlinks=True)
    whole = cutter.lines(*LAND, at=ann.path)
    for _ in range(CUTS):
        _again(workshop.folder, before)
        number = rng.randrange(1, whole)
        ended = cutter.cut(number, *LAND, at=ann.path)
        there = _landed(workshop)
        assert ended.code in (0, 143), (number, ended)
        assert ended.result.get("landed", "unknown") in ("unknown", "yes" if there else "no"), (number, there, ended)
        shell = Shell(seal, ann.path)
        done = shell(*LAND[:4], "--continue")
        if done.code == 20:
            assert "no landing" in done.err, (number, ended, done)
            done = shell(*LAND)
        assert (done.code, _landed(workshop)) == (0, True), (number, ended, done)
        assert _left(ann) == [], (number, ended, done)


def _again(folder: Path, before: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(before, folder, symlinks=True)


def _landed(workshop: ScratchRepositories) -> bool:
    return "mine" in workshop.origin.git("ls-tree", "--name-only", "main").splitlines()


def _left(clone: Clone) -> list[str]:
    changes = clone.git("status", "--porcelain").splitlines()
    return changes + [path.name for path in (clone.path / ".git").glob("*.lock")]
