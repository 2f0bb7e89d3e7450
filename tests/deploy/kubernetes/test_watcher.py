"""Watches that end a sleep, watches that do not work, and the API requests of a wait of five minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.events import RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl import watch_stream
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, RolloutEnding, ScriptedRollout
from homelab_hooks.system.completed import Completed
from tests.deploy.conftest import FinishedWait

Given = Callable[..., Any]
FIVE_MINUTES = 300.0
DISCOVERY = 2
"""requests that kubectl makes where it has not been here before (/api, /apis)"""


def played(
    waited: Given, request: DeployRequest, rollout: ScriptedRollout, *, replicas: int = 3, **how: Any
) -> tuple[FinishedWait, float]:
    """Wait for a rollout; and when the API first shows it done."""
    time = SimulatedClock()
    stage = DeploymentScript(SampleApp(replicas=replicas), now=time.now)
    stage.deploy(request.sha, rollout)
    over: FinishedWait = waited(stage.at, request, time=time, **how)
    return over, rollout.image_after + rollout.lag + replicas * rollout.pod_takes


def is_watch(argv: Sequence[str]) -> bool:
    return any("watch=true" in word for word in argv)


def refused(_now: float, argv: Sequence[str]) -> Completed | None:
    return Completed(1, b"", b"forbidden") if is_watch(argv) else None


@pytest.mark.parametrize(
    ("watch", "most"),
    [pytest.param(True, 20, id="watched", marks=pytest.mark.slow), pytest.param(False, 80, id="polled")],
)
@pytest.mark.parametrize("replicas", [1, 2, 5, 10])
def test_a_rollout_of_five_minutes_asks_little(
    *, waited: Given, request_: DeployRequest, watch: bool, most: int, replicas: int
) -> None:
    """Each call that is played here is one request, and so is each watch."""
    rollout = ScriptedRollout(image_after=5.0, pod_takes=(FIVE_MINUTES - 6.0) / replicas)
    over, _ = played(waited, replace(request_, timeout=400.0), rollout, replicas=replicas, watch=watch)
    assert over.verdict.exit is ExitCode.OK
    assert over.calls + DISCOVERY <= most


@pytest.mark.parametrize("pod_takes", [0.9, 4.0, 13.0, 41.0])
def test_with_a_watch_the_end_is_known_at_once(waited: Given, request_: DeployRequest, pod_takes: float) -> None:
    over, shown = played(waited, replace(request_, timeout=400.0), ScriptedRollout(pod_takes=pod_takes), watch=True)
    assert over.verdict.exit is ExitCode.OK
    assert over.ended - request_.settle - shown < 0.5


@pytest.mark.slow
def test_progress_is_reported_from_the_watch_without_a_request(waited: Given, request_: DeployRequest) -> None:
    over, _ = played(waited, replace(request_, timeout=400.0), ScriptedRollout(pod_takes=10.0), replicas=12, watch=True)
    events = [
        event.updated for _, event in over.events if isinstance(event, RolloutChanged) and event.phase == "progressing"
    ]
    assert set(range(2, 13)) <= set(events)
    assert over.calls + DISCOVERY <= 20


@pytest.mark.parametrize("ending", [RolloutEnding.DONE, RolloutEnding.CRASH, RolloutEnding.PULL])
def test_watches_that_are_refused_cost_only_what_polling_costs(
    waited: Given, request_: DeployRequest, ending: RolloutEnding
) -> None:
    rollout = ScriptedRollout(pod_takes=4.0, ending=ending)
    over, _ = played(waited, request_, rollout, watch=True, fault=refused)
    without, _ = played(waited, request_, rollout, watch=False)
    assert over.verdict.exit is without.verdict.exit
    assert over.ended <= without.ended + 1.5
    assert over.calls <= without.calls + 6


@pytest.mark.parametrize(
    "says", ["", "\x1b[31mgarbage", '{"type": "ERROR", "object": {"code": 410}}', '{"type": "ADDED", "object": []}']
)
@pytest.mark.parametrize("goes_deaf", [0.0, 2.5, 8.0])
def test_a_watch_that_goes_deaf_or_mad_harms_nothing(
    *, waited: Given, request_: DeployRequest, says: str, goes_deaf: float
) -> None:
    """It says nothing more, or nonsense: what it was to tell is found by looking, a minute later at the most."""
    rollout = ScriptedRollout(image_after=4.0, pod_takes=6.0)
    over, shown = played(waited, replace(request_, timeout=300.0), rollout, watch=True, spoils=(goes_deaf, says))
    assert over.verdict.exit is ExitCode.OK
    most = 60.0 if not says else 9.0
    assert over.ended - request_.settle - shown < most


def test_lines_that_are_not_of_a_watch_end_it() -> None:
    objects: list[str | None] = []
    on_line = watch_stream.watch_line_handler(lambda raw: str(raw["name"]), objects.append)
    assert on_line('{"type": "ADDED", "object": {"name": "web"}}')
    assert on_line('{"type": "BOOKMARK", "object": {}}')
    assert on_line('{"type": "DELETED", "object": {}}')
    assert objects == ["web", None]
    for bad in (
        "",
        "null",
        "[]",
        "<html>",
        '{"type": "ERROR", "object": {}}',
        '{"type": "ADDED", "object": {}}',
        "[" * 9999,
    ):
        assert not on_line(bad), bad
