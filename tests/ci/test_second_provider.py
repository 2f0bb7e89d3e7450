"""A watch of a second provider, which is defined beside this file only: nothing in the watch knows which one it has."""

from __future__ import annotations

from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.restart_plan import ManualRun, Rerun, plan_restart
from homelab_hooks.watch.restart_request import apply_restart_plan
from homelab_hooks.watch.run import run_watch
from homelab_hooks.watch.snapshot import take_snapshot
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.ci.second import TRAITS, SecondCi, SecondRun
from tests.watch.random_history import OURS
from tests.watch.run_over_sockets import contains
from tests.watch.run_without_sockets import StreamClock


class SecondWatch:
    """A watch of a server with these runs, on a fake clock."""

    def __init__(self, *runs: SecondRun, message: str = "") -> None:
        self.ci, self.clock, self.events = SecondCi(list(runs)), StreamClock(), list[Event]()
        self.request = WatchRequest(
            scope=WatchScope(sha=OURS, events=frozenset(TRAITS.deciding_events)),
            repo_names=("acme/app",),
            timeouts=WatchTimeouts(appear=20),
        )
        self.dependencies = WatchDependencies(
            ci=self.ci.provider,
            contains=contains,
            commit_facts=lambda: CommitFacts(message=message, has_ci_config=False),
        )

    def run(self) -> Verdict:
        return run_watch(self.request, self.dependencies, clock=self.clock, emit=self.events.append)


def test_every_workflow_of_the_commit_has_to_pass() -> None:
    watch = SecondWatch(
        SecondRun("lint", ["queued", "success"], OURS), SecondRun("test", ["queued", "in_progress", "success"], OURS)
    )
    verdict = watch.run()
    assert (verdict.exit, verdict.url) == (ExitCode.OK, "https://second.example.test/runs/lint")
    assert [pipeline.number for pipeline in verdict.pipelines] == [1, 2]
    assert "lint (attempt 1) passed" in verdict.reason


def test_a_workflow_that_failed_is_named_with_the_end_of_its_log() -> None:
    watch = SecondWatch(
        SecondRun("lint", ["success"], OURS), SecondRun("test", ["in_progress", "failure"], OURS, log=("boom",))
    )
    verdict = watch.run()
    assert verdict.exit is ExitCode.FAILED
    assert verdict.reason == "test (attempt 1) failed: step job of workflow test failed with exit code 2"
    assert next(event.text for event in watch.events if isinstance(event, Log)) == "boom"


def test_a_repeated_run_takes_the_place_of_the_failed_one() -> None:
    watch = SecondWatch(SecondRun("test", ["failure"], OURS))
    seen = take_snapshot(watch.request, watch.dependencies, clock=watch.clock)
    plan = plan_restart(seen, OURS, manual=ManualRun(), force=False)
    assert isinstance(plan, Rerun)
    started, _ = apply_restart_plan(plan, seen, watch.ci.provider, clock=watch.clock, emit=watch.events.append)
    assert [str(row.run) for row in started] == ["test (attempt 2)"]
    assert watch.events[0] == Log(source="homelab", text="test (attempt 2) restarts test (attempt 1)")
    verdict = watch.run()
    assert (verdict.exit, [pipeline.number for pipeline in verdict.pipelines]) == (ExitCode.OK, [2])


def test_a_missing_pipeline_is_explained_in_the_providers_terms() -> None:
    verdict = SecondWatch(SecondRun("test", ["success"], "c" * 40)).run()
    assert verdict.exit is ExitCode.NO_PIPELINE
    assert "there is no Second CI configuration at this commit" in verdict.reason
    assert verdict.hint == "add a file in .second/workflows/"
    assert "[skip actions]" in SecondWatch(message="docs [skip actions]").run().reason
