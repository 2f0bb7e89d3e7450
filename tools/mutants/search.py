"""What keeps a search that ends early from being reported as absence."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

SEARCH_TEST = "tests/watch/test_list_search.py"

SEARCH = (
    Defence(
        "filtered-searches",
        "a commit below many rows of cron is found",
        (
            Change(
                "watch/list_search.py",
                "only: RunFilter | None = RunFilter(events=scope.events, branch=scope.branch, ref=scope.ref)",
                "only: RunFilter | None = None",
            ),
        ),
        (f"{SEARCH_TEST}::test_a_commit_below_rows_of_cron_is_found",),
    ),
    Defence(
        "searches-that-end-early",
        "a commit that is not among the rows that were searched is not said to have no pipeline",
        (Change("watch/list_search.py", "if is_search and older.value.searched_rows else 0", "if False else 0"),),
        (f"{SEARCH_TEST}::test_a_search_that_ends_early_is_not_reported_as_absence",),
    ),
    Defence(
        "rejected-filters",
        "a server that rejects the filter is asked without",
        (Change("watch/list_search.py", "and only is not None:", "and False:"),),
        (f"{SEARCH_TEST}::test_a_server_that_rejects_the_filter_is_asked_without",),
    ),
    Defence(
        "filtered-branch-status",
        "the status of a branch is found below many rows of cron",
        (Change("watch/branch_status.py", "within=within, only=only)", "within=within)"),),
        (f"{SEARCH_TEST}::test_the_status_of_a_branch_is_found_below_rows_of_cron",),
    ),
)
