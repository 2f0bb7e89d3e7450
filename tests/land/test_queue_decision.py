"""Whether a landing may push to a busy branch: the table of the module, row by row."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.land.queue_decision import (
    Occupants,
    PushNow,
    RefusePush,
    TargetTip,
    WaitForEnd,
    decide_push,
    describe_occupants,
    find_occupants,
    find_usual_duration,
    select_pushes,
)

TIP, OLDER = "a" * 40, "b" * 40


def row(number: int, status: Status = Status.RUNNING, commit: str = TIP, **facts: object) -> Pipeline:
    known = {"event": "push", "ref": "refs/heads/main", "branch": "main", "author": "bob", **facts}
    return Pipeline(RunRef(number, f"#{number}"), number, "main", commit=commit, status=status, **known)  # type: ignore[arg-type]  # a test's shorthand


BUSY = Occupants((row(141),))
AWAITED = Occupants(awaited_tip=TIP)


@pytest.mark.parametrize(
    ("occupants", "setting", "cancels", "sign", "expected"),
    [
        (Occupants(), WhenBusy.AUTO, True, "a sign", PushNow),
        (Occupants(), WhenBusy.WAIT, True, "a sign", PushNow),
        (Occupants(), WhenBusy.REFUSE, True, "a sign", PushNow),
        (BUSY, WhenBusy.PUSH, True, "a sign", PushNow),
        (BUSY, WhenBusy.REFUSE, False, "", RefusePush),
        (BUSY, WhenBusy.WAIT, False, "", WaitForEnd),
        (BUSY, WhenBusy.AUTO, True, "a sign", WaitForEnd),
        (BUSY, WhenBusy.AUTO, True, "", PushNow),
        (BUSY, WhenBusy.AUTO, False, "a sign", PushNow),
        (AWAITED, WhenBusy.AUTO, True, "a sign", WaitForEnd),
        (AWAITED, WhenBusy.AUTO, True, "", PushNow),
        (AWAITED, WhenBusy.WAIT, False, "", WaitForEnd),
        (AWAITED, WhenBusy.REFUSE, False, "", RefusePush),
    ],
)
def test_the_setting_decides_about_a_busy_branch(
    occupants: Occupants,
    setting: WhenBusy,
    cancels: bool,  # noqa: FBT001 - a column of the table
    sign: str,
    expected: type,
) -> None:
    assert type(decide_push(occupants, setting, branch="main", cancels=cancels, sign=sign)) is expected


def test_a_push_to_a_busy_branch_names_what_runs_and_what_becomes_of_it() -> None:
    notes = [
        decide_push(BUSY, setting, branch="main", cancels=cancels, sign="")
        for setting, cancels in ((WhenBusy.PUSH, True), (WhenBusy.AUTO, True), (WhenBusy.AUTO, False))
    ]
    runs = "main is busy: #141 of aaaaaaaaaa by bob (running); "
    assert notes == [
        PushNow(f"{runs}CI will cancel it"),
        PushNow(f"{runs}the next pipeline repeats its work"),
        PushNow(f"{runs}CI does not cancel it"),
    ]


@pytest.mark.parametrize(
    ("rows", "tip", "appeared", "expected"),
    [
        ((), TargetTip(TIP, since=95.0), frozenset(), TIP),
        ((), TargetTip(TIP, since=80.0), frozenset(), ""),
        ((), TargetTip(TIP, since=95.0, gets_no_pipeline="its message contains [ci skip]"), frozenset(), ""),
        ((), TargetTip(TIP, since=95.0), frozenset({TIP}), ""),
        ((), TargetTip(), frozenset(), ""),
        ((row(2, Status.SUCCESS),), TargetTip(TIP, since=95.0), frozenset(), ""),
        ((row(2, Status.SUCCESS, OLDER),), TargetTip(TIP, since=95.0), frozenset(), TIP),
    ],
)
def test_a_new_tip_occupies_the_branch_until_its_pipeline_has_appeared(
    rows: tuple[Pipeline, ...], tip: TargetTip, appeared: frozenset[str], expected: str
) -> None:
    """For the appear-timeout at most; not if it gets none, or its pipeline has vanished again."""
    assert find_occupants(rows, tip, appeared=appeared, now=100.0, appear_s=10.0) == Occupants((), expected)


def test_each_active_push_pipeline_of_the_branch_occupies_it() -> None:
    """Not only the tip's; blocked ones too, because an approved newer one cancels them (recording 09-approval)."""
    active = [row(7, Status.BLOCKED), row(6, Status.PENDING), row(5, Status.UNKNOWN, OLDER), row(4, Status.CREATED)]
    others = [row(9, event="tag"), row(8, branch="topic"), row(3, Status.KILLED), row(2, Status.SUCCESS)]
    found = find_occupants(
        select_pushes([*active, *others], "main"), TargetTip(), appeared=frozenset(), now=0, appear_s=0
    )
    assert found.active == tuple(active)
    assert describe_occupants(found, 240.0) == (
        "#7 of aaaaaaaaaa by bob (waiting for approval), #6 of aaaaaaaaaa by bob (pending), "
        "#5 of bbbbbbbbbb by bob (unknown), 1 more pipeline; usually 4m00s"
    )


def test_the_usual_duration_is_the_median_of_successful_pipelines() -> None:
    took = [row(n, Status.SUCCESS, started=100, finished=100 + seconds) for n, seconds in enumerate((30, 10, 20, 500))]
    assert find_usual_duration([row(9, Status.FAILURE, started=1, finished=2), *took[:3]]) == 20.0
    assert find_usual_duration([]) is None
