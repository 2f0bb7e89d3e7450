"""Decides whether a proposed commit can be merged: the pull request, and the checks that its target requires."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.pull_requests import PullRequest, PullRequestState
from homelab_hooks.forge.required_checks import ChecksResult, ChecksState, RequiredChecks, judge_required_checks
from homelab_hooks.text.commit_report import CommitReport
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import join_names, short_sha
from homelab_hooks.verdict import Verdict

LATE_HEAD_S = 30.0
"""seconds in which a forge must show the head that was pushed; Gitea updates the request after the push has ended"""


class CheckNeed(NamedTuple):
    """What must be green before the merge, and how long it may take."""

    sha: str
    required: RequiredChecks
    has_own_pipeline: bool
    """a pull request pipeline of our own CI has passed"""
    timeout_s: float
    appear_s: float
    unreachable_s: float


class CheckObservation(NamedTuple):
    """What the forge shows at one moment."""

    pull: PullRequest
    reports: tuple[CommitReport, ...] = ()


class CheckTimes(NamedTuple):
    """Seconds since the wait began."""

    elapsed_s: float
    in_contact_s: float
    """less the time without an answer: what never appears is missing only if it could have been seen"""
    silent_s: float = 0.0
    """since the last answer"""


class ChecksPassed(NamedTuple):
    """Everything that counts is green."""

    detail: str


class ChecksPending(NamedTuple):
    """Not decided yet."""

    reason: str


class ChecksEnded(NamedTuple):
    """The landing ends here."""

    exit: ExitCode
    reason: str
    hint: str = ""


class MergedByOther(NamedTuple):
    """Another client merged the request meanwhile: the target knows what is on it."""


ChecksDecision = ChecksPassed | ChecksPending | ChecksEnded | MergedByOther
_AGAIN = "run git land again"
OWN_PIPELINE_ENDS = {
    ExitCode.FAILED: ExitCode.VERIFY_FAILED,
    ExitCode.CANCELLED: ExitCode.VERIFY_FAILED,
    ExitCode.SUPERSEDED: ExitCode.VERIFY_FAILED,
    ExitCode.BLOCKED: ExitCode.PROTECTED,
    ExitCode.DENIED: ExitCode.PROTECTED,
    ExitCode.UNREACHABLE: ExitCode.UNREACHABLE,
    ExitCode.TIMEOUT: ExitCode.TIMEOUT,
}
"""how a landing ends after the watch of the pull request pipelines: nothing has landed yet"""


def read_own_pipelines(watched: Verdict) -> ChecksEnded | bool:
    """Return whether a pull request pipeline of our own CI has passed, or how the landing ends.

    >>> read_own_pipelines(Verdict(ExitCode.FAILED, "#7 failed")).exit.name
    'VERIFY_FAILED'
    """
    if watched.exit in {ExitCode.OK, ExitCode.NO_PIPELINE}:
        return watched.exit is ExitCode.OK
    exit_ = OWN_PIPELINE_ENDS.get(watched.exit, ExitCode.UNREACHABLE)
    hint = watched.hint if exit_ is ExitCode.PROTECTED else ""
    resume = exit_ in {ExitCode.UNREACHABLE, ExitCode.TIMEOUT}
    return ChecksEnded(exit_, watched.reason, hint or (_CONTINUE if resume else f"fix it, then {_AGAIN}"))


_CONTINUE = "run git land --continue to go on"


def decide_checks(need: CheckNeed, seen: CheckObservation | str, times: CheckTimes) -> ChecksDecision:
    """Return what the forge's answer means for the merge.

    Args:
        need: the rules.
        seen: what the forge shows; a text: why it gave no usable answer.
        times: what has passed.
    """
    if isinstance(seen, str):
        if times.silent_s >= need.unreachable_s:
            return ChecksEnded(ExitCode.UNREACHABLE, f"the forge did not respond: {seen}", _CONTINUE)
        return _pend(need, times, f"the forge does not respond: {seen}")
    if (found := _judge_pull(need, seen.pull, times)) is not None:
        return found
    return _judge_reports(need, judge_required_checks(need.required, seen.reports), times)


def _judge_pull(need: CheckNeed, pull: PullRequest, times: CheckTimes) -> ChecksDecision | None:
    name = f"pull request #{pull.number}"
    if pull.state is PullRequestState.MERGED:
        return MergedByOther()
    if pull.state is PullRequestState.CLOSED:
        by = f" by {pull.closed_by}" if pull.closed_by else ""
        return ChecksEnded(ExitCode.PROTECTED, f"{name} was closed{by}", f"to open another one, {_AGAIN}")
    if pull.is_draft:
        return ChecksEnded(ExitCode.PROTECTED, f"{name} is a draft", f"mark it as ready for review, then {_AGAIN}")
    if pull.head_sha != need.sha:
        if times.in_contact_s >= LATE_HEAD_S:
            reason = f"{name} is at {short_sha(pull.head_sha)}, not at {short_sha(need.sha)}: its branch was moved"
            return ChecksEnded(ExitCode.REFUSED, reason, f"fetch the branch and compare it, then {_AGAIN}")
        return _pend(need, times, f"the forge does not show {short_sha(need.sha)} in {name} yet")
    return None


def _judge_reports(need: CheckNeed, result: ChecksResult, times: CheckTimes) -> ChecksDecision:
    match result.state:
        case ChecksState.GREEN:
            return ChecksPassed(f"required checks passed: {join_names(one.context for one in result.green)}")
        case ChecksState.NOT_REQUIRED:
            return _judge_unrequired(need)
        case ChecksState.RED:
            texts = (f"{one.context} is {one.word}" for one in result.red)
            return ChecksEnded(ExitCode.VERIFY_FAILED, f"required check failed: {', '.join(texts)}",
                               f"fix it, then {_AGAIN}")  # fmt: skip
        case ChecksState.PENDING:
            return _pend(need, times, f"waiting for {join_names(one.context for one in result.pending)}")
        case ChecksState.MISSING:
            return _judge_missing(need, result, times)


def _judge_unrequired(need: CheckNeed) -> ChecksPassed | ChecksEnded:
    if need.has_own_pipeline:
        return ChecksPassed("our pull request pipelines passed; no check is required")
    reason = f"nothing checks {short_sha(need.sha)}: no check is required, and no pull request pipeline passed"
    return ChecksEnded(ExitCode.PROTECTED, reason, "require a check on the forge, or run CI for pull requests")


def _judge_missing(need: CheckNeed, result: ChecksResult, times: CheckTimes) -> ChecksDecision:
    missing = join_names(result.missing) if result.missing else "any check"
    if times.in_contact_s < need.appear_s:
        return _pend(need, times, f"waiting for {missing} to appear")
    reason = f"required check never appeared: {missing}"
    return ChecksEnded(ExitCode.PROTECTED, reason, f"check why it does not run, then {_AGAIN}")


def _pend(need: CheckNeed, times: CheckTimes, reason: str) -> ChecksPending | ChecksEnded:
    if times.elapsed_s < need.timeout_s:
        return ChecksPending(reason)
    return ChecksEnded(ExitCode.TIMEOUT, f"timed out after {format_duration(need.timeout_s)}: {reason}", _CONTINUE)
