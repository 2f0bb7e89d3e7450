"""Defences against a wrong answer about a commit's pipelines: what counts, what is started, and what is shown."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

COMMANDS = "tests/watch/test_commands.py"
CONDITIONS = "ci/woodpecker/conditions.py"
HISTORY = "git/history.py"
LOGS = "tests/watch/test_logs.py"
REFUSALS = "tests/watch/test_restart_refusals.py"
REPORT = "tests/watch/test_failure_report.py"
REPOSITORY = "tests/git/test_repository.py"
REQUEST = "watch/restart_request.py"
RESTART = "tests/watch/test_restart.py"
RULING = "tests/watch/test_ruling.py"
SUPERSEDED = "tests/watch/test_superseded.py"
WHEN = "tests/ci/woodpecker/test_conditions.py"
SETTINGS_TABLE = "tests/config/test_table.py"

PIPELINES = (
    Defence(
        "commit-searches",
        "a search of the commit messages is not taken with the suffix that asks for a commit",
        (Change(HISTORY, 'self._object_of(name) if name.startswith(":/") else name', "name"),),
        (f"{REPOSITORY}::test_each_revision_means_the_commit_that_git_says_or_nothing",),
    ),
    Defence(
        "ambiguous-tags",
        "a tag that is also a branch is a tag",
        (Change(HISTORY, '        return tag if is_tag else ""\n', '        return ""\n'),),
        (f"{REPOSITORY}::test_a_tag_precedes_a_branch_of_the_same_name",),
    ),
    Defence(
        "full-shas-of-trees",
        "the full SHA of a tree or a file is not a commit that is missing here",
        (Change(HISTORY, 'and not self._git.run("cat-file", "-e", name).ok', ""),),
        (f"{REPOSITORY}::test_each_revision_means_the_commit_that_git_says_or_nothing",),
    ),
    Defence(
        "annotated-tags",
        "a row that shows the SHA of an annotated tag is about its commit",
        (Change("watch/state.py", "return self.tag_objects | {self.sha}", "return frozenset({self.sha})"),),
        (f"{RULING}::test_a_row_of_a_tag_counts_if_it_shows_the_commit_or_a_tag_that_leads_to_it",),
    ),
    Defence(
        "moved-tags",
        "a row of a tag that shows another commit does not count",
        (
            Change(
                "watch/observe.py",
                "row for row in observation.rows if watch.accepts(row)",
                "row for row in observation.rows if watch.scope.decides(row)",
            ),
        ),
        (f"{RULING}::test_the_pipeline_of_a_tag_that_was_moved_does_not_count",),
    ),
    Defence(
        "tags-started-by-hand",
        "a tag is not started by hand",
        (Change("watch/restart_plan.py", "if _is_tag(snapshot.state.scope):", "if False:"),),
        (f"{RESTART}::test_a_tag_without_a_pipeline_is_not_started_by_hand",),
    ),
    Defence(
        "filtered-starts",
        "a start that the server filters out is not waited for",
        (Change("ci/woodpecker/client.py", "if is_filtered(response):", "if False:"),),
        (f"{RESTART}::test_a_manual_start_that_is_filtered_out_ends_at_once",),
    ),
    Defence(
        "empty-answers-to-starts",
        "an empty response alone does not mean that a start was filtered out",
        (Change("ci/woodpecker/responses.py", 'response.headers.get(_FILTERED_HEADER, "").lower() == "true"', "True"),),
        (f"{RESTART}::test_an_empty_answer_alone_is_not_taken_for_filtered",),
    ),
    Defence(
        "read-only-users",
        "a user who may only read is not told that the repository is unknown",
        (Change(REQUEST, "== Found(value=False)", "== Found(value=None)"),),
        (f"{RESTART}::test_a_user_who_may_only_read_is_told_that_push_access_is_missing",),
    ),
    Defence(
        "started-numbers",
        "a pipeline that the server has started is waited for, whatever an older list shows",
        (Change("watch/run.py", "if not request.started:", "if True:"),),
        (f"{RESTART}::test_a_restarted_pipeline_is_waited_for_whatever_an_older_list_shows",),
    ),
    Defence(
        "manual-runs-of-another-commit",
        "a manual pipeline of another commit is not followed",
        (Change(REQUEST, "if new.commit not in snapshot.state.scope.commits:", "if False:"),),
        (f"{RESTART}::test_a_manual_run_of_another_commit_is_not_followed",),
    ),
    Defence(
        "vanished-pipelines",
        "a pipeline that the server has removed is not in the result",
        (Change("app/session.py", "if event.status == REMOVED_STATUS:", "if False:"),),
        (f"{COMMANDS}::test_a_pipeline_that_vanished_is_not_in_the_result",),
    ),
    Defence(
        "logs-as-json",
        "the lines of a log do not come between JSON objects",
        (Change("cli/commands/ci/logs.py", "config.output is OutputMode.JSON", "False"),),
        (f"{COMMANDS}::test_logs_as_json_are_events_and_nothing_else",),
    ),
    Defence(
        "unreadable-logs",
        "a log that could not be read is not a log that was shown",
        (Change("watch/logs.py", "if not lines and (gathered.failure or is_late)", "if False"),),
        (f"{LOGS}::test_a_log_that_cannot_be_read_is_missing_with_the_reason",),
    ),
    Defence(
        "unreadable-logs-of-a-follower",
        "nor is one that could not be read to the end of the pipeline",
        (Change("watch/logs.py", "if failure := self._failures.get(selected.step.id):", "if failure := None:"),),
        (f"{LOGS}::test_a_follower_follows_to_the_end_and_names_the_log_that_cannot_be_read",),
    ),
    Defence(
        "unreadable-steps",
        "a pipeline whose steps could not be read is not one without a failed step",
        (Change("cli/commands/ci/logs.py", "elif seen.has_detail(track) or pipeline", "elif True or pipeline"),),
        (f"{COMMANDS}::test_logs_of_a_pipeline_whose_steps_cannot_be_read_are_8",),
    ),
    Defence(
        "cells-of-a-matrix",
        "the cells of a matrix are told apart",
        (Change("ci/woodpecker/parse.py", 'axes=_parse_axes(json.get("environ"))', "axes=()"),),
        (f"{LOGS}::test_the_cells_of_a_matrix_are_told_apart_by_their_axes",),
    ),
    Defence(
        "many-cells",
        "the lines of a matrix are bounded",
        (Change("watch/failure_report.py", "shown = failures[:MAX_REPORTED_CELLS]", "shown = failures"),),
        (f"{REPORT}::test_the_lines_of_many_cells_are_bounded_and_the_rest_is_named",),
    ),
    Defence(
        "undecided-conditions",
        "a condition that is not evaluated here does not count as one that does not match",
        (
            Change(
                CONDITIONS, "return True if True in known else None if None in known else False", "return True in known"
            ),
        ),
        (f"{WHEN}::test_what_is_not_certain_is_not_decided",),
    ),
    Defence(
        "unknown-changed-files",
        "files that git may not know of can match a condition",
        (Change(CONDITIONS, "    if included is False and not trigger.has_all_paths:\n", "    if False:\n"),),
        (f"{WHEN}::test_with_files_missing_from_the_list_only_what_they_cannot_change_is_decided",),
    ),
    Defence(
        "conditions-without-end",
        "the conditions that are read are bounded, also where aliases multiply them",
        (Change(CONDITIONS, "        if next(left, None) is None:\n", "        if False:\n"),),
        (f"{WHEN}::test_a_configuration_that_cannot_be_read_is_not_decided[too many names]",),
    ),
    Defence(
        "configuration-elsewhere",
        "the default paths say nothing where CI reads the configuration from another one",
        (Change("watch/run.py", "if repo and repo.config_path:", "if False:"),),
        (f"{RULING}::test_conditions_explain_only_the_event_and_the_files_that_they_were_read_for",),
    ),
    Defence(
        "numbers-in-the-tracked-file",
        "a number in the tracked file is not a text",
        (Change("config/resolve.py", "(setting.parse is parse_duration and type(text) is int)", "type(text) is int"),),
        (f"{SETTINGS_TABLE}::test_a_value_of_another_type_in_the_tracked_file_is_malformed",),
    ),
    Defence(
        "newer-pipelines-only",
        "only a newer pipeline supersedes: no circle of cancelled pipelines is followed",
        (Change("watch/ruling.py", "row.number <= pipeline.number for row", "False for row"),),
        (
            f"{SUPERSEDED}::test_a_pipeline_that_no_newer_one_replaced_was_cancelled[itself]",
            f"{SUPERSEDED}::test_a_pipeline_that_no_newer_one_replaced_was_cancelled[two]",
        ),
    ),
    Defence(
        "numbers-of-newer-pipelines",
        "a superseding pipeline is read only if its number is higher",
        (Change("ci/woodpecker/parse.py", "number < newer <= MAX_INT", "newer <= MAX_INT"),),
        (f"{SUPERSEDED}::test_what_is_not_the_number_of_a_newer_pipeline_supersedes_nothing",),
    ),
    Defence(
        "configurations-that-were-not-returned",
        "a configuration that the forge did not return is not to be fixed",
        (Change("ci/model.py", "error.is_forge_failure and not error.is_warning", "False"),),
        (f"{REFUSALS}::test_a_configuration_that_the_forge_did_not_return_needs_a_webhook_and_no_fix",),
    ),
    Defence(
        "values-like-axes",
        "a value of a matrix is not taken for several axes",
        (Change("events.py", 'if ", " in value else value', "if False else value"),),
        ("tests/ci/test_matrix.py::test_cells_are_named_by_what_differs[a value like two axes]",),
    ),
)
