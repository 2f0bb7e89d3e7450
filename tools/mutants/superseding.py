"""Defences against a green result for work that was stopped, or that other workflows than the named ones did."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

CAUSES = "tests/watch/test_causes.py"
CHAOS = "tests/watch/test_chaos.py::test_no_watch_ends_with_a_wrong_verdict"
NAMED = "tests/watch/test_named_workflows.py"
RED = "tests/watch/test_already_red.py"
RULE = "tests/watch/test_supersede.py"
RULING = "watch/ruling.py"
SUPERSEDE = "watch/supersede.py"
WORKFLOWS = "watch/named_workflows.py"

SUPERSEDING = (
    Defence(
        "work-that-compares",
        "a newer pipeline that compares with the commit before does not count as a repetition",
        (Change(SUPERSEDE, "        if sign:\n", "        if False:\n"),),
        (f"{RULE}::test_work_that_compares_with_the_commit_before_is_lost", f"{CHAOS}[0]"),
    ),
    Defence(
        "commits-compared-once",
        "the configuration of our commit counts as well as the newer one's",
        (Change(SUPERSEDE, "for commit in (ours.commit, newer.commit):", "for commit in (newer.commit,):"),),
        (f"{RULE}::test_work_that_compares_with_the_commit_before_is_lost",),
    ),
    Defence(
        "workflows-left-out",
        "a newer pipeline without one of the workflows does not count",
        (Change(SUPERSEDE, "w.title not in theirs]", "False]"),),
        (f"{RULE}::test_a_newer_pipeline_without_one_of_the_workflows_is_not_followed", f"{CHAOS}[0]"),
    ),
    Defence(
        "workflows-skipped",
        "a workflow that had begun and that the newer pipeline skips is lost",
        (Change(RULING, "if skipped := find_left_out(track.repeats, detail):", 'if skipped := "":'),),
        (f"{RULE}::test_a_workflow_that_had_begun_and_was_skipped_in_the_end_is_lost",),
    ),
    Defence(
        "workflows-unread",
        "workflows that cannot be read are not evidence",
        (
            Change(
                SUPERSEDE,
                "    if ours is None or newer is None:\n",
                '    if ours is None or newer is None:\n        return ""\n    if False:\n',
            ),
        ),
        (f"{RULE}::test_details_that_cannot_be_read_are_no_evidence",),
    ),
    Defence(
        "commits-accepted-elsewhere",
        "a newer commit that was accepted on one branch is judged again on another",
        (
            Change(
                "watch/state.py",
                "(t.group, t.pipeline.commit) == (row.group, row.commit)",
                "t.pipeline.commit == row.commit",
            ),
        ),
        (f"{RULE}::test_a_newer_commit_that_was_accepted_on_one_branch_is_judged_again_on_another",),
    ),
    Defence(
        "superseded-as-the-user-wants",
        "--superseded fail follows nothing",
        (Change(RULING, "if watch.scope.superseded is Superseded.FAIL:", "if False:"),),
        (f"{RULE}::test_the_user_decides_otherwise",),
    ),
    Defence(
        "interrupted-in-the-result",
        "the result shows a pipeline that was stopped after it had begun",
        (Change("watch/machine.py", "        if track.pipeline.is_interrupted:\n", "        if False:\n"),),
        ("tests/watch/test_ruling.py::test_a_newer_commit_that_contains_ours_is_followed",),
    ),
    Defence(
        "other-workflows",
        "workflows that are not named do not decide",
        (Change(RULING, "if watch.scope.workflows and (named", "if False and (named"),),
        (f"{NAMED}::test_a_watch_ends_with_the_named_workflow_and_shows_the_others",),
    ),
    Defence(
        "cells-of-named-workflows",
        "every cell of a named matrix has to pass",
        (
            Change(
                WORKFLOWS,
                "if any(state.is_failed for state in states):",
                "if all(state.is_failed for state in states):",
            ),
        ),
        (f"{NAMED}::test_the_named_workflow_decides_with_all_cells_of_its_matrix",),
    ),
    Defence(
        "missing-named-workflows",
        "a pipeline without the named workflow is not green",
        (
            Change(
                WORKFLOWS,
                "return ExitCode.NO_PIPELINE if pipeline.is_final and",
                "return ExitCode.OK if pipeline.is_final and",
            ),
        ),
        (f"{NAMED}::test_a_pipeline_without_the_named_workflow_names_it_and_those_that_ran",),
    ),
    Defence(
        "named-workflows-unread",
        "without the detail, the status of the pipeline is not the result of a named workflow",
        (
            Change(
                RULING,
                "    if status.is_cancelled:\n        return None\n    reason",
                "    if True:\n        return None\n    reason",
            ),
        ),
        (f"{NAMED}::test_a_detail_that_never_comes_is_no_result",),
    ),
    Defence(
        "red-since",
        "a step that did not run in an earlier pipeline is not said to be red or green there",
        (
            Change(
                "watch/already_red.py",
                "else Status.SUCCESS if step.state is Status.SUCCESS else None",
                "else Status.SUCCESS",
            ),
        ),
        (f"{RED}::test_the_commit_since_which_a_step_is_red_is_named",),
    ),
    Defence(
        "red-for-seconds",
        "the search for earlier failures ends after a few seconds",
        (Change("watch/already_red.py", "within=min(ONE_REQUEST_TIMEOUT_S, left)", "within=60.0"),),
        (f"{RED}::test_a_server_that_hangs_afterwards_costs_a_few_seconds_and_no_verdict",),
    ),
    Defence(
        "limits-of-other-repositories",
        "a full group of another workflow is not taken for ours",
        (
            Change(
                "watch/stall.py",
                "for limit in queue.limited if limit.run == run",
                "for limit in queue.limited if limit.run != run",
            ),
        ),
        (f"{CAUSES}::test_a_pipeline_that_waits_for_its_concurrency_group_says_so",),
    ),
    Defence(
        "skip-markers-and-pipelines",
        "a commit with a skip marker that has a pipeline is watched",
        (
            Change(
                "watch/poller.py",
                'return find() if find and is_meant and not has_any else ""',
                'return find() if find and is_meant else ""',
            ),
            Change(
                "watch/machine.py",
                "not watch.tracks and (has_waited or watch.skip_marker)",
                "(has_waited or watch.skip_marker)",
            ),
        ),
        (f"{CAUSES}::test_a_commit_with_a_skip_marker_that_has_a_pipeline_is_watched",),
    ),
    Defence(
        "tabs-in-skip-markers",
        "only the markers that the server takes make it skip",
        (Change("ci/woodpecker/traits.py", "(?:ci *skip|skip *ci)", r"(?:ci\s*skip|skip\s*ci)"),),
        ("tests/ci/test_skip_marker.py::test_what_the_server_does_not_take_is_no_marker",),
    ),
)
