"""Defences of the commands on CI against answers that are wrong, refused, or never come."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

REASSIGNED = "tests/watch/test_reassigned.py"

WATCHING = (
    Defence(
        "numbers-given-away",
        "a pipeline's number that the responses give to another commit consistently is not followed",
        (Change("watch/observe.py", "        drop_reassigned,\n", ""),),
        (f"{REASSIGNED}::test_a_number_that_list_and_detail_give_to_a_newer_pipeline_is_gone",),
    ),
    Defence(
        "numbers-given-away-once",
        "a single response does not give a confirmed pipeline's number to another commit",
        (Change("watch/reassigned.py", "return claim.by_list and lasted >= (", "return lasted >= 0 * ("),),
        (f"{REASSIGNED}::test_a_number_is_kept_unless_the_responses_agree_for_long",),
    ),
    Defence(
        "pages-given-away",
        "the result does not name the page of a number that may be another commit's",
        (Change("watch/state.py", 'return "" if self.claim else self.pipeline.url', "return self.pipeline.url"),),
        (f"{REASSIGNED}::test_a_timeout_meanwhile_does_not_print_the_other_commits_page",),
    ),
)
