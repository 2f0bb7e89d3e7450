"""What the target holds after a merge: fetched, and compared with the commit that was proposed."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.landing import Landing
from homelab_hooks.verdict import Verdict


class MergedCommit(NamedTuple):
    """The target after a merge; `contains` is None if it could not be fetched."""

    contains: bool | None
    has_same_tree: bool = False
    sha: str = ""
    """the commit by which the target got the change; empty if it did not"""


def find_merged_commit(landing: Landing, named: str) -> MergedCommit:
    """Fetch the target, and return the commit that brought the proposed one, or its tree.

    Args:
        landing: whose commit was proposed.
        named: the merge commit that the forge names; it counts only if the target has it.
    """
    git, state = landing.git, landing.state
    source = git.remotes.choose_fetch_source(state.remote, state.push_url)
    listener = landing.listen("fetch", f"git fetch of {landing.upstream}")
    tip, _ = git.transfer.fetch_tip(source.name, state.target, remote=source.tracking, listener=listener)
    if not tip:
        return MergedCommit(None)
    proposed = state.pushed_commit
    steps = git.history.first_parent_trees(state.target_commit, tip) if state.target_commit else ()
    if git.history.is_ancestor(older=proposed, newer=tip):
        return MergedCommit(contains=True, sha=_find_bringer(landing, named, tip, tuple(sha for sha, _ in steps)))
    tree = git.history.tree_of(proposed)
    same = next((sha for sha, its_tree in steps if its_tree == tree), "") if not state.keeps_commit else ""
    return MergedCommit(contains=False, has_same_tree=bool(same), sha=same)


def _find_bringer(landing: Landing, named: str, tip: str, steps: tuple[str, ...]) -> str:
    """Return the first commit of the target's own line that contains the proposed one."""
    history, proposed = landing.git.history, landing.state.pushed_commit
    if proposed in {tip, *steps}:
        return proposed
    if named and history.has_commit(named) and _is_between(landing, named, tip):
        return named
    return next((sha for sha in steps if history.is_ancestor(older=proposed, newer=sha)), tip)


def _is_between(landing: Landing, named: str, tip: str) -> bool:
    history = landing.git.history
    proposed = landing.state.pushed_commit
    return history.is_ancestor(older=proposed, newer=named) and history.is_ancestor(older=named, newer=tip)


def save_merged(landing: Landing, found: MergedCommit) -> None:
    """Save that the change is on the target, before anything else is tried."""
    history, sha = landing.git.history, found.sha or landing.state.pushed_commit
    differs = history.tree_of(sha) != history.tree_of(landing.state.pushed_commit)
    landing.save(landed_commit=sha, tree_differs=differs)


def unknown_merge(landing: Landing, reason: str, *, is_final: bool) -> Verdict:
    """Return the verdict for a merge that may or may not have landed (8).

    Args:
        landing: whose commit was proposed.
        reason: what is known.
        is_final: another look would show the same, so that nothing is left to be resumed.
    """
    state = landing.state
    hint = "run git land --continue to look again"
    if is_final:
        landing.discard()
        hint = f"compare {landing.upstream} with {state.branch}"
    else:
        landing.save(ended_with=ExitCode.UNREACHABLE.verdict)
    what = f"unknown whether {state.pushed_commit} is on {state.target}: {reason}"
    return Verdict(exit=ExitCode.UNREACHABLE, reason=what, hint=hint, sha=state.pushed_commit, url=state.pull_url)
