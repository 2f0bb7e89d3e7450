"""Lands on a protected target: proposes the verified commit, waits for its checks, and merges it."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.forge.merge_outcome import MergeNext, MergeOutcome
from homelab_hooks.forge.pull_requests import PullRequest
from homelab_hooks.land.checks import wait_for_checks
from homelab_hooks.land.checks_decision import ChecksEnded, ChecksPassed, MergedByOther
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.merged_commit import find_merged_commit, save_merged
from homelab_hooks.land.proposal import ProposalPlan, plan_proposal
from homelab_hooks.land.proposal_end import end_unmerged
from homelab_hooks.land.propose import propose_commit
from homelab_hooks.land.submit import connect_again, report_merged, settle_proposal, submit_proposal
from homelab_hooks.verdict import Verdict


class CheckedProposal(NamedTuple):
    """A pull request whose checks are green for exactly this commit."""

    plan: ProposalPlan
    pull: PullRequest
    sha: str


def propose_and_check(landing: Landing, sha: str) -> CheckedProposal | Landed | Verdict:
    """Propose the commit and wait for its checks; Landed: another client merged it meanwhile."""
    plan = landing.plan
    assert plan is not None  # noqa: S101 - the caller has looked
    try:
        pull = propose_commit(landing, plan.place, sha)
        decided = wait_for_checks(landing, plan.place, pull, sha)
    except CommandError as problem:
        if not landing.state.pull_number:
            raise
        return end_unmerged(landing, ChecksEnded(problem.exit, problem.message, problem.hint))
    match decided:
        case ChecksPassed():
            return CheckedProposal(plan, pull, sha)
        case ChecksEnded() as end:
            return end_unmerged(landing, end)
        case MergedByOther():
            landing.save(push_unconfirmed=True, keeps_commit=False)
            merged = MergeOutcome(MergeNext.SETTLE, "another client merged the pull request")
            return settle_proposal(landing, plan.place, merged)


def merge_checked(landing: Landing, checked: CheckedProposal) -> Landed | Verdict | None:
    """Merge the pull request; None: the target moved, so fetch, merge, and verify again."""
    return submit_proposal(landing, checked.plan, checked.pull, checked.sha)


def plan_after_refusal(landing: Landing) -> None:
    """Continue with a pull request after the server has refused a direct push. Raises CommandError (8, 23)."""
    dependencies = landing.dependencies
    assert dependencies.proposals is not None  # noqa: S101 - the caller has looked
    landing.plan = plan_proposal(dependencies.proposals, landing.state, dependencies.clock, was_refused=True)
    landing.save(push_unconfirmed=False, push_attempts=0)


def report_merged_by_other(landing: Landing) -> Landed:
    """Report the proposed commit, which is on the target without our own merge."""
    save_merged(landing, find_merged_commit(landing, ""))
    return report_merged(landing, connect_again(landing))
