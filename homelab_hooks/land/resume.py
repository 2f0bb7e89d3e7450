"""Resumes an interrupted landing."""

from __future__ import annotations

import shlex

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.git.operation import UnfinishedOperation
from homelab_hooks.git.remotes import find_push_settings
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import steps
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.land.merge import continue_error, continue_resolved
from homelab_hooks.land.orphan import wait_for_merge, wait_for_push
from homelab_hooks.land.own_changes import require_no_own_changes
from homelab_hooks.land.own_commits import require_no_own_commits
from homelab_hooks.land.ownership import begun_by_landing
from homelab_hooks.land.preconditions import foreign_operation_error, lock_error
from homelab_hooks.land.revert_commit import name_reverted_commit
from homelab_hooks.land.state import LandingState
from homelab_hooks.land.submodules import update_submodules
from homelab_hooks.land.tree_check import describe_difference
from homelab_hooks.text import url_secrets
from homelab_hooks.text.humanize import join_names, short_sha

RECHECK_AFTER_S = 2.0
"""seconds before the second query of a server that does not have the commit"""


def with_credentials(state: LandingState, git: Repository) -> LandingState:
    """Return the state with the passwords in its URLs, which are read from git's settings and never saved."""
    settings = find_push_settings(git.location.config_entries())
    remote = url_secrets.restore_userinfo(state.remote, (settings.by_branch.get(state.branch, ""), settings.default))
    return state._replace(
        remote=remote, push_url=url_secrets.restore_userinfo(state.push_url, git.remotes.push_urls(remote))
    )


def resume_merge(landing: Landing) -> None:
    """Finish a merge whose conflicts are resolved, and check that the landing can continue."""
    git, state = landing.git, landing.state
    wait_for_merge(landing)
    require_unlocked(git)
    operation = git.operations.current_operation()
    if operation and not begun_by_landing(state, operation):
        raise foreign_operation_error(operation)
    if operation.is_done:
        close_done_operation(git, operation)
        landing.save(merged_commit=git.history.head(), merge_began_at="")
    elif operation.name == "rebase" and (
        operation.skips_commit or git.history.current_branch() == state.branch  # killed before it detached HEAD
    ):
        _restart_rebase(landing)
    elif operation:
        _finish_operation(landing, operation.name)
    require_same_branch(landing)
    undo_partial_merge(landing)
    head = git.history.head()
    update_submodules(
        landing, was=[state.original_commit, state.merged_commit, *git.history.parents(head)[:1]], now=head
    )
    what, hint = describe_difference(git, head, status=git.worktree.status())
    if what:
        raise CommandError(
            f"{what}; the landing would not contain these changes",
            hint=f"{hint} (or git stash), then run git land --continue; {ABORT_HINT}",
            exit=ExitCode.REFUSED,
        )
    landing.save(merge_began_at="")


def _restart_rebase(landing: Landing) -> None:
    """Undo a rebase that was killed; the landing then starts it again."""
    git = landing.git
    require_no_own_commits(landing, then="git land --continue")
    require_no_own_changes(landing, landing.git.operations.current_operation())
    head = git.history.head()
    done = git.operations.abort_operation("rebase")
    if not done.ok:
        raise CommandError(f"could not undo the rebase: {error_message(done)}", exit=ExitCode.REFUSED)
    if head not in {landing.state.merge_began_at, landing.state.target_commit}:
        text = f"the rebase was interrupted and is started again; the result so far was {short_sha(head)}"
        landing.log(text, source="merge")


def close_done_operation(git: Repository, operation: UnfinishedOperation) -> None:
    """Remove the files that git left of a merge or rebase whose result is on the branch."""
    done = git.operations.close_operation(operation.name)
    if not done.ok:
        raise CommandError(f"could not end the {operation.name}: {error_message(done)}", exit=ExitCode.REFUSED)


def _finish_operation(landing: Landing, operation: str) -> None:
    git = landing.git
    files = git.worktree.unmerged_files()
    if files:
        raise CommandError(
            f"these files still have conflicts: {join_names(files)}",
            hint="resolve the conflicts and git add the files, then run git land --continue; or run git land --abort",
            exit=ExitCode.CONFLICT,
        )
    if operation == "revert":
        name_reverted_commit(landing)
    done = continue_resolved(landing, git.operations.continue_operation(operation))
    if not done.ok:
        raise continue_error(landing, done)
    landing.save(merged_commit=git.history.head(), merge_began_at="")


def push_arrived(landing: Landing) -> bool | None:
    """Return whether an interrupted push reached the server; None if that is unknown.

    Waits for a push that is still running. Queries the server twice before it returns False, because a server that has
    received the whole push may still process it after the client has gone.
    """
    wait_for_push(landing)
    there = steps.query_pushed(landing)
    if there is False and not landing.state.ended_with:
        landing.dependencies.clock.sleep(RECHECK_AFTER_S)
        there = steps.query_pushed(landing)
    if there is False:
        landing.save(push_unconfirmed=False)
    return there


def require_unlocked(git: Repository) -> None:
    """Raise CommandError if git's index is locked, by a running git or by one that was killed."""
    lock = git.worktree.lock_file()
    if lock is not None:
        raise lock_error(str(lock))


def undo_partial_merge(landing: Landing) -> None:
    """Undo a merge that was killed before git wrote MERGE_HEAD, if nothing else is staged.

    Only a killed landing can have such a merge. After one that ended by itself, all changes are the user's.
    """
    git, state = landing.git, landing.state
    if not state.merge_began_at or state.ended_with:
        return
    tree = _expected_tree(landing)
    changes = git.worktree.uncommitted_changes()
    if changes and all(change[1] == " " for change in changes):
        if tree and git.worktree.index_tree() == tree:
            git.worktree.reset_merge()
    elif tree and all(change[0] == " " for change in changes):
        _restore_merged_files(git, tree, [change[3:] for change in changes])


def _expected_tree(landing: Landing) -> str:
    """Return the files that the landing's revert, rebase, or merge writes; empty if they cannot be computed."""
    git, state = landing.git, landing.state
    head, request = git.history.head(), state.request
    if state.is_reverting:
        return git.preview.revert(request.revert, request.revert_parent, onto=head).tree
    if request.strategy is Strategy.REBASE:
        return git.history.tree_of(state.target_commit)
    return git.preview.merge(head, state.target_commit).tree


def _restore_merged_files(git: Repository, tree: str, changed: list[str]) -> None:
    """Restore the files of HEAD after a merge that wrote files but not the index, unless the user has changed one.

    A new file is removed only if its content is that of the merge.
    """
    if git.worktree.modified_since_tree(tree, changed):
        return
    new = git.worktree.added_files(tree)
    for path in set(new) - set(git.worktree.modified_since_tree(tree, new)):
        git.worktree.remove_file(path)
    if changed:
        git.worktree.restore(changed)


def require_same_branch(landing: Landing) -> None:
    """Raise CommandError if another branch than the landing's is checked out."""
    branch, state = landing.git.history.current_branch(), landing.state
    if branch != state.branch:
        raise CommandError(
            f"this landing is for {state.branch}, but {branch or 'a detached HEAD'} is checked out",
            hint=f"run git switch {shlex.quote(state.branch)}, then run the same command again",
            exit=ExitCode.REFUSED,
        )
