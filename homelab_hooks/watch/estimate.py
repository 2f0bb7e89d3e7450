"""What a sight says about the time: whether the event stream can be relied on, and when the end is due."""

from __future__ import annotations

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.events import Event
from homelab_hooks.watch.state import CiObservation, CiWatchState

FAST_POLL_WINDOW_S = 2.0
"""seconds of quick looks after the stream said that every step has ended (measured, A4)"""
MAX_MISSED_EVENTS = 2
"""changes that the stream may miss before it counts as down"""
SAMPLE_SIZE = 5
"""earlier successful pipelines that the expectation is taken from"""


def track_stream(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """The stream wakes and no more; one that misses changes counts as down, whatever it pretends."""
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
    """How long such a pipeline usually takes, known before the first word about it."""
    del now
    ours = [row for row in observation.rows if row.commit in watch.accepted_commits and watch.scope.decides(row)]
    if watch.expected_duration_s is not None or not ours:
        return watch, []
    return watch._replace(expected_duration_s=_median_duration(ours[0], observation)), []


def update_eta(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """When the running pipeline is due, from how long earlier successful ones of its branch took."""
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
    """The median of the last successful ones of the same event and branch."""
    like = [row for row in observation.rows if (row.event, row.branch) == (pipeline.event, pipeline.branch)]
    durations = sorted(
        [row.duration_s for row in like if row.status is Status.SUCCESS and row.duration_s][:SAMPLE_SIZE]
    )
    return float(durations[len(durations) // 2]) if durations else None
