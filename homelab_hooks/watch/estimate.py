"""Estimates from observations: whether the event stream is reliable, and when the pipeline ends."""

from __future__ import annotations

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.events import Event
from homelab_hooks.watch.state import CiObservation, CiWatchState

FAST_POLL_WINDOW_S = 2.0
"""seconds of frequent polls after the stream reported that every step has ended (recording 17b-slow-forge-status)"""
MAX_ANNOUNCEMENT_PAUSE_S = 60.0
"""seconds at most without frequent polls after the stream reported ends that did not follow"""
STREAM_TRUST_AFTER_S = 45.0
"""seconds after which a stream that is still up has pinged more than once"""
MAX_MISSED_EVENTS = 2
"""missed changes after which the stream counts as down"""
SAMPLE_SIZE = 5
"""earlier successful pipelines that the estimate is based on"""


def track_stream(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Update whether the stream is reliable: one that has shown it, is up, and does not miss changes.

    A proxy that buffers, or a server that died, leaves a stream open after its first ping. So a stream is relied on
    only after it has reported a change that the list confirms, or was up for so long that it must have pinged again.
    """
    changed = any(track.changed_at == now and track.confirmed for track in watch.tracks)
    missed_events = watch.missed_stream_events
    if changed and observation.stream_changed:
        missed_events = 0
    elif changed and observation.stream_up and watch.stream_up_since is not None:
        missed_events += 1
    up_since = (now if watch.stream_up_since is None else watch.stream_up_since) if observation.stream_up else None
    is_proven = up_since is not None and (
        watch.stream_proven or (changed and observation.stream_changed) or now - up_since >= STREAM_TRUST_AFTER_S
    )
    return _announce_end(watch, observation, now)._replace(
        missed_stream_events=missed_events,
        stream_up_since=up_since,
        stream_proven=is_proven,
        stream_reliable=is_proven and missed_events < MAX_MISSED_EVENTS,
    ), []


def _announce_end(watch: CiWatchState, observation: CiObservation, now: float) -> CiWatchState:
    """Poll often for a moment if the stream reported an end; less and less often if no end ever follows."""
    if not observation.stream_ended or now < watch.fast_until:
        return watch
    has_come = any(track.final_at is not None and track.final_at >= watch.fast_since for track in watch.tracks)
    vain = 0 if has_come else watch.vain_announcements
    pause = min(MAX_ANNOUNCEMENT_PAUSE_S, FAST_POLL_WINDOW_S * (2.0 ** min(vain, 8) - 1))
    if now < watch.fast_until + pause:
        return watch
    return watch._replace(fast_since=now, fast_until=now + FAST_POLL_WINDOW_S, vain_announcements=vain + 1)


def learn_estimate(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Estimate how long such a pipeline takes, before its first event is emitted."""
    del now
    ours = [row for row in observation.rows if watch.accepts(row)]
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
