"""A condition that the previous rollout left is not believed about the current one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.events import Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import ReplicaCounts
from homelab_hooks.polling.outcome import Found
from tests.deploy.conftest import decide

Given = Callable[..., Any]
HALF_WAY = ReplicaCounts(desired=2, total=3, updated=1, available=2)


@pytest.mark.parametrize(("name", "fails"), [("web-old", False), ("web-new", True)])
def test_a_passed_deadline_fails_the_rollout_of_its_own_replica_set(
    *, a_wait: Given, snapshot: Given, a_pod: Given, name: str, fails: bool
) -> None:
    """The next rollout begins with the condition of the one that timed out."""
    pods = (a_pod("web-new-0", ready=False), a_pod("web-old-0", "web-old"), a_pod("web-old-1", "web-old"))
    message = f'ReplicaSet "{name}" has timed out progressing.'
    poll = Found(snapshot(pods=pods, counts=HALF_WAY, progress_deadline_message=message))
    outcome = decide(a_wait(), poll, 0.0).state.outcome
    assert (outcome is not None and outcome.exit is ExitCode.ROLLOUT_FAILED) is fails


@pytest.mark.parametrize(("pod", "said"), [("web-old-x2k4l", 0), ("web-new-x2k4l", 1)])
def test_a_quota_that_stops_an_old_replica_set_does_not_hold_up_the_new_one(
    *, a_wait: Given, snapshot: Given, a_pod: Given, pod: str, said: int
) -> None:
    message = f'pods "{pod}" is forbidden: exceeded quota'
    poll = Found(snapshot(pods=(a_pod("web-new-0"),), counts=HALF_WAY, cannot_create=message))
    events = decide(a_wait(), poll, 0.0).events
    assert sum(isinstance(event, Waiting) and "exceeded quota" in event.reason for event in events) == said
