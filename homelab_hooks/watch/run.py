"""Watches CI until the result of a commit is final, and explains the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from homelab_hooks.ci.model import Repo
from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.active_clock import ActiveClock
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Decision, Found, Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.poller import CiPoller, WatchDependencies, WatchRequest
from homelab_hooks.watch.state import CiObservation, CiWatchState, start_watch

if TYPE_CHECKING:
    from homelab_hooks.ci.provider import Provider
    from homelab_hooks.watch.failure_report import WatchClock


def run_watch(
    request: WatchRequest, dependencies: WatchDependencies, *, clock: WatchClock, emit: Callable[[Event], None]
) -> Verdict:
    """Watch until the result of the commit is final, or a timeout has passed; always return a verdict."""
    clock = ActiveClock(clock, wall=clock.wall)
    poller = CiPoller(request, dependencies, clock)
    state = CiWatchState(
        scope=request.scope,
        timeouts=request.timeouts,
        fail_fast=request.fail_fast,
        seed=request.seed,
        rules=dependencies.ci.traits.rules,
    )
    with _showing_output(poller, dependencies, emit) as poll, closing(poller):
        state = _track_started(start_watch(state, clock.now()), request, clock.now())
        state = poll_until_decided(state, fetch=poll, decide=_decide, emit=emit, clock=clock)
    if poller.repo and state.verdict and state.verdict.exit is ExitCode.FAILED:
        explain_failure(state, dependencies.ci, poller.repo, clock=clock, emit=emit)
    return explain_verdict(state, dependencies, poller.repo)


@contextmanager
def _showing_output(
    poller: CiPoller, dependencies: WatchDependencies, emit: Callable[[Event], None]
) -> Iterator[Callable[[CiWatchState], Poll[CiObservation]]]:
    """Return how CI is polled: where the output of running steps is shown, a poll opens and closes its streams."""
    if dependencies.open_log_stream is None:
        yield poller.poll
        return
    from homelab_hooks.watch.step_output import StepOutput

    with closing(StepOutput(dependencies.open_log_stream, emit)) as output:

        def poll(watch: CiWatchState) -> Poll[CiObservation]:
            polled = poller.poll(watch)
            if isinstance(polled, Found) and poller.repo:
                output.update(poller.repo, polled.value.details)
            return polled

        yield poll


def explain_failure(
    state: CiWatchState, ci: Provider, repo: Repo, *, clock: WatchClock, emit: Callable[[Event], None]
) -> None:
    """Report why a watch ended red, and whether it was red before. An error here does not change the verdict."""
    from homelab_hooks.watch.already_red import report_already_red
    from homelab_hooks.watch.failure_report import report_failure

    report_failure(state, ci.logs, repo, clock=clock, emit=emit)
    if state.rules.request_interval_s:  # its requests are counted
        return
    report_already_red(state, ci.runs, repo, clock=clock, emit=emit)


def _decide(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> Decision[CiWatchState]:
    """Return the decision on a poll; the machine is imported after the first request has been sent."""
    from homelab_hooks.watch.machine import decide_watch

    return decide_watch(watch, poll, now)


def _track_started(watch: CiWatchState, request: WatchRequest, now: float) -> CiWatchState:
    """Return the state with the pipelines that were started for this watch; most watches have none."""
    if not request.started:
        return watch
    from homelab_hooks.watch.observe import track_started

    return track_started(watch, request.started, now)


def explain_verdict(state: CiWatchState, dependencies: WatchDependencies, repo: Repo | None) -> Verdict:
    """Return the verdict of a settled watch; without a pipeline, it has the most likely reason."""
    assert state.verdict is not None  # noqa: S101 - the loop returns only settled states
    verdict = state.verdict
    if verdict.exit is not ExitCode.NO_PIPELINE or state.tracks:
        return verdict
    if state.reassigned:
        return verdict._replace(hint="to run CI for this commit again, run: homelab ci restart --redeliver")
    facts = dependencies.commit_facts()
    if repo and repo.config_path:  # git was asked about the default paths
        facts = facts._replace(has_ci_config=None, is_filtered=None)
    if facts.event not in state.scope.events:
        facts = facts._replace(is_filtered=None)
    if not state.repo_active:
        facts = facts._replace(is_repo_active=False)
    from homelab_hooks.watch.no_pipeline import explain_no_pipeline

    reason, hint = explain_no_pipeline(
        facts, dependencies.ci.traits, was_filtered=bool(state.vanished), searched_rows=state.searched_rows
    )
    return verdict._replace(reason=f"{verdict.reason}: {reason}", hint=hint)
