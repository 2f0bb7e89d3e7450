"""Whole commands where everything that has a name has a hostile one: both streams, as a pipe gets them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import ScriptedStep
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import PROGRAMS, CommandResult, Shell
from tests.support.terminal_reading import read_to_end
from tests.waiting import HANG_S
from tools.fuzz.texts import harmful

pytestmark = pytest.mark.slow

TOKEN = "alice-token"
COLOR = re.compile(r"\x1b\[[0-9;]*m")
DRAWING = re.compile(r"\x1b\[(?:\?25[lh]|\?7[lh]|[CKJ]|\d+A)|\r|\x1b\]8;;(?:https?://[!-~]+)?\x1b\\")
"""what the live view moves the cursor with, and its links"""
TITLE, BIDI, HIDDEN, CLEAR = "\x1b]0;owned\x07", "\u202egpj", "al\u200bice-\ufefftoken", "\x1b[2J\x1b[H"
LOG = [
    f"{TITLE}one",
    f"\x1b[31mtwo {BIDI}",
    f"{CLEAR}\x1b[31mthree",
    "al\x1b[1mice-to\x1b[0mken",
    HIDDEN,
    "\x1b]0;end",
    "last",
]
RED = timelines.make_timeline(
    (ScriptedStep(f"build{TITLE}", "success"), ScriptedStep(f"unit{CLEAR}\x1b]", "failure", 3)),
    logs={f"build{TITLE}": LOG, f"unit{CLEAR}\x1b]": LOG},
)
BRANCH = "to\u202epic\u200b\u2066"
"""git takes no control characters in a branch's name, but it takes these"""


@pytest.fixture(scope="module")
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    with WoodpeckerSimulator(SystemClock(), speed=100) as server:
        yield server


@pytest.fixture
def shell(seal: dict[str, str], woodpecker: WoodpeckerSimulator, workshop: ScratchRepositories) -> Shell:
    """A clone in a directory with a hostile name, on a hostile branch with a hostile commit."""
    clone = workshop.clone("work")
    clone.git("remote", "set-url", "origin", "https://ann:alice-token@git.example.test/acme/app.git")
    clone.git("switch", "-q", "-c", BRANCH)
    clone.commit("a", message=f"{TITLE}add {BIDI} {HIDDEN}{CLEAR}")
    where = clone.path.with_name(f"work{TITLE}{BIDI}")
    shutil.move(clone.path, where)
    return Shell(seal, where, {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": TOKEN})


@pytest.fixture
def red(shell: Shell, woodpecker: WoodpeckerSimulator) -> Shell:
    """The same, with a hostile pipeline that has failed."""
    woodpecker.push("acme/app", "main", Clone(shell.directory, shell.environ).head, RED, after=-60.0)
    return shell


def fit(ended: CommandResult) -> CommandResult:
    """It, if nothing harmful and no secret is in either stream."""
    for line in (*ended.out.split("\n"), *ended.err.split("\n")):
        assert not harmful(line), line
        assert TOKEN not in line
        assert "Traceback" not in line
    return ended


def test_the_verdict_on_a_hostile_pipeline_is_said_plainly(red: Shell) -> None:
    ended = fit(red("homelab-watch", "--output", "plain"))
    assert (ended.code, len(ended.lines)) == (1, 1)
    assert "failure (exit code 3)" in ended.err


def test_a_program_reads_only_harmless_texts(red: Shell) -> None:
    ended = fit(red("homelab", "ci", "status", "--output", "json"))
    for line in ended.lines:
        assert not harmful("".join(_strings(json.loads(line))))
    assert ended.code == 1


def _strings(raw: object) -> list[str]:
    if isinstance(raw, dict):
        return [text for value in raw.values() for text in _strings(value)]
    if isinstance(raw, list):
        return [text for value in raw for text in _strings(value)]
    return [raw] if isinstance(raw, str) else []


def test_logs_in_a_pipe_are_text(red: Shell) -> None:
    ended = fit(red("homelab", "ci", "logs", "--all"))
    shown = ["one", "two gpj", "three", "***", "***", "0;end", "last"]
    assert ended.lines[:-1] == [
        "== woodpecker/build: success",
        *shown,
        "== woodpecker/unit: failure, exit code 3",
        *shown,
    ]


@pytest.mark.parametrize(
    "argv",
    [
        ("homelab", "config"),
        ("homelab", "config", "--output", "json"),
        ("homelab", "doctor"),
        ("homelab", "ci", "status", f"x{TITLE}"),
        ("homelab", "ci", "logs", "--step", f"x{CLEAR}"),
        ("homelab", "ci", "logs", "--tail", f"1{TITLE}"),
        ("homelab", f"x{TITLE}", BIDI),
        ("homelab", f"--{TITLE}"),
        ("homelab", "deploy", "wait", f"shop/{TITLE}"),
        ("homelab", "deploy", "wait", "shop/web", "--image-proof", f"env{CLEAR}"),
        ("homelab", "demo", f"x{BIDI}"),
        ("homelab", "work", "start", f"t{BIDI}"),
        ("homelab", "work", "clean", f"t{TITLE}"),
        ("git-land", "--remote", f"x{TITLE}"),
        ("git-land", "--dry-run", "--no-ci-watch", "--verify-cmd", f"true {TITLE}"),
        ("homelab-watch", "--server", f"https://{BIDI}.example.test/{TITLE}"),
    ],
    ids=lambda argv: ascii(" ".join(argv)),
)
def test_what_a_person_typed_is_quoted_harmlessly(shell: Shell, argv: tuple[str, ...]) -> None:
    fit(shell(*argv))


def test_settings_from_files_are_quoted_harmlessly(shell: Shell) -> None:
    git = Clone(shell.directory, shell.environ).git
    git("config", "homelab.verify", f"make {TITLE}{BIDI}")
    shown = fit(shell("homelab", "config"))
    assert "make gpj" in shown.out
    git("config", "homelab.timeout", f"1{TITLE}")
    (shell.directory / ".homelab.toml").write_text(
        '"ser\\u001b]0;x\\u0007ver" = "x"\nsettle = "1\\u202e"\n', encoding="utf-8"
    )
    for argv in (("homelab", "config"), ("homelab", "ci", "status"), ("homelab", "doctor"), ("git-land", "--dry-run")):
        ended = fit(shell(*argv, HOMELAB_APPEAR_TIMEOUT=f"2{CLEAR}"))
        assert ended.code == 2 or argv[1] == "doctor"


def test_what_a_verification_prints_is_text(shell: Shell) -> None:
    script = shell.directory.parent / "noisy.sh"
    script.write_text(
        "printf '\\033]0;owned\\007\\033[2J\\342\\200\\256x alice-\\033[1mtoken\\n'; exit 3\n", encoding="utf-8"
    )
    git = Clone(shell.directory, shell.environ).git
    git("remote", "set-url", "origin", str(bare(shell)))
    ended = fit(shell("git-land", "--no-ci-watch", "--no-deploy", "--verify-cmd", f"sh {script}"))
    assert ended.code == 22
    assert "verify | x ***" in ended.err


def bare(shell: Shell) -> Path:
    """The repository that the clone came from."""
    return next(
        path.parent
        for path in shell.directory.parent.rglob("HEAD")
        if path.parent.name.endswith(".git") and path.parent.name != ".git"
    )


def on_terminal(shell: Shell, *argv: str) -> list[str]:
    """The lines that both streams of a command show on a terminal."""
    ours, theirs = os.openpty()
    environ = {**shell.environ, **shell.more, "TERM": "xterm-256color", "HOMELAB_OUTPUT": "plain"}
    command = [str(PROGRAMS / argv[0]), *argv[1:]]
    with subprocess.Popen(command, cwd=shell.directory, env=environ, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = read_to_end(ours)
        process.wait(HANG_S)
    os.close(ours)
    return shown.decode().split("\r\n")


def test_the_table_of_pipelines_is_text(red: Shell, woodpecker: WoodpeckerSimulator) -> None:
    other = "b" * 40
    woodpecker.push(
        "acme/app", "main", other, timelines.make_green(), message=f"a{TITLE}b {BIDI} {HIDDEN}{CLEAR}", after=-60.0
    )
    lines = [DRAWING.sub("", line) for line in on_terminal(red, "homelab", "ci", "status", "--output", "live")]
    assert any(line.endswith(f"{other[:10]} ab gpj ***") for line in lines), lines
    assert not any(harmful(COLOR.sub("", line)) or TOKEN in line for line in lines)


def test_the_path_of_a_work_tree_does_nothing_on_a_terminal(shell: Shell) -> None:
    Clone(shell.directory, shell.environ).git("remote", "set-url", "origin", str(bare(shell)))
    lines = on_terminal(shell, "homelab", "work", "start", "t", "--onto", "main")
    assert any(line.endswith("gpj/.worktrees/t") for line in lines), lines
    assert not any(harmful(line) for line in lines)


def test_logs_on_a_terminal_keep_their_colors_and_end_them(red: Shell) -> None:
    ours, theirs = os.openpty()
    environ = {**red.environ, **red.more, "TERM": "xterm-256color"}
    argv = [str(PROGRAMS / "homelab"), "ci", "logs", "--step", "unit", "--output", "plain"]
    with subprocess.Popen(argv, cwd=red.directory, env=environ, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        lines = read_to_end(ours).decode().split("\r\n")
        process.wait(HANG_S)
    os.close(ours)
    assert "\x1b[31mtwo gpj\x1b[0m" in lines
    assert not any(harmful(COLOR.sub("", line)) or TOKEN in COLOR.sub("", line) for line in lines)
