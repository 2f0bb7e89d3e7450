"""The crash log of a container: shown, bounded, and never part of the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from homelab_hooks.deploy.kubernetes.crash_logs import CRASH_LOG_LINES
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.sanitize import MAX_LINE_WIDTH
from tests.deploy.test_recordings import asked

Given = Callable[..., Any]


def logs(events: Sequence[tuple[float, Event]]) -> list[Log]:
    return [event for _, event in events if isinstance(event, Log)]


def test_they_are_reported_with_their_pod_and_the_command_for_the_rest(
    recording: Callable[[str], RolloutRecording], waited: Given, request_: DeployRequest
) -> None:
    played = recording("e-crash-loop")
    over = waited(played.at, asked(request_, played, "bad0c0de"), log="starting\n\x1b[2Jno database\x07\n")
    *lines, rest = logs(over.events)
    assert [line.text for line in lines] == ["starting", "no database"]
    assert all(line.source.startswith("pod web-") and line.source.endswith("/app") for line in lines)
    pod = lines[0].source.removeprefix("pod ").removesuffix("/app")
    assert rest.text == f"for the whole log, run: kubectl --namespace=shop logs --previous --container=app {pod}"
    assert pod in over.verdict.reason


def test_an_init_container_has_a_crash_log_too(
    recording: Callable[[str], RolloutRecording], waited: Given, request_: DeployRequest
) -> None:
    played = recording("r3-init-fails")
    over = waited(played.at, asked(request_, played, "9f2c1a7b"), log="no table\n")
    assert logs(over.events)[0].source.endswith("/migrate")


def test_they_are_bounded(recording: Callable[[str], RolloutRecording], waited: Given, request_: DeployRequest) -> None:
    played = recording("e3-oom-killed")
    over = waited(played.at, asked(request_, played, "0e11ed00"), log=f"{'x' * 5000}\n" * 500)
    lines = logs(over.events)
    assert len(lines) == CRASH_LOG_LINES + 1
    assert max(len(line.text) for line in lines) <= MAX_LINE_WIDTH


@pytest.mark.parametrize(
    "fault", [Completed(1, b"", b"forbidden"), Completed(-15, timed_out=True)], ids=["denied", "hangs"]
)
def test_without_them_the_verdict_is_the_same(
    recording: Callable[[str], RolloutRecording], waited: Given, request_: DeployRequest, fault: Completed
) -> None:
    played = recording("e-crash-loop")

    def speechless(_now: float, argv: Sequence[str]) -> Completed | None:
        return fault if "logs" in argv else None

    over = waited(played.at, asked(request_, played, "bad0c0de"), fault=speechless)
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert [line.text.partition(":")[0] for line in logs(over.events)] == ["for the log, run"]


def test_a_failure_that_is_not_a_crash_has_none(
    recording: Callable[[str], RolloutRecording], waited: Given, request_: DeployRequest
) -> None:
    played = recording("d-image-pull")
    over = waited(played.at, asked(request_, played, "e4401000"), log="never asked for\n")
    assert logs(over.events) == []
