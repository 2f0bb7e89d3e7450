"""Texts from outside that look like the result line: neither the last line nor any line that begins so is one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from homelab_hooks.events import Event, Finding, FindingStatus, Log, Result
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.plain import PlainView
from tests.cli.shell import PROGRAMS, Shell
from tests.waiting import HANG_S

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

LOOKALIKE = "homelab: landed exit=0 landed=yes took=1.0"
BEGIN = "homelab: "


class WrittenLines:
    """Keeps the lines of both streams."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def out(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)

    def err(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


def shown(event: Event) -> list[str]:
    output = WrittenLines()
    PlainView(output, Redactor()).tell(event)
    return output.lines


@pytest.mark.parametrize(
    "make",
    [
        lambda text: Log(source="homelab", text=text),
        lambda text: Finding("ci", FindingStatus.PROBLEM, text, text),
        lambda text: Result(verdict="failed", exit=ExitCode.FAILED, reason=text, hint=text),
    ],
    ids=["log", "finding", "result"],
)
def test_a_line_that_is_folded_does_not_begin_like_a_result(make: Callable[[str], Event]) -> None:
    """A command may be folded at any of its words, and one of them may be a name from outside."""
    before = [f"run: git {'x' * size} {LOOKALIKE}" for size in range(120, 200)]
    lines = [line for text in (LOOKALIKE, *before) for line in shown(make(text))]
    assert [line for line in lines if line.startswith(BEGIN) and not line.startswith(f"{BEGIN}failed exit=1")] == []
    assert any(line.startswith(f"  {LOOKALIKE}") for line in lines), "none was folded there"


@pytest.fixture
def red(shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone) -> Shell:
    """A failed pipeline of which each text looks like the result of a landing."""
    found = timelines.make_red(LOOKALIKE, error=LOOKALIKE, log=[LOOKALIKE, f"\x1b[1m{LOOKALIKE}", f"x\r{LOOKALIKE}"])
    frames = tuple(
        frame
        if frame.workflows is None
        else replace(frame, workflows=tuple(replace(one, name=LOOKALIKE) for one in frame.workflows))
        for frame in found.frames
    )
    facts = {"message": LOOKALIKE, "author": LOOKALIKE, "ref": f"refs/heads/{LOOKALIKE}"}
    woodpecker.push("acme/app", "main", clone.head, replace(found, frames=frames), after=-60.0, **facts)
    return shell


def hold(shell: Shell, *argv: str, ends: str) -> None:
    """Run with both streams in one pipe, and check that one line begins like a result: the last."""
    done = subprocess.run(
        [str(PROGRAMS / argv[0]), *argv[1:]],
        cwd=shell.directory, env={**shell.environ, **shell.more}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_S,
    )  # fmt: skip
    lines = done.stdout.decode().splitlines()
    assert any(LOOKALIKE in line for line in lines[:-1]), lines
    assert [line for line in lines if line.startswith(BEGIN)] == lines[-1:], lines
    assert lines[-1].startswith(f"{BEGIN}{ends} "), lines
    assert f"exit={done.returncode}" in ends


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv",
    [("homelab-watch",), ("homelab", "follow", "--follow", "ci"), ("homelab", "ci", "status")],
    ids=" ".join,
)
def test_a_pipeline_does_not_say_how_a_command_ended(red: Shell, argv: tuple[str, ...]) -> None:
    hold(red, *argv, ends="failed exit=1")


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--all",), ("--follow",)], ids=" ".join)
def test_a_log_that_is_printed_has_no_line_like_a_result(red: Shell, options: tuple[str, ...]) -> None:
    hold(red, "homelab", "ci", "logs", *options, ends="ok exit=0")


@pytest.fixture
def landing(shell: Shell, clone: Clone, workshop: ScratchRepositories) -> Shell:
    """A branch to land on a remote that takes pushes, whose commit looks like a result."""
    clone.git("remote", "set-url", "origin", str(workshop.bare_path))
    clone.git("remote", "set-head", "origin", "main")
    clone.git("switch", "--quiet", "--create", "topic")
    clone.commit("a", message=LOOKALIKE)
    return shell


def write_hook(path: Path, code: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{LOOKALIKE}'\necho '{LOOKALIKE}' >&2\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)


LAND = ("git-land", "--no-ci-watch", "--no-deploy")


@pytest.mark.slow
def test_a_verification_does_not_say_how_a_landing_ended(landing: Shell) -> None:
    hold(landing, *LAND, "--verify-cmd", f"echo '{LOOKALIKE}'; exit 3", ends="verify-failed exit=22")


@pytest.mark.slow
def test_a_hook_of_the_server_does_not_say_how_a_landing_ended(landing: Shell, workshop: ScratchRepositories) -> None:
    write_hook(workshop.bare_path / "hooks" / "pre-receive", 1)
    hold(landing, *LAND, "--verify-cmd", "true", ends="push-failed exit=24")


@pytest.mark.slow
def test_a_hook_of_the_clone_does_not_say_how_a_landing_ended(landing: Shell, clone: Clone) -> None:
    write_hook(clone.path / ".git" / "hooks" / "pre-push", 1)
    hold(landing, *LAND, "--verify-cmd", "true", ends="push-failed exit=24")


@pytest.mark.slow
def test_a_run_link_does_not_say_how_a_chain_ended(shell: Shell) -> None:
    link = f"run:echo '{LOOKALIKE}'; exit 3"
    hold(shell, "homelab", "follow", "--onto", "main", "--follow", link, ends="failed exit=1")


@pytest.mark.slow
def test_a_live_answer_does_not_say_how_a_chain_ended(shell: Shell, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/version").respond_with_json({"commit": LOOKALIKE})
    link = f"live:{httpserver.url_for('/version')}#commit"
    options = ("--onto", "main", "--rollout-timeout", "0", "--settle", "0")
    hold(shell, "homelab", "follow", *options, "--follow", link, ends="rollout-unproven exit=10")
