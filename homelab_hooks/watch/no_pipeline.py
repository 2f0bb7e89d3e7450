"""Why there is no pipeline, from what git and CI can say: a pure function."""

from __future__ import annotations

import re
from typing import NamedTuple

_SKIP_MARKER = re.compile(r"\[(?:ci\s*skip|skip\s*ci)\]", re.IGNORECASE)


class CommitFacts(NamedTuple):
    """What git knows about the commit; None: not known."""

    message: str = ""
    has_ci_config: bool | None = None
    """a Woodpecker configuration exists at that commit"""
    is_branch_tip: bool | None = None
    """it is the tip of a branch on the remote"""
    is_pushed: bool | None = None
    """a branch of the remote holds it, as far as is known here"""
    is_repo_active: bool | None = None
    """CI has the repository activated"""


def find_skip_marker(message: str) -> str:
    """The marker that makes Woodpecker skip a push; empty where there is none (constraint/skip.go, recording 06).

    >>> find_skip_marker("docs only [CI SKIP]"), find_skip_marker("[skip  ci] x"), find_skip_marker("[skip actions]")
    ('[CI SKIP]', '[skip  ci]', '')
    """
    found = _SKIP_MARKER.search(message)
    return found.group(0) if found else ""


def explain_no_pipeline(facts: CommitFacts, *, was_filtered: bool) -> tuple[str, str]:
    """The likeliest reason and its remedy.

    Args:
        was_filtered: a pipeline was seen as `created` and vanished again.
    """
    marker = find_skip_marker(facts.message)
    if facts.is_repo_active is False:
        return "the repository is not active in CI", "activate it in Woodpecker"
    if marker:
        return f"the commit message says {marker}", "push a commit without it, or: homelab ci restart"
    if facts.has_ci_config is False:
        return "there is no Woodpecker configuration at this commit", "add .woodpecker.yaml or .woodpecker/"
    if was_filtered:
        return "the pipeline was filtered out: no workflow's conditions match", "look at the `when` of the workflows"
    return _not_pushed(facts) or (
        "no reason found; the forge's webhook may have been lost",
        "redeliver it on the forge, or: homelab ci restart",
    )


def _not_pushed(facts: CommitFacts) -> tuple[str, str] | None:
    """A commit that CI cannot have heard of."""
    if facts.is_pushed is False:
        return "the commit is on no branch of the remote, as far as is known here", "push it, or: git land"
    if facts.is_branch_tip is False:
        return "the commit is not the tip that was pushed: only tips get a pipeline", "watch the tip of the branch"
    return None
