"""Replays a recorded scenario with its original timing and another commit."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

_TIMES = frozenset({"created", "updated", "started", "finished", "reviewed", "timestamp"})
_PIPELINES = re.compile(r"^/api/repos/\d+/pipelines(?:/(?P<number>\d+))?(?:\?|$)")
_LOGS = re.compile(r"^/api/repos/\d+/logs/(?P<number>\d+)/(?P<step>\d+)$")


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """A recorded response; `t`: when it was complete, in seconds from the start of the recording."""

    t: float
    status: int
    body: Any


@dataclass(slots=True)
class PipelineReplay:
    """The responses of one recording by kind, each in order of time.

    Attributes:
        commits: the commit that replaces each recorded commit.
        shift: seconds that are added to recorded Unix times.
    """

    commits: Mapping[str, str]
    shift: float
    lists: list[RecordedAnswer] = field(default_factory=list)
    details: dict[int, list[RecordedAnswer]] = field(default_factory=dict)
    logs: dict[tuple[int, int], list[RecordedAnswer]] = field(default_factory=dict)
    events: list[tuple[float, bytes]] = field(default_factory=list)
    start: float = 0.0
    """when the replay started, in server seconds"""

    def rows(self, t: float) -> list[dict[str, Any]]:
        """Return the pipeline list at `t` (server seconds)."""
        now = _last(self.lists, t - self.start)
        return [self._adapted(row) for row in now.body] if now else []

    def detail(self, number: int, t: float) -> dict[str, Any] | None:
        """Return a pipeline at `t` (server seconds); without workflows if none were recorded; None: 404."""
        row = next((row for row in self.rows(t) if row["number"] == number), None)
        now = _last(self.details.get(number, []), t - self.start)
        if now is None or now.status != HTTPStatus.OK or row is None:
            return row
        return self._adapted(now.body) if now.body["commit"] == _recorded_commit(self.commits, row["commit"]) else row

    def log(self, number: int, step: int, t: float) -> RecordedAnswer | None:
        """Return the log of a step at `t` (server seconds), empty before the first response; None: never recorded."""
        taken = self.logs.get((number, step))
        if not taken:
            return None
        return _last(taken, t - self.start) or RecordedAnswer(0.0, 200, None)

    def stream(self, since: float, until: float) -> list[bytes]:
        """Return the event stream payloads after `since` and up to `until` (server seconds)."""
        found = [data for at, data in self.events if since < at + self.start <= until]
        return [json.dumps(self._adapted(json.loads(data)), separators=(",", ":")).encode() for data in found]

    def ended(self) -> dict[int, float]:
        """Return by number when the list first showed the final status, in server seconds."""
        first: dict[int, tuple[str, float]] = {}
        for taken in self.lists:
            for row in taken.body:
                if first.get(row["number"], ("", 0.0))[0] != row["status"]:
                    first[row["number"]] = (row["status"], taken.t)
        return {number: self.start + t for number, (_, t) in first.items()}

    def _adapted(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._adapted(item) for item in value]
        if isinstance(value, dict):
            return {key: self._field(key, item) for key, item in value.items()}
        return value

    def _field(self, key: str, value: Any) -> Any:
        if key in _TIMES and isinstance(value, int) and value:
            return int(value + self.shift)
        if isinstance(value, str):
            for old, new in self.commits.items():
                value = value.replace(old, new)
            return value
        return self._adapted(value)


def _recorded_commit(commits: Mapping[str, str], commit: str) -> str:
    return next((old for old, new in commits.items() if new == commit), commit)


def _last(taken: list[RecordedAnswer], t: float) -> RecordedAnswer | None:
    past = [one for one in taken if one.t <= t]
    return past[-1] if past else None


def load_recording(path: Path) -> dict[str, Any]:
    """Read a recording; a name that ends in .gz is decompressed."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    recording: dict[str, Any] = json.loads(raw)
    return recording


def make_replay(
    recording: Mapping[str, Any], commits: str | Mapping[str, str], *, wall: float, start: float
) -> PipelineReplay:
    """Return the replay of a recording.

    Args:
        commits: the commit that replaces each recorded commit; a single sha replaces the first one listed.
        wall: Unix time at server second 0; recorded times are shifted accordingly.
        start: when the replay starts, in server seconds.
    """
    lists = [RecordedAnswer(t, status, body) for t, path, status, body in _answers(recording) if _is_list(path, status)]
    rows = [row for taken in lists for row in taken.body]
    first_created = min((row["created"] for row in rows), default=0)
    if isinstance(commits, str):
        commits = {rows[0]["commit"]: commits} if rows else {}
    replay = PipelineReplay(commits, shift=wall + start - first_created, lists=lists, start=start)
    for t, path, status, body in _answers(recording):
        _add_answer(replay, RecordedAnswer(t, status, body), path)
    replay.events = list(_events(recording))
    return replay


def _is_list(path: str, status: int) -> bool:
    # a list with filters or another page size is not a poll of the scenario
    whole = path.partition("?")[2] in {"", "page=1&perPage=50"}
    match = _PIPELINES.match(path)
    return match is not None and match["number"] is None and status == HTTPStatus.OK and whole


def _add_answer(replay: PipelineReplay, taken: RecordedAnswer, path: str) -> None:
    pipelines, logs = _PIPELINES.match(path), _LOGS.match(path)
    if pipelines is not None and pipelines["number"] is not None:
        replay.details.setdefault(int(pipelines["number"]), []).append(taken)
    if logs is not None:
        replay.logs.setdefault((int(logs["number"]), int(logs["step"])), []).append(taken)


def _answers(recording: Mapping[str, Any]) -> Iterator[tuple[float, str, int, Any]]:
    """Yield time, path, status, and JSON of the GET responses, in order of time."""
    for exchange in sorted(recording["exchanges"], key=lambda exchange: float(exchange["t"])):
        request, response = exchange["request"], exchange.get("response")
        if request["method"] != "GET" or response is None or exchange.get("kind") == "sse":
            continue
        if request["path"].startswith("/api/repos/8/") and not request["path"].endswith("/permissions"):
            body = response["body"]
            is_json = "json" in response["headers"].get("content-type", "")
            yield float(exchange["t"]), request["path"], int(response["status"]), json.loads(body) if is_json else None


def _events(recording: Mapping[str, Any]) -> Iterator[tuple[float, bytes]]:
    """Yield the payloads of the first event stream, each with the time at which it was complete."""
    pending = b""
    for exchange in recording["exchanges"]:
        if exchange.get("kind") != "sse" or not exchange["request"]["path"].startswith("/api/stream/events"):
            continue
        for chunk in exchange["response"]["chunks"]:
            pending += chunk["data"].encode("utf-8", "replace")
            *whole, pending = pending.split(b"\n\n")
            yield from ((float(chunk["t"]), event[6:]) for event in whole if event.startswith(b"data: "))
        return
