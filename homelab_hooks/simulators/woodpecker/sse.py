"""The event stream of the simulated Woodpecker: the events between two points in time."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.simulators.woodpecker import json_v3 as shape
from homelab_hooks.simulators.woodpecker.script import PipelineSnapshot, take_snapshot
from homelab_hooks.simulators.woodpecker.store import Permission, PipelineRow, PipelineStore, SimulatedUser

PING_EVENT = b": ping\n\n"
PING_INTERVAL_S = 30.0
"""seconds without an event after which a ping is sent"""


def collect_events(
    store: PipelineStore, user: SimulatedUser | None, *, since: float, until: float, lag: float
) -> list[bytes]:
    """Return the events for a user after `since` and up to `until` (server seconds), `lag` seconds behind the list."""
    found: list[tuple[float, bytes]] = []
    for repo in store.repositories:
        if store.permission_of(repo, user) < Permission.PULL:
            continue
        repository = shape.encode_repository(repo, version=store.version)
        replay = store.replays.get(repo.id)
        if replay is not None:
            found += [(until, _event(payload)) for payload in replay.stream(since, until)]
        for row in store.rows:
            if row.repo_id == repo.id:
                found += _row_events(store, repository, row, (since - lag, until - lag))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def _row_events(
    store: PipelineStore, repository: dict[str, object], row: PipelineRow, span: tuple[float, float]
) -> list[tuple[float, bytes]]:
    found = []
    for frame in row.timeline.frames:
        at = row.created + frame.t
        # with frame.t, because at - created may be slightly less (floating point)
        now = take_snapshot(row.timeline, frame.t)
        if now is None or not span[0] < at <= span[1]:
            continue
        data = {
            "repo": repository,
            "pipeline": shape.encode_pipeline(store, row, _with_workflows(row, now), detail=True),
        }
        found.append((at, _event(shape.encode_json(data))))
    return found


def _with_workflows(row: PipelineRow, now: PipelineSnapshot) -> PipelineSnapshot:
    # the event of a new pipeline contains workflows that the REST API does not return yet (recording 18-event-stream)
    if now.status != "created" or now.workflows:
        return now
    return replace(now, workflows=next((f.workflows for f in row.timeline.frames if f.workflows), ()))


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def find_next_event_time(store: PipelineStore, *, after: float, lag: float) -> float | None:
    """Return the time of the next event that is known now, in server seconds; None if there is none."""
    due = [row.created + frame.t + lag for row in store.rows for frame in row.timeline.frames]
    due += [at + replay.start for replay in store.replays.values() for at, _ in replay.events]
    return min((t for t in due if t > after), default=None)
