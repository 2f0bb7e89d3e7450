"""What protects the user's own work from a landing, and a landing from what it left behind."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ABORT = "land/abort.py"
OWN = "tests/land/test_own_commits.py"

LANDING = (
    Defence(
        "commits-in-a-stopped-rebase",
        "an abort does not drop commits that the user made during a stopped rebase",
        (Change(ABORT, 'if operation.name == "rebase" and (own := ', 'if operation.name == "none" and (own := '),),
        (f"{OWN}::test_a_commit_made_during_a_stopped_rebase_is_not_dropped",),
    ),
    Defence(
        "commits-among-ours",
        "an abort does not drop commits that the user made between two steps of a landing",
        (Change(ABORT, "    if own and made:\n", "    if own and not made:\n"),),
        (
            f"{OWN}::test_a_commit_made_during_a_rebase_that_was_finished_is_kept",
            f"{OWN}::test_a_fix_between_two_merges_of_one_landing_is_kept",
        ),
    ),
    Defence(
        "rebased-commits",
        "commits that the landing rebased are not taken for the user's",
        (Change("land/ownership.py", "if commit.identity not in rebased and not", "if not"),),
        (
            f"{OWN}::test_a_resolution_that_was_continued_is_undone",
            f"{OWN}::test_whose_a_commit_is",
        ),
    ),
)
