"""Decides what a landing does after the answer to a merge request, and after the target was looked at."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.merge_outcome import RETRY_WINDOW_S, MergeNext, MergeOutcome
from homelab_hooks.forge.merge_settlement import SETTLE_WINDOW_S, Settlement
from homelab_hooks.text.durations import format_duration

RETRY_INTERVAL_S = 2.0
"""seconds between two merge requests that the forge could not do yet"""
SETTLE_INTERVAL_S = 2.0
"""seconds between two looks at a target that does not have the merge yet"""


class LookAtTarget(NamedTuple):
    """Ask the target and the pull request what became of the merge."""


class SendAgain(NamedTuple):
    """Wait, ask git, and send the same request again: the forge has answered that it did nothing."""

    delay_s: float
    reason: str


class LandAnew(NamedTuple):
    """The target has moved: fetch, merge, verify, and propose again."""

    reason: str


class NotMerged(NamedTuple):
    """Nothing was merged, and the landing ends."""

    exit: ExitCode
    reason: str
    hint: str = ""


class MergeConfirmed(NamedTuple):
    """The target has the commit, or its tree."""

    is_reported: bool
    """False: the forge does not show the request as merged, so CI was probably not notified"""


class MergeUnknown(NamedTuple):
    """It cannot be determined."""

    reason: str
    is_final: bool = False
    """another look would show the same"""


AnswerDecision = LookAtTarget | SendAgain | LandAnew | NotMerged
_AGAIN = "run git land again"
_HEAD_MOVED = "another client moved the head of the pull request"
_COMPARE = f"fetch the branch and compare it, then {_AGAIN}"


def decide_after_answer(outcome: MergeOutcome, *, elapsed_s: float, unreachable_s: float) -> AnswerDecision:
    """Return what to do after an answer.

    Args:
        outcome: the reading of the answer.
        elapsed_s: seconds since the first request.
        unreachable_s: the longest time in seconds that a forge may ask to wait.
    """
    match outcome.next:
        case MergeNext.MERGED | MergeNext.SETTLE:
            return LookAtTarget()
        case MergeNext.RETRY_SOON:
            return _send_again(outcome, elapsed_s, unreachable_s)
        case MergeNext.TARGET_MOVED:
            return LandAnew(outcome.reason)
        case MergeNext.HEAD_MOVED:
            return NotMerged(ExitCode.REFUSED, f"{_HEAD_MOVED}: {outcome.reason}", _COMPARE)
        case MergeNext.POLICY | MergeNext.DENIED:
            hint = f"{outcome.hint}, then {_AGAIN}" if outcome.hint else _AGAIN
            return NotMerged(ExitCode.PROTECTED, f"the forge refused the merge: {outcome.reason}", hint)


def _send_again(outcome: MergeOutcome, elapsed_s: float, unreachable_s: float) -> SendAgain | NotMerged:
    """Return the next try, if it comes in time: a forge may ask to wait for longer than it takes to check a request."""
    asked_s = outcome.retry_after
    window_s, delay_s = (RETRY_WINDOW_S if asked_s is None else unreachable_s), max(asked_s or 0.0, RETRY_INTERVAL_S)
    if elapsed_s + delay_s <= window_s:
        return SendAgain(delay_s, outcome.reason)
    if asked_s is None:
        return NotMerged(ExitCode.PROTECTED, f"the forge does not merge the pull request: {outcome.reason}", _AGAIN)
    reason = f"the forge asks to wait for {format_duration(delay_s)}: {outcome.reason}"
    return NotMerged(ExitCode.UNREACHABLE, reason, "run git land --continue after that time")


SettledDecision = MergeConfirmed | SendAgain | NotMerged | MergeUnknown


def decide_settled(settled: Settlement, *, elapsed_s: float, cause: str) -> SettledDecision:
    """Return what is known about a merge after a look at the target; SendAgain: look again, nothing is sent.

    Args:
        settled: what the target and the request show.
        elapsed_s: seconds since the answer, or since it was lost.
        cause: why the answer does not tell, for the message.

    >>> decide_settled(Settlement.NOT_MERGED, elapsed_s=0.0, cause="cut off").delay_s
    2.0
    """
    match settled:
        case Settlement.LANDED | Settlement.LANDED_UNREPORTED:
            return MergeConfirmed(is_reported=settled is Settlement.LANDED)
        case Settlement.HEAD_MOVED | Settlement.CLOSED:
            return _read_unmerged(settled, cause)
        case _ if elapsed_s + SETTLE_INTERVAL_S <= SETTLE_WINDOW_S:  # git's server may be behind the forge's API
            return SendAgain(SETTLE_INTERVAL_S, cause)
        case Settlement.MERGED_DIFFERENTLY:
            return MergeUnknown(
                "the pull request is merged, but the target has neither the commit nor its files", is_final=True
            )
        case Settlement.UNKNOWN:
            return MergeUnknown(cause)
        case _:
            return _read_unmerged(settled, cause)


def _read_unmerged(settled: Settlement, cause: str) -> NotMerged:
    if settled is Settlement.HEAD_MOVED:
        return NotMerged(ExitCode.REFUSED, f"{_HEAD_MOVED}, and it was not merged", _COMPARE)
    if settled is Settlement.CLOSED:
        reason = "the pull request was closed without a merge"
        return NotMerged(ExitCode.PROTECTED, reason, f"to open another one, {_AGAIN}")
    reason = f"the target does not have the merge: {cause}"
    return NotMerged(ExitCode.UNREACHABLE, reason, "run git land --continue to try again")
