"""Which pipeline may replace a cancelled one: a newer one, so that no response is followed in a circle."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from homelab_hooks.ci.model import Cancellation, Status
from homelab_hooks.ci.woodpecker.parse import parse_pipeline
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.watch.state import WatchTimeouts
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, OLDER, OURS, PipelineCourse, RandomHistory
from tests.watch.simulate import watch

KILLED = ((0.0, Status.PENDING), (1.0, Status.RUNNING), (5.0, Status.KILLED))
PASSED = ((0.0, Status.PENDING), (4.0, Status.SUCCESS))


@dataclass(frozen=True)
class Circle:
    """Rows that name each other, and the result: the pipelines that are shown in it."""

    rows: tuple[PipelineCourse, ...]
    pipelines: list[int]


def killed(number: int, by: int, commit: str = OURS) -> PipelineCourse:
    return PipelineCourse(number=number, commit=commit, life=KILLED, stopped=Cancellation(superseded_by=run_ref(by)))


CIRCLES = {
    "itself": Circle((killed(1, 1),), [1]),
    "two": Circle((killed(1, 2), killed(2, 1)), [2]),
    "three of other commits": Circle((killed(1, 2), killed(2, 3, NEWER), killed(3, 1, NEWER)), [1, 3]),
    "an older own one": Circle((PipelineCourse(number=1, commit=OURS, life=PASSED), killed(2, 1)), [2]),
    "an older one of another commit": Circle((PipelineCourse(number=1, commit=OLDER, life=PASSED), killed(2, 1)), [2]),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_pipeline_that_no_newer_one_replaced_was_cancelled(name: str) -> None:
    run = watch(RandomHistory(rows=CIRCLES[name].rows, troubles=(), scope=scope_of(OURS)), WatchTimeouts(overall=120))

    assert run.verdict.exit is ExitCode.CANCELLED
    assert [row.number for row in run.verdict.pipelines] == CIRCLES[name].pipelines
    assert run.ended < 40
    notes = [note for event in run.events if (note := getattr(event, "note", ""))]
    assert len(notes) == len(set(notes))


@pytest.mark.parametrize("reported", [7, 6, 0, -3, "8", [8], True, 2**70, None, 8.0])
def test_what_is_not_the_number_of_a_newer_pipeline_supersedes_nothing(reported: object) -> None:
    """The field explains a status and never decides, so a wrong one does not make the response unusable."""
    raw = {"number": 7, "event": "push", "commit": OURS, "status": "killed", "cancel_info": {"superseded_by": reported}}
    found = parse_pipeline(raw).cancellation
    assert found is not None
    assert found.superseded_by is None
