"""What keeps the user's files and commits when a landing, a clean-up or a hook installation could lose them."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

PREVIEW = "git/preview.py"
OVERWRITTEN = "tests/land/test_overwritten.py"

USER_WORK = (
    Defence(
        "ignored-files",
        "a merge or rebase does not overwrite ignored files",
        (Change("land/merge.py", "        require_nothing_overwritten(landing, tip)\n", ""),),
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
)
