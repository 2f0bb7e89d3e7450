"""Makes the commit that takes a landed one back, in the landing's own worktree, and leaves conflicts to be resolved."""

from __future__ import annotations

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.land.merge import continue_resolved
from homelab_hooks.land.revert import RevertPlan
from homelab_hooks.land.submodules import update_submodules
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.humanize import join_names, short_sha
from homelab_hooks.verdict import Verdict


def make_revert(landing: Landing) -> Verdict | None:
    """Commit the revert that this landing is for, once; the verdict (0) if the target has nothing to take back.

    Raises:
        CommandError: (conflict) the files have conflicts, which stay in the worktree; (push-failed) a commit hook or
            the signing failed, and the staged revert stays.
    """
    state, git = landing.state, landing.git
    if not state.is_reverting:
        return None
    head = git.history.head()
    if head != state.original_commit:  # the user committed the resolution
        landing.save(merged_commit=head, merge_began_at="")
        return None
    plan = RevertPlan(state.request.revert, state.request.revert_parent)
    with landing.stage(Stage.MERGE) as report:
        done = _start_revert(landing, plan, head)
        if done.ok and git.history.head() == head and git.worktree.index_tree() == git.history.tree_of(head):
            git.operations.abort_operation("revert")
            report.mark_skipped(f"{landing.upstream} has no changes of {short_sha(plan.commit)}")
            return _nothing_left(landing, plan)
        if done.ok and git.history.head() == head:
            done = git.operations.continue_operation("revert")
        if not done.ok:
            raise _revert_error(landing, plan, done)
        made = git.history.head()
        landing.save(merged_commit=made, merge_began_at="")
        update_submodules(landing, was=[head], now=made)
        report.detail = f"{short_sha(made)} reverts {short_sha(plan.commit)}"
    return None


def _start_revert(landing: Landing, plan: RevertPlan, head: str) -> Completed:
    """Take the commit back in the index and the files; where rerere knows the resolution, commit it."""
    git = landing.git
    parents = git.history.parents(plan.commit)
    taken = plan.commit if plan.parent in parents else git.history.synthesize_commit(plan.commit, parent=plan.parent)
    if not taken:
        raise CommandError(f"could not prepare the revert of {short_sha(plan.commit)}", exit=ExitCode.REFUSED)
    landing.save(merge_began_at=head, target_commit=taken, operation_mark="")
    listener = landing.listen("merge", "git revert")
    done = git.worktree.revert(taken, mainline=plan.mainline(parents), listener=listener)
    name_reverted_commit(landing)
    return continue_resolved(landing, done)


def name_reverted_commit(landing: Landing) -> None:
    """Name the landing in the prepared message, in git's words for a merge, where git names a synthesized commit."""
    state = landing.state
    taken, plan = state.target_commit, RevertPlan(state.request.revert, state.request.revert_parent)
    if taken and taken != plan.commit:
        words = f"This reverts commit {plan.commit}, reversing\nchanges made to {plan.parent}."
        landing.git.operations.replace_message(f"This reverts commit {taken}.", words)


def _nothing_left(landing: Landing, plan: RevertPlan) -> Verdict:
    landing.discard()
    reason = f"{landing.upstream} has none of the changes of {short_sha(plan.commit)} any more"
    return Verdict(exit=ExitCode.OK, label="nothing", reason=reason, sha=plan.commit, landed=False)


def _revert_error(landing: Landing, plan: RevertPlan, done: Completed) -> CommandError:
    git = landing.git
    files, operation = git.worktree.unmerged_files(), git.operations.current_operation()
    if files:
        landing.save(operation_mark=operation.mark)
        return CommandError(
            f"reverting {short_sha(plan.commit)} on {landing.upstream} conflicts in: {join_names(files)}",
            hint=f"resolve the conflicts and git add the files, then run git land --continue; {ABORT_HINT}",
            exit=ExitCode.CONFLICT,
        )
    if not operation:
        landing.save(merge_began_at="")
        return CommandError(f"could not revert {short_sha(plan.commit)}: {error_message(done)}", exit=ExitCode.REFUSED)
    landing.save(operation_mark=operation.mark)
    return CommandError(
        f"could not commit the revert of {short_sha(plan.commit)}: {error_message(done)}",
        hint=f"fix the hook or the commit signing that failed, then run git land --continue; {ABORT_HINT}",
        exit=ExitCode.PUSH_FAILED,
    )
