"""Starts, resumes, or aborts a landing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.push_result import PushResult
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import steps
from homelab_hooks.land.abort import roll_back
from homelab_hooks.land.dry_run import report_dry_run
from homelab_hooks.land.feature_branch import push_feature_branch
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.merge import merge_target
from homelab_hooks.land.ownership import begun_by_landing
from homelab_hooks.land.post_push import landed_info, report_landed, run_post_push, unknown_verdict
from homelab_hooks.land.preconditions import foreign_operation_error
from homelab_hooks.land.preflight import plan_for, require_ci_access, start_landing, state_file
from homelab_hooks.land.push_decision import (
    MAX_NETWORK_ATTEMPTS,
    Accepted,
    Fail,
    PushFeatureBranch,
    QueryRemote,
    Retry,
    WaitForTurn,
    decide_after_push,
    retry_after_cut,
)
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyChoice
from homelab_hooks.land.resume import push_arrived, resume_merge, with_credentials
from homelab_hooks.land.revert_commit import make_revert
from homelab_hooks.land.state import LandingState, landing_lock
from homelab_hooks.land.tree_check import DURING_FETCH, WHILE_WAITING, require_same_tree
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict

if TYPE_CHECKING:
    from homelab_hooks.land.through_request import CheckedProposal

LandingEnd = Landed | Verdict
_RESUMABLE_EXITS = {ExitCode.VERIFY_FAILED, ExitCode.TIMEOUT, ExitCode.UNREACHABLE}
"""codes after which --continue repeats a step, even if nothing was merged"""


def land_branch(request: LandRequest, dependencies: LandingDependencies) -> Verdict:
    """Land the branch that is checked out; the verdict reports whether its commit is on the target."""
    if request.dry_run:
        return _as_verdict(dependencies, lambda: _run_dry(request, dependencies))
    return _as_verdict(
        dependencies,
        lambda: _run_landing(dependencies, lambda: start_landing(request, dependencies), land_until_settled),
    )


def continue_landing(dependencies: LandingDependencies, verify: VerifyChoice | None = None) -> Verdict:
    """Resume this worktree's landing with the options it began with.

    Args:
        verify: how it is verified now, unless an option says so.
    """
    return _as_verdict(
        dependencies,
        lambda: _run_landing(
            dependencies, lambda: _load_pending(dependencies, "continue"), lambda landing: _resume(landing, verify)
        ),
        resumes=True,
    )


def abort_landing(dependencies: LandingDependencies) -> Verdict:
    """Reset the branch and the working tree to their state before the landing, unless the commit has landed."""

    def back() -> Verdict:
        with _with_lock(dependencies.git):
            return roll_back(_load_pending(dependencies, "abort"))

    return _as_verdict(dependencies, back, resumes=True)


def pending_landing(git: Repository) -> LandingState | None:
    """Return this worktree's unfinished landing; None if there is none."""
    return state_file(git).load() if git.location.git_dir() else None


def land_until_settled(landing: Landing) -> LandingEnd:
    """Fetch, merge, verify, and push until the result is final."""
    try:
        if (ended := make_revert(landing)) is not None:
            return ended
        while True:
            result = _attempt(landing)
            if result is not None:
                return result
    except CommandError as problem:
        _save_or_discard(landing, problem)
        raise


def _attempt(landing: Landing) -> LandingEnd | None:
    """Make one attempt; None: the target moved, so another is needed."""
    git, head, before = landing.git, landing.git.history.head(), landing.state.target_commit
    tip = steps.fetch_target(landing)
    if _is_landed(landing, head, tip):
        landing.save(target_commit=before or tip)
        return _report_found(landing)
    if operation := git.operations.current_operation():
        raise foreign_operation_error(operation)
    require_same_tree(landing, head, when=DURING_FETCH)
    base = git.history.common_ancestor(head, tip)
    if base != head:
        sha = merge_target(landing, tip, head=head, is_merged=base == tip)
        if sha != tip:
            return _push_in_turn(landing, tip, sha)
    return _already_contained(landing)


def _is_landed(landing: Landing, head: str, tip: str) -> bool:
    """Return whether the target has what was pushed; a proposed commit that is not the head any more does not count."""
    pushed = landing.state.pushed_commit
    if not pushed or (landing.state.pull_number and head != pushed):
        return False
    return landing.git.history.is_ancestor(older=pushed, newer=tip)


def _push_in_turn(landing: Landing, tip: str, sha: str) -> LandingEnd | None:
    """Verify and push the commit once the target branch is free; None: it was not, so fetch and merge again."""
    if marker := landing.skip_marker(sha):
        landing.log(f"the commit message contains {marker}: CI will skip this push, and nothing is waited for after it")
    steps.verify_commit(landing, sha)
    checked = _propose(landing, sha) if landing.plan else None
    if isinstance(checked, Landed | Verdict):
        return checked
    if (queue := landing.dependencies.queue) is not None:
        from homelab_hooks.land.queue import BUSY_HINT, wait_for_turn_to_push
        from homelab_hooks.land.queue_machine import PushRefused

        turn = wait_for_turn_to_push(landing, queue, tip, sha)
        if isinstance(turn, PushRefused):
            back = roll_back(landing)
            return back._replace(exit=ExitCode.REFUSED, label="", reason=turn.reason, hint=turn.hint or BUSY_HINT)
        if turn.waited:
            require_same_tree(landing, sha, when=WHILE_WAITING)
            landing.save(push_attempts=0)  # another landing's pipeline has ended meanwhile: this one made progress
            return None
    if checked is not None:
        return _merge(landing, checked)
    return _after_push(landing, steps.push_commit(landing, sha))


def _propose(landing: Landing, sha: str) -> CheckedProposal | Landed | Verdict:
    from homelab_hooks.land.through_request import propose_and_check

    return propose_and_check(landing, sha)


def _merge(landing: Landing, checked: CheckedProposal) -> LandingEnd | None:
    from homelab_hooks.land.through_request import merge_checked

    return merge_checked(landing, checked)


def _report_found(landing: Landing) -> Landed:
    """Report a commit that the fetch found on the target."""
    if not landing.state.pull_number:
        return report_landed(landing)
    from homelab_hooks.land.through_request import report_merged_by_other

    return report_merged_by_other(landing)


def _after_push(landing: Landing, outcome: PushResult) -> LandingEnd | None:
    request, tried = landing.request, landing.state.push_attempts
    step = decide_after_push(outcome, tried=tried, attempts=request.max_retries, jitter=landing.dependencies.jitter())
    there: bool | None = None
    if isinstance(step, Fail) and outcome.may_have_arrived:
        there = _confirm_push(landing, QueryRemote())
        step = step if there is False else QueryRemote()
    elif isinstance(step, Accepted | QueryRemote):
        there = _confirm_push(landing, step)
        if there is False:
            attempts = min(request.max_retries, MAX_NETWORK_ATTEMPTS - 1)
            step = retry_after_cut(outcome, tried, attempts, landing.dependencies.jitter())
    match step:
        case Accepted() | QueryRemote():
            return report_landed(landing) if there else unknown_verdict(landing)
        case Retry() | WaitForTurn():
            steps.wait_to_retry(landing, step)
            require_same_tree(landing, landing.state.pushed_commit, when=WHILE_WAITING)
            return None
        case PushFeatureBranch():
            return _after_refusal(landing, outcome)
        case Fail(problem):
            raise problem
        case _:
            assert_never(step)


def _after_refusal(landing: Landing, outcome: PushResult) -> Verdict | None:
    """Continue with a pull request, if the user wants one to be merged; else push the branch for it."""
    if landing.dependencies.proposals is None:
        return push_feature_branch(landing, outcome)
    from homelab_hooks.land.through_request import plan_after_refusal

    plan_after_refusal(landing)
    return None


def _confirm_push(landing: Landing, step: Accepted | QueryRemote) -> bool | None:
    with landing.stage(Stage.CONFIRM) as report:
        there = True if isinstance(step, Accepted) else steps.query_pushed(landing)
        if there:  # before the stage ends: a signal from here on must find it
            landing.save(landed_commit=landing.state.pushed_commit)
        if there is False:
            landing.save(push_unconfirmed=False)
        if not there:
            report.mark_failed()
        report.detail = {
            True: "the server has the commit",
            False: "the server does not have the commit",
            None: "no answer",
        }[there]
    return there


def _already_contained(landing: Landing) -> Verdict:
    reason = f"{landing.upstream} already contains {landing.state.branch}"
    sha = landing.git.history.head()
    landing.discard()
    return Verdict(exit=ExitCode.OK, label="nothing", reason=reason, sha=sha, landed=False)


def _save_or_discard(landing: Landing, problem: CommandError) -> None:
    """Keep the state file only if there is something to resume or to abort."""
    git = landing.git
    merging = begun_by_landing(landing.state, git.operations.current_operation())
    if problem.exit in _RESUMABLE_EXITS or merging or git.history.head() != landing.state.original_commit:
        landing.save(ended_with=problem.exit.verdict)
    else:
        landing.discard()


def _resume(landing: Landing, verify: VerifyChoice | None) -> LandingEnd:
    if landing.state.landed_commit:
        return landed_info(landing)
    if landing.state.push_unconfirmed and (arrived := _settle_unconfirmed(landing)) is not None:
        return arrived
    require_ci_access(landing.dependencies)
    landing.plan = plan_for(landing.dependencies, landing.state)
    resume_merge(landing)
    landing.save(ended_with="", push_attempts=0, **_reset_verification(landing.state, verify))
    return land_until_settled(landing)


def _settle_unconfirmed(landing: Landing) -> LandingEnd | None:
    """Find out what became of an interrupted push or merge; None: the target does not have it."""
    if landing.state.pull_number:
        from homelab_hooks.land.submit import settle_interrupted

        return settle_interrupted(landing)
    there = push_arrived(landing)
    if there is False:
        return None
    return report_landed(landing) if there else unknown_verdict(landing)


def _reset_verification(state: LandingState, verify: VerifyChoice | None) -> dict[str, Any]:
    """Return the changes for another verification command: the tree must be verified again."""
    if verify is None or verify == state.request.verify:
        return {}
    return {"request": replace(state.request, verify=verify), "verified_tree": ""}


def _load_pending(dependencies: LandingDependencies, verb: str) -> Landing:
    state = pending_landing(dependencies.git)
    if state is None:
        raise CommandError(
            f"there is no landing to {verb}", hint="to start a landing, run git land", exit=ExitCode.REFUSED
        )
    return Landing(dependencies, state_file(dependencies.git), with_credentials(state, dependencies.git))


def _run_landing(
    dependencies: LandingDependencies, start: Callable[[], Landing], drive: Callable[[Landing], LandingEnd]
) -> Verdict:
    with _with_lock(dependencies.git):
        landing = start()
        result = drive(landing)
        if isinstance(result, Landed):  # while no other landing can begin here and save its own state
            landing.save(stage=Stage.WATCH)
    return result if isinstance(result, Verdict) else run_post_push(landing, result)


def _run_dry(request: LandRequest, dependencies: LandingDependencies) -> Verdict:
    sha, problems = report_dry_run(request, dependencies)
    for problem in problems:
        raise problem
    return Verdict(exit=ExitCode.OK, reason="dry run: nothing was changed", sha=sha, landed=False)


@contextmanager
def _with_lock(git: Repository) -> Iterator[None]:
    branch, head = git.history.checked_out()
    who = f"landing {branch or short_sha(head)} in {git.location.top_level()}"
    with landing_lock(git.location.homelab_dir(), who=who):
        yield


def _as_verdict(dependencies: LandingDependencies, act: Callable[[], Verdict], *, resumes: bool = False) -> Verdict:
    """Turn an error into a verdict; the landing's saved state decides whether its commit is on the target.

    Args:
        resumes: an earlier landing is continued or aborted, so that its state counts too.
    """
    before = None if resumes else _saved_state(dependencies.git)
    try:
        return act()
    except CommandError as problem:
        state = _saved_state(dependencies.git)
        return Verdict(
            exit=problem.exit,
            reason=problem.message,
            hint=problem.hint,
            sha=_head_or_empty(dependencies.git),
            landed=state.landed if state and state != before else False,
        )


def saved_landed(git: Repository) -> bool | None:
    """Return whether the commit of this worktree's unfinished landing is on the target; False without one."""
    state = _saved_state(git)
    return state.landed if state else False


def _saved_state(git: Repository) -> LandingState | None:
    """Return this worktree's unfinished landing; None if there is none, or it cannot be read."""
    try:
        return pending_landing(git)
    except CommandError:
        return None


def _head_or_empty(git: Repository) -> str:
    """Return the checked-out commit for the verdict; empty if git fails."""
    try:
        return git.history.head()
    except CommandError:
        return ""
