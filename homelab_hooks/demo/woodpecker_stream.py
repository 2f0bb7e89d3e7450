"""The Woodpecker stand-in's event stream: which events came between two moments."""

from __future__ import annotations

from dataclasses import replace

from homelab_hooks.demo import woodpecker_json as shape
from homelab_hooks.demo.script import Shown, shown
from homelab_hooks.demo.woodpecker_book import Book, Right, Row, User

PING = b": ping\n\n"
QUIET = 30.0
"""seconds without an event after which a ping comes"""


def events(book: Book, user: User | None, *, since: float, until: float, lag: float) -> list[bytes]:
    """The events after `since` and up to `until` for this user, `lag` seconds behind the list."""
    found: list[tuple[float, bytes]] = []
    for repo in book.repositories:
        if book.right(repo, user) < Right.PULL:
            continue
        about = shape.repository(repo, version=book.version)
        replay = book.replays.get(repo.id)
        if replay is not None:
            found += [(until, _event(payload)) for payload in replay.stream(since, until)]
        for row in book.rows:
            if row.repo_id == repo.id:
                found += _of(book, about, row, (since - lag, until - lag))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def _of(book: Book, about: dict[str, object], row: Row, span: tuple[float, float]) -> list[tuple[float, bytes]]:
    found = []
    for frame in row.script.frames:
        at = row.created + frame.t
        # by the frame's own second: at - created may fall a hair short of it
        now = shown(row.script, frame.t)
        if now is None or not span[0] < at <= span[1]:
            continue
        data = {"repo": about, "pipeline": shape.pipeline(book, row, _with_workflows(row, now), detail=True)}
        found.append((at, _event(shape.dump(data))))
    return found


def _with_workflows(row: Row, now: Shown) -> Shown:
    # the event of a new row carries workflows that REST does not show yet (measured, C)
    if now.status != "created" or now.workflows:
        return now
    return replace(now, workflows=next((f.workflows for f in row.script.frames if f.workflows), ()))


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def next_event(book: Book, *, after: float, lag: float) -> float | None:
    """The server's second at which the next event comes, as things stand."""
    due = [row.created + frame.t + lag for row in book.rows for frame in row.script.frames]
    due += [at + replay.start for replay in book.replays.values() for at, _ in replay.events]
    return min((t for t in due if t > after), default=None)
