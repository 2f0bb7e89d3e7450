"""Ctrl-C, SIGTERM, and both at once, in every command that waits: an exit code of theirs, and how to resume.

In a plain push's watch the terminal sends SIGINT to git and to the watch, and git then sends SIGTERM to the watch.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import pytest

from homelab_hooks.demo.environment import REPO, DemoEnvironment
from homelab_hooks.simulators.faults import FaultPoint, FaultRule, Hang
from homelab_hooks.simulators.kubernetes.rollouts import ScriptedRollout
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import Frame, LogChunk, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]

INT, TERM = signal.SIGINT, signal.SIGTERM
SIGNALS = ((INT,), (TERM,), (INT, TERM), (TERM, INT), (INT, INT))
CODES = {INT: 130, TERM: 143}
ROUNDS = int(os.environ.get("HOMELAB_SIGNAL_ROUNDS", str(len(SIGNALS))))
"""runs of each command"""
FEW_ROUNDS = int(os.environ.get("HOMELAB_SIGNAL_ROUNDS", "2"))
"""runs of a landing in each stage: a push that was cut off is looked for on the server for seconds"""


STUCK = replace(timelines.make_stuck(), logs=(LogChunk(0.5, "build", (b"built",)),))


@pytest.fixture
def scene() -> Iterator[DemoEnvironment]:
    """No pipeline and no rollout ever ends."""
    with DemoEnvironment(os.environ, STUCK, ScriptedRollout(image_after=1e6)) as running:
        running.my_clone.git("config", "homelab.postPush", "foreground")
        assert ProcessRunner(running.environ).run(["homelab", "hooks", "install"], cwd=running.my_clone.path).ok
        yield running


COMMANDS = {
    "homelab-watch": (("homelab-watch", "HEAD"), ": running"),
    "git land": (("git-land", "--when-busy", "push"), "watch ..."),
    "deploy wait": (("homelab", "deploy", "wait", "shop/web"), "shop/web"),
    "a plain push": (("git", "push", "origin", "HEAD:main"), ": running"),
}
RESUME_COMMANDS = {
    "homelab-watch": "homelab-watch",
    "git land": "homelab follow",
    "deploy wait": "homelab deploy wait shop/web",
    "a plain push": "homelab follow",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_signals_come_the_result_says_so_and_the_command_to_resume_is_printed(
    scene: DemoEnvironment, name: str
) -> None:
    argv, at = COMMANDS[name]
    for number, signals in enumerate(islice(cycle(SIGNALS), ROUNDS)):
        if name in {"git land", "a plain push"} or number == 0:
            scene.my_clone.commit(f"file-{number}", "x\n")
        if name not in {"git land", "a plain push"} and number == 0:
            scene.my_clone.git("push", "--quiet", "origin", "HEAD:main")
        code, text = interrupted(scene, argv, signals, at=at)
        ends = {code for one, code in CODES.items() if one in signals}
        result = result_of(signals, text)
        assert f"hint: to resume, run: {RESUME_COMMANDS[name]}" in text
        if name == "a plain push":  # git's own: by a signal, or 1 if git-remote-http was ended before git
            assert code in {*ends, *(-one for one in signals), 1}
        else:
            assert code == result


def interrupted(
    scene: DemoEnvironment, argv: tuple[str, ...], signals: tuple[signal.Signals, ...], *, at: str
) -> tuple[int, str]:
    """Signal the whole process group once the command prints `at`; its exit code and all that it printed."""
    with subprocess.Popen(
        argv, cwd=scene.my_clone.path, env={**scene.environ, "HOMELAB_OUTPUT": "plain"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        lines = []
        for line in child.stdout if at else ():
            lines.append(line)
            if at in line:
                break
        for one in signals:
            os.killpg(child.pid, one)
        rest, _ = child.communicate(timeout=HANG_S)
    return child.returncode, "".join(lines) + rest


BROKEN = PipelineTimeline(
    (Frame(0.0, "failure", (ScriptedWorkflow("test", "failure", (ScriptedStep("unit", "failure", 1),)),)),),
    on_restart=STUCK,
)
LONG = "echo in the middle >&2; exec sleep 3600"
CI_COMMANDS = {
    "ci restart": (("homelab", "ci", "restart"), ": running", "to resume, run: homelab-watch"),
    "ci restart, before the start": (
        ("homelab", "ci", "restart"),
        "homelab ci restart: ",
        "to (try again|resume), run: homelab",
    ),
    "ci logs --follow": (("homelab", "ci", "logs", "--follow"), "built", "to try again, run: homelab ci logs --follow"),
    "ci logs --follow, at once": (
        ("homelab", "ci", "logs", "--follow"),
        "homelab ci logs: ",
        "to try again, run: homelab ci logs --follow",
    ),
    "doctor": (("homelab", "doctor"), "ok git", "to try again, run: homelab doctor"),
}


@pytest.mark.parametrize("name", CI_COMMANDS)
def test_a_command_on_ci_that_is_interrupted_says_how_to_go_on(scene: DemoEnvironment, name: str) -> None:
    argv, at, hint = CI_COMMANDS[name]
    if name == "doctor":  # else it may end before the signals come
        scene.ci.fail(FaultRule(fault=Hang(FaultPoint.BEFORE), path="/api/"))
    if "restart" not in name:
        scene.my_clone.git("push", "--quiet", "origin", "HEAD:main")
    for number, signals in enumerate(islice(cycle(SIGNALS), ROUNDS)):
        if "restart" in name:  # the pipeline of the last round still runs
            scene.ci.push(REPO, "main", scene.my_clone.commit(f"file-{number}", "x\n"), BROKEN)
        code, text = interrupted(scene, argv, signals, at=at)
        assert code == result_of(signals, text), text
        assert re.search(f"hint: {hint}", text), text


LANDINGS = {
    "preflight": ("git land: ", {}),
    "fetch": ("fetch ...", {}),
    "merge": ("in the middle", {"pre-merge-commit": LONG}),
    "verify": ("in the middle", {}),
    "push": ("in the middle", {"pre-push": LONG}),
}
"""where the signals come, and the hooks that hold the landing there"""


@pytest.mark.parametrize("stage", LANDINGS)
def test_a_landing_that_is_interrupted_before_the_push_can_be_resumed_or_undone(
    scene: DemoEnvironment, stage: str
) -> None:
    at, hooks = LANDINGS[stage]
    clone = scene.my_clone
    clone.git("config", "homelab.verify", "true" if stage == "push" else LONG)
    for name, text in hooks.items():
        scene.repositories.write_hook(name, text, where=clone.path / ".git/hooks")
    for number, signals in enumerate(islice(cycle(SIGNALS), FEW_ROUNDS)):
        scene.push_as_colleague(f"theirs-{number}", "x\n")
        before = clone.head
        code, text = interrupted(scene, ("git-land",), signals, at=at)
        assert code == result_of(signals, text), text
        assert "landed=no" in text.splitlines()[-1], text
        if f"interrupted at {stage}" in text:
            hint = "hint: run git land --continue to resume the landing, or git land --abort to restore the branch"
            assert hint in text, text
            assert scene.land("--abort") == 0
        else:
            assert stage in {"preflight", "fetch"}
            assert "hint: to try again, run: git land" in text, text
        assert (clone.head, clone.git("status", "--porcelain")) == (before, "")


def result_of(signals: tuple[signal.Signals, ...], text: str) -> int:
    """The code in the result line, which must be that of one of the signals; nothing else went wrong.

    Which of two signals Python handles first is not known: the kernel may give them to two threads of the process.
    """
    result = re.search(r"^homelab: interrupted exit=(\d+) ", text, re.MULTILINE)
    assert result, (signals, text)
    assert int(result[1]) in {CODES[one] for one in signals}, (signals, text)
    assert "fault" not in text
    assert "internal error" not in text
    assert "Traceback" not in text
    return int(result[1])


SLEEPS = """
import os
import signal
from homelab_hooks.errors import Terminated
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.signals import catch_signals, ignore_signals, run_interruptible

def work():
    print("ready", flush=True)
    while True:
        SystemClock().sleep(1e6)

with catch_signals():
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        ignore_signals()
        print(type(cut).__name__, flush=True)
        os._exit(0)  # as a command ends
"""


@pytest.mark.parametrize("signals", SIGNALS, ids=lambda one: "+".join(each.name for each in one))
def test_signals_that_arrive_together_in_a_sleep_raise_one_exception(signals: tuple[signal.Signals, ...]) -> None:
    for _ in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, "-c", SLEEPS], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            for one in signals:
                child.send_signal(one)
            out, err = child.communicate(timeout=HANG_S)
        names = ["KeyboardInterrupt"] * (INT in signals) + ["Terminated"] * (signals[0] is TERM)
        assert (out.strip() in names, err) == (True, "")
