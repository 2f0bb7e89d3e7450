"""Checks that the branch, HEAD, the index, and the working tree are what the landing verifies and pushes."""

from __future__ import annotations

import shlex

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.worktree import WorktreeStatus
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.land.preconditions import describe_hidden_changes
from homelab_hooks.text.humanize import join_names, short_sha

DURING_FETCH = "while the target was fetched"
BEFORE_VERIFICATION = "before the verification"
DURING_VERIFICATION = "during the verification"
BEFORE_PUSH = "before the push"
WHILE_WAITING = "while waiting for the next attempt"


def require_same_tree(landing: Landing, sha: str, *, when: str) -> None:
    """Raise CommandError if another branch is checked out, or the working tree is not exactly the commit `sha`.

    The message names the files.

    It is `verify-failed` (22), or `refused` (20) if the landing has neither merged nor verified anything yet.

    Args:
        when: when the difference arose, as a clause: one of the constants of this module.
    """
    status = landing.git.worktree.status()
    if status.branch != landing.state.branch:
        what = f"{status.branch or 'a detached HEAD'} was checked out {when}"
        remedy = f"git switch {shlex.quote(landing.state.branch)}"
    else:
        what, remedy = describe_difference(landing.git, sha, status=status, when=f" {when}")
    if not what:
        return
    nothing_done = landing.state.nothing_done and when != DURING_VERIFICATION
    raise CommandError(
        what,
        hint=f"{remedy}, then run git land again" + ("" if nothing_done else f"; {ABORT_HINT}"),
        exit=ExitCode.REFUSED if nothing_done else ExitCode.VERIFY_FAILED,
    )


def describe_difference(git: Repository, sha: str, *, status: WorktreeStatus, when: str = "") -> tuple[str, str]:
    """Return how HEAD, index, and working tree differ from a commit, and a hint; both empty if they do not."""
    if status.head != sha:
        return f"HEAD moved from {short_sha(sha)} to {short_sha(status.head) or 'no commit'}{when}", "check git reflog"
    changed = [entry[3:] for entry in status.changes]
    if changed:
        return f"tracked files changed{when}: {join_names(changed)}", "see git diff HEAD; commit or undo the changes"
    hidden = git.worktree.hidden_changes()
    return describe_hidden_changes(hidden, when=when) if hidden else ("", "")
