"""With watches, the settle time begins when the snapshot is requested, if its objects are known not to have changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.text.json_fields import Json

CALL_S = 0.06
"""seconds that the call for a snapshot takes in played time"""
ROLLOUT = ScriptedRollout(image_after=5.0, lag=1.0, pod_takes=4.0)
COMPLETE_AT_S = 14.0


class ChangedObjects:
    """A rollout whose objects a test changes, and the times of the calls for its snapshots after its end."""

    def __init__(self, sha: str, change: Callable[[Json, float], None]) -> None:
        self.clock = SimulatedClock()
        self._stage = DeploymentScript(SampleApp(), now=self.clock.now)
        self._stage.deploy(sha, ROLLOUT)
        self._change = change
        self.calls: list[float] = []

    def at(self, t: float) -> Sequence[Json]:
        objects = copy.deepcopy(list(self._stage.at(t)))
        for each in objects:
            self._change(each, self.clock.now())
        return objects

    def record_call(self, now: float, argv: Sequence[str]) -> None:
        if "pods,deployment" in argv and now >= COMPLETE_AT_S:
            self.calls.append(now)


def keep(_raw: Json, _now: float) -> None:
    """As a server returns it."""


def drop_version(raw: Json, _now: float) -> None:
    raw["metadata"].pop("resourceVersion")


@pytest.mark.parametrize(("change", "begins"), [(keep, 0.0), (drop_version, CALL_S)], ids=["versions", "no versions"])
def test_the_settle_time_begins_with_the_request_if_nothing_has_changed_since(
    *, waited: Callable[..., Any], request_: DeployRequest, change: Callable[[Json, float], None], begins: float
) -> None:
    """Without versions, it begins when the snapshot has been read."""
    played = ChangedObjects(request_.sha, change)
    over = waited(played.at, request_, time=played.clock, watch=True, fault=played.record_call)
    assert over.verdict.exit is ExitCode.OK
    first, last = played.calls
    assert last - first == pytest.approx(request_.settle + begins)


@pytest.mark.parametrize("kind", ["Pod", "Deployment"])
def test_what_changes_during_the_request_begins_the_settle_time_later(
    *, waited: Callable[..., Any], request_: DeployRequest, kind: str
) -> None:
    def change(raw: Json, now: float) -> None:
        if raw["kind"] == kind and played.calls and now >= played.calls[0] + 0.02:
            raw["metadata"]["resourceVersion"] = "7"

    played = ChangedObjects(request_.sha, change)
    over = waited(played.at, request_, time=played.clock, watch=True, fault=played.record_call)
    assert over.verdict.exit is ExitCode.OK
    assert played.calls[-1] - played.calls[0] >= request_.settle + 0.02


def test_a_watch_that_is_silent_does_not_begin_the_settle_time(
    waited: Callable[..., Any], request_: DeployRequest
) -> None:
    """Its last versions are those of before the rollout ended."""
    played = ChangedObjects(request_.sha, keep)
    over = waited(
        played.at, request_, time=played.clock, watch=True, fault=played.record_call, spoils=(COMPLETE_AT_S - 0.5, "")
    )
    assert over.verdict.exit is ExitCode.OK
    assert played.calls[-1] - played.calls[0] >= request_.settle + CALL_S - 0.001
