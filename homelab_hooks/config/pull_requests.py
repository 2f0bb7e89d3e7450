"""The values of the settings for protected targets: what a landing does there, and how a pull request is merged."""

from __future__ import annotations

from enum import StrEnum

from homelab_hooks.config.parsers import make_choice_parser

AUTOMATIC = "auto"


class ProtectedTarget(StrEnum):
    """What a landing does on a branch that takes no direct pushes."""

    LINK = "link"
    """push the branch, and print the link of the pull request"""
    MERGE = "merge"
    """open a pull request, wait for its checks, and merge it"""


class MergeStyle(StrEnum):
    """How a forge merges a pull request."""

    FAST_FORWARD = "fast-forward"
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


def parse_protected(text: str) -> ProtectedTarget:
    """Return the value of `homelab.protected`. Raises ValueError."""
    return ProtectedTarget(make_choice_parser(*ProtectedTarget)(text))


def parse_merge_style(text: str) -> MergeStyle | None:
    """Return the value of `homelab.mergeStyle`; None for auto. Raises ValueError.

    >>> parse_merge_style("squash"), parse_merge_style("auto")
    (<MergeStyle.SQUASH: 'squash'>, None)
    """
    chosen = make_choice_parser(AUTOMATIC, *MergeStyle)(text)
    return None if chosen == AUTOMATIC else MergeStyle(chosen)
