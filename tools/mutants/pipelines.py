"""Defences against a wrong answer about a commit's pipelines: what counts, what is started, and what is shown."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

HISTORY = "git/history.py"
REPOSITORY = "tests/git/test_repository.py"
REQUEST = "watch/restart_request.py"
RESTART = "tests/watch/test_restart.py"
RULING = "tests/watch/test_ruling.py"
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
                "row for row in observation.rows if row.commit in watch.accepted_commits and watch.scope.decides(row)",
                "row for row in observation.rows if watch.scope.decides(row)",
            ),
        ),
        (f"{RULING}::test_the_pipeline_of_a_tag_that_was_moved_does_not_count",),
    ),
    Defence(
        "tags-started-by-hand",
        "a tag is not started by hand",
        (Change("watch/restart.py", "if scope.tag or scope.tag_objects:", "if False:"),),
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
        (Change("watch/run.py", "request.started, clock.now()", "(), clock.now()"),),
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
        ("tests/watch/test_commands.py::test_a_pipeline_that_vanished_is_not_in_the_result",),
    ),
    Defence(
        "numbers-in-the-tracked-file",
        "a number in the tracked file is not a text",
        (Change("config/resolve.py", "(setting.parse is parse_duration and type(text) is int)", "type(text) is int"),),
        (f"{SETTINGS_TABLE}::test_a_value_of_another_type_in_the_tracked_file_is_malformed",),
    ),
)
