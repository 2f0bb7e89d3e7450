"""Defences of the commands on CI against answers that are wrong, refused, or never come."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

REASSIGNED = "tests/watch/test_reassigned.py"
REFUSALS = "tests/watch/test_restart_refusals.py"
REQUEST = "watch/restart_request.py"
FOLLOW = "watch/log_follow.py"
FOLLOWING = "tests/watch/test_log_follow.py"
COMMANDS = "tests/watch/test_commands.py"
MATRIX = "tests/ci/test_matrix.py"
NAMES = "tests/views/test_long_names.py"

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
    Defence(
        "starts-refused",
        "a start that was plainly refused is not searched for, and is not `unreachable`",
        (
            Change(
                "ci/woodpecker/responses.py",
                "is_refused = isinstance(response, HttpResponse) and response.status in _START_REFUSALS",
                "is_refused = False",
            ),
        ),
        (f"{REFUSALS}::test_a_start_that_is_plainly_refused_ends_at_once_with_the_servers_reason",),
    ),
    Defence(
        "starts-that-may-have-happened",
        "a start whose response was lost is searched for, and is not `refused`",
        (
            Change(
                "ci/woodpecker/responses.py",
                "    if not is_refused and poll.kind is not FailureKind.FOREIGN:\n",
                "    if False:\n",
            ),
        ),
        (f"{REFUSALS}::test_a_start_that_may_have_happened_is_searched_for",),
    ),
    Defence(
        "not-restarted",
        "a pipeline that was not restarted counts in the result",
        (Change(REQUEST, "    if exit_ is verdict.exit:\n", "    if True:\n"),),
        (f"{REFUSALS}::test_of_two_pipelines_the_one_that_was_not_restarted_counts",),
    ),
    Defence(
        "misconfigured-next-to-failed",
        "a pipeline with a configuration error counts although another one was restarted",
        (Change(REQUEST, "        problems += map(make_misconfigured_error, plan.misconfigured)\n", "        pass\n"),),
        (f"{REFUSALS}::test_a_configuration_error_next_to_a_restarted_pipeline_counts",),
    ),
    Defence(
        "old-numbers-of-starts",
        "a response with a number that was known before is not the new pipeline",
        (Change(REQUEST, "and poll.value.number <= pending.above_number:", "and False:"),),
        (f"{REFUSALS}::test_a_start_that_may_have_happened_is_searched_for",),
    ),
    Defence(
        "heartbeats-of-a-first-poll",
        "a command that reports only lost contact prints the heartbeats too",
        (
            Change(
                "app/watch_setup.py", "isinstance(event, Waiting) and event.elapsed >= HEARTBEAT_INTERVAL_S", "False"
            ),
        ),
        (f"{REFUSALS}::test_heartbeats_come_while_the_first_list_is_refused",),
    ),
    Defence(
        "blocked-logs",
        "the log of a pipeline that waits for approval is not followed for ever",
        (Change(FOLLOW, "if state.pipeline.status is Status.BLOCKED:", "if False:"),),
        (f"{FOLLOWING}::test_a_pipeline_that_waits_for_approval_is_not_followed_any_longer",),
    ),
    Defence(
        "silent-followers",
        "a follower of logs reports a silent server, and prints a heartbeat",
        (Change("watch/logs.py", "emit=emit, clock=self._clock", "emit=lambda _: None, clock=self._clock"),),
        (f"{FOLLOWING}::test_a_silent_server_is_reported_and_a_heartbeat_comes_each_minute",),
    ),
    Defence(
        "quiet-followers",
        "a follower of logs without new lines prints a heartbeat",
        (Change(FOLLOW, "seconds_to_heartbeat(state.last_shown_at, now) <= 0", "False"),),
        (f"{FOLLOWING}::test_a_pipeline_without_new_lines_has_a_heartbeat_each_minute",),
    ),
    Defence(
        "logs-of-another-commit",
        "the log of a number that is another commit's is not followed",
        (Change("watch/logs.py", "if detail.value.commit != pipeline.commit:", "if False:"),),
        (f"{FOLLOWING}::test_the_log_of_another_commit_is_not_followed",),
    ),
    Defence(
        "workflow-errors",
        "the error of a workflow that no failed step explains is shown",
        (Change("watch/log_selection.py", "if workflow.error\n", "if not workflow.error\n"),),
        (f"{FOLLOWING}::test_the_error_of_a_workflow_that_no_step_explains_is_shown",),
    ),
    Defence(
        "failures-without-a-trace",
        "a failed pipeline without anything to show is not 0",
        (Change("cli/commands/ci/logs.py", "    if unexplained:\n", "    if False:\n"),),
        (f"{COMMANDS}::test_logs_of_a_failed_pipeline_that_shows_nothing_are_8",),
    ),
    Defence(
        "statuses-after-following",
        "the result of a follower has the status that the pipeline has at the end",
        (
            Change(
                "cli/commands/ci/logs.py",
                "shown.append(reader.follow(pipeline, choice, emit=follow_with))",
                "reader.follow(pipeline, choice, emit=follow_with)\n            shown.append(pipeline)",
            ),
        ),
        (f"{COMMANDS}::test_the_result_of_a_follower_has_the_last_status",),
    ),
    Defence(
        "axes-beyond-the-tenth",
        "cells that differ only after the tenth axis are named by it",
        (Change("ci/matrix.py", "if len({cell.get(name) for cell in values}) > 1] or names", "] or names"),),
        (f"{MATRIX}::test_cells_are_named_by_what_differs",),
    ),
    Defence(
        "axes-that-are-needed",
        "of more axes than are shown, those that tell the cells apart come first",
        (Change("ci/matrix.py", "            needed.append(name)\n", "            pass\n"),),
        (f"{MATRIX}::test_of_more_axes_than_are_shown_those_that_tell_the_cells_apart_come_first",),
    ),
    Defence(
        "commands-in-plain-lines",
        "a command in a long line of the plain view is folded, not cut",
        (Change("views/plain.py", "if has_own_text(event) else", "if False else"),),
        (f"{NAMES}::test_plain_lines_fold_a_command_and_do_not_cut_it",),
    ),
    Defence(
        "commands-in-live-rows",
        "a command in a long row of the live view is not cut",
        (Change("views/live/view.py", "MAX_COMMAND_CHARS if row.has_command else ", ""),),
        (f"{NAMES}::test_the_live_view_shows_the_whole_command",),
    ),
    Defence(
        "remedies-in-narrow-terminals",
        "a remedy that the live region has no room for is printed in full",
        (
            Change(
                "views/live/scrollback.py",
                "case Waiting() if _is_command_cut(event, columns):",
                "case Waiting() if False:",
            ),
        ),
        (f"{NAMES}::test_the_live_view_shows_the_whole_command",),
    ),
    Defence(
        "names-that-end-alike",
        "names that differ only at their end are told apart where they are cut",
        (
            Change(
                "views/plain.py",
                "return elide_middle(text, _MAX_NAME_COLUMNS)",
                "return truncate_text(text, _MAX_NAME_COLUMNS)",
            ),
        ),
        (f"{NAMES}::test_cells_whose_names_are_cut_are_told_apart",),
    ),
    Defence(
        "tips-of-unknown-commits",
        "a commit that is not in this repository is not reported as one that is not a tip",
        (
            Change(
                "app/watch_setup.py",
                "is_branch_tip=bool(branches) if remote and git.history.has_commit(sha) else None",
                "is_branch_tip=bool(branches) if remote else None",
            ),
        ),
        ("tests/watch/test_commit_facts.py::test_nothing_is_known_about_a_commit_that_is_not_here",),
    ),
)
