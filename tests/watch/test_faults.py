"""Every kind of bad answer on a real socket: ridden out while it lasts, and in the right code when it stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule, HttpFault, WrongShape
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.watch.random_history import OURS
from tests.watch.run_over_sockets import Outcome, Watching, watch
from tests.watch.shared_time import SharedTime

API = "/api/(user|repos|queue)"
AT_ONCE = 8
LASTS = 6.0
"""seconds of the pipeline, the stand-in's"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of bad answer.

    Attributes:
        first: how a watch ends that never had another answer.
        later: how one ends that had good answers before.
        word: what must be said where it stays.
        once: how many such answers in a row are ridden out by a watch that has had no good one.
    """

    fault: HttpFault
    first: ExitCode = ExitCode.UNREACHABLE
    later: ExitCode = ExitCode.UNREACHABLE
    word: str = ""
    once: float = 2


def body(content: bytes) -> faults.BodyFault:
    return faults.BodyFault(content=content)


def page(fault: HttpFault, word: str = "web page") -> Kind:
    return Kind(fault=fault, first=ExitCode.DENIED, word=word, once=0)


def silence(fault: HttpFault) -> Kind:
    return Kind(fault=fault, word="no whole answer", once=0)


def refused(fault: HttpFault, word: str) -> Kind:
    return Kind(fault=fault, first=ExitCode.DENIED, later=ExitCode.DENIED, word=word, once=-1)


KINDS: dict[str, Kind] = {
    "500": Kind(fault=faults.StatusFault(code=500), word="answered 500"),
    "502 with a web page": Kind(fault=faults.BAD_GATEWAY, word="answered 502"),
    "503 in words": Kind(fault=faults.StatusFault(code=503, body=b"no available server"), word="no available server"),
    "504": Kind(fault=faults.StatusFault(code=504), word="answered 504"),
    "408": Kind(fault=faults.StatusFault(code=408), word="answered 408"),
    "418": Kind(fault=faults.StatusFault(code=418), word="answered 418"),
    "429": Kind(fault=faults.StatusFault(code=429), word="answered 429"),
    "429 with seconds": Kind(fault=faults.StatusFault(code=429, retry_after=2.0), word="answered 429"),
    "429 with a date": Kind(fault=faults.StatusFault(code=429, retry_at=2.0), word="answered 429"),
    "429 for a year": Kind(fault=faults.StatusFault(code=429, retry_after=3e7), word="answered 429"),
    "empty 200": Kind(fault=body(b""), word="empty"),
    "blank 200": Kind(fault=body(b" \r\n"), word="empty"),
    "204": Kind(fault=faults.StatusFault(code=204), word="answered 204"),
    "null": Kind(fault=body(b"null"), word="wrong shape"),
    "a number": Kind(fault=body(b"12"), word="wrong shape"),
    "numbers that are none": Kind(fault=body(b'[{"number": NaN, "id": Infinity}]'), word="wrong shape"),
    "a number too long for an int": Kind(fault=body(b"[" + b"9" * 5000 + b"]"), word="not JSON"),
    "deep nesting": Kind(fault=body(b"[" * 200_000), word="not JSON"),
    "not UTF-8": Kind(fault=body(b'[{"id": "\xff\xfe"}]'), word="not JSON"),
    "words": Kind(fault=body(b"database is locked"), word="not JSON"),
    "two answers": Kind(fault=body(b"[][]"), word="not JSON"),
    "truncated by length": Kind(fault=faults.Truncated(), word="broke off"),
    "truncated in a chunk": Kind(fault=faults.Truncated(chunked=True), word="broke off"),
    "half a JSON that looks whole": Kind(fault=body(b'[{"id": 1, "number": 1, "sta'), word="broke off"),
    "an object for a list": Kind(fault=faults.Mistyped(WrongShape.OTHER_CONTAINER), word="wrong shape"),
    "text for numbers": Kind(fault=faults.Mistyped(WrongShape.NUMBERS_AS_TEXT), word="wrong shape"),
    "null fields": Kind(fault=faults.Mistyped(WrongShape.NULL_FIELDS), word="wrong shape"),
    "missing fields": Kind(fault=faults.Mistyped(WrongShape.MISSING_FIELDS), word="wrong shape"),
    "endless": Kind(fault=faults.Endless(), word="longer than"),
    "too long": Kind(fault=body(b"[" + b" " * (9 << 20) + b"]"), word="longer than"),
    "a slow drip": silence(faults.Drip(pause=2.0)),
    "a hang before the headers": silence(faults.Hang(FaultPoint.BEFORE)),
    "a hang after the headers": silence(faults.Hang(FaultPoint.HEADERS)),
    "a hang in the body": silence(faults.Hang(FaultPoint.BODY)),
    "a reset before the headers": Kind(fault=faults.Cut(FaultPoint.BEFORE), word="reset"),
    "a reset after the headers": Kind(fault=faults.Cut(FaultPoint.HEADERS)),
    "a reset in the body": Kind(fault=faults.Cut(FaultPoint.BODY)),
    "closed without an answer": Kind(fault=faults.Cut(FaultPoint.BEFORE, reset=False), word="broke off"),
    "closed after the headers": Kind(fault=faults.Cut(FaultPoint.HEADERS, reset=False), word="broke off"),
    "closed in the body": Kind(fault=faults.Cut(FaultPoint.BODY, reset=False), word="broke off"),
    "another protocol": Kind(fault=faults.NotHttp(), word="not HTTP"),
    "huge headers": Kind(fault=faults.HugeHeaders()),
    "a web page": page(faults.WEB_PAGE),
    "a web page called JSON": page(body(faults.ERROR_PAGE)),
    "JSON called a web page": page(faults.Retyped()),
    "a redirect on the same server": page(faults.Redirect("/login"), "redirects to /login"),
    "a redirect to another host": page(faults.Redirect("https://sso.example.test/x"), "sso.example.test"),
    "a redirect to http": page(faults.Redirect("http://127.0.0.1:9/", code=308), "redirects to http"),
    "a redirect to nowhere": page(faults.Redirect("http://[", code=301), "redirects to nowhere"),
    "401": refused(faults.StatusFault(code=401), "refused the token from WOODPECKER_TOKEN"),
    "403": refused(faults.StatusFault(code=403), "forbids"),
    "404": refused(faults.StatusFault(code=404), "does not know"),
}  # fmt: skip


def pushed(site: WoodpeckerSimulator, *, seconds: float = LASTS) -> None:
    site.push("acme/app", "main", OURS, timelines.make_green(seconds=seconds))


def bounded(outcome: Outcome) -> Outcome:
    """Whatever comes, a watch ends within its patience and the time of one answer."""
    assert outcome.lasted < 80, outcome
    return outcome


KIND = pytest.mark.parametrize("name", KINDS)
pytestmark = pytest.mark.first
QUICK = {"500", "429 with a date", "null", "truncated in a chunk", "a web page", "a reset before the headers"}
"""those that the fast tests show; the slow ones show all"""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name, kind in KINDS.items()
        if kind.first is not kind.later or kind.first is ExitCode.UNREACHABLE
    ],
)
def test_a_bad_answer_at_the_beginning_is_ridden_out(site: WoodpeckerSimulator, name: str) -> None:
    """A refusal is not: a quick one is believed at once."""
    pushed(site)
    kind = KINDS[name]
    site.fail(FaultRule(fault=kind.fault, path=API, last=kind.once))

    ended = bounded(watch(site, Watching(seconds=(90, 20, 60))))

    assert ended.verdict.exit is ExitCode.OK, ended.said
    assert site.count() >= 4 + kind.once


class Ended(NamedTuple):
    """How a watch ended, and how often the list was asked for."""

    outcome: Outcome
    asked: int


def watched(rule: FaultRule, how: Watching | None = None) -> Ended:
    """A watch of a green pipeline on a server of its own, where answers are bad as the rule says."""
    with WoodpeckerSimulator(SharedTime()) as site:
        pushed(site)
        site.fail(rule)
        return Ended(bounded(watch(site, how)), site.count(r"pipelines\?"))


def in_the_middle(name: str) -> Ended:
    kind = KINDS[name]
    rule = FaultRule(fault=kind.fault, path=r"pipelines\?", first=1, last=2 if kind.once else 1)
    return watched(rule, Watching(seconds=(90, 20, 60)))


def without_end(name: str) -> Ended:
    return watched(FaultRule(fault=KINDS[name].fault, path=API))


def without_end_after_good_ones(name: str) -> Ended:
    return watched(FaultRule(fault=KINDS[name].fault, path="pipelines", first=1))


@KIND
@pytest.mark.slow
@pytest.mark.ahead(in_the_middle, at_once=AT_ONCE)
def test_bad_answers_in_the_middle_are_ridden_out(came_to: Ended, name: str) -> None:
    """Even a refusal: what had worked is asked again."""
    ended = came_to.outcome
    assert ended.verdict.exit is ExitCode.OK, f"{name}: {ended.said}"
    assert came_to.asked >= 3


@KIND
@pytest.mark.slow
@pytest.mark.ahead(without_end, at_once=AT_ONCE)
def test_bad_answers_without_end_have_their_code(came_to: Ended, name: str) -> None:
    kind, ended = KINDS[name], came_to.outcome
    assert ended.verdict.exit is kind.first, ended.said
    assert kind.word in ended.verdict.reason
    assert ended.verdict.hint


@KIND
@pytest.mark.slow
@pytest.mark.ahead(without_end_after_good_ones, at_once=AT_ONCE)
def test_bad_answers_without_end_after_good_ones_have_their_code(came_to: Ended, name: str) -> None:
    """A web page is then a failing balancer, no longer another kind of server."""
    kind, ended = KINDS[name], came_to.outcome
    assert ended.verdict.exit is kind.later, ended.said
    assert kind.word in ended.verdict.reason
    assert ended.verdict.hint


def test_there_are_at_least_45_kinds() -> None:
    assert len(KINDS) >= 45
