"""What protects the target and the work of the user when a landing is taken back."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

DECIDED, MADE = "tests/land/test_revert_decision.py", "tests/land/test_revert.py"
STARTED = "tests/e2e/test_revert.py"

REVERTS = (
    Defence(
        "mainline-of-a-landing",
        "a merge is reverted to the parent that was the target, not to the first one",
        (Change("land/revert.py", "return parents.index(self.parent) + 1 if", "return 1 if"),),
        (f"{MADE}::test_a_landed_merge_is_taken_back_to_the_target_before_it",),
    ),
    Defence(
        "mainline-by-message",
        "git's message of a merge shows which parent was the target",
        (Change("land/revert.py", "        return 1\n", "        return 0\n"),),
        (f"{DECIDED}::test_the_parent_that_was_the_target_is_what_the_target_goes_back_to",),
    ),
    Defence(
        "mainline-by-reflog",
        "a past commit of the target shows which parent of a merge was the target",
        (Change("land/revert_facts.py", "            high = middle\n", "            high = low\n"),),
        (f"{MADE}::test_the_reflog_tells_the_mainline_of_a_merge_with_its_own_message",),
    ),
    Defence(
        "whole-landing",
        "all commits of a landing are taken back, not only its last one",
        (Change("land/revert_facts.py", "why == _UPDATED_BY_PUSH", 'why == "push"'),),
        (f"{MADE}::test_all_commits_of_a_landing_are_taken_back_from_a_detached_head",),
    ),
    Defence(
        "revert-of-the-target-only",
        "a commit that is not on the target is not reverted there",
        (Change("land/revert.py", "    if not facts.on_target:\n", "    if False:\n"),),
        (f"{DECIDED}::test_what_cannot_be_taken_back_is_refused",),
    ),
    Defence(
        "reverted-once",
        "a commit that is reverted already is not reverted again",
        (Change("land/revert.py", "        return AlreadyReverted(facts.commit, by)\n", "        pass\n"),),
        (f"{DECIDED}::test_a_commit_counts_as_reverted_until_its_revert_is_reverted",),
    ),
    Defence(
        "revert-in-its-own-worktree",
        "a revert does not touch the user's branch, index, and files",
        (Change("cli/commands/work/land.py", "with session.runtime.inside(path):", "if True:"),),
        (f"{STARTED}::test_a_revert_that_was_cut_short_goes_on_in_its_worktree[2]",),
    ),
    Defence(
        "work-in-a-left-worktree",
        "the worktree of an unfinished revert is not removed by the next one",
        (
            Change(
                "land/revert_worktree.py",
                "        if not may_discard(left):\n",
                "        if may_discard(left) is None:\n",
            ),
        ),
        (f"{MADE}::test_a_conflict_stays_in_the_worktree_until_it_is_ended",),
    ),
    Defence(
        "no-revert-of-a-revert",
        "a revert whose own rollout fails is not reverted",
        (
            Change(
                "cli/commands/work/land.py",
                '"on_failure": None, "message": None, "proceed": False, "lands_after": True}',
                '"message": None, "proceed": False, "lands_after": True}',
            ),
            Change(
                "cli/commands/work/land.py",
                "    return revert_landing.land_revert(order, parts, land)\n",
                "    done = revert_landing.land_revert(order, parts, land)\n"
                "    return _take_back(done, args, session) if revert.calls_for_revert(done) else done\n",
            ),
        ),
        (f"{STARTED}::test_a_revert_that_fails_too_is_not_reverted_and_newer_work_stays",),
    ),
    Defence(
        "revert-of-a-bad-commit-only",
        "only a failed rollout is reverted: every other end says nothing about the commit",
        (
            Change(
                "land/revert.py",
                "verdict.landed is True and verdict.exit is ExitCode.ROLLOUT_FAILED",
                "verdict.landed is True and verdict.exit is not ExitCode.OK",
            ),
        ),
        (f"{DECIDED}::test_only_a_failed_rollout_of_a_landed_commit_is_reverted",),
    ),
    Defence(
        "exit-code-of-the-failure",
        "a revert that succeeds does not hide that the rollout failed",
        (Change("land/revert.py", "exit=revert.exit if is_cut else failed.exit,", "exit=revert.exit,"),),
        (f"{DECIDED}::test_the_failure_stays_the_end_and_the_revert_is_named",),
    ),
)
