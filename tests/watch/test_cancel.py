"""`homelab ci cancel`: what it cancels, and how a cancel without an answer is settled."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import Status
from homelab_hooks.cli.commands.ci.cancel import build_verdict
from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.cancel_plan import CANCEL_TIMEOUT_S, select_cancellable
from homelab_hooks.watch.cancel_request import CancelOutcome, cancel_pipelines
from tests.ci.values import run_ref
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

CANCEL_PATH = "/api/repos/8/pipelines/1/cancel"
LOST = RequestFailed(FailureKind.TIMEOUT, "no complete response within 15 s")


def running() -> InMemoryWoodpecker:
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_stuck())
    woodpecker.clock.t = 5.0
    return woodpecker


def cancel(woodpecker: InMemoryWoodpecker) -> tuple[CancelOutcome, list[str]]:
    events: list[Event] = []
    seen = woodpecker.survey()
    assert seen.repo is not None
    outcome = cancel_pipelines(
        select_cancellable(seen), woodpecker.ci, seen.repo, clock=woodpecker.clock, emit=events.append
    )
    return outcome, [event.text for event in events if isinstance(event, Log)]


def test_all_running_pipelines_of_the_commit_are_cancelled_and_no_others() -> None:
    """A scheduled one counts too, which does not decide; one that needs approval, or has ended, does not."""
    woodpecker = running()
    woodpecker.push(timelines.make_stuck(), event="cron", at=1.0)
    woodpecker.push(timelines.make_blocked(), event="pull_request", ref="refs/pull/1/head", at=1.0)
    woodpecker.push(timelines.make_stuck(), sha=NEWER, branch="other", ref="refs/heads/other", at=1.0)
    outcome, told = cancel(woodpecker)
    assert [row.run for row in outcome.cancelled] == [run_ref(1), run_ref(2)]
    assert told == ["#1 was cancelled", "#2 was cancelled"]
    statuses = {row.run: row.status for row in woodpecker.survey().rows}
    assert [statuses[run_ref(n)] for n in (1, 2, 3, 4)] == [
        Status.KILLED, Status.KILLED, Status.BLOCKED, Status.RUNNING,
    ]  # fmt: skip


@pytest.mark.parametrize("has_effect", [True, False])
def test_a_cancel_whose_answer_is_lost_is_settled_by_asking(has_effect: bool) -> None:  # noqa: FBT001 - two cases
    """If it took effect it is not sent again; if it did not, it is."""
    woodpecker = running()
    woodpecker.effect = has_effect
    woodpecker.bad = lambda path, _: LOST if path == CANCEL_PATH and len(woodpecker.posts) == 1 else None
    outcome, _ = cancel(woodpecker)
    assert [row.run for row in outcome.cancelled] == [run_ref(1)]
    assert woodpecker.posts == [CANCEL_PATH] * (1 if has_effect else 2)


def test_a_pipeline_that_ended_before_its_cancel_is_not_cancelled() -> None:
    """The server refuses with 400 (recording 07b-cancel-race); the status it had reached is reported."""
    woodpecker = InMemoryWoodpecker(stream="")
    woodpecker.push(timelines.make_green(30))
    woodpecker.clock.t = 5.0
    seen = woodpecker.survey()
    assert seen.repo is not None
    woodpecker.clock.t = 600.0
    events: list[Event] = []
    outcome = cancel_pipelines(
        select_cancellable(seen), woodpecker.ci, seen.repo, clock=woodpecker.clock, emit=events.append
    )
    assert (outcome.cancelled, [row.run for row in outcome.ended]) == ((), [run_ref(1)])
    assert [event.text for event in events if isinstance(event, Log)] == ["#1 had already ended: success"]
    assert build_verdict(outcome, seen, OURS).label == "nothing"


def test_a_server_that_never_confirms_a_cancel_is_unreachable() -> None:
    woodpecker = running()
    woodpecker.effect = False
    seen = woodpecker.survey()
    assert seen.repo is not None
    woodpecker.bad = lambda _path, _t: HttpResponse(502, {}, b"", 0.1)
    begin = woodpecker.clock.t
    outcome = cancel_pipelines(
        select_cancellable(seen), woodpecker.ci, seen.repo, clock=woodpecker.clock, emit=lambda _: None
    )
    assert [problem.exit for problem in outcome.problems] == [ExitCode.UNREACHABLE]
    assert CANCEL_TIMEOUT_S <= woodpecker.clock.t - begin < CANCEL_TIMEOUT_S + 5
    assert woodpecker.posts == [CANCEL_PATH]


def test_without_push_access_nothing_is_cancelled() -> None:
    woodpecker = running()
    woodpecker.token = "carol-token"
    outcome, _ = cancel(woodpecker)
    (problem,) = outcome.problems
    assert (problem.exit, "no push access" in problem.message) == (ExitCode.DENIED, True)


def test_a_page_in_place_of_a_confirmation_is_not_believed() -> None:
    """A proxy's 204 has not Woodpecker's header, and its page is no answer; the pipeline's status decides."""
    woodpecker = running()
    woodpecker.effect = False
    woodpecker.bad = lambda path, _: (
        HttpResponse(204, {}, b"", 0.1) if path == CANCEL_PATH and len(woodpecker.posts) == 1 else None
    )
    outcome, _ = cancel(woodpecker)
    assert (len(outcome.cancelled), len(woodpecker.posts)) == (1, 2)
