"""Finds changes that the user added to an unfinished merge or rebase, and that undoing it would lose.

`git merge --abort` and `git rebase --abort` discard everything that is staged, a file too that was untracked before and
was added with the resolution (`git add -A`). What the operation itself makes is computed with `git merge-tree`; files
with conflicts are its own as well, whatever the user made of them.
"""

from __future__ import annotations

import shlex

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.history import BranchCommit
from homelab_hooks.git.operation import UnfinishedOperation
from homelab_hooks.git.preview import MergePreview, Preview
from homelab_hooks.land.landing import Landing
from homelab_hooks.text.humanize import join_names

_MAX_NAMED_FILES = 8
"""files that a suggested command names; more would not fit into a line"""


def require_no_own_changes(landing: Landing, operation: UnfinishedOperation) -> None:
    """Raise CommandError (20) if undoing an operation would lose changes that are not part of it; name them."""
    own = _find_own_changes(landing, operation)
    if not own:
        return
    files = " ".join(shlex.quote(f":/{path}") for path in own[:_MAX_NAMED_FILES])
    files += " ..." if len(own) > _MAX_NAMED_FILES else ""
    keep = (
        f"git restore --staged -- {files}; to discard them, run git {operation.name} --abort; "
        if operation.name != "rebase"
        else f"git diff --binary HEAD -- {files} >kept.patch; then run git rebase --abort; "
    )
    raise CommandError(
        f"the unfinished {operation.name} has changes of yours that are not part of it: {join_names(own)}",
        hint=f"to keep them, run {keep}then run git land --abort",
        exit=ExitCode.REFUSED,
    )


def _find_own_changes(landing: Landing, operation: UnfinishedOperation) -> tuple[str, ...]:
    """Return the changed files that the operation does not explain.

    The abort of a merge or a revert keeps what is not staged; a rebase's does not. A file that still equals HEAD has no
    change, although it differs from the result if git was killed before it wrote it.
    """
    git, state = landing.git, landing.state
    head, stopped = git.operations.position()
    if operation.name == "merge":
        expected, changed = git.preview.merge(state.merge_began_at, state.target_commit), git.preview.staged_paths
        explained = git.worktree.touched_files(state.target_commit)
    elif operation.name == "revert":
        taken = (state.request.revert, state.request.revert_parent)
        expected, changed = git.preview.revert(*taken, onto=state.merge_began_at), git.preview.staged_paths
        explained = git.preview.differing_paths(*taken)
    else:
        expected = git.preview.pick(stopped, onto=head) if stopped else MergePreview(head)
        changed, explained = git.preview.changed_paths, _paths_of(git.preview, stopped)
    own = set(changed(head)) - (set(expected.conflicts) if expected else set(explained))
    if own and expected:
        own &= set(changed(expected.tree))
    if own and not state.ended_with:  # git may have been killed while it wrote the files of either side
        own -= {*git.preview.differing_paths(state.merge_began_at, state.target_commit)}
        own -= {*git.preview.touched_paths(state.merge_began_at, known=state.target_commit)}
    return tuple(sorted(own))


def _paths_of(preview: Preview, commit: str) -> tuple[str, ...]:
    return preview.differing_paths(f"{commit}^", commit) if commit else ()


def has_own_changes(preview: Preview, commit: BranchCommit, originals: tuple[BranchCommit, ...]) -> bool:
    """Return whether a commit has changes that neither its merge nor the rebase of an original explains.

    It keeps its author, time and message if the user amends it.

    Args:
        originals: the commits that it can be a rebase of; none for a merge.
    """
    if not commit.parents:
        return False
    parent = commit.parents[0]
    if commit.merged:
        expected = [preview.merge(parent, commit.merged[0])]
    else:
        expected = [preview.pick(original.sha, onto=parent) for original in originals]
    return bool(expected) and all(
        set(preview.differing_paths(each.tree, commit.sha)) - set(each.conflicts) if each else False
        for each in expected
    )
