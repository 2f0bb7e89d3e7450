"""Merges or rebases the target into the branch, and leaves either the result, conflicts to resolve, or nothing."""

from __future__ import annotations

import re

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.git.push_result import output_lines
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.land.overwrite_check import require_nothing_overwritten
from homelab_hooks.land.ownership import begun_by_landing
from homelab_hooks.land.preconditions import foreign_operation_error, lock_error
from homelab_hooks.land.submodules import update_submodules
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.humanize import join_names, short_sha


def merge_target(landing: Landing, tip: str, *, head: str, is_merged: bool) -> str:
    """Merge or rebase with the target; return the branch's commit afterwards.

    Args:
        is_merged: the branch contains the target already.
    """
    git = landing.git
    with landing.stage(Stage.MERGE) as report:
        if is_merged:
            report.mark_skipped(f"already up to date with {landing.upstream}")
            return head
        _require_merge_allowed(landing)
        require_nothing_overwritten(landing, tip, head=head)
        mine = git.worktree.existing_paths(git.worktree.added_files(tip))
        landing.save(merge_began_at=head, operation_mark="")
        done = continue_resolved(landing, _merge_or_rebase(landing, tip))
        if not done.ok:
            problem = merge_error(landing, done)
            if not git.operations.current_operation():
                _restore_files(landing, [path for path in git.worktree.added_files(tip) if path not in mine])
                landing.save(merge_began_at="")
            landing.save(operation_mark=git.operations.current_operation().mark)
            raise problem
        was, head = head, git.history.head()
        landing.save(merged_commit=head, merge_began_at="")
        if not git.history.is_ancestor(older=tip, newer=head):
            raise CommandError(f"{landing.upstream} was not merged", hint=ABORT_HINT, exit=ExitCode.REFUSED)
        update_submodules(landing, was=[was], now=head)
        report.detail = f"{short_sha(head)} contains {landing.upstream}"
    return head


def _require_merge_allowed(landing: Landing) -> None:
    """Raise CommandError if the strategy allows no merge."""
    if landing.request.strategy is Strategy.FF_ONLY:
        raise CommandError(
            f"cannot fast-forward: {landing.upstream} has diverged",
            hint="merge or rebase the branch yourself, or run git land --strategy merge",
            exit=ExitCode.CONFLICT,
        )


def _merge_or_rebase(landing: Landing, tip: str) -> Completed:
    if landing.request.strategy is Strategy.REBASE:
        return landing.git.worktree.rebase(tip, listener=landing.listen("merge", "git rebase"))
    usual = f"Merge remote-tracking branch '{landing.upstream}' into {landing.state.branch}"
    message = landing.request.message or usual
    return landing.git.worktree.merge(tip, message=message, listener=landing.listen("merge", "git merge"))


def continue_resolved(landing: Landing, done: Completed) -> Completed:
    """Continue a merge or rebase as long as it stops at conflicts that rerere has resolved and staged.

    With rerere.autoUpdate, git stages the resolution and still ends as for a conflict (git-config, rerere.autoUpdate).

    Args:
        done: how the merge, or the last continue, ended.

    Returns:
        how the last continue ended; `done` if there was none.
    """
    git = landing.git
    while not done.ok and not git.worktree.unmerged_files():
        operation, resolved = git.operations.current_operation(), git.worktree.resolved_files()
        if not resolved or not begun_by_landing(landing.state, operation):
            break
        landing.log(f"git rerere resolved {join_names(resolved)}", source="merge")
        before = git.operations.position()
        done = git.operations.continue_operation(operation.name)
        if git.operations.position() == before:
            break
    return done


def _restore_files(landing: Landing, new: list[str]) -> None:
    """Undo what git wrote before it failed.

    Before git began, no file was changed, and none of the `new` files existed. A changed file that the merge does not
    touch was written by another program at that moment, and stays.
    """
    git = landing.git
    for path in new:
        git.worktree.remove_file(path)
    touched = set(git.worktree.touched_files(landing.state.target_commit))
    changed = [entry[3:] for entry in git.worktree.uncommitted_changes() if entry[3:] in touched]
    if changed:
        done = git.worktree.restore(changed)
        if not done.ok:
            text = f"could not restore {join_names(changed)} after the failed merge: {error_message(done)}"
            landing.log(text, source="merge", level=LogLevel.WARNING)


def merge_error(landing: Landing, done: Completed) -> CommandError:
    """Return why a merge or rebase failed; only conflicts are left in the working tree."""
    git = landing.git
    files, operation = git.worktree.unmerged_files(), git.operations.current_operation()
    if operation and not begun_by_landing(landing.state, operation):
        return foreign_operation_error(operation)
    if files:
        return conflict_error(landing, files)
    for line in output_lines(done.out):  # the listener has logged standard error
        landing.log(line, source="merge")
    if not operation:
        return CommandError(f"could not merge {landing.upstream}: {error_message(done)}", exit=ExitCode.REFUSED)
    lock = git.worktree.lock_file()
    if lock and "Unable to write index" in done.out + done.err:  # git cannot undo it either; the landing can be resumed
        return lock_error(str(lock))
    git.operations.abort_operation(operation.name)
    if operation.name == "rebase":
        return CommandError(
            f"could not rebase onto {landing.upstream}: {error_message(done)}",
            hint="fix what git, a hook or the commit signing reports, then run git land again",
            exit=ExitCode.PUSH_FAILED,
        )
    fix, code = _commit_remedy(done)
    return CommandError(
        f"could not commit the merge with {landing.upstream}: {error_message(done)}",
        hint=f"{fix}, then run git land again",
        exit=code,
    )


def continue_error(landing: Landing, done: Completed) -> CommandError:
    """Return why a resolved merge or rebase could not be finished; the resolution is kept."""
    files = landing.git.worktree.unmerged_files()
    if files:
        return conflict_error(landing, files)
    fix, code = _commit_remedy(done)
    return CommandError(
        f"could not commit the resolution: {error_message(done)}",
        hint=f"{fix}, then run git land --continue; {ABORT_HINT}",
        exit=code,
    )


_EMPTY_MESSAGE = re.compile(
    r"^(?:error: )?(?:Empty commit message|Aborting commit due to empty commit message)", re.MULTILINE
)
_SIGNING_FAILED = re.compile(r"^error: gpg failed to sign|^fatal: failed to write commit object", re.MULTILINE)
_HOOK_ABORTED = re.compile(r"^fatal: ref updates aborted by hook", re.MULTILINE)
_FATAL_EXIT_CODE = 128


def _commit_remedy(done: Completed) -> tuple[str, ExitCode]:
    """Return what to fix after a commit that failed, and the exit code: git dies (128) of its own errors only.

    The texts are from builtin/merge.c, sequencer.c, gpg-interface.c, and refs.c.
    """
    if _EMPTY_MESSAGE.search(done.err):
        return "check the message (--message, or the hook that writes it)", ExitCode.PUSH_FAILED
    if _SIGNING_FAILED.search(done.err):
        return "fix the commit signing that failed", ExitCode.PUSH_FAILED
    if done.code != _FATAL_EXIT_CODE or _HOOK_ABORTED.search(done.err):
        return "fix the hook that failed", ExitCode.PUSH_FAILED
    return "fix what git reports", ExitCode.REFUSED


def conflict_error(landing: Landing, files: tuple[str, ...]) -> CommandError:
    """Return the error for files with conflicts (21)."""
    return CommandError(
        f"{landing.upstream} conflicts with {landing.state.branch} in: {join_names(files)}",
        hint=f"resolve the conflicts and git add the files, then run git land --continue; {ABORT_HINT}",
        exit=ExitCode.CONFLICT,
    )
