"""Ctrl-C and SIGTERM after the push: the truth about the target, and a way to go on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from homelab_hooks.demo import timelines
from homelab_hooks.demo.rollouts import Rollout
from homelab_hooks.demo.scene import Scene

pytestmark = pytest.mark.slow


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene(os.environ, timelines.green(3.0), Rollout(image_after=0.5)) as running:
        yield running


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_whole_group_ends_with_landed_and_the_landing_goes_on(
    scene: Scene, number: signal.Signals, code: int
) -> None:
    """Git hands the signal on to its child, which so gets it twice; the last words are said all the same."""
    argv = ["git", "land", "--output", "plain"]
    with subprocess.Popen(
        argv, cwd=scene.mine.path, env=scene.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        said = []
        for line in child.stderr:
            said.append(line)
            if ": running" in line:
                break
        os.killpg(child.pid, number)
        out, rest = child.communicate(timeout=20)

    assert out.startswith(f"homelab: interrupted exit={code} ")
    assert " landed=yes " in out
    assert f"hint: go on: homelab-watch {scene.mine.head}" in rest
    assert scene.workshop.on_server("main") == scene.mine.head

    again = subprocess.run(
        [*argv, "--continue"], cwd=scene.mine.path, env=scene.environ, capture_output=True, text=True, timeout=60
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("homelab: deployed exit=0 ")
