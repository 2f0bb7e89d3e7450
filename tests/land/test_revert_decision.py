"""What a revert takes back, and when a landing is reverted: decided from facts."""

from __future__ import annotations

from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.events import RevertResult, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import LandRequest
from homelab_hooks.land.revert import (
    AlreadyReverted,
    LeftWorktree,
    RevertFacts,
    RevertPlan,
    add_outcome,
    calls_for_revert,
    find_live_revert,
    keeps_worktree,
    may_discard,
    plan_revert,
)
from homelab_hooks.land.state import LandingState
from homelab_hooks.verdict import Verdict

INTO_TOPIC = "Merge remote-tracking branch 'origin/main' into topic"
AMONG_TOPICS = "Merge branch 'topic'"


def facts(**given: Any) -> RevertFacts:
    usual = {"commit": "c" * 40, "name": "HEAD", "upstream": "origin/main", "target": "main", "reverts": {}}
    return RevertFacts(**{**usual, "parents": ("p1", "p2"), **given})


@pytest.mark.parametrize(
    ("given", "parent", "is_certain"),
    [
        ({"parents": ("p1",)}, "p1", True),
        ({"landed_on": "old"}, "old", True),
        ({"landed_on": "p2", "mainlines": ("p1",), "message": AMONG_TOPICS}, "p2", True),
        ({"parents": ("p1",), "landed_on": "old"}, "old", True),
        ({"mainlines": ("p2",), "message": AMONG_TOPICS}, "p2", True),
        ({"mainlines": ("p1", "p2"), "message": INTO_TOPIC}, "p2", True),
        ({"message": INTO_TOPIC}, "p2", True),
        ({"message": "Merge branch 'main' into topic"}, "p2", True),
        ({"message": "Merge branch 'main' of example.test:acme/app into topic"}, "p2", True),
        ({"message": "Merge branch 'main' of example.test:acme/app"}, "p1", False),
        ({"message": AMONG_TOPICS}, "p1", True),
        ({"message": "Merge pull request #3 from acme/main"}, "p1", True),
        ({"message": "Merge branch 'domain' into topic"}, "p1", True),
        ({"message": "release"}, "p1", False),
    ],
)
def test_the_parent_that_was_the_target_is_what_the_target_goes_back_to(
    given: dict[str, Any],
    parent: str,
    is_certain: bool,  # noqa: FBT001 - a column
) -> None:
    assert plan_revert(facts(**given)) == RevertPlan("c" * 40, parent, is_certain=is_certain)


def test_git_gets_the_number_of_the_parent_only_for_a_merge() -> None:
    assert RevertPlan("c", "p2").mainline(("p1", "p2")) == 2
    assert RevertPlan("c", "p1").mainline(("p1",)) == 0
    assert RevertPlan("c", "old").mainline(("p1", "p2")) == 0


@pytest.mark.parametrize(
    ("given", "code", "hint"),
    [
        ({"commit": ""}, ExitCode.USAGE, "a commit of the target branch"),
        ({"on_target": False}, ExitCode.REFUSED, "git log origin/main"),
        ({"on_target": False, "same_tree": "d" * 40}, ExitCode.REFUSED, "git land --revert dddddddddd"),
        ({"on_target": False, "is_shallow": True}, ExitCode.REFUSED, "git fetch --unshallow"),
        ({"parents": ()}, ExitCode.REFUSED, "a commit of your own"),
    ],
)
def test_what_cannot_be_taken_back_is_refused(given: dict[str, Any], code: ExitCode, hint: str) -> None:
    problem = plan_revert(facts(**given))
    assert isinstance(problem, CommandError)
    assert (problem.exit, hint in problem.hint) == (code, True)


def test_a_commit_counts_as_reverted_until_its_revert_is_reverted() -> None:
    once = {"r" * 40: ("c" * 40,)}
    assert plan_revert(facts(reverts=once)) == AlreadyReverted("c" * 40, "r" * 40)
    undone = {**once, "s" * 40: ("r" * 12,)}
    assert isinstance(plan_revert(facts(reverts=undone)), RevertPlan)
    assert find_live_revert("c" * 40, {**undone, "t" * 40: ("s" * 40,)}) == "r" * 40
    assert find_live_revert("c" * 40, {**undone, "u" * 40: ("c" * 40,)}) == "u" * 40
    assert find_live_revert("c", {"c": ("c",)}) == "c", "a message that names its own commit ends"


@pytest.mark.parametrize("code", ExitCode)
def test_only_a_failed_rollout_of_a_landed_commit_is_reverted(code: ExitCode) -> None:
    assert calls_for_revert(Verdict(code, landed=True)) is (code is ExitCode.ROLLOUT_FAILED)
    assert not calls_for_revert(Verdict(code, landed=False))
    assert not calls_for_revert(Verdict(code))


def test_the_failure_stays_the_end_and_the_revert_is_named() -> None:
    failed = Verdict(ExitCode.ROLLOUT_FAILED, reason="the pods crash", sha="c", landed=True)
    done = add_outcome(failed, Verdict(ExitCode.OK, reason="deployed", sha="r", landed=True))
    assert (done.exit, done.landed, done.reason) == (9, True, "the pods crash; reverted by r")
    assert done.revert == RevertResult("c", "r", ExitCode.OK, "deployed")
    stuck = add_outcome(failed, Verdict(ExitCode.CONFLICT, reason="conflicts in: a", hint="run cd x", landed=False))
    assert (stuck.exit, stuck.hint) == (9, "run cd x")
    assert stuck.revert == RevertResult("c", "", ExitCode.CONFLICT, "conflicts in: a")
    by = Verdict(ExitCode.OK, landed=False, reason="already", revert=RevertResult("c", "x"))
    assert add_outcome(failed, by).revert == RevertResult("c", "x", ExitCode.OK, "already")
    assert add_outcome(failed, Verdict(ExitCode.INTERRUPTED, landed=False)).exit is ExitCode.INTERRUPTED


def state(**given: Any) -> LandingState:
    usual = {"branch": "b", "target": "main", "remote": "origin", "push_url": "u", "original_commit": "o"}
    return LandingState(request=LandRequest(revert="c"), **{**usual, **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"is_complete": False, "is_contained": False, "has_unsaved_files": True}, True),
        ({}, True),
        ({"has_unsaved_files": True}, False),
        ({"is_contained": False}, False),
        ({"state": state(stage=Stage.FETCH)}, True),
        ({"state": state(stage=Stage.MERGE)}, False),
        ({"state": state(stage=Stage.VERIFY, merged_commit="r"), "is_contained": False}, False),
        ({"state": state(stage=Stage.PUSH, merged_commit="r", pushed_commit="r"), "is_contained": False}, False),
        ({"state": state(stage=Stage.WATCH, merged_commit="r", pushed_commit="r"), "has_unsaved_files": True}, True),
    ],
)
def test_only_a_left_worktree_without_work_is_removed(given: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a column
    usual = {"state": None, "is_complete": True, "is_contained": True, "has_unsaved_files": False}
    assert may_discard(LeftWorktree(**{**usual, **given})) is expected


def test_the_worktree_stays_where_the_user_can_go_on() -> None:
    assert keeps_worktree(Verdict(ExitCode.CONFLICT, landed=False), is_pending=True)
    assert keeps_worktree(Verdict(ExitCode.PROTECTED, landed=False), is_pending=False)
    assert not keeps_worktree(Verdict(ExitCode.FAILED, landed=True), is_pending=True)
    assert not keeps_worktree(Verdict(ExitCode.REFUSED, landed=False), is_pending=False)
