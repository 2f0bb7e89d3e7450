"""The stage `submit`: merges the pull request with its head pinned, and finds out what the target then holds."""

from __future__ import annotations

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.merge_outcome import MergeNext, MergeOutcome
from homelab_hooks.forge.merge_settlement import SettlementFacts, settle_merge
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S
from homelab_hooks.forge.pull_requests import MERGE_TIMEOUT_S, MergeRequest, PullRequest
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.merge_decision import (
    AnswerDecision,
    LandAnew,
    LookAtTarget,
    MergeConfirmed,
    MergeUnknown,
    NotMerged,
    SendAgain,
    decide_after_answer,
    decide_settled,
)
from homelab_hooks.land.merged_commit import find_merged_commit, save_merged, unknown_merge
from homelab_hooks.land.post_push import report_landed
from homelab_hooks.land.proposal import ForgeRepository, ProposalPlan, require_style
from homelab_hooks.land.proposal_end import end_unmerged
from homelab_hooks.land.tree_check import WHILE_WAITING, require_same_tree
from homelab_hooks.polling.outcome import Found, NotFound
from homelab_hooks.text.durations import format_duration
from homelab_hooks.verdict import Verdict


def submit_proposal(landing: Landing, plan: ProposalPlan, pull: PullRequest, sha: str) -> Landed | Verdict | None:
    """Merge the pull request and confirm it; None: the target moved, so fetch, merge, and verify again."""
    if _has_target_moved(landing, sha):
        return None
    require_same_tree(landing, sha, when=WHILE_WAITING)
    parts = landing.dependencies.proposals
    style = require_style(parts.merge_style if parts else None, plan.allowed_styles)
    with landing.stage(Stage.SUBMIT) as report:
        landing.save(
            push_attempts=landing.state.push_attempts + 1,
            keeps_commit=style in {MergeStyle.FAST_FORWARD, MergeStyle.MERGE},
        )
        outcome, decided = _send_until_answered(landing, plan.place, MergeRequest(pull.number, sha, style))
        report.detail = f"#{pull.number} by {style}"
        if not isinstance(decided, LookAtTarget):
            report.mark_failed()
            report.detail = decided.reason
    match decided:
        case LookAtTarget():
            return settle_proposal(landing, plan.place, outcome)
        case LandAnew(reason):
            if landing.state.push_attempts > landing.request.max_retries:
                tried = f"nothing was landed after {landing.state.push_attempts} attempts: {reason}"
                return end_unmerged(landing, NotMerged(ExitCode.PROTECTED, tried, "run git land again"))
            landing.log(f"{landing.state.target} has moved: {reason}; merging it again", level=LogLevel.WARNING)
            return None
        case NotMerged():
            return None if _has_target_moved(landing, sha) else end_unmerged(landing, decided)


def _has_target_moved(landing: Landing, sha: str) -> bool:
    """Return whether the target has commits that were not verified; not asked again after too many rounds."""
    state = landing.state
    if state.push_attempts > landing.request.max_retries:
        return False
    if not _compare_target(landing, sha):
        return False
    landing.save(push_attempts=state.push_attempts + 1)
    landing.log(f"{landing.upstream} has moved; merging it again", level=LogLevel.WARNING)
    return True


def _compare_target(landing: Landing, sha: str) -> bool | None:
    """Return whether the target has moved since it was merged into the proposed commit; None: no answer."""
    tip = landing.poller.ls_remote_branch(landing.state.push_url, landing.state.target)
    return tip.value not in {landing.state.target_commit, sha} if isinstance(tip, Found) else None


def _send_until_answered(
    landing: Landing, place: ForgeRepository, request: MergeRequest
) -> tuple[MergeOutcome, LookAtTarget | LandAnew | NotMerged]:
    """Send the merge; again only after an answer that says that nothing was done, and that git does not belie."""
    clock, began = landing.dependencies.clock, landing.dependencies.clock.now()
    parts = landing.dependencies.proposals
    unreachable_s = parts.unreachable_s if parts else 0.0
    while True:
        landing.save(push_unconfirmed=True)
        outcome = place.forge.gate.merge(place.repo, request, within=MERGE_TIMEOUT_S)
        decided: AnswerDecision = decide_after_answer(
            outcome, elapsed_s=clock.now() - began, unreachable_s=unreachable_s
        )
        if isinstance(decided, LandAnew) and _compare_target(landing, request.head_sha) is False:
            decided = LookAtTarget()  # an error of the forge may look like a moved target
            outcome = outcome._replace(reason=f"the forge answered with an error, and {landing.upstream} has not moved")
        if isinstance(decided, LookAtTarget):
            return outcome, decided
        landing.save(push_unconfirmed=False)
        if not isinstance(decided, SendAgain):
            return outcome, decided
        text = f"the forge cannot merge yet: {decided.reason}; trying again in {format_duration(decided.delay_s)}"
        landing.log(text, level=LogLevel.WARNING)
        clock.sleep(decided.delay_s)
        if find_merged_commit(landing, "").contains:
            return outcome, LookAtTarget()
        if _compare_target(landing, request.head_sha):
            return outcome, LandAnew(decided.reason)  # the forge pins the head, not the target


def settle_proposal(landing: Landing, place: ForgeRepository | None, outcome: MergeOutcome) -> Landed | Verdict:
    """Find out what became of a merge, and report it; the target decides.

    Args:
        landing: whose merge was sent.
        place: None: the forge cannot be asked.
        outcome: the last answer.
    """
    with landing.stage(Stage.CONFIRM) as report:
        decided, pull = _settle(landing, place, outcome)
        match decided:
            case MergeConfirmed(is_reported):
                commit = find_merged_commit(landing, pull.merge_commit if pull else outcome.merge_commit)
                save_merged(landing, commit)
                report.detail = (
                    "the target has the commit" if landing.state.keeps_commit else "the target has the files"
                )
                if not is_reported and place:
                    text = "the forge does not show the pull request as merged: it may not have notified CI"
                    landing.log(text, level=LogLevel.WARNING)
            case NotMerged(reason=reason) | MergeUnknown(reason=reason):
                report.mark_failed()
                report.detail = reason
    match decided:
        case MergeConfirmed():
            return report_merged(landing, place)
        case NotMerged():
            landing.save(push_unconfirmed=False)
            return end_unmerged(landing, decided)
        case MergeUnknown(reason, is_final):
            return unknown_merge(landing, reason, is_final=is_final)


def report_merged(landing: Landing, place: ForgeRepository | None) -> Landed:
    """Report the merge, warn about files that were not checked, and return the commit that is followed."""
    if landing.state.tree_differs:
        text = f"the files of {landing.state.target} differ from those that were checked: another change came between"
        landing.log(text, level=LogLevel.WARNING)
    landed = report_landed(landing)
    if place:
        gone = place.forge.target.read_branch(place.repo, landing.state.branch, within=REQUEST_TIMEOUT_S)
        if isinstance(gone, NotFound):
            landing.log(f"the forge deleted the branch {landing.state.branch}")
    return landed


def _settle(
    landing: Landing, place: ForgeRepository | None, outcome: MergeOutcome
) -> tuple[MergeConfirmed | NotMerged | MergeUnknown, PullRequest | None]:
    clock, began = landing.dependencies.clock, landing.dependencies.clock.now()
    cause = outcome.reason or "the merge is not on the target"
    while True:
        found = find_merged_commit(landing, outcome.merge_commit)
        pull = _read_pull(landing, place)
        facts = SettlementFacts(landing.state.pushed_commit, found.contains, found.has_same_tree, pull)
        decided = decide_settled(settle_merge(facts), elapsed_s=clock.now() - began, cause=cause)
        if not isinstance(decided, SendAgain):
            return decided, pull
        clock.sleep(decided.delay_s)


def _read_pull(landing: Landing, place: ForgeRepository | None) -> PullRequest | None:
    if place is None:
        return None
    poll = place.forge.pulls.read(place.repo, landing.state.pull_number, within=REQUEST_TIMEOUT_S)
    return poll.value if isinstance(poll, Found) else None


def settle_interrupted(landing: Landing) -> Landed | Verdict | None:
    """Find out what became of a merge that was interrupted; None: nothing was merged, and the landing continues."""
    place = connect_again(landing)
    decided = settle_proposal(landing, place, MergeOutcome(MergeNext.SETTLE, "the landing was interrupted"))
    is_unmerged = isinstance(decided, Verdict) and not landing.state.push_unconfirmed
    return None if is_unmerged and isinstance(decided, Verdict) and decided.exit is ExitCode.UNREACHABLE else decided


def connect_again(landing: Landing) -> ForgeRepository | None:
    """Return the forge of a landing that is resumed; None if it cannot be asked, so that only git tells."""
    parts = landing.dependencies.proposals
    try:
        return parts.connect(landing.state.remote) if parts else None
    except CommandError as problem:
        landing.log(f"the forge cannot be asked: {problem.message}", level=LogLevel.WARNING)
        return None
