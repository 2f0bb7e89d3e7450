"""What protects the work of the user from a landing, and a landing from processes that outlived it."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ABORT = "land/abort.py"
OPERATION = "git/operation.py"
CAUSES = "tests/land/test_false_causes.py"
OWN, KILLED = "tests/land/test_own_commits.py", "tests/land/test_killed.py"

LANDING = (
    Defence(
        "commits-in-a-stopped-rebase",
        "an abort does not drop commits that the user made during a stopped rebase",
        (Change(ABORT, 'if operation.name == "rebase":', 'if operation.name == "none":'),),
        (f"{OWN}::test_a_commit_made_during_a_stopped_rebase_is_not_dropped",),
    ),
    Defence(
        "commits-among-ours",
        "an abort does not drop commits that the user made between two steps of a landing",
        (Change(ABORT, "    if own and made:\n", "    if own and not made:\n"),),
        (
            f"{OWN}::test_a_commit_made_during_a_rebase_that_was_finished_is_kept",
            f"{OWN}::test_a_fix_between_two_merges_of_one_landing_is_kept",
        ),
    ),
    Defence(
        "rebased-commits",
        "commits that the landing rebased are not taken for the user's",
        (Change("land/ownership.py", "if commit.identity not in rebased and not", "if not"),),
        (
            f"{OWN}::test_a_resolution_that_was_continued_is_undone",
            f"{OWN}::test_whose_a_commit_is",
        ),
    ),
    Defence(
        "orphan-merges",
        "a merge that outlives its landing is waited for",
        (
            Change(
                OPERATION, 'return self._pid_file.running(target, "rebase --continue", "commit --no-edit")', "return 0"
            ),
        ),
        (f"{KILLED}::test_a_merge_that_outlives_its_landing_is_waited_for",),
    ),
    Defence(
        "committed-merges",
        "a merge that git committed before it was killed is the landing's",
        (Change(OPERATION, "is_done = bool(incoming) and tuple(parents[1:]) == incoming", "is_done = False"),),
        (f"{KILLED}::test_killed_within_an_effect_with_git_and_a_server_on_the_same_machine",),
    ),
    Defence(
        "killed-picks",
        "a rebase that was killed while it applied a commit is not continued without that commit",
        (Change(OPERATION, 'skips_commit = bool(_read_small_file(files / "done")) and', "skips_commit = False and"),),
        (f"{KILLED}::test_a_merge_that_outlives_its_landing_is_waited_for",),
    ),
    Defence(
        "login-pages",
        "a web page in place of a git server's answer is not a repository without the branch",
        (Change("git/web_page.py", "return done.ok and not done.out and", "return False and"),),
        (
            "tests/land/test_web_pages.py::test_a_page_does_not_show_that_a_push_was_lost",
            "tests/land/test_web_pages.py::test_a_page_at_the_start_of_a_task_is_named",
        ),
    ),
    Defence(
        "words-of-helpers",
        "the words of a credential helper that failed are the reason, not git's line about it",
        (Change("git/transport_error.py", "if _NO_CREDENTIALS.search(line) and", "if not line and"),),
        ("tests/git/test_transport_error.py::test_the_cause_decides_kind_reason_and_hint",),
    ),
    Defence(
        "landings-in-a-worktree",
        "a worktree in which a landing runs is not removed",
        (Change("land/task_worktree.py", "    _require_no_landing(git, old.path)\n", ""),),
        ("tests/land/test_task_worktree.py::test_a_work_tree_in_which_a_landing_runs_is_not_removed",),
    ),
    Defence(
        "missing-directories",
        "git for a directory that does not exist does not run in the current one",
        (Change("git/gitpython.py", "if not os.access(self._directory, os.X_OK):", "if not self._directory:"),),
        ("tests/land/test_task_worktree.py::test_a_work_tree_whose_files_were_deleted_by_hand_is_cleaned",),
    ),
    Defence(
        "empty-hooks-path",
        "an empty core.hooksPath is not a directory outside a repository",
        (Change("git/location.py", 'if found is None and name == "hooks" and', "if not name and"),),
        ("tests/land/test_resume.py::test_with_an_empty_hooks_path_a_landing_is_followed",),
    ),
    Defence(
        "lfs-by-attributes",
        "a push calls git-lfs also where its objects are kept elsewhere",
        (Change("hooks/install/shims/pre-push", "then uses=1; fi", "then uses=''; fi"),),
        ("tests/hooks/install/test_promises.py::test_the_hook_of_git_lfs_runs_once_where_ours_is_in_its_place",),
    ),
    Defence(
        "recommended-installs",
        "hooks status does not recommend an install that is refused",
        (Change("hooks/install/status.py", "if isinstance(plan, InstallRefused):", "if False:"),),
        ("tests/hooks/install/test_commands.py::test_status_does_not_recommend_what_would_be_refused",),
    ),
    Defence(
        "hooks-that-cannot-start",
        "a pre-push hook that cannot be started is found before git waits for it for ever",
        (Change("system/child.py", "and not os.access(program, os.X_OK):", "and not program:"),),
        ("tests/system/test_process.py::test_it_is_known_before_that_a_script_cannot_be_started",),
    ),
    Defence(
        "unknown-causes-of-a-commit",
        "a merge commit that git itself could not make is not blamed on a hook",
        (Change("land/merge.py", "if done.code != _FATAL_EXIT_CODE or _HOOK", "if done.code or _HOOK"),),
        (f"{CAUSES}::test_a_merge_that_git_itself_cannot_commit_is_no_fault_of_a_hook",),
    ),
    Defence(
        "conflicts-without-a-merge",
        "files with conflicts are not to be stashed, which git refuses",
        (Change("land/preconditions.py", "if change[:2] in _UNMERGED]", "if not change]"),),
        (f"{CAUSES}::test_files_with_conflicts_but_no_merge_are_not_to_be_stashed",),
    ),
    Defence(
        "conflicts-after-an-abort",
        "an abort names the conflicts that it leaves",
        (Change(ABORT, "if conflicts := landing.git.worktree.unmerged_files():", "if conflicts := ():"),),
        ("tests/land/test_own_operation.py::test_conflicts_that_are_left_without_a_merge_are_named_by_an_abort",),
    ),
    Defence(
        "hooks-that-outlast-the-connection",
        "a push whose hook outlasts the connection is not repeated",
        (Change("land/push_decision.py", "if took is None or took < LONG_HOOK_S:", "if True:"),),
        ("tests/land/test_long_hooks.py::test_a_push_whose_hook_outlasts_the_connection_is_not_repeated",),
    ),
)
