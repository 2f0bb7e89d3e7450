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
from tests.watch.shared_clock import SharedClock

API = "/api/(user|repos|queue)"
AT_ONCE = 8
LASTS = 6.0
"""seconds that the pipeline takes, on the simulated server's clock"""


@dataclass(frozen=True, kw_only=True)
class BadAnswer:
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


def page(fault: HttpFault, word: str = "web page") -> BadAnswer:
    return BadAnswer(fault=fault, first=ExitCode.DENIED, word=word, once=0)


def silence(fault: HttpFault) -> BadAnswer:
    return BadAnswer(fault=fault, word="no complete response", once=0)


def refused(fault: HttpFault, word: str) -> BadAnswer:
    return BadAnswer(fault=fault, first=ExitCode.DENIED, later=ExitCode.DENIED, word=word, once=-1)


KINDS: dict[str, BadAnswer] = {
    "500": BadAnswer(fault=faults.StatusFault(code=500), word="returned 500"),
    "502 with a web page": BadAnswer(fault=faults.BAD_GATEWAY, word="returned 502"),
    "503 in words": BadAnswer(
        fault=faults.StatusFault(code=503, body=b"no available server"), word="no available server"
    ),
    "504": BadAnswer(fault=faults.StatusFault(code=504), word="returned 504"),
    "408": BadAnswer(fault=faults.StatusFault(code=408), word="returned 408"),
    "418": BadAnswer(fault=faults.StatusFault(code=418), word="returned 418"),
    "429": BadAnswer(fault=faults.StatusFault(code=429), word="returned 429"),
    "429 with seconds": BadAnswer(fault=faults.StatusFault(code=429, retry_after=2.0), word="returned 429"),
    "429 with a date": BadAnswer(fault=faults.StatusFault(code=429, retry_at=2.0), word="returned 429"),
    "429 for a year": BadAnswer(fault=faults.StatusFault(code=429, retry_after=3e7), word="returned 429"),
    "empty 200": BadAnswer(fault=body(b""), word="empty"),
    "blank 200": BadAnswer(fault=body(b" \r\n"), word="empty"),
    "204": BadAnswer(fault=faults.StatusFault(code=204), word="returned 204"),
    "null": BadAnswer(fault=body(b"null"), word="unexpected response"),
    "a number": BadAnswer(fault=body(b"12"), word="unexpected response"),
    "numbers that are none": BadAnswer(fault=body(b'[{"number": NaN, "id": Infinity}]'), word="unexpected response"),
    "a number too long for an int": BadAnswer(fault=body(b"[" + b"9" * 5000 + b"]"), word="not JSON"),
    "deep nesting": BadAnswer(fault=body(b"[" * 200_000), word="not JSON"),
    "not UTF-8": BadAnswer(fault=body(b'[{"id": "\xff\xfe"}]'), word="not JSON"),
    "words": BadAnswer(fault=body(b"database is locked"), word="not JSON"),
    "two answers": BadAnswer(fault=body(b"[][]"), word="not JSON"),
    "truncated by length": BadAnswer(fault=faults.Truncated(), word="is incomplete"),
    "truncated in a chunk": BadAnswer(fault=faults.Truncated(chunked=True), word="is incomplete"),
    "half a JSON that looks whole": BadAnswer(fault=body(b'[{"id": 1, "number": 1, "sta'), word="is incomplete"),
    "an object for a list": BadAnswer(fault=faults.Mistyped(WrongShape.OTHER_CONTAINER), word="unexpected response"),
    "text for numbers": BadAnswer(fault=faults.Mistyped(WrongShape.NUMBERS_AS_TEXT), word="unexpected response"),
    "null fields": BadAnswer(fault=faults.Mistyped(WrongShape.NULL_FIELDS), word="unexpected response"),
    "missing fields": BadAnswer(fault=faults.Mistyped(WrongShape.MISSING_FIELDS), word="unexpected response"),
    "endless": BadAnswer(fault=faults.Endless(), word="longer than"),
    "too long": BadAnswer(fault=body(b"[" + b" " * (9 << 20) + b"]"), word="longer than"),
    "a slow drip": silence(faults.Drip(pause=2.0)),
    "a hang before the headers": silence(faults.Hang(FaultPoint.BEFORE)),
    "a hang after the headers": silence(faults.Hang(FaultPoint.HEADERS)),
    "a hang in the body": silence(faults.Hang(FaultPoint.BODY)),
    "a reset before the headers": BadAnswer(fault=faults.Cut(FaultPoint.BEFORE), word="reset"),
    "a reset after the headers": BadAnswer(fault=faults.Cut(FaultPoint.HEADERS)),
    "a reset in the body": BadAnswer(fault=faults.Cut(FaultPoint.BODY)),
    "closed without an answer": BadAnswer(fault=faults.Cut(FaultPoint.BEFORE, reset=False), word="without a response"),
    "closed after the headers": BadAnswer(fault=faults.Cut(FaultPoint.HEADERS, reset=False), word="is incomplete"),
    "closed in the body": BadAnswer(fault=faults.Cut(FaultPoint.BODY, reset=False), word="is incomplete"),
    "garbage": BadAnswer(fault=faults.NotHttp(b"\x00\xff\xfe\r\n"), word="not HTTP"),
    "another protocol": page(faults.NotHttp(), "an SSH server"),
    "huge headers": BadAnswer(fault=faults.HugeHeaders()),
    "a web page": page(faults.WEB_PAGE),
    "a web page called JSON": page(body(faults.ERROR_PAGE)),
    "JSON called a web page": page(faults.Retyped()),
    "a redirect on the same server": page(faults.Redirect("/login"), "redirects to /login"),
    "a redirect to another host": page(faults.Redirect("https://sso.example.test/x"), "sso.example.test"),
    "a redirect to http": page(faults.Redirect("http://127.0.0.1:9/", code=308), "redirects to http"),
    "a redirect to nowhere": page(faults.Redirect("http://[", code=301), "redirects to an invalid address"),
    "a bot check": page(faults.BOT_CHECK, 'Cloudflare, "Just a moment..."'),
    "a banned address": page(faults.BANNED_ADDRESS, '"CrowdSec Ban"'),
    "a proxy's login": page(faults.LOGIN_REQUIRED, "Authorization Required"),
    "the forge's 404": page(faults.FORGE_NOT_FOUND, "404 is not from Woodpecker"),
    "a portal's 511": page(faults.StatusFault(code=511, foreign=True), "511 is not from Woodpecker"),
    "401": refused(faults.StatusFault(code=401), "rejected the token from WOODPECKER_TOKEN"),
    "403": refused(faults.StatusFault(code=403), "access denied"),
    "404": refused(faults.StatusFault(code=404), "was not found in CI"),
}  # fmt: skip


def pushed(woodpecker: WoodpeckerSimulator, *, seconds: float = LASTS) -> None:
    woodpecker.push("acme/app", "main", OURS, timelines.make_green(seconds=seconds))


def bounded(outcome: Outcome) -> Outcome:
    """Whatever the server answers, a watch ends within its timeout plus the time of one answer."""
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
def test_a_bad_answer_at_the_beginning_is_ridden_out(woodpecker: WoodpeckerSimulator, name: str) -> None:
    """A refusal is not: a quick one is believed at once."""
    pushed(woodpecker)
    kind = KINDS[name]
    woodpecker.fail(FaultRule(fault=kind.fault, path=API, last=kind.once))

    ended = bounded(watch(woodpecker, Watching(seconds=(90, 20, 60))))

    assert ended.verdict.exit is ExitCode.OK, ended.said
    assert woodpecker.count() >= 4 + kind.once


class FaultRun(NamedTuple):
    """How a watch ended, and how often the list was asked for."""

    outcome: Outcome
    asked: int


def watched(rule: FaultRule, how: Watching | None = None) -> FaultRun:
    """A watch of a green pipeline on a server of its own, where answers are bad as the rule says."""
    with WoodpeckerSimulator(SharedClock()) as woodpecker:
        pushed(woodpecker)
        woodpecker.fail(rule)
        return FaultRun(bounded(watch(woodpecker, how)), woodpecker.count(r"pipelines\?"))


def in_the_middle(name: str) -> FaultRun:
    kind = KINDS[name]
    rule = FaultRule(fault=kind.fault, path=r"pipelines\?", first=1, last=2 if kind.once else 1)
    return watched(rule, Watching(seconds=(90, 20, 60)))


def without_end(name: str) -> FaultRun:
    return watched(FaultRule(fault=KINDS[name].fault, path=API))


def without_end_after_good_ones(name: str) -> FaultRun:
    return watched(FaultRule(fault=KINDS[name].fault, path="pipelines", first=1))


@KIND
@pytest.mark.slow
@pytest.mark.start_early(in_the_middle, at_once=AT_ONCE)
def test_bad_answers_in_the_middle_are_ridden_out(early_result: FaultRun, name: str) -> None:
    """Even a refusal: what had worked is asked again."""
    ended = early_result.outcome
    assert ended.verdict.exit is ExitCode.OK, f"{name}: {ended.said}"
    assert early_result.asked >= 3


@KIND
@pytest.mark.slow
@pytest.mark.start_early(without_end, at_once=AT_ONCE)
def test_bad_answers_without_end_have_their_code(early_result: FaultRun, name: str) -> None:
    kind, ended = KINDS[name], early_result.outcome
    assert ended.verdict.exit is kind.first, ended.said
    assert kind.word in ended.verdict.reason
    assert ended.verdict.hint


@KIND
@pytest.mark.slow
@pytest.mark.start_early(without_end_after_good_ones, at_once=AT_ONCE)
def test_bad_answers_without_end_after_good_ones_have_their_code(early_result: FaultRun, name: str) -> None:
    """A web page is then a failing balancer, no longer another kind of server."""
    kind, ended = KINDS[name], early_result.outcome
    assert ended.verdict.exit is kind.later, ended.said
    assert kind.word in ended.verdict.reason
    assert ended.verdict.hint


def test_there_are_at_least_45_kinds() -> None:
    assert len(KINDS) >= 45
