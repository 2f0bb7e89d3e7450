"""Chooses the style of a merge from the setting, what the forge allows, and the history.

`auto` keeps the checked commit: a fast-forward, or a merge commit whose second parent it is. Squash and rebase put
another commit on the target, so they are chosen only if the user asks for them.
"""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.config.pull_requests import MergeStyle


class StyleRefused(NamedTuple):
    """No style that is asked for is allowed."""

    reason: str
    hint: str


def choose_merge_style(
    wanted: MergeStyle | None,
    allowed: frozenset[MergeStyle] | None,
    *,
    is_target_ancestor: bool,
    needs_up_to_date_head: bool = False,
) -> MergeStyle | StyleRefused:
    """Return the style to send.

    Args:
        wanted: None for `auto`.
        allowed: by the repository and the branch together; None: the forge does not show it, so that it is tried.
        is_target_ancestor: the head contains the target's tip; a fast-forward of another head is refused (500 on Gitea,
            recording 03j-administrators-and-force).
        needs_up_to_date_head: the rules of the branch refuse any other head, in whatever style.

    >>> both = frozenset({MergeStyle.FAST_FORWARD, MergeStyle.MERGE})
    >>> [choose_merge_style(None, both, is_target_ancestor=on).value for on in (True, False)]
    ['fast-forward', 'merge']
    """
    if needs_up_to_date_head and not is_target_ancestor:
        return StyleRefused("the branch is behind the target", "fetch and merge the target, then try again")
    if wanted is not None:
        if allowed is not None and wanted not in allowed:
            return _refuse(f"the forge does not allow the merge style {wanted} here", allowed)
        if wanted is MergeStyle.FAST_FORWARD and not is_target_ancestor:
            return StyleRefused("the target has moved: a fast-forward is not possible", "merge the target, or use auto")
        return wanted
    return _choose_automatically(allowed, is_target_ancestor=is_target_ancestor)


def _choose_automatically(
    allowed: frozenset[MergeStyle] | None, *, is_target_ancestor: bool
) -> MergeStyle | StyleRefused:
    if allowed is None:  # GitHub has no style fast-forward, and a merge commit is allowed by default everywhere
        return MergeStyle.MERGE
    if is_target_ancestor and MergeStyle.FAST_FORWARD in allowed:
        return MergeStyle.FAST_FORWARD
    if MergeStyle.MERGE in allowed:
        return MergeStyle.MERGE
    return _refuse("the forge allows neither a fast-forward nor a merge commit here", allowed)


def intersect_styles(*limits: frozenset[MergeStyle] | None) -> frozenset[MergeStyle] | None:
    """Return the styles that the repository and the rules of the branch both allow; None sets no limit."""
    known = [limit for limit in limits if limit is not None]
    return frozenset.intersection(*known) if known else None


def _refuse(reason: str, allowed: frozenset[MergeStyle]) -> StyleRefused:
    named = ", ".join(f"--merge-style {style}" for style in MergeStyle if style in allowed)
    return StyleRefused(reason, f"use one that is allowed: {named}" if named else "ask an administrator to allow one")
