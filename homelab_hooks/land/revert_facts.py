"""Collects what the repository says about a commit that is to be reverted; changes nothing but the tracking ref."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.git import remote_url as remotes
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.fetch_error import require_tip
from homelab_hooks.land.revert import RevertFacts, named_reverts
from homelab_hooks.text.sanitize import strip_control_chars

_REVERT_WORDS = "This reverts commit "
_UPDATED_BY_PUSH = "update by push"
"""git's reason in the reflog of a tracking ref that a push has moved (transport.c)"""


class RevertTarget(NamedTuple):
    """The target branch that a revert is landed on."""

    remote: str
    branch: str
    push_url: str
    tip: str
    """its commit"""
    tracking: str
    """the full name of its tracking ref"""

    @property
    def upstream(self) -> str:
        """Return the target as messages name it."""
        return f"{remotes.format_remote_url(self.remote)}/{strip_control_chars(self.branch)}"


def query_tip(git: Repository, target: RevertTarget) -> str:
    """Return the target's commit at the server, without fetching it."""
    return require_tip(git.remotes.ls_remote_branch(target.push_url, target.branch), target.upstream)


def collect_revert_facts(name: str, commit: str, target: RevertTarget, git: Repository, *, before: str) -> RevertFacts:
    """Return the facts about a commit.

    Args:
        name: the commit as the user gave it.
        commit: what the name meant before the target was fetched; empty if it meant nothing.
        before: the target's commit before the commit was pushed, if the caller has landed it; else empty.
    """
    history = git.history
    if not commit or not history.has_commit(commit):
        return RevertFacts(commit="", name=name, upstream=target.upstream, target=target.branch, reverts={})
    if not history.is_ancestor(older=commit, newer=target.tip):
        same = history.commit_with_tree(history.tree_of(commit), newer=target.tip, older=commit)
        return RevertFacts(
            commit=commit,
            name=name,
            upstream=target.upstream,
            target=target.branch,
            on_target=False,
            reverts={},
            same_tree=same,
            is_shallow=history.is_shallow(),
        )
    updates, parents = history.ref_updates(target.tracking), history.parents(commit)
    known = before or _commit_before_push(commit, updates)
    messages = history.messages_between(commit, target.tip, containing=_REVERT_WORDS)
    return RevertFacts(
        commit=commit,
        name=name,
        upstream=target.upstream,
        target=target.branch,
        parents=parents,
        message=history.commit_message(commit),
        landed_on=known if known and known != commit and history.is_ancestor(older=known, newer=commit) else "",
        mainlines=_find_mainlines(git, commit, parents, updates) if len(parents) > 1 else (),
        reverts={sha: named_reverts(message) for sha, message in messages.items()},
    )


def _commit_before_push(commit: str, updates: tuple[tuple[str, str], ...]) -> str:
    """Return the target's commit before this repository pushed the commit as its new tip; empty if it did not."""
    for position, (sha, why) in enumerate(updates[:-1]):
        if sha == commit and why == _UPDATED_BY_PUSH:
            return updates[position + 1][0]
    return ""


def _find_mainlines(
    git: Repository, merge: str, parents: tuple[str, ...], updates: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """Return the parents of a merge that contain the newest past commit of the target without the merge.

    A target only grows, so of the reflog's entries the newer ones contain the merge, and the older ones do not.
    """
    low, high = 0, len(updates)
    while low < high:
        middle = (low + high) // 2
        if git.history.is_ancestor(older=merge, newer=updates[middle][0]):
            low = middle + 1
        else:
            high = middle
    if low == len(updates):
        return ()
    past = updates[low][0]
    return tuple(parent for parent in parents if git.history.is_ancestor(older=past, newer=parent))
