"""The stage `checks`: waits for our own pull request pipelines, and for the checks that the target requires."""

from __future__ import annotations

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Stage, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.stage import StageReport
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S
from homelab_hooks.forge.pull_requests import PullRequest
from homelab_hooks.land.checks_decision import (
    CheckNeed,
    CheckObservation,
    ChecksDecision,
    ChecksEnded,
    ChecksPassed,
    ChecksPending,
    CheckTimes,
    MergedByOther,
    decide_checks,
    read_own_pipelines,
)
from homelab_hooks.land.forge_wait import ask_until_answered
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.proposal import ForgeRepository, ProposalParts, read_poll
from homelab_hooks.polling.contact import HEARTBEAT_INTERVAL_S
from homelab_hooks.polling.outcome import Found

CHECKS_POLL_INTERVAL_S = 5.0


def wait_for_checks(
    landing: Landing, place: ForgeRepository, pull: PullRequest, sha: str
) -> ChecksPassed | ChecksEnded | MergedByOther:
    """Wait until it is decided whether the commit can be merged."""
    parts = landing.dependencies.proposals
    assert parts is not None  # noqa: S101 - a plan is made from them
    with landing.stage(Stage.CHECKS) as report:
        began = landing.dependencies.clock.now()
        own = read_own_pipelines(parts.watch(sha)) if parts.watch else False
        if isinstance(own, ChecksEnded):
            decided: ChecksPassed | ChecksEnded | MergedByOther = own
        else:
            need = _make_need(landing, place, parts, sha, has_own=own)
            decided = _poll_checks(landing, place, pull, need, began)
        _describe(report, decided)
    return decided


def _poll_checks(
    landing: Landing, place: ForgeRepository, pull: PullRequest, need: CheckNeed, stage_began: float
) -> ChecksPassed | ChecksEnded | MergedByOther:
    """Ask the forge until it is decided.

    The timeout counts from here: the watch of our own pipelines had one of its own, and what they report to the forge
    may arrive after they have ended.
    """
    clock = landing.dependencies.clock
    began = answered_at = last = told_at = clock.now()
    missed_s, told = 0.0, ""
    while True:
        seen = _observe(place, pull.number, need.sha)
        now = clock.now()
        if isinstance(seen, str):
            missed_s += now - last
        else:
            answered_at = now
        last = now
        times = CheckTimes(now - began, now - began - missed_s, now - answered_at)
        decided: ChecksDecision = decide_checks(need, seen, times)
        if not isinstance(decided, ChecksPending):
            return decided
        if decided.reason != told or now - told_at >= HEARTBEAT_INTERVAL_S:
            landing.dependencies.tell(Waiting(decided.reason, elapsed=now - stage_began))
            told, told_at = decided.reason, now
        clock.sleep(CHECKS_POLL_INTERVAL_S)


def _make_need(landing: Landing, place: ForgeRepository, parts: ProposalParts, sha: str, *, has_own: bool) -> CheckNeed:
    read, target = place.forge.target.read_protection, landing.state.target
    poll = ask_until_answered(landing, lambda within: read(place.repo, target, within=within))
    protection = read_poll(poll, f"the branch {target}")
    return CheckNeed(
        sha,
        protection.required_checks,
        has_own_pipeline=has_own,
        timeout_s=parts.timeout_s,
        appear_s=parts.appear_s,
        unreachable_s=parts.unreachable_s,
    )


def _observe(place: ForgeRepository, number: int, sha: str) -> CheckObservation | str:
    """Return what the forge shows, or why it does not answer. Raises CommandError (23) if it refuses to."""
    try:
        pull = read_poll(place.forge.pulls.read(place.repo, number, within=REQUEST_TIMEOUT_S), f"#{number}")
        reports = place.forge.gate.read_reports(place.repo, sha, within=REQUEST_TIMEOUT_S)
        if isinstance(reports, Found):
            return CheckObservation(pull, reports.value)
        return CheckObservation(pull, read_poll(reports, "the statuses of the commit"))
    except CommandError as problem:
        if problem.exit is ExitCode.UNREACHABLE:
            return problem.message
        raise


def _describe(report: StageReport, decided: ChecksPassed | ChecksEnded | MergedByOther) -> None:
    match decided:
        case ChecksPassed(detail):
            report.detail = detail
        case MergedByOther():
            report.detail = "another client merged the pull request"
        case ChecksEnded(reason=reason):
            report.detail = reason
            report.mark_failed()
