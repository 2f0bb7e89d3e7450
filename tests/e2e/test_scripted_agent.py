"""A scripted agent lands without a terminal: it reads exit codes and the JSON result, and nothing else.

It needs one call to land, and at most one for each slice to wait. It never sleeps and never polls.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]  # most of the time it waits

SLICE_S = 3
MAX_SLICES = 20


class Transcript(NamedTuple):
    """The exit code of each call, the last result, and the bytes that the agent read."""

    codes: list[int]
    result: dict[str, Any]
    byte_count: int


class AgentCase(NamedTuple):
    """What is landed, and how the calls end."""

    name: str
    scenario: str
    options: tuple[str, ...]
    landed: bool
    codes: Callable[[list[int]], bool]


CASES = [
    AgentCase("green", "green", (), landed=True, codes=lambda codes: codes == [0]),
    AgentCase("red", "red", (), landed=True, codes=lambda codes: codes == [1]),
    AgentCase("conflict", "conflict", (), landed=False, codes=lambda codes: codes == [21]),
    AgentCase("timed-out", "green", ("--timeout", "1s"), landed=True, codes=lambda codes: codes == [124, 0]),
    AgentCase(
        "detached", "green", ("--detach",), landed=True,
        codes=lambda codes: codes[0] == codes[-1] == 0 and set(codes[1:-1]) <= {124} and len(codes) <= MAX_SLICES,
    ),
]  # fmt: skip


def act(scene: DemoEnvironment, options: tuple[str, ...]) -> Transcript:
    """Land, then run the `resume` of each result until there is none; slices only for a detached landing."""
    runner, codes, read = ProcessRunner(scene.environ), [], 0
    command, slices = ["git-land", *options], ["--timeout", f"{SLICE_S}s"] if "--detach" in options else []
    while True:
        done = runner.run([*command, "--output", "json"], cwd=scene.my_clone.path, timeout=HANG_S)
        result = json.loads(done.out.splitlines()[-1])
        codes.append(done.code)
        read += len(done.out)
        if "resume" not in result or len(codes) > MAX_SLICES:
            return Transcript(codes, result, read)
        command = [*result["resume"], *slices]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_agent_that_reads_codes_and_json_lands(case: AgentCase) -> None:
    scenario = SCENARIOS[case.scenario]
    script = timelines.make_green(8.0) if case.options else scenario.script
    with DemoEnvironment(os.environ, script, None if case.options else scenario.rollout) as scene:
        scenario.prepare(scene)
        seen = act(scene, case.options)
    assert case.codes(seen.codes), seen
    assert seen.result["exit"] == seen.codes[-1]
    assert "landed" not in seen.result or seen.result["landed"] is case.landed
    print(f"{case.name}: {len(seen.codes)} calls {seen.codes}, {seen.byte_count} bytes")  # noqa: T201 - the transcript
