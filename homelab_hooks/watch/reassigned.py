"""Decides when the number of a tracked pipeline belongs to another commit.

A server reuses a number only after it removed the pipeline: an administrator deleted it, or the database was
restored from a backup. A single response that shows another commit proves nothing, because caches, replicas and proxies
return wrong rows. So the responses must be consistent: meanwhile, no response shows our commit under the number.

 - The list and the pipeline's own detail agree, and what they show was created later than our pipeline, as one that
   reuses its number must be: they count after `REASSIGNED_AFTER_S`.
 - Otherwise only time decides: they count after `UNPROVEN_REASSIGNED_AFTER_S`.
"""

from __future__ import annotations

from homelab_hooks.ci.model import Pipeline
from homelab_hooks.events import REMOVED_STATUS, Event
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.diff import build_pipeline_event
from homelab_hooks.watch.state import CiObservation, CiWatchState, NumberClaim, PipelineTrack

REASSIGNED_AFTER_S = 5.0
"""seconds after which the list and the detail count together, if they show the newer pipeline"""
UNPROVEN_REASSIGNED_AFTER_S = 30.0
"""seconds after which other responses with another commit count"""


def drop_reassigned(watch: CiWatchState, observation: CiObservation, now: float) -> tuple[CiWatchState, list[Event]]:
    """Drop confirmed pipelines whose number belongs to another commit; report when that begins and ends."""
    events: list[Event] = []
    for track in watch.tracks:
        rows = [row for row in observation.rows if row.run == track.run]
        details = [detail for detail in observation.details if detail.run == track.run]
        if not track.confirmed or not (rows or details):
            continue
        own = _own_commits(track, watch)
        if any(shown.commit in own for shown in (*rows, *details)):
            if track.claim:
                watch = watch.with_track(track._replace(claim=None))
                note = f"this number belongs to commit {short_sha(track.pipeline.commit)} again"
                events.append(build_pipeline_event(watch, track.pipeline, note=note))
            continue
        claim = _update_claim(track, rows, details, now)
        note = f"this number now belongs to commit {short_sha(claim.commit)}"
        if _is_confirmed(claim, now):
            removed = track.pipeline._replace(raw_status=REMOVED_STATUS, url="")  # the page is the other commit's
            watch = watch.without_track(track)._replace(reassigned=(*watch.reassigned, track.run))
            events.append(build_pipeline_event(watch, removed, note=note))
            continue
        watch = watch.with_track(track._replace(claim=claim))
        if track.claim is None:
            unsure = track.pipeline._replace(url="")
            events.append(build_pipeline_event(watch, unsure, note=f"{note}; checking again"))
    return watch, events


def _own_commits(track: PipelineTrack, watch: CiWatchState) -> frozenset[str]:
    """Return the commits that a response may show for the pipeline; a tag's rows show the tag object or its commit."""
    commit = track.pipeline.commit
    return watch.scope.commits if commit in watch.scope.commits else frozenset({commit})


def _update_claim(track: PipelineTrack, rows: list[Pipeline], details: list[Pipeline], now: float) -> NumberClaim:
    old = track.claim or NumberClaim(since=now)
    return NumberClaim(
        since=old.since,
        commit=(*rows, *details)[0].commit,
        by_list=old.by_list or bool(rows),
        by_detail=old.by_detail or bool(details),
        is_newer=old.is_newer and all(0 < track.pipeline.created < one.created for one in (*rows, *details)),
    )


def _is_confirmed(claim: NumberClaim, now: float) -> bool:
    is_proven = claim.by_detail and claim.is_newer
    lasted = now - claim.since
    return claim.by_list and lasted >= (REASSIGNED_AFTER_S if is_proven else UNPROVEN_REASSIGNED_AFTER_S)
