"""The client on a real socket: its calls, its few quick tries more, and both versions of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
import stamina

from homelab_hooks.ci.connection import connect_now
from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.ci.woodpecker.client import MAX_ATTEMPTS, WoodpeckerClient
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.net.http import HttpClient
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import SimulatedRepo
from homelab_hooks.system.clock import SystemClock
from tests.ci.values import APP, run_ref
from tests.support.clock import FakeClock
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow  # a real process each; together they would keep `make check` waiting

T = TypeVar("T")
SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def serving(clock: FakeClock, version: str) -> WoodpeckerSimulator:
    known = (
        SimulatedRepo(id=8, full_name="acme/app"),
        SimulatedRepo(id=9, full_name="acme/a b%2F?", active=False),
        SimulatedRepo(id=10, full_name="acme/secret", visibility="private"),
    )
    return WoodpeckerSimulator(clock, repositories=known, version=version)


@pytest.fixture
def woodpecker(clock: FakeClock) -> Iterator[WoodpeckerSimulator]:
    with serving(clock, "3.17.0") as server:
        yield server


@pytest.fixture
def client() -> Iterator[Callable[..., WoodpeckerClient]]:
    opened: list[HttpClient] = []

    def one(woodpecker: WoodpeckerSimulator, token: str = "alice-token") -> WoodpeckerClient:
        opened.append(HttpClient(parse_server_url(woodpecker.url), clock=SystemClock(), token=token))
        return WoodpeckerClient(connect_now(opened[-1], token_source="WP_TOKEN"))

    with stamina.set_testing(True, attempts=MAX_ATTEMPTS):  # real time between two tries says nothing here
        yield one
    for https in opened:
        https.close()


def value(look: Poll[T]) -> T:
    assert isinstance(look, Found), look
    found: T = look.value
    return found


Client = Callable[..., WoodpeckerClient]


def test_the_calls_reach_what_they_name(woodpecker: WoodpeckerSimulator, client: Client, clock: FakeClock) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_red(log=["boom"]))
    clock.sleep(5)
    ci = client(woodpecker)
    assert value(ci.user(within=HANG_S)) == "alice"
    assert value(ci.repository("acme/app", within=HANG_S)).id == 8
    (row,) = value(ci.pipelines(APP, within=HANG_S))
    assert (row.number, row.commit, row.status, row.workflows) == (1, SHA, Status.FAILURE, ())
    detail = value(ci.pipeline(APP, run_ref(1), within=HANG_S))
    step = next(step for step in detail.workflows[0].steps if step.can_be_blamed)
    assert [line.text for line in value(ci.log(APP, run_ref(1), step, within=HANG_S))] == ["boom"]
    assert value(ci.queue(within=HANG_S)).paused is False
    assert value(ci.restart(APP, run_ref(1), within=HANG_S)).number == 2
    assert value(ci.start(APP, "main", within=HANG_S)).event == "manual"


def test_a_name_with_odd_characters_is_asked_for_whole(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    found = value(client(woodpecker).repository("acme/a b%2F?", within=HANG_S))
    assert (found.id, found.active) == (9, False)


@pytest.mark.parametrize(
    "name", ["../../x", "acme/..", "acme/./app", "../api/user", "acme//app", "", "..", "acme/app/"]
)
def test_a_name_that_leads_to_another_endpoint_is_not_asked_for(
    woodpecker: WoodpeckerSimulator, client: Client, name: str
) -> None:
    assert isinstance(client(woodpecker).repository(name, within=HANG_S), Denied)
    assert woodpecker.count() == 0


def test_a_page_has_the_size_that_was_asked_for(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    for number in range(5):
        woodpecker.push("acme/app", f"b{number}", SHA, timelines.make_green())
    pages = [value(client(woodpecker).pipelines(APP, page=page, per_page=2, within=HANG_S)) for page in (1, 2, 3, 4)]
    assert [[row.number for row in page] for page in pages] == [[5, 4], [3, 2], [1], []]


@pytest.mark.parametrize(
    ("token", "name", "reason"),
    [
        ("nonsense", "acme/secret", "rejected the token from WP_TOKEN"),
        ("alice-token", "acme/nope", "the repository acme/nope was not found in CI"),
    ],
)
def test_a_no_is_a_no_and_asked_once(
    woodpecker: WoodpeckerSimulator, client: Client, token: str, name: str, reason: str
) -> None:
    found = client(woodpecker, token).repository(name, within=HANG_S)
    assert isinstance(found, Denied)
    assert reason in found.reason
    assert woodpecker.count() == 1


def test_a_bad_token_is_refused_at_the_user(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    """Elsewhere it reads what is public, as if it were none (recording 01-lookup-and-errors)."""
    ci = client(woodpecker, "nonsense")
    assert isinstance(ci.repository("acme/app", within=HANG_S), Found)
    assert isinstance(ci.user(within=HANG_S), Denied)


def test_the_queue_is_for_administrators(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    assert isinstance(client(woodpecker, "bob-token").queue(within=HANG_S), Denied)


BLIPS = [
    faults.BodyFault(),
    faults.Truncated(),
    faults.NotHttp(b"\x00\xff\xfe\r\n"),
    faults.Mistyped(faults.WrongShape.OTHER_CONTAINER),
    faults.Cut(FaultPoint.BEFORE),
    faults.Cut(FaultPoint.BODY),
]


@pytest.mark.parametrize("blip", BLIPS, ids=str)
def test_a_blip_is_asked_again_quickly_and_not_reported(
    woodpecker: WoodpeckerSimulator, client: Client, blip: faults.HttpFault
) -> None:
    woodpecker.push("acme/app", "main", SHA, timelines.make_green())
    woodpecker.fail(FaultRule(fault=blip, last=MAX_ATTEMPTS - 2))
    assert len(value(client(woodpecker).pipelines(APP, within=HANG_S))) == 1
    assert woodpecker.count("pipelines") == MAX_ATTEMPTS


@pytest.mark.parametrize("blip", BLIPS[:2], ids=str)
def test_tries_within_one_poll_are_few(woodpecker: WoodpeckerSimulator, client: Client, blip: faults.HttpFault) -> None:
    woodpecker.fail(FaultRule(fault=blip))
    assert isinstance(client(woodpecker).pipelines(APP, within=HANG_S), Unavailable)
    assert woodpecker.count("pipelines") == MAX_ATTEMPTS == 3


ONCE: list[tuple[faults.HttpFault, FailureKind]] = [
    (faults.StatusFault(code=500), FailureKind.STATUS),
    (faults.StatusFault(code=429, retry_after=2), FailureKind.STATUS),
    (faults.BAD_GATEWAY, FailureKind.STATUS),
    (faults.WEB_PAGE, FailureKind.FOREIGN),
    (faults.Redirect("https://sso.example.test"), FailureKind.FOREIGN),
    (faults.Hang(FaultPoint.BEFORE), FailureKind.TIMEOUT),
]


@pytest.mark.parametrize(("fault", "kind"), ONCE, ids=str)
def test_a_failure_that_a_quick_retry_cannot_fix_is_left_to_the_watch(
    woodpecker: WoodpeckerSimulator, client: Client, fault: faults.HttpFault, kind: FailureKind
) -> None:
    woodpecker.fail(FaultRule(fault=fault))
    found = client(woodpecker).pipelines(APP, within=0.5 if kind is FailureKind.TIMEOUT else HANG_S)
    assert isinstance(found, Unavailable)
    assert found.kind is kind
    assert woodpecker.count() <= 1


def test_a_restart_is_asked_once_whatever_comes(woodpecker: WoodpeckerSimulator, client: Client) -> None:
    """A 500 or a reset may come after the row was made: twice would be two runs."""
    for fault in (faults.StatusFault(code=500), faults.Cut(FaultPoint.BEFORE), faults.BodyFault()):
        woodpecker.fail(FaultRule(fault=fault, method="POST"))
        assert isinstance(client(woodpecker).restart(APP, run_ref(1), within=HANG_S), Unavailable)
        assert isinstance(client(woodpecker).start(APP, "main", within=HANG_S), Unavailable)
    assert woodpecker.count(method="POST") == 6


def facts(row: Pipeline) -> Pipeline:
    """A pipeline without what differs from server to server."""
    flows = tuple(flow._replace(steps=tuple(step._replace(kind="") for step in flow.steps)) for flow in row.workflows)
    return row._replace(reports_cancellation=False, workflows=flows)


def test_a_server_of_version_2_8_is_read_as_one_of_today(clock: FakeClock, client: Client) -> None:
    """Names of times changed with 3.0, and more was added since."""
    found = []
    for version in ("2.8.3", "3.17.0"):
        clock.time = 0.0
        with serving(clock, version) as woodpecker:
            woodpecker.push("acme/app", "main", SHA, timelines.make_red(exit_code=3, error="boom"))
            clock.sleep(5)
            ci = client(woodpecker)
            found.append(
                (
                    facts(value(ci.pipelines(APP, within=HANG_S))[0]),
                    facts(value(ci.pipeline(APP, run_ref(1), within=HANG_S))),
                )
            )
    assert found[0] == found[1]
    detail = found[0][1]
    assert detail.created > 0
    assert detail.duration_s == 1
    assert [step.exit_code for step in detail.workflows[0].steps] == [0, 3, 0]
