"""After a red verdict it is said whether the step was red before, from few requests and only as far as they show."""

from __future__ import annotations

import pytest

from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline, ScriptedStep
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.already_red import ALL_REQUESTS_TIMEOUT_S, MAX_DETAILS
from tests.watch.run_without_sockets import InMemoryWoodpecker

G, R = timelines.make_green(2), timelines.make_red(seconds=2)
OTHER = timelines.make_red("lint", seconds=2)
KILLED = timelines.make_cancelled(after=2)
UNREACHED = timelines.make_timeline([ScriptedStep("build", "failure", 1), ScriptedStep("test", "skipped")], seconds=2)


def history(*earlier: PipelineTimeline) -> InMemoryWoodpecker:
    """Pipelines of earlier commits of the branch, the oldest first, then our red one."""
    woodpecker = InMemoryWoodpecker(stream="")
    for number, script in enumerate(earlier, start=1):
        woodpecker.push(script, at=10.0 * number, sha=f"{number:040x}")
    woodpecker.clock.t = 1000.0
    woodpecker.push(R, at=1000.0)
    return woodpecker


def told(woodpecker: InMemoryWoodpecker) -> str:
    events: list[Event] = []
    assert woodpecker.watch(tell=events.append).exit is ExitCode.FAILED
    return " ".join(e.text for e in events if isinstance(e, Log) and "before this commit" in e.text)


def since(number: int) -> str:
    return f"was already red before this commit: since {short_sha(f'{number:040x}')} (#{number})"


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ((G, R, R), since(2)),
        ((R, R), f"{since(1)} at least"),
        ((G, R, KILLED, R), since(2)),
        ((G, R, UNREACHED), since(2)),
        ((R, OTHER), f"{since(1)} at least"),
        ((R, G), f"was not red before this commit: #2 ({short_sha(f'{2:040x}')}) is the last without it"),
        ((UNREACHED,), ""),
        ((KILLED,), ""),
        ((), ""),
    ],
)
def test_the_commit_since_which_a_step_is_red_is_named(earlier: tuple[PipelineTimeline, ...], words: str) -> None:
    text = told(history(*earlier))
    assert words in text
    assert bool(text) == bool(words)


def test_pipelines_of_other_branches_and_of_the_commit_itself_do_not_count() -> None:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(R, at=1.0, sha="f" * 40, branch="topic", ref="refs/heads/topic")
    woodpecker.push(R, at=10.0)
    woodpecker.clock.t = 1000.0
    woodpecker.push(R, at=1000.0)
    assert told(woodpecker) == ""


def test_few_requests_are_made() -> None:
    woodpecker = history(*[R] * 30)
    bare = InMemoryWoodpecker(stream="")
    bare.clock.t = 1000.0
    bare.push(R, at=1000.0)
    told(bare)
    assert f"since {short_sha(f'{26:040x}')} (#26) at least" in told(woodpecker)
    assert woodpecker.count() - bare.count() <= MAX_DETAILS + 1


@pytest.mark.parametrize("path", ["event=push", r"pipelines/3"])
def test_a_server_that_hangs_afterwards_costs_a_few_seconds_and_no_verdict(path: str) -> None:
    hanging = RequestFailed(FailureKind.TIMEOUT, "no complete response")
    woodpecker, bare = history(G, R, R), history(G, R, R)
    told(bare)
    woodpecker.bad = lambda asked, t: hanging if path in asked and t > 1003 else None
    told(woodpecker)
    assert woodpecker.clock.t - bare.clock.t <= ALL_REQUESTS_TIMEOUT_S
