"""What a sight adds to what is known: nothing seen is un-seen, and no number is followed without its commit."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.events import Event, Level, Log
from homelab_hooks.model import Pipeline, Status
from homelab_hooks.watch import tempo
from homelab_hooks.watch.changes import detail_changes, pipeline_changed
from homelab_hooks.watch.state import Sight, Thread, Watch

RANK = {Status.CREATED: 0, Status.BLOCKED: 1, Status.PENDING: 2, Status.UNKNOWN: 3, Status.RUNNING: 3}
ENDED = 4
"""the rank of every settled status; an answer of a lower rank is an older one"""
GONE = 2
"""looks in a row without a `created` row that are believed"""


def observe(watch: Watch, sight: Sight, now: float) -> tuple[Watch, tuple[Event, ...]]:
    """Fold a sight into the state; the events are what changed."""
    watch = watch._replace(
        accepted=watch.accepted | {watch.scope.sha},
        contained={**watch.contained, **sight.contained} if sight.contained else watch.contained,
        web=sight.web or watch.web,
        active=sight.active,
        top=max([watch.top, *(row.number for row in sight.rows)]),
        glanced=bool(watch.ask.glance) and not sight.rows,
    )
    events: list[Event] = []
    for fold in (
        _drop_vanished,
        tempo.learn,
        _take_newest,
        _take_details,
        _warn,
        _note_others,
        tempo.listen,
        tempo.expect,
    ):
        watch, told = fold(watch, sight, now)
        events += told
    return watch, tuple(events)


def _drop_vanished(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """A row only ever seen as `created` may go (filtered, no configuration) and its number go to another commit.

    One answer without it is not believed: lists come and go under load. An answer that lacks a firm row, too, proves
    nothing about any other.
    """
    del now
    shown = {row.number: row.commit for row in sight.rows}
    lacking = any(t.firm and t.number >= sight.floor and t.number not in shown for t in watch.threads)
    if lacking or watch.contradicted:
        watch = watch._replace(contradicted=lacking)
    if lacking:
        return watch, []
    events: list[Event] = []
    for thread in watch.threads:
        taken = shown.get(thread.number, thread.pipeline.commit) != thread.pipeline.commit
        missing = thread.number not in shown and thread.number >= sight.floor
        if thread.firm or not (taken or missing):
            watch = watch.with_thread(thread._replace(missing=0)) if thread.missing else watch
        elif thread.missing + 1 < GONE and not taken:
            watch = watch.with_thread(thread._replace(missing=thread.missing + 1))
        else:
            watch = watch.without_thread(thread)._replace(gone=watch.gone | {thread.number})
            text = f"#{thread.number} was created and is gone again: filtered, or no configuration"
            events.append(Log(source="homelab", text=text))
    return watch, events


def _take_newest(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """The newest number of each (event, ref) stands for it, among the rows of our commit and of accepted ones."""
    events: list[Event] = []
    for row in newest(row for row in sight.rows if row.commit in watch.accepted and watch.scope.decides(row)):
        old = next((thread for thread in watch.threads if (thread.event, thread.ref) == (row.event, row.ref)), None)
        if old is None:
            watch = watch.with_thread(_thread(row, now))
            events.append(pipeline_changed(watch, row))
        elif row.number > old.number:
            watch = watch.with_thread(_thread(row, now))
            events.append(pipeline_changed(watch, row, note=_why_newer(row, old, watch)))
        elif row.number == old.number and row.commit == old.pipeline.commit and not _older(row, old.pipeline):
            if row.status is not old.pipeline.status or row.raw_status != old.pipeline.raw_status:
                events.append(pipeline_changed(watch, row))
            watch = watch.with_thread(_updated(old, row, now)) if row != old.pipeline else watch
    return watch, events


def newest(rows: Iterable[Pipeline]) -> list[Pipeline]:
    """The highest number of each (event, ref), lowest first."""
    best: dict[tuple[str, str], Pipeline] = {}
    for row in rows:
        key = (row.event, row.ref)
        if key not in best or row.number > best[key].number:
            best[key] = row
    return sorted(best.values(), key=lambda row: row.number)


def _thread(row: Pipeline, now: float) -> Thread:
    return Thread(
        event=row.event,
        ref=row.ref,
        pipeline=row,
        firm=row.status is not Status.CREATED,
        changed_at=now,
        status_at=now,
        settled_at=now if row.status.settled else None,
    )


def _updated(old: Thread, row: Pipeline, now: float) -> Thread:
    changed = row.status is not old.pipeline.status
    return old._replace(
        pipeline=row,
        firm=old.firm or row.status is not Status.CREATED,
        changed_at=now if changed else old.changed_at,
        status_at=now if changed else old.status_at,
        settled_at=(old.settled_at if old.settled_at is not None else now) if row.status.settled else None,
    )


def _older(row: Pipeline, known: Pipeline) -> bool:
    """Whether this answer is from before what is known (a cache, a replica, a restarted proxy)."""
    return rank(row.status) < rank(known.status) or (rank(row.status) == ENDED and row.updated < known.updated)


def rank(status: Status) -> int:
    """How far along a status is; statuses of the same rank may follow each other."""
    return RANK.get(status, ENDED)


def _why_newer(row: Pipeline, old: Thread, watch: Watch) -> str:
    if row.commit == watch.scope.sha:
        return f"restarted: #{row.number} replaces #{old.number}"
    return f"#{old.number} was superseded by #{row.number}, whose commit {row.commit[:8]} contains ours: following it"


def _take_details(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """Workflows and steps, best effort: never from another commit, never back from an end."""
    events: list[Event] = []
    for thread in watch.threads:
        detail = next((d for d in sight.details if d.number == thread.number), None)
        if detail is None or detail.commit != thread.pipeline.commit:
            continue
        if thread.detail and thread.detail.number == detail.number and _older(detail, thread.detail):
            continue
        told = detail_changes(thread.detail, detail)
        events += told
        watch = watch.with_thread(thread._replace(detail=detail, changed_at=now if told else thread.changed_at))
    return watch, events


def _warn(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """A status this version does not know is said once, and is never success."""
    del sight, now
    events: list[Event] = []
    for thread in watch.threads:
        word = thread.pipeline.raw_status
        if thread.pipeline.status is Status.UNKNOWN and word not in watch.warned:
            watch = watch._replace(warned=watch.warned | {word})
            text = f"#{thread.number} is in a status unknown to this version: {word}; it counts as not decided"
            events.append(Log(source="homelab", text=text, level=Level.WARNING))
    return watch, events


def _note_others(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """Other pipelines of our commit are shown as "also" and do not decide."""
    del now
    events: list[Event] = []
    for row in newest(row for row in sight.rows if row.commit == watch.scope.sha and not watch.scope.decides(row)):
        if (row.number, row.status) not in watch.also:
            watch = watch._replace(also=watch.also | {(row.number, row.status)})
            events.append(pipeline_changed(watch, row, deciding=False, note="also on this commit; does not decide"))
    return watch, events
