"""What a landing does after the answer to a merge, and after a look at the target: pure decisions."""

from __future__ import annotations

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.merge_outcome import MergeNext, MergeOutcome
from homelab_hooks.forge.merge_settlement import Settlement
from homelab_hooks.land.merge_decision import (
    LandAnew,
    LookAtTarget,
    MergeConfirmed,
    MergeUnknown,
    NotMerged,
    SendAgain,
    decide_after_answer,
    decide_settled,
)


@pytest.mark.parametrize(
    ("next_", "elapsed_s", "retry_after", "expected"),
    [
        (MergeNext.MERGED, 0.0, None, LookAtTarget),
        (MergeNext.SETTLE, 0.0, None, LookAtTarget),
        (MergeNext.TARGET_MOVED, 0.0, None, LandAnew),
        (MergeNext.RETRY_SOON, 0.0, None, SendAgain),
        (MergeNext.RETRY_SOON, 29.0, None, ExitCode.PROTECTED),
        (MergeNext.RETRY_SOON, 29.0, 60.0, SendAgain),
        (MergeNext.RETRY_SOON, 119.0, 60.0, SendAgain),
        (MergeNext.RETRY_SOON, 121.0, 60.0, ExitCode.UNREACHABLE),
        (MergeNext.RETRY_SOON, 0.0, 999_999_999.0, ExitCode.UNREACHABLE),
        (MergeNext.RETRY_SOON, 0.0, 0.5, SendAgain),
        (MergeNext.HEAD_MOVED, 0.0, None, ExitCode.REFUSED),
        (MergeNext.POLICY, 0.0, None, ExitCode.PROTECTED),
        (MergeNext.DENIED, 0.0, None, ExitCode.PROTECTED),
    ],
)
def test_after_an_answer(
    next_: MergeNext, elapsed_s: float, retry_after: float | None, expected: type | ExitCode
) -> None:
    outcome = MergeOutcome(next_, "why", retry_after=retry_after)
    decided = decide_after_answer(outcome, elapsed_s=elapsed_s, unreachable_s=180.0)
    found: object = decided.exit if isinstance(decided, NotMerged) else type(decided)
    assert found == expected
    if isinstance(decided, SendAgain):
        assert decided.delay_s == max(retry_after or 0.0, 2.0)


@pytest.mark.parametrize(
    ("settled", "elapsed_s", "expected"),
    [
        (Settlement.LANDED, 0.0, MergeConfirmed(is_reported=True)),
        (Settlement.LANDED_UNREPORTED, 0.0, MergeConfirmed(is_reported=False)),
        (Settlement.NOT_MERGED, 0.0, SendAgain),
        (Settlement.UNKNOWN, 0.0, SendAgain),
        (Settlement.NOT_MERGED, 19.0, ExitCode.UNREACHABLE),
        (Settlement.UNKNOWN, 19.0, MergeUnknown),
        (Settlement.MERGED_DIFFERENTLY, 0.0, SendAgain),
        (Settlement.MERGED_DIFFERENTLY, 19.0, MergeUnknown),
        (Settlement.HEAD_MOVED, 0.0, ExitCode.REFUSED),
        (Settlement.CLOSED, 0.0, ExitCode.PROTECTED),
    ],
)
def test_after_a_look_at_the_target(settled: Settlement, elapsed_s: float, expected: object) -> None:
    decided = decide_settled(settled, elapsed_s=elapsed_s, cause="cut off")
    found: object = decided.exit if isinstance(decided, NotMerged) else decided
    assert expected in (found, type(decided))
