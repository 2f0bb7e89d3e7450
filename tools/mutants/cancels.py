"""Defences of `homelab ci cancel` against responses that are lost or wrong."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

CANCEL = "tests/watch/test_cancel.py"
PLAN = "watch/cancel_plan.py"

CANCELS = (
    Defence(
        "cancels-lost",
        "a cancel whose response is lost is settled by reading the pipeline",
        (
            Change(
                PLAN,
                "progress = progress._replace(must_send=False, reason=poll.reason)",
                "progress = progress._replace(reason=poll.reason)",
            ),
        ),
        (f"{CANCEL}::test_a_cancel_whose_answer_is_lost_is_settled_by_asking[True]",),
    ),
    Defence(
        "cancels-of-a-proxy",
        "a proxy's 204 does not confirm a cancel",
        (
            Change(
                "ci/woodpecker/responses.py",
                "if isinstance(response, RequestFailed) or is_unmarked(response):\n        return None",
                "if isinstance(response, RequestFailed):\n        return None",
            ),
        ),
        (f"{CANCEL}::test_a_page_in_place_of_a_confirmation_is_not_believed",),
    ),
    Defence(
        "cancels-too-late",
        "a pipeline that had ended before its cancel is not reported as cancelled",
        (Change(PLAN, "was_cancelled=pipeline.status.is_cancelled, status", "was_cancelled=True, status"),),
        (f"{CANCEL}::test_a_pipeline_that_ended_before_its_cancel_is_not_cancelled",),
    ),
)
