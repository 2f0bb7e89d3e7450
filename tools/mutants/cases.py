"""Defences against the inputs that people and real servers found."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

CASES = (
    Defence(
        "branch-after-the-fetch",
        "a branch that was checked out in the meantime is not landed",
        (
            Change(
                "land/tree_check.py", "    if status.branch != landing.state.branch:\n", "    if not status.branch:\n"
            ),
        ),
        (
            "tests/land/test_same_tree.py::test_a_branch_that_is_checked_out_during_the_fetch_is_not_landed",
            "tests/land/test_same_tree.py::test_a_branch_that_is_checked_out_before_the_next_attempt_is_not_landed",
        ),
    ),
    Defence(
        "edits-after-the-end",
        "an abort undoes a half-made merge only if the landing was killed in it",
        (Change("land/resume.py", "if not state.merge_began_at or state.ended_with:", "if not state.merge_began_at:"),),
        ("tests/land/test_own_operation.py::test_an_untracked_file_made_after_the_merge_was_given_up_is_kept",),
    ),
    Defence(
        "live-fetch-refs",
        "the private ref of a fetch that still runs is not deleted",
        (
            Change(
                "git/transfer.py",
                "            if not (pid.isdecimal() and command_line(int(pid))):\n    ",
                "",
            ),
        ),
        ("tests/land/test_fetched_tip.py::test_the_ref_of_a_killed_fetch_is_deleted_and_that_of_a_live_one_kept",),
    ),
    Defence(
        "missing-commits",
        "a commit that is missing here is not one that does not contain ours",
        (Change("git/history.py", ".get(code, Containment.UNKNOWN)", ".get(code, Containment.NOT_CONTAINED)"),),
        ("tests/git/test_repository.py::test_where_a_commit_is_missing_git_compares_nothing",),
    ),
    Defence(
        "names-in-errors",
        "the user's own names in an error of git's do not decide its cause",
        (
            Change(
                "git/transport_error.py", "pattern.search(_QUOTED.sub(\"''\", _unmark(line)))", "pattern.search(line)"
            ),
        ),
        ("tests/git/test_transport_error.py::test_the_users_own_names_do_not_decide[is archived]",),
    ),
    Defence(
        "refused-packs",
        "a push that a proxy refused is not sent again",
        (Change("git/push_result.py", "if cut_off and not _is_refused(err):", "if cut_off:"),),
        ("tests/land/test_land_outcomes.py::test_a_push_is_repeated_only_where_that_can_help",),
    ),
    Defence(
        "forced-pushes",
        "a push over others' commits is not suggested",
        (
            Change(
                "land/feature_branch.py",
                " and git.history.was_branch_commit(state.branch, theirs.value)",
                "",
            ),
        ),
        ("tests/land/test_land_outcomes.py::test_a_branch_that_is_not_a_fast_forward_has_a_remedy_that_helps[others]",),
    ),
    Defence(
        "recorded-program",
        "another program called homelab on PATH does not replace the recorded one",
        (
            Change(
                "hooks/install/shims/reference-transaction",
                """for homelab in "$known" "$(command -v homelab 2>/dev/null)"; do""",
                """for homelab in "$(command -v homelab 2>/dev/null)" "$known"; do""",
            ),
        ),
        (
            "tests/hooks/install/test_promises.py::test_the_recorded_program_wins_over_another_one_of_that_name[opt/homelab]",
        ),
    ),
    Defence(
        "lfs-objects",
        "a push from a repository that uses git-lfs uploads its objects",
        (Change("hooks/install/shims/pre-push", """[ -d "$dir/lfs" ] || [ -n "$uses" ] || exit 0""", "exit 0"),),
        ("tests/hooks/install/test_promises.py::test_the_hook_of_git_lfs_runs_once_where_ours_is_in_its_place",),
    ),
    Defence(
        "promises-of-a-watch",
        "a watch is promised only where git updates the tracking ref",
        (Change("hooks/install/gaps.py", "    if found == expected:", "    if found or not found:"),),
        ("tests/hooks/install/test_promises.py::test_a_push_is_noticed_exactly_where_no_gap_is_reported",),
    ),
    Defence(
        "rerere-resolutions",
        "a merge that rerere resolved is not thrown away",
        (Change("land/merge.py", "        if not resolved or not begun", "        if resolved or not begun"),),
        (
            "tests/land/test_resume.py::test_a_conflict_that_rerere_resolves_does_not_end_the_landing[merge-merge-False]",
        ),
    ),
    Defence(
        "comments-in-messages",
        "the commit of a resolved conflict has none of git's comments",
        (Change("git/operation.py", "            self._strip_conflict_hint()\n", ""),),
        (
            (
                "tests/land/test_resume.py::"
                "test_the_commit_of_a_resolved_conflict_has_none_of_gits_comments[whitespace-#-merge]"
            ),
        ),
    ),
    Defence(
        "nested-work-trees",
        "the worktree of a topic is made in no other one",
        (
            Change(
                "land/task_worktree.py",
                "base = main or _base_beside(",
                "base = main or Path(next(iter(listed), common)) or (",
            ),
        ),
        ("tests/land/test_task_worktree.py::test_a_topic_gets_a_place_in_no_other_work_tree[bare with siblings]",),
    ),
    Defence(
        "git-directories",
        "a background watch runs where git refuses git directories that it merely finds",
        (
            Change(
                "git/runner.py",
                """{"safe.bareRepository": "all"} if git_dir_is_known else {}""",
                """{"safe.bareRepository": "all"} if not git_dir_is_known else {}""",
            ),
        ),
        (
            (
                "tests/hooks/background/test_pushed.py::"
                "test_a_watch_runs_where_git_refuses_git_directories_that_it_merely_finds"
            ),
        ),
    ),
    Defence(
        "signals-that-become-errors",
        "a signal whose exception was wrapped, or whose cleanup failed, is not an internal error",
        (Change("system/signals.py", "        if interrupt is None:", "        if True:"),),
        ("tests/e2e/test_lost_signals.py::test_a_signal_whose_exception_became_another_one_is_no_internal_error",),
    ),
    Defence(
        "two-signals",
        "signals that arrive together are one interruption",
        (Change("system/signals.py", "        if next(count) != DUPLICATE_COUNT:", "        if next(count):"),),
        ("tests/e2e/test_lost_signals.py::test_the_second_signal_of_one_interruption_does_not_disturb_the_first",),
    ),
    Defence(
        "lost-signals",
        "a signal that Python discarded is not taken for a failure of the child that it ended",
        (Change("system/capture.py", "        raise_lost_interrupt()\n", ""),),
        (
            (
                "tests/e2e/test_lost_signals.py::"
                "test_a_signal_that_python_loses_is_not_taken_for_a_failure_of_the_child_that_it_ended"
            ),
        ),
    ),
    Defence(
        "replaced-commits",
        "a replacement is not verified in place of the commit that is pushed",
        (
            Change(
                "git/command.py",
                '    "--no-replace-objects", "-c", "core.fsmonitor=false",',
                '    "-c", "core.fsmonitor=false",',
            ),
        ),
        ("tests/land/test_what_settings_hide.py::test_a_replaced_commit_is_not_verified_in_place_of_the_pushed_one",),
    ),
    Defence(
        "unnoticed-changes",
        "a change that settings hide from git status is seen",
        (Change("git/worktree.py", "in self._unnoticed_changes() if path not in names", "in ()"),),
        (
            "tests/land/test_what_settings_hide.py::test_a_change_that_settings_hide_from_git_status_is_seen",
            "tests/land/test_what_settings_hide.py::test_it_is_seen_before_anything_is_done",
        ),
    ),
    Defence(
        "changed-push-urls",
        "a push URL that changed during the landing is not pushed to",
        (Change("land/steps.py", "        _require_same_remote(landing)\n", ""),),
        ("tests/land/test_what_settings_hide.py::test_a_push_url_that_changes_during_the_landing_is_not_pushed_to",),
    ),
    Defence(
        "refusals-on-the-way-back",
        "a refusal after the server took the commit is settled by asking",
        (
            Change(
                "land/run.py",
                "if isinstance(step, Fail) and outcome.may_have_arrived:",
                "if isinstance(step, Fail) and False:",
            ),
        ),
        ("tests/land/test_land_outcomes.py::test_a_refusal_after_the_server_took_the_commit_is_settled_by_asking",),
    ),
    Defence(
        "other-directories",
        "git in another directory does not work on the one that the environment names",
        (Change("git/gitpython.py", "environment.without_location(environ)", "environ"),),
        (
            "tests/land/test_what_settings_hide.py::test_a_topic_is_started_in_its_own_work_tree_whatever_the_environment_names",
        ),
    ),
    Defence(
        "orphaned-merges",
        "a merge ends with the landing that began it",
        (Change("git/gitpython.py", 'if environment.subcommand(args) != "push":', "if False:"),),
        ("tests/land/test_what_settings_hide.py::test_a_merge_ends_with_the_landing_that_began_it",),
    ),
    Defence(
        "detached-commits",
        "commits on a detached HEAD are not removed with their worktree",
        (Change("land/task_worktree.py", 'for each in {sha, head} - {""}', 'for each in {sha} - {""}'),),
        ("tests/land/test_what_settings_hide.py::test_commits_on_a_detached_head_are_not_lost_with_the_work_tree",),
    ),
    Defence(
        "passwords-of-proxies",
        "a proxy variable that cannot be read is not quoted",
        (
            Change(
                "net/http.py",
                "except ValueError:  # the message may contain",
                "except KeyError:  # the message may contain",
            ),
        ),
        ("tests/net/test_proxy.py::test_a_proxy_that_cannot_be_read_is_a_usage_error_without_its_password",),
    ),
    Defence(
        "locked-work-trees",
        "a locked worktree is not removed with --force",
        (
            Change(
                "git/worktrees.py", 'force = ("--force",) if even_dirty', 'force = ("--force", "--force") if even_dirty'
            ),
        ),
        ("tests/land/test_what_settings_hide.py::test_a_locked_work_tree_is_not_removed_with_force",),
    ),
    Defence(
        "locks-during-a-merge",
        "a lock that stops a merge is not called a failed hook",
        (Change("land/merge.py", "if lock and ", "if not lock and "),),
        (
            (
                "tests/land/test_what_settings_hide.py::"
                "test_a_lock_that_appears_during_the_merge_is_named_and_the_landing_can_be_undone"
            ),
        ),
    ),
    Defence(
        "captive-portals",
        "a web server that is not git's is not called a hook's refusal",
        (Change("git/push_result.py", " and not _NOT_A_GIT_SERVER.search(err)", ""),),
        ("tests/git/test_push_result.py::test_a_web_server_that_is_not_gits_is_no_refusal_of_a_hook",),
    ),
    Defence(
        "names-of-protected-branches",
        "a branch named like a forge's error is not taken for a protected one",
        (Change("git/push_result.py", 'r"|error: GH0(?:06|13): "', 'r"|GH006"'),),
        ("tests/land/test_land_outcomes.py::test_a_branch_named_like_a_forges_error_is_not_taken_for_a_protected_one",),
    ),
    Defence(
        "expired-logins",
        "a push whose login was rejected is not sent again",
        (Change("git/push_result.py", "or read_transport_error(err).fault is TransportFault.DENIED", ""),),
        ("tests/land/test_land_outcomes.py::test_an_expired_login_is_not_tried_again",),
    ),
)
