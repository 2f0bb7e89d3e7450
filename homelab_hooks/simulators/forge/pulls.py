"""Pull requests of the simulated forge: their data, and the rules by which a merge is refused.

`find_refusal` is a pure function with the statuses and texts of recordings 02c and 03 to 03j, in the order in which
Gitea 1.26 checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.text.context_glob import matches_context

MERGE_WORDS = ("merge", "rebase", "rebase-merge", "squash", "fast-forward-only", "manually-merged")
PASSED_STATES = frozenset({"success", "skipped"})
_DRAFT_PREFIXES = ("WIP:", "[WIP]")


class CutPoint(Enum):
    """How far a merge gets whose answer is lost."""

    BEFORE = auto()
    """nothing happened (recording 03h, a client that hung up within 0.2 s)"""
    DURING = auto()
    """the target has the merge; the request is open and no webhook was sent (recording 03h, 0.4 s to 1 s)"""
    AFTER = auto()
    """all is done"""


@dataclass(frozen=True)
class MergeCut:
    """A merge whose answer is cut off after `sent_bytes` bytes, headers included."""

    point: CutPoint
    sent_bytes: int = 0


@dataclass
class SimulatedProtection:
    """The rules of a branch."""

    can_push: bool = False
    merge_users: frozenset[str] | None = None
    """who may merge; None: everyone with write access"""
    contexts: tuple[str, ...] | None = None
    """the required checks; None: no check is required, empty: all must be good"""
    approvals: int = 0
    blocks_outdated: bool = False
    needs_signature: bool = False
    blocks_on_rejection: bool = False


@dataclass
class SimulatedPull:
    """A pull request; `checked` are head and target for which the forge knows whether they merge."""

    number: int
    title: str
    body: str
    head: str
    base: str
    author: str
    head_sha: str
    base_sha: str
    is_open: bool = True
    merged_by: str = ""
    merge_commit: str = ""
    reviews: dict[str, str] = field(default_factory=dict)
    """APPROVED or REQUEST_CHANGES, by login of people with write access"""
    checked: tuple[str, str] = ("", "")
    checking_until: float = 0.0

    @property
    def is_draft(self) -> bool:
        """Return whether the title says that work is in progress."""
        return self.title.startswith(_DRAFT_PREFIXES)


class MergeFacts(NamedTuple):
    """What decides about a merge, at the moment of the request."""

    is_merged: bool = False
    is_open: bool = True
    may_merge: bool = True
    is_draft: bool = False
    is_ready: bool = True
    """False: checking, conflicting, or contained in the target already"""
    protection: SimulatedProtection | None = None
    states: dict[str, str] = {}  # noqa: RUF012 - an immutable default
    """the newest state of each context of the head"""
    approvals: int = 0
    is_rejected: bool = False
    is_outdated: bool = False
    style: str = "merge"
    allowed: frozenset[str] = frozenset(MERGE_WORDS[:5])
    head_sha: str = ""
    pinned: str = ""


class MergeRefusal(NamedTuple):
    """The status and the text of a refusal."""

    status: int
    text: str


def find_refusal(facts: MergeFacts) -> MergeRefusal | None:
    """Return why a merge is refused before git is asked; None: it is tried."""
    rows = (*_list_state_refusals(facts), *_list_rule_refusals(facts), *_list_request_refusals(facts))
    return next((MergeRefusal(status, text) for applies, status, text in rows if applies), None)


def _list_state_refusals(facts: MergeFacts) -> tuple[tuple[bool, int, str], ...]:
    return (
        (not facts.style, 422, "[Do]: Required"),
        (facts.style not in MERGE_WORDS, 422, "[Do]: In"),
        (facts.is_merged, 405, "The PR is already merged"),
        (not facts.is_open, 404, "not found"),
        (not facts.may_merge, 405, "User not allowed to merge PR"),
        (facts.is_draft, 405, "Work in progress PRs cannot be merged"),
        (not facts.is_ready, 405, "Please try again later"),
    )


def _list_rule_refusals(facts: MergeFacts) -> tuple[tuple[bool, int, str], ...]:
    rules = facts.protection or SimulatedProtection()
    return (
        (not are_checks_green(rules.contexts, facts.states), 405, "Not all required status checks successful"),
        (facts.approvals < rules.approvals, 405, "Does not have enough approvals"),
        (rules.blocks_on_rejection and facts.is_rejected, 405, "There are requested changes"),
        (rules.blocks_outdated and facts.is_outdated, 405, "The head branch is behind the base branch"),
        (rules.needs_signature, 405, "wont sign: nokey"),
    )


def _list_request_refusals(facts: MergeFacts) -> tuple[tuple[bool, int, str], ...]:
    text = f"{facts.style} is not allowed an allowed merge style for this repository"
    return (
        (facts.style not in facts.allowed, 405, text),
        (bool(facts.pinned) and facts.pinned != facts.head_sha, 409, "head out of date"),
    )


def are_checks_green(contexts: tuple[str, ...] | None, states: dict[str, str]) -> bool:
    """Return whether the required checks are good: all that match a name or glob, and at least one (03d, 03e)."""
    if contexts is None:
        return True
    groups = [[name for name in states if matches_context(rule, name)] for rule in contexts] or [list(states)]
    return all(group and all(states[name] in PASSED_STATES for name in group) for group in groups)


def newest_states(statuses: Iterable[SimulatedStatus], sha: str, now: float) -> dict[str, str]:
    """Return the newest state of each context of a commit."""
    posted = [one for one in statuses if one.sha == sha and one.at <= now]
    return {one.context: one.state for one in sorted(posted, key=lambda one: one.id)}
