"""Estimates from observations: whether the event stream is reliable, and when the pipeline ends."""

from __future__ import annotations

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.events import Event
from homelab_hooks.watch.state import CiObservation, CiWatchState

FAST_POLL_WINDOW_S = 2.0
"""seconds of frequent polls after the stream reported that every step has ended (measured, A4)"""
MAX_MISSED_EVENTS = 2
"""missed changes after which the stream counts as down"""
SAMPLE_SIZE = 5
"""earlier successful pipelines that the estimate is based on"""


def track_stream(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Update whether the stream is reliable: one that is up and misses changes counts as down."""
    changed = any(track.changed_at == now and track.confirmed for track in watch.tracks)
    missed = changed and watch.stream_reliable and not observation.stream_changed
    missed_events = (
        watch.missed_stream_events + 1
        if missed
        else 0
        if observation.stream_changed and changed
        else watch.missed_stream_events
    )
    if (missed_events, observation.stream_up, observation.stream_ended) == (
        watch.missed_stream_events,
        False,
        False,
    ) and not watch.stream_reliable:
        return watch, []
    return watch._replace(
        missed_stream_events=missed_events,
        stream_reliable=observation.stream_up and missed_events < MAX_MISSED_EVENTS,
        fast_until=now + FAST_POLL_WINDOW_S if observation.stream_ended else watch.fast_until,
    ), []


def learn_estimate(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Estimate how long such a pipeline takes, before its first event is emitted."""
    del now
    ours = [row for row in observation.rows if row.commit in watch.accepted_commits and watch.scope.decides(row)]
    if watch.expected_duration_s is not None or not ours:
        return watch, []
    return watch._replace(expected_duration_s=_median_duration(ours[0], observation)), []


def update_eta(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Estimate when the running pipeline ends, from earlier successful ones of its branch."""
    running = [track.pipeline for track in watch.tracks if track.pipeline.status is Status.RUNNING]
    if not running:
        return (watch if watch.eta is None else watch._replace(eta=None)), []
    pipeline = running[0]
    expected = (
        watch.expected_duration_s if watch.expected_duration_s is not None else _median_duration(pipeline, observation)
    )
    if expected is None or not pipeline.started or not observation.wall_time:
        return (watch if expected == watch.expected_duration_s else watch._replace(expected_duration_s=expected)), []
    elapsed = max(0.0, observation.wall_time - pipeline.started)
    return watch._replace(expected_duration_s=expected, eta=now + expected - elapsed), []


def _median_duration(pipeline: Pipeline, observation: CiObservation) -> float | None:
    """Return the median seconds of the last successful pipelines of the same event and branch."""
    like = [row for row in observation.rows if (row.event, row.branch) == (pipeline.event, pipeline.branch)]
    durations = sorted(
        [row.duration_s for row in like if row.status is Status.SUCCESS and row.duration_s][:SAMPLE_SIZE]
    )
    return float(durations[len(durations) // 2]) if durations else None
