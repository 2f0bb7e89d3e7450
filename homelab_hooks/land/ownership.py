"""Finds out whether this landing or the user began an unfinished operation, or created the commit of a branch."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.config.schema import Strategy
from homelab_hooks.git.history import BranchCommit
from homelab_hooks.git.operation import UnfinishedOperation
from homelab_hooks.land.state import LandingState


def begun_by_landing(state: LandingState, operation: UnfinishedOperation) -> bool:
    """Return whether this landing began the operation: same kind, same branch, and it joins the two recorded commits.

    A landing records them right before it starts git and clears them when git has finished. A rebase that was killed
    while git wrote its files lacks some of them; it counts if nothing that is there contradicts the record.
    """
    kind = "revert" if state.is_reverting else "rebase" if state.request.strategy is Strategy.REBASE else "merge"
    if operation.name != kind or not state.merge_began_at:
        return False
    if state.operation_mark and operation.mark not in {"", state.operation_mark}:
        return False  # the user undid ours, and began one of the same commits
    recorded = (f"refs/heads/{state.branch}", state.merge_began_at, (state.target_commit,))
    found = (operation.branch, operation.began_at, operation.incoming)
    if kind != "rebase":
        return found == recorded
    return all(one == other or not one for one, other in zip(found, recorded, strict=True))


def made_by_landing(state: LandingState, head: str, parents: tuple[str, ...], last_rebase: tuple[str, str]) -> bool:
    """Return whether the landing created the branch's commit: resetting the branch then loses none of the user's work.

    Args:
        head: the branch's commit.
        parents: its parents.
        last_rebase: the commits the branch was rebased from and onto, if that was its last update.
    """
    if head in {state.original_commit, state.merged_commit}:
        return True
    if not state.merge_began_at:
        return False
    merged = len(parents) > 1 and parents[0] == state.merge_began_at and state.target_commit in parents[1:]
    return merged or last_rebase == (state.merge_began_at, state.target_commit)


def users_commits(
    commits: Iterable[BranchCommit], *, originals: Iterable[BranchCommit], from_target: frozenset[str]
) -> tuple[BranchCommit, ...]:
    """Return those of the commits that the landing did not make: undoing the landing must not lose them.

    The landing makes merges of the target, and rebased commits, which keep the author, the time and the first line of
    the message. A resolution that was committed with them is a rebased commit too.

    Args:
        commits: the commits that the branch, or the rebase in progress, has beyond its original commit and the target.
        originals: the commits that were rebased; none for a merge.
        from_target: the commits that the target contains.
    """
    rebased = {commit.identity for commit in originals}
    return tuple(
        commit
        for commit in commits
        if commit.identity not in rebased and not (commit.merged and from_target.issuperset(commit.merged))
    )


def is_made_revert(state: LandingState, commit: BranchCommit) -> bool:
    """Return whether a commit is the revert that the landing made: the first one of its branch, or rebased."""
    if not state.request.revert or state.is_reverting:
        return False
    return commit.parents in {(state.original_commit,), (state.target_commit,)}
