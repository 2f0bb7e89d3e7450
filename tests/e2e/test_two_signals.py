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
from itertools import cycle, islice
from pathlib import Path

import pytest

from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.simulators.kubernetes.rollouts import ScriptedRollout
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]

INT, TERM = signal.SIGINT, signal.SIGTERM
SIGNALS = ((INT,), (TERM,), (INT, TERM), (TERM, INT), (INT, INT))
CODES = {INT: 130, TERM: 143}
"""SIGINT is delivered first if both wait"""
ROUNDS = int(os.environ.get("HOMELAB_SIGNAL_ROUNDS", str(len(SIGNALS))))
"""runs of each command"""


@pytest.fixture
def scene() -> Iterator[DemoEnvironment]:
    """No pipeline and no rollout ever ends."""
    with DemoEnvironment(os.environ, timelines.make_stuck(), ScriptedRollout(image_after=1e6)) as running:
        running.my_clone.git("config", "homelab.postPush", "foreground")
        assert ProcessRunner(running.environ).run(["homelab", "hooks", "install"], cwd=running.my_clone.path).ok
        yield running


COMMANDS = {
    "homelab-watch": (("homelab-watch", "HEAD"), ": running"),
    "git land": (("git-land",), ": running"),
    "deploy wait": (("homelab", "deploy", "wait", "shop/web"), "shop/web"),
    "a plain push": (("git", "push", "origin", "HEAD:main"), ": running"),
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
        result = re.search(r"^homelab: interrupted exit=(\d+) ", text, re.MULTILINE)
        assert result, (signals, code, text)
        assert int(result[1]) in (ends if TERM in signals[:1] else {130}), (signals, text)
        assert f"hint: resume with: homelab{'-watch' if name != 'deploy wait' else ' deploy wait shop/web'}" in text
        assert "fault" not in text
        assert "Traceback" not in text
        if name == "a plain push":  # git's own: by a signal, or 1 if git-remote-http was ended before git
            assert code in {*ends, *(-one for one in signals), 1}
        else:
            assert code == int(result[1])


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
        for line in child.stdout:
            lines.append(line)
            if at in line:
                break
        for one in signals:
            os.killpg(child.pid, one)
        rest, _ = child.communicate(timeout=HANG_S)
    return child.returncode, "".join(lines) + rest


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
