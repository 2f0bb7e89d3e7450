"""Decides whether a landing can begin: returns an error for each precondition that is not met."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.operation import UnfinishedOperation
from homelab_hooks.text.humanize import join_names
from homelab_hooks.text.sanitize import strip_control_chars


class PreflightFacts(NamedTuple):
    """What preflight found; nothing has been changed yet."""

    branch: str
    """empty when HEAD is detached"""
    head: str
    target: str
    """empty if the target branch is not known"""
    remote: str
    remote_error: str = ""
    """why the remote's HEAD branch could not be queried"""
    remote_hint: str = ""
    operation: UnfinishedOperation = UnfinishedOperation()
    operation_is_ours: bool = False
    """whether an earlier landing began it, which `--continue` and `--abort` can end"""
    changes: tuple[str, ...] = ()
    hidden_changes: tuple[str, ...] = ()
    """changed files that git status skips: marked assume-unchanged or skip-worktree"""
    can_be_verified: bool = True
    plaintext_secrets: tuple[str, ...] = ()
    """files that git-crypt is to encrypt and that are committed in plaintext"""
    lock_file: str = ""
    """the index lock of a running git, or of one that was killed; empty if there is none"""
    interrupted_stage: str = ""
    """the stage in which an earlier landing was cut short"""
    interrupted_branch: str = ""


def unmet_preconditions(facts: PreflightFacts) -> tuple[CommandError, ...]:
    """Return an error for each precondition that is not met, in the order of reporting; none: the landing can begin.

    >>> facts = PreflightFacts(branch="", head="1", target="main", remote="origin")
    >>> [problem.message for problem in unmet_preconditions(facts)]
    ['HEAD is detached: there is no branch to land']
    """
    found = (
        _interrupted_landing(facts),
        _lock(facts),
        _operation(facts),
        _branch(facts),
        None if facts.remote_error else _target(facts),
        _uncommitted_changes(facts),
        _plaintext_secrets(facts),
        _verifiable(facts),
        _target(facts) if facts.remote_error else None,  # what needs no network first
    )
    return tuple(problem for problem in found if problem is not None)


def _refusal(what: str, hint: str) -> CommandError:
    return CommandError(what, hint=hint, exit=ExitCode.REFUSED)


_CHANGES_FILES = {"merge", "rebase", "cherry-pick", "revert", "am"}
"""operations that change files until they are finished"""
_DETACHES_HEAD = {"rebase", "bisect"}


def _interrupted_landing(facts: PreflightFacts) -> CommandError | None:
    if not facts.interrupted_stage:
        return None
    branch = facts.interrupted_branch
    elsewhere = facts.branch != branch and facts.operation.name not in _DETACHES_HEAD
    return _refusal(
        f"the landing of {strip_control_chars(branch)} was interrupted at {facts.interrupted_stage}",
        (f"run git switch {shlex.quote(strip_control_chars(branch))}; then " if elsewhere else "")
        + "run git land --continue to resume the landing, or git land --abort to restore the branch",
    )


def _lock(facts: PreflightFacts) -> CommandError | None:
    return lock_error(facts.lock_file) if facts.lock_file else None


def lock_error(lock: str) -> CommandError:
    """Return the error for a lock file of another git."""
    return _refusal(
        f"another git process is running here, or was killed: {strip_control_chars(lock)} exists",
        "wait for the other git process to finish, or remove the lock file if none is running; "
        "then run the same command again",
    )


def _operation(facts: PreflightFacts) -> CommandError | None:
    if not facts.operation:
        return None
    if not facts.operation_is_ours:
        return foreign_operation_error(facts.operation)
    return _refusal(
        f"the {facts.operation.name} of an earlier landing is in progress",
        "resolve the conflicts and git add the files, then run git land --continue; or run git land --abort",
    )


_WAYS_TO_END = {
    "merge": "git merge --continue, or undo it with git merge --abort",
    "rebase": "git rebase --continue, or undo it with git rebase --abort",
    "cherry-pick": "git cherry-pick --continue, or undo it with git cherry-pick --abort",
    "revert": "git revert --continue, or undo it with git revert --abort",
    "am": "git am --continue, or undo it with git am --abort",
    "bisect": "git bisect reset",
}


def foreign_operation_error(operation: UnfinishedOperation) -> CommandError:
    """Return the error for an operation in progress that the user began; it is left alone."""
    if operation.is_done:
        return _refusal(
            f"a {operation.name} that you started is on the branch, but git was killed before it ended",
            f"run git {operation.name} --quit, then run the same command again",
        )
    article = "an" if operation.name == "am" else "a"
    return _refusal(
        f"{article} {operation.name} that you started is in progress",
        f"end the {operation.name} with {_WAYS_TO_END[operation.name]}, then run the same command again",
    )


def _branch(facts: PreflightFacts) -> CommandError | None:
    if not facts.head:
        return _refusal("there is no commit yet", "create a commit first")
    if not facts.branch and facts.operation.name not in _DETACHES_HEAD:
        return _refusal("HEAD is detached: there is no branch to land", "create a branch: git switch -c TOPIC")
    if facts.branch and facts.branch == facts.target:
        return _refusal(
            f"{strip_control_chars(facts.branch)} is the target branch",
            "run git land from a topic branch: git switch -c TOPIC",
        )
    return None


def no_head_branch_hint(remote: str) -> str:
    """Return how to name the target branch if the server does not; `--auto` would query the server again."""
    return f"run git remote set-head {shlex.quote(remote)} BRANCH, or pass --onto BRANCH"


def _target(facts: PreflightFacts) -> CommandError | None:
    if facts.target or not facts.remote:  # a missing remote is reported separately
        return None
    if facts.remote_error:
        reason = f"cannot reach {strip_control_chars(facts.remote)}: {strip_control_chars(facts.remote_error)}"
        return CommandError(
            f"could not determine the target branch: {reason}",
            hint=f"{facts.remote_hint or 'check the network'}, then run git land again",
            exit=ExitCode.PUSH_FAILED,
        )
    name = strip_control_chars(facts.remote)
    return _refusal(f"could not determine the target branch: {name} has no HEAD branch", no_head_branch_hint(name))


_UNMERGED = {"DD", "AU", "UD", "UA", "DU", "AA", "UU"}
"""the states of `git status --porcelain` for a file with conflicts"""


def _uncommitted_changes(facts: PreflightFacts) -> CommandError | None:
    if facts.operation.name in _CHANGES_FILES:  # the unfinished operation is reported already
        return None
    unmerged = [change[3:] for change in facts.changes if change[:2] in _UNMERGED]
    if unmerged:  # git stash refuses them
        return _refusal(
            f"these files have unresolved conflicts: {join_names(unmerged)}",
            "resolve the conflicts, git add the files, and commit, or discard them with git checkout HEAD -- FILE",
        )
    if facts.changes:
        return _refusal(
            f"uncommitted changes would not be landed: {join_names(change[3:] for change in facts.changes)}",
            "commit the changes, or run git stash",
        )
    if facts.hidden_changes:
        return _refusal(*describe_hidden_changes(facts.hidden_changes))
    return None


def describe_hidden_changes(paths: Iterable[str], *, when: str = "") -> tuple[str, str]:
    """Return the message and the hint for changed files that `git status` skips."""
    what = f"files marked assume-unchanged or skip-worktree differ from the commit{when}: {join_names(paths)}"
    show = "git update-index --no-assume-unchanged --no-skip-worktree FILE"
    return what, f"commit or undo the changes (after {show}), or use another worktree (homelab work start)"


def _plaintext_secrets(facts: PreflightFacts) -> CommandError | None:
    if not facts.plaintext_secrets:
        return None
    return _refusal(
        "these files should be encrypted by git-crypt but are committed in plaintext: "
        f"{join_names(facts.plaintext_secrets)}",
        "run git-crypt unlock, then rewrite those commits with the encrypted files",
    )


def _verifiable(facts: PreflightFacts) -> CommandError | None:
    if facts.can_be_verified:
        return None
    return _refusal(
        "no verification command found",
        "pass --verify-cmd CMD, run git config homelab.verify CMD, or skip the verification with --no-verify",
    )
