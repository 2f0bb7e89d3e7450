"""Defences against a push that cancels a pipeline whose work is never repeated."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

DECISION, MACHINE, RUN = "land/queue_decision.py", "land/queue_machine.py", "land/run.py"
TABLE, WAIT, LANDINGS = (f"tests/land/test_queue{name}.py" for name in ("_decision", "_machine", ""))

QUEUE = (
    Defence(
        "tips-without-a-pipeline",
        "a tip whose pipeline has not appeared yet occupies the branch",
        (Change(DECISION, 'return Occupants(active, tip.sha if is_awaited else "")', "return Occupants(active)"),),
        (f"{TABLE}::test_a_new_tip_occupies_the_branch_until_its_pipeline_has_appeared",),
    ),
    Defence(
        "runs-that-depend",
        "a pipeline that the server would cancel is waited for if the configuration compares with the previous commit",
        (Change(DECISION, "case WhenBusy.AUTO if cancels and sign:", "case WhenBusy.AUTO if not cancels and sign:"),),
        (f"{TABLE}::test_the_setting_decides_about_a_busy_branch",),
    ),
    Defence(
        "every-running-push",
        "a running push pipeline of an older commit occupies the branch too",
        (
            Change(
                DECISION,
                "active = tuple(row for row in rows if not row.status.is_final)",
                "active = tuple(row for row in rows[:1] if not row.status.is_final)",
            ),
        ),
        (f"{TABLE}::test_each_active_push_pipeline_of_the_branch_occupies_it",),
    ),
    Defence(
        "blind-pushes",
        "where an answer decides about the push, an outage does not end with a push",
        (
            Change(
                MACHINE,
                "return self.when_busy is WhenBusy.PUSH or (self.when_busy is WhenBusy.AUTO and not self.cancels)",
                "return True",
            ),
        ),
        (f"{WAIT}::test_an_outage_is_retried_and_never_ends_with_a_blind_push",),
    ),
    Defence(
        "stale-merges",
        "after a wait the landing fetches, merges, and verifies again",
        (Change(RUN, "if turn.waited:", "if False:"),),
        (f"{LANDINGS}::test_a_landing_that_waited_fetches_merges_and_verifies_again",),
    ),
    Defence(
        "commits-during-the-wait",
        "what the user commits while a landing waits for the target branch is not landed",
        (Change(RUN, "            require_same_tree(landing, sha, when=WHILE_WAITING)\n", ""),),
        (f"{LANDINGS}::test_what_the_user_changes_during_the_wait_is_not_landed",),
    ),
    Defence(
        "landings-that-wait",
        "a landing that can be continued after its wait keeps its state, even if nothing was merged",
        (Change(RUN, "{ExitCode.VERIFY_FAILED, ExitCode.TIMEOUT, ExitCode.UNREACHABLE}", "{ExitCode.VERIFY_FAILED}"),),
        (f"{LANDINGS}::test_a_branch_that_stays_busy_ends_with_124_and_can_be_continued",),
    ),
    Defence(
        "refused-merges",
        "a landing that is refused because the branch became busy leaves the branch as it was",
        (Change(RUN, "back = roll_back(landing)\n", "back = Verdict(exit=ExitCode.REFUSED, landed=False)\n"),),
        (f"{LANDINGS}::test_refuse_takes_the_merge_back_if_a_pipeline_began_later",),
    ),
)
