"""Defences against a wrong answer about a commit's pipelines: what counts, what is started, and what is shown."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

HISTORY = "git/history.py"
REPOSITORY = "tests/git/test_repository.py"
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
        "numbers-in-the-tracked-file",
        "a number in the tracked file is not a text",
        (Change("config/resolve.py", "(setting.parse is parse_duration and type(text) is int)", "type(text) is int"),),
        (f"{SETTINGS_TABLE}::test_a_value_of_another_type_in_the_tracked_file_is_malformed",),
    ),
)
