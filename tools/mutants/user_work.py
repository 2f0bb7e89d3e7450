"""What keeps the user's files and commits when a landing, a clean-up or a hook installation could lose them."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

PREVIEW = "git/preview.py"
OVERWRITTEN = "tests/land/test_overwritten.py"
NESTED, TASK = "land/nested_work.py", "land/task_worktree.py"
CHANGES = "tests/land/test_own_changes.py"
CLEAN = "tests/land/test_clean_keeps_work.py"
NESTED_TEST = f"{CLEAN}::test_work_in_nested_repositories_and_work_trees_is_named"

USER_WORK = (
    Defence(
        "ignored-files",
        "a merge or rebase does not overwrite ignored files",
        (Change("land/merge.py", "        require_nothing_overwritten(landing, tip, head=head)\n", ""),),
        (f"{OVERWRITTEN}::test_ignored_files_in_the_way_of_the_target_are_named_and_kept",),
    ),
    Defence(
        "ignored-files-as-directories",
        "a merge does not replace an ignored file by a directory, or an ignored directory by a file",
        (Change(PREVIEW, "if kind is False or (kind and end == len(parts)):", "if kind is False and name == path:"),),
        (f"{OVERWRITTEN}::test_ignored_files_in_the_way_of_the_target_are_named_and_kept",),
    ),
    Defence(
        "ignored-links",
        "a merge does not replace an ignored link by a directory",
        (
            Change(
                PREVIEW, "    return os.path.isdir(path) and not os.path.islink(path)", "    return os.path.isdir(path)"
            ),
        ),
        ("tests/git/test_preview.py::test_what_would_be_overwritten",),
    ),
    Defence(
        "files-of-rebased-commits",
        "a rebase does not overwrite an ignored file that only an earlier commit of the branch tracks",
        (Change("land/overwrite_check.py", ", git.preview.touched_paths(head, known=tip))", ")"),),
        (f"{OVERWRITTEN}::test_a_file_that_only_a_rebased_commit_has",),
    ),
    Defence(
        "files-that-a-merge-leaves-alone",
        "an ignored file that the branch no longer tracks does not stop a merge that leaves it alone",
        (Change("land/overwrite_check.py", "git.preview.merge(head, tip).tree or tip", "tip"),),
        (f"{OVERWRITTEN}::test_a_file_that_the_branch_no_longer_tracks",),
    ),
    Defence(
        "ignored-files-in-an-undo",
        "undoing a landing does not overwrite ignored files",
        (Change("land/abort.py", "    require_undo_overwrites_nothing(landing, state.original_commit)\n", ""),),
        (f"{OVERWRITTEN}::test_undoing_a_landing_overwrites_no_ignored_file",),
    ),
    Defence(
        "nested-repositories",
        "work clean does not delete work in repositories inside an ignored directory",
        (Change(TASK, "    if nested:\n", "    if False:\n"),),
        (NESTED_TEST,),
    ),
    Defence(
        "nested-worktrees",
        "work clean does not delete commits of a nested worktree's detached HEAD",
        (Change(NESTED, "count = nested.history.unreferenced_count()", "count = 0"),),
        (NESTED_TEST,),
    ),
    Defence(
        "nested-filters",
        "work clean runs no program that a nested repository's settings name",
        (Change(NESTED, "if nested.location.has_local_setting(_RUNS_PROGRAMS):", "if False:"),),
        (NESTED_TEST,),
    ),
    Defence(
        "commits-in-submodules",
        "work clean does not delete commits that exist only in a submodule",
        (Change(NESTED, "for each in removed", "for each in removed[:1]"),),
        (f"{CLEAN}::test_a_submodule_without_work_does_not_stop_it",),
    ),
    Defence(
        "clean-submodules",
        "work clean removes a worktree with submodules whose work is saved",
        (Change(TASK, "if _HAS_SUBMODULES in done.err:", "if False:"),),
        (f"{CLEAN}::test_a_submodule_without_work_does_not_stop_it",),
    ),
    Defence(
        "unnoticed-changes-in-clean",
        "work clean sees changes that settings hide from git status",
        (
            Change("git/worktree.py", ", *self._unnoticed_changes()]", "]"),
            Change(
                "git/worktree.py",
                '(*FULL_STATUS, "--untracked-files=all")',
                '("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")',
            ),
        ),
        (f"{CLEAN}::test_a_change_that_settings_hide_is_kept", f"{CLEAN}::test_so_is_one_in_a_nested_worktree"),
    ),
    Defence(
        "locked-worktrees",
        "work clean does not remove a worktree in which git is running",
        (Change(TASK, "if lock and lock.parent == inside.location.git_dir():", "if False:"),),
        (f"{CLEAN}::test_a_work_tree_in_which_git_runs_is_not_removed",),
    ),
    Defence(
        "folders-above-worktrees",
        "work clean does not remove the user's empty directories",
        (Change(TASK, "for folder in old.path.parents[:last]:", "for folder in old.path.parents:"),),
        (f"{CLEAN}::test_the_folders_that_a_work_tree_was_moved_into_stay",),
    ),
    Defence(
        "branches-of-failed-starts",
        "work start leaves no branch if git cannot create the worktree",
        (Change(TASK, "            git.worktrees.delete_branch(new.branch, sha=start)\n", "            pass\n"),),
        (f"{CLEAN}::test_a_start_that_fails_leaves_no_branch",),
    ),
    Defence(
        "linked-worktrees-directory",
        "work clean finds the worktree if .worktrees is a symbolic link",
        (Change(TASK, "        or there == place.resolve()", "        or False"),),
        (f"{CLEAN}::test_a_link_to_another_disk_is_followed",),
    ),
    Defence(
        "changes-staged-with-a-resolution",
        "an abort does not discard changes that the user added to an unfinished merge or rebase",
        (Change("land/abort.py", "    require_no_own_changes(landing, operation)\n", ""),),
        (
            f"{CHANGES}::test_files_that_were_staged_with_a_resolution_of_a_merge_are_named",
            f"{CHANGES}::test_files_that_were_changed_during_a_rebase_are_named",
        ),
    ),
    Defence(
        "unstaged-changes-in-a-rebase",
        "an abort does not discard unstaged changes during a rebase",
        (Change(PREVIEW, "sorted({*on_disk, *self.staged_paths(tree)})", "sorted(self.staged_paths(tree))"),),
        (f"{CHANGES}::test_files_that_were_changed_during_a_rebase_are_named",),
    ),
    Defence(
        "changes-by-the-merge",
        "what a merge or rebase itself writes is not taken for the user's",
        (Change("land/own_changes.py", "own &= set(changed(expected.tree))", "pass"),),
        (f"{CHANGES}::test_a_resolution_alone_is_undone",),
    ),
    Defence(
        "amended-commits",
        "an abort does not drop a merge or rebased commit that the user amended",
        (
            Change(
                "land/own_commits.py", "    return has_own_changes(git.preview, commit, same)\n", "    return False\n"
            ),
        ),
        (f"{CHANGES}::test_a_commit_of_ours_that_was_amended_is_kept",),
    ),
    Defence(
        "operations-of-the-same-commits",
        "a merge or rebase that the user began with the landing's commits is left alone",
        (Change("land/ownership.py", "if state.operation_mark and", "if False and"),),
        (f"{CHANGES}::test_an_operation_that_the_user_began_with_the_same_commits_is_left_alone",),
    ),
    Defence(
        "edited-shims",
        "lines that were added to our hooks are not thrown away",
        (
            Change("hooks/install/plan.py", "    if hook.installed and hook.is_edited:\n", "    if False:\n"),
            Change("hooks/install/plan.py", 'and is_edited_shim(hook.name, ours.text or "")', "and False"),
        ),
        ("tests/hooks/install/test_install.py::test_lines_that_were_added_to_our_shim_are_not_thrown_away",),
    ),
    Defence(
        "hooks-that-read-their-name",
        "a hook that depends on its own name is not renamed",
        (Change("hooks/install/plan.py", "if hook.file.exists and depends_on_name(", "if False and depends_on_name("),),
        ("tests/hooks/install/test_install.py::test_a_hook_that_depends_on_its_name_keeps_it",),
    ),
    Defence(
        "merge-messages",
        "git land --message is the message of the merge commit",
        (Change("land/merge.py", "landing.request.message or usual", "usual"),),
        ("tests/land/test_message.py::test_a_resolved_merge_keeps_the_message",),
    ),
    Defence(
        "messages-without-a-merge",
        "a message for a landing without a merge commit is a usage error",
        (Change("cli/commands/work/land.py", "    _check_message(args)\n", ""),),
        ("tests/land/test_message.py::test_a_message_without_a_merge_commit_is_a_usage_error",),
    ),
    Defence(
        "links-into-worktrees",
        "a topic is not created in another worktree, where it would be deleted with that one",
        (Change(TASK, "if link.is_symlink() and link.is_dir() else None", "if False else None"),),
        ("tests/land/test_task_worktree.py::test_a_link_into_another_work_tree_is_no_place_for_a_topic",),
    ),
)
