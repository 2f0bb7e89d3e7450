"""Each fault does on the wire what it says."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPlan, FaultPoint, FaultRule, WrongShape
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S
from tests.watch.shared_clock import SharedClock

SHA = "a" * 40
LIST = "/api/repos/8/pipelines"
Ask = Callable[..., Any]
RawRequest = Callable[..., tuple[bytes, str]]


def split(raw: bytes) -> tuple[bytes, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("code", [401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_a_status_replaces_the_answer(woodpecker: WoodpeckerSimulator, ask: Ask, code: int) -> None:
    woodpecker.fail(FaultRule(fault=faults.StatusFault(code=code)))
    got = ask("/api/user")
    assert (got.status, got.body) == (code, b"")


def test_retry_after_comes_in_seconds_or_as_a_date(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    woodpecker.fail(
        FaultRule(fault=faults.StatusFault(code=429, retry_after=7), last=0),
        FaultRule(fault=faults.StatusFault(code=503, retry_at=60)),
    )
    assert ask("/api/user").headers["retry-after"] == "7"
    later = {name: parsedate_to_datetime(ask("/api/user").headers[name]) for name in ("date", "retry-after")}
    assert (later["retry-after"] - later["date"]).total_seconds() == 60


@pytest.fixture
def time() -> SharedClock:
    return SharedClock()


@pytest.fixture
def played(time: SharedClock) -> Iterator[WoodpeckerSimulator]:
    with WoodpeckerSimulator(time, speed=20.0) as server:
        yield server


def test_a_slow_refusal_takes_its_time_by_the_servers_speed(played: WoodpeckerSimulator, time: SharedClock) -> None:
    played.fail(FaultRule(fault=faults.LOCKED_DATABASE))
    connection = http.client.HTTPConnection("127.0.0.1", played.port, timeout=HANG_S)
    connection.request("GET", "/api/user")
    assert (connection.getresponse().status, time.now()) == (401, 5.0 / 20.0)
    connection.close()


@pytest.mark.parametrize(
    ("fault", "content"),
    [
        (faults.BodyFault(), b""),
        (faults.BodyFault(content=b"null"), b"null"),
        (faults.WEB_PAGE, faults.ERROR_PAGE),
        (faults.BodyFault(content=b"[" * 100_000), b"[" * 100_000),
        (faults.BodyFault(content=b'[{"id":"\xff\xfe"}]'), b'[{"id":"\xff\xfe"}]'),
    ],
)
def test_another_body_under_200(
    woodpecker: WoodpeckerSimulator, ask: Ask, fault: faults.BodyFault, content: bytes
) -> None:
    woodpecker.fail(FaultRule(fault=fault))
    got = ask(LIST)
    assert (got.status, got.body, got.headers["content-type"]) == (200, content, fault.content_type)


def test_a_204_has_no_body(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    woodpecker.fail(FaultRule(fault=faults.StatusFault(code=204)))
    assert "content-length" not in ask(LIST).headers


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("shape", WrongShape)
def test_json_of_another_shape_is_still_json(woodpecker: WoodpeckerSimulator, ask: Ask, shape: WrongShape) -> None:
    true = ask(LIST).json
    woodpecker.fail(FaultRule(fault=faults.Mistyped(shape)))
    rows, detail = ask(LIST).json, ask(f"{LIST}/1").json
    match shape:
        case WrongShape.OTHER_CONTAINER:
            assert rows == {"rows": true}
            assert isinstance(detail, list)
        case WrongShape.NUMBERS_AS_TEXT:
            assert (rows[0]["number"], detail["number"]) == ("1", "1")
        case WrongShape.NULL_FIELDS:
            assert set(rows[0].values()) == {None}
        case WrongShape.MISSING_FIELDS:
            assert set(rows[0]) == {"id", "author"}


@pytest.mark.usefixtures("row")
def test_a_truncated_body_is_shorter_than_promised(woodpecker: WoodpeckerSimulator, raw_request: RawRequest) -> None:
    woodpecker.fail(
        FaultRule(fault=faults.Truncated(0.5), last=0), FaultRule(fault=faults.Truncated(0.5, chunked=True))
    )
    raw, end = raw_request()
    head, body = split(raw)
    promised = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert (end, len(body)) == ("closed", promised // 2)
    raw, end = raw_request()
    head, body = split(raw)
    assert b"Transfer-Encoding: chunked" in head
    assert not body.endswith(b"0\r\n\r\n")
    assert end == "closed"


def test_an_endless_body_never_ends(woodpecker: WoodpeckerSimulator, raw_request: RawRequest) -> None:
    woodpecker.fail(FaultRule(fault=faults.Endless()))
    raw, end = raw_request(most=8 << 20)
    assert (end, len(raw) >= 8 << 20) == ("coming", True)


def test_a_drip_comes_byte_by_byte(woodpecker: WoodpeckerSimulator, raw_request: RawRequest) -> None:
    woodpecker.fail(FaultRule(fault=faults.Drip(0.02)))
    raw, end = raw_request("/version", most=5)
    assert (raw[:5], end) == (b"HTTP/", "coming")
    assert len(raw) < 50, "a busy machine reads several bytes at once, but not the whole answer"


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("kind", ["hang", "reset", "close"])
@pytest.mark.parametrize("moment", FaultPoint)
def test_it_breaks_off_where_the_callback_says(
    woodpecker: WoodpeckerSimulator, raw_request: RawRequest, kind: str, moment: FaultPoint
) -> None:
    fault = faults.Hang(moment) if kind == "hang" else faults.Cut(moment, reset=kind == "reset")
    woodpecker.fail(FaultRule(fault=fault))
    parts = {FaultPoint.BEFORE: (False, False), FaultPoint.HEADERS: (True, False), FaultPoint.BODY: (True, True)}[
        moment
    ]

    def seen(raw: bytes) -> tuple[bool, bool]:
        head, body = split(raw)
        return bool(head), bool(body)

    raw, end = raw_request(enough=lambda got: kind == "hang" and seen(got) == parts)
    assert end == {"hang": "silent", "reset": "reset", "close": "closed"}[kind]
    assert seen(raw) == parts


def test_garbage_is_not_http(woodpecker: WoodpeckerSimulator, raw_request: RawRequest) -> None:
    woodpecker.fail(FaultRule(fault=faults.NotHttp()))
    assert raw_request() == (faults.NotHttp().content, "closed")


@pytest.mark.parametrize("code", [301, 302, 307])
def test_a_redirect_names_its_place(woodpecker: WoodpeckerSimulator, ask: Ask, code: int) -> None:
    woodpecker.fail(FaultRule(fault=faults.Redirect("http://other.example.test/", code)))
    got = ask(LIST)
    assert (got.status, got.headers["location"]) == (code, "http://other.example.test/")


@pytest.mark.usefixtures("row")
def test_compressed_retyped_and_under_huge_headers(
    woodpecker: WoodpeckerSimulator, ask: Ask, raw_request: RawRequest
) -> None:
    true = ask(LIST).body
    woodpecker.fail(
        FaultRule(fault=faults.Gzip(), last=0),
        FaultRule(fault=faults.Retyped(), last=1),
        FaultRule(fault=faults.HugeHeaders()),
    )
    packed = ask(LIST)
    assert (packed.headers["content-encoding"], gzip.decompress(packed.body)) == ("gzip", true)
    retyped = ask(LIST)
    assert (retyped.headers["content-type"], retyped.body) == ("text/html; charset=utf-8", true)
    assert len(split(raw_request(enough=lambda got: b"\r\n\r\n" in got)[0])[0]) > 1 << 20


def test_an_older_answer_is_the_past(woodpecker: WoodpeckerSimulator, ask: Ask, clock: Any) -> None:
    clock.time += 10
    woodpecker.push("acme/app", "main", SHA, timelines.make_green())
    clock.time += 2
    assert [row["status"] for row in ask(LIST).json] == ["success"]
    woodpecker.fail(FaultRule(fault=faults.StaleAnswer(1.5), last=0), FaultRule(fault=faults.StaleAnswer(5)))
    assert [row["status"] for row in ask(LIST).json] == ["running"]
    assert ask(LIST).json == []


def test_rows_vanish_and_numbers_are_used_again(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    for _ in range(2):
        woodpecker.push("acme/app", "main", SHA, timelines.make_green())
    woodpecker.fail(
        FaultRule(fault=faults.MissingPipelines(frozenset({2})), last=1),
        FaultRule(fault=faults.MissingPipelines(), last=2, first=2),
        FaultRule(fault=faults.WrongCommit("b" * 40)),
    )  # fmt: skip
    assert [row["number"] for row in ask(LIST).json] == [1]
    assert ask(f"{LIST}/2").status == 404
    assert ask(LIST).json == []
    assert {row["commit"] for row in ask(LIST).json} == {"b" * 40}


def test_a_rule_strikes_by_path_count_and_period() -> None:
    plan = FaultPlan(
        (
            FaultRule(fault=faults.Slow(1), path=r"/logs/"),
            FaultRule(fault=faults.Gzip(), path="pipelines", first=1, last=5, every=2),
            FaultRule(fault=faults.NotHttp(), since=10, until=20),
        )
    )
    assert plan.pick("GET", "/api/user", 5) is None
    assert [bool(plan.pick("GET", "/pipelines", 0)) for _ in range(7)] == [False, True] * 3 + [False]
    struck = [plan.pick("GET", path, 15) for path in ("/api/user", "/logs/1")]
    assert [type(rule.fault) for rule in struck if rule] == [faults.NotHttp, faults.Slow]


@pytest.mark.usefixtures("row")
def test_a_post_may_do_its_work_though_its_answer_is_lost(woodpecker: WoodpeckerSimulator, ask: Ask) -> None:
    lost = faults.StatusFault(code=502)
    woodpecker.fail(
        FaultRule(fault=lost, method="POST", last=0), FaultRule(fault=lost, method="POST", has_effect=False)
    )
    assert ask(f"{LIST}/1", method="POST").status == 502
    assert len(ask(LIST).json) == 2
    assert ask(f"{LIST}/1", method="POST").status == 502
    assert len(ask(LIST).json) == 2
