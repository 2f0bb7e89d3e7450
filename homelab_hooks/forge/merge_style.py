"""Chooses the style of a merge from the setting and what the forge allows.

`auto` keeps the checked commit: a fast-forward, or a merge commit whose second parent it is. Squash and rebase put
another commit on the target, so they are chosen only if the user asks for them. A landing has merged the target before,
so that a fast-forward is possible; if the target moves meanwhile, the forge refuses it (500 on Gitea, recording
03j-administrators-and-force), and the landing starts again.
"""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.config.pull_requests import MergeStyle


class StyleRefused(NamedTuple):
    """No style that is asked for is allowed."""

    reason: str
    hint: str


def choose_merge_style(wanted: MergeStyle | None, allowed: frozenset[MergeStyle] | None) -> MergeStyle | StyleRefused:
    """Return the style to send.

    Args:
        wanted: None for `auto`.
        allowed: by the repository and the branch together; None: the forge does not show it, so that it is tried.

    >>> choose_merge_style(None, frozenset({MergeStyle.FAST_FORWARD, MergeStyle.MERGE})).value
    'fast-forward'
    """
    if wanted is not None:
        if allowed is not None and wanted not in allowed:
            return _refuse(f"the forge does not allow the merge style {wanted} here", allowed)
        return wanted
    if allowed is None:  # GitHub has no style fast-forward, and a merge commit is allowed by default everywhere
        return MergeStyle.MERGE
    if MergeStyle.FAST_FORWARD in allowed:
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
