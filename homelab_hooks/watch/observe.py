"""Updates the state from a poll; pipelines that were seen are kept, and a number counts only with its commit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.events import REMOVED_STATUS, Event, Log, LogLevel
from homelab_hooks.watch import estimate
from homelab_hooks.watch.diff import build_pipeline_event, diff_details
from homelab_hooks.watch.list_search import select_newest
from homelab_hooks.watch.reassigned import drop_reassigned
from homelab_hooks.watch.state import CiObservation, CiWatchState, PipelineTrack

PROGRESS_RANKS = {Status.CREATED: 0, Status.BLOCKED: 1, Status.PENDING: 2, Status.UNKNOWN: 3, Status.RUNNING: 3}
MAX_RANK = 4
"""the rank of every final status; a response with a lower rank is outdated"""
MIN_MISSES_BEFORE_GONE = 2
"""lists in a row without a `created` row after which it counts as gone"""


def apply_observation(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply an observation and return the state with an event for each change."""
    watch = watch._replace(
        containment={**watch.containment, **observation.containment} if observation.containment else watch.containment,
        dependence={**watch.dependence, **observation.dependence} if observation.dependence else watch.dependence,
        skip_marker=observation.skip_marker or watch.skip_marker,
        repo_active=observation.repo_active,
        searched_rows=max(watch.searched_rows, observation.searched_rows),
        highest_number=max([watch.highest_number, *(row.number for row in observation.rows)]),
        last_was_detail_only=bool(watch.query.detail_only_of) and not observation.rows,
    )
    events: list[Event] = []
    for apply in (
        _drop_missing,
        drop_reassigned,
        estimate.learn_estimate,
        _track_newest,
        _apply_details,
        _warn_unknown_status,
        _report_other_pipelines,
        estimate.track_stream,
        estimate.update_eta,
    ):
        watch, new_events = apply(watch, observation, now)
        events += new_events
    return watch, tuple(events)


def _drop_missing(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Drop pipelines that were only ever `created` and are gone (filtered, no configuration).

    The number may then be reused for another commit. One list without the pipeline is not enough, because lists lose
    rows under load. A list that lacks a confirmed pipeline proves nothing about any other.
    """
    del now
    shown = {row.number: row.commit for row in observation.rows}
    is_inconsistent = any(
        t.confirmed and t.number >= observation.complete_down_to and t.number not in shown for t in watch.tracks
    )
    if is_inconsistent or watch.list_inconsistent:
        watch = watch._replace(list_inconsistent=is_inconsistent)
    if is_inconsistent:
        return watch, []
    events: list[Event] = []
    for track in watch.tracks:
        is_reused = shown.get(track.number, track.pipeline.commit) != track.pipeline.commit
        is_missing = track.number not in shown and track.number >= observation.complete_down_to
        if track.confirmed or not (is_reused or is_missing):
            watch = watch.with_track(track._replace(misses=0)) if track.misses else watch
        elif track.misses + 1 < MIN_MISSES_BEFORE_GONE and not is_reused:
            watch = watch.with_track(track._replace(misses=track.misses + 1))
        else:
            watch = watch.without_track(track)._replace(vanished=tuple(dict.fromkeys((*watch.vanished, track.run))))
            note = "filtered out, or no configuration"
            removed = track.pipeline._replace(raw_status=REMOVED_STATUS, url="")  # the page may be another commit's
            events.append(build_pipeline_event(watch, removed, note=note))
    return watch, events


def _track_newest(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Track the newest pipeline of each group, among the rows of the accepted commits."""
    events: list[Event] = []
    stale = partial(_is_stale, blocks_late=watch.rules.blocks_late)
    for row in select_newest(row for row in observation.rows if watch.accepts(row)):
        old = next((track for track in watch.tracks if track.group == row.group), None)
        if old is None:
            watch = watch.with_track(_new_track(row, now))
            events.append(build_pipeline_event(watch, row))
        elif (row.number, row.attempt) > (old.number, old.pipeline.attempt):
            kept = old.repeats if row.commit == old.pipeline.commit else frozenset[str]()
            watch = watch.with_track(_new_track(row, now)._replace(repeats=kept))
            events.append(build_pipeline_event(watch, row, note=f"restarted: {row.run} replaces {old.run}"))
        elif row.run == old.run and row.commit == old.pipeline.commit and not stale(row, old.pipeline):
            if row.status is not old.pipeline.status or row.raw_status != old.pipeline.raw_status:
                events.append(build_pipeline_event(watch, row))
            watch = watch.with_track(_updated_track(old, row, now)) if row != old.pipeline else watch
    return watch, events


def _new_track(row: Pipeline, now: float) -> PipelineTrack:
    return PipelineTrack(
        group=row.group,
        event=row.event,
        ref=row.ref,
        pipeline=row,
        confirmed=row.status is not Status.CREATED,
        changed_at=now,
        status_changed_at=now,
        final_at=now if row.status.is_final else None,
    )


def track_started(watch: CiWatchState, started: Iterable[Pipeline], now: float) -> CiWatchState:
    """Track pipelines that the server has just started for this watch.

    The server has confirmed them: a list without them is older than they are, and the pipelines that they replace no
    longer decide.
    """
    for row in started:
        watch = watch.with_track(_new_track(row, now)._replace(confirmed=True))
    return watch


def _updated_track(old: PipelineTrack, row: Pipeline, now: float) -> PipelineTrack:
    changed = row.status is not old.pipeline.status
    return old._replace(
        pipeline=row,
        confirmed=old.confirmed or row.status is not Status.CREATED,
        changed_at=now if changed else old.changed_at,
        status_changed_at=now if changed else old.status_changed_at,
        final_at=(old.final_at if old.final_at is not None else now) if row.status.is_final else None,
    )


def _is_stale(row: Pipeline, known: Pipeline, *, blocks_late: bool) -> bool:
    """Return whether the response is older than what is known (a cache, a replica, a restarted proxy)."""
    if row.status is Status.BLOCKED and blocks_late and not known.status.is_final:
        return False
    return rank_status(row.status) < rank_status(known.status) or (
        rank_status(row.status) == MAX_RANK and row.updated < known.updated
    )


def rank_status(status: Status) -> int:
    """Return how far along a status is; statuses of the same rank may follow each other."""
    return PROGRESS_RANKS.get(status, MAX_RANK)


def _apply_details(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Apply the details: never one of another commit, and never an outdated one."""
    events: list[Event] = []
    stale = partial(_is_stale, blocks_late=watch.rules.blocks_late)
    for track in watch.tracks:
        detail = next((d for d in observation.details if d.run == track.run), None)
        if detail is None or detail.commit != track.pipeline.commit:
            continue
        if track.detail and track.detail.run == detail.run and stale(detail, track.detail):
            continue
        changes = diff_details(track.detail, detail)
        events += changes
        watch = watch.with_track(track._replace(detail=detail, changed_at=now if changes else track.changed_at))
    tracked = {track.run for track in watch.tracks}
    newer = {d.run: d for d in observation.details if d.run not in tracked and d.workflows}
    return watch._replace(newer_details={**watch.newer_details, **newer}) if newer else watch, events


def _warn_unknown_status(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, list[Event]]:
    """Warn once about an unknown status; it never counts as success."""
    del observation, now
    events: list[Event] = []
    for track in watch.tracks:
        word = track.pipeline.raw_status
        if track.pipeline.status is Status.UNKNOWN and word not in watch.warned_about:
            watch = watch._replace(warned_about=watch.warned_about | {word})
            text = f"{track.run} has status {word}, which is unknown to this version; treated as undecided"
            events.append(Log(source="homelab", text=text, level=LogLevel.WARNING))
    return watch, events


def _report_other_pipelines(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, list[Event]]:
    """Report other pipelines of the commit, which are shown but do not decide."""
    del now
    events: list[Event] = []
    for row in select_newest(
        row for row in observation.rows if row.commit in watch.scope.commits and not watch.scope.decides(row)
    ):
        if (row.run, row.status) not in watch.reported_others:
            watch = watch._replace(reported_others=watch.reported_others | {(row.run, row.status)})
            events.append(
                build_pipeline_event(watch, row, deciding=False, note="same commit; does not count for the result")
            )
    return watch, events
