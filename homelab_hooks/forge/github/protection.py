"""Reads the rules of a branch on GitHub: those of rulesets, and what a writer sees of the classic protection.

From "Get rules for a branch" and "Get a branch" in GitHub's public REST documentation (docs.github.com/en/rest/repos/
rules and docs.github.com/en/rest/branches/branches), not seen on a real server. The number of required approvals of
the classic protection is for administrators; the refusal of the merge names it. Whether the head must contain the
target's tip (`strict_required_status_checks_policy`) is not read: a landing always merges the target first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.forge.merge_style import intersect_styles
from homelab_hooks.forge.pull_request_json import parse_branch_tip
from homelab_hooks.forge.pull_requests import BranchProtection
from homelab_hooks.forge.required_checks import RequiredChecks
from homelab_hooks.text.json_fields import Json, read_display_text, read_list, read_number, read_object, read_text

_STYLES = {"merge": MergeStyle.MERGE, "squash": MergeStyle.SQUASH, "rebase": MergeStyle.REBASE}
_LINEAR = frozenset({MergeStyle.SQUASH, MergeStyle.REBASE})
"""what a linear history leaves: no merge commits"""
_PUSH_RULES = frozenset({"pull_request", "update", "required_status_checks", "merge_queue"})
"""kinds of rules that refuse a fast-forward push; others, such as `deletion` or `non_fast_forward`, do not"""


class BranchRow(NamedTuple):
    """A branch, as a writer sees it."""

    tip: str
    is_protected: bool
    contexts: tuple[str, ...] = ()


class BranchRule(NamedTuple):
    """One rule of a ruleset."""

    kind: str
    contexts: tuple[str, ...] = ()
    approvals: int = 0
    styles: frozenset[MergeStyle] | None = None


class BranchRules(NamedTuple):
    """All rules of a branch together."""

    kinds: frozenset[str]
    contexts: tuple[str, ...]
    approvals: int
    styles: frozenset[MergeStyle] | None

    @classmethod
    def of(cls, rules: Iterable[BranchRule]) -> BranchRules:
        """Return what the rules require together."""
        found = tuple(rules)
        linear = (_LINEAR for rule in found if rule.kind == "required_linear_history")
        return cls(
            kinds=frozenset(rule.kind for rule in found),
            contexts=tuple(dict.fromkeys(name for rule in found for name in rule.contexts)),
            approvals=max((rule.approvals for rule in found), default=0),
            styles=intersect_styles(*(rule.styles for rule in found), *linear),
        )


def combine_protection(branch: BranchRow, rules: BranchRules) -> BranchProtection:
    """Return the protection of a branch: the classic one and the rulesets both apply."""
    contexts = tuple(dict.fromkeys((*branch.contexts, *rules.contexts)))
    return BranchProtection(
        tip=branch.tip,
        is_protected=branch.is_protected or bool(_PUSH_RULES & rules.kinds),
        can_push=False if _PUSH_RULES & rules.kinds else None,
        required_checks=RequiredChecks(is_enabled=bool(contexts), patterns=contexts, has_globs=False),
        required_approvals=rules.approvals,
        allowed_styles=rules.styles,
        has_merge_queue="merge_queue" in rules.kinds,
    )


def parse_branch(raw: object) -> BranchRow:
    """Read a branch. Its required checks count unless their enforcement is off. Raises UnexpectedShape."""
    json = read_object(raw)
    protection = read_object(json.get("protection") or {})
    checks = read_object(protection.get("required_status_checks") or {})
    is_off = protection.get("enabled") is False or read_text(checks, "enforcement_level") == "off"
    contexts = () if is_off else read_list(checks.get("contexts") or [], _read_name)
    return BranchRow(parse_branch_tip(raw), json.get("protected") is True, contexts)


def parse_rules(raw: object) -> tuple[BranchRule, ...]:
    """Read a page of rules. Raises UnexpectedShape."""
    return read_list(raw, _parse_rule)


def _parse_rule(raw: object) -> BranchRule:
    json = read_object(raw)
    kind = read_text(json, "type", required=True)
    values = read_object(json.get("parameters") or {})
    checks = values.get("required_status_checks") or []
    return BranchRule(
        kind=kind,
        contexts=read_list(checks, lambda one: read_display_text(read_object(one), "context")),
        approvals=read_number(values, "required_approving_review_count"),
        styles=_read_styles(values),
    )


def _read_styles(values: Json) -> frozenset[MergeStyle] | None:
    words = values.get("allowed_merge_methods")
    if words is None:
        return None
    return frozenset(_STYLES[word] for word in read_list(words, _read_name) if word in _STYLES)


def _read_name(raw: object) -> str:
    return read_display_text({"name": raw}, "name")
