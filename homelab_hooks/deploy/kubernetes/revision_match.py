"""Matches the revisions that a GitOps resource names with the expected commit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homelab_hooks.deploy.assessment import ImagePending, ImageUnproven, RolloutFailed
from homelab_hooks.deploy.kubernetes.resource import ResourceReport
from homelab_hooks.deploy.kubernetes.snapshot import describe_command, workload_target
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.git.containment import Containment
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha

_LONG_ID = re.compile(r"\b[0-9a-f]{40,64}\b")


@dataclass(frozen=True, slots=True)
class RevisionMatch:
    """How the commits of a resource relate to the expected one."""

    commit: str = ""
    """the commit that is the expected one or contains it, else the first one; empty if no commit is named"""
    is_ours: bool = False
    """whether it is the expected commit, or a newer one that contains it"""
    is_newer: bool = False
    is_unknown: bool = False
    """whether git does not know it here: it may contain the expected one"""

    @property
    def note(self) -> str:
        """Return the detail of a success by a newer commit."""
        return f"included in newer deploy {short_sha(self.commit, IMAGE_SHA_DIGITS)}" if self.is_newer else ""


def match_revision(
    commits: Iterable[str], expectation: Expectation, containment: Mapping[str, Containment]
) -> RevisionMatch:
    """Return the best match: of several sources, one that has the commit suffices."""
    named = tuple(commits)
    for commit in named:
        if expectation.sha.startswith(commit):
            return RevisionMatch(commit, is_ours=True)
    for commit in () if expectation.exact else named:
        if containment.get(commit) is Containment.CONTAINS:
            return RevisionMatch(commit, is_ours=True, is_newer=True)
    if not named:
        return RevisionMatch()
    known = (containment.get(commit, Containment.UNKNOWN) is Containment.NOT_CONTAINED for commit in named)
    return RevisionMatch(named[0], is_unknown=not expectation.exact and not any(known))


def abbreviate_commits(name: str) -> str:
    """Return a revision whose commits and digests are abbreviated for messages.

    >>> abbreviate_commits("main@sha1:" + "0a" * 20)
    'main@sha1:0a0a0a0a'
    """
    return _LONG_ID.sub(lambda found: short_sha(found.group(), IMAGE_SHA_DIGITS), name)


def report_other_revision(state: RolloutState, found: RevisionMatch, name: str, note: str = "") -> ResourceReport:
    """Return the report of a resource that has not delivered the commit, or no longer has it.

    Args:
        name: the revision, as the resource names it; empty if it has none yet.
        note: what the resource reports that may explain it.
    """
    short = state.expectation.short_sha
    if state.proven_image and name:
        return ResourceReport(assessment=_replaced(state, found, name), name=name)
    shown = f"is at {abbreviate_commits(name)}" if name else "has no revision yet"
    unknown = " (unknown commit)" if found.is_unknown else ""
    detail = f"{shown}{unknown}; waiting for {short}{f'; {note}' if note else ''}"
    return ResourceReport(assessment=ImagePending(detail, name), name=name)


def report_unnamed_commit(state: RolloutState, name: str, hint: str) -> ResourceReport:
    """Return the report of a resource whose revision cannot name a commit: waiting would not change that."""
    if state.proven_image:
        return report_other_revision(state, RevisionMatch(), name)
    return ResourceReport(assessment=ImageUnproven(f"its revision {name} names no commit", hint, name), name=name)


def _replaced(state: RolloutState, found: RevisionMatch, name: str) -> RolloutFailed:
    is_back = name in state.previous_images
    short = state.expectation.short_sha
    why = f"could not determine whether it contains {short}" if found.is_unknown else f"not {short}"
    return RolloutFailed(
        f"{'rolled back to' if is_back else 'replaced by'} {abbreviate_commits(name)} ({why})",
        state.proven_image,
        describe_command(workload_target(state)),
        unknown_commit=found.is_unknown and not is_back,
    )
