"""Required checks: named contexts and globs, the newest of each, and an empty list that is never green."""

from __future__ import annotations

import pytest

from homelab_hooks.forge.required_checks import ChecksState, RequiredChecks, judge_required_checks
from homelab_hooks.text.commit_report import CommitReport

EVERY = RequiredChecks(is_enabled=True)


def required(*names: str, has_globs: bool = True) -> RequiredChecks:
    return RequiredChecks(is_enabled=True, patterns=names, has_globs=has_globs)


def reports(*rows: tuple[str, str]) -> list[CommitReport]:
    return [CommitReport(number, context, word) for number, (context, word) in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        (RequiredChecks(), (), ChecksState.NOT_REQUIRED),
        (EVERY, (), ChecksState.MISSING),
        (EVERY, (("any", "pending"),), ChecksState.PENDING),
        (EVERY, (("any", "failure"),), ChecksState.RED),
        (EVERY, (("any", "success"),), ChecksState.GREEN),
        (EVERY, (("any", "success"), ("other", "error")), ChecksState.RED),
        (required("ci/build"), (), ChecksState.MISSING),
        (required("ci/build"), (("other", "success"),), ChecksState.MISSING),
        (required("ci/build", "lint-*"), (("ci/build", "success"),), ChecksState.MISSING),
        (required("ci/build", "lint-*"), (("ci/build", "skipped"), ("lint-a", "success")), ChecksState.GREEN),
        (required("ci/build", "lint-*"), (("ci/build", "warning"), ("lint-a", "success")), ChecksState.PENDING),
        (required("lint-*"), (("lint-a", "success"), ("lint-b", "failure")), ChecksState.RED),
        (required("lint-*"), (("lint-a", "success"), ("unrelated", "failure")), ChecksState.GREEN),
        (required("a"), (("a", "failure"), ("a", "success")), ChecksState.GREEN),
        (required("a"), (("a", "success"), ("a", "pending")), ChecksState.PENDING),
        (required("a"), (("a", "great"),), ChecksState.PENDING),
        (required("a"), (("a", "cancelled"),), ChecksState.RED),
        (required("a"), (("a", "neutral"),), ChecksState.GREEN),
        (required("a", "b"), (("a", "failure"),), ChecksState.RED),
    ],
)
def test_the_state_of_the_required_checks(
    rule: RequiredChecks, rows: tuple[tuple[str, str], ...], expected: ChecksState
) -> None:
    """As recordings 03d and 03e: each row without GitHub's words was merged, or was refused."""
    assert judge_required_checks(rule, reports(*rows)).state is expected


def test_the_contexts_are_named() -> None:
    rows = reports(("a", "failure"), ("b", "pending"), ("d", "success"))
    found = judge_required_checks(required("a", "b", "c", "d", "e/*"), rows)
    assert [one.context for one in found.red] == ["a"]
    assert [one.context for one in found.pending] == ["b"]
    assert [one.context for one in found.green] == ["d"]
    assert found.missing == ("c", "e/*")


def test_a_name_of_github_is_no_glob() -> None:
    rows = reports(("build (a)", "success"))
    assert judge_required_checks(required("build*", has_globs=False), rows).state is ChecksState.MISSING


def test_the_newest_report_counts_whatever_the_order() -> None:
    rows = tuple(reversed(reports(("a", "failure"), ("a", "success"))))
    assert judge_required_checks(required("a"), rows).state is ChecksState.GREEN


def test_checks_of_two_apps_with_one_name_both_count() -> None:
    rows = [CommitReport(1, "a", "failure", app="one"), CommitReport(2, "a", "success", app="two")]
    assert judge_required_checks(required("a"), rows).state is ChecksState.RED
