"""Defences of landings through a pull request: what is merged, and what is called landed."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

TESTS = "tests/land/test_proposal.py"
SUBMIT, CHECKS = "land/submit.py", "land/checks_decision.py"
MERGED, DECISION = "land/merged_commit.py", "land/merge_decision.py"

PROPOSALS = (
    Defence(
        "proposals-unchecked",
        "a commit that nothing checks is not merged",
        (Change(CHECKS, "        return watched.exit is ExitCode.OK\n", "        return True\n"),),
        (f"{TESTS}::test_nothing_lands",),
    ),
    Defence(
        "proposals-moved-head",
        "a pull request whose head is another commit is not submitted",
        (Change(CHECKS, "    if pull.head_sha != need.sha:\n", "    if not need.sha:\n"),),
        (f"{TESTS}::test_nothing_lands",),
    ),
    Defence(
        "proposals-interrupted",
        "it is saved before the merge is sent that it may have happened",
        (Change(SUBMIT, "        landing.save(push_unconfirmed=True)\n", ""),),
        (f"{TESTS}::test_a_kill_during_the_merge_is_settled_by_the_target",),
    ),
    Defence(
        "proposals-lost-answer",
        "a merge without an answer is looked for on the target, and not sent again",
        (
            Change(
                DECISION,
                "        case MergeNext.MERGED | MergeNext.SETTLE:\n            return LookAtTarget()\n"
                "        case MergeNext.RETRY_SOON:\n",
                "        case MergeNext.MERGED:\n            return LookAtTarget()\n"
                "        case MergeNext.RETRY_SOON | MergeNext.SETTLE:\n",
            ),
        ),
        (f"{TESTS}::test_a_lost_answer_is_settled_by_the_target",),
    ),
    Defence(
        "proposals-read-token",
        "a token that may not write is refused before anything is pushed",
        (Change("land/proposal.py", "    if isinstance(opened, Denied):\n", "    if opened is None:\n"),),
        (f"{TESTS}::test_a_token_that_only_reads_is_refused_before_the_push",),
    ),
    Defence(
        "proposals-forge-errors",
        "an error of the forge is not taken for a target that has moved",
        (Change(SUBMIT, "_compare_target(landing, request.head_sha) is False:", "False:"),),
        (f"{TESTS}::test_an_error_of_the_forge_is_not_taken_for_a_moved_target[500]",),
    ),
    Defence(
        "proposals-put-off",
        "a merge that was put off is not sent again once the target has moved",
        (Change(SUBMIT, "        if _compare_target(landing, request.head_sha):\n", "        if False:\n"),),
        ("tests/land/test_proposal_github.py::test_a_moved_target_is_merged_and_checked_again",),
    ),
    Defence(
        "proposals-other-tree",
        "merged files that nobody checked are reported",
        (
            Change(
                MERGED,
                "differs = history.tree_of(sha) != history.tree_of(landing.state.pushed_commit)",
                "differs = False",
            ),
        ),
        (f"{TESTS}::test_a_change_that_came_between_is_reported",),
    ),
    Defence(
        "proposals-squash",
        "a squash is landed only if the target got the checked files",
        (Change(MERGED, "if its_tree == tree)", "if its_tree)"),),
        (f"{TESTS}::test_a_squash_with_other_files_is_not_called_landed",),
    ),
    Defence(
        "proposals-moved-target",
        "a target that moved during the checks is merged and verified again",
        (Change(SUBMIT, "    if _has_target_moved(landing, sha):\n        return None\n", ""),),
        (f"{TESTS}::test_a_target_that_moved_during_the_checks_is_verified_again",),
    ),
)
