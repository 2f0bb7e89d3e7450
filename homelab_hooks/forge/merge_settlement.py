"""Decides what became of a merge whose answer is not known, from the target and the pull request.

The target decides, not the forge's `merged`: after a client hung up, the target had the merge while the request stayed
open, and CI received no webhook (recording 03h-merge-policy-and-lost-answer). The reverse exists too: a request that is
merged, whose squash or rebase has another tree than the one that was checked.

A merge may still run when it is asked about: Gitea's took up to 7 s. NOT_MERGED is a fact about one moment, so ask
again within SETTLE_WINDOW_S before it is believed.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.forge.pull_requests import PullRequest, PullRequestState

SETTLE_WINDOW_S = 20.0
"""seconds in which a merge that is not on the target yet is asked about again"""


class Settlement(Enum):
    """What became of a merge."""

    LANDED = auto()
    """the target contains the commit, or the same tree; and the request is merged"""
    LANDED_UNREPORTED = auto()
    """the same, and the forge does not show the request as merged: CI was probably not notified"""
    MERGED_DIFFERENTLY = auto()
    """the request is merged, and the target has neither the commit nor its tree"""
    HEAD_MOVED = auto()
    """not merged, and another client pushed to the head"""
    CLOSED = auto()
    """not merged, and closed by a person, or by the deletion of its branch"""
    NOT_MERGED = auto()
    """open, at this moment"""
    UNKNOWN = auto()
    """the target or the request could not be read"""


class SettlementFacts(NamedTuple):
    """What was read after the request; None: it could not be read."""

    head_sha: str
    """the commit that was to be merged"""
    target_contains_head: bool | None
    has_same_tree: bool = False
    """a commit that is new on the target has the tree that was checked (squash)"""
    pull: PullRequest | None = None


def settle_merge(facts: SettlementFacts) -> Settlement:
    """Return what became of a merge.

    >>> settle_merge(SettlementFacts("a" * 40, target_contains_head=True)).name
    'LANDED_UNREPORTED'
    """
    pull = facts.pull
    is_merged = pull is not None and pull.state is PullRequestState.MERGED
    if facts.target_contains_head or facts.has_same_tree:
        return Settlement.LANDED if is_merged else Settlement.LANDED_UNREPORTED
    if facts.target_contains_head is None or pull is None:
        return Settlement.UNKNOWN
    return Settlement.MERGED_DIFFERENTLY if is_merged else _read_unmerged(pull, facts.head_sha)


def _read_unmerged(pull: PullRequest, head_sha: str) -> Settlement:
    if pull.state is PullRequestState.CLOSED:
        return Settlement.CLOSED
    return Settlement.NOT_MERGED if pull.head_sha == head_sha else Settlement.HEAD_MOVED
