"""Ctrl-C and SIGTERM after the push: the truth about the target, and how to resume."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from homelab_hooks.demo.environment import REPO, DemoEnvironment
from homelab_hooks.simulators.kubernetes.rollouts import ScriptedRollout
from homelab_hooks.simulators.woodpecker import timelines
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]


@pytest.fixture
def scene() -> Iterator[DemoEnvironment]:
    """The first pipeline of a commit never ends, so there is time to interrupt its watch."""
    with DemoEnvironment(os.environ, timelines.make_stuck(), ScriptedRollout(image_after=0.5)) as running:
        yield running


LAND = ("git", "land", "--output", "plain")


def cut_short(
    scene: DemoEnvironment, number: signal.Signals, *, at: str, options: tuple[str, ...] = ()
) -> tuple[str, str]:
    """`git land` with a signal to its whole group once it has said a word; the rest of what it said."""
    with subprocess.Popen(
        [*LAND, *options], cwd=scene.my_clone.path, env=scene.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        assert any(at in line for line in child.stderr)
        os.killpg(child.pid, number)
        return child.communicate(timeout=HANG_S)


def passes(scene: DemoEnvironment, sha: str) -> None:
    """CI runs the commit again, and it passes."""
    scene.ci.push(REPO, "main", sha, timelines.make_green())


def test_ctrl_c_during_the_rollout_names_the_wait_for_it(scene: DemoEnvironment) -> None:
    scene.after_push = lambda update: passes(scene, update.new)
    out, rest = cut_short(scene, signal.SIGINT, at="deploy:shop/web ...", options=("--settle", "1h"))
    assert " exit=130 " in out
    assert f"hint: to resume, run: homelab follow {scene.my_clone.head} --settle 1h\n" in rest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_whole_group_ends_with_landed_and_the_landing_continues(
    scene: DemoEnvironment, number: signal.Signals, code: int
) -> None:
    """Git forwards the signal to its child, which gets it twice; the final output is printed all the same."""
    out, rest = cut_short(scene, number, at=": running", options=("--timeout", "40m"))

    assert out.startswith(f"homelab: interrupted exit={code} ")
    assert " landed=yes " in out
    options = "--timeout 40m"
    assert f"hint: to resume, run: homelab follow {scene.my_clone.head} {options}\n" in rest
    assert scene.repositories.server_commit("main") == scene.my_clone.head

    passes(scene, scene.my_clone.head)
    again = subprocess.run(
        [*LAND, "--continue"],
        cwd=scene.my_clone.path,
        env=scene.environ,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("homelab: deployed exit=0 ")
