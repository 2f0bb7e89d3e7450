"""Decides whether the required checks of a branch are green for one commit.

A required check is the name of a context or a glob. Each context is judged by its newest report, not by the forge's
combined state, which is only that of one page (recording 04-commit-statuses). As Gitea 1.26 merges (recordings
03d-merge-required-checks and 03e-merge-required-checks-2):

* every context that matches a glob must be green, and at least one must exist;
* contexts that no rule names do not matter, however red;
* a rule without names requires that there is a report, and that all are green;
* `skipped` passes (and `neutral` of a check, GitHub's documentation), `warning` and any unknown state do not: anyone
  with write access may post any text.

An empty list is "none yet", never green: a forge answers a commit without reports with the state `pending`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.text.commit_report import CommitReport, select_newest_reports
from homelab_hooks.text.context_glob import matches_context

PASSED_WORDS = frozenset({"success", "skipped", "neutral"})
FAILED_WORDS = frozenset({"failure", "error", "cancelled", "timed_out", "startup_failure", "action_required"})
"""those that stay red until the check runs again; GitHub's from "Check runs" in its REST documentation"""


class RequiredChecks(NamedTuple):
    """What a branch requires of a commit before a merge."""

    is_enabled: bool = False
    patterns: tuple[str, ...] = ()
    """names and globs; none although enabled: every report must be green"""
    has_globs: bool = True
    """False: the names are literal, as GitHub's are"""


class ChecksState(Enum):
    """The state of the required checks together."""

    NOT_REQUIRED = auto()
    GREEN = auto()
    RED = auto()
    PENDING = auto()
    """reported, not decided yet"""
    MISSING = auto()
    """the rest is green, and at least one never appeared"""


class ChecksResult(NamedTuple):
    """The contexts by their state; what decides is `state`."""

    state: ChecksState
    red: tuple[CommitReport, ...] = ()
    pending: tuple[CommitReport, ...] = ()
    """also those in a state that is not known"""
    missing: tuple[str, ...] = ()
    """the names and globs that no report matches; empty if every report must be green and there is none"""
    green: tuple[CommitReport, ...] = ()


def judge_required_checks(required: RequiredChecks, reports: Sequence[CommitReport]) -> ChecksResult:
    """Return the state of the required checks from the reports of exactly one commit.

    >>> judge_required_checks(RequiredChecks(True, ("ci/*",)), []).missing
    ('ci/*',)
    """
    if not required.is_enabled:
        return ChecksResult(ChecksState.NOT_REQUIRED)
    newest = select_newest_reports(tuple(reports))
    counted = tuple(one for one in newest if not required.patterns or _is_required(required, one))
    missing = tuple(name for name in required.patterns if not any(_matches(required, name, one) for one in newest))
    red = tuple(one for one in counted if one.word in FAILED_WORDS)
    green = tuple(one for one in counted if one.word in PASSED_WORDS)
    pending = tuple(one for one in counted if one.word not in PASSED_WORDS | FAILED_WORDS)
    return ChecksResult(_find_state(counted, red, pending, missing), red, pending, missing, green)


def _find_state(
    counted: tuple[CommitReport, ...],
    red: tuple[CommitReport, ...],
    pending: tuple[CommitReport, ...],
    missing: tuple[str, ...],
) -> ChecksState:
    if red:
        return ChecksState.RED
    if pending:
        return ChecksState.PENDING
    return ChecksState.MISSING if missing or not counted else ChecksState.GREEN


def _is_required(required: RequiredChecks, report: CommitReport) -> bool:
    return any(_matches(required, name, report) for name in required.patterns)


def _matches(required: RequiredChecks, name: str, report: CommitReport) -> bool:
    return matches_context(name, report.context) if required.has_globs else name == report.context
