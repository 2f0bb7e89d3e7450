"""What a real server said is read as what it meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.ci.connection import connect_now
from homelab_hooks.ci.model import Status
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.ci.woodpecker.responses import SLOW_REFUSAL_S, read_response
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.simulators.woodpecker.replay import load_recording

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings" / "woodpecker").glob("*.json.gz"))
NAMES = [path.name.removesuffix(".json.gz") for path in RECORDINGS]
STARTED = r"/api/repos/\d+/pipelines$"
SHAPES: list[tuple[str, Callable[[object], Any]]] = [
    (r"/api/user(\?|$)", parse.parse_login),
    (r"/api/repos/lookup/", parse.parse_repo),
    (r"/api/repos/[^/]+$", parse.parse_repo),
    (r"/api/repos/\d+/pipelines(\?|$)", parse.parse_pipelines),
    (r"/api/repos/\d+/pipelines/[^/]+$", parse.parse_pipeline),
    (r"/api/repos/\d+/logs/\d+/\d+$", parse.parse_log),
    (r"/api/queue/info$", parse.parse_queue),
]


def shape(path: str) -> Callable[[object], Any] | None:
    return next((reader for pattern, reader in SHAPES if re.match(pattern, path)), None)


def exchanges(name: str) -> Iterator[tuple[str, str, HttpResponse]]:
    """Method, path and reply of each recorded exchange that the client could have had."""
    recording = load_recording(RECORDINGS[NAMES.index(name)])
    for one in recording["exchanges"]:
        answer = one.get("response")
        if answer is None or one.get("kind") == "sse" or not isinstance(answer.get("body"), str):
            continue
        took = float(one.get("ms") or 10) / 1000
        yield (
            one["request"]["method"],
            one["request"]["path"],
            HttpResponse(int(answer["status"]), answer["headers"], answer["body"].encode(), took),
        )


def look(path: str, reply: HttpResponse) -> Poll[Any]:
    reader = shape(path)
    assert reader is not None
    return read_response(reply, reader, subject="it", token_source="WP_TOKEN")


def meaning(found: Poll[Any]) -> str:
    match found:
        case Found():
            return "seen"
        case Denied(slow=slow):
            return "slow no" if slow else "no"
        case Unavailable(kind=fault):
            return fault.name.lower()
        case _:
            return "absent"


def expected(reply: HttpResponse) -> str:
    if reply.status == 401:
        return "slow no" if reply.duration_s >= SLOW_REFUSAL_S else "no"
    known = {200: "seen", 403: "no", 404: "no", 301: "web_page"}
    return known.get(reply.status, "status")


@pytest.mark.parametrize("name", ["01-lookup-and-errors", "19-database-locked", "19c-database-locked-long"])
def test_each_recorded_exchange_is_the_poll_result_that_it_meant(name: str) -> None:
    read_so_far = [
        (method, path, reply.status, meaning(look(path, reply)), expected(reply))
        for method, path, reply in exchanges(name)
        if method == "GET" and shape(path)
    ]
    assert [one for one in read_so_far if one[3] != one[4]] == []
    assert len(read_so_far) >= 7


def test_the_recorded_locked_database_refuses_slowly() -> None:
    """A valid token gets 401 after 5, 10 and 15 seconds; a bad one at once."""
    locked = [
        meaning(look(p, r)) for m, p, r in exchanges("19c-database-locked-long") if r.status == 401 and m == "GET"
    ]
    bad = [meaning(look(p, r)) for m, p, r in exchanges("01-lookup-and-errors") if r.status == 401 and m == "GET"]
    assert set(locked) == {"slow no"}
    assert set(bad) == {"no"}


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_answer_with_200_is_read(name: str) -> None:
    for method, path, reply in exchanges(name):
        if reply.status == 200 and shape(path) and method in {"GET", "POST"}:
            started = method == "POST" and re.match(STARTED, path)
            found = (
                read_response(reply, parse.parse_pipeline, subject="it", token_source="x")
                if started
                else look(path, reply)
            )
            assert isinstance(found, Found), (method, path, found)


def test_the_recorded_rows_come_with_their_facts() -> None:
    rows = [
        row
        for name in NAMES
        for _, path, reply in exchanges(name)
        if shape(path) is parse.parse_pipelines and isinstance(found := look(path, reply), Found)
        for row in found.value
    ]
    assert {row.event for row in rows} >= {"push", "tag", "pull_request", "release", "deployment", "manual", "cron"}
    assert {row.status for row in rows} >= set(Status) - {Status.UNKNOWN, Status.SKIPPED, Status.CANCELED}
    assert all(re.fullmatch(r"[0-9a-f]{40}", row.commit) and row.number > 0 and row.created > 0 for row in rows)
    assert any(row.cancellation and row.cancellation.superseded_by for row in rows)
    assert any(error.message and not error.is_warning for row in rows for error in row.config_errors)


def test_the_recorded_logs_are_text_in_order() -> None:
    logs = [
        found.value
        for name in NAMES
        for _, path, reply in exchanges(name)
        if shape(path) is parse.parse_log and isinstance(found := look(path, reply), Found)
    ]
    assert () in logs
    assert any(len(lines) > 1 for lines in logs)
    for lines in logs:
        assert [line.number for line in lines] == sorted({line.number for line in lines})


class RecordedReplies:
    """Answers what a recording has for a path, and remembers what was asked."""

    def __init__(self, replies: dict[str, HttpResponse]) -> None:
        self.replies = replies
        self.asked: list[str] = []

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = 0, body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        del method, timeout, max_bytes, body
        self.asked.append(path)
        return self.replies.get(path) or RequestFailed(FailureKind.TIMEOUT, "nothing")


@pytest.fixture
def locked() -> RecordedReplies:
    """A server whose database is locked, as recorded."""
    return RecordedReplies(
        {path: reply for _, path, reply in exchanges("19c-database-locked-long") if reply.status != 200}
    )


def test_a_slow_refusal_of_a_locked_database_is_not_a_usable_answer(locked: RecordedReplies) -> None:
    assert locked.replies["/healthz"].status == 500
    found = WoodpeckerClient(connect_now(locked, token_source="WP_TOKEN")).user(within=15.0)
    assert isinstance(found, Unavailable)
    assert "database is locked" in found.reason
    assert locked.asked == ["/api/user", "/healthz"]


def test_a_slow_refusal_of_a_well_server_is_a_no(locked: RecordedReplies) -> None:
    locked.replies["/healthz"] = HttpResponse(204, {}, b"", 0.01)
    found = WoodpeckerClient(connect_now(locked, token_source="WP_TOKEN")).user(within=15.0)
    assert isinstance(found, Denied)
    assert found.slow


def test_a_slow_refusal_of_a_server_that_then_says_nothing_is_not_a_usable_answer(locked: RecordedReplies) -> None:
    del locked.replies["/healthz"]
    assert isinstance(WoodpeckerClient(connect_now(locked, token_source="WP_TOKEN")).user(within=15.0), Unavailable)


def test_a_quick_refusal_is_believed_at_once(locked: RecordedReplies) -> None:
    locked.replies["/api/user"] = locked.replies["/api/user"]._replace(duration_s=0.01)
    assert isinstance(WoodpeckerClient(connect_now(locked, token_source="WP_TOKEN")).user(within=15.0), Denied)
    assert locked.asked == ["/api/user"]


def test_a_log_that_is_null_is_empty_and_broken_lines_do_not_hide_the_others() -> None:
    assert parse.parse_log(None) == ()
    lines = [
        {"line": 2, "time": 1, "data": "Yg==", "type": 1},
        {"line": 1, "time": 0, "data": "YQ==", "type": 0},
        {"line": 2, "time": 1, "data": "Yg==", "type": 1},
        {"line": 3, "time": 1, "data": "0", "type": 2},
        {"line": 4, "time": 2, "data": None, "type": 0},
        {"line": 5, "time": 2, "data": "/w==", "type": 0},
        {"line": 6, "time": 2, "data": "no base64", "type": 0},
    ]
    assert [(line.number, line.text) for line in parse.parse_log(json.loads(json.dumps(lines)))] == [
        (1, "a"), (2, "b"), (4, ""), (5, "\ufffd"), (6, "no base64"),
    ]  # fmt: skip
