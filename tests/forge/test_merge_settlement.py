"""A merge whose answer is not known is settled by the target first, and by the pull request second."""

from __future__ import annotations

import pytest

from homelab_hooks.forge.merge_settlement import Settlement, SettlementFacts, settle_merge
from homelab_hooks.forge.pull_requests import PullRequest, PullRequestState
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.forge.simulated_pulls import make_pull_world

OURS, OTHER = "a" * 40, "b" * 40


def pull(state: PullRequestState, head: str = OURS) -> PullRequest:
    return PullRequest(7, state, head, "topic", "acme/app", "main")


OPEN, CLOSED, MERGED = (pull(state) for state in PullRequestState)


@pytest.mark.parametrize(
    ("contains", "shown", "expected"),
    [
        (True, MERGED, Settlement.LANDED),
        (True, OPEN, Settlement.LANDED_UNREPORTED),
        (True, None, Settlement.LANDED_UNREPORTED),
        (False, MERGED, Settlement.MERGED_DIFFERENTLY),
        (False, OPEN, Settlement.NOT_MERGED),
        (False, pull(PullRequestState.OPEN, OTHER), Settlement.HEAD_MOVED),
        (False, CLOSED, Settlement.CLOSED),
        (False, None, Settlement.UNKNOWN),
        (None, MERGED, Settlement.UNKNOWN),
        (None, OPEN, Settlement.UNKNOWN),
    ],
)
def test_the_target_decides(*, contains: bool | None, shown: PullRequest | None, expected: Settlement) -> None:
    assert settle_merge(SettlementFacts(OURS, contains, pull=shown)) is expected


def test_the_tree_of_a_squash_counts() -> None:
    facts = SettlementFacts(OURS, target_contains_head=False, has_same_tree=True, pull=MERGED)
    assert settle_merge(facts) is Settlement.LANDED


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (CutPoint.BEFORE, Settlement.NOT_MERGED),
        (CutPoint.DURING, Settlement.LANDED_UNREPORTED),
        (CutPoint.AFTER, Settlement.LANDED),
    ],
)
def test_a_lost_answer_is_settled_by_asking(
    workshop: ScratchRepositories, point: CutPoint, expected: Settlement
) -> None:
    world = make_pull_world(workshop)
    world.open()
    world.repo.merge_cuts.append(MergeCut(point))
    world.merge()
    contains = world.git.is_ancestor(world.head, world.target)
    assert settle_merge(SettlementFacts(world.head, contains, pull=world.read())) is expected
