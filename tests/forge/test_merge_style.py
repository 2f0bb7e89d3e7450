"""The merge style: `auto` keeps the checked commit, and squash or rebase are only chosen on request."""

from __future__ import annotations

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.forge.merge_style import StyleRefused, choose_merge_style, intersect_styles

FAST, MERGE, SQUASH, REBASE = MergeStyle
ALL = frozenset(MergeStyle)


@pytest.mark.parametrize(
    ("wanted", "allowed", "expected"),
    [
        (None, ALL, FAST),
        (None, {FAST}, FAST),
        (None, {MERGE, SQUASH}, MERGE),
        (None, {SQUASH, REBASE}, None),
        (None, None, MERGE),
        (SQUASH, ALL, SQUASH),
        (SQUASH, {MERGE}, None),
        (REBASE, {REBASE}, REBASE),
        (FAST, None, FAST),
    ],
)
def test_the_chosen_style(
    wanted: MergeStyle | None, allowed: set[MergeStyle] | None, expected: MergeStyle | None
) -> None:
    limit = None if allowed is None else frozenset(allowed)
    found = choose_merge_style(wanted, limit)
    assert isinstance(found, StyleRefused) if expected is None else found is expected


def test_a_refusal_names_the_option_with_what_is_allowed() -> None:
    found = choose_merge_style(None, frozenset({SQUASH}))
    assert isinstance(found, StyleRefused)
    assert "--merge-style squash" in found.hint


def test_repository_and_branch_both_limit_the_styles() -> None:
    assert intersect_styles(frozenset({MERGE, SQUASH}), None, frozenset({SQUASH, REBASE})) == frozenset({SQUASH})
    assert intersect_styles(None, None) is None
