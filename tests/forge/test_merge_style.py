"""The merge style: `auto` keeps the checked commit, and squash or rebase are only chosen on request."""

from __future__ import annotations

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.forge.merge_style import StyleRefused, choose_merge_style, intersect_styles

FAST, MERGE, SQUASH, REBASE = MergeStyle
ALL = frozenset(MergeStyle)


@pytest.mark.parametrize(
    ("wanted", "allowed", "is_ancestor", "expected"),
    [
        (None, ALL, True, FAST),
        (None, ALL, False, MERGE),
        (None, {FAST}, True, FAST),
        (None, {MERGE, SQUASH}, True, MERGE),
        (None, {FAST, SQUASH}, False, None),
        (None, {SQUASH, REBASE}, True, None),
        (None, None, True, MERGE),
        (SQUASH, ALL, True, SQUASH),
        (SQUASH, {MERGE}, True, None),
        (REBASE, {REBASE}, False, REBASE),
        (FAST, ALL, False, None),
        (FAST, None, True, FAST),
    ],
)
def test_the_chosen_style(
    wanted: MergeStyle | None, allowed: set[MergeStyle] | None, *, is_ancestor: bool, expected: MergeStyle | None
) -> None:
    limit = None if allowed is None else frozenset(allowed)
    found = choose_merge_style(wanted, limit, is_target_ancestor=is_ancestor)
    assert isinstance(found, StyleRefused) if expected is None else found is expected


def test_a_refusal_names_the_option_with_what_is_allowed() -> None:
    found = choose_merge_style(None, frozenset({SQUASH}), is_target_ancestor=True)
    assert isinstance(found, StyleRefused)
    assert "--merge-style squash" in found.hint


def test_a_head_that_must_be_up_to_date_is_refused_in_every_style() -> None:
    found = choose_merge_style(None, ALL, is_target_ancestor=False, needs_up_to_date_head=True)
    assert isinstance(found, StyleRefused)


def test_repository_and_branch_both_limit_the_styles() -> None:
    assert intersect_styles(frozenset({MERGE, SQUASH}), None, frozenset({SQUASH, REBASE})) == frozenset({SQUASH})
    assert intersect_styles(None, None) is None
