"""Undoes an interrupted landing; operations and commits of the user are left as they are."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.git.history import BranchCommit
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.orphan import wait_for_merge
from homelab_hooks.land.overwrite_check import require_undo_overwrites_nothing
from homelab_hooks.land.own_changes import require_no_own_changes
from homelab_hooks.land.own_commits import find_own_commits, name_commits, require_no_own_commits
from homelab_hooks.land.ownership import begun_by_landing, made_by_landing
from homelab_hooks.land.post_push import unknown_verdict
from homelab_hooks.land.preconditions import foreign_operation_error
from homelab_hooks.land.resume import (
    close_done_operation,
    push_arrived,
    require_same_branch,
    require_unlocked,
    undo_partial_merge,
)
from homelab_hooks.land.submodules import update_submodules
from homelab_hooks.text.humanize import join_names, short_sha
from homelab_hooks.verdict import Verdict

MAX_PICKED_COMMITS = 8
"""commits that a suggested `git cherry-pick` names; more would not fit into a line"""


def roll_back(landing: Landing) -> Verdict:
    """Restore the branch and the working tree. If the commit has landed already, change nothing and report that."""
    state = landing.state
    there = bool(state.landed_commit) or (_has_arrived(landing) if state.push_unconfirmed else False)
    if there is None:
        return unknown_verdict(landing)
    if there:
        return _already_landed(landing)
    if _branch_gone(landing):
        return _discarded(landing, f"{state.branch} was deleted or is checked out in another worktree")
    git = landing.git
    git.transfer.delete_leftover_fetch_refs()
    wait_for_merge(landing)
    require_unlocked(git)
    _undo_operation(landing)
    require_same_branch(landing)
    undo_partial_merge(landing)
    head = git.history.head()
    made = made_by_landing(state, head, git.history.parents(head), git.operations.last_rebase(state.branch))
    own = find_own_commits(landing, head)
    if own and made:
        return _keep_joined_commits(landing, own)
    if own or not made:
        return _keep_branch(landing)
    _reset_branch(landing)
    landing.discard()
    return _restored(landing, head)


def _restored(landing: Landing, head: str) -> Verdict:
    """Return the verdict for a branch that is where it was, with what is left to do.

    Args:
        head: its commit before that.
    """
    state = landing.state
    reason, hint = f"{state.branch} is back at {short_sha(state.original_commit)}; nothing was landed", ""
    if conflicts := landing.git.worktree.unmerged_files():  # after `git merge --quit` nobody knows whose they are
        reason += f"; unresolved conflicts remain in: {join_names(conflicts)}"
        hint = "to discard them, run git checkout HEAD -- FILE"
    elif head != state.original_commit:
        undone = "rebase" if state.request.strategy is Strategy.REBASE else "merge"
        hint = f"to restore the {undone}, run git reset --keep {short_sha(head)}"
    return Verdict(exit=ExitCode.OK, reason=reason, hint=hint, sha=state.original_commit, landed=False)


def _has_arrived(landing: Landing) -> bool | None:
    """Return whether an interrupted push or merge reached the target; None if that is unknown."""
    if not landing.state.pull_number:
        return push_arrived(landing)
    from homelab_hooks.land.submit import settle_interrupted

    settle_interrupted(landing)
    return bool(landing.state.landed_commit) or (None if landing.state.push_unconfirmed else False)


def _already_landed(landing: Landing) -> Verdict:
    state = landing.state
    sha = state.landed_commit or state.pushed_commit
    landing.discard()
    reason = f"{sha} is already on {state.target}; nothing was undone"
    again = state.request.resume_command(sha)
    hint = f"to resume, run: {again}" if again else ""
    return Verdict(exit=ExitCode.OK, label="landed", reason=reason, hint=hint, sha=sha, landed=True, resume=again)


def _undo_operation(landing: Landing) -> None:
    git, operation = landing.git, landing.git.operations.current_operation()
    if not operation:
        return
    if not begun_by_landing(landing.state, operation):
        raise foreign_operation_error(operation)
    if operation.is_done:
        close_done_operation(git, operation)
        return
    if operation.name == "rebase":
        require_no_own_commits(landing, then="git land --abort")
    require_no_own_changes(landing, operation)
    done = git.operations.abort_operation(operation.name)
    if not done.ok:
        raise CommandError(f"could not undo the {operation.name}: {error_message(done)}", exit=ExitCode.REFUSED)


def _branch_gone(landing: Landing) -> bool:
    """Return whether the landing's branch cannot be checked out here: deleted, or checked out in another worktree."""
    git, state = landing.git, landing.state
    if git.history.current_branch() == state.branch or git.operations.current_operation().name == "rebase":
        return False
    return (
        not git.history.branch_commit(state.branch)
        or f"refs/heads/{state.branch}" in git.worktrees.worktree_branches().values()
    )


def _keep_joined_commits(landing: Landing, own: Sequence[BranchCommit]) -> Verdict:
    """Leave a branch as it is whose last merge or rebase includes commits that the user made during the landing."""
    state = landing.state
    joined = "rebase onto" if state.request.strategy is Strategy.REBASE else "merge of"
    picked = " ".join(short_sha(commit.sha) for commit in own)
    can_pick = len(own) <= MAX_PICKED_COMMITS and not any(commit.merged for commit in own)
    undo = f"git reset --keep {short_sha(state.original_commit)} && git cherry-pick {picked}"
    return _discarded(
        landing,
        f"{state.branch} keeps your commits ({name_commits(own)}) and the {joined} {landing.upstream}",
        hint=f"to undo the {joined.split(maxsplit=1)[0]} and keep your commits, run: {undo}" if can_pick else "",
    )


def _keep_branch(landing: Landing) -> Verdict:
    """Leave a branch that has the user's own commits as it is, and report which commits the landing added to it."""
    git, state = landing.git, landing.state
    ours = (
        state.merged_commit
        if state.merged_commit and git.history.is_ancestor(older=state.merged_commit, newer=git.history.head())
        else ""
    )
    if not ours or ours == state.original_commit:
        return _discarded(landing, f"{state.branch} is unchanged and keeps your commits")
    if len(git.history.parents(ours)) > 1:
        kept = f"the merge of {landing.upstream} ({short_sha(ours)})"
        hint = f"to remove the merge and keep your commits, run: git rebase --onto {state.original_commit} {ours}"
    else:
        kept = f"the rebase onto {landing.upstream} (up to {short_sha(ours)})"
        hint = ""
    return _discarded(landing, f"{state.branch} keeps your commits and {kept}", hint=hint)


def _discarded(landing: Landing, branch_state: str, *, hint: str = "") -> Verdict:
    landing.discard()
    reason = f"landing aborted; nothing was landed. {branch_state}"
    return Verdict(exit=ExitCode.OK, reason=reason, hint=hint, sha=landing.git.history.head(), landed=False)


def _reset_branch(landing: Landing) -> None:
    git, state = landing.git, landing.state
    head = git.history.head()
    if head == state.original_commit:
        return
    require_undo_overwrites_nothing(landing, state.original_commit)
    done = git.worktree.reset_keep(state.original_commit)
    if not done.ok:
        raise CommandError(f"could not reset {state.branch}: {error_message(done)}", exit=ExitCode.REFUSED)
    update_submodules(landing, was=[head], now=state.original_commit)
