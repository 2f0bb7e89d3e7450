"""One poll of a commit's pipelines, with what `ci status`, `ci logs`, and `ci restart` need."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo
from homelab_hooks.events import Event
from homelab_hooks.polling.active_clock import ActiveClock
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import machine
from homelab_hooks.watch.failure_report import WatchClock
from homelab_hooks.watch.poller import BEST_EFFORT_TIMEOUT_S, CiPoller, WatchDependencies, WatchRequest
from homelab_hooks.watch.run import explain_verdict
from homelab_hooks.watch.state import CiObservation, CiWatchState, PipelineTrack, WatchTimeouts, start_watch

ONE_POLL_TIMEOUT_S = 15.0
"""seconds until one poll has succeeded, retries included"""
MAX_RECENT_PIPELINES = 8
"""recent pipelines of a branch that are shown on a terminal"""


def make_one_poll_timeouts(unreachable: float) -> WatchTimeouts:
    """Return the timeouts for one poll that is retried for this many seconds."""
    return WatchTimeouts(overall=unreachable, appear=0.0, unreachable=unreachable, one_poll=True)


ONE_POLL = make_one_poll_timeouts(ONE_POLL_TIMEOUT_S)


class CommitSnapshot(NamedTuple):
    """What one poll found."""

    verdict: Verdict
    state: CiWatchState
    rows: tuple[Pipeline, ...]
    """the newest rows of the list, of all commits"""
    repo: Repo | None

    @property
    def tracks(self) -> tuple[PipelineTrack, ...]:
        """Return the deciding pipelines, each with its detail if available."""
        return self.state.tracks

    def has_detail(self, track: PipelineTrack) -> bool:
        """Return whether the pipeline's workflows are known."""
        return track.detail is not None and track.detail.run == track.run

    def detail(self, track: PipelineTrack) -> Pipeline:
        """Return the pipeline with its workflows, or without them if they are not available."""
        known = track.detail
        return known if known and known.run == track.run else track.pipeline


def take_snapshot(
    request: WatchRequest,
    dependencies: WatchDependencies,
    *,
    clock: WatchClock,
    emit: Callable[[Event], None] = lambda _: None,
    timeouts: WatchTimeouts = ONE_POLL,
) -> CommitSnapshot:
    """Poll until one poll has succeeded. The verdict is the result in CI so far, or why it could not be polled."""
    clock = ActiveClock(clock, wall=clock.wall)
    poller = CiPoller(request._replace(timeouts=timeouts), dependencies, clock)
    rows: list[Pipeline] = []

    def fetch(state: CiWatchState) -> Poll[CiObservation]:
        poll = poller.poll(state)
        if isinstance(poll, Found):
            rows[:] = poll.value.rows or rows
        return poll

    start = start_watch(CiWatchState(scope=request.scope, timeouts=timeouts, seed=request.seed), clock.now())
    state = poll_until_decided(start, fetch=fetch, decide=machine.decide_watch, emit=emit, clock=clock)
    state = state._replace(tracks=tuple(_with_detail(track, dependencies, poller.repo) for track in state.tracks))
    return CommitSnapshot(explain_verdict(state, dependencies, poller.repo), state, tuple(rows), poller.repo)


def select_recent_pipelines(snapshot: CommitSnapshot, branch: str) -> tuple[Pipeline, ...]:
    """Return the newest pipelines of a branch; of all branches if none is named."""
    return tuple(row for row in snapshot.rows if not branch or row.branch == branch)[:MAX_RECENT_PIPELINES]


def _with_detail(track: PipelineTrack, dependencies: WatchDependencies, repo: Repo | None) -> PipelineTrack:
    """Return the tracked pipeline with its detail, which is requested if the poll did not bring it."""
    if repo is None or (track.detail and track.detail.status is track.pipeline.status):
        return track
    answer = dependencies.ci.runs.pipeline(repo, track.run, within=BEST_EFFORT_TIMEOUT_S)
    is_own = isinstance(answer, Found) and (answer.value.run, answer.value.commit) == (track.run, track.pipeline.commit)
    return track._replace(detail=answer.value) if isinstance(answer, Found) and is_own else track
