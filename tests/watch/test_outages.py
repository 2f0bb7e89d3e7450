"""What servers, networks and laptops go through: the right word in the end, on a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from homelab_hooks.events import ContactLost, ContactRestored, Event, PipelineChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.programs import find_free_port
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.support.listener import Listener
from tests.watch.random_history import OLDER, OURS
from tests.watch.run_over_sockets import CiLocation, Watching, watch
from tests.watch.shared_clock import SharedClock

LIST = r"pipelines\?"
DETAIL = r"pipelines/\d"
LOCKED = (
    FaultRule(fault=faults.LOCKED_DATABASE, path="/api/"),
    FaultRule(fault=faults.StatusFault(code=500, body=b"database is locked", after=5.0), path="healthz"),
)


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator) -> Callable[..., None]:
    """`push(script, ...)`: our commit's pipeline."""

    def one(script: PipelineTimeline, **facts: object) -> None:
        woodpecker.push("acme/app", "main", OURS, script, **facts)

    return one


Push = Callable[..., None]
PATIENT = Watching(seconds=(120, 20, 90))


@pytest.mark.slow
def test_rows_that_come_and_go_are_followed(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green(seconds=20))
    woodpecker.fail(FaultRule(fault=faults.MissingPipelines(), path=LIST, first=1, every=2))
    assert watch(woodpecker).verdict.exit is ExitCode.OK


@pytest.mark.slow
def test_a_row_that_vanishes_for_good_is_undecided_and_no_absence(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green(seconds=20))
    woodpecker.fail(FaultRule(fault=faults.MissingPipelines(), path="pipelines", since=5))
    ended = watch(woodpecker, Watching(seconds=(30, 10, 10)))
    assert ended.verdict.exit is ExitCode.TIMEOUT
    assert "#1 is running" in ended.verdict.reason


@pytest.mark.slow
def test_answers_from_the_past_delay_the_verdict_and_do_not_change_it(
    woodpecker: WoodpeckerSimulator, push: Push
) -> None:
    push(timelines.make_red(seconds=8))
    woodpecker.fail(FaultRule(fault=faults.StaleAnswer(4.0), path="pipelines", first=2))
    ended = watch(woodpecker)
    assert ended.verdict.exit is ExitCode.FAILED
    statuses = [event.status for event in ended.events if isinstance(event, PipelineChanged)]
    assert len(statuses) == len(set(statuses))


def test_a_number_that_is_used_again_for_another_commit_is_not_followed(
    woodpecker: WoodpeckerSimulator, push: Push
) -> None:
    push(timelines.make_created_then_gone(after=3))
    woodpecker.push("acme/app", "main", OLDER, timelines.make_green(seconds=2), after=4)
    ended = watch(woodpecker)
    assert ended.verdict.exit is ExitCode.NO_PIPELINE
    assert "filtered" in ended.verdict.reason


@pytest.mark.slow
def test_a_number_that_suddenly_has_another_commit_does_not_decide(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_red(seconds=8))
    woodpecker.fail(FaultRule(fault=faults.WrongCommit(OLDER), path="pipelines", since=4))
    assert watch(woodpecker, Watching(seconds=(30, 10, 10))).verdict.exit is ExitCode.TIMEOUT


def test_a_locked_database_is_ridden_out_from_the_first_request(
    woodpecker: WoodpeckerSimulator, time: SharedClock, push: Push
) -> None:
    """A valid token gets a slow 401 (recording 19-database-locked)."""
    push(timelines.make_green(seconds=4))
    woodpecker.fail(*(rule for rule in LOCKED))
    time.at(14, woodpecker.fail)
    ended = watch(woodpecker, PATIENT)
    assert ended.verdict.exit is ExitCode.OK
    assert woodpecker.count("healthz") >= 1


@pytest.mark.slow
def test_a_locked_database_is_ridden_out_later(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green(seconds=4))
    woodpecker.fail(*(FaultRule(fault=rule.fault, path=rule.path, since=2, until=30) for rule in LOCKED))
    ended = watch(woodpecker, PATIENT)
    assert ended.verdict.exit is ExitCode.OK
    assert any(isinstance(event, ContactLost) and "locked" in event.reason for event in ended.events)


@pytest.mark.slow
def test_a_database_that_stays_locked_is_unreachable_and_no_refusal(
    woodpecker: WoodpeckerSimulator, push: Push
) -> None:
    push(timelines.make_green())
    woodpecker.fail(*LOCKED)
    ended = watch(woodpecker, Watching(seconds=(120, 20, 30)))
    assert ended.verdict.exit is ExitCode.UNREACHABLE
    assert "locked" in ended.verdict.reason


def test_a_slow_refusal_of_a_server_that_is_well_is_one(woodpecker: WoodpeckerSimulator) -> None:
    woodpecker.fail(FaultRule(fault=faults.LOCKED_DATABASE, path="/api/"))
    assert watch(woodpecker, PATIENT).verdict.exit is ExitCode.DENIED
    assert woodpecker.count("healthz") == woodpecker.count("/api/user") == 2


def test_a_bad_token_ends_with_one_request(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green())
    ended = watch(woodpecker, PATIENT._replace(token="nonsense"))
    assert (ended.verdict.exit, woodpecker.count()) == (ExitCode.DENIED, 1)


@pytest.mark.slow
@pytest.mark.parametrize("script", [timelines.make_stuck(), timelines.make_pending()], ids=["running", "pending"])
def test_a_dead_agent_is_reported_and_ends_by_the_timeout(
    woodpecker: WoodpeckerSimulator, push: Push, script: PipelineTimeline
) -> None:
    woodpecker.store.workers = 0
    push(script)
    ended = watch(woodpecker, Watching(seconds=(50, 10, 10)))
    assert ended.verdict.exit is ExitCode.TIMEOUT
    assert "#1 is " in ended.verdict.reason
    assert ended.verdict.hint == "to resume, run the same command again"
    if script == timelines.make_pending():
        assert any(isinstance(event, Waiting) and "no agent" in event.reason for event in ended.events)


def test_a_lost_webhook_is_no_pipeline_with_the_remedy(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_no_pipeline())
    ended = watch(woodpecker, Watching(seconds=(60, 5, 10)))
    assert ended.verdict.exit is ExitCode.NO_PIPELINE
    assert "webhook" in ended.verdict.reason
    assert "homelab ci restart" in ended.verdict.hint


def test_a_webhook_that_comes_late_counts(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green(), after=15)
    assert watch(woodpecker, Watching(seconds=(60, 30, 10))).verdict.exit is ExitCode.OK


@pytest.mark.slow
@pytest.mark.parametrize("listen", [False, True], ids=["list", "stream"])
def test_a_server_that_restarts_in_the_middle_is_waited_for(
    woodpecker: WoodpeckerSimulator, time: SharedClock, push: Push, *, listen: bool
) -> None:
    """Its pipeline ends while it is away, and the truth comes late (recording 11c-server-restart)."""
    push(timelines.make_red(seconds=30))
    time.at(5, woodpecker.stop)
    time.at(75, woodpecker.start)
    ended = watch(woodpecker, PATIENT._replace(listen=listen))
    assert ended.verdict.exit is ExitCode.FAILED
    kinds = [type(event) for event in ended.events]
    assert kinds.index(ContactLost) < kinds.index(ContactRestored)


@pytest.mark.slow
def test_a_server_that_does_not_come_back_is_unreachable(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    push(timelines.make_green(seconds=20))

    def stop(event: Event) -> None:
        if isinstance(event, PipelineChanged) and event.status == "running":
            woodpecker.stop()

    ended = watch(woodpecker, Watching(seconds=(120, 20, 10)), tell=stop)
    assert ended.verdict.exit is ExitCode.UNREACHABLE
    assert "refused" in ended.verdict.reason


def test_a_connection_that_is_refused_is_unreachable(woodpecker: WoodpeckerSimulator) -> None:
    ended = watch(woodpecker, Watching(place=CiLocation(f"http://127.0.0.1:{find_free_port()}")))
    assert (ended.verdict.exit, woodpecker.count()) == (ExitCode.UNREACHABLE, 0)
    assert "refused" in ended.verdict.reason


@pytest.mark.slow
def test_a_name_that_means_nothing_is_unreachable(woodpecker: WoodpeckerSimulator) -> None:
    ended = watch(woodpecker, Watching(place=CiLocation("http://ci.invalid")))
    assert ended.verdict.exit is ExitCode.UNREACHABLE
    assert ended.verdict.hint


@pytest.mark.slow
@pytest.mark.parametrize("skew", [-7200.0, 5.0, 86400.0])
@pytest.mark.parametrize(
    "script", [timelines.make_green(seconds=4), timelines.make_red(seconds=4)], ids=["green", "red"]
)
def test_a_clock_that_is_wrong_changes_no_verdict(
    woodpecker: WoodpeckerSimulator, push: Push, script: PipelineTimeline, skew: float
) -> None:
    """The server's or ours: times are compared for the pace only."""
    woodpecker.push("acme/app", "main", OLDER, timelines.make_green(seconds=0.5))
    push(script, after=1)
    ended = watch(woodpecker, PATIENT._replace(skew=skew))
    assert ended.verdict.exit is (ExitCode.OK if script == timelines.make_green(seconds=4) else ExitCode.FAILED)
    assert ended.lasted < 30


@pytest.mark.parametrize(
    "fault",
    [
        faults.StatusFault(code=500),
        faults.StatusFault(code=401),
        faults.StatusFault(code=404),
        faults.WEB_PAGE,
        faults.BodyFault(content=b"null"),
        faults.Truncated(),
        faults.Mistyped(faults.WrongShape.MISSING_FIELDS),
        faults.WrongCommit(OLDER),
        faults.Cut(FaultPoint.BEFORE),
        faults.StaleAnswer(600.0),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "script", [timelines.make_green(seconds=4), timelines.make_red(seconds=4)], ids=["green", "red"]
)
@pytest.mark.slow
def test_the_list_decides_though_no_detail_is_available(
    woodpecker: WoodpeckerSimulator, push: Push, script: PipelineTimeline, fault: faults.HttpFault
) -> None:
    push(script)
    woodpecker.fail(FaultRule(fault=fault, path=DETAIL))
    assert watch(woodpecker, PATIENT).verdict.exit is (
        ExitCode.OK if script == timelines.make_green(seconds=4) else ExitCode.FAILED
    )


@pytest.mark.parametrize("path", [DETAIL, "queue"])
@pytest.mark.parametrize("moment", list(FaultPoint), ids=str)
@pytest.mark.slow
def test_a_question_that_hangs_holds_up_the_list_for_seconds_only(
    woodpecker: WoodpeckerSimulator, push: Push, path: str, moment: FaultPoint
) -> None:
    woodpecker.store.workers = 0
    push(timelines.make_green(seconds=4))
    woodpecker.fail(FaultRule(fault=faults.Hang(moment), path=path))
    assert watch(woodpecker, PATIENT).verdict.exit is ExitCode.OK


def test_harmless_oddities_are_read_as_if_nothing_were(woodpecker: WoodpeckerSimulator, push: Push) -> None:
    """Compressed without being asked for, another content type, and slow."""
    push(timelines.make_green(seconds=4))
    woodpecker.fail(
        FaultRule(fault=faults.Gzip(), every=3),
        FaultRule(fault=faults.Retyped("text/plain"), every=2),
        FaultRule(fault=faults.Slow(1.0)),
    )
    ended = watch(woodpecker, PATIENT)
    assert ended.verdict.exit is ExitCode.OK
    assert not any(isinstance(event, ContactLost) for event in ended.events)


CERTIFICATES = {
    CertificateKind.WRONG_NAME: "--dial",
    CertificateKind.EXPIRED: "renew",
    CertificateKind.NOT_YET_VALID: "clock",
    CertificateKind.UNKNOWN_CA: "--ca-file",
    CertificateKind.SELF_SIGNED: "--ca-file",
}


@pytest.mark.slow
@pytest.mark.parametrize("certificate", CERTIFICATES, ids=lambda one: one.value)
def test_a_certificate_that_does_not_verify_is_denied_and_gets_no_token(
    woodpecker: WoodpeckerSimulator, certificate: CertificateKind
) -> None:
    with LoadBalancer(woodpecker.url, path=os.environ["PATH"], certificate=certificate) as proxy:
        ended = watch(woodpecker, Watching(place=CiLocation(proxy.url, proxy.dial, proxy.ca_file)))
    assert (ended.verdict.exit, woodpecker.count()) == (ExitCode.DENIED, 0)
    assert "certificate" in ended.verdict.reason
    assert CERTIFICATES[certificate] in ended.verdict.hint


@pytest.mark.slow
def test_a_balancer_without_its_server_is_unreachable_and_back_when_it_is(
    woodpecker: WoodpeckerSimulator, push: Push
) -> None:
    push(timelines.make_green(seconds=8))
    with LoadBalancer(woodpecker.url, path=os.environ["PATH"]) as proxy:
        place = CiLocation(proxy.url, proxy.dial, proxy.ca_file)
        woodpecker.stop()
        gone = watch(woodpecker, Watching(place=place))
        woodpecker.start()
        back = watch(woodpecker, Watching(place=place))
    assert (gone.verdict.exit, back.verdict.exit) == (ExitCode.UNREACHABLE, ExitCode.OK)
    assert "502" in gone.verdict.reason


ALERT = bytes.fromhex("15030300020228")  # fatal: handshake_failure


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ALERT, ExitCode.UNREACHABLE),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ExitCode.DENIED),
        (b"", ExitCode.UNREACHABLE),
    ],
    ids=["alert", "http", "closed"],
)
def test_a_handshake_that_fails_is_not_a_bad_certificate(
    woodpecker: WoodpeckerSimulator, said: bytes, expected: ExitCode
) -> None:
    """A port without TLS is a wrong address."""

    def answer(near: socket.socket) -> None:
        with near:
            near.recv(4096)
            near.sendall(said)

    with closing(Listener(answer)) as door:
        ended = watch(woodpecker, Watching(place=CiLocation("https://ci.example.test", f"127.0.0.1:{door.port}")))
    assert ended.verdict.exit is expected, ended.verdict
    assert "certificate" not in ended.verdict.reason
