"""Finds the commits that the user made during a landing, which undoing it must not lose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.history import BranchCommit
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.own_changes import has_own_changes
from homelab_hooks.land.ownership import is_made_revert, users_commits
from homelab_hooks.text.humanize import join_names, short_sha


def find_own_commits(landing: Landing, head: str) -> tuple[BranchCommit, ...]:
    """Return the user's own commits up to `head` that would be on no branch after the landing is undone."""
    history, state = landing.git.history, landing.state
    new = history.commits_beyond(head, known=[state.original_commit, state.target_commit], besides=state.branch)
    merged = {parent for commit in new for parent in commit.merged}
    from_target = frozenset(parent for parent in merged if history.is_ancestor(older=parent, newer=state.target_commit))
    rebases = bool(new) and state.request.strategy is Strategy.REBASE
    originals = history.commits_beyond(state.original_commit, known=[state.target_commit]) if rebases else ()
    own = users_commits(new, originals=originals, from_target=from_target)
    own = tuple(commit for commit in own if not is_made_revert(state, commit))
    kept = [commit for commit in new if commit not in own and not is_made_revert(state, commit)]
    amended = [commit for commit in kept if _is_amended(landing, commit, originals)]
    return tuple(commit for commit in new if commit in own or commit in amended)


def _is_amended(landing: Landing, commit: BranchCommit, originals: Sequence[BranchCommit]) -> bool:
    """Return whether a merge or rebased commit has changes of the user; not one that the landing committed."""
    git, ended = landing.git, landing.state.merged_commit
    if ended and git.history.is_ancestor(older=commit.sha, newer=ended):
        return False
    same = tuple(original for original in originals if original.identity == commit.identity)
    return has_own_changes(git.preview, commit, same)


def name_commits(commits: Iterable[BranchCommit]) -> str:
    """Return the commits as a list for a message."""
    return join_names(f"{short_sha(commit.sha)} {commit.subject}" for commit in commits)


def require_no_own_commits(landing: Landing, *, then: str) -> None:
    """Raise CommandError if aborting the unfinished rebase would lose commits of the user.

    Args:
        then: the command to run afterwards.
    """
    head = landing.git.history.head()
    if own := find_own_commits(landing, head):
        raise CommandError(
            f"the unfinished rebase has commits that you made: {name_commits(own)}",
            hint=f"to keep them, run git branch NAME {short_sha(head)}; to discard them, run git rebase --abort; "
            f"then run {then}",
            exit=ExitCode.REFUSED,
        )
