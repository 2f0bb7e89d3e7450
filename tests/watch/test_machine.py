"""What a watch must know, one sentence a test, hours in milliseconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab_hooks.ci.model import Cancellation, Pipeline, QueueInfo, Status
from homelab_hooks.events import REMOVED_STATUS, ContactLost, ContactRestored, PipelineChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchScope, WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OLDER, OURS, PipelineCourse, RandomHistory, Trouble
from tests.watch.simulate import watch

RUNS = ((0.0, Status.CREATED), (1.0, Status.PENDING), (2.0, Status.RUNNING))
GREEN = (*RUNS, (30.0, Status.SUCCESS))
RED = (*RUNS, (30.0, Status.FAILURE))


def row(number: int = 1, life: tuple[tuple[float, Status], ...] = GREEN, **more: object) -> PipelineCourse:
    return replace(PipelineCourse(number=number, commit=OURS, life=life), **more)  # type: ignore[arg-type]  # a test's shorthand


def history(
    *rows: PipelineCourse, troubles: tuple[Trouble, ...] = (), scope: WatchScope | None = None
) -> RandomHistory:
    return RandomHistory(rows=rows, troubles=troubles, scope=scope or scope_of(OURS))


def after(*looks: Poll[CiObservation], every: float = 1.0, state: CiWatchState | None = None) -> CiWatchState:
    """The state after these looks, one each `every` seconds."""
    found = state or CiWatchState(scope=scope_of(OURS))
    for number, look in enumerate(looks):
        found = decide_watch(found, look, number * every).state
    return found


def seen(*rows: Pipeline, details: tuple[Pipeline, ...] = (), queue: QueueInfo | None = None) -> Found[CiObservation]:
    return Found(CiObservation(rows=rows, details=details, queue=queue))


def pipeline(status: Status, number: int = 1, **more: object) -> Pipeline:
    base = Pipeline(
        run=run_ref(number),
        number=number,
        group=("push", "refs/heads/main"),
        event="push",
        ref="refs/heads/main",
        branch="main",
        commit=OURS,
        status=status,
        reports_cancellation=True,
    )
    found = base._replace(**more)  # type: ignore[arg-type]  # a test's shorthand
    return found._replace(group=(found.event, found.ref))


@pytest.mark.parametrize(
    ("end", "exit_"),
    [
        (Status.SUCCESS, ExitCode.OK),
        (Status.FAILURE, ExitCode.FAILED),
        (Status.ERROR, ExitCode.FAILED),
        (Status.KILLED, ExitCode.CANCELLED),
        (Status.CANCELED, ExitCode.CANCELLED),
        (Status.DECLINED, ExitCode.CANCELLED),
        (Status.BLOCKED, ExitCode.BLOCKED),
        (Status.SKIPPED, ExitCode.NO_PIPELINE),
    ],
)
def test_every_final_status_has_its_code(end: Status, exit_: ExitCode) -> None:
    before = Status.BLOCKED if end is Status.BLOCKED else Status.PENDING  # a blocked one was never anything else

    run = watch(history(row(life=((0.0, before), (30.0, end)))))

    assert run.verdict.exit is exit_
    assert run.ended < 40


@pytest.mark.parametrize("status", [Status.CREATED, Status.PENDING, Status.RUNNING, Status.UNKNOWN])
def test_an_undecided_status_ends_by_the_timeout_only(status: Status) -> None:
    run = watch(history(row(life=((0.0, status),))), WatchTimeouts(overall=3600))

    assert run.verdict.exit is ExitCode.TIMEOUT
    assert 3599 <= run.ended <= 3602


def test_an_approval_that_is_missing_is_not_a_success() -> None:
    """Defect 25: `blocked` was taken for success."""
    run = watch(history(row(life=((0.0, Status.BLOCKED),))))

    assert run.verdict.exit is ExitCode.BLOCKED
    assert "approv" in run.verdict.hint


def test_skipped_and_unknown_statuses_do_not_wait_for_ever() -> None:
    """Defect 26: a status that was not on the list waited for twenty minutes."""
    assert watch(history(row(life=((0.0, Status.SKIPPED),)))).ended < 10
    assert (
        watch(history(row(life=((0.0, Status.UNKNOWN),))), WatchTimeouts(overall=60)).verdict.exit is ExitCode.TIMEOUT
    )


def test_a_refused_token_ends_at_once() -> None:
    """Defect 27: an expired token waited for twenty minutes."""
    assert (
        decide_watch(CiWatchState(scope=scope_of(OURS)), Denied("refused", hint="renew it"), 0.0).state.verdict
        is not None
    )


def test_only_the_target_branch_and_the_full_sha_decide_for_a_landing() -> None:
    """Defect 28: the first prefix match among the newest rows won, whatever its event or branch."""
    scope = WatchScope(sha=OURS, events=frozenset({"push"}), branch="main")
    cron = row(9, RED, event="cron")
    lookalike = replace(row(8, RED), commit=OURS[:39] + "b")

    run = watch(history(row(1), cron, lookalike, scope=scope))

    assert run.verdict.exit is ExitCode.OK
    assert [p.number for p in run.verdict.pipelines] == [1]
    assert any(isinstance(e, PipelineChanged) and e.number == 9 and not e.deciding for e in run.events)


def test_no_pipeline_is_said_after_the_appear_timeout() -> None:
    """Defect 29: no pipeline at all waited for twenty minutes and was called red."""
    run = watch(history(), WatchTimeouts(appear=120))

    assert run.verdict.exit is ExitCode.NO_PIPELINE
    assert 119 <= run.ended <= 122


def test_the_time_that_ci_may_take_is_a_setting() -> None:
    """Defect 30: twenty minutes were fixed."""
    assert watch(history(row(life=RUNS)), WatchTimeouts(overall=7200)).ended >= 7199


def test_an_inactive_repository_is_said_at_once() -> None:
    look = Found(CiObservation(repo_active=False))

    state = decide_watch(CiWatchState(scope=scope_of(OURS)), look, 0.0).state

    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.NO_PIPELINE


def test_a_green_pipeline_with_a_red_workflow_has_failed() -> None:
    run = watch(history(row(red=True)))

    assert run.verdict.exit is ExitCode.FAILED
    assert "reported success" in run.verdict.reason


def test_the_steps_of_another_commit_under_the_same_number_are_not_believed() -> None:
    other = pipeline(Status.SUCCESS, commit=OLDER)
    assert after(seen(pipeline(Status.SUCCESS), details=(other,))).tracks[0].detail is None
    own = pipeline(Status.SUCCESS)
    assert after(seen(own, details=(own,))).tracks[0].detail == own


def test_a_detail_that_never_comes_changes_no_verdict() -> None:
    always = (Trouble(since=0, until=1e9, kind="no-detail"),)

    assert watch(history(row(), troubles=always)).verdict.exit is ExitCode.OK
    assert watch(history(row(life=RED), troubles=always)).verdict.exit is ExitCode.FAILED


def test_a_step_that_cancels_the_rest_is_a_failure_and_a_person_is_not() -> None:
    killed = (*RUNS, (30.0, Status.KILLED))

    by_step = watch(history(row(life=killed, stopped=Cancellation(by_step="boom"))))
    by_user = watch(history(row(life=killed, stopped=Cancellation(by_user="alice"))))

    assert by_step.verdict.exit is ExitCode.FAILED
    assert "boom" in by_step.verdict.reason
    assert by_user.verdict.exit is ExitCode.CANCELLED
    assert "alice" in by_user.verdict.reason


def test_what_a_restart_kept_of_an_old_cancel_does_not_count() -> None:
    """Recording 10: a success that carries the cancel_info of the pipeline it restarted."""
    state = after(seen(pipeline(Status.SUCCESS, cancellation=Cancellation(by_user="alice"))), every=10.0)
    state = decide_watch(state, seen(pipeline(Status.SUCCESS, cancellation=Cancellation(by_user="alice"))), 10.0).state

    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.OK


def test_a_restart_replaces_the_older_number_during_the_watch() -> None:
    run = watch(history(row(1, RUNS), row(2, ((10.0, Status.PENDING), (40.0, Status.FAILURE)))))

    assert run.verdict.exit is ExitCode.FAILED
    assert [p.number for p in run.verdict.pipelines] == [2]


def test_a_newer_pipeline_that_contains_our_commit_is_followed() -> None:
    killed = (*RUNS, (30.0, Status.KILLED))
    newer = PipelineCourse(number=2, commit=NEWER, life=((29.8, Status.PENDING), (60.0, Status.SUCCESS)))

    run = watch(history(row(life=killed, stopped=Cancellation(superseded_by=run_ref(2))), newer))

    assert run.verdict.exit is ExitCode.OK
    assert [p.number for p in run.verdict.pipelines] == [1, 2]
    assert any(isinstance(e, PipelineChanged) and "contains" in e.note for e in run.events)


def test_a_newer_pipeline_that_does_not_contain_our_commit_supersedes_it() -> None:
    """Also when the newer one is the restart of an older commit (recording 10b)."""
    killed = (*RUNS, (30.0, Status.KILLED))
    newer = PipelineCourse(number=2, commit=OLDER, life=((29.8, Status.PENDING), (60.0, Status.SUCCESS)))

    run = watch(history(row(life=killed, stopped=Cancellation(superseded_by=run_ref(2))), newer))

    assert run.verdict.exit is ExitCode.SUPERSEDED
    assert run.ended < 40


def test_before_3_14_a_killed_pipeline_with_a_newer_one_on_the_branch_is_superseded() -> None:
    old = pipeline(Status.KILLED, reports_cancellation=False)
    newer = pipeline(Status.RUNNING, number=2, commit=OLDER, reports_cancellation=False)

    state = after(seen(old, newer))

    assert state.query.commits == (OLDER,)


def test_a_created_row_that_goes_away_is_no_pipeline_and_its_number_is_not_followed() -> None:
    gone = row(5, ((1.0, Status.CREATED),), gone_at=4.0)
    taken = PipelineCourse(number=5, commit=OLDER, life=((5.0, Status.PENDING), (9.0, Status.FAILURE)))

    run = watch(history(gone, taken), WatchTimeouts(appear=30))

    assert run.verdict.exit is ExitCode.NO_PIPELINE
    assert run.state.vanished == (run_ref(5),)
    assert run.verdict.pipelines == ()
    told = [event for event in run.events if isinstance(event, PipelineChanged)]
    assert [(event.number, event.status) for event in told] == [(5, "created"), (5, REMOVED_STATUS)]
    assert told[-1].url == "", "the page is another commit's by now"
    assert "filtered" in run.verdict.reason


def test_from_pending_on_no_answer_un_sees_a_pipeline() -> None:
    state = after(seen(pipeline(Status.PENDING)), seen(), seen(), seen(), NotFound())

    assert [thread.number for thread in state.tracks] == [1]


def test_an_older_answer_does_not_turn_time_back() -> None:
    state = after(seen(pipeline(Status.RUNNING)), seen(pipeline(Status.PENDING)))

    assert state.tracks[0].pipeline.status is Status.RUNNING


def test_a_flap_is_ridden_out_and_reported_once() -> None:
    away = Trouble(since=5, until=100, kind="missed")

    run = watch(history(row(), troubles=(away,)), WatchTimeouts(unreachable=180))

    assert run.verdict.exit is ExitCode.OK
    assert len([e for e in run.events if isinstance(e, ContactLost)]) == 1
    assert len([e for e in run.events if isinstance(e, ContactRestored)]) == 1


def test_no_usable_answer_for_the_whole_timeout_is_unreachable() -> None:
    run = watch(history(row(), troubles=(Trouble(since=0, until=1e9, kind="missed"),)), WatchTimeouts(unreachable=180))

    assert run.verdict.exit is ExitCode.UNREACHABLE
    assert 179 <= run.ended <= 182


def test_a_verdict_that_comes_with_the_last_poll_counts() -> None:
    """Settle first, then count time."""
    state = decide_watch(CiWatchState(scope=scope_of(OURS), timeouts=WatchTimeouts(overall=10)), seen(), 0.0).state

    ended = decide_watch(state, seen(pipeline(Status.SUCCESS), details=(pipeline(Status.SUCCESS),)), 10.0).state

    assert ended.verdict is not None
    assert ended.verdict.exit is ExitCode.OK


def test_web_pages_are_no_woodpecker_only_where_no_answer_ever_came() -> None:
    page = Unavailable("a web page", FailureKind.FOREIGN)

    never = after(page, page, page)
    later = after(seen(pipeline(Status.RUNNING)), page, page, page, page)

    assert never.verdict is not None
    assert never.verdict.exit is ExitCode.DENIED
    assert later.verdict is None


def test_a_refusal_after_it_had_worked_is_tried_again_first() -> None:
    worked = seen(pipeline(Status.RUNNING))
    no = Denied("refused")

    assert after(worked, *[no] * 20, every=5.0).verdict is None
    ended = after(worked, *[no] * 40, every=5.0).verdict
    assert ended is not None
    assert ended.exit is ExitCode.DENIED


def test_a_slow_refusal_is_asked_again() -> None:
    slow = Denied("refused", slow=True)

    assert after(slow).verdict is None
    assert after(slow, slow).verdict is not None
    assert after(slow, seen(pipeline(Status.RUNNING))).verdict is None


def test_a_certificate_that_does_not_verify_ends_at_once_whatever_was_before() -> None:
    untrusted = Denied("the certificate does not verify", final=True)

    assert after(seen(pipeline(Status.RUNNING)), untrusted).verdict is not None


def test_retry_after_is_honored_within_the_timeout() -> None:
    step = decide_watch(
        CiWatchState(scope=scope_of(OURS)), Unavailable("429", FailureKind.STATUS, retry_after=40.0), 0.0
    )
    far = decide_watch(
        CiWatchState(scope=scope_of(OURS)), Unavailable("429", FailureKind.STATUS, retry_after=4000.0), 0.0
    )

    assert (step.delay, step.request_at) == (5.0, 40.0)
    assert (far.delay, far.request_at) == (5.0, 180.0)


def test_waits_back_off_with_jitter_and_stay_bounded() -> None:
    run = watch(history(troubles=(Trouble(since=0, until=1e9, kind="missed"),)), WatchTimeouts(unreachable=600))
    gaps = [b - a for a, b in zip(run.looks, run.looks[1:], strict=False)]

    assert gaps[0] < 1
    assert max(gaps) <= 15.1
    assert len({round(gap, 3) for gap in gaps[6:]}) > 5


def test_several_deciding_pipelines_are_waited_for_and_the_worst_counts() -> None:
    push, tag = row(1, RED), row(2, (*GREEN[:-1], (90.0, Status.SUCCESS)), event="tag", ref="refs/tags/v1")

    both = watch(history(push, tag))

    assert both.verdict.exit is ExitCode.FAILED
    assert both.ended >= 90


def test_fail_fast_ends_at_the_first_red_one() -> None:
    slow = pipeline(Status.RUNNING, number=2, event="tag", ref="refs/tags/v1")
    red = pipeline(Status.FAILURE)

    state = after(seen(red, slow, details=(red,)), state=CiWatchState(scope=scope_of(OURS), fail_fast=True))

    assert state.verdict is not None
    assert state.verdict.exit is ExitCode.FAILED


def test_an_unknown_status_is_warned_about_once() -> None:
    odd = pipeline(Status.UNKNOWN, raw_status="quantum")
    state, first, _ = _turn(CiWatchState(scope=scope_of(OURS)), seen(odd), 0.0)
    state, second, _ = _turn(state, seen(odd), 1.0)

    assert any("quantum" in str(event) for event in first)
    assert not any("unknown to this version" in str(event) for event in second)


def test_a_quiet_watch_says_a_word_a_minute() -> None:
    run = watch(history(row(life=RUNS)), WatchTimeouts(overall=660))

    assert 8 <= len([e for e in run.events if isinstance(e, Waiting)]) <= 12


def test_ten_minutes_without_any_change_are_said_with_a_remedy() -> None:
    run = watch(history(row(life=RUNS)), WatchTimeouts(overall=1300))

    events = [e for e in run.events if isinstance(e, Waiting) and "without a change" in e.reason]
    assert events
    assert "restart" in events[0].remedy


@pytest.mark.parametrize(
    ("queue", "word"),
    [
        (QueueInfo(workers=0, pending=1, running=0, paused=False), "no agent"),
        (QueueInfo(workers=2, pending=1, running=0, paused=True), "paused"),
        (QueueInfo(workers=2, pending=3, running=2, paused=False), "busy"),
    ],
)
def test_thirty_seconds_of_pending_are_explained_by_the_queue(queue: QueueInfo, word: str) -> None:
    waits = pipeline(Status.PENDING)
    state = after(seen(waits), seen(waits), every=30.0)
    assert state.query.queue

    _, events, _ = _turn(state, seen(waits, queue=queue), 100.0)

    assert any(isinstance(event, Waiting) and word in event.reason for event in events)


def _turn(
    state: CiWatchState, look: Poll[CiObservation], now: float
) -> tuple[CiWatchState, tuple[object, ...], float | None]:
    step = decide_watch(state, look, now)
    return step.state, step.events, step.delay
